"""The conversation with a card, byte by byte, and what each answer to a code means."""

from __future__ import annotations

import pytest

from crypto.card.apdu import MalformedData
from crypto.card.errors import (
    CardDead,
    CardError,
    PinBlocked,
    PinIncorrect,
    PinRequired,
    ProtocolError,
    PukIncorrect,
    UnsupportedCard,
)
from crypto.card.port import SignedStatements
from crypto.card.profiles import CPS3, profile_for
from crypto.card.session import CardSession

CPS4_ATR = bytes.fromhex("3B9B188001001225006480040100009044")
CONTACTLESS_ATR = bytes.fromhex("3B8F80010031B86404B0ECC1739401808290000E")
SELECT_APPLICATION = "00A4040C0DE828BD080F8025000001FF0010"
VERIFY_1234 = "002000010431323334"
SHA256_OF_ABC = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"


class Script:
    """A card that answers what was written down, and fails on anything else."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        self.lines = list(lines)

    def transmit(self, apdu: bytes) -> bytes:
        assert self.lines, f"nothing more was expected, but {apdu.hex()} came"
        expected, answer = self.lines.pop(0)
        assert apdu.hex().upper() == expected
        return bytes.fromhex(answer)


def session(*lines: tuple[str, str]) -> CardSession:
    return CardSession(Script(*lines), CPS3)


def test_signing_is_one_verify_and_one_authenticate_per_statement() -> None:
    signing = session(
        (SELECT_APPLICATION, "9000"),
        (VERIFY_1234, "9000"),
        ("00A40904063F000001D128", "6A82"),
        ("002241A406840182800102", "9000"),
        ("00880000333031300D060960864801650304020105000420" + SHA256_OF_ABC, "6102"),
        ("00C0000002", "AABB9000"),
    )
    assert signing.sign([b"abc"], "1234") == SignedStatements((b"\xaa\xbb",), ())


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        (["63C2"], PinIncorrect(2)),
        (["63C1"], PinIncorrect(1)),
        (["63C0", "63C3"], PinBlocked()),
        (["6983", "63C3"], PinBlocked()),
        (["63C0", "6983"], CardDead()),
        (["6983", "6983"], CardDead()),
        (["6985"], ProtocolError(0x6985)),
        (["6982"], PinRequired()),
    ],
)
def test_each_answer_to_the_code_porteur_has_its_meaning(answers: list[str], error: CardError) -> None:
    lines = zip([VERIFY_1234, "00200002"], answers, strict=False)
    with pytest.raises(CardError) as raised:
        session(*lines).verify_pin("1234")
    assert (type(raised.value), raised.value.args) == (type(error), error.args)


@pytest.mark.parametrize(("answer", "error"), [("63C2", PukIncorrect(2)), ("63C0", CardDead()), ("6983", CardDead())])
def test_each_answer_to_the_code_de_deblocage_has_its_meaning(answer: str, error: CardError) -> None:
    with pytest.raises(CardError) as raised:
        session(("00200002083939393930303030", answer)).unblock("99990000", "1234")
    assert (type(raised.value), raised.value.args) == (type(error), error.args)


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "１２３４", "12 4"])
def test_a_code_that_cannot_be_right_is_never_sent(pin: str) -> None:
    with pytest.raises(ValueError, match="4 to 8 digits"):
        session().verify_pin(pin)
    with pytest.raises(ValueError, match="4 to 8 digits"):
        session().change_pin("1234", pin)
    with pytest.raises(ValueError, match="4 to 8 digits"):
        session().unblock("99990000", pin)


def test_a_code_de_deblocage_that_cannot_be_right_is_never_sent() -> None:
    with pytest.raises(ValueError, match="8 to 8 digits"):
        session().unblock("9999", "1234")


@pytest.mark.parametrize(("answer", "left"), [("63C3", 3), ("63C1", 1), ("63C0", 0), ("6983", 0), ("9000", 3)])
def test_the_counter_is_read_without_a_code(answer: str, left: int) -> None:
    assert session(("00200001", answer)).tries_left() == left


def test_a_long_file_is_read_in_pieces() -> None:
    reading = session(
        ("00A40904063F000001A002", "6108"),
        ("00C0000008", "62068002010182009000"),
        ("00B0000000", "AA" * 256 + "9000"),
        ("00B0010001", "BB9000"),
    )
    assert reading.read_file(bytes.fromhex("3F000001A002")) == b"\xaa" * 256 + b"\xbb"


class Endless:
    """A card that always has more to say."""

    def transmit(self, _: bytes) -> bytes:
        return bytes.fromhex("AA6101")


def test_a_card_that_never_ends_is_cut_off() -> None:
    with pytest.raises(MalformedData, match="never ends"):
        CardSession(Endless(), CPS3).serial()


@pytest.mark.parametrize("fcp", ["6200", "", "62048002FFFF", "620680047FFFFFFF", "6F048002000A"])
def test_a_file_without_a_possible_size_is_malformed(fcp: str) -> None:
    length = f"{len(fcp) // 2:02X}"
    lines = [("00A40904043F00D003", f"61{length}"), (f"00C00000{length}", fcp + "9000")]
    with pytest.raises(MalformedData, match="no file size"):
        session(*(lines if fcp else [("00A40904043F00D003", "9000")])).serial()


def test_only_the_cps3_in_contact_mode_is_driven() -> None:
    assert profile_for(CPS3.atr) is CPS3
    for atr in (CPS4_ATR, CONTACTLESS_ATR, b"", b"\x3b\x00"):
        with pytest.raises(UnsupportedCard):
            profile_for(atr)
