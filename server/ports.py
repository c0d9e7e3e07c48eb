"""What the relay needs of the world, as protocols: a store with one writer, a clock, an index, blobs.

The store offers two doors. `transact` runs a piece of work alone, inside the writer's transaction, and completes
only after the durable commit; `read` runs one on a consistent snapshot. A work that raises leaves no trace and harms
no other work of its batch.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol, TypeVar

from domain.identifiers import AccountId, BlobId, ConversationId, DeviceId, EventId
from domain.status import Status
from protocol.envelope import Envelope, Header
from protocol.frames import Deliver
from protocol.resources import DirectoryEntry, EnrolledDevice, ExpertPreferences, KeyDocument, ServiceKey

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Conversation:
    """Who the two parties are and where their tele-expertise stands."""

    requerant: AccountId
    requis: AccountId
    status: Status


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """An accepted event and its place in each recipient's stream."""

    envelope: Envelope
    deliveries: tuple[Deliver, ...]


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """An open session, as stored: the token itself is never kept."""

    token_hash: bytes
    """SHA-256 of the token's ASCII text, 32 bytes."""
    account: AccountId
    device: DeviceId
    situation: int
    expires_at_s: int
    """UTC, seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's rights on an account that is not his own: member of a service, or holder of a delegation."""

    account: AccountId
    person: AccountId
    rights: tuple[str, ...]
    is_delegation: bool = False


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One line of the audit: who did what to which header. Never content."""

    at: str
    """UTC, ISO 8601, the relay's clock."""
    actor: AccountId
    action: str
    subject: str
    """Identifiers only, separated by spaces."""


class View(Protocol):
    """What may be read."""

    def event(self, event_id: EventId) -> StoredEvent | None:
        """The event of this id, if it was ever accepted."""

    def conversation(self, conversation: ConversationId) -> Conversation | None:
        """The conversation of this id, if it was ever opened."""

    def heads(self, accounts: Sequence[AccountId]) -> dict[AccountId, int]:
        """Last position of each stream, 0 when empty."""

    def page(self, account: AccountId, *, after: int, limit_bytes: int) -> list[Deliver]:
        """Events of a stream in order from `after` + 1, about `limit_bytes` at most but one at least, if any."""

    def has_key(self, account: AccountId) -> bool:
        """Whether something can be sealed to this account."""

    def key_document(self, account: AccountId) -> KeyDocument | None:
        """All public keys of an account, with every wrap of a service key."""

    def device_keys(self, account: AccountId) -> dict[DeviceId, bytes]:
        """Ed25519 public keys (32 bytes) of a person's enrolled devices."""

    def session(self, token_hash: bytes) -> SessionRecord | None:
        """The session of this token, expired or not, unless it was ended."""

    def memberships(self, person: AccountId) -> tuple[Membership, ...]:
        """What this person may do for other accounts, by account."""

    def entry(self, account: AccountId) -> DirectoryEntry | None:
        """The directory's entry, with its preferences and whether it has a key."""

    def entries(self) -> Iterator[DirectoryEntry]:
        """Every entry of the directory, by name then account."""

    def has_blob(self, blob: BlobId) -> bool:
        """Whether the blob is stored durably."""

    def generation(self) -> int:
        """Grows whenever directory, memberships or preferences change."""

    def audit_trail(self) -> Iterator[tuple[int, AuditEntry, bytes]]:
        """The audit in order: sequence from 1, entry, 32-byte hash."""


class Ledger(View, Protocol):
    """What a piece of work may do inside the writer's transaction."""

    def append(self, header: Header, envelope: Envelope, received_at: str) -> tuple[Deliver, ...]:
        """Store an event and put it at the end of every recipient's stream."""

    def put_conversation(self, conversation: ConversationId, state: Conversation) -> None:
        """Open a conversation or change its status."""

    def add_device(self, account: AccountId, device: DeviceId, public_key: bytes, document: EnrolledDevice) -> None:
        """Enrol a device; again is harmless."""

    def put_service_key(self, account: AccountId, key: ServiceKey) -> None:
        """Publish or replace a service's key and wraps."""

    def add_challenge(self, nonce: str, expires_at_s: int) -> None:
        """Remember a nonce."""

    def take_challenge(self, nonce: str) -> int | None:
        """Forget a nonce and return its expiry (UTC, s), or None when unknown: whoever comes second gets None."""

    def open_session(self, session: SessionRecord) -> None:
        """Open a session."""

    def end_session(self, token_hash: bytes) -> None:
        """End a session; unknown is harmless."""

    def forget_expired(self, now_s: int) -> None:
        """Drop challenges and sessions that expired before `now_s`."""

    def put_entry(self, entry: DirectoryEntry) -> None:
        """Publish or replace an entry; its preferences, when given, serve until the account publishes its own."""

    def put_memberships(self, account: AccountId, members: Sequence[Membership]) -> None:
        """Replace everything others may do for `account`."""

    def put_preferences(self, account: AccountId, preferences: ExpertPreferences) -> None:
        """Replace an account's published preferences."""

    def add_blob(self, blob: BlobId, size_bytes: int) -> None:
        """Note that a blob is stored; again is harmless."""

    def audit(self, entry: AuditEntry) -> None:
        """Write a line, chained to the one before."""


class Store(Protocol):
    """Everything the relay keeps but blobs."""

    def transact(self, work: Callable[[Ledger], T]) -> Awaitable[T]:
        """Run `work` in the writer's transaction.

        Completes after the durable commit, in commit order, with its result or with the exception it raised.

        Raises:
            StorageFull: no room; nothing was stored.
        """

    def read(self, work: Callable[[View], T]) -> Awaitable[T]:
        """Run `work` on a snapshot."""

    def close(self) -> None:
        """Finish what was accepted, then close."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The present instant, UTC, aware."""


@dataclass(frozen=True, slots=True)
class Filters:
    """What a search is restricted to; an empty value restricts nothing."""

    services: bool
    """The group searched: services, or professionals."""
    experts: bool = False
    departement: str = ""
    specialities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """One page of a group."""

    total: int
    accounts: tuple[AccountId, ...]


class DirectoryIndex(Protocol):
    """Search as one types. A rebuildable cache: the store holds the truth."""

    def rebuild(self, entries: Sequence[DirectoryEntry]) -> None:
        """Replace the whole index; searches go on with the old one meanwhile. Blocks: run it in a thread."""

    def search(self, words: Sequence[str], filters: Filters, *, offset: int, limit: int) -> Found:
        """Entries that have every word (folded, see server.directory) as a prefix; better match, then name."""


class Blobs(Protocol):
    """Sealed attachments by digest."""

    async def put(self, blob: BlobId, chunks: AsyncIterator[bytes]) -> int:
        """Store a blob durably and return its size in bytes.

        Raises:
            RequestRefused: `digest-mismatch`, `too-large` or `storage-full`; nothing was stored.
        """

    def path(self, blob: BlobId) -> Path | None:
        """Where the bytes are, or None."""


VerifySignature = Callable[[bytes, bytes, bytes], None]
"""(public key, message, signature) -> None, raising crypto.errors.InvalidSignature."""

Rights = Mapping[AccountId, frozenset[str]]
"""What a session may do, by account."""
