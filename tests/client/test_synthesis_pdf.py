"""The PDF says what the content says, the same bytes each time, and no text breaks it or escapes from it."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from client.adapters.printable import printable
from client.adapters.synthesis_pdf import render
from domain.events import (
    Answered,
    BillingRecap,
    Cancelled,
    Declined,
    Event,
    FormEdited,
    InformationGiven,
    MessageSent,
    Recorded,
    RequestSent,
    TakenInCharge,
)
from domain.identifiers import AccountId, BlobId, ConversationId, EventId
from domain.messages import MAX_TEXT_CHARS, Attachment, RequestForm
from domain.patients import Patient
from domain.practitioners import BillingNumber, NumberNature, Party
from domain.synthesis import SynthesisContent, from_facts

PARIS = ZoneInfo("Europe/Paris")
ASKER = Party(AccountId("ps:899700001011"), "Dr Marie TOURNEVENT", "899700001011", "Médecine générale", "Saint-Galmier")
EXPERT = Party(AccountId("ps:899700001029"), "Dr Anne CHARLIER", "899700001029", "Dermatologie et vénéréologie")
SERVICE = Party(AccountId("sv:SV14"), "Avis Dermatologie", is_service=True)
PATIENT = Patient("SPECIMEN", "LUCETTE", "F", "1958-04-17", "69992", nir="258046999200130")
FORM = RequestForm("Lésion du dos", "Cœur : rien.", "Faut-il une exérèse ? < 1 cm & 37 °C, 23 € ♀ →", consentement=True)
RECAP = BillingRecap(
    "TE2", ASKER, BillingNumber("421990011"), EXPERT, BillingNumber(nature=NumberNature.FINESS), PATIENT
)
AT = "2026-07-12T11:02:00+00:00"
REQUEST = RequestSent(
    ASKER,
    ASKER,
    AT,
    SERVICE,
    PATIENT,
    FORM,
    BillingNumber("421990011"),
    "Trois photos.",
    (Attachment(BlobId("0" * 64), "dos.jpg", "image/jpeg", 412_345, "ab" * 32, bytes(32)),),
    urgent=True,
)
ANSWER = Answered(EXPERT, SERVICE, AT, "Exérèse sous 15 jours.\n\nPhotoprotection.")


def content(
    *facts: Event, recap: BillingRecap = RECAP, incidents: tuple[str, ...] = (), received_at: str = AT
) -> SynthesisContent:
    recorded = [
        Recorded(EventId(f"{at:032x}"), ConversationId("c" * 32), fact, received_at, at)
        for at, fact in enumerate(facts or (REQUEST, ANSWER), start=1)
    ]
    return from_facts(
        recorded,
        included={each.event_id for each in recorded},
        recap=recap,
        finalised_at=datetime(2026, 7, 12, 11, 7, tzinfo=UTC),
        zone=PARIS,
        incidents=incidents,
    )


def pages(pdf: bytes) -> list[str]:
    return [page.extract_text().replace("\u00a0", " ") for page in PdfReader(io.BytesIO(pdf)).pages]


def words(pdf: bytes) -> str:
    return " ".join(" ".join(pages(pdf)).split())


def test_importing_the_renderer_does_not_import_reportlab() -> None:
    """Loading reportlab costs a tenth of a second that only finalising needs."""
    probe = "import sys, client.adapters.synthesis_pdf; sys.exit('reportlab' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", probe], check=False).returncode == 0


def test_equal_contents_give_equal_bytes_in_any_process() -> None:
    here = hashlib.sha256(render(content())).hexdigest()
    probe = (
        "import hashlib\nfrom tests.client.test_synthesis_pdf import content, render\n"
        "print(hashlib.sha256(render(content())).hexdigest())"
    )
    there = subprocess.run(
        [sys.executable, "-c", probe], check=True, capture_output=True, text=True, env={"PYTHONHASHSEED": "7"}
    )
    assert here == there.stdout.strip() == hashlib.sha256(render(content())).hexdigest()
    assert here != hashlib.sha256(render(content(replace(REQUEST, urgent=False), ANSWER))).hexdigest()


@pytest.mark.parametrize(
    "expected",
    [
        "Synthèse de téléexpertise",
        "Finalisée le 12/07/2026 à 13:07 · demandée le 12/07/2026 à 13:02 · version 1",
        "Patient · identité de test",
        "Nom de naissance SPECIMEN",
        "17/04/1958",
        "Féminin",
        "2 58 04 69 992 001 30",
        "1.2.250.1.213.1.4.10",
        "Dr Marie TOURNEVENT",
        "Identifiant national 899700001029",
        "Au nom de Avis Dermatologie",
        "Consentement du patient : recueilli · demande signalée urgente",
        "Faut-il une exérèse ? < 1 cm & 37 °C, 23 € (F) ->",
        "Cœur : rien.",
        "Avis rendu Exérèse sous 15 jours. Photoprotection.",
        "Échanges retenus (2)",
        "Prérequis de l'expert : Trois photos.",
        "Pièce jointe : dos.jpg",
        "SHA-256 " + "ab" * 32,
        "412 Ko",
        "TE2 · 23,00 €",
        "RQD · 10,00 €",
        "Numéro de facturation non renseigné 421990011 (AM)",
        "Tiers payant AMO",
        "Aucun incident technique signalé.",
        "Avicenne",
        "page 1/",
    ],
)
def test_the_document_says(expected: str) -> None:
    assert expected in words(render(content()))


def test_each_kind_of_exchange_has_its_words() -> None:
    said = words(
        render(
            content(
                REQUEST,
                TakenInCharge(EXPERT, SERVICE, AT),
                FormEdited(ASKER, ASKER, AT, replace(FORM, histoire_clinique="Nouvelle histoire.")),
                InformationGiven(ASKER, ASKER, AT, "Voici."),
                MessageSent(ASKER, ASKER, AT, "Merci."),
                Declined(EXPERT, EXPERT, AT, "Hors champ."),
                Cancelled(ASKER, ASKER, AT, "Doublon."),
            )
        )
    )
    for expected in (
        "Prise en charge · Dr Anne CHARLIER, Dermatologie et vénéréologie, au nom de « Avis Dermatologie »",
        "Formulaire modifié",
        "Nouvelle histoire.",
        "Message · Dr Marie",
        "Hors champ.",
        "Doublon.",
        "Aucun avis parmi les échanges retenus.",
    ):
        assert expected in said


def test_incidents_are_printed() -> None:
    said = words(render(content(incidents=("Panne du réseau.",), received_at="2026-07-12T12:30:00Z")))
    assert "Panne du réseau." in said
    assert (
        "Transmission différée : écrit par Dr Anne CHARLIER le 12/07/2026 à 13:02, reçu le 12/07/2026 à 14:30." in said
    )
    assert "Aucun incident" not in said


def test_a_patient_who_is_absent_is_said_to_be() -> None:
    said = words(
        render(content(replace(REQUEST, patient=None, form=RequestForm("")), recap=replace(RECAP, patient=None)))
    )
    assert "Patient non renseigné" in said
    assert "NIR du patient : non renseigné" in said
    assert "Consentement du patient : non renseigné" in said
    assert "Sans objet" in said


def test_an_act_without_a_tariff_keeps_its_code() -> None:
    assert "Acte TE9 RQD · 10,00 €" in words(render(content(recap=replace(RECAP, niveau="TE9"))))


def test_a_real_identity_is_not_called_a_test() -> None:
    real = replace(PATIENT, ins_oid="1.2.250.1.213.1.4.8")
    assert "identité de test" not in words(render(content(recap=replace(RECAP, patient=real))))


def test_every_font_is_inside() -> None:
    reader = PdfReader(io.BytesIO(render(content())))
    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]
    embedded = [font for font in fonts if "/FontDescriptor" in font]
    assert {font["/BaseFont"].rpartition("+")[2] for font in embedded} >= {"BitstreamVeraSans-Roman"}
    assert all("/FontFile2" in font["/FontDescriptor"].get_object() for font in embedded)
    assert reader.metadata is not None
    assert reader.metadata.title == "Synthèse de téléexpertise"
    assert str(reader.root_object["/Lang"]) == "fr-FR"


# --- hostile texts -------------------------------------------------------------------------------------------------

HOSTILE = (
    '<font size="40">gros</font>',
    "</para></b>&lt;b&gt; <img src='file:///etc/passwd'/> <a href='https://x.example'>x</a>",
    "\x00\x1b]0;titre\x07\x1b[31mrouge\u202etfel",
    "&#x1b; &amp;amp; <br/><para><seq id='x'/>",
)


@pytest.mark.parametrize("text", HOSTILE)
def test_markup_is_printed_not_obeyed(text: str) -> None:
    pdf = render(content(REQUEST, replace(ANSWER, text=text)))
    expected = "".join(printable(text, range(0x20, 0x7F)).split())
    assert expected in "".join(words(pdf).split())
    assert b"/URI" not in pdf
    assert not any("/XObject" in page["/Resources"] for page in PdfReader(io.BytesIO(pdf)).pages)  # type: ignore[operator]


@pytest.mark.parametrize(
    "text",
    [
        "x" * MAX_TEXT_CHARS,
        "\n".join("ab" for _ in range(MAX_TEXT_CHARS // 3)),
        "😀" * MAX_TEXT_CHARS,
        "<b>&amp;" * 2500,
    ],
    ids=["one word", "lines", "emoji", "markup"],
)
def test_the_longest_text_is_printed_over_pages(text: str) -> None:
    numbered = PdfReader(io.BytesIO(render(content(REQUEST, replace(ANSWER, text=text))))).pages
    assert len(numbered) > 4
    assert f"page {len(numbered)}/{len(numbered)}" in numbered[-1].extract_text()


def test_a_thousand_exchanges_are_all_printed() -> None:
    facts = [MessageSent(ASKER, ASKER, AT, f"Message numéro {number}.") for number in range(1000)]
    said = words(render(content(REQUEST, *facts)))
    assert "Échanges retenus (1001)" in said
    assert all(f"Message numéro {number}." in said for number in range(0, 1000, 37))


def test_hostile_names_stay_in_their_boxes() -> None:
    bad = "<font size=40>\x1b]0;x\x07" + "W" * MAX_TEXT_CHARS + "😀" * 500
    who = replace(ASKER, name=bad, profession=bad, place=bad, id_nat=bad)
    patient = Patient(bad, bad, bad, bad, bad, bad, bad, bad)
    request = replace(REQUEST, author=who, requis=who, patient=patient, form=RequestForm(bad, bad, bad), prerequis=bad)
    recap = BillingRecap(bad, who, BillingNumber(bad), who, BillingNumber(bad), patient)
    assert len(pages(render(content(request, recap=recap, incidents=(bad,))))) > 4


@given(st.text(st.characters(codec=None), max_size=200))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_text_at_all_breaks_the_document(text: str) -> None:
    who = replace(ASKER, name=text)
    assert render(content(replace(REQUEST, author=who, form=RequestForm(text, text, text)), replace(ANSWER, text=text)))


# --- glyphs --------------------------------------------------------------------------------------------------------

LATIN = frozenset(range(0x20, 0x7F)) | frozenset(map(ord, "éèœ€µ« »\u00a0\u00ad"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("œ € é µ «", "œ € é µ «"),
        ("e\u0301", "é"),
        ("♀ ♂ → β", "(F) (M) -> bêta"),
        ("ﬁ ẽ ²", "fi e 2"),
        ("a\u202fb\tc\u00add", "a\u00a0b    cd"),
        ("\x1b[31m\u202e😀\ud800", "[U+001B][31m[U+202E][U+1F600][U+D800]"),
        ("a\r\nb\rc", "a\nb\nc"),
    ],
)
def test_a_sign_the_font_lacks_is_replaced_in_sight(text: str, expected: str) -> None:
    assert printable(text, LATIN) == expected


@given(st.text(st.characters(codec=None)))
def test_what_is_printable_has_glyphs(text: str) -> None:
    assert set(map(ord, printable(text, LATIN))) <= LATIN | {ord("\n")} | set(map(ord, "ê"))
