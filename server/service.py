"""Every decision of the relay about an event; no I/O, no clock, no key of its own.

Rule 1: `admit` needs nothing stored: author, device, right and signature.
Rule 2: `record` runs alone in the writer's transaction, so of two experts who answer at once one wins, by the table.
Rule 3: it looks first and writes last: a refusal leaves no trace but a line of audit for a reused identifier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from crypto.errors import InvalidSignature
from domain.identifiers import AccountId, DeviceId
from domain.status import EventKind, Role, Status
from domain.transitions import NotPermitted, next_status
from protocol.envelope import Envelope, Header, signed_bytes, unverified_header
from protocol.frames import Deliver, RefusalCode, Refused, Submit
from server.ports import AuditEntry, Conversation, Ledger, Rights, StoredEvent, VerifySignature

READ = "lire"
ANSWER = "repondre"
FINALISE = "finaliser"
EXPORT = "exporter"
ALL_RIGHTS = (READ, ANSWER, FINALISE, EXPORT)
"""What one may do for one's own account."""

_RIGHT_FOR = {EventKind.FINALISED: FINALISE, EventKind.SEEN: READ, EventKind.FLAGGED: READ}
"""The right an event needs; any other needs ANSWER."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Whose session it is, and what it may do."""

    account: AccountId
    devices: Mapping[DeviceId, bytes]
    """Ed25519 public keys of the person's enrolled devices: an outbox may hold events of an older one."""
    rights: Rights


@dataclass(frozen=True, slots=True)
class Accepted:
    """The event is stored durably; each delivery belongs to one stream."""

    deliveries: tuple[Deliver, ...]
    is_new: bool
    """False when the same bytes had been accepted before: only the submitter hears of it again."""


@dataclass(frozen=True, slots=True)
class Admitted:
    """An envelope whose author, right and signature hold."""

    header: Header
    envelope: Envelope


class RelayService:
    """The relay's judgement of a submitted event."""

    def __init__(self, *, verify: VerifySignature) -> None:
        self._verify = verify

    def handle(self, frame: Submit, principal: Principal, ledger: Ledger, *, received_at: str) -> Accepted | Refused:
        """Judge a frame from end to end: `admit`, then `record`.

        Args:
            frame: what the client handed in.
            principal: whose session it came by.
            ledger: the writer's transaction.
            received_at: UTC, ISO 8601, milliseconds.

        Raises:
            RemoteProtocolError: the header is no header; the connection must be closed.
        """
        verdict = self.admit(frame, principal)
        return verdict if isinstance(verdict, Refused) else self.record(ledger, verdict, received_at=received_at)

    def admit(self, frame: Submit, principal: Principal) -> Admitted | Refused:
        """Check what needs nothing stored.

        Raises:
            RemoteProtocolError: the header is no header.
        """
        header = unverified_header(frame.envelope)
        code = _refusal_of_author(header, principal) or self._refusal_of_signature(frame.envelope, header, principal)
        return Refused(header.event_id, code) if code else Admitted(header, frame.envelope)

    def record(self, ledger: Ledger, event: Admitted, *, received_at: str) -> Accepted | Refused:
        """Decide on what is stored, then append to each recipient's stream."""
        header = event.header
        known = ledger.event(header.event_id)
        if known is not None:
            return _repeated(ledger, event, known, received_at)
        state = _conversation(ledger, header)
        outcome = _decide(ledger, header, state)
        if isinstance(outcome, RefusalCode):
            return Refused(header.event_id, outcome)
        if outcome != state:
            ledger.put_conversation(header.conversation, outcome)
        deliveries = ledger.append(header, event.envelope, received_at)
        ledger.audit(_line(header, received_at, header.kind.value))
        return Accepted(deliveries, is_new=True)

    def _refusal_of_signature(self, envelope: Envelope, header: Header, principal: Principal) -> RefusalCode | None:
        try:
            self._verify(principal.devices[header.device], signed_bytes(envelope), envelope.signature)
        except (InvalidSignature, KeyError):
            return RefusalCode.BAD_SIGNATURE
        return None


def _refusal_of_author(header: Header, principal: Principal) -> RefusalCode | None:
    if header.author != principal.account:
        return RefusalCode.BAD_SIGNATURE
    rights = principal.rights.get(header.sender)
    if rights is None:
        return RefusalCode.NOT_A_PARTY
    return None if _RIGHT_FOR.get(header.kind, ANSWER) in rights else RefusalCode.NOT_PERMITTED


def _repeated(ledger: Ledger, event: Admitted, known: StoredEvent, received_at: str) -> Accepted | Refused:
    """Same bytes: delivered again. Other bytes: refused, and written down."""
    if known.envelope == event.envelope:
        return Accepted(known.deliveries, is_new=False)
    ledger.audit(_line(event.header, received_at, RefusalCode.EVENT_ID_REUSED.value))
    return Refused(event.header.event_id, RefusalCode.EVENT_ID_REUSED)


def _conversation(ledger: Ledger, header: Header) -> Conversation | None:
    """The conversation as stored, or the draft that a first event opens; None when neither."""
    stored = ledger.conversation(header.conversation)
    if stored is not None or header.kind is not EventKind.REQUEST_SENT:
        return stored
    others = [account for account in header.recipients if account != header.sender]
    if len(others) != 1:
        return None
    return Conversation(requerant=header.sender, requis=others[0], status=Status.DRAFT)


def _decide(ledger: Ledger, header: Header, state: Conversation | None) -> Conversation | RefusalCode:
    """Return the conversation after the event, or why not. An unknown conversation looks like another's."""
    if state is None or header.sender not in (state.requerant, state.requis):
        return RefusalCode.NOT_A_PARTY
    if set(header.recipients) != _recipients(header, state):
        return RefusalCode.NOT_A_PARTY
    role = Role.REQUERANT if header.sender == state.requerant else Role.REQUIS
    try:
        status = next_status(state.status, header.kind, role)
    except NotPermitted:
        return RefusalCode.NOT_PERMITTED
    return _refusal_of_keys(ledger, header) or _refusal_of_blobs(ledger, header) or replace(state, status=status)


def _recipients(header: Header, state: Conversation) -> set[AccountId]:
    return {header.sender} if header.kind is EventKind.FLAGGED else {state.requerant, state.requis}


def _refusal_of_keys(ledger: Ledger, header: Header) -> RefusalCode | None:
    """The first event carries the conversation key, sealed to each party; no other event carries any."""
    if header.kind is not EventKind.REQUEST_SENT:
        return RefusalCode.NOT_PERMITTED if header.wraps else None
    if not all(ledger.has_key(account) for account in header.recipients):
        return RefusalCode.UNKNOWN_RECIPIENT
    return None if set(header.wraps) == set(header.recipients) else RefusalCode.UNKNOWN_RECIPIENT


def _refusal_of_blobs(ledger: Ledger, header: Header) -> RefusalCode | None:
    return None if all(ledger.has_blob(blob) for blob in header.blobs) else RefusalCode.BLOB_MISSING


def _line(header: Header, received_at: str, action: str) -> AuditEntry:
    subject = f"{header.event_id} {header.conversation} {header.sender} {header.device}"
    return AuditEntry(at=received_at, actor=header.author, action=action, subject=subject)
