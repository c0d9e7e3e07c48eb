"""The table of a tele-expertise's life, row by row, and everything that is not in it."""

from __future__ import annotations

from itertools import product

import pytest

from domain.status import EventKind, Role, Status
from domain.transitions import TRANSITIONS, NotPermitted, next_status, permitted

ASKER, EXPERT = {Role.REQUERANT}, {Role.REQUIS}
BOTH = ASKER | EXPERT

TABLE = """
draft        request-sent           requested    requerant
requested    taken-in-charge        in-progress  requis
requested    answered               in-progress  requis
requested    information-requested  on-hold      requis
requested    declined               rejected     requis
requested    cancelled              cancelled    requerant
requested    finalised              completed    requis
requested    form-edited            requested    both
requested    message-sent           requested    both
requested    seen                   requested    both
requested    flagged                requested    both
in-progress  answered               in-progress  requis
in-progress  information-requested  on-hold      requis
in-progress  declined               rejected     requis
in-progress  cancelled              cancelled    requerant
in-progress  finalised              completed    requis
in-progress  form-edited            in-progress  both
in-progress  message-sent           in-progress  both
in-progress  seen                   in-progress  both
in-progress  flagged                in-progress  both
on-hold      answered               in-progress  requis
on-hold      information-requested  on-hold      requis
on-hold      information-given      in-progress  requerant
on-hold      declined               rejected     requis
on-hold      cancelled              cancelled    requerant
on-hold      finalised              completed    requis
on-hold      form-edited            on-hold      both
on-hold      message-sent           on-hold      both
on-hold      seen                   on-hold      both
on-hold      flagged                on-hold      both
rejected     message-sent           rejected     both
rejected     seen                   rejected     both
rejected     flagged                rejected     both
cancelled    message-sent           cancelled    both
cancelled    seen                   cancelled    both
cancelled    flagged                cancelled    both
completed    message-sent           completed    both
completed    seen                   completed    both
completed    flagged                completed    both
"""
"""Written by hand from domain.md 4.6, so that the code's own loops are not their own witness."""

Triple = tuple[Status, EventKind, Role]


def rows() -> dict[Triple, Status]:
    found: dict[Triple, Status] = {}
    for line in TABLE.strip().splitlines():
        status, kind, to, by = line.split()
        for role in Role if by == "both" else (Role(by),):
            found[Status(status), EventKind(kind), role] = Status(to)
    return found


ROWS = rows()
ABSENT = [triple for triple in product(Status, EventKind, Role) if triple not in ROWS]


@pytest.mark.parametrize(("triple", "to"), list(ROWS.items()), ids=str)
def test_every_row_leads_where_it_says(triple: Triple, to: Status) -> None:
    assert next_status(*triple) is to


@pytest.mark.parametrize("triple", ABSENT, ids="-".join)
def test_every_absent_row_is_refused(triple: Triple) -> None:
    with pytest.raises(NotPermitted) as caught:
        next_status(*triple)
    assert (caught.value.status, caught.value.kind, caught.value.role) == triple


def test_the_table_has_no_row_that_nobody_may_cause() -> None:
    assert all(row.by for row in TRANSITIONS.values())


@pytest.mark.parametrize(("status", "role"), list(product(Status, Role)))
def test_what_is_offered_is_what_is_permitted(status: Status, role: Role) -> None:
    assert permitted(status, role) == {kind for at, kind, by in ROWS if (at, by) == (status, role)}


@pytest.mark.parametrize("closed", [Status.REJECTED, Status.CANCELLED, Status.COMPLETED])
def test_nothing_opens_a_closed_case_again(closed: Status) -> None:
    assert {row.to for (status, _kind), row in TRANSITIONS.items() if status is closed} == {closed}


def test_every_status_but_the_draft_can_be_reached_from_a_request() -> None:
    reached, todo = {Status.DRAFT}, [Status.DRAFT]
    while todo:
        here = todo.pop()
        for (status, _kind), row in TRANSITIONS.items():
            if status is here and row.to not in reached:
                reached.add(row.to)
                todo.append(row.to)
    assert reached == set(Status)


def test_only_the_expert_finalises_and_only_once() -> None:
    finalising = [triple for triple in ROWS if triple[1] is EventKind.FINALISED]
    assert {role for _status, _kind, role in finalising} == EXPERT
    assert Status.COMPLETED not in {status for status, _kind, _role in finalising}
