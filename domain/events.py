"""Facts that happened to a tele-expertise: the letters inside the envelopes. One class per `EventKind`.

Every fact names its author (who signed) and the account in whose name it was done; times are what the author's
clock said, UTC, ISO 8601; the order is the stream's, never the clock's.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.identifiers import ConversationId, EventId
from domain.messages import Attachment, RequestForm
from domain.patients import Patient
from domain.practitioners import BillingNumber, Party
from domain.status import EventKind


class PersonalFlag(StrEnum):
    """What one marks for oneself (E02, E10)."""

    ARCHIVED = "archived"
    FAVOURITE = "favourite"
    TO_DO = "to-do"
    UNREAD = "unread"
    """Shown again as unread; the next look clears it."""


@dataclass(frozen=True, slots=True)
class Fact:
    """What every event carries."""

    author: Party
    """The person who acted."""
    in_name_of: Party
    """The account acted for (« Agir en tant que », A04); equals `author` for oneself."""
    written_at: str
    """UTC, ISO 8601 to the second, the author's clock."""


@dataclass(frozen=True, slots=True)
class RequestSent(Fact):
    """A requérant asks (D01-D10)."""

    requis: Party
    patient: Patient | None
    form: RequestForm
    requerant_number: BillingNumber
    prerequis: str = ""
    """The expert's standing request, as shown when asking (C07, D09)."""
    attachments: tuple[Attachment, ...] = ()
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class TakenInCharge(Fact):
    """The requis takes the case (Q21: « pris en charge par »)."""


@dataclass(frozen=True, slots=True)
class _Exchange(Fact):
    text: str
    attachments: tuple[Attachment, ...] = ()
    urgent: bool = False
    question: bool = False


@dataclass(frozen=True, slots=True)
class MessageSent(_Exchange):
    """A line of the conversation, before or after the end (E09)."""


@dataclass(frozen=True, slots=True)
class Answered(_Exchange):
    """The opinion."""


@dataclass(frozen=True, slots=True)
class InformationRequested(_Exchange):
    """The requis needs more."""


@dataclass(frozen=True, slots=True)
class InformationGiven(_Exchange):
    """The requérant gives what was asked."""


@dataclass(frozen=True, slots=True)
class FormEdited(Fact):
    """Either party changed the form (E04)."""

    form: RequestForm


@dataclass(frozen=True, slots=True)
class Declined(Fact):
    """The requis does not do the act; the decision and its motive are recorded (domain.md 4.3)."""

    motif: str


@dataclass(frozen=True, slots=True)
class Cancelled(Fact):
    """The requérant withdraws the request."""

    motif: str


@dataclass(frozen=True, slots=True)
class BillingRecap:
    """« Récapitulatif des informations de facturation » (F03, F06); absent values stay empty."""

    niveau: str
    """`TE2` today; the tariff table says what it is worth on the act's date."""
    requerant: Party
    requerant_number: BillingNumber
    requis: Party
    """The natural person who gave the opinion, selectable (F03)."""
    requis_number: BillingNumber
    patient: Patient | None


@dataclass(frozen=True, slots=True)
class Finalised(Fact):
    """The act ends: recap and synthesis, in one event so that neither can exist alone (F05, I8)."""

    recap: BillingRecap
    included: tuple[EventId, ...]
    """The exchanges printed in the synthesis (F04)."""
    synthese: Attachment


@dataclass(frozen=True, slots=True)
class Seen(Fact):
    """« Vu par »: the author saw everything up to `event` (E06)."""

    event: EventId


@dataclass(frozen=True, slots=True)
class Flagged(Fact):
    """A personal mark, to oneself."""

    flag: PersonalFlag
    on: bool


Event = (
    RequestSent
    | TakenInCharge
    | MessageSent
    | Answered
    | InformationRequested
    | InformationGiven
    | FormEdited
    | Declined
    | Cancelled
    | Finalised
    | Seen
    | Flagged
)

CLASS_OF_KIND: dict[EventKind, type[Event]] = {
    EventKind.REQUEST_SENT: RequestSent,
    EventKind.TAKEN_IN_CHARGE: TakenInCharge,
    EventKind.MESSAGE_SENT: MessageSent,
    EventKind.ANSWERED: Answered,
    EventKind.INFORMATION_REQUESTED: InformationRequested,
    EventKind.INFORMATION_GIVEN: InformationGiven,
    EventKind.FORM_EDITED: FormEdited,
    EventKind.DECLINED: Declined,
    EventKind.CANCELLED: Cancelled,
    EventKind.FINALISED: Finalised,
    EventKind.SEEN: Seen,
    EventKind.FLAGGED: Flagged,
}

KIND_OF_CLASS: dict[type[Event], EventKind] = {cls: kind for kind, cls in CLASS_OF_KIND.items()}


@dataclass(frozen=True, slots=True)
class Recorded:
    """A fact with its place: what a stream delivered, or what waits in the outbox."""

    event_id: EventId
    conversation: ConversationId
    fact: Event
    received_at: str = ""
    """UTC, ISO 8601, the relay's clock; empty while pending."""
    position: int = 0
    """Order in the receiving account's stream; 0 while pending."""
