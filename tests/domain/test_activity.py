"""The activity export: who is listed, on which day, worth what, and how acts are counted against the limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.activity import (
    ActivityRow,
    FinalisedAct,
    Professional,
    activity_rows,
    finalised_act,
    split_name,
    yearly_ranks,
)
from domain.events import Answered, BillingRecap, Event, Finalised, FormEdited, MessageSent, Recorded, RequestSent
from domain.identifiers import AccountId, BlobId, ConversationId, EventId
from domain.instants import in_zone
from domain.messages import Attachment, RequestForm
from domain.patients import Patient
from domain.practitioners import BillingNumber, NumberNature, Party
from domain.status import Role
from domain.teleexpertise import replay

PARIS = ZoneInfo("Europe/Paris")
ASKER = Party(
    AccountId("ps:899700001011"), "Dr Marie TOURNEVENT", "899700001011", "Médecine générale", "42330 Saint-Galmier"
)
EXPERT = Party(
    AccountId("ps:899700001029"), "Dr Anne CHARLIER", "899700001029", "Dermatologie et vénéréologie", "Saint-Étienne"
)
SERVICE = Party(AccountId("sv:SV14"), "Avis Dermatologie CHU DEMONSTRATION SAINT-ETIENNE", is_service=True)
PATIENT = Patient("SPECIMEN", "LUCETTE", "F", "1958-04-17", "69992", nir="258046999200130")
FORM = RequestForm("Lésion pigmentée du dos", "", "Faut-il une exérèse ?", consentement=True)
SYNTHESE = Attachment(BlobId("00" * 32), "synthese.pdf", "application/pdf", 1, "00" * 32, bytes(32), "synthese")
RECAP = BillingRecap(
    "TE2",
    ASKER,
    BillingNumber("421990011"),
    EXPERT,
    BillingNumber("429901044", NumberNature.FINESS),
    PATIENT,
)


def act(
    number: int = 1,
    on: datetime = datetime(2026, 3, 2, 9, 30, tzinfo=UTC),
    *,
    role: Role = Role.REQUIS,
    recap: BillingRecap = RECAP,
    requis: Party = EXPERT,
) -> FinalisedAct:
    written = on.isoformat()
    return FinalisedAct(
        ConversationId(f"{number:032x}"),
        role,
        RequestSent(ASKER, ASKER, written, requis, PATIENT, FORM, RECAP.requerant_number),
        Finalised(EXPERT, requis, written, recap, (), SYNTHESE),
        FORM,
        requested_on=on.date() - timedelta(days=1),
        finalised_at=on,
    )


def recorded(number: int, fact: Event, received_at: str = "") -> Recorded:
    return Recorded(EventId(f"{number:032x}"), ConversationId("c" * 32), fact, received_at, number)


def history(*, received_at: str = "2026-01-01T08:00:00+00:00") -> tuple[Recorded, ...]:
    asked = RequestSent(ASKER, ASKER, "2025-12-31T22:30:00+00:00", EXPERT, PATIENT, FORM, RECAP.requerant_number)
    return (
        recorded(1, asked),
        recorded(2, FormEdited(EXPERT, EXPERT, "2025-12-31T22:40:00+00:00", replace(FORM, objet="Lésion du dos"))),
        recorded(3, Answered(EXPERT, EXPERT, "2025-12-31T22:50:00+00:00", "Exérèse.")),
        recorded(4, Finalised(EXPERT, EXPERT, "2025-12-31T22:55:00+00:00", RECAP, (), SYNTHESE), received_at),
    )


def test_a_row_holds_everything_needed_to_bill() -> None:
    (row,) = activity_rows([act()], Role.REQUIS)

    assert row == ActivityRow(
        id=ConversationId(f"{1:032x}"),
        objet="Lésion pigmentée du dos",
        date_demande=date(2026, 3, 1),
        date_finalisation=date(2026, 3, 2),
        niveau="TE2",
        code_acte="TE2",
        montant=Decimal("23.00"),
        patient_nom="SPECIMEN",
        patient_prenoms="LUCETTE",
        patient_naissance="1958-04-17",
        patient_nir="258046999200130",
        demandeur=Professional(
            "TOURNEVENT", "Marie", "899700001011", "Médecine générale", "421990011", NumberNature.AM
        ),
        expert=Professional(
            "CHARLIER", "Anne", "899700001029", "Dermatologie et vénéréologie", "429901044", NumberNature.FINESS
        ),
        compte_service=False,
        rang=1,
        hors_plafond=False,
        depose_le=None,
        consentement=True,
        tiers_payant_amo=True,
    )


def test_the_requerant_bills_rqd_from_his_own_account() -> None:
    (row,) = activity_rows([act(role=Role.REQUERANT, requis=SERVICE)], Role.REQUERANT)

    assert (row.code_acte, row.montant, row.niveau) == ("RQD", Decimal("10.00"), "TE2")
    assert not row.compte_service


def test_an_act_received_by_a_service_says_so() -> None:
    (row,) = activity_rows([act(requis=SERVICE)], Role.REQUIS)

    assert row.compte_service
    assert row.expert.nom == "CHARLIER"


def test_absent_values_stay_absent() -> None:
    bare = act(recap=BillingRecap("TE2", ASKER, BillingNumber(), EXPERT, BillingNumber(), None))
    bare = replace(bare, request=replace(bare.request, patient=None))

    (row,) = activity_rows([bare], Role.REQUIS)

    assert (row.patient_nom, row.patient_nir, row.demandeur.numero_facturation) == ("", "", "")
    assert (row.demandeur.nature, row.expert.nature, row.rang, row.hors_plafond) == (None, None, None, False)


@pytest.mark.parametrize(
    ("on", "number", "expected"),
    [
        (datetime(2025, 12, 31, 12, tzinfo=UTC), "429901044", Decimal("20.00")),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), "429901044", Decimal("23.00")),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), "974100019", Decimal("27.60")),
        (datetime(2018, 1, 1, 12, tzinfo=UTC), "429901044", None),
    ],
)
def test_the_amount_is_that_of_the_day(on: datetime, number: str, expected: Decimal | None) -> None:
    recap = replace(RECAP, requis_number=BillingNumber(number, NumberNature.FINESS))
    (row,) = activity_rows([act(1, on, recap=recap)], Role.REQUIS)
    assert row.montant == expected


# --- the period ----------------------------------------------------------------------------------------------------


def test_both_ends_of_the_period_are_included_and_rows_are_in_order() -> None:
    days = [datetime(2026, 5, day, 12, tzinfo=UTC) for day in (20, 10, 31, 1, 30)]
    acts = [act(at, day) for at, day in enumerate(days)]

    rows = activity_rows(acts, Role.REQUIS, date(2026, 5, 10), date(2026, 5, 30))

    assert [row.date_finalisation.day for row in rows] == [10, 20, 30]
    assert [row.rang for row in rows] == [2, 3, 4], "ranks count what the period leaves out"


def test_without_dates_the_whole_activity_of_that_role_is_listed() -> None:
    acts = [act(1), act(2, role=Role.REQUERANT)]
    assert len(activity_rows(acts, Role.REQUIS)) == len(activity_rows(acts, Role.REQUERANT)) == 1
    assert activity_rows(acts, Role.REQUIS, date(2027, 1, 1), date(2026, 1, 1)) == ()


# --- the limit -----------------------------------------------------------------------------------------------------


def test_the_fifth_act_of_the_year_is_listed_and_worth_nothing() -> None:
    acts = [act(month, datetime(2026, month, 1, 12, tzinfo=UTC)) for month in range(1, 7)]
    acts.append(act(99, datetime(2027, 1, 1, 12, tzinfo=UTC)))

    rows = activity_rows(acts, Role.REQUIS)

    assert [row.rang for row in rows] == [1, 2, 3, 4, 5, 6, 1]
    assert [row.hors_plafond for row in rows] == [False] * 4 + [True, True, False]
    assert [row.montant for row in rows] == [Decimal(23)] * 4 + [Decimal(0)] * 2 + [Decimal(23)]


def test_another_patient_or_another_professional_is_counted_apart() -> None:
    other_patient = replace(RECAP, patient=replace(PATIENT, nir="149113899300281", prenoms="SIMON"))
    other_expert = replace(RECAP, requis=replace(EXPERT, account=AccountId("ps:899700001037")))
    acts = [act(1), act(2, recap=other_patient), act(3, recap=other_expert), act(4)]
    assert yearly_ranks(acts) == (1, 1, 1, 2)


def test_experts_known_by_name_alone_are_counted_apart() -> None:
    """A service may name an expert who has no account (F03)."""
    named = [replace(RECAP, requis=Party(AccountId(""), name)) for name in ("Dr A", "Dr B", "Dr A")]
    assert yearly_ranks([act(at, recap=recap) for at, recap in enumerate(named)]) == (1, 1, 2)


def test_the_two_roles_are_counted_apart() -> None:
    acts = [act(1), act(2, role=Role.REQUERANT), act(3), act(4, role=Role.REQUERANT)]
    assert yearly_ranks(acts) == (1, 1, 2, 2)


def test_a_patient_is_recognised_by_traits_when_the_nir_is_missing() -> None:
    without_nir = replace(RECAP, patient=Patient("Specimen", " lucette ", "F", "1958-04-17"))
    without_key = replace(RECAP, patient=replace(PATIENT, nir="2580469992001"))
    assert yearly_ranks([act(1), act(2, recap=without_nir), act(3, recap=without_key)]) == (1, 2, 3)


def test_namesakes_with_two_nirs_are_not_merged_with_a_third() -> None:
    twin = replace(RECAP, patient=replace(PATIENT, nir="258046999200231"))
    unknown = replace(RECAP, patient=replace(PATIENT, nir=""))
    assert yearly_ranks([act(1), act(2, recap=twin), act(3, recap=unknown)]) == (1, 1, 1)


_acts = st.lists(
    st.builds(
        lambda number, day, role, prenom: act(
            number,
            datetime(2025, 12, 1, 12, tzinfo=UTC) + timedelta(days=day),
            role=role,
            recap=replace(RECAP, patient=Patient("SPECIMEN", prenom, date_naissance="1958-04-17")),
        ),
        st.integers(0, 10**6),
        st.integers(0, 60),
        st.sampled_from(Role),
        st.sampled_from(["LUCETTE", "SIMON"]),
    ),
    max_size=30,
)


@given(_acts, st.sampled_from(Role))
def test_at_most_four_acts_a_year_are_paid_per_patient(acts: Sequence[FinalisedAct], role: Role) -> None:
    rows = activity_rows(acts, role)
    paid = Counter((row.patient_prenoms, row.date_finalisation.year) for row in rows if row.montant)
    assert max(paid.values(), default=0) <= 4
    assert len(rows) == sum(act.role is role for act in acts)
    assert [row.date_finalisation for row in rows] == sorted(row.date_finalisation for row in rows)


# --- from the history ----------------------------------------------------------------------------------------------


def test_an_act_is_read_from_the_history_in_civil_dates() -> None:
    case = replay(ConversationId("c" * 32), history())

    told = finalised_act(case, role=Role.REQUIS, zone=PARIS)

    assert told is not None
    assert told.form.objet == "Lésion du dos"
    assert told.requested_on == date(2025, 12, 31)
    assert told.finalised_at == datetime(2026, 1, 1, 9, tzinfo=PARIS)


def test_the_zone_decides_the_day_and_so_the_price() -> None:
    case = replay(ConversationId("c" * 32), history(received_at="2025-12-31T23:30:00+00:00"))
    amounts = []
    for zone in (PARIS, UTC):
        told = finalised_act(case, role=Role.REQUIS, zone=zone)
        assert told is not None
        amounts.append(activity_rows([told], Role.REQUIS)[0].montant)
    assert amounts == [Decimal("23.00"), Decimal("20.00")]


def test_an_unfinished_case_or_an_unknown_day_is_no_act() -> None:
    unfinished = replay(ConversationId("c" * 32), history()[:3])
    undated = replace(replay(ConversationId("c" * 32), history()), finalised_at="jeudi")
    message = replay(ConversationId("c" * 32), [recorded(1, MessageSent(ASKER, ASKER, "2026-01-01", "?"))])
    for case in (unfinished, undated, message):
        assert finalised_act(case, role=Role.REQUIS, zone=PARIS) is None


def test_an_instant_out_of_the_calendar_is_none() -> None:
    assert in_zone("9999-12-31T23:59:59", timezone(timedelta(hours=2))) is None
    assert in_zone("2026-01-01T00:00:00", UTC) == datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Dr Marie TOURNEVENT", ("TOURNEVENT", "Marie")),
        ("Odile AZERGUES", ("AZERGUES", "Odile")),
        ("Pr Jean-Marc DE LA TOUR", ("DE LA TOUR", "Jean-Marc")),
        ("M. Noé REMPLAÇANT-TEST", ("REMPLAÇANT-TEST", "Noé")),
        ("jean dupont", ("jean dupont", "")),
        ("", ("", "")),
    ],
)
def test_a_display_name_gives_family_and_first_name(name: str, expected: tuple[str, str]) -> None:
    assert split_name(replace(ASKER, name=name)) == expected
    assert split_name(SERVICE) == (SERVICE.name, "")
