"""What every `CardPort` promises, asked of both: through a private pcscd, and in this process."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from crypto import certificates
from crypto.card.errors import (
    CardDead,
    CardError,
    CardRemoved,
    NoCard,
    NoReader,
    PinBlocked,
    PinIncorrect,
    PukIncorrect,
)
from crypto.card.port import CardSlot, SituationExercice, SituationFacturation
from crypto.card.profiles import CPS3
from crypto.card.virtual import pki
from crypto.card.virtual.image import save_image
from crypto.card.virtual.personalise import personalise
from crypto.certificates import verify_card_certificate, verify_rsa_signature
from tests.crypto.card.desk import NOW, PHYSICIAN, ROWS, Desk, eventually

Tries = Callable[[], tuple[int, int]]


def test_the_readers_are_listed_with_what_sits_in_them(desk: Desk) -> None:
    slots = desk.port.slots()
    assert CardSlot(desk.reader, CPS3.atr) in slots
    assert CardSlot(desk.other_reader, None) in slots


def test_a_card_says_who_it_is_without_a_code(desk: Desk, igc: pki.TestIgc) -> None:
    identity = desk.port.identity(desk.reader)
    assert (identity.serial, identity.card_type) == ("0000000002", "CPS")
    assert identity.situations == (
        SituationExercice(1, "CABINET CHARLIER", "L"),
        SituationExercice(2, "ST04", "S"),
    )
    assert identity.issuer_certificates == (igc.personnes.certificate,)
    subject = verify_card_certificate(
        identity.authentication_certificate, identity.issuer_certificates, igc.roots, at=NOW
    )
    assert subject.id_nat == "899700001029"


def test_one_code_signs_every_statement_and_opens_the_billing_situations(desk: Desk) -> None:
    statements = [b"login", b"enrolment", b""]
    signed = desk.port.sign(desk.reader, statements, "1234")
    certificate = desk.port.identity(desk.reader).authentication_certificate
    for statement, signature in zip(statements, signed.signatures, strict=True):
        verify_rsa_signature(certificate, statement, signature)
    assert signed.situations_facturation == (
        SituationFacturation(1, "Cabinet Saint-Étienne", "421990029", "SM15", "421"),
    )


def test_a_wrong_code_costs_one_try_and_says_how_many_are_left(desk: Desk, tries: Tries) -> None:
    with pytest.raises(PinIncorrect) as raised:
        desk.port.sign(desk.reader, [b"x"], "0000")
    assert raised.value.tries_left == 2
    assert desk.port.tries_left(desk.reader) == 2
    assert tries() == (2, 3)


def test_asking_costs_no_try(desk: Desk, tries: Tries) -> None:
    assert [desk.port.tries_left(desk.reader) for _ in range(5)] == [3] * 5
    assert tries() == (3, 3)


def test_a_right_code_refills_the_counter(desk: Desk) -> None:
    with pytest.raises(PinIncorrect):
        desk.port.sign(desk.reader, [], "0000")
    desk.port.sign(desk.reader, [], "1234")
    assert desk.port.tries_left(desk.reader) == 3


def test_three_wrong_codes_block_and_the_code_de_deblocage_unblocks(desk: Desk, tries: Tries) -> None:
    for error in (PinIncorrect, PinIncorrect, PinBlocked, PinBlocked):
        with pytest.raises(error):
            desk.port.sign(desk.reader, [b"x"], "0000")
    assert desk.port.tries_left(desk.reader) == 0
    with pytest.raises(PukIncorrect) as raised:
        desk.port.unblock(desk.reader, "11111111", "4321")
    assert raised.value.tries_left == 2
    desk.port.unblock(desk.reader, "99990000", "4321")
    assert tries() == (3, 3)
    assert len(desk.port.sign(desk.reader, [b"x"], "4321").signatures) == 1


def test_a_spent_code_de_deblocage_is_the_end_of_the_card(desk: Desk, tries: Tries) -> None:
    for error in (PukIncorrect, PukIncorrect, CardDead, CardDead):
        with pytest.raises(error):
            desk.port.unblock(desk.reader, "11111111", "4321")
    with pytest.raises(CardDead):
        desk.port.sign(desk.reader, [b"x"], "1234")
    with pytest.raises(CardDead):
        desk.port.unblock(desk.reader, "99990000", "4321")
    assert tries() == (0, 0)


def test_a_code_is_changed_by_who_knows_the_old_one(desk: Desk) -> None:
    with pytest.raises(PinIncorrect):
        desk.port.change_pin(desk.reader, "0000", "987654")
    desk.port.change_pin(desk.reader, "1234", "987654")
    with pytest.raises(PinIncorrect):
        desk.port.sign(desk.reader, [], "1234")
    desk.port.sign(desk.reader, [], "987654")


def test_nothing_stays_open_after_signing(desk: Desk) -> None:
    """A second caller of the port finds the counter hidden by nothing: the card was reset."""
    desk.port.sign(desk.reader, [b"x"], "1234")
    with desk.port._transaction(desk.reader, reset=False) as connection:
        connection.transmit(bytes.fromhex("002241A406840182800102"))
        assert connection.transmit(bytes.fromhex("0088000001AA")).hex() == "6982"


def test_nothing_stays_open_after_a_failure_past_the_code(desk: Desk) -> None:
    class Broken(list[bytes]):
        def __iter__(self) -> Iterator[bytes]:
            yield b"x"
            raise KeyError

    with pytest.raises(KeyError):
        desk.port.sign(desk.reader, Broken(), "1234")
    assert desk.port.tries_left(desk.reader) == 3
    with desk.port._transaction(desk.reader, reset=False) as connection:
        assert connection.transmit(bytes.fromhex("00200001")).hex() == "63c3"


def test_an_empty_reader_and_an_unknown_one_are_told_apart(desk: Desk) -> None:
    with pytest.raises(NoCard):
        desk.port.identity(desk.other_reader)
    with pytest.raises(NoReader):
        desk.port.identity("Lecteur inconnu")


class Pulled(Sequence[bytes]):
    """Statements of which the second is reached only after the card has left."""

    def __init__(self, remove: Callable[[], None]) -> None:
        self._remove = remove

    def __len__(self) -> int:
        return 2

    def __getitem__(self, _: object) -> bytes:  # type: ignore[override]
        raise NotImplementedError

    def __iter__(self) -> Iterator[bytes]:
        yield b"first"
        self._remove()
        yield b"second"


def test_a_card_pulled_between_two_signatures_signs_nothing(desk: Desk, image: Path) -> None:
    with pytest.raises(CardRemoved):
        desk.port.sign(desk.reader, Pulled(desk.remove), "1234")
    eventually(lambda: not desk.has_card())
    with pytest.raises(NoCard):
        desk.port.sign(desk.reader, [b"x"], "1234")
    desk.insert(image)
    eventually(desk.has_card)
    assert len(desk.port.sign(desk.reader, [b"x"], "1234").signatures) == 1


def test_another_card_in_the_same_reader_is_another_person(desk: Desk, secretary_image: Path) -> None:
    desk.remove()
    eventually(lambda: not desk.has_card())
    desk.insert(secretary_image)
    eventually(desk.has_card)
    identity = desk.port.identity(desk.reader)
    assert (identity.serial, identity.card_type) == ("0000000038", "CPE")


def test_two_threads_take_turns(desk: Desk) -> None:
    """The reset at the end of one signature must not fail the one that waited for its turn."""
    failures: list[CardError] = []

    def work() -> None:
        try:
            for _ in range(3):
                desk.port.identity(desk.reader)
                desk.port.sign(desk.reader, [b"x"], "1234")
        except CardError as error:
            failures.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_the_certificate_of_an_expired_card_is_refused_though_the_card_signs(
    desk: Desk, igc: pki.TestIgc, tmp_path: Path
) -> None:
    swap(desk, igc, tmp_path, validite_fin="2026-11-21")
    identity = desk.port.identity(desk.reader)
    assert desk.port.sign(desk.reader, [b"x"], "1234").signatures
    with pytest.raises(certificates.Expired):
        verify_card_certificate(identity.authentication_certificate, identity.issuer_certificates, igc.roots, at=NOW)


def test_a_card_of_another_hierarchy_is_refused_though_it_signs(desk: Desk, igc: pki.TestIgc, tmp_path: Path) -> None:
    swap(desk, pki.generate_igc(NOW), tmp_path, validite_fin="2028-12-31")
    identity = desk.port.identity(desk.reader)
    assert desk.port.sign(desk.reader, [b"x"], "1234").signatures
    with pytest.raises(certificates.UntrustedChain):
        verify_card_certificate(identity.authentication_certificate, identity.issuer_certificates, igc.roots, at=NOW)


def swap(desk: Desk, igc: pki.TestIgc, tmp_path: Path, *, validite_fin: str) -> None:
    """Put a card made for the occasion into the first reader."""
    entry = msgspec.structs.replace(PHYSICIAN, validite_fin=validite_fin)
    path = tmp_path / "other.card.json"
    save_image(path, personalise(entry, ROWS["PS02"], igc, not_before=NOW - timedelta(days=400)))
    desk.remove()
    eventually(lambda: not desk.has_card())
    desk.insert(path)
    eventually(desk.has_card)
