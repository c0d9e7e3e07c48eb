"""The relay as one runs it: the command line, its exit codes, its files, its logs, TLS at first run, the drain."""

from __future__ import annotations

import io
import json
import logging
import signal
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from domain.status import EventKind
from protocol.frames import Submit
from server.adapters import tls_files
from server.adapters.system_world import SystemClock
from server.bootstrap import audit_is_whole, tls_context
from server.logs import JsonLines
from server.main import main
from server.settings import Settings, read_roots
from server.throttle import MAX_BUCKETS, Throttle
from tests.server.people import Person, fresh_id, root
from tests.server.running import Clients, parties, request

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


@contextmanager
def relay_process(place: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """`python -m server` over the files in `place`, and its address; killed at the end if it still runs."""
    (place / "root.der").write_bytes(root())
    words = ["--data", str(place / "data"), "--roots", str(place), "--port", "0", "--log", str(place / "log")]
    with subprocess.Popen([sys.executable, "-m", "server", *words], stderr=subprocess.PIPE, text=True) as relay:
        assert relay.stderr is not None
        ready, address = relay.stderr.readline().split()
        assert ready == "ready"
        try:
            yield relay, address
        finally:
            relay.kill()


def test_a_relay_starts_serves_and_drains(tmp_path: Path) -> None:
    with relay_process(tmp_path) as (relay, address):
        trust = ssl.create_default_context(cafile=tmp_path / "data" / "tls" / "ca.pem")
        answer = httpx.get(
            f"{address}/v1/directory?q=SECRETQUERY", verify=trust, headers={"Authorization": "Bearer T0KEN"}
        )
        limits = Path(f"/proc/{relay.pid}/limits").read_text()
        relay.send_signal(signal.SIGTERM)
        assert relay.wait(20) in (0, -signal.SIGTERM)
    assert answer.status_code == 401
    assert limits.split("Max core file size")[1].split()[:2] == ["0", "0"]
    log = (tmp_path / "log").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert ("/v1/directory", 401) in [(line.get("route"), line.get("status")) for line in lines]
    assert "SECRETQUERY" not in log
    assert "T0KEN" not in log
    assert (tmp_path / "data" / "tls" / "ca.key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "data").stat().st_mode & 0o777 == 0o700


async def test_a_relay_that_is_killed_loses_nothing_it_acknowledged(tmp_path: Path) -> None:
    """Killed while 300 events are in flight; what came back before is there after, in the same place."""
    asker, expert, conversation = Person("899700000051"), Person("899700000052"), fresh_id()
    with relay_process(tmp_path) as (relay, address):
        async with clients(tmp_path, address) as one:
            token = (await one.login(asker)).token
            await one.login(expert)
            async with one.peer(asker, token=token) as peer:
                await peer.submit(request(asker, expert, conversation))
                for _ in range(300):
                    message = asker.envelope(EventKind.MESSAGE_SENT, conversation, parties(asker, expert))
                    await peer.send(Submit(message))
                acknowledged = await peer.deliveries(40)
                relay.kill()
    with relay_process(tmp_path) as (_, address):
        async with clients(tmp_path, address) as one, one.peer(asker, token=token) as peer:
            stored = await peer.deliveries(41)
    assert stored[1:] == acknowledged
    assert await audit_is_whole(tmp_path / "data") is None


@asynccontextmanager
async def clients(place: Path, address: str) -> AsyncIterator[Clients]:
    """Clients of a relay process."""
    trust = ssl.create_default_context(cafile=place / "data" / "tls" / "ca.pem")
    async with httpx.AsyncClient(base_url=address, verify=trust) as http:
        yield Clients(SystemClock(), address, trust, http)


def test_the_command_line_loads_a_directory_and_checks_the_audit(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = tmp_path / "directory.jsonl"
    lines.write_text('{"entry": {"account": "ps:1", "name": "Anne", "is_service": false}}\n')
    data = ["--data", str(tmp_path / "data")]
    assert main(["load-directory", str(lines), *data]) == 0
    assert main(["verify-audit", *data]) == 0
    assert capsys.readouterr().out == "1\nok\n"
    lines.write_text("nonsense")
    assert main(["load-directory", str(lines), *data]) == 65
    assert main(["load-directory", str(tmp_path / "absent"), *data]) == 74
    (tmp_path / "empty").mkdir()
    assert main([*data, "--roots", str(tmp_path / "empty"), "--port", "0"]) == 65


@pytest.mark.parametrize("words", [[], ["--nonsense"], ["load-directory"], ["verify-audit"], ["--port", "x"]])
def test_a_mistake_on_the_command_line_exits_with_64(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as leaving:
        main(words)
    assert leaving.value.code == 64
    assert "usage: python -m server" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("audience", "named"),
    [
        ("https://relais.example:8443", "relais.example"),
        ("https://téléexpertise.example", "xn--tlexpertise-bbbb.example"),
        ("https://[2001:db8::1]:8443", "2001:DB8:0:0:0:0:0:1"),
        ("nonsense", "localhost"),
    ],
)
def test_the_certificate_names_the_host_that_clients_are_told(tmp_path: Path, audience: str, named: str) -> None:
    tls_context(Settings(data=tmp_path, roots=(root(),), audience=audience), host="0.0.0.0")
    names = _names_in(tmp_path / "tls" / "server.pem")
    assert named in names
    assert {"0.0.0.0", "localhost", "127.0.0.1"} <= names


def _names_in(certificate: Path) -> set[str]:
    """The subject's alternative names, as OpenSSL prints them."""
    decoded = ssl._ssl._test_decode_cert(str(certificate))  # type: ignore[attr-defined]
    return {name for _kind, name in decoded["subjectAltName"]}


def test_roots_are_read_as_der_or_as_many_pem(tmp_path: Path) -> None:
    pem = ssl.DER_cert_to_PEM_cert(root())
    (tmp_path / "a.der").write_bytes(root())
    (tmp_path / "b.pem").write_text("a comment\n" + pem + pem)
    (tmp_path / "readme.txt").write_text("no certificate")
    assert read_roots(tmp_path) == (root(),) * 3
    assert read_roots(tmp_path / "a.der") == (root(),)
    with pytest.raises(ValueError, match="no certificate"):
        read_roots(tmp_path / "readme.txt")


def test_the_authority_stays_and_the_server_certificate_is_renewed_when_due(tmp_path: Path) -> None:
    def files() -> tuple[bytes, bytes]:
        return (tmp_path / "ca.pem").read_bytes(), (tmp_path / "server.pem").read_bytes()

    tls_files.ensure(tmp_path, hosts=["localhost", "127.0.0.1"], at=NOW)
    first = files()
    tls_files.ensure(tmp_path, hosts=["localhost"], at=NOW + timedelta(days=300))
    assert files() == first
    for hosts, days in ((["localhost"], 380), (["relais.example", "localhost"], 0)):
        before = files()
        tls_files.ensure(tmp_path, hosts=hosts, at=NOW + timedelta(days=days))
        assert files()[0] == first[0]
        assert files()[1] != before[1]


def test_a_log_line_holds_what_is_allowed_and_no_more() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    fields = {"status": 500, "token": "secret", "reason": "a\nb\x1b[31m"}
    try:
        raise ValueError("patient name")
    except ValueError:
        place = ("server.test", logging.ERROR, __file__, 1, "failed", (), sys.exc_info())
    record = logging.LogRecord(*place)
    record.fields = fields
    handler.handle(record)
    line = stream.getvalue()
    assert line.count("\n") == 1
    assert "\x1b" not in line
    assert "secret" not in line
    assert "patient" not in line
    assert json.loads(line)["exception"] == "ValueError"
    assert json.loads(line)["status"] == 500


def test_a_throttle_fills_again_and_forgets() -> None:
    throttle = Throttle(burst=2, per_second=1)
    assert [throttle.admits("a", NOW) for _ in range(3)] == [True, True, False]
    assert throttle.admits("b", NOW)
    assert throttle.admits("a", NOW + timedelta(seconds=1))
    for number in range(MAX_BUCKETS + 10):
        throttle.admits(f"x{number}", NOW)
    assert len(throttle._buckets) <= MAX_BUCKETS
