"""A tele-expertise as its facts tell it: the laws of `decide` and `evolve`."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import (
    KIND_OF_CLASS,
    Answered,
    BillingRecap,
    Cancelled,
    Declined,
    Event,
    Finalised,
    Flagged,
    FormEdited,
    InformationGiven,
    InformationRequested,
    MessageSent,
    PersonalFlag,
    Recorded,
    RequestSent,
    Seen,
    TakenInCharge,
)
from domain.identifiers import AccountId, BlobId, ConversationId, EventId
from domain.messages import Attachment, RequestForm
from domain.practitioners import BillingNumber, Party
from domain.status import Role, Status
from domain.teleexpertise import Teleexpertise, decide, evolve, replay
from domain.transitions import NotPermitted

CASE = ConversationId("c" * 32)
AT = "2026-11-22T09:00:00+00:00"
ANNE, MARIE, CLAIRE = (Party(AccountId(f"ps:{name}"), name) for name in ("anne", "marie", "claire"))
AVIS = Party(AccountId("sv:avis"), "Avis", is_service=True)
FORM = RequestForm("Objet", consentement=True)
FILE = Attachment(BlobId("ab" * 32), "s.pdf", "application/pdf", 1, "cd" * 32, bytes(32), "synthese")
REQUEST = RequestSent(ANNE, ANNE, AT, AVIS, None, FORM, BillingNumber())


def by_asker() -> list[Event]:
    who = (ANNE, ANNE, AT)
    return [
        REQUEST,
        MessageSent(*who, "Un mot"),
        InformationGiven(*who, "Voici"),
        FormEdited(*who, RequestForm("Autre objet")),
        Cancelled(*who, "Erreur"),
        Seen(*who, EventId("1" * 32)),
        Flagged(*who, PersonalFlag.ARCHIVED, True),
    ]


def by_expert(author: Party = MARIE) -> list[Event]:
    who = (author, AVIS, AT)
    recap = BillingRecap("TE2", ANNE, BillingNumber(), author, BillingNumber(), None)
    return [
        TakenInCharge(*who),
        Answered(*who, "Avis"),
        InformationRequested(*who, "Précisez"),
        MessageSent(*who, "Un mot"),
        FormEdited(*who, RequestForm("Objet de l'expert")),
        Declined(*who, "Hors champ"),
        Finalised(*who, recap, (), FILE),
        Seen(*who, EventId("1" * 32)),
        Flagged(*who, PersonalFlag.TO_DO, True),
    ]


ANY_FACT = st.sampled_from([*by_asker(), *by_expert(), *by_expert(CLAIRE)])
HISTORIES = st.lists(ANY_FACT, max_size=25).map(lambda facts: [REQUEST, *facts])


def record(facts: list[Event]) -> list[Recorded]:
    return [Recorded(EventId(f"{n:032x}"), CASE, fact, AT, n) for n, fact in enumerate(facts, start=1)]


def after(*facts: Event) -> Teleexpertise:
    return replay(CASE, record(list(facts)))


# --- laws


@given(HISTORIES, ANY_FACT)
def test_evolving_leads_where_deciding_says(facts: list[Event], fact: Event) -> None:
    state = after(*facts)
    evolved = evolve(state, record([fact])[0])
    try:
        expected = decide(state, fact)
    except NotPermitted:
        assert evolved == replace(state, history=evolved.history)
    else:
        assert evolved.status is expected


@given(HISTORIES)
def test_every_fact_is_kept_in_order_whatever_the_table_says(facts: list[Event]) -> None:
    assert [each.fact for each in after(*facts).history] == facts


@given(HISTORIES, st.integers(0, 25))
def test_folding_in_two_halves_is_folding_at_once(facts: list[Event], cut: int) -> None:
    recorded = record(facts)
    state = replay(CASE, recorded[:cut])
    for each in recorded[cut:]:
        state = evolve(state, each)
    assert state == replay(CASE, recorded)


@given(HISTORIES)
def test_the_request_the_taker_and_the_end_are_written_once(facts: list[Event]) -> None:
    state = Teleexpertise(CASE)
    for recorded in record(facts):
        evolved = evolve(state, recorded)
        for part in ("request", "taken_by", "finalised"):
            assert getattr(state, part) in (None, getattr(evolved, part))
        state = evolved


@given(HISTORIES)
def test_a_closed_case_stays_closed_and_its_form_stays_as_it_was(facts: list[Event]) -> None:
    state = Teleexpertise(CASE)
    for recorded in record(facts):
        evolved = evolve(state, recorded)
        if state.status in (Status.COMPLETED, Status.REJECTED, Status.CANCELLED):
            assert (evolved.status, evolved.form, evolved.finalised) == (state.status, state.form, state.finalised)
        state = evolved


@given(HISTORIES)
def test_a_case_is_completed_exactly_when_it_has_its_synthesis(facts: list[Event]) -> None:
    state = after(*facts)
    assert (state.status is Status.COMPLETED) == (state.finalised is not None) == bool(state.finalised_at)


@given(st.lists(ANY_FACT.filter(lambda fact: not isinstance(fact, RequestSent)), max_size=10))
def test_before_its_request_nothing_happens_to_a_case(facts: list[Event]) -> None:
    state = after(*facts)
    assert (state.status, state.request, state.taken_by, state.finalised) == (Status.DRAFT, None, None, None)


# --- contents


def test_a_service_is_the_requis_whoever_of_it_acts() -> None:
    state = after(REQUEST)
    assert [state.role_of(each.account) for each in (ANNE, AVIS)] == [Role.REQUERANT, Role.REQUIS]
    assert after(REQUEST, TakenInCharge(CLAIRE, AVIS, AT)).taken_by == CLAIRE


def test_who_took_the_case_first_keeps_it() -> None:
    assert after(REQUEST, TakenInCharge(MARIE, AVIS, AT), TakenInCharge(CLAIRE, AVIS, AT)).taken_by == MARIE


def test_the_form_is_the_last_one_written() -> None:
    edits = [FormEdited(ANNE, ANNE, AT, RequestForm(f"{number}")) for number in range(3)]
    assert after(REQUEST, *edits).form == RequestForm("2")


def test_the_end_bears_the_relays_hour_and_the_authors_while_it_is_on_its_way() -> None:
    end = by_expert()[6]
    pending = Recorded(EventId("f" * 32), CASE, replace(end, written_at="written"))
    received = Recorded(EventId("f" * 32), CASE, end, "received", 2)
    assert evolve(after(REQUEST), pending).finalised_at == "written"
    assert evolve(after(REQUEST), received).finalised_at == "received"


@pytest.mark.parametrize("fact", by_expert(), ids=lambda fact: KIND_OF_CLASS[type(fact)].value)
def test_the_asker_cannot_do_what_the_expert_does(fact: Event) -> None:
    state = after(REQUEST)
    mine = replace(fact, author=ANNE, in_name_of=ANNE)
    if isinstance(fact, MessageSent | FormEdited | Seen | Flagged):
        assert decide(state, mine) is Status.REQUESTED
    else:
        with pytest.raises(NotPermitted):
            decide(state, mine)
