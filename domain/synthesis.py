"""What the « Synthèse de téléexpertise » says, before any page is drawn (domain.md 4.4).

The legal minimum of art. R. 6316-4 CSP is in it by construction: the report, the identity of the patient and of the
professionals, date and hour, technical incidents. Renderers (PDF, plain text, CDA) take this and add words and ink.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from domain.events import (
    Answered,
    BillingRecap,
    Cancelled,
    Declined,
    FormEdited,
    InformationGiven,
    InformationRequested,
    MessageSent,
    Recorded,
    RequestSent,
    TakenInCharge,
)
from domain.identifiers import ConversationId, EventId
from domain.instants import in_zone, instant_of
from domain.messages import RequestForm
from domain.patients import Patient
from domain.practitioners import Party
from domain.teleexpertise import replay

LATE_DELIVERY = timedelta(minutes=15)
"""Beyond this between writing and arrival at the relay, a delivery is an incident to print (Q22; own choice)."""

Exchange = (
    RequestSent
    | TakenInCharge
    | MessageSent
    | Answered
    | InformationRequested
    | InformationGiven
    | FormEdited
    | Declined
    | Cancelled
)
"""Facts that are part of the conversation; receipts and personal marks are not."""

_WITH_FILES = (RequestSent, MessageSent, Answered, InformationRequested, InformationGiven)


class NothingAskedError(ValueError):
    """The facts hold no request: there is nothing to make a synthesis of."""


@dataclass(frozen=True, slots=True)
class AttachedFile:
    """A file as the synthesis names it: enough to prove it, nothing to open it."""

    name: str
    media_type: str
    size_bytes: int
    sha256: str
    """Of the clear bytes, hexadecimal, 64 characters."""


@dataclass(frozen=True, slots=True)
class SynthesisExchange:
    """One ticked line of the conversation (F04)."""

    at: datetime | None
    """Aware, in the zone asked for; None when the fact carries no readable instant."""
    fact: Exchange
    files: tuple[AttachedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class LateDelivery:
    """An exchange that reached the relay long after it was written: an offline period, a failed upload."""

    author: Party
    written_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class SynthesisContent:
    """Everything printed; instants are aware and in the zone asked for, absent values are empty."""

    conversation: ConversationId
    version: int
    """From 1; a correction raises it (F09)."""
    patient: Patient | None
    request: RequestSent
    """Who asked, in whose name, to whom, with which prerequisites."""
    requested_at: datetime | None
    form: RequestForm
    """The question and the consent, as they stood at the end."""
    exchanges: tuple[SynthesisExchange, ...]
    """The ticked ones, in the order of the stream."""
    files: tuple[AttachedFile, ...]
    """Of the ticked exchanges, each once."""
    conclusion: str
    """The last ticked opinion; empty when none is ticked."""
    recap: BillingRecap
    finalised_at: datetime
    late_deliveries: tuple[LateDelivery, ...] = ()
    incidents: tuple[str, ...] = ()
    """Technical incidents that a person reports, in French."""


def from_facts(
    recorded: Sequence[Recorded],
    *,
    included: Collection[EventId],
    recap: BillingRecap,
    finalised_at: datetime,
    zone: tzinfo,
    version: int = 1,
    incidents: tuple[str, ...] = (),
) -> SynthesisContent:
    """Return the content of a synthesis.

    Args:
        recorded: the conversation's facts, in the order of the stream.
        included: the ticked exchanges; anything else than an exchange is passed over.
        recap: what the wizard's first step settled (F03).
        finalised_at: aware instant of the finalisation.
        zone: where dates and hours are read.
        version: from 1, raised by a correction.
        incidents: what a person reports beside the late deliveries that the facts show.

    Raises:
        NothingAskedError: there is no request among the facts.
    """
    case = replay(recorded[0].conversation, recorded) if recorded else None
    if case is None or case.request is None:
        raise NothingAskedError
    exchanges = tuple(
        SynthesisExchange(instant_of(place, zone), place.fact, _files(place.fact))
        for place in recorded
        if place.event_id in included and isinstance(place.fact, Exchange)
    )
    sent = next(place for place in recorded if place.fact is case.request)
    return SynthesisContent(
        conversation=case.conversation,
        version=version,
        patient=recap.patient or case.request.patient,
        request=case.request,
        requested_at=instant_of(sent, zone),
        form=case.form,
        exchanges=exchanges,
        files=tuple(dict.fromkeys(file for exchange in exchanges for file in exchange.files)),
        conclusion=_conclusion(exchanges),
        recap=recap,
        finalised_at=finalised_at.astimezone(zone),
        late_deliveries=late_deliveries(recorded, zone),
        incidents=incidents,
    )


def late_deliveries(recorded: Iterable[Recorded], zone: tzinfo) -> tuple[LateDelivery, ...]:
    """Return the exchanges whose way to the relay took longer than LATE_DELIVERY, ticked or not."""
    late = []
    for place in recorded:
        written, received = in_zone(place.fact.written_at, zone), in_zone(place.received_at, zone)
        if isinstance(place.fact, Exchange) and written and received and received - written > LATE_DELIVERY:
            late.append(LateDelivery(place.fact.author, written, received))
    return tuple(late)


def _files(fact: Exchange) -> tuple[AttachedFile, ...]:
    attachments = fact.attachments if isinstance(fact, _WITH_FILES) else ()
    return tuple(AttachedFile(file.name, file.media_type, file.size_bytes, file.sha256) for file in attachments)


def _conclusion(exchanges: Iterable[SynthesisExchange]) -> str:
    opinions = [exchange.fact.text for exchange in exchanges if isinstance(exchange.fact, Answered)]
    return opinions[-1] if opinions else ""
