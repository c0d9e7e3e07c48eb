"""One tele-expertise as its facts tell it: `evolve` folds them, `decide` asks the table. Two pure functions."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from domain.events import (
    KIND_OF_CLASS,
    Event,
    Finalised,
    FormEdited,
    Recorded,
    RequestSent,
    TakenInCharge,
)
from domain.identifiers import AccountId, ConversationId
from domain.messages import RequestForm
from domain.practitioners import Party
from domain.status import Role, Status
from domain.transitions import NotPermitted, next_status

_NO_FORM = RequestForm("")


@dataclass(frozen=True, slots=True)
class Teleexpertise:
    """The state after some facts; before the first it is a draft of nobody."""

    conversation: ConversationId
    status: Status = Status.DRAFT
    request: RequestSent | None = None
    form: RequestForm = _NO_FORM
    taken_by: Party | None = None
    finalised: Finalised | None = None
    finalised_at: str = ""
    history: tuple[Recorded, ...] = ()

    def role_of(self, account: AccountId) -> Role:
        """What `account` is in this act; before the request is sent, the one who asks."""
        if self.request is None or account == self.request.in_name_of.account:
            return Role.REQUERANT
        return Role.REQUIS


def decide(state: Teleexpertise, fact: Event) -> Status:
    """Return the status that `fact` would lead to. Raises NotPermitted."""
    return next_status(state.status, KIND_OF_CLASS[type(fact)], state.role_of(fact.in_name_of.account))


def evolve(state: Teleexpertise, recorded: Recorded) -> Teleexpertise:
    """Fold one delivered fact. Total: a fact the table forbids is kept in the history and changes nothing else."""
    kept = replace(state, history=(*state.history, recorded))
    try:
        status = decide(state, recorded.fact)
    except NotPermitted:
        return kept
    return _with_content(replace(kept, status=status), recorded)


def replay(conversation: ConversationId, facts: Iterable[Recorded]) -> Teleexpertise:
    """Fold a whole history."""
    state = Teleexpertise(conversation)
    for recorded in facts:
        state = evolve(state, recorded)
    return state


def _with_content(state: Teleexpertise, recorded: Recorded) -> Teleexpertise:
    match recorded.fact:
        case RequestSent() as fact if state.request is None:
            return replace(state, request=fact, form=fact.form)
        case FormEdited(form=form):
            return replace(state, form=form)
        case TakenInCharge(author=author) if state.taken_by is None:
            return replace(state, taken_by=author)
        case Finalised() as fact if state.finalised is None:
            return replace(state, finalised=fact, finalised_at=recorded.received_at or fact.written_at)
        case _:
            return state
