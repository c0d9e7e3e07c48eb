"""The words of a tele-expertise's life: statuses (HL7 FHIR Task.status), kinds of event, roles of the act."""

from __future__ import annotations

from enum import StrEnum


class Status(StrEnum):
    """Where a tele-expertise stands; codes of FHIR Task.status, meaning of domain.md 4.6."""

    DRAFT = "draft"
    """Brouillon: lives on the requester's machine only."""
    REQUESTED = "requested"
    """Publiée: in the expert's inbox, nobody took it yet."""
    IN_PROGRESS = "in-progress"
    """En cours: taken in charge, or answered and still open."""
    ON_HOLD = "on-hold"
    """Information demandée: the requester has the ball."""
    REJECTED = "rejected"
    """Refusée by the requis, with a motive."""
    CANCELLED = "cancelled"
    """Annulée by the requérant."""
    COMPLETED = "completed"
    """Finalisée: synthesis posted, billable."""


class Role(StrEnum):
    """Who one is in the act."""

    REQUERANT = "requerant"
    """Asks for the opinion."""
    REQUIS = "requis"
    """Gives it."""


class EventKind(StrEnum):
    """What can happen to a tele-expertise; visible to the relay (ADR 0005), contents are not."""

    REQUEST_SENT = "request-sent"
    TAKEN_IN_CHARGE = "taken-in-charge"
    ANSWERED = "answered"
    INFORMATION_REQUESTED = "information-requested"
    INFORMATION_GIVEN = "information-given"
    MESSAGE_SENT = "message-sent"
    FORM_EDITED = "form-edited"
    DECLINED = "declined"
    CANCELLED = "cancelled"
    FINALISED = "finalised"
    SEEN = "seen"
    """Read receipt (E06): shared between the parties, never a line of the conversation."""
    FLAGGED = "flagged"
    """Archive, favourite, to do (E02, E10): to one's own account only."""
