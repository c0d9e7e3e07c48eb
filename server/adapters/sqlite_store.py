"""The relay's store on SQLite: WAL, synchronous=FULL, one writer thread that commits in groups.

Whatever waits when the writer is free becomes one transaction; each piece of work in it has its own savepoint, so
that one that raises leaves no trace and harms no other. Callers hear of the result after the commit, in its order.
"""

from __future__ import annotations

import asyncio
import queue
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import apsw
import msgspec

from domain.identifiers import AccountId, BlobId, ConversationId, DeviceId, EventId
from domain.status import Status
from protocol.envelope import Envelope, Header
from protocol.frames import Deliver
from protocol.resources import DirectoryEntry, EnrolledDevice, ExpertPreferences, KeyDocument, ServiceKey
from server.adapters.migrations import MIGRATIONS
from server.audit import GENESIS, chain
from server.errors import SchemaTooNew, StorageFull
from server.ports import AuditEntry, Conversation, Ledger, Membership, SessionRecord, StoredEvent, View

T = TypeVar("T")

MIN_SQLITE = (3, 51, 3)
"""Older versions may corrupt a WAL under concurrent checkpoints (reliability.md 0.5)."""
MAX_BATCH = 256
"""Pieces of work in one transaction: bounds how long the first waits for the last."""
READERS = 2

_encode = msgspec.msgpack.Encoder().encode
_devices = msgspec.msgpack.Decoder(EnrolledDevice)
_services = msgspec.msgpack.Decoder(ServiceKey)
_entries = msgspec.msgpack.Decoder(DirectoryEntry)
_preferences = msgspec.msgpack.Decoder(ExpertPreferences)


@dataclass(slots=True)
class _Item:
    """A piece of work, who waits for it, and how it ended."""

    work: Callable[[Ledger], Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None

    def settle(self) -> None:
        if self.future.done():
            return
        if self.error is not None:
            self.future.set_exception(self.error)
        else:
            self.future.set_result(self.result)


class SqliteStore:
    """A store in one file; open it with `SqliteStore(path)`, which migrates it."""

    def __init__(self, path: Path, *, max_pages: int = 0) -> None:
        """Open or create the database.

        Args:
            path: the database file; its directory exists.
            max_pages: upper bound of 4,096-byte pages, 0 for none (tests fill a small one).

        Raises:
            SchemaTooNew: a later version wrote it.
        """
        _require_sqlite(apsw.sqlite_lib_version())
        self._path = path
        self._connection = _open(path)
        _migrate(self._connection)
        if max_pages:
            self._connection.pragma("max_page_count", max_pages)
        self._ledger = SqliteLedger(self._connection)
        self._queue: queue.SimpleQueue[_Item | None] = queue.SimpleQueue()
        self._local = threading.local()
        self._opened: list[apsw.Connection] = []
        self._readers = ThreadPoolExecutor(READERS, thread_name_prefix="store-reader")
        self._writer = threading.Thread(target=self._write_forever, name="store-writer", daemon=True)
        self._writer.start()

    def transact(self, work: Callable[[Ledger], T]) -> Awaitable[T]:
        """See `server.ports.Store`."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._queue.put(_Item(work, future))
        return future

    def read(self, work: Callable[[View], T]) -> Awaitable[T]:
        """See `server.ports.Store`."""
        return asyncio.get_running_loop().run_in_executor(self._readers, self._read, work)

    def close(self) -> None:
        """Finish what was accepted, then close."""
        self._queue.put(None)
        self._writer.join()
        self._readers.shutdown()
        for connection in (*self._opened, self._connection):
            connection.close()

    def _read(self, work: Callable[[View], T]) -> T:
        view: SqliteView | None = getattr(self._local, "view", None)
        if view is None:
            connection = _open(self._path, readonly=True)
            self._opened.append(connection)
            view = self._local.view = SqliteView(connection)
        view.connection.execute("BEGIN")
        try:
            return work(view)
        finally:
            view.connection.execute("COMMIT")

    def _write_forever(self) -> None:
        while (first := self._queue.get()) is not None:
            batch, is_last = self._gather(first)
            self._commit(batch)
            _tell(batch)
            if is_last:
                return

    def _gather(self, first: _Item) -> tuple[list[_Item], bool]:
        """Take what waits behind `first`; say whether the end was among it."""
        batch = [first]
        while len(batch) < MAX_BATCH:
            try:
                item = self._queue.get_nowait()
            except queue.Empty:
                break
            if item is None:
                return batch, True
            batch.append(item)
        return batch, False

    def _commit(self, batch: list[_Item]) -> None:
        """Run a batch as one transaction; when the device fails, nobody of it is told that it was stored."""
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            for item in batch:
                self._run(item)
            self._connection.execute("COMMIT")
        except apsw.Error as error:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            failure = StorageFull() if isinstance(error, apsw.FullError | apsw.IOError) else error
            for item in batch:
                item.result, item.error = None, failure

    def _run(self, item: _Item) -> None:
        execute = self._connection.execute
        execute("SAVEPOINT work")
        try:
            item.result = item.work(self._ledger)
        except (apsw.FullError, apsw.IOError):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a work raises is its caller's, and only its caller's
            item.error = error
            execute("ROLLBACK TO work")
        execute("RELEASE work")


def _tell(batch: list[_Item]) -> None:
    """Wake the callers, once for each loop among them."""
    loops = {item.future.get_loop() for item in batch}
    for loop in loops:
        mine = [item for item in batch if item.future.get_loop() is loop]
        try:
            loop.call_soon_threadsafe(_settle, mine)
        except RuntimeError:
            # The loop is gone and its callers with it; what they asked for is stored all the same.
            continue


def _settle(batch: list[_Item]) -> None:
    for item in batch:
        item.settle()


def _require_sqlite(version: str) -> None:
    if tuple(int(part) for part in version.split(".")) < MIN_SQLITE:
        raise RuntimeError(f"SQLite {version} is older than {'.'.join(map(str, MIN_SQLITE))}")


def _open(path: Path, *, readonly: bool = False) -> apsw.Connection:
    flags = apsw.SQLITE_OPEN_READONLY if readonly else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    connection = apsw.Connection(str(path), flags=flags)
    connection.set_busy_timeout(5_000)
    connection.pragma("temp_store", "MEMORY")
    if not readonly:
        connection.pragma("journal_mode", "wal")
        connection.pragma("synchronous", "FULL")
        connection.pragma("foreign_keys", True)
        connection.pragma("cache_size", -16_000)
    return connection


def _migrate(connection: apsw.Connection) -> None:
    connection.execute("CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)")
    version = connection.execute("SELECT coalesce(max(version), 0) FROM schema_version").get
    if version > len(MIGRATIONS):
        raise SchemaTooNew(str(version))
    for step in range(version, len(MIGRATIONS)):
        with connection:
            connection.execute(MIGRATIONS[step])
            connection.execute("INSERT INTO schema_version VALUES (?)", (step + 1,))


class SqliteView:
    """Reads, on whatever transaction the connection is in."""

    def __init__(self, connection: apsw.Connection) -> None:
        self.connection = connection
        self._execute = connection.execute

    def event(self, event_id: EventId) -> StoredEvent | None:
        row = self._execute(
            "SELECT sequence, header, body, signature, received_at FROM events WHERE event_id = ?", (event_id,)
        ).fetchone()
        if row is None:
            return None
        envelope = Envelope(row[1], row[2], row[3])
        places = self._execute("SELECT account, position FROM streams WHERE event = ? ORDER BY account", (row[0],))
        return StoredEvent(envelope, tuple(Deliver(a, p, row[4], envelope) for a, p in places))

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        row = self._execute(
            "SELECT requerant, requis, status FROM conversations WHERE conversation = ?", (conversation,)
        ).fetchone()
        return None if row is None else Conversation(row[0], row[1], Status(row[2]))

    def heads(self, accounts: Sequence[AccountId]) -> dict[AccountId, int]:
        return {account: self._head(account) for account in accounts}

    def _head(self, account: AccountId) -> int:
        row = self._execute("SELECT max(position) FROM streams WHERE account = ?", (account,)).fetchone()
        return (row and row[0]) or 0

    def page(self, account: AccountId, *, after: int, limit_bytes: int) -> list[Deliver]:
        rows = self._execute(
            "SELECT s.position, e.received_at, e.header, e.body, e.signature FROM streams s"
            " JOIN events e ON e.sequence = s.event WHERE s.account = ? AND s.position > ? ORDER BY s.position",
            (account, after),
        )
        page: list[Deliver] = []
        for position, received_at, header, body, signature in rows:
            page.append(Deliver(account, position, received_at, Envelope(header, body, signature)))
            limit_bytes -= len(header) + len(body) + 200
            if limit_bytes <= 0:
                break
        return page

    def has_key(self, account: AccountId) -> bool:
        row = self._execute(
            "SELECT EXISTS(SELECT 1 FROM devices WHERE account = ?1)"
            " OR EXISTS(SELECT 1 FROM service_keys WHERE account = ?1)",
            (account,),
        ).fetchone()
        return bool(row and row[0])

    def key_document(self, account: AccountId) -> KeyDocument | None:
        rows = self._execute("SELECT document FROM devices WHERE account = ? ORDER BY rank", (account,))
        devices = tuple(_devices.decode(row[0]) for row in rows)
        row = self._execute("SELECT document FROM service_keys WHERE account = ?", (account,)).fetchone()
        service = _services.decode(row[0]) if row else None
        return KeyDocument(account, devices, service) if devices or service else None

    def device_keys(self, account: AccountId) -> dict[DeviceId, bytes]:
        rows = self._execute("SELECT device, public_key FROM devices WHERE account = ?", (account,))
        return {DeviceId(str(device)): key for device, key in rows if isinstance(key, bytes)}

    def session(self, token_hash: bytes) -> SessionRecord | None:
        row = self._execute(
            "SELECT token_hash, account, device, situation, expires_at_s FROM sessions WHERE token_hash = ?",
            (token_hash,),
        ).fetchone()
        return SessionRecord(*row) if row else None

    def memberships(self, person: AccountId) -> tuple[Membership, ...]:
        rows = self._execute(
            "SELECT account, rights, is_delegation FROM memberships WHERE person = ? ORDER BY account", (person,)
        )
        return tuple(Membership(a, person, tuple(r.split()), bool(d)) for a, r, d in rows)

    def entry(self, account: AccountId) -> DirectoryEntry | None:
        row = self._execute(_ENTRIES + " WHERE d.account = ?", (account,)).fetchone()
        return _entry(*row) if row else None

    def entries(self) -> Iterator[DirectoryEntry]:
        return (_entry(*row) for row in self._execute(_ENTRIES + " ORDER BY d.name, d.account"))

    def has_blob(self, blob: BlobId) -> bool:
        return self._execute("SELECT 1 FROM blobs WHERE blob = ?", (blob,)).fetchone() is not None

    def generation(self) -> int:
        row = self._execute("SELECT value FROM generation").fetchone()
        return row[0] if row else 0

    def audit_trail(self) -> Iterator[tuple[int, AuditEntry, bytes]]:
        rows = self._execute("SELECT sequence, at, actor, action, subject, hash FROM audit ORDER BY sequence")
        return ((row[0], AuditEntry(*row[1:5]), row[5]) for row in rows)


_ENTRIES = """
    SELECT d.entry, p.document,
        EXISTS(SELECT 1 FROM devices k WHERE k.account = d.account)
        OR EXISTS(SELECT 1 FROM service_keys s WHERE s.account = d.account)
    FROM directory d LEFT JOIN preferences p ON p.account = d.account"""


def _entry(data: bytes, preferences: bytes | None, has_key: int) -> DirectoryEntry:
    """The published entry: what a loader wrote, with today's preferences and key."""
    return msgspec.structs.replace(
        _entries.decode(data),
        preferences=_preferences.decode(preferences) if preferences else None,
        has_key=bool(has_key),
    )


class SqliteLedger(SqliteView):
    """Reads and writes, inside the writer's transaction."""

    def append(self, header: Header, envelope: Envelope, received_at: str) -> tuple[Deliver, ...]:
        self._execute(
            "INSERT INTO events (event_id, header, body, signature, received_at) VALUES (?, ?, ?, ?, ?)",
            (header.event_id, envelope.header, envelope.body, envelope.signature, received_at),
        )
        sequence = self.connection.last_insert_rowid()
        places = [(account, self._head(account) + 1) for account in sorted(header.recipients)]
        for account, position in places:
            self._execute("INSERT INTO streams VALUES (?, ?, ?)", (account, position, sequence))
        return tuple(Deliver(account, position, received_at, envelope) for account, position in places)

    def put_conversation(self, conversation: ConversationId, state: Conversation) -> None:
        self._execute(
            "INSERT OR REPLACE INTO conversations VALUES (?, ?, ?, ?)",
            (conversation, state.requerant, state.requis, state.status.value),
        )

    def add_device(self, account: AccountId, device: DeviceId, public_key: bytes, document: EnrolledDevice) -> None:
        self._execute(
            "INSERT INTO devices SELECT ?1, 1 + coalesce((SELECT max(rank) FROM devices WHERE account = ?1), 0),"
            " ?2, ?3, ?4 WHERE true ON CONFLICT (account, device) DO NOTHING",
            (account, device, public_key, _encode(document)),
        )

    def put_service_key(self, account: AccountId, key: ServiceKey) -> None:
        self._execute("INSERT OR REPLACE INTO service_keys VALUES (?, ?)", (account, _encode(key)))

    def add_challenge(self, nonce: str, expires_at_s: int) -> None:
        self._execute("INSERT INTO challenges VALUES (?, ?)", (nonce, expires_at_s))

    def take_challenge(self, nonce: str) -> int | None:
        rows = self._execute("DELETE FROM challenges WHERE nonce = ? RETURNING expires_at_s", (nonce,)).fetchall()
        return int(str(rows[0][0])) if rows else None

    def open_session(self, session: SessionRecord) -> None:
        self._execute(
            "INSERT INTO sessions VALUES (?, ?, ?, ?, ?)",
            (session.token_hash, session.account, session.device, session.situation, session.expires_at_s),
        )

    def end_session(self, token_hash: bytes) -> None:
        self._execute("DELETE FROM sessions WHERE token_hash = ?", (token_hash,))

    def forget_expired(self, now_s: int) -> None:
        self._execute("DELETE FROM challenges WHERE expires_at_s < ?", (now_s,))
        self._execute("DELETE FROM sessions WHERE expires_at_s < ?", (now_s,))

    def put_entry(self, entry: DirectoryEntry) -> None:
        bare = msgspec.structs.replace(entry, preferences=None, has_key=False)
        self._execute("INSERT OR REPLACE INTO directory VALUES (?, ?, ?)", (entry.account, entry.name, _encode(bare)))
        if entry.preferences is not None:
            document = _encode(entry.preferences)
            self._execute("INSERT OR IGNORE INTO preferences VALUES (?, ?)", (entry.account, document))
        self._changed()

    def put_memberships(self, account: AccountId, members: Sequence[Membership]) -> None:
        self._execute("DELETE FROM memberships WHERE account = ?", (account,))
        for member in members:
            self._execute(
                "INSERT OR REPLACE INTO memberships VALUES (?, ?, ?, ?)",
                (member.person, account, " ".join(member.rights), member.is_delegation),
            )
        self._changed()

    def put_preferences(self, account: AccountId, preferences: ExpertPreferences) -> None:
        self._execute("INSERT OR REPLACE INTO preferences VALUES (?, ?)", (account, _encode(preferences)))
        self._changed()

    def add_blob(self, blob: BlobId, size_bytes: int) -> None:
        self._execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (blob, size_bytes))

    def audit(self, entry: AuditEntry) -> None:
        row = self._execute("SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1").fetchone()
        sequence, previous = row or (0, GENESIS)
        self._execute(
            "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?)",
            (sequence + 1, entry.at, entry.actor, entry.action, entry.subject, chain(previous, entry)),
        )

    def _changed(self) -> None:
        self._execute("UPDATE generation SET value = value + 1")
