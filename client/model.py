"""What the desk remembers: summaries, pending acts, trusted keys, cached directory sheets. Plain, storable words."""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from client.intents import DraftEntry
from domain.identifiers import AccountId, BlobId, ConversationId, EventId
from domain.patients import Patient
from domain.practitioners import Party
from domain.status import Status
from protocol.resources import ActingAccount, DirectoryEntry


class CaseSummary(msgspec.Struct, frozen=True, array_like=True):
    """What the list needs of a case, folded fact by fact so that no history is loaded to draw it."""

    conversation: ConversationId
    stream: AccountId
    """The account of mine whose stream brings it."""
    key: bytes
    """32-byte conversation key."""
    status: Status
    requerant: Party
    requis: Party
    objet: str
    patient: str
    last_author: str
    last_line: str
    last_at: str
    urgent: bool = False
    unread: tuple[EventId, ...] = ()
    """Exchanges by others since this user last looked, oldest first."""
    flags: frozenset[str] = frozenset()
    taken_by: str = ""
    created_at: str = ""
    finalised_at: str = ""
    last_event: EventId = EventId("")
    mine: bool = False
    """The last exchange is this user's."""
    identity: Patient | None = None
    """The patient, to find him again for another request."""


class PendingAct(msgspec.Struct, frozen=True, array_like=True):
    """An act of this user's on its way: kept until it comes back in the stream."""

    event_id: EventId
    conversation: ConversationId
    kind: str
    letter: bytes
    """Clear letter (protocol.payload); the store is sealed."""
    recipients: tuple[AccountId, ...]
    sender: AccountId
    blobs: tuple[BlobId, ...] = ()
    envelope: tuple[bytes, bytes, bytes] | None = None
    """Header, body, signature, made once: a retry sends the same bytes. None while a recipient's key is missing."""
    key: bytes = b""
    """Conversation key, for a request whose first event has not come back."""


class TrustedKeys(msgspec.Struct, frozen=True, array_like=True):
    """An account's verified public keys."""

    account: AccountId
    account_key: bytes
    devices: dict[str, bytes] = {}
    """Device id -> Ed25519 public key; empty for a service."""


class StoredDraft(msgspec.Struct, frozen=True, array_like=True):
    """A request being written."""

    entry: DraftEntry
    saved_at: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that the machine holds in memory, as loaded at start."""

    cursors: dict[AccountId, int] = field(default_factory=dict)
    summaries: tuple[CaseSummary, ...] = ()
    pending: tuple[PendingAct, ...] = ()
    keys: tuple[TrustedKeys, ...] = ()
    entries: tuple[DirectoryEntry, ...] = ()
    drafts: tuple[StoredDraft, ...] = ()
    composers: dict[str, str] = field(default_factory=dict)
    accounts: tuple[ActingAccount, ...] = ()
    """Acting accounts as of the last session, so that the desk opens offline."""
    delivered: frozenset[EventId] = frozenset()
    """Identifiers of every fact held."""
    settings: dict[str, str] = field(default_factory=dict)
    """Small facts of this machine: own billing number, service keys sealed by the store."""


@dataclass(frozen=True, slots=True)
class Me:
    """Whose desk this is, for this session."""

    account: AccountId
    name: str
    id_nat: str
    device: str
    situation: str = ""
    """The practice situation chosen, in words."""
    numero_facturation: str = ""
    """Of the billing situation chosen on the card; empty when none."""
    mode: str = "L"
    """`L` libéral or `S` salarié: the nature of the billing number."""
