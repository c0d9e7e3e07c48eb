"""The request/response resources, over real TLS: authentication, directory, keys, blobs, health."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import msgspec
import pytest
import pytest_asyncio

from domain.identifiers import AccountId
from protocol.limits import MAX_BLOB_BYTES
from protocol.resources import DirectoryEntry, ExpertPreferences, KeyDocument, SearchPage, ServiceKey
from server.adapters import disk_blobs
from server.main import main
from tests.server.people import Person, blob_id
from tests.server.running import RunningRelay, running_relay

ANNE = Person("899700000041", given="Anne", surname="CHARLIER")
PAUL = Person("899700000042", given="Paul", surname="DURAND")
SERVICE = AccountId("sv:AVIS")

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def relay(tmp_path: Path) -> AsyncIterator[RunningRelay]:
    async with running_relay(tmp_path) as running:
        yield running


async def headers(relay: RunningRelay, person: Person = ANNE) -> dict[str, str]:
    return {"Authorization": f"Bearer {(await relay.login(person)).token}"}


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


# Authentication


async def test_a_login_opens_a_session_for_oneself_and_what_one_may_act_for(relay: RunningRelay) -> None:
    await relay.publish(DirectoryEntry(SERVICE, "Avis Infectiologie", is_service=True))
    await relay.grant(SERVICE, ANNE, "lire", "repondre")
    session = await relay.login(ANNE)
    assert session.account == ANNE.account
    assert session.expires_at == "2026-11-22T21:00:00.000Z"
    assert [(a.account, a.name, a.is_service, a.rights) for a in session.accounts] == [
        (ANNE.account, "Anne CHARLIER", False, ("lire", "repondre", "finaliser", "exporter")),
        (SERVICE, "Avis Infectiologie", True, ("lire", "repondre")),
    ]


async def test_a_nonce_serves_once(relay: RunningRelay) -> None:
    login = ANNE.login(await relay.challenge(), at=relay.clock.now())
    assert (await relay.answer(login)).status_code == 201
    assert code(await relay.answer(login)) == (401, "challenge-unknown")


async def test_a_nonce_serves_once_even_when_answered_twice_at_once(relay: RunningRelay) -> None:
    login = ANNE.login(await relay.challenge(), at=relay.clock.now())
    answers = await asyncio.gather(*(relay.answer(login) for _ in range(8)))
    assert sorted(answer.status_code for answer in answers) == [201] + [401] * 7


async def test_a_nonce_expires(relay: RunningRelay) -> None:
    challenge = await relay.challenge()
    relay.clock.forward(seconds=121)
    assert code(await relay.answer(ANNE.login(challenge, at=relay.clock.now()))) == (401, "challenge-unknown")


async def test_a_statement_for_another_relay_is_refused(relay: RunningRelay) -> None:
    login = ANNE.login(await relay.challenge(), at=relay.clock.now(), audience="https://other.example")
    answer = await relay.answer(login)
    assert (*code(answer), answer.json()["detail"]) == (403, "identity-refused", "wrong-audience")


async def test_a_clock_too_far_away_is_told(relay: RunningRelay) -> None:
    challenge, then = await relay.challenge(), relay.clock.now()
    relay.clock.forward(seconds=-121)
    assert code(await relay.answer(ANNE.login(challenge, at=then))) == (401, "clock-skew")


async def test_the_devices_of_another_cannot_be_used(relay: RunningRelay) -> None:
    login = ANNE.login(await relay.challenge(), at=relay.clock.now())
    answer = await relay.answer(msgspec.structs.replace(login, device=PAUL.enrolled))
    assert code(answer) == (403, "identity-refused")


async def test_nonsense_is_malformed_and_too_much_is_too_large(relay: RunningRelay) -> None:
    assert code(await relay.http.post("/v1/auth/session", content=b"{}")) == (400, "malformed")
    assert code(await relay.http.post("/v1/auth/session", content=b"\xff")) == (400, "malformed")
    assert code(await relay.http.post("/v1/auth/session", content=b" " * 300_000)) == (413, "too-large")


async def test_a_session_ends_at_its_holders_wish_and_by_age(relay: RunningRelay) -> None:
    first, second = await headers(relay), await headers(relay)
    assert (await relay.http.delete("/v1/auth/session", headers=first)).status_code == 204
    assert code(await relay.http.get("/v1/directory", headers=first)) == (401, "unauthenticated")
    assert (await relay.http.get("/v1/directory", headers=second)).status_code == 200
    relay.clock.forward(hours=12)
    assert code(await relay.http.get("/v1/directory", headers=second)) == (401, "unauthenticated")


PROTECTED = [
    ("DELETE", "/v1/auth/session"),
    ("GET", "/v1/directory"),
    ("GET", "/v1/directory/ps:1"),
    ("PUT", "/v1/directory/ps:1/preferences"),
    ("GET", "/v1/keys/ps:1"),
    ("PUT", "/v1/keys/ps:1"),
    ("HEAD", "/v1/blobs/" + "0" * 64),
    ("GET", "/v1/blobs/" + "0" * 64),
    ("PUT", "/v1/blobs/" + "0" * 64),
]


async def test_nothing_is_told_without_a_session(relay: RunningRelay) -> None:
    for method, path in PROTECTED:
        for value in ("", "Bearer", "Bearer x", "Basic eDp5", "Bearer %C3%A9"):
            answer = await relay.http.request(method, path, headers={"Authorization": value})
            assert answer.status_code == 401, (method, path, value)


async def test_every_protected_route_is_in_the_list_above(relay: RunningRelay) -> None:
    open_doors = {"/v1/auth/challenge", "/v1/livez", "/v1/readyz", "/v1/stream"}
    routes = {
        (method, getattr(route, "path", ""))
        for route in relay.app.asgi.routes
        for method in getattr(route, "methods", None) or ()
    }
    protected = {route for route in routes if route[1] not in open_doors and route != ("POST", "/v1/auth/session")}
    assert len({r for r in protected if r[0] != "HEAD"}) == len([r for r in PROTECTED if r[0] != "HEAD"])


async def test_knocking_too_often_is_throttled(relay: RunningRelay) -> None:
    answers = [await relay.http.post("/v1/auth/challenge") for _ in range(201)]
    assert [answer.status_code for answer in answers] == [201] * 200 + [429]
    assert answers[-1].headers["retry-after"] == "1"
    relay.clock.forward(seconds=1)
    assert (await relay.http.post("/v1/auth/challenge")).status_code == 201


async def test_the_store_keeps_no_token(relay: RunningRelay) -> None:
    token = (await relay.login(ANNE)).token
    files = [path.read_bytes() for path in relay.data.glob("relay.sqlite3*")]
    assert files
    assert not any(token.encode() in data for data in files)


# Directory


def person_entry(account: str, name: str, **more: object) -> DirectoryEntry:
    return DirectoryEntry(AccountId(account), name, is_service=False, **more)  # type: ignore[arg-type]


async def search(relay: RunningRelay, **query: str) -> SearchPage:
    answer = await relay.http.get("/v1/directory", params=query, headers=await headers(relay))
    return msgspec.json.decode(answer.content, type=SearchPage)


async def test_a_search_finds_both_groups_and_names_its_filters(relay: RunningRelay) -> None:
    shown, hidden = ExpertPreferences(annuaire=True), ExpertPreferences(annuaire=False)
    infectious = {"speciality": "Maladies infectieuses", "speciality_code": "SM58", "departement": "74"}
    await relay.publish(
        person_entry("ps:1", "Dr Zoé MÉRIEUX", preferences=shown, **infectious),
        person_entry("ps:2", "Dr Abel MÉRIEUX", preferences=hidden, **infectious),
        DirectoryEntry(SERVICE, "Avis Infectiologie", is_service=True, preferences=shown, departement="74"),
    )
    everyone = await search(relay, q="infecti haute-savoie")
    assert [e.name for e in everyone.professionals] == ["Dr Abel MÉRIEUX", "Dr Zoé MÉRIEUX"]
    assert [e.name for e in everyone.services] == ["Avis Infectiologie"]
    experts = await search(relay, q="mérieux", experts="1", departement="74", specialite="SM58")
    assert [e.name for e in experts.professionals] == ["Dr Zoé MÉRIEUX"]
    assert [(f.field, f.value, f.label) for f in experts.facets] == [
        ("specialite", "SM58", "Maladies infectieuses"),
        ("departement", "74", "Haute-Savoie"),
    ]


async def test_a_directory_loaded_while_the_relay_runs_is_noticed(relay: RunningRelay) -> None:
    lines = relay.data / "directory.jsonl"
    grants = [{"account": ANNE.account, "rights": ["lire"]}]
    entry = DirectoryEntry(SERVICE, "Avis Dermatologie", is_service=True)
    lines.write_bytes(msgspec.json.encode({"entry": entry, "members": grants}))
    assert await asyncio.to_thread(main, ["load-directory", str(lines), "--data", str(relay.data)]) == 0
    await relay.app.refresh()
    assert [e.name for e in (await search(relay, q="avis derma")).services] == ["Avis Dermatologie"]
    assert [a.account for a in (await relay.login(ANNE)).accounts] == [ANNE.account, SERVICE]


async def test_preferences_change_what_is_shown(relay: RunningRelay) -> None:
    await relay.publish(person_entry(ANNE.account, "Dr Anne CHARLIER"))
    assert (await search(relay, q="charlier", experts="1")).professionals_total == 0
    mine = await headers(relay)
    body = msgspec.json.encode(ExpertPreferences(annuaire=True, descriptif="Dermatologie"))
    path = f"/v1/directory/{ANNE.account}/preferences"
    assert (await relay.http.put(path, content=body, headers=mine)).status_code == 204
    await relay.app.refresh()
    assert (await search(relay, q="charlier", experts="1")).professionals_total == 1
    theirs = await headers(relay, PAUL)
    assert code(await relay.http.put(path, content=body, headers=theirs)) == (403, "not-permitted")
    entry = (await relay.http.get(f"/v1/directory/{ANNE.account}", headers=theirs)).json()
    assert (entry["has_key"], entry["preferences"]["descriptif"]) == (True, "Dermatologie")
    assert code(await relay.http.get("/v1/directory/ps:none", headers=theirs)) == (404, "not-found")


# Keys


async def test_a_login_publishes_the_device(relay: RunningRelay) -> None:
    answer = await relay.http.get(f"/v1/keys/{ANNE.account}", headers=await headers(relay))
    assert msgspec.json.decode(answer.content, type=KeyDocument) == KeyDocument(ANNE.account, (ANNE.enrolled,))
    paul = await headers(relay, PAUL)
    assert code(await relay.http.get("/v1/keys/ps:none", headers=paul)) == (404, "not-found")


async def put_key(relay: RunningRelay, document: KeyDocument, person: Person) -> httpx.Response:
    body = msgspec.json.encode(document)
    return await relay.http.put(f"/v1/keys/{document.account}", content=body, headers=await headers(relay, person))


async def test_only_members_publish_a_services_key(relay: RunningRelay) -> None:
    document = ANNE.service_key(SERVICE, {ANNE.account: b"a"})
    assert code(await put_key(relay, document, ANNE)) == (403, "not-permitted")
    await relay.grant(SERVICE, ANNE, "lire")
    assert code(await put_key(relay, document, ANNE)) == (403, "not-permitted")
    await relay.grant(SERVICE, ANNE, "lire", "repondre")
    assert (await put_key(relay, document, ANNE)).status_code == 204
    assert code(await put_key(relay, PAUL.service_key(SERVICE, {}), ANNE)) == (403, "not-permitted")


async def test_a_wrap_is_shown_to_its_member_only(relay: RunningRelay) -> None:
    await relay.grant(SERVICE, ANNE, "lire", "repondre")
    await put_key(relay, ANNE.service_key(SERVICE, {ANNE.account: b"a", PAUL.account: b"p"}), ANNE)
    for person, wraps in ((ANNE, {ANNE.account: b"a"}), (PAUL, {})):
        answer = await relay.http.get(f"/v1/keys/{SERVICE}", headers=await headers(relay, person))
        service = msgspec.json.decode(answer.content, type=KeyDocument).service
        assert service is not None
        assert service.wraps == wraps


async def test_new_wraps_join_the_old_and_another_key_is_refused(relay: RunningRelay) -> None:
    await relay.grant(SERVICE, ANNE, "lire", "repondre")
    await put_key(relay, ANNE.service_key(SERVICE, {ANNE.account: b"a"}), ANNE)
    await put_key(relay, ANNE.service_key(SERVICE, {PAUL.account: b"p"}), ANNE)
    stored = await relay.app.store.read(lambda view: view.key_document(SERVICE))
    assert stored is not None
    assert stored.service is not None
    assert stored.service.wraps == {ANNE.account: b"a", PAUL.account: b"p"}
    other = ANNE.service_key(SERVICE, {}, key=b"\1" * 1216)
    assert code(await put_key(relay, other, ANNE)) == (409, "key-exists")


async def test_a_statement_about_another_service_or_badly_signed_is_refused(relay: RunningRelay) -> None:
    await relay.grant(SERVICE, ANNE, "lire", "repondre")
    other = ANNE.service_key("sv:OTHER", {})
    moved = KeyDocument(SERVICE, service=other.service)
    assert code(await put_key(relay, moved, ANNE)) == (403, "identity-refused")
    forged = KeyDocument(SERVICE, service=ServiceKey(b"{}", bytes(64), ANNE.account))
    assert code(await put_key(relay, forged, ANNE)) == (403, "identity-refused")
    assert code(await put_key(relay, KeyDocument(ANNE.account, (ANNE.enrolled,)), ANNE)) == (400, "malformed")


# Blobs


async def test_a_big_blob_goes_up_and_comes_down_whole_and_in_parts(relay: RunningRelay) -> None:
    data = bytes(range(256)) * 4 * 5_000
    mine, path = await headers(relay), f"/v1/blobs/{blob_id(data)}"
    assert code(await relay.http.get(path, headers=mine)) == (404, "not-found")
    assert (await relay.http.put(path, content=data, headers=mine)).status_code == 201
    assert (await relay.http.put(path, content=data, headers=mine)).status_code == 204
    assert (await relay.http.get(path, headers=mine)).content == data
    head = await relay.http.head(path, headers=mine)
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(data)))
    part = await relay.http.get(path, headers={**mine, "Range": "bytes=1000000-1000255"})
    assert (part.status_code, part.content) == (206, data[1_000_000:1_000_256])
    assert (await relay.http.get(path, headers={**mine, "Range": f"bytes={len(data)}-"})).status_code == 416


async def test_a_blob_must_be_what_its_name_says(relay: RunningRelay) -> None:
    mine = await headers(relay)
    answer = await relay.http.put(f"/v1/blobs/{blob_id(b'one')}", content=b"other", headers=mine)
    assert code(answer) == (400, "digest-mismatch")
    assert code(await relay.http.put("/v1/blobs/..%2Fx", content=b"", headers=mine))[0] in (400, 404)
    assert code(await relay.http.get("/v1/blobs/" + "A" * 64, headers=mine)) == (400, "malformed")
    assert list((relay.data / "blobs" / "incoming").iterdir()) == []


async def test_a_blob_above_the_limit_is_refused(relay: RunningRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"12345"

    mine, path = await headers(relay), f"/v1/blobs/{blob_id(b'12345')}"
    declared = {**mine, "Content-Length": str(MAX_BLOB_BYTES + 1)}
    assert code(await _refused_early(relay, path, declared)) == (413, "too-large")
    monkeypatch.setattr(disk_blobs, "MAX_BLOB_BYTES", 4)
    assert code(await relay.http.put(path, content=chunks(), headers=mine)) == (413, "too-large")


async def _refused_early(relay: RunningRelay, path: str, sent: dict[str, str]) -> httpx.Response:
    """Announce a huge body, send none of it, and read the answer."""
    host, port = relay.address.removeprefix("https://").split(":")
    trust = ssl.create_default_context(cafile=relay.data / "tls" / "ca.pem")
    reader, writer = await asyncio.open_connection(host, int(port), ssl=trust)
    lines = [f"PUT {path} HTTP/1.1", f"Host: {host}", *(f"{name}: {value}" for name, value in sent.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = int(head.lower().split("content-length: ")[1].split("\r\n")[0])
    body = await reader.readexactly(length)
    writer.close()
    return httpx.Response(int(head.split()[1]), content=body)


async def test_attachments_leave_room_for_events(relay: RunningRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    full = type("Usage", (), {"free": 0})
    monkeypatch.setattr("server.adapters.disk_blobs.shutil.disk_usage", lambda _: full)
    answer = await relay.http.put(f"/v1/blobs/{blob_id(b'x')}", content=b"x", headers=await headers(relay))
    assert code(answer) == (507, "storage-full")


# Health


async def test_health_and_unknown_paths(relay: RunningRelay) -> None:
    for path in ("/v1/livez", "/v1/readyz"):
        assert (await relay.http.get(path)).json() == {"status": "ok", "version": "0.1.0"}
    assert code(await relay.http.get("/v1/nothing")) == (404, "not-found")
    relay.app.directory.is_ready = False
    assert (await relay.http.get("/v1/readyz")).status_code == 503
    assert code(await relay.http.get("/v1/directory", headers=await headers(relay))) == (503, "not-ready")
