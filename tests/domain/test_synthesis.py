"""What a synthesis holds: the ticked exchanges in order, the proofs, the conclusion, and what the law asks."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from domain.events import (
    Answered,
    BillingRecap,
    Event,
    Fact,
    Flagged,
    FormEdited,
    InformationGiven,
    MessageSent,
    PersonalFlag,
    Recorded,
    RequestSent,
    Seen,
)
from domain.identifiers import AccountId, BlobId, ConversationId, EventId
from domain.messages import Attachment, RequestForm
from domain.patients import Patient
from domain.practitioners import BillingNumber, Party
from domain.synthesis import AttachedFile, LateDelivery, NothingAskedError, SynthesisContent, from_facts

PARIS = ZoneInfo("Europe/Paris")
ASKER = Party(AccountId("ps:899700001011"), "Dr Marie TOURNEVENT", "899700001011", "Médecine générale")
EXPERT = Party(AccountId("ps:899700001029"), "Dr Anne CHARLIER", "899700001029", "Dermatologie et vénéréologie")
PATIENT = Patient("SPECIMEN", "LUCETTE", "F", "1958-04-17", "69992", nir="258046999200130")
FORM = RequestForm("Lésion du dos", "Connue depuis deux ans.", "Faut-il une exérèse ?", consentement=True)
RECAP = BillingRecap("TE2", ASKER, BillingNumber("421990011"), EXPERT, BillingNumber(), PATIENT)
FINALISED_AT = datetime(2026, 7, 12, 11, 7, tzinfo=UTC)
AT = "2026-07-12T08:00:00+00:00"


def attachment(name: str) -> Attachment:
    return Attachment(BlobId("0" * 64), name, "image/jpeg", 412_345, "ab" * 32, b"k" * 32)


def place(number: int, fact: Event, received_at: str = "") -> Recorded:
    return Recorded(EventId(f"{number:032x}"), ConversationId("c" * 32), fact, received_at or fact.written_at, number)


REQUEST = RequestSent(
    ASKER, ASKER, AT, EXPERT, PATIENT, FORM, BillingNumber("421990011"), "Trois photos.", (attachment("dos.jpg"),)
)
FACTS = (
    place(1, REQUEST),
    place(2, Seen(EXPERT, EXPERT, AT, EventId(f"{1:032x}"))),
    place(3, FormEdited(ASKER, ASKER, AT, replace(FORM, objet="Lésion pigmentée du dos"))),
    place(4, InformationGiven(ASKER, ASKER, AT, "", (attachment("dos.jpg"), attachment("regle.jpg")))),
    place(5, Answered(EXPERT, EXPERT, AT, "Exérèse sous 15 jours.")),
    place(6, Flagged(EXPERT, EXPERT, AT, PersonalFlag.TO_DO, on=True)),
    place(7, MessageSent(ASKER, ASKER, AT, "Merci.")),
)


def synthesis(
    facts: tuple[Recorded, ...] = FACTS, *, without: tuple[int, ...] = (), recap: BillingRecap = RECAP
) -> SynthesisContent:
    ticked = {each.event_id for each in facts if each.position not in without}
    return from_facts(facts, included=ticked, recap=recap, finalised_at=FINALISED_AT, zone=PARIS)


def test_exchanges_are_printed_in_order_and_receipts_are_not() -> None:
    content = synthesis()
    assert [type(exchange.fact) for exchange in content.exchanges] == [
        RequestSent,
        FormEdited,
        InformationGiven,
        Answered,
        MessageSent,
    ]
    assert content.exchanges[0].at == datetime(2026, 7, 12, 10, tzinfo=PARIS)
    assert content.finalised_at == datetime(2026, 7, 12, 13, 7, tzinfo=PARIS)
    assert content.finalised_at.tzinfo is PARIS


def test_an_unticked_exchange_leaves_neither_text_nor_file() -> None:
    content = synthesis(without=(1, 4, 7))
    assert [type(exchange.fact) for exchange in content.exchanges] == [FormEdited, Answered]
    assert content.files == ()


def test_question_and_consent_stand_whatever_is_ticked() -> None:
    content = synthesis(without=tuple(range(1, 8)))
    assert content.form == replace(FORM, objet="Lésion pigmentée du dos")
    assert (content.exchanges, content.conclusion) == ((), "")
    assert content.requested_at == datetime(2026, 7, 12, 10, tzinfo=PARIS)


def test_each_file_is_listed_once_with_its_digest_and_without_its_key() -> None:
    content = synthesis()
    assert content.files == (
        AttachedFile("dos.jpg", "image/jpeg", 412_345, "ab" * 32),
        AttachedFile("regle.jpg", "image/jpeg", 412_345, "ab" * 32),
    )
    assert {field.name for field in fields(AttachedFile)} == {"name", "media_type", "size_bytes", "sha256"}


def test_the_conclusion_is_the_last_ticked_opinion() -> None:
    facts = (*FACTS, place(8, Answered(EXPERT, EXPERT, AT, "Finalement, surveillance.")))
    assert synthesis(facts).conclusion == "Finalement, surveillance."
    assert synthesis(facts, without=(8,)).conclusion == "Exérèse sous 15 jours."


def test_the_patient_of_the_recap_comes_first() -> None:
    corrected = replace(PATIENT, prenoms="LUCETTE MARIE")
    assert synthesis(recap=replace(RECAP, patient=corrected)).patient == corrected
    assert synthesis(recap=replace(RECAP, patient=None)).patient == PATIENT


def test_a_late_delivery_is_a_technical_incident_even_unticked() -> None:
    late = place(
        8, MessageSent(ASKER, ASKER, "2026-07-12T08:00:00+00:00", "Envoyé hors ligne."), "2026-07-12T08:15:01Z"
    )
    in_time = place(9, MessageSent(ASKER, ASKER, "2026-07-12T08:00:00+00:00", "À l'heure."), "2026-07-12T08:15:00Z")
    assert synthesis((*FACTS, late, in_time), without=(8,)).late_deliveries == (
        LateDelivery(ASKER, datetime(2026, 7, 12, 10, tzinfo=PARIS), datetime(2026, 7, 12, 10, 15, 1, tzinfo=PARIS)),
    )
    assert synthesis().late_deliveries == ()


def test_an_unreadable_instant_is_said_to_be_unknown() -> None:
    facts = (place(1, replace(REQUEST, written_at="hier")),)
    content = synthesis(facts)
    assert content.requested_at is None
    assert content.exchanges[0].at is None


@pytest.mark.parametrize("facts", [(), FACTS[4:]], ids=["nothing", "no request"])
def test_without_a_request_there_is_no_synthesis(facts: tuple[Recorded, ...]) -> None:
    with pytest.raises(NothingAskedError):
        synthesis(facts)


def test_every_exchange_carries_a_fact_with_its_author() -> None:
    assert all(isinstance(exchange.fact, Fact) and exchange.fact.author.name for exchange in synthesis().exchanges)
