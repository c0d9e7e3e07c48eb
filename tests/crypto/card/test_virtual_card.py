"""The chip, asked in bytes: its counters, what a reset forgets, and that nothing sent to it makes it fall over."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crypto.card.profiles import SHA256_DIGEST_INFO
from crypto.card.virtual.card import VirtualCard
from crypto.card.virtual.image import CardImage
from crypto.certificates import verify_rsa_signature

VERIFY_PIN = "0020000104"
VERIFY_PUK = "0020000208"
RIGHT, WRONG = "31323334", "30303030"
RIGHT_PUK, WRONG_PUK = "3939393930303030", "3030303030303030"
SELECT_AUTHENTICATION_KEY = "002241A406840182800102"
DIGEST_INFO = SHA256_DIGEST_INFO + hashlib.sha256(b"statement").digest()
AUTHENTICATE = f"00880000{len(DIGEST_INFO):02X}" + DIGEST_INFO.hex()
FIRST_BILLING_FILE = "00A4090C063F000001D128"

Ask = Callable[[str], str]


@pytest.fixture
def memories() -> list[CardImage]:
    """Every memory the card persisted, in order."""
    return []


@pytest.fixture
def card(factory_images: Mapping[str, CardImage], memories: list[CardImage]) -> VirtualCard:
    return VirtualCard(factory_images["PS02"], memories.append)


@pytest.fixture
def ask(card: VirtualCard) -> Ask:
    return lambda apdu: card.process(bytes.fromhex(apdu)).hex().upper()


def test_a_wrong_code_counts_down_and_a_right_one_refills(ask: Ask) -> None:
    assert ask("00200001") == "63C3"
    assert ask(VERIFY_PIN + WRONG) == "63C2"
    assert ask("00200001") == "63C2"
    assert ask(VERIFY_PIN + RIGHT) == "9000"
    assert ask("00200001") == "9000"


def test_the_try_is_persisted_before_the_code_is_compared(ask: Ask, memories: list[CardImage]) -> None:
    ask(VERIFY_PIN + RIGHT)
    assert [memory.pin.tries_left for memory in memories] == [2, 3]


def test_a_card_that_cannot_persist_does_not_compare(factory_images: Mapping[str, CardImage]) -> None:
    def fail(_: CardImage) -> None:
        raise OSError("no space")

    card = VirtualCard(factory_images["PS02"], fail)
    with pytest.raises(OSError, match="no space"):
        card.process(bytes.fromhex(VERIFY_PIN + RIGHT))
    assert card.process(bytes.fromhex("00200001")).hex().upper() == "63C3"


def test_three_wrong_codes_block_even_the_right_one(ask: Ask) -> None:
    assert [ask(VERIFY_PIN + WRONG) for _ in range(3)] == ["63C2", "63C1", "63C0"]
    assert ask(VERIFY_PIN + RIGHT) == "6983"
    assert ask("00200001") == "6983"


def test_a_wrong_code_closes_what_a_right_one_opened(ask: Ask) -> None:
    ask(VERIFY_PIN + RIGHT)
    ask(VERIFY_PIN + WRONG)
    ask(SELECT_AUTHENTICATION_KEY)
    assert ask(AUTHENTICATE) == "6982"


@pytest.mark.parametrize("form", ["after", "in front"])
def test_the_code_de_deblocage_sets_a_new_code(ask: Ask, form: str) -> None:
    for _ in range(3):
        ask(VERIFY_PIN + WRONG)
    if form == "after":
        assert ask(VERIFY_PUK + RIGHT_PUK) == "9000"
        assert ask("002C020104" + "39383736") == "9000"
    else:
        assert ask("002C00010C" + RIGHT_PUK + "39383736") == "9000"
    assert ask(VERIFY_PIN + "39383736") == "9000"
    assert ask(VERIFY_PIN + RIGHT) == "63C2"


def test_a_code_is_not_reset_without_the_code_de_deblocage(ask: Ask) -> None:
    ask(VERIFY_PIN + RIGHT)
    assert ask("002C020104" + "39383736") == "6982"


def test_the_right_to_reset_is_used_up(ask: Ask) -> None:
    ask(VERIFY_PUK + RIGHT_PUK)
    ask("002C020104" + RIGHT)
    assert ask("002C020104" + "39383736") == "6982"


def test_a_spent_code_de_deblocage_kills_the_card_for_good(ask: Ask, card: VirtualCard) -> None:
    assert [ask(VERIFY_PUK + WRONG_PUK) for _ in range(3)] == ["63C2", "63C1", "63C0"]
    card.reset()
    assert ask(VERIFY_PUK + RIGHT_PUK) == "6983"
    assert ask(VERIFY_PIN + RIGHT) == "6983"


@pytest.mark.parametrize("new", ["313233", "313233343536373839", "31323341"])
def test_a_new_code_must_be_four_to_eight_digits(ask: Ask, new: str) -> None:
    length = 4 + len(new) // 2
    assert ask(f"00240001{length:02X}" + RIGHT + new) == "6A80"
    assert ask(VERIFY_PIN + RIGHT) == "9000"


def test_a_changed_code_replaces_the_old_one(ask: Ask) -> None:
    assert ask("002400010A" + RIGHT + "393837363534") == "9000"
    assert ask("0020000106" + "393837363534") == "9000"


def test_a_reset_forgets_what_a_code_opened(ask: Ask, card: VirtualCard) -> None:
    ask(VERIFY_PIN + RIGHT)
    card.reset()
    assert ask(SELECT_AUTHENTICATION_KEY) == "9000"
    assert ask(AUTHENTICATE) == "6982"


def test_billing_situations_open_after_the_code_and_practice_situations_before(ask: Ask) -> None:
    assert ask("00A4090C063F000001D120") == "9000"
    assert ask("00B0000000").endswith("9000")
    assert ask(FIRST_BILLING_FILE) == "9000"
    assert ask("00B0000000") == "6982"
    ask(VERIFY_PIN + RIGHT)
    assert ask("00B0000000").endswith("9000")


def test_each_key_does_its_own_operation_only(ask: Ask) -> None:
    ask(VERIFY_PIN + RIGHT)
    assert ask("002241A406840181800102") == "6985"
    assert ask("002241B606840182800142") == "6985"
    assert ask("002241A406840183800102") == "6A88"


def test_a_signature_waits_for_get_response(ask: Ask, card: VirtualCard) -> None:
    ask(SELECT_AUTHENTICATION_KEY)
    ask(VERIFY_PIN + RIGHT)
    assert ask(AUTHENTICATE) == "6100"
    signature = bytes.fromhex(ask("00C0000000"))[:-2]
    verify_rsa_signature(_certificate(card, "3F000001A002"), b"statement", signature)


def test_the_signature_key_hashes_and_signs(ask: Ask, card: VirtualCard) -> None:
    ask(VERIFY_PIN + RIGHT)
    ask("002241B606840181800142")
    assert ask("002A90A00B8009" + b"statement".hex()) == "9000"
    signature = bytes.fromhex(ask("002A9E9A00"))[:-2]
    verify_rsa_signature(_certificate(card, "3F000001A001"), b"statement", signature)
    assert ask("002A9E9A00") == "6985"


def _certificate(card: VirtualCard, path: str) -> bytes:
    return next(file.content for file in card.image.files if file.path == path)


def test_too_much_to_authenticate_is_refused(ask: Ask) -> None:
    ask(SELECT_AUTHENTICATION_KEY)
    ask(VERIFY_PIN + RIGHT)
    assert ask("0088000067" + "00" * 0x67) == "6700"


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("0084000008", "6D00"),
        ("8020000104", "6E00"),
        ("00200009", "6A88"),
        ("00A4090C023FFF", "6A82"),
        ("00A4040C0411223344", "6A82"),
        ("00A4070C023F00", "6A86"),
        ("00B0000000", "6985"),
        ("00C0000000", "6985"),
        ("002000010531", "6700"),
        ("00CB3FFF0411223344", "6A80"),
    ],
)
def test_refusals_say_why(ask: Ask, apdu: str, status: str) -> None:
    assert ask(apdu) == status


def test_a_wrong_le_is_corrected_by_the_card(ask: Ask) -> None:
    assert ask("00B09C00C0") == "6C0C"
    assert ask("00B09C000C") == "5A0A8025000001" + "0000000002" + "9000"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(apdus=st.lists(st.binary(max_size=40), max_size=6))
def test_no_bytes_make_it_fall_over(factory_images: Mapping[str, CardImage], apdus: list[bytes]) -> None:
    card = VirtualCard(factory_images["PS02"], lambda _: None)
    for apdu in apdus:
        assert len(card.process(apdu)) >= 2


INSTRUCTIONS = [0x20, 0x22, 0x24, 0x2A, 0x2C, 0x88, 0xA4, 0xB0, 0xC0, 0xCB]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    commands=st.lists(
        st.tuples(st.sampled_from(INSTRUCTIONS), st.sampled_from([0, 2, 0x41, 0x90, 0x9E]), st.binary(max_size=20)),
        max_size=12,
    )
)
def test_no_sequence_of_known_instructions_gains_a_try_or_signs_without_the_code(
    factory_images: Mapping[str, CardImage], commands: list[tuple[int, int, bytes]]
) -> None:
    blocked = replace(factory_images["PS02"], pin=replace(factory_images["PS02"].pin, tries_left=1))
    card = VirtualCard(blocked, lambda _: None)
    for ins, p1, data in commands:
        for p2 in (0x01, 0xA4, 0xB6):
            response = card.process(bytes([0, ins, p1, p2, len(data)]) + data if data else bytes([0, ins, p1, p2]))
            assert len(response) < 200
    assert card.image.pin.tries_left <= 1
