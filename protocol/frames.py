"""The frames of the stream (websocket, binary, one frame a message): four verbs and two greetings.

Client to relay: Hello, Submit. Relay to client: Welcome, Deliver, Refused. Either: none else.
A delivered event is the only acknowledgement: what one sent comes back in one's own stream (R9).
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from domain.identifiers import AccountId, EventId
from protocol.envelope import Envelope


class _Frame(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True, tag=True):
    pass


class Hello(_Frame, frozen=True, tag="hello"):
    """The client opens: session token, and for each account it follows the last position it holds durably."""

    version: int
    token: str
    cursors: dict[AccountId, int]


class Welcome(_Frame, frozen=True, tag="welcome"):
    """The relay answers: its clock (UTC, ISO 8601) and the last position of each stream the session may follow."""

    server_time: str
    heads: dict[AccountId, int]


class Submit(_Frame, frozen=True, tag="submit"):
    """The client hands in an event; repeating the same bytes is harmless."""

    envelope: Envelope


class Deliver(_Frame, frozen=True, tag="deliver"):
    """The relay delivers the event at `position` (from 1, gapless) of `account`'s stream, after durable commit."""

    account: AccountId
    position: int
    received_at: str
    """UTC, ISO 8601, milliseconds: when the relay accepted it."""
    envelope: Envelope


class RefusalCode(StrEnum):
    """Why the relay did not take an event."""

    NOT_PERMITTED = "not-permitted"
    """The table of transitions says no (someone was faster, or the case is closed)."""
    NOT_A_PARTY = "not-a-party"
    BAD_SIGNATURE = "bad-signature"
    UNKNOWN_RECIPIENT = "unknown-recipient"
    BLOB_MISSING = "blob-missing"
    """Upload again, then submit again."""
    EVENT_ID_REUSED = "event-id-reused"
    """Same id, other bytes."""
    TOO_LARGE = "too-large"
    STORAGE_FULL = "storage-full"
    """Nothing was stored; the client keeps the event and tries again."""


class Refused(_Frame, frozen=True, tag="refused"):
    """The relay did not take `event_id`; nothing changed."""

    event_id: EventId
    code: RefusalCode


class Goodbye(_Frame, frozen=True, tag="goodbye"):
    """The relay closes with a reason the user may read: bad token, bad frame, version, shutting down."""

    reason: str
    session_over: bool = False
    """The token opens nothing any more: only the card opens another session."""


ClientFrame = Hello | Submit
ServerFrame = Welcome | Deliver | Refused | Goodbye
Frame = ClientFrame | ServerFrame
