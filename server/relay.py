"""The pump between bytes and the service: one connection per session, many streams on each, one hub for all.

Rule 1: what is delivered was committed. The hub hears of events in commit order, the database is the queue.
Rule 2: a stream is live (each event follows the last one sent) or behind (the writer reads pages from the store).
        Behind, live events only move the head; a page that reaches the head makes the stream live again. So there is
        no gap and no duplicate, whatever happens meanwhile.
Rule 3: everything is bounded: frames in flight per connection, bytes waiting for a slow reader, time to say Hello.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Protocol

from domain.identifiers import AccountId, EventId
from protocol.codec import decode_client_frame, encode_frame
from protocol.errors import ProtocolError, RemoteProtocolError
from protocol.frames import Deliver, Goodbye, Hello, RefusalCode, Refused, Submit, Welcome
from protocol.limits import HELLO_TIMEOUT_S
from protocol.version import PROTOCOL_VERSION
from server.authentication import live_session, principal_of
from server.errors import RequestRefused, StorageFull
from server.ports import Clock, SessionRecord, Store, View
from server.service import READ, Accepted, Principal, RelayService
from server.times import iso, seconds

MAX_IN_FLIGHT = 64
"""Frames of one connection that wait for their commit; then reading pauses and TCP holds the client back."""
MAX_WAITING_BYTES = 1024 * 1024
"""Live events that wait for a slow reader; then it is sent away, and catches up when it comes back."""
CLOSE_TIMEOUT_S = 2.0
"""How long a goodbye may take: a peer that reads nothing is cut off without it."""
PAGE_BYTES = 256 * 1024
"""How much catching up is read from the store at once."""

_LAST_POSITION = 2**62
"""No stream is so long; a cursor beyond it is cut to what a store can compare."""

SLOW = "lecture trop lente"
EXPIRED = "session expirée ou fermée"
RIGHTS_CHANGED = "droits modifiés"
CLOSING = "arrêt du relais"
_NO_HELLO = "Hello attendu"
_INTERNAL = "erreur interne du relais"

_log = logging.getLogger("server.relay")


class Transport(Protocol):
    """Whole frames, both ways: a websocket, or a pair of queues in one process."""

    async def receive(self) -> bytes | None:
        """The next frame, or None once the peer is gone."""

    async def send(self, data: bytes) -> None:
        """Send a frame; waits while the peer's buffers are full. Raises ConnectionError once it is gone."""

    async def close(self, reason: str) -> None:
        """Close; again is harmless."""


@dataclass(slots=True)
class _Stream:
    """Where one followed stream stands on one connection."""

    sent: int
    """Last position handed to the peer."""
    head: int = 0
    """Last position known to be committed."""
    behind: bool = True


@dataclass(frozen=True, slots=True)
class _Opened:
    """What a connection learns from the store when it says Hello."""

    session: SessionRecord
    principal: Principal

    @property
    def readable(self) -> tuple[AccountId, ...]:
        """The streams it may follow."""
        return tuple(account for account, rights in self.principal.rights.items() if READ in rights)


class Relay:
    """All connections, and what every one of them needs."""

    def __init__(self, *, store: Store, service: RelayService, clock: Clock) -> None:
        self.store = store
        self.service = service
        self.clock = clock
        self._followers: dict[AccountId, set[Connection]] = {}
        self._connections: set[Connection] = set()
        self._generation = -1
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    async def serve(self, transport: Transport) -> None:
        """Speak with one peer until either side ends it. Never raises for what a peer did."""
        connection = Connection(self, transport)
        self._connections.add(connection)
        self._is_empty.clear()
        try:
            await connection.run()
        finally:
            self._connections.discard(connection)
            if not self._connections:
                self._is_empty.set()
            for account in connection.followed:
                self._unfollow(connection, account)

    def follow(self, connection: Connection, account: AccountId) -> None:
        """From now on `connection` hears of what is committed to this stream."""
        self._followers.setdefault(account, set()).add(connection)

    def _unfollow(self, connection: Connection, account: AccountId) -> None:
        followers = self._followers.get(account, set())
        followers.discard(connection)
        if not followers:
            self._followers.pop(account, None)

    def publish(self, deliveries: tuple[Deliver, ...]) -> None:
        """Hand committed events to whoever follows their streams."""
        for deliver in deliveries:
            followers = self._followers.get(deliver.account)
            if followers:
                data = encode_frame(deliver)
                for connection in tuple(followers):
                    connection.offer(deliver, data)

    def end_session(self, token_hash: bytes) -> None:
        """Close the connections of a session that was ended."""
        for connection in tuple(self._connections):
            if connection.token_hash == token_hash:
                connection.say_goodbye(EXPIRED)

    def close_all(self) -> None:
        """Tell every peer that the relay stops."""
        for connection in tuple(self._connections):
            connection.say_goodbye(CLOSING)

    async def emptied(self) -> None:
        """Wait until the last peer is gone; each has CLOSE_TIMEOUT_S twice at most once told to go."""
        await self._is_empty.wait()

    async def sweep(self) -> bool:
        """Close sessions that expired, reread rights when they may have changed; called every second.

        Returns:
            Whether directory, memberships or preferences changed since the last sweep.
        """
        now = self.clock.now()
        for connection in tuple(self._connections):
            connection.close_if_expired(now)
        generation = await self.store.read(lambda view: view.generation())
        if generation == self._generation:
            return False
        self._generation = generation
        for connection in tuple(self._connections):
            await connection.reread_rights()
        return True


class Connection:
    """One peer: reads frames in one task, writes in another, decides nothing itself."""

    def __init__(self, relay: Relay, transport: Transport) -> None:
        self._relay = relay
        self._transport = transport
        self._opened: _Opened | None = None
        self._streams: dict[AccountId, _Stream] = {}
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._wake = asyncio.Event()
        self._goodbye: str | None = None
        self._in_flight = 0
        self._room = asyncio.Event()
        self._writer: asyncio.Task[None] | None = None

    @property
    def followed(self) -> tuple[AccountId, ...]:
        """The streams it listens to."""
        return tuple(self._streams)

    @property
    def token_hash(self) -> bytes:
        """Whose session it is; empty before Hello."""
        return self._opened.session.token_hash if self._opened else b""

    async def run(self) -> None:
        """Greet, then pump until the end."""
        try:
            await self._greet()
        except (RequestRefused, ProtocolError, TimeoutError) as error:
            self.say_goodbye(_reason(error))
        except ConnectionError:
            return
        try:
            async with asyncio.TaskGroup() as group:
                reader = group.create_task(self._read(), name="relay-reader")
                self._writer = group.create_task(self._write(), name="relay-writer")
                reader.add_done_callback(lambda _: self._stop_writing())
                self._writer.add_done_callback(lambda _: reader.cancel())
        except* ConnectionError:
            pass
        except* Exception:  # noqa: BLE001 - one peer's end is logged and harms no other
            _log.exception("connection_died")
        with suppress(ConnectionError, TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await self._transport.close(self._goodbye or "")

    def _stop_writing(self) -> None:
        if self._writer is not None:
            self._writer.cancel()

    # Greeting

    async def _greet(self) -> None:
        async with asyncio.timeout(HELLO_TIMEOUT_S):
            data = await self._transport.receive()
        if data is None:
            raise ConnectionError
        hello = decode_client_frame(data)
        if not isinstance(hello, Hello):
            raise RemoteProtocolError(_NO_HELLO)
        if hello.version != PROTOCOL_VERSION:
            raise RemoteProtocolError(f"ce relais parle la version {PROTOCOL_VERSION} du protocole")
        await self._open(hello)

    async def _open(self, hello: Hello) -> None:
        now = self._relay.clock.now()
        self._opened = opened = await self._relay.store.read(partial(_opened, token=hello.token, now=now))
        for account in hello.cursors.keys() & set(opened.readable):
            self._streams[account] = _Stream(sent=min(max(0, hello.cursors[account]), _LAST_POSITION))
            self._relay.follow(self, account)
        # Read after `follow`: what is committed in between is offered, so no event falls between the two.
        heads = await self._relay.store.read(lambda view: view.heads(opened.readable))
        for account, stream in self._streams.items():
            stream.head = max(stream.head, heads[account])
        self._enqueue(encode_frame(Welcome(iso(now), heads)))

    # Reading

    async def _read(self) -> None:
        while self._goodbye is None and (data := await self._transport.receive()) is not None:
            try:
                self._take(data)
            except ProtocolError as error:
                self.say_goodbye(_reason(error))
            while self._in_flight >= MAX_IN_FLIGHT:
                self._room.clear()
                await self._room.wait()
        await self._drained()

    async def _drained(self) -> None:
        """A goodbye is the writer's to say; a peer that left needs none."""
        if self._goodbye is not None:
            await asyncio.Event().wait()

    def _take(self, data: bytes) -> None:
        frame = decode_client_frame(data)
        if not isinstance(frame, Submit) or self._opened is None:
            raise RemoteProtocolError("trame inattendue")
        now = self._relay.clock.now()
        if self.close_if_expired(now):
            return
        verdict = self._relay.service.admit(frame, self._opened.principal)
        if isinstance(verdict, Refused):
            self._refuse(verdict)
            return
        self._in_flight += 1
        work = partial(self._relay.service.record, event=verdict, received_at=iso(now))
        future = asyncio.ensure_future(self._relay.store.transact(work))
        future.add_done_callback(partial(self._recorded, verdict.header.event_id))

    def _recorded(self, event_id: EventId, future: asyncio.Future[Accepted | Refused]) -> None:
        self._in_flight -= 1
        self._room.set()
        try:
            verdict = future.result()
        except StorageFull:
            verdict = Refused(event_id, RefusalCode.STORAGE_FULL)
        except Exception:  # noqa: BLE001 - unforeseen: this peer is told, the others go on
            _log.exception("record_failed", extra={"fields": {"event_id": event_id}})
            self.say_goodbye(_INTERNAL)
            return
        if isinstance(verdict, Refused):
            self._refuse(verdict)
        elif verdict.is_new:
            self._relay.publish(verdict.deliveries)
        else:
            self._repeat(verdict.deliveries)

    def _refuse(self, refused: Refused) -> None:
        _log.info("refused", extra={"fields": {"event_id": refused.event_id, "code": refused.code.value}})
        self._enqueue(encode_frame(refused))

    def _repeat(self, deliveries: tuple[Deliver, ...]) -> None:
        """Deliver again what this connection follows and already passed; what lies ahead comes in its turn."""
        for deliver in deliveries:
            stream = self._streams.get(deliver.account)
            if stream is not None and deliver.position <= stream.sent:
                self._enqueue(encode_frame(deliver))

    # Writing

    def offer(self, deliver: Deliver, data: bytes) -> None:
        """Take a committed event if it follows the last one sent; otherwise the writer will read it."""
        stream = self._streams.get(deliver.account)
        if stream is None:
            return
        stream.head = max(stream.head, deliver.position)
        if stream.behind or deliver.position <= stream.sent:
            return
        if deliver.position != stream.sent + 1:
            stream.behind = True
            self._wake.set()
            return
        stream.sent = deliver.position
        self._enqueue(data)

    def _enqueue(self, data: bytes) -> None:
        if self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
            self.say_goodbye(SLOW)
            return
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        self._wake.set()

    def say_goodbye(self, reason: str) -> None:
        """End the connection with a reason, before anything else that waits. The first reason stays."""
        if self._goodbye is None:
            self._goodbye = reason
            self._wake.set()
            self._room.set()
            asyncio.get_running_loop().call_later(CLOSE_TIMEOUT_S, self._stop_writing)

    async def _write(self) -> None:
        while self._goodbye is None:
            await self._wake.wait()
            self._wake.clear()
            await self._flush()
            await self._catch_up()
        _log.info("goodbye", extra={"fields": {"reason": self._goodbye}})
        await self._transport.send(encode_frame(Goodbye(self._goodbye, session_over=self._goodbye == EXPIRED)))

    async def _flush(self) -> None:
        while self._waiting and self._goodbye is None:
            data = self._waiting.popleft()
            self._waiting_bytes -= len(data)
            await self._transport.send(data)

    async def _catch_up(self) -> None:
        for account, stream in tuple(self._streams.items()):
            while stream.behind and self._goodbye is None:
                await self._send_page(account, stream)
                await self._flush()

    async def _send_page(self, account: AccountId, stream: _Stream) -> None:
        after = stream.sent
        page = await self._relay.store.read(lambda view: view.page(account, after=after, limit_bytes=PAGE_BYTES))
        for deliver in page:
            await self._transport.send(encode_frame(deliver))
            stream.sent = deliver.position
        # No await between here and the last send: what is committed later is offered, and follows.
        stream.behind = stream.sent < stream.head

    # Rights

    def close_if_expired(self, now: datetime) -> bool:
        """Say goodbye when the session is over."""
        if self._opened is None or seconds(now) < self._opened.session.expires_at_s:
            return False
        self.say_goodbye(EXPIRED)
        return True

    async def reread_rights(self) -> None:
        """Send the peer away when its rights changed: it comes back with what remains."""
        if self._opened is None:
            return
        account = self._opened.principal.account
        principal = await self._relay.store.read(lambda view: principal_of(view, account))
        if principal.rights != self._opened.principal.rights:
            self.say_goodbye(RIGHTS_CHANGED)


def _opened(view: View, *, token: str, now: datetime) -> _Opened:
    session = live_session(view, token, now)
    return _Opened(session, principal_of(view, session.account))


def _reason(error: Exception) -> str:
    """What the peer may read; never its own bytes."""
    match error:
        case RemoteProtocolError():
            return error.reason
        case RequestRefused():
            return EXPIRED
        case TimeoutError():
            return _NO_HELLO
    return _INTERNAL
