"""A relay on loopback with real TLS, a clock to set, and clients that speak to it: httpx and websockets."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import msgspec
from websockets.asyncio.client import ClientConnection, connect

from domain.identifiers import AccountId
from domain.status import EventKind
from protocol.codec import decode_server_frame, encode_frame
from protocol.envelope import Envelope
from protocol.frames import Deliver, Frame, Hello, ServerFrame, Submit, Welcome
from protocol.limits import MAX_FRAME_BYTES
from protocol.resources import Challenge, DirectoryEntry, LoginRequest, Session
from protocol.version import PROTOCOL_VERSION
from server.bootstrap import RelayApp, build, tls_context
from server.loading import Line, load
from server.main import RelayServer, listen
from server.ports import Clock, Membership
from server.settings import Settings
from tests.server.people import Person, root

PATIENCE_S = 20
"""Nothing here is timed: a test that waits so long has failed."""


@dataclass(slots=True)
class SetClock:
    """A clock that stands still until told otherwise."""

    instant: datetime = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        """The instant it was set to."""
        return self.instant

    def forward(self, **delta: float) -> None:
        """Move on, e.g. `hours=13`."""
        self.instant += timedelta(**delta)


@dataclass(slots=True)
class Peer:
    """A websocket that speaks frames."""

    socket: ClientConnection

    async def send(self, frame: Frame) -> None:
        """Send one frame."""
        await self.socket.send(encode_frame(frame))

    async def receive(self) -> ServerFrame:
        """The next frame."""
        data = await asyncio.wait_for(self.socket.recv(), PATIENCE_S)
        assert isinstance(data, bytes)
        return decode_server_frame(data)

    async def submit(self, envelope: Envelope) -> ServerFrame:
        """Hand in an envelope and return the next frame."""
        await self.send(Submit(envelope))
        return await self.receive()

    async def deliveries(self, count: int) -> list[Deliver]:
        """The next `count` frames, all deliveries."""
        frames = [await self.receive() for _ in range(count)]
        assert all(isinstance(frame, Deliver) for frame in frames), frames
        return [frame for frame in frames if isinstance(frame, Deliver)]

    async def is_closed(self) -> bool:
        """Wait for the relay to hang up."""
        await asyncio.wait_for(self.socket.wait_closed(), PATIENCE_S)
        return True


@dataclass(slots=True)
class Clients:
    """How to reach a relay, wherever it runs."""

    clock: Clock
    address: str
    trust: ssl.SSLContext
    http: httpx.AsyncClient

    async def challenge(self) -> Challenge:
        """Ask for a nonce."""
        return msgspec.json.decode((await self.http.post("/v1/auth/challenge")).content, type=Challenge)

    async def answer(self, request: LoginRequest) -> httpx.Response:
        """Try to log in."""
        return await self.http.post("/v1/auth/session", content=msgspec.json.encode(request))

    async def login(self, person: Person) -> Session:
        """Log in."""
        answer = await self.answer(person.login(await self.challenge(), at=self.clock.now()))
        assert answer.status_code == 201, answer.text
        return msgspec.json.decode(answer.content, type=Session)

    async def enrol(self, *people: Person) -> None:
        """Make accounts one can ask: each logs in once."""
        for person in people:
            await self.login(person)

    @asynccontextmanager
    async def socket(self, **options: object) -> AsyncIterator[Peer]:
        """Open the stream without a word."""
        url = self.address.replace("https", "wss") + "/v1/stream"
        # No bound on what waits unread: a full queue would hide the relay's answer to our closing for ten seconds.
        limits = {"compression": None, "max_size": MAX_FRAME_BYTES, "max_queue": None, **options}
        async with connect(url, ssl=self.trust, **limits) as socket:  # type: ignore[arg-type]
            yield Peer(socket)

    @asynccontextmanager
    async def peer(
        self, person: Person, cursors: Mapping[AccountId, int] | None = None, *, token: str = ""
    ) -> AsyncIterator[Peer]:
        """Open the stream and say Hello; the Welcome is already received."""
        token = token or (await self.login(person)).token
        followed = dict(cursors or {person.account: 0})
        async with self.socket() as peer:
            await peer.send(Hello(PROTOCOL_VERSION, token, followed))
            assert isinstance(await peer.receive(), Welcome)
            yield peer


@dataclass(slots=True)
class RunningRelay(Clients):
    """A relay in this process."""

    clock: SetClock
    app: RelayApp
    data: Path

    async def grant(self, account: str, person: Person, *rights: str) -> None:
        """Give a person rights on an account and let the relay notice; no rights takes all away."""
        members = [Membership(AccountId(account), person.account, rights)] if rights else []
        await self.app.store.transact(lambda ledger: ledger.put_memberships(AccountId(account), members))
        await self.app.refresh()

    async def publish(self, *entries: DirectoryEntry) -> None:
        """Put entries into the directory and index them."""
        await self.app.store.transact(lambda ledger: load(ledger, [Line(entry) for entry in entries]))
        await self.app.refresh()


@asynccontextmanager
async def running_relay(data: Path) -> AsyncIterator[RunningRelay]:
    """Run a relay in this loop until the block ends."""
    clock = SetClock()
    listener = listen("127.0.0.1", 0)
    address = f"https://127.0.0.1:{listener.getsockname()[1]}"
    settings = Settings(data=data, roots=(root(),), audience=address)
    app = build(settings, clock=clock)
    ready = asyncio.Event()
    server = RelayServer(app, tls_context(settings, host="127.0.0.1"), on_ready=ready.set)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(server.serve(sockets=[listener]), name="relay-server")
        await asyncio.wait_for(ready.wait(), PATIENCE_S)
        await app.refresh()
        trust = ssl.create_default_context(cafile=data / "tls" / "ca.pem")
        async with httpx.AsyncClient(base_url=address, verify=trust) as http:
            try:
                yield RunningRelay(clock, address, trust, http, app, data)
            finally:
                server.should_exit = True
        await asyncio.wait_for(task, PATIENCE_S)


def parties(asker: Person, expert: Person) -> tuple[str, str]:
    """The recipients of an event between two persons."""
    return asker.account, expert.account


def request(asker: Person, expert: Person, conversation: str) -> Envelope:
    """The first event of a conversation."""
    return asker.envelope(EventKind.REQUEST_SENT, conversation, parties(asker, expert))
