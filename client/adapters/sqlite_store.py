"""The client's memory: one SQLite file, encrypted page by page, one transaction a step, synced before it is believed.

Only one thread uses an instance. WAL with synchronous=FULL: an acknowledged write survives a power cut (R4).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import apsw
import msgspec

from client.effects import (
    DropDraft,
    DropPending,
    PutAccounts,
    PutComposer,
    PutCursor,
    PutDraft,
    PutEntry,
    PutFact,
    PutKeys,
    PutPending,
    PutQuarantine,
    PutSetting,
    PutSummary,
    Write,
)
from client.errors import StoreError
from client.i18n import _
from client.model import CaseSummary, PendingAct, Snapshot, StoredDraft, TrustedKeys
from domain.events import Recorded
from domain.identifiers import AccountId, ConversationId, EventId
from domain.status import EventKind
from protocol.payload import decode_event
from protocol.resources import ActingAccount, DirectoryEntry

T = TypeVar("T")

SCHEMA_VERSION = 1
OLDEST_SQLITE = (3, 51, 3)
"""Older ones can corrupt a WAL (reliability.md 0.5)."""

_SCHEMA = """
CREATE TABLE facts (
  event_id TEXT PRIMARY KEY, stream TEXT NOT NULL, position INTEGER NOT NULL, conversation TEXT NOT NULL,
  kind TEXT NOT NULL, letter BLOB NOT NULL, received_at TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX facts_of_case ON facts (conversation, position);
CREATE TABLE cursors (stream TEXT PRIMARY KEY, position INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE pending (seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT UNIQUE NOT NULL, value BLOB NOT NULL);
CREATE TABLE items (kind TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, PRIMARY KEY (kind, key)) WITHOUT ROWID;
CREATE TABLE quarantine (stream TEXT NOT NULL, position INTEGER NOT NULL, reason TEXT NOT NULL, frame BLOB NOT NULL);
"""

_encode = msgspec.msgpack.Encoder().encode


class SqliteStore:
    """A sealed local database; see `client.ports.Store`."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Open or create.

        Args:
            path: the file; its directory is made 0700.
            key: 32 bytes, raw.

        Raises:
            StoreError: another key made this file, it is damaged, or it comes from a later version.
        """
        version = tuple(int(part) for part in apsw.sqlite_lib_version().split("."))
        if version < OLDEST_SQLITE:
            raise StoreError(_("SQLite {version} est trop ancien.").format(version=apsw.sqlite_lib_version()))
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            self._db = apsw.Connection(str(path))
            self._db.pragma("key", f"raw:{key.hex()}")  # 32 random bytes already: nothing to derive
            self._db.set_busy_timeout(5000)
            self._prepare()
        except apsw.Error as error:
            raise StoreError(
                _("La base locale {path} ne s'ouvre pas ({error}).").format(path=path, error=error)
            ) from error
        path.chmod(0o600)

    def _prepare(self) -> None:
        self._db.pragma("journal_mode", "wal")
        self._db.pragma("synchronous", "full")
        self._db.pragma("temp_store", "memory")
        version = self._db.pragma("user_version")
        if version > SCHEMA_VERSION:
            raise StoreError(_("La base locale vient d'une version plus récente d'Avicenne : mettez ce poste à jour."))
        if version == 0:
            with self._db:
                self._db.execute(_SCHEMA)
                self._db.pragma("user_version", SCHEMA_VERSION)

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    # --- reading --------------------------------------------------------------------------------------------

    def load(self) -> Snapshot:
        """Everything the machine keeps in memory."""
        accounts = self._items("accounts", tuple[ActingAccount, ...])
        return Snapshot(
            cursors={AccountId(stream): position for stream, position in self._db.execute("SELECT * FROM cursors")},
            summaries=tuple(self._items("summary", CaseSummary).values()),
            pending=self._pending(),
            keys=tuple(self._items("keys", TrustedKeys).values()),
            entries=tuple(self._items("entry", DirectoryEntry).values()),
            drafts=tuple(self._items("draft", StoredDraft).values()),
            composers=self._items("composer", str),
            accounts=next(iter(accounts.values()), ()),
            settings=self._items("setting", str),
            delivered=frozenset(EventId(event) for (event,) in self._db.execute("SELECT event_id FROM facts")),
        )

    def _items(self, kind: str, type_: type[T]) -> dict[str, T]:
        decode = msgspec.msgpack.Decoder(type_).decode
        rows = self._db.execute("SELECT key, value FROM items WHERE kind = ?", (kind,))
        return {key: decode(value) for key, value in rows}

    def _pending(self) -> tuple[PendingAct, ...]:
        decode = msgspec.msgpack.Decoder(PendingAct).decode
        return tuple(decode(value) for (value,) in self._db.execute("SELECT value FROM pending ORDER BY seq"))

    def case_events(self, case: str) -> list[Recorded]:
        """The delivered facts of a case, in stream order."""
        rows = self._db.execute(
            "SELECT event_id, kind, letter, received_at, position FROM facts WHERE conversation = ? ORDER BY position",
            (case,),
        )
        return [
            Recorded(EventId(event), ConversationId(case), decode_event(EventKind(kind), letter), received_at, position)
            for event, kind, letter, received_at, position in rows
        ]

    # --- writing --------------------------------------------------------------------------------------------

    def apply(self, writes: Sequence[Write]) -> None:
        """One durable transaction. Raises OSError when the disk refuses."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                for write in writes:
                    self._write(write)
            except BaseException:
                if self._db.in_transaction:  # SQLite may have rolled back by itself: a full disk does
                    self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")
        except (apsw.FullError, apsw.IOError, apsw.ReadOnlyError, apsw.CantOpenError, apsw.BusyError) as error:
            if self._db.in_transaction:
                self._db.execute("ROLLBACK")
            raise OSError(str(error)) from error

    def _write(self, write: Write) -> None:
        run = self._db.execute
        match write:
            case PutFact(stream=stream, recorded=fact, kind=kind, letter=letter):
                run(
                    "INSERT OR IGNORE INTO facts VALUES (?, ?, ?, ?, ?, ?, ?)",
                    (fact.event_id, stream, fact.position, fact.conversation, kind, letter, fact.received_at),
                )
            case PutCursor(stream=stream, position=position):
                run(
                    "INSERT INTO cursors VALUES (?, ?) ON CONFLICT (stream) DO UPDATE SET position = "
                    "max(position, excluded.position)",
                    (stream, position),
                )
            case PutPending(act=act):
                run(
                    "INSERT INTO pending (event_id, value) VALUES (?, ?) ON CONFLICT (event_id) DO UPDATE SET value = "
                    "excluded.value",
                    (act.event_id, _encode(act)),
                )
            case DropPending(event_id=event_id):
                run("DELETE FROM pending WHERE event_id = ?", (event_id,))
            case PutQuarantine(stream=stream, position=position, reason=reason, frame=frame):
                run("INSERT INTO quarantine VALUES (?, ?, ?, ?)", (stream, position, reason, frame))
            case _:
                self._write_item(write)

    def _write_item(self, write: Write) -> None:
        match write:
            case PutSummary(summary=summary):
                self._put("summary", summary.conversation, summary)
            case PutKeys(keys=keys):
                self._put("keys", keys.account, keys)
            case PutEntry(entry=entry):
                self._put("entry", entry.account, entry)
            case PutDraft(draft=draft):
                self._put("draft", draft.entry.draft, draft)
            case DropDraft(draft=draft_id):
                self._drop("draft", draft_id)
            case PutComposer(case=case, text=""):
                self._drop("composer", case)
            case PutComposer(case=case, text=text):
                self._put("composer", case, text)
            case PutSetting(name=name, value=value):
                self._put("setting", name, value)
            case PutAccounts(accounts=accounts):
                self._put("accounts", "", accounts)

    def _put(self, kind: str, key: str, value: object) -> None:
        self._db.execute("INSERT OR REPLACE INTO items VALUES (?, ?, ?)", (kind, key, _encode(value)))

    def _drop(self, kind: str, key: str) -> None:
        self._db.execute("DELETE FROM items WHERE kind = ? AND key = ?", (kind, key))
