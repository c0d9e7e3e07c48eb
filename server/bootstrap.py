"""The composition root: the only importer of adapters. Settings in, a relay that can be run or spoken to out."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Iterable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from starlette.applications import Starlette

from crypto.identity import verify_login, verify_service_key
from crypto.signing import verify
from protocol.resources import DirectoryEntry
from server.adapters.disk_blobs import DiskBlobs
from server.adapters.memory_store import MemoryStore
from server.adapters.sqlite_store import SqliteStore
from server.adapters.system_world import SystemClock, random_bytes, spawn
from server.adapters.tantivy_directory import TantivyDirectory
from server.adapters.tls_files import server_context
from server.asgi import create_app
from server.audit import first_broken
from server.authentication import Authentication, VerifyLogin, live_session
from server.directory import Directory
from server.http import Http
from server.loading import load, parse
from server.local import LocalConnection
from server.ports import Clock, Store, View
from server.relay import Relay
from server.service import RelayService
from server.settings import Settings
from server.throttle import Throttle

SWEEP_EVERY_S = 1.0
"""How late a changed right or an expired session may be noticed."""

_log = logging.getLogger("server.bootstrap")


@dataclass(slots=True)
class RelayApp:
    """A whole relay: run `asgi` under a server, or speak to it in this process."""

    asgi: Starlette
    relay: Relay
    store: Store
    directory: Directory
    clock: Clock
    _sweeper: asyncio.Task[object] | None = None

    async def start(self) -> None:
        """Begin to sweep, and index the directory in the background; `readyz` tells when it is done."""
        self._sweeper = spawn(self._sweep_forever(), name="relay-sweeper")

    async def stop(self) -> None:
        """Say goodbye to every peer, then close the store."""
        self.relay.close_all()
        if self._sweeper is not None:
            self._sweeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._sweeper
        await self.relay.emptied()
        await asyncio.to_thread(self.store.close)

    async def open_local_connection(self, token: str) -> LocalConnection:
        """Connect without sockets; the client's end then speaks frames, Hello first, as on the websocket.

        Raises:
            RequestRefused: `unauthenticated`: the token opens no session now.
        """
        now = self.clock.now()
        await self.store.read(lambda view: live_session(view, token, now))
        connection = LocalConnection()
        spawn(self.relay.serve(connection.relay_end()), name="local-connection")
        return connection

    async def refresh(self) -> None:
        """Notice at once what changed in rights and directory, instead of at the next sweep."""
        if await self.relay.sweep() or not self.directory.is_ready:
            entries = await self.store.read(_all_entries)
            await asyncio.to_thread(self.directory.rebuild, entries)
            _log.info("directory_indexed", extra={"fields": {"entries": len(entries)}})

    async def _sweep_forever(self) -> None:
        while True:
            try:
                await self.refresh()
            except Exception:  # noqa: BLE001 - logged, and tried again in a second
                _log.exception("sweep_failed")
            await asyncio.sleep(SWEEP_EVERY_S)


def build(
    settings: Settings,
    *,
    clock: Clock | None = None,
    in_memory: bool = False,
    check_login: VerifyLogin = verify_login,
) -> RelayApp:
    """Put a relay together; call `start` on it inside a running loop.

    Args:
        settings: where and for whom.
        clock: tells the time; the machine's when None.
        in_memory: forget everything but blobs at the end.
        check_login: how a login is believed (tests may replace it).
    """
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    clock = clock or SystemClock()
    store: Store = MemoryStore() if in_memory else _open_store(settings.data)
    relay = Relay(store=store, service=RelayService(verify=verify), clock=clock)
    directory = Directory(TantivyDirectory())
    http = Http(
        store=store,
        clock=clock,
        authentication=Authentication(
            audience=settings.audience,
            roots=settings.roots,
            verify_login=check_login,
            random=random_bytes,
            session_life_s=settings.session_life_s,
        ),
        verify_service_key=verify_service_key,
        directory=directory,
        blobs=DiskBlobs(settings.data / "blobs"),
        relay=relay,
        throttle=Throttle(burst=settings.login_burst, per_second=settings.login_per_second),
    )
    return RelayApp(create_app(http, relay), relay, store, directory, clock)


def _all_entries(view: View) -> Sequence[DirectoryEntry]:
    return list(view.entries())


def tls_context(settings: Settings, *, host: str) -> ssl.SSLContext:
    """The TLS 1.3 context of a relay at `host`; `data/tls/ca.pem` is what its clients must trust.

    Its certificate also names the host of the audience: that is where clients go, whatever the relay listens on.
    """
    hosts = list(dict.fromkeys((*_host_of(settings.audience), host, "localhost", "127.0.0.1")))
    return server_context(settings.data / "tls", hosts=hosts, at=SystemClock().now())


def _host_of(address: str) -> tuple[str, ...]:
    """The host that an address names, in ASCII as X.509 wants it; nothing when it names none. Raises ValueError."""
    host = urlsplit(address).hostname
    return (host if host.isascii() else host.encode("idna").decode("ascii"),) if host else ()


async def load_directory(data: Path, lines: Iterable[bytes]) -> int:
    """Write a directory's JSON lines into a relay's database, running or not; return how many.

    Raises:
        BadLine: one of them is no entry; nothing was written.
    """
    with closing(_open_store(data)) as store:
        return await store.transact(lambda ledger: load(ledger, parse(lines)))


async def audit_is_whole(data: Path) -> int | None:
    """The first broken line of a relay's audit, or None."""
    with closing(_open_store(data)) as store:
        return await store.read(lambda view: first_broken(view.audit_trail()))


def _open_store(data: Path) -> SqliteStore:
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    return SqliteStore(data / "relay.sqlite3")
