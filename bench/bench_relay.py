"""How many sealed messages a relay accepts durably, and how soon they arrive.

`.venv/bin/python bench/bench_relay.py` runs everything, in about half a minute.

A real relay in its own process, pinned to one core: TLS 1.3, card logins, Ed25519 signatures, SQLite with
synchronous=FULL, a directory of 5,200 entries. The clients run on the other core with envelopes signed beforehand.
A message counts as accepted when its sender sees it come back in his own stream, after the durable commit.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import os
import random
import signal
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import uvloop
from websockets.asyncio.client import ClientConnection, connect

from bench.report import show_rows
from domain.identifiers import AccountId
from domain.status import EventKind
from protocol.codec import decode_server_frame, encode_frame
from protocol.frames import Deliver, Hello, Submit, Welcome
from protocol.limits import MAX_FRAME_BYTES
from protocol.resources import Challenge, DirectoryEntry, Session
from protocol.version import PROTOCOL_VERSION
from tests.server.people import Person, fresh_id, root

BODY_BYTES = 600
"""A 318-character text (the mean request) with its form, sealed."""
ENTRIES = 5_200
PAIRS = 50
PACED_PER_S = 50
TOWNS = ("Saint-Étienne", "Annecy", "Grenoble", "Lyon", "Valence", "Chambéry", "Thonon-les-Bains", "Le Puy-en-Velay")
SPECIALITIES = (("SM15", "Dermatologie et vénéréologie"), ("SM04", "Cardiologie"), ("SM54", "Médecine générale"))


TARGETS = {
    "durable messages/s, 50 sender(s), 8 in flight each": ">= 1,500",
    "send to receive at 50/s, p50 / p99, ms": "< 5 / < 15",
    "RSS after the run, MB": "< 200",
}
"""decisions.md, server peers: one core, TLS, durable, with authentication, access rules and signatures on."""


@dataclass(slots=True)
class Desk:
    """One connected practitioner."""

    person: Person
    peer: Person
    conversation: str
    socket: ClientConnection
    arrivals: dict[str, float] = field(default_factory=dict)
    """Event id -> when it arrived in this stream (monotonic, s)."""
    waiting: dict[str, asyncio.Future[None]] = field(default_factory=dict)


@dataclass(slots=True)
class Message:
    """An envelope signed beforehand."""

    event_id: str
    frame: bytes


Desks = tuple[list[Desk], list[Desk]]
"""Senders and their receivers, in the same order."""


def main() -> None:
    """Run every measure and print it; `--json` prints one object instead."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="length of each measure")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--data", type=Path, help="where the database lies (its disk is measured too)")
    options = parser.parse_args()
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    with tempfile.TemporaryDirectory(dir=options.data) as directory:
        process, address = start_relay(Path(directory))
        try:
            results = uvloop.run(measure(Path(directory), address, process.pid, options.seconds))
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(15)
    if not options.json:
        rows = [(name, value, TARGETS.get(name, "")) for name, value in results.items()]
        show_rows("relay on one core, TLS 1.3, durable", ("measure", "value", "target"), rows)
    if options.json:
        print(json.dumps(results))


def start_relay(directory: Path) -> tuple[subprocess.Popen[str], str]:
    """Fill a directory, start the relay pinned to core 0 and wait until it listens."""
    (directory / "root.der").write_bytes(root())
    (directory / "directory.jsonl").write_bytes(b"\n".join(map(_line, range(ENTRIES))))
    data = ["--data", str(directory / "relay")]
    relay = [sys.executable, "-m", "server"]
    subprocess.run([*relay, "load-directory", str(directory / "directory.jsonl"), *data], check=True, stdout=-3)
    command = [*relay, *data, "--roots", str(directory / "root.der"), "--port", "0", "--log", str(directory / "log")]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    # Set before it has made a thread: those it makes inherit it.
    os.sched_setaffinity(process.pid, {0})
    assert process.stderr is not None
    line = process.stderr.readline()
    if not line.startswith("ready "):
        raise RuntimeError(line + process.stderr.read())
    return process, line.split()[1]


def _line(number: int) -> bytes:
    code, speciality = SPECIALITIES[number % 3]
    entry = DirectoryEntry(
        account=AccountId(f"ps:8997{number:08d}"),
        name=f"Dr {random.choice(('Anne', 'Marie', 'Paul', 'Jean'))} {fresh_name(number)}",
        is_service=False,
        profession="Médecin",
        speciality=speciality,
        speciality_code=code,
        town=TOWNS[number % len(TOWNS)],
        postcode=f"{42000 + number % 900}",
        departement="42",
        id_nat=f"8997{number:08d}",
    )
    return msgspec.json.encode({"entry": entry})


def fresh_name(number: int) -> str:
    """A surname of three syllables."""
    syllables = ("BA", "CHAR", "DU", "FON", "GRE", "LAM", "MOR", "NI", "PER", "ROU", "SAL", "TI", "VAL", "ZE")
    return "".join(syllables[(number // 14**power) % 14] for power in range(3)) + "ET"


async def measure(directory: Path, address: str, pid: int, seconds: float) -> dict[str, object]:
    """Connect every desk and take each measure in turn."""
    trust = ssl.create_default_context(cafile=directory / "relay" / "tls" / "ca.pem")
    results: dict[str, object] = {"idle RSS, MB": _rss_mb(pid)}
    results |= await _search_times(trust, address)
    senders, receivers = await _open_desks(trust, address)
    async with asyncio.TaskGroup() as group:
        listeners = [group.create_task(_listen(desk), name="listener") for desk in (*senders, *receivers)]
        gc.collect()
        gc.freeze()
        for count, window in ((1, 1), (50, 1), (50, 8)):
            results |= await _throughput((senders[:count], receivers[:count]), pid, seconds, window)
        results |= await _paced(senders[:10], receivers[:10], seconds * 2)
        for listener in listeners:
            listener.cancel()
    results["RSS after the run, MB"] = _rss_mb(pid)
    for desk in (*senders, *receivers):
        await desk.socket.close()
    return results


def _rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1)


async def _search_times(trust: ssl.SSLContext, address: str) -> dict[str, object]:
    async with httpx.AsyncClient(base_url=address, verify=trust) as http:
        token = (await _login(http, Person("899799999999"))).token
        while (await http.get("/v1/readyz")).status_code != 200:
            await asyncio.sleep(0.05)
        times = []
        for word in ("b", "bach", "bacharduet", "charduba", "saint eti", "dermato annecy", "valfonx", "42000") * 10:
            began = time.perf_counter()
            answer = await http.get("/v1/directory", params={"q": word}, headers={"Authorization": f"Bearer {token}"})
            times.append((time.perf_counter() - began) * 1000)
            answer.raise_for_status()
        return {"directory search p50 / p99, ms": _quantiles(times)}


async def _login(http: httpx.AsyncClient, person: Person) -> Session:
    challenge = msgspec.json.decode((await http.post("/v1/auth/challenge")).content, type=Challenge)
    request = person.login(challenge, at=datetime.now(UTC))
    answer = await http.post("/v1/auth/session", content=msgspec.json.encode(request))
    answer.raise_for_status()
    return msgspec.json.decode(answer.content, type=Session)


async def _open_desks(trust: ssl.SSLContext, address: str) -> tuple[list[Desk], list[Desk]]:
    senders, receivers = [], []
    async with httpx.AsyncClient(base_url=address, verify=trust) as http:
        for number in range(PAIRS):
            asker, expert = Person(f"8997{number * 2:08d}"), Person(f"8997{number * 2 + 1:08d}")
            conversation = fresh_id()
            tokens = [(await _login(http, person)).token for person in (asker, expert)]
            sockets = [await _connect(trust, address, p, t) for p, t in zip((asker, expert), tokens, strict=True)]
            senders.append(Desk(asker, expert, conversation, sockets[0]))
            receivers.append(Desk(expert, asker, conversation, sockets[1]))
            request = asker.envelope(EventKind.REQUEST_SENT, conversation, (asker.account, expert.account))
            await sockets[0].send(encode_frame(Submit(request)))
            for socket in sockets:
                await socket.recv()
    return senders, receivers


async def _connect(trust: ssl.SSLContext, address: str, person: Person, token: str) -> ClientConnection:
    url = address.replace("https", "wss") + "/v1/stream"
    socket = await connect(url, ssl=trust, compression=None, max_size=MAX_FRAME_BYTES, ping_interval=None)
    await socket.send(encode_frame(Hello(PROTOCOL_VERSION, token, {person.account: 0})))
    welcome = await socket.recv()
    assert isinstance(welcome, bytes)
    assert isinstance(decode_server_frame(welcome), Welcome)
    return socket


async def _listen(desk: Desk) -> None:
    while True:
        data = await desk.socket.recv()
        now = time.perf_counter()
        event_id = _event_id(data)
        desk.arrivals[event_id] = now
        waiting = desk.waiting.pop(event_id, None)
        if waiting is not None:
            waiting.set_result(None)


def _event_id(data: str | bytes) -> str:
    """The id in a Deliver, read without decoding the rest: the generator shares the machine with the relay."""
    assert isinstance(data, bytes)
    frame = decode_server_frame(data)
    if not isinstance(frame, Deliver):
        raise TypeError(repr(frame))
    header = msgspec.msgpack.decode(frame.envelope.header)
    return str(header[1])


def _message(desk: Desk, body: bytes) -> Message:
    event_id = fresh_id()
    accounts = (desk.person.account, desk.peer.account)
    envelope = desk.person.envelope(EventKind.MESSAGE_SENT, desk.conversation, accounts, event_id=event_id, body=body)
    return Message(event_id, encode_frame(Submit(envelope)))


async def _throughput(desks: Desks, pid: int, seconds: float, window: int) -> dict[str, object]:
    senders, receivers = desks
    budget = int(seconds * 8_000 / len(senders))
    queues = [iter([_message(desk, os.urandom(BODY_BYTES)) for _ in range(budget)]) for desk in senders]
    began, cpu = time.perf_counter(), _cpu_s(pid)
    async with asyncio.TaskGroup() as group:
        tasks = [
            group.create_task(_send_until(desk, queue, began + seconds), name="sender")
            for desk, queue in zip(senders, queues, strict=True)
            for _ in range(window)
        ]
    accepted = sum(task.result() for task in tasks)
    elapsed, cpu = time.perf_counter() - began, _cpu_s(pid) - cpu
    await _all_arrived(senders, receivers)
    name = f"{len(senders)} sender(s), {window} in flight each"
    return {
        f"durable messages/s, {name}": round(accepted / elapsed, 1),
        f"relay's CPU, us/message and share of its core, {name}": (f"{cpu / accepted * 1e6:.0f} / {cpu / elapsed:.0%}"),
    }


def _cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _send_until(desk: Desk, messages: Iterator[Message], deadline: float) -> int:
    """Send one message at a time, each after the one before was accepted."""
    count = 0
    for message in messages:
        if time.perf_counter() >= deadline:
            break
        done = desk.waiting[message.event_id] = asyncio.get_running_loop().create_future()
        await desk.socket.send(message.frame)
        await done
        count += 1
    return count


async def _all_arrived(senders: list[Desk], receivers: list[Desk]) -> None:
    """What every sender had accepted is with its receiver too: nothing is lost, or this never ends."""
    for sender, receiver in zip(senders, receivers, strict=True):
        while sender.arrivals.keys() - receiver.arrivals.keys():
            await asyncio.sleep(0.01)
        sender.arrivals.clear()
        receiver.arrivals.clear()


async def _paced(senders: list[Desk], receivers: list[Desk], seconds: float) -> dict[str, object]:
    count = int(seconds * PACED_PER_S)
    plan = [
        (senders[n % 10], receivers[n % 10], _message(senders[n % 10], os.urandom(BODY_BYTES))) for n in range(count)
    ]
    began = time.perf_counter()
    sent: dict[str, float] = {}
    for number, (desk, _, message) in enumerate(plan):
        await asyncio.sleep(max(0.0, began + number / PACED_PER_S - time.perf_counter()))
        sent[message.event_id] = time.perf_counter()
        await desk.socket.send(message.frame)
    await asyncio.sleep(0.5)
    times = [(receiver.arrivals[m.event_id] - sent[m.event_id]) * 1000 for _, receiver, m in plan]
    return {f"send to receive at {PACED_PER_S}/s, p50 / p99, ms": _quantiles(times)}


def _quantiles(times: list[float]) -> str:
    cuts = statistics.quantiles(times, n=100)
    return f"{cuts[49]:.2f} / {cuts[98]:.2f}"


if __name__ == "__main__":
    main()
