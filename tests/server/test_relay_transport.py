"""The stream, from the wire's end: real TLS and websockets on loopback, and the same pump without sockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from domain.identifiers import AccountId
from domain.status import EventKind
from protocol.codec import decode_server_frame, encode_frame
from protocol.envelope import unverified_header
from protocol.frames import Deliver, Goodbye, Hello, RefusalCode, Refused, ServerFrame, Submit, Welcome
from protocol.limits import MAX_FRAME_BYTES
from protocol.version import PROTOCOL_VERSION
from server import relay as relay_module
from server.errors import RequestRefused, StorageFull
from server.relay import CLOSING, EXPIRED, RIGHTS_CHANGED, SLOW
from tests.server.people import Person, blob_id, fresh_id
from tests.server.running import PATIENCE_S, Peer, RunningRelay, parties, request, running_relay

ASKER, EXPERT, SECOND = Person("899700000031"), Person("899700000032"), Person("899700000033")
SERVICE = "sv:AVIS"

pytestmark = pytest.mark.asyncio


@pytest_asyncio.fixture
async def relay(tmp_path: Path) -> AsyncIterator[RunningRelay]:
    async with running_relay(tmp_path) as running:
        await running.enrol(ASKER, EXPERT)
        yield running


async def test_what_one_sends_comes_back_and_reaches_the_other(relay: RunningRelay) -> None:
    envelope = request(ASKER, EXPERT, fresh_id())
    async with relay.peer(ASKER) as asker, relay.peer(EXPERT) as expert:
        own = await asker.submit(envelope)
        theirs = await expert.receive()
    at = "2026-11-22T09:00:00.000Z"
    assert (own, theirs) == (Deliver(ASKER.account, 1, at, envelope), Deliver(EXPERT.account, 1, at, envelope))


async def test_the_welcome_tells_the_heads_of_what_one_may_follow(relay: RunningRelay) -> None:
    await relay.grant(SERVICE, ASKER, "lire")
    token = (await relay.login(ASKER)).token
    async with relay.socket() as peer:
        await peer.send(Hello(PROTOCOL_VERSION, token, {AccountId(EXPERT.account): 0}))
        welcome = await peer.receive()
    assert welcome == Welcome("2026-11-22T09:00:00.000Z", {ASKER.account: 0, AccountId(SERVICE): 0})


MALFORMED = {
    "empty": b"",
    "no-msgpack": b"\xc1",
    "zeros": bytes(1000),
    "wrong-types": b"\x93\xa6submit\x01\x02",
    "not-a-clients": encode_frame(Goodbye("x")),
}


@pytest.mark.parametrize("after_hello", [False, True])
async def test_a_malformed_frame_ends_its_connection_only(relay: RunningRelay, after_hello: bool) -> None:
    async with relay.peer(EXPERT) as other:
        for name, data in MALFORMED.items():
            async with relay.peer(ASKER) if after_hello else relay.socket() as peer:
                await peer.socket.send(data)
                assert isinstance(await peer.receive(), Goodbye), name
                assert await peer.is_closed()
        assert isinstance(await other.submit(request(EXPERT, ASKER, fresh_id())), Deliver)


async def test_a_header_that_is_no_header_ends_the_connection(relay: RunningRelay) -> None:
    envelope = ASKER.envelope(EventKind.MESSAGE_SENT, "not-hexadecimal", parties(ASKER, EXPERT))
    async with relay.peer(ASKER) as peer:
        assert await peer.submit(envelope) == Goodbye("identifiant invalide")


async def test_a_text_message_is_no_frame(relay: RunningRelay) -> None:
    async with relay.peer(ASKER) as peer:
        await peer.socket.send("bonjour")
        assert isinstance(await peer.receive(), Goodbye)


async def test_a_message_above_the_limit_is_cut_off(relay: RunningRelay) -> None:
    async with relay.peer(ASKER) as peer:
        await peer.socket.send(bytes(MAX_FRAME_BYTES + 1))
        assert await peer.is_closed()
    assert (await relay.http.get("/v1/livez")).status_code == 200


@pytest.mark.parametrize(("version", "reason"), [(99, "ce relais parle la version 1 du protocole"), (1, EXPIRED)])
async def test_a_wrong_hello_gets_a_reason(relay: RunningRelay, version: int, reason: str) -> None:
    async with relay.socket() as peer:
        await peer.send(Hello(version, "no-such-token", {}))
        assert await peer.receive() == Goodbye(reason, session_over=reason == EXPIRED)


@pytest.mark.parametrize("cursor", [-1, 5, 2**63, 2**64 - 1])
async def test_a_strange_cursor_harms_nobody(relay: RunningRelay, cursor: int) -> None:
    async with relay.peer(ASKER, {ASKER.account: cursor}) as strange, relay.peer(ASKER) as asker:
        await strange.send(Submit(request(ASKER, EXPERT, fresh_id())))
        assert [d.position for d in await asker.deliveries(1)] == [1]


async def test_saying_hello_twice_or_submitting_first_is_refused(relay: RunningRelay) -> None:
    async with relay.socket() as peer:
        assert await peer.submit(request(ASKER, EXPERT, fresh_id())) == Goodbye("Hello attendu")
    async with relay.peer(ASKER) as peer:
        await peer.send(Hello(PROTOCOL_VERSION, "x", {}))
        assert await peer.receive() == Goodbye("trame inattendue")


async def test_who_says_nothing_is_sent_away(relay: RunningRelay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "HELLO_TIMEOUT_S", 0.01)
    async with relay.socket() as peer:
        assert await peer.receive() == Goodbye("Hello attendu")


async def test_a_browsers_page_may_not_connect(relay: RunningRelay) -> None:
    with pytest.raises(Exception, match="403"):
        async with relay.socket(origin="https://example.org"):
            pass


async def test_tls_below_1_3_is_refused(relay: RunningRelay) -> None:
    context = ssl.create_default_context(cafile=relay.data / "tls" / "ca.pem")
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    host, port = relay.address.removeprefix("https://").split(":")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await asyncio.open_connection(host, int(port), ssl=context)


async def test_the_same_bytes_are_acknowledged_again_and_other_bytes_are_not(relay: RunningRelay) -> None:
    event_id, conversation = fresh_id(), fresh_id()
    envelope = ASKER.envelope(EventKind.REQUEST_SENT, conversation, parties(ASKER, EXPERT), event_id=event_id)
    other = ASKER.envelope(EventKind.REQUEST_SENT, conversation, parties(ASKER, EXPERT), event_id=event_id, body=b"o")
    async with relay.peer(ASKER) as asker:
        first = await asker.submit(envelope)
        assert await asker.submit(envelope) == first
        assert await asker.submit(other) == Refused(event_id, RefusalCode.EVENT_ID_REUSED)  # type: ignore[arg-type]
    async with relay.peer(EXPERT) as expert:
        assert await expert.deliveries(1)
        await expert.send(Submit(EXPERT.envelope(EventKind.SEEN, conversation, parties(ASKER, EXPERT))))
        assert [d.position for d in await expert.deliveries(1)] == [2]


async def test_a_refusal_names_the_event_and_the_connection_goes_on(relay: RunningRelay) -> None:
    async with relay.peer(ASKER) as asker:
        stray = ASKER.envelope(EventKind.MESSAGE_SENT, fresh_id(), parties(ASKER, EXPERT))
        refused = await asker.submit(stray)
        assert isinstance(refused, Refused)
        assert refused.code is RefusalCode.NOT_A_PARTY
        assert isinstance(await asker.submit(request(ASKER, EXPERT, fresh_id())), Deliver)


async def test_an_event_waits_for_its_blobs(relay: RunningRelay) -> None:
    data = b"sealed photo"
    envelope = ASKER.envelope(EventKind.REQUEST_SENT, fresh_id(), parties(ASKER, EXPERT), blobs=(blob_id(data),))
    token = (await relay.login(ASKER)).token
    async with relay.peer(ASKER, token=token) as asker:
        refused = await asker.submit(envelope)
        assert isinstance(refused, Refused)
        assert refused.code is RefusalCode.BLOB_MISSING
        headers = {"Authorization": f"Bearer {token}"}
        await relay.http.put(f"/v1/blobs/{blob_id(data)}", content=data, headers=headers)
        assert isinstance(await asker.submit(envelope), Deliver)


async def test_catching_up_has_no_gap_and_no_duplicate_while_others_write(
    relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small pages, many events in flight, and a reader that leaves and returns with its cursor."""
    monkeypatch.setattr(relay_module, "PAGE_BYTES", 2_000)
    conversation, total = fresh_id(), 300
    token = (await relay.login(EXPERT)).token
    received: list[int] = []
    async with relay.peer(ASKER) as asker:
        await asker.submit(request(ASKER, EXPERT, conversation))

        async def write() -> None:
            for _ in range(total - 1):
                message = ASKER.envelope(EventKind.MESSAGE_SENT, conversation, parties(ASKER, EXPERT))
                await asker.send(Submit(message))
            assert [d.position for d in await asker.deliveries(total - 1)] == list(range(2, total + 1))

        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            while len(received) < total:
                async with relay.peer(EXPERT, {EXPERT.account: len(received)}, token=token) as expert:
                    wanted = min(17 + len(received) // 2, total - len(received))
                    received += [d.position for d in await expert.deliveries(wanted)]
    assert received == list(range(1, total + 1))


async def test_several_desks_of_a_service_hear_the_same_in_the_same_order(relay: RunningRelay) -> None:
    await relay.enrol(SECOND)
    await relay.grant(EXPERT.account, SECOND, "lire", "repondre")
    conversation = fresh_id()
    cursors = {SECOND.account: 0, EXPERT.account: 0}
    async with relay.peer(ASKER) as asker, relay.peer(EXPERT) as expert, relay.peer(SECOND, cursors) as second:
        await asker.submit(request(ASKER, EXPERT, conversation))
        answer = SECOND.envelope(EventKind.ANSWERED, conversation, parties(ASKER, EXPERT), sender=EXPERT.account)
        await second.deliveries(1)
        await second.send(Submit(answer))
        assert await second.deliveries(1) == (await expert.deliveries(2))[1:]


async def test_of_two_who_finalise_at_once_exactly_one_wins(relay: RunningRelay) -> None:
    await relay.enrol(SECOND)
    await relay.grant(EXPERT.account, SECOND, "lire", "repondre", "finaliser")
    conversations = [fresh_id() for _ in range(20)]
    cursors = {EXPERT.account: 0}
    async with relay.peer(ASKER) as asker:
        for conversation in conversations:
            await asker.submit(request(ASKER, EXPERT, conversation))
    async with relay.peer(EXPERT) as one, relay.peer(SECOND, cursors) as two:
        await one.deliveries(20), await two.deliveries(20)
        for conversation in conversations:
            ends = [
                person.envelope(EventKind.FINALISED, conversation, parties(ASKER, EXPERT), sender=EXPERT.account)
                for person in (EXPERT, SECOND)
            ]
            await asyncio.gather(one.send(Submit(ends[0])), two.send(Submit(ends[1])))
        frames = [await _ends(20, one, EXPERT), await _ends(20, two, SECOND)]
    losses = [frame for side in frames for frame in side if isinstance(frame, Refused)]
    assert len(losses) == 20
    assert {loss.code for loss in losses} == {RefusalCode.NOT_PERMITTED}
    ends_heard = [[frame for frame in side if isinstance(frame, Deliver)] for side in frames]
    assert ends_heard[0] == ends_heard[1]


async def _ends(count: int, peer: Peer, author: Person) -> list[ServerFrame]:
    """Every end, and a refusal for each of them that is not this author's own."""
    frames: list[ServerFrame] = []
    others = 0
    while len(frames) < count + others or len(frames) < count:
        frames.append(await peer.receive())
        heard = [unverified_header(frame.envelope) for frame in frames if isinstance(frame, Deliver)]
        others = sum(header.author != author.account for header in heard)
    return frames


async def test_a_session_that_ends_closes_its_connections(relay: RunningRelay) -> None:
    token = (await relay.login(ASKER)).token
    async with relay.peer(ASKER, token=token) as ended, relay.peer(ASKER) as other:
        await relay.http.delete("/v1/auth/session", headers={"Authorization": f"Bearer {token}"})
        assert await ended.receive() == Goodbye(EXPIRED, session_over=True)
        assert isinstance(await other.submit(request(ASKER, EXPERT, fresh_id())), Deliver)


async def test_a_session_that_expires_submits_nothing_and_is_closed(relay: RunningRelay) -> None:
    async with relay.peer(ASKER) as peer, relay.peer(ASKER) as idle:
        relay.clock.forward(hours=13)
        assert await peer.submit(request(ASKER, EXPERT, fresh_id())) == Goodbye(EXPIRED, session_over=True)
        await relay.app.refresh()
        assert await idle.receive() == Goodbye(EXPIRED, session_over=True)
    assert await relay.app.store.read(lambda view: view.heads([ASKER.account])) == {ASKER.account: 0}


async def test_a_right_taken_away_stops_the_stream_at_once(relay: RunningRelay) -> None:
    await relay.enrol(SECOND)
    await relay.grant(EXPERT.account, SECOND, "lire")
    async with relay.peer(SECOND, {EXPERT.account: 0}) as second, relay.peer(ASKER) as asker:
        await relay.grant(EXPERT.account, SECOND)
        assert await second.receive() == Goodbye(RIGHTS_CHANGED)
        await asker.submit(request(ASKER, EXPERT, fresh_id()))
    async with relay.peer(SECOND, {EXPERT.account: 0}) as second:
        await second.send(Hello(PROTOCOL_VERSION, "x", {}))
        assert isinstance(await second.receive(), Goodbye), "nothing of the other's stream came first"


async def test_a_full_store_refuses_and_the_relay_stays_up(
    relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    envelope = request(ASKER, EXPERT, fresh_id())
    async with relay.peer(ASKER) as asker:
        with monkeypatch.context() as full:
            full.setattr(relay.app.store, "transact", _no_room)
            refused = await asker.submit(envelope)
            assert isinstance(refused, Refused)
            assert refused.code is RefusalCode.STORAGE_FULL
            assert (await relay.http.post("/v1/auth/challenge")).status_code == 507
        assert isinstance(await asker.submit(envelope), Deliver)


async def _no_room(work: object) -> object:
    raise StorageFull


async def test_a_reader_that_does_not_read_is_sent_away_with_a_reason(
    relay: RunningRelay, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without sockets, so that no kernel buffer takes what the reader does not."""
    monkeypatch.setattr(relay_module, "MAX_WAITING_BYTES", 20_000)
    monkeypatch.setattr(relay_module, "CLOSE_TIMEOUT_S", PATIENCE_S)
    conversation, token = fresh_id(), (await relay.login(EXPERT)).token
    lazy = await relay.app.open_local_connection(token)
    await lazy.send(encode_frame(Hello(PROTOCOL_VERSION, token, {EXPERT.account: 0})))
    await lazy.receive()
    async with relay.peer(ASKER) as asker:
        await asker.submit(request(ASKER, EXPERT, conversation))
        for _ in range(200):
            await asker.submit(ASKER.envelope(EventKind.MESSAGE_SENT, conversation, parties(ASKER, EXPERT)))
    frames = [decode_server_frame(await lazy.receive()) for _ in range(1)]
    while not isinstance(frames[-1], Goodbye):
        frames.append(decode_server_frame(await lazy.receive()))
    positions = [frame.position for frame in frames if isinstance(frame, Deliver)]
    assert frames[-1] == Goodbye(SLOW)
    assert positions == list(range(1, len(positions) + 1))
    assert len(positions) < 200
    async with relay.peer(EXPERT, {EXPERT.account: positions[-1]}) as back:
        assert [d.position for d in await back.deliveries(201 - len(positions))][-1] == 201


async def test_the_same_pump_without_sockets(relay: RunningRelay) -> None:
    token = (await relay.login(ASKER)).token
    local = await relay.app.open_local_connection(token)
    await local.send(encode_frame(Hello(PROTOCOL_VERSION, token, {ASKER.account: 0})))
    assert isinstance(decode_server_frame(await local.receive()), Welcome)
    await local.send(encode_frame(Submit(request(ASKER, EXPERT, fresh_id()))))
    assert isinstance(decode_server_frame(await local.receive()), Deliver)
    await local.close()
    with pytest.raises(ConnectionError):
        await local.receive()
    with pytest.raises(RequestRefused):
        await relay.app.open_local_connection("no-such-token")


async def test_a_relay_that_stops_says_goodbye(tmp_path: Path) -> None:
    async with running_relay(tmp_path) as relay:
        await relay.enrol(ASKER)
        async with relay.peer(ASKER) as peer:
            relay.app.relay.close_all()
            assert await peer.receive() == Goodbye(CLOSING)
