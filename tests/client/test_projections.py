"""From facts to what is seen."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from client.intents import Folder
from client.lines import Lines
from client.model import CaseSummary, PendingAct
from client.projections import (
    case_view,
    initials,
    overlay,
    patient_line,
    patient_short,
    recap_lines,
    row,
    summarise,
)
from client.views import CaseView
from domain.events import KIND_OF_CLASS, BillingRecap, Event, PersonalFlag, Recorded
from domain.identifiers import EventId
from domain.patients import Patient
from domain.practitioners import BillingNumber, NumberNature, Party
from domain.status import Role, Status
from domain.teleexpertise import replay
from protocol.payload import encode_event
from tests.support.builders import ANNE, MARIE, PATIENT, RECEIVED, Correspondence, Practitioner, attachment

TALK = Correspondence()


def facts(*events: Event) -> list[Recorded]:
    """Facts in the order of a stream, under the ids 1, 2, 3..."""
    return [
        Recorded(EventId(f"{place:032x}"), TALK.conversation, fact, RECEIVED, place)
        for place, fact in enumerate(events, start=1)
    ]


def identifier(place: int) -> EventId:
    return EventId(f"{place:032x}")


def summary(*events: Event, me: Practitioner = MARIE) -> CaseSummary:
    found: CaseSummary | None = None
    for recorded in facts(*events):
        found = summarise(found, recorded, me=me.account, stream=me.account, key=TALK.key)
    assert found is not None
    return found


def view(*events: Event, me: Practitioner = MARIE, pending: tuple[Event, ...] = ()) -> CaseView:
    acts = [act_of(fact) for fact in pending]
    return case_view(
        replay(TALK.conversation, facts(*events)),
        summary(*events, me=me),
        me=me.account,
        role=Role.REQUIS if me == MARIE else Role.REQUERANT,
        pending=acts,
        unread=frozenset(),
        composer="",
    )


def act_of(fact: Event) -> PendingAct:
    return PendingAct(
        EventId("f" * 32),
        TALK.conversation,
        KIND_OF_CLASS[type(fact)].value,
        encode_event(fact),
        TALK.recipients,
        fact.in_name_of.account,
        key=TALK.key,
    )


# --- seen by


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dr Marie TOURNEVENT", "MT"),
        ("Jean-Pierre DUPONT", "JP"),
        ("Mme Ondine", "O"),
        ("Avis Infectiologie CH DU VAL FICTIF", "AI"),
        ("", ""),
        ("Dr", ""),
        ("élise ŒUF", "ÉŒ"),
        ("\x1b[31m", ""),
    ],
)
def test_initials(name: str, expected: str) -> None:
    assert initials(name) == expected


def test_a_receipt_covers_everything_before_it_and_nothing_after() -> None:
    shown = view(TALK.request(), TALK.message("Un"), TALK.seen(identifier(2), by=MARIE), TALK.message("Deux"), me=ANNE)
    assert [entry.seen_by for entry in shown.timeline] == [("MT",), ("MT",), ()]


def test_nobody_is_told_that_they_saw_their_own_words() -> None:
    shown = view(TALK.request(), TALK.answer("Avis"), TALK.seen(identifier(2), by=MARIE), me=ANNE)
    assert [entry.seen_by for entry in shown.timeline] == [("MT",), ()]
    assert [entry.seen_by for entry in view(TALK.request(), TALK.seen(identifier(1), by=MARIE)).timeline] == [()]


def test_an_older_receipt_takes_nothing_back_and_an_unknown_one_says_nothing() -> None:
    events = (
        TALK.request(),
        TALK.message("Un"),
        TALK.seen(identifier(2), by=MARIE),
        TALK.seen(identifier(1), by=MARIE),
        TALK.seen("e" * 32, by=MARIE),
    )
    assert [entry.seen_by for entry in view(*events, me=ANNE).timeline] == [("MT",), ("MT",)]


def test_receipts_and_marks_are_no_lines_of_the_conversation() -> None:
    events = (
        TALK.request(),
        TALK.seen(identifier(1), by=MARIE),
        TALK.flagged(PersonalFlag.FAVOURITE, on=True, by=MARIE),
    )
    assert [entry.kind for entry in view(*events).timeline] == ["request-sent"]


# --- what is on its way


def test_what_is_on_its_way_shows_at_once_and_says_so() -> None:
    shown = view(TALK.request(), pending=(TALK.answer("Exérèse."),))
    assert (shown.status, shown.status_label) == ("in-progress", "En cours")
    assert [(entry.text, entry.pending) for entry in shown.timeline][-1] == ("Exérèse.", True)
    assert "finalised" in shown.permitted
    assert "taken-in-charge" not in shown.permitted


def test_the_line_is_drawn_as_it_will_be() -> None:
    before = summary(TALK.request())
    after = overlay(before, [act_of(TALK.answer("Exérèse."))], MARIE.account)
    assert after is not None
    assert (after.status, after.last_line, after.mine) == (Status.IN_PROGRESS, "Exérèse.", True)


def test_a_request_on_its_way_is_a_case_already() -> None:
    found = overlay(None, [act_of(TALK.request())], ANNE.account)
    assert found is not None
    assert (found.status, found.objet, found.unread) == (Status.REQUESTED, "Lésion du dos", ())


def test_without_its_request_nothing_is_a_case() -> None:
    assert overlay(None, [act_of(TALK.message())], ANNE.account) is None


# --- lines


def test_the_line_of_a_case_says_who_is_on_the_other_side() -> None:
    found = summary(TALK.request(urgent=True))
    line = row(found, as_requis=True, pending=False)
    assert (line.counterpart, line.patient, line.objet, line.unread, line.urgent) == (
        "Dr Anne CHARLIER",
        "Lucette SPECIMEN",
        "Lésion du dos",
        1,
        True,
    )
    assert row(found, as_requis=False, pending=False).counterpart == "Dr Marie TOURNEVENT"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (TALK.message("  Bonjour\nà vous "), "  Bonjour à vous "),
        (TALK.message("", attachments=(attachment(),)), "Document en pièce jointe"),
        (TALK.message("x" * 500), "x" * 120),
        (TALK.finalised(), "Synthèse de la conversation « Téléexpertise »"),
    ],
    ids=["text", "file", "long", "end"],
)
def test_the_line_says_the_last_event(event: Event, expected: str) -> None:
    assert summary(TALK.request(), event).last_line == expected


def test_a_receipt_of_a_colleague_clears_what_he_read_only_for_himself() -> None:
    assert len(summary(TALK.request(), TALK.seen(identifier(1), by=ANNE)).unread) == 1


# --- patients and recap


def test_a_patient_in_one_line() -> None:
    assert patient_line(PATIENT) == "Lucette SPECIMEN ♀ - 17/04/1958"
    assert patient_line(replace(PATIENT, sexe="M", date_naissance="")) == "Lucette SPECIMEN ♂"
    assert patient_line(Patient("SPECIMEN", "")) == "SPECIMEN"
    assert (patient_line(None), patient_short(None)) == ("", "")


def test_absent_values_of_the_recap_are_empty_so_that_they_print_non_renseigne() -> None:
    nobody = Party(MARIE.account, "Dr Marie TOURNEVENT")
    recap = BillingRecap("TE2", nobody, BillingNumber(), nobody, BillingNumber("421990029", NumberNature.FINESS), None)
    lines = [each.value for each in recap_lines(TALK.finalised(recap=recap))]
    assert lines == ["TE2", nobody.name, "421990029 (FINESS)", "", nobody.name, "", "", ""]


def test_a_finalised_case_shows_its_recap_and_its_synthesis() -> None:
    shown = view(TALK.request(), TALK.answer(), TALK.finalised())
    assert (shown.status, shown.finalised_at, len(shown.recap)) == ("completed", RECEIVED, 8)
    assert [each.is_synthese for each in shown.timeline[-1].attachments] == [True]


# --- sidebar


def test_the_sidebar_counts_each_folder_in_its_order() -> None:
    base = row(summary(TALK.request()), as_requis=True, pending=False)
    lines = [
        base,
        replace(base, case="2", archived=True),
        replace(base, case="3", unread=0, favourite=True),
        replace(base, case="4", unread=0, to_do=True),
        replace(base, case="5", unread=0, draft=True),
    ]
    counted = {entry.folder: (entry.unread, entry.total) for entry in Lines(lines).sidebar()}
    assert counted == {
        Folder.INBOX: (1, 3),
        Folder.ALL: (2, 4),
        Folder.UNREAD: (2, 2),
        Folder.FAVOURITES: (0, 1),
        Folder.TO_DO: (0, 1),
        Folder.TELEEXPERTISES: (2, 4),
        Folder.CONVERSATIONS: (0, 0),
        Folder.SUPPORT: (0, 0),
        Folder.MSSANTE: (0, 0),
        Folder.DRAFTS: (0, 1),
    }


def test_drafts_have_no_folder_when_there_are_none_and_later_versions_are_announced() -> None:
    entries = Lines().sidebar()
    assert Folder.DRAFTS not in [entry.folder for entry in entries]
    assert [entry.folder for entry in entries if not entry.available] == [
        Folder.CONVERSATIONS,
        Folder.SUPPORT,
        Folder.MSSANTE,
    ]


def test_a_summary_survives_its_storage() -> None:
    found = summary(TALK.request(), TALK.answer())
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(found), type=CaseSummary) == found
