"""The life of a tele-expertise as one table (domain.md 4.6).

Asked by the client before it acts, by the relay before it accepts, by the footer to offer keys, and by the
documentation that draws it. Nothing else in the house may decide what is allowed.
"""

from __future__ import annotations

from dataclasses import dataclass

from domain.status import EventKind, Role, Status


@dataclass(frozen=True, slots=True)
class Transition:
    """One row: where the event leads, and who may cause it."""

    to: Status
    by: frozenset[Role]


_REQUERANT = frozenset({Role.REQUERANT})
_REQUIS = frozenset({Role.REQUIS})
_BOTH = _REQUERANT | _REQUIS

_OPEN = (Status.REQUESTED, Status.IN_PROGRESS, Status.ON_HOLD)
_CLOSED = (Status.REJECTED, Status.CANCELLED, Status.COMPLETED)


def _rows() -> dict[tuple[Status, EventKind], Transition]:
    table = {(Status.DRAFT, EventKind.REQUEST_SENT): Transition(Status.REQUESTED, _REQUERANT)}
    table[Status.REQUESTED, EventKind.TAKEN_IN_CHARGE] = Transition(Status.IN_PROGRESS, _REQUIS)
    table[Status.ON_HOLD, EventKind.INFORMATION_GIVEN] = Transition(Status.IN_PROGRESS, _REQUERANT)
    for status in _OPEN:
        table[status, EventKind.ANSWERED] = Transition(Status.IN_PROGRESS, _REQUIS)
        table[status, EventKind.INFORMATION_REQUESTED] = Transition(Status.ON_HOLD, _REQUIS)
        table[status, EventKind.DECLINED] = Transition(Status.REJECTED, _REQUIS)
        table[status, EventKind.CANCELLED] = Transition(Status.CANCELLED, _REQUERANT)
        table[status, EventKind.FINALISED] = Transition(Status.COMPLETED, _REQUIS)
        table[status, EventKind.FORM_EDITED] = Transition(status, _BOTH)
    for status in _OPEN + _CLOSED:
        table[status, EventKind.MESSAGE_SENT] = Transition(status, _BOTH)
        table[status, EventKind.SEEN] = Transition(status, _BOTH)
        table[status, EventKind.FLAGGED] = Transition(status, _BOTH)
    return table


TRANSITIONS = _rows()
"""Every permitted (status, event); an absent pair is refused."""


class NotPermitted(Exception):
    """The table has no such row for this role."""

    def __init__(self, status: Status, kind: EventKind, role: Role) -> None:
        super().__init__(f"{kind} by {role} in {status}")
        self.status = status
        self.kind = kind
        self.role = role


def next_status(status: Status, kind: EventKind, role: Role) -> Status:
    """Return where `kind` leads from `status` when `role` causes it.

    Raises:
        NotPermitted: the table has no such row, or not for this role.
    """
    row = TRANSITIONS.get((status, kind))
    if row is None or role not in row.by:
        raise NotPermitted(status, kind, role)
    return row.to


def permitted(status: Status, role: Role) -> frozenset[EventKind]:
    """The events this role may cause now: what a footer offers."""
    return frozenset(kind for (at, kind), row in TRANSITIONS.items() if at is status and role in row.by)
