"""Letters as bytes: every kind of fact comes back whole, and nothing else comes out."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.events import (
    CLASS_OF_KIND,
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
    RequestSent,
    Seen,
    TakenInCharge,
)
from domain.identifiers import AccountId, BlobId, EventId
from domain.messages import MAX_TEXT_CHARS, Attachment, RequestForm
from domain.patients import Patient
from domain.practitioners import BillingNumber, NumberNature, Party
from domain.status import EventKind
from protocol.errors import RemoteProtocolError
from protocol.limits import MAX_FRAME_BYTES, MAX_LETTER_BYTES
from protocol.payload import decode_event, encode_event, kind_of

VECTORS = Path(__file__).parent / "vectors" / "letters.json"

ANNE = Party(
    AccountId("ps:899700001029"), "Dr Anne CHARLIER", "899700001029", "Médecin généraliste", "42000 Saint-Étienne"
)
AVIS = Party(AccountId("sv:avis"), "Avis Dermatologie", is_service=True)
FILE = Attachment(BlobId("ab" * 32), "lésion.jpg", "image/jpeg", 3_400_000, "cd" * 32, bytes(range(32)))
FORM = RequestForm("Lésion du dos", "Apparue il y a trois mois.", "Exérèse ?", consentement=True)
PATIENT = Patient("SPECIMEN", "Lucette", "F", "1958-04-17", nir="258047401234589")
WHO = (ANNE, AVIS, "2026-11-22T09:00:00+00:00")
EXCHANGE = (*WHO, "Texte\naccentué ✓", (FILE,), True, True)
RECAP = BillingRecap("TE2", ANNE, BillingNumber("421990029"), ANNE, BillingNumber("", NumberNature.FINESS), PATIENT)

FACTS: dict[EventKind, Event] = {
    EventKind.REQUEST_SENT: RequestSent(*WHO, AVIS, PATIENT, FORM, BillingNumber("421990029"), "Photos", (FILE,), True),
    EventKind.TAKEN_IN_CHARGE: TakenInCharge(*WHO),
    EventKind.MESSAGE_SENT: MessageSent(*EXCHANGE),
    EventKind.ANSWERED: Answered(*EXCHANGE),
    EventKind.INFORMATION_REQUESTED: InformationRequested(*EXCHANGE),
    EventKind.INFORMATION_GIVEN: InformationGiven(*EXCHANGE),
    EventKind.FORM_EDITED: FormEdited(*WHO, FORM),
    EventKind.DECLINED: Declined(*WHO, "Hors champ"),
    EventKind.CANCELLED: Cancelled(*WHO, "Erreur"),
    EventKind.FINALISED: Finalised(*WHO, RECAP, (EventId("01" * 16),), FILE),
    EventKind.SEEN: Seen(*WHO, EventId("01" * 16)),
    EventKind.FLAGGED: Flagged(*WHO, PersonalFlag.TO_DO, True),
}


@pytest.mark.parametrize("kind", EventKind)
def test_a_letter_has_the_bytes_it_always_had(kind: EventKind) -> None:
    """Letters are kept for ever: a difference here makes old cases unreadable."""
    assert encode_event(FACTS[kind]).hex() == json.loads(VECTORS.read_text(encoding="utf-8"))[kind.value]


@pytest.mark.parametrize("kind", EventKind)
def test_a_letter_of_yesterday_is_read_as_the_same_fact(kind: EventKind) -> None:
    data = bytes.fromhex(json.loads(VECTORS.read_text(encoding="utf-8"))[kind.value])
    assert decode_event(kind, data) == FACTS[kind]
    assert kind_of(FACTS[kind]) is kind


def test_every_kind_has_its_own_class() -> None:
    assert set(CLASS_OF_KIND) == set(EventKind)
    assert len(set(CLASS_OF_KIND.values())) == len(EventKind)


@pytest.mark.parametrize("data", [b"", b"\xc0", b"\x80", b"\x90", b"\x91" * 50_000, b"\xff"])
@pytest.mark.parametrize("kind", [EventKind.REQUEST_SENT, EventKind.SEEN])
def test_what_is_no_letter_is_refused(kind: EventKind, data: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="contenu illisible"):
        decode_event(kind, data)


def test_a_letter_does_not_pass_for_another_kind_with_other_parts() -> None:
    with pytest.raises(RemoteProtocolError):
        decode_event(EventKind.FINALISED, encode_event(FACTS[EventKind.MESSAGE_SENT]))


def test_the_longest_text_of_the_widest_letters_fits_a_frame() -> None:
    widest = Answered(*WHO, "😀" * MAX_TEXT_CHARS, (FILE,) * 20)
    assert len(encode_event(widest)) < MAX_LETTER_BYTES < MAX_FRAME_BYTES


@given(st.sampled_from(EventKind), st.binary(max_size=300))
def test_no_bytes_raise_anything_but_the_peers_error(kind: EventKind, data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        decode_event(kind, data)


@given(st.sampled_from(EventKind), st.integers(0, 2000), st.integers(0, 255))
def test_no_altered_byte_raises_anything_but_the_peers_error(kind: EventKind, place: int, value: int) -> None:
    whole = bytearray(encode_event(FACTS[kind]))
    whole[place % len(whole)] = value
    with contextlib.suppress(RemoteProtocolError):
        decode_event(kind, bytes(whole))
