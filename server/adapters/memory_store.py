"""A store that forgets: the same promises as SQLite's but durability, for tests and demonstrations.

Every write notes how to undo itself, so that a piece of work that raises leaves no trace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from domain.identifiers import AccountId, BlobId, ConversationId, DeviceId, EventId
from protocol.envelope import Envelope, Header
from protocol.frames import Deliver
from protocol.resources import DirectoryEntry, EnrolledDevice, ExpertPreferences, KeyDocument, ServiceKey
from server.audit import GENESIS, chain
from server.ports import AuditEntry, Conversation, Ledger, Membership, SessionRecord, StoredEvent, View

T = TypeVar("T")
_ABSENT: Any = object()


class MemoryStore:
    """Everything in dictionaries; work runs at once, in the caller's loop."""

    def __init__(self) -> None:
        self._ledger = MemoryLedger()

    def transact(self, work: Callable[[Ledger], T]) -> Awaitable[T]:
        """See `server.ports.Store`."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._ledger.begin()
        try:
            future.set_result(work(self._ledger))
        except Exception as error:  # noqa: BLE001 - whatever a work raises is its caller's
            self._ledger.rollback()
            future.set_exception(error)
        return future

    async def read(self, work: Callable[[View], T]) -> T:
        """See `server.ports.Store`."""
        return work(self._ledger)

    def close(self) -> None:
        """Nothing to close."""


class MemoryLedger:
    """Reads and writes on dictionaries."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []
        self._events: dict[EventId, StoredEvent] = {}
        self._streams: dict[AccountId, list[Deliver]] = {}
        self._conversations: dict[ConversationId, Conversation] = {}
        self._devices: dict[tuple[AccountId, DeviceId], tuple[bytes, EnrolledDevice]] = {}
        self._service_keys: dict[AccountId, ServiceKey] = {}
        self._challenges: dict[str, int] = {}
        self._sessions: dict[bytes, SessionRecord] = {}
        self._entries: dict[AccountId, DirectoryEntry] = {}
        self._preferences: dict[AccountId, ExpertPreferences] = {}
        self._members: dict[AccountId, tuple[Membership, ...]] = {}
        self._blobs: dict[BlobId, int] = {}
        self._audit: list[tuple[int, AuditEntry, bytes]] = []
        self._generation = 0

    def begin(self) -> None:
        self._undo.clear()

    def rollback(self) -> None:
        while self._undo:
            self._undo.pop()()

    def _put(self, table: dict[Any, Any], key: object, value: object) -> None:
        old = table.get(key, _ABSENT)
        self._undo.append(lambda: table.pop(key) if old is _ABSENT else table.__setitem__(key, old))
        table[key] = value

    def _drop(self, table: dict[Any, Any], key: object) -> Any:
        if key not in table:
            return None
        value = table.pop(key)
        self._undo.append(lambda: table.__setitem__(key, value))
        return value

    def _add(self, items: list[Any], value: object) -> None:
        items.append(value)
        self._undo.append(items.pop)

    # Reads

    def event(self, event_id: EventId) -> StoredEvent | None:
        return self._events.get(event_id)

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        return self._conversations.get(conversation)

    def heads(self, accounts: Sequence[AccountId]) -> dict[AccountId, int]:
        return {account: len(self._streams.get(account, ())) for account in accounts}

    def page(self, account: AccountId, *, after: int, limit_bytes: int) -> list[Deliver]:
        page: list[Deliver] = []
        for deliver in self._streams.get(account, [])[after:]:
            page.append(deliver)
            limit_bytes -= len(deliver.envelope.header) + len(deliver.envelope.body) + 200
            if limit_bytes <= 0:
                break
        return page

    def has_key(self, account: AccountId) -> bool:
        return account in self._service_keys or any(owner == account for owner, _ in self._devices)

    def key_document(self, account: AccountId) -> KeyDocument | None:
        devices = tuple(document for (owner, _), (_, document) in self._devices.items() if owner == account)
        service = self._service_keys.get(account)
        return KeyDocument(account, devices, service) if devices or service else None

    def device_keys(self, account: AccountId) -> dict[DeviceId, bytes]:
        return {device: key for (owner, device), (key, _) in self._devices.items() if owner == account}

    def session(self, token_hash: bytes) -> SessionRecord | None:
        return self._sessions.get(token_hash)

    def memberships(self, person: AccountId) -> tuple[Membership, ...]:
        everyone = (member for members in self._members.values() for member in members)
        return tuple(sorted((m for m in everyone if m.person == person), key=lambda m: m.account))

    def entry(self, account: AccountId) -> DirectoryEntry | None:
        entry = self._entries.get(account)
        if entry is None:
            return None
        preferences = self._preferences.get(account)
        return msgspec.structs.replace(entry, preferences=preferences, has_key=self.has_key(account))

    def entries(self) -> Iterator[DirectoryEntry]:
        ordered = sorted(self._entries.values(), key=lambda entry: (entry.name, entry.account))
        return (found for entry in ordered if (found := self.entry(entry.account)) is not None)

    def has_blob(self, blob: BlobId) -> bool:
        return blob in self._blobs

    def generation(self) -> int:
        return self._generation

    def audit_trail(self) -> Iterator[tuple[int, AuditEntry, bytes]]:
        return iter(list(self._audit))

    # Writes

    def append(self, header: Header, envelope: Envelope, received_at: str) -> tuple[Deliver, ...]:
        deliveries = []
        for account in sorted(header.recipients):
            stream = self._streams.setdefault(account, [])
            deliver = Deliver(account, len(stream) + 1, received_at, envelope)
            self._add(stream, deliver)
            deliveries.append(deliver)
        self._put(self._events, header.event_id, StoredEvent(envelope, tuple(deliveries)))
        return tuple(deliveries)

    def put_conversation(self, conversation: ConversationId, state: Conversation) -> None:
        self._put(self._conversations, conversation, state)

    def add_device(self, account: AccountId, device: DeviceId, public_key: bytes, document: EnrolledDevice) -> None:
        if (account, device) not in self._devices:
            self._put(self._devices, (account, device), (public_key, document))

    def put_service_key(self, account: AccountId, key: ServiceKey) -> None:
        self._put(self._service_keys, account, key)

    def add_challenge(self, nonce: str, expires_at_s: int) -> None:
        self._put(self._challenges, nonce, expires_at_s)

    def take_challenge(self, nonce: str) -> int | None:
        expiry: int | None = self._drop(self._challenges, nonce)
        return expiry

    def open_session(self, session: SessionRecord) -> None:
        self._put(self._sessions, session.token_hash, session)

    def end_session(self, token_hash: bytes) -> None:
        self._drop(self._sessions, token_hash)

    def forget_expired(self, now_s: int) -> None:
        for nonce in [nonce for nonce, expiry in self._challenges.items() if expiry < now_s]:
            self._drop(self._challenges, nonce)
        for token in [token for token, session in self._sessions.items() if session.expires_at_s < now_s]:
            self._drop(self._sessions, token)

    def put_entry(self, entry: DirectoryEntry) -> None:
        self._put(self._entries, entry.account, msgspec.structs.replace(entry, preferences=None, has_key=False))
        if entry.preferences is not None and entry.account not in self._preferences:
            self._put(self._preferences, entry.account, entry.preferences)
        self._changed()

    def put_memberships(self, account: AccountId, members: Sequence[Membership]) -> None:
        self._put(self._members, account, tuple(members))
        self._changed()

    def put_preferences(self, account: AccountId, preferences: ExpertPreferences) -> None:
        self._put(self._preferences, account, preferences)
        self._changed()

    def add_blob(self, blob: BlobId, size_bytes: int) -> None:
        self._put(self._blobs, blob, size_bytes)

    def audit(self, entry: AuditEntry) -> None:
        sequence, previous = (self._audit[-1][0], self._audit[-1][2]) if self._audit else (0, GENESIS)
        self._add(self._audit, (sequence + 1, entry, chain(previous, entry)))

    def _changed(self) -> None:
        self._generation += 1
