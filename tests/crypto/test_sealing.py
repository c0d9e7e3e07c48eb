"""What is sealed opens with its own key, context and bytes, and with nothing else; every failure looks the same."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.derivation import event_key, store_key, vault_key
from crypto.errors import CryptoError, DecryptionFailed
from crypto.primitives import KEM_PUBLIC_BYTES, KEM_SEED_BYTES
from crypto.sealing import (
    NONCE_BYTES,
    AccountKey,
    file_opener,
    file_sealer,
    open_sealed,
    seal,
    unwrap_conversation_key,
    unwrap_service_key,
    wrap_conversation_key,
    wrap_service_key,
)
from tests.support.builders import CountedRandom

KEY = bytes(range(32))
EVENT = "01" * 16
HEADER = b"the header"
OWN = AccountKey.generate(CountedRandom("own"))
OTHER = AccountKey.generate(CountedRandom("other"))


def sealed(clear: bytes = b"clear words") -> bytes:
    return seal(KEY, clear, event_id=EVENT, associated_data=HEADER, random=CountedRandom("nonce"))


def flipped(data: bytes) -> list[bytes]:
    """Every way to alter one byte."""
    return [data[:place] + bytes([data[place] ^ 0x80]) + data[place + 1 :] for place in range(len(data))]


# --- events


@given(st.binary(max_size=2000))
def test_what_is_sealed_opens(clear: bytes) -> None:
    assert open_sealed(KEY, sealed(clear), event_id=EVENT, associated_data=HEADER) == clear


def test_no_byte_of_nonce_or_body_can_change() -> None:
    for altered in flipped(sealed()):
        with pytest.raises(DecryptionFailed):
            open_sealed(KEY, altered, event_id=EVENT, associated_data=HEADER)


def test_no_byte_of_the_header_can_change() -> None:
    for altered in (*flipped(HEADER), b"", HEADER + b"x"):
        with pytest.raises(DecryptionFailed):
            open_sealed(KEY, sealed(), event_id=EVENT, associated_data=altered)


def test_no_byte_of_the_key_can_change() -> None:
    for altered in flipped(KEY):
        with pytest.raises(DecryptionFailed):
            open_sealed(altered, sealed(), event_id=EVENT, associated_data=HEADER)


def test_another_event_has_another_key() -> None:
    with pytest.raises(DecryptionFailed):
        open_sealed(KEY, sealed(), event_id="02" * 16, associated_data=HEADER)


@pytest.mark.parametrize("size", range(NONCE_BYTES + 17))
def test_a_body_cut_short_does_not_open(size: int) -> None:
    with pytest.raises(DecryptionFailed):
        open_sealed(KEY, sealed()[:size], event_id=EVENT, associated_data=HEADER)


def test_a_failure_never_says_which_part_was_wrong() -> None:
    failures = []
    for key, body, header in ((bytes(32), sealed(), HEADER), (KEY, sealed()[:-1], HEADER), (KEY, sealed(), b"")):
        with pytest.raises(CryptoError) as caught:
            open_sealed(key, body, event_id=EVENT, associated_data=header)
        failures.append((type(caught.value), str(caught.value), caught.value.args))
    assert set(failures) == {(DecryptionFailed, "", ())}


def test_purposes_never_share_a_key() -> None:
    keys = {event_key(KEY, EVENT), event_key(KEY, ""), store_key(KEY), vault_key(KEY, b""), vault_key(KEY, b"salt")}
    assert len(keys) == 5


# --- wraps


def test_a_conversation_key_opens_for_its_recipient_in_its_conversation_only() -> None:
    wrapped = wrap_conversation_key(OWN.public_key, KEY, conversation="c1", recipient="ps:1")
    assert unwrap_conversation_key(OWN, wrapped, conversation="c1", recipient="ps:1") == KEY
    for key, conversation, recipient in ((OTHER, "c1", "ps:1"), (OWN, "c2", "ps:1"), (OWN, "c1", "ps:2")):
        with pytest.raises(DecryptionFailed):
            unwrap_conversation_key(key, wrapped, conversation=conversation, recipient=recipient)


def test_no_part_of_the_context_can_slide_into_the_next() -> None:
    wrapped = wrap_conversation_key(OWN.public_key, KEY, conversation="ab", recipient="c")
    with pytest.raises(DecryptionFailed):
        unwrap_conversation_key(OWN, wrapped, conversation="a", recipient="bc")


def test_an_altered_wrap_does_not_open() -> None:
    wrapped = wrap_conversation_key(OWN.public_key, KEY, conversation="c1", recipient="ps:1")
    for altered in (*flipped(wrapped)[::37], *flipped(wrapped)[-20:], wrapped[:-1], b"", wrapped + b"x"):
        with pytest.raises(DecryptionFailed):
            unwrap_conversation_key(OWN, altered, conversation="c1", recipient="ps:1")


def test_a_conversation_key_is_no_service_key() -> None:
    wrapped = wrap_conversation_key(OWN.public_key, KEY, conversation="sv:1", recipient="ps:1")
    with pytest.raises(DecryptionFailed):
        unwrap_service_key(OWN, wrapped, account="sv:1", member="ps:1")


def test_a_service_key_opens_for_its_member() -> None:
    wrapped = wrap_service_key(OWN.public_key, OTHER, account="sv:1", member="ps:1")
    assert unwrap_service_key(OWN, wrapped, account="sv:1", member="ps:1") == OTHER
    with pytest.raises(DecryptionFailed):
        unwrap_service_key(OWN, wrapped, account="sv:1", member="ps:2")


@pytest.mark.parametrize("size", [0, 1, KEM_SEED_BYTES - 1, KEM_SEED_BYTES + 1])
def test_a_wrapped_service_key_of_the_wrong_size_is_none(size: int) -> None:
    """Anybody can seal bytes to a member; they must not become an error that nobody expects."""
    not_a_key = AccountKey(bytes(size), b"")
    wrapped = wrap_service_key(OWN.public_key, not_a_key, account="sv:1", member="ps:1")
    with pytest.raises(DecryptionFailed):
        unwrap_service_key(OWN, wrapped, account="sv:1", member="ps:1")


@pytest.mark.parametrize(
    "public_key",
    [
        b"",
        bytes(KEM_PUBLIC_BYTES - 1),
        bytes(KEM_PUBLIC_BYTES + 1),
        b"\xff" * KEM_PUBLIC_BYTES,
        bytes(KEM_PUBLIC_BYTES),
        OWN.public_key[:-32] + bytes(32),
        OWN.public_key[:-32] + b"\x01" + bytes(31),
    ],
    ids=["empty", "short", "long", "ones", "zeros", "point-at-zero", "point-at-one"],
)
def test_what_is_no_public_key_seals_nothing(public_key: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        wrap_conversation_key(public_key, KEY, conversation="c", recipient="r")


def test_no_secret_shows_in_a_key() -> None:
    assert repr(OWN) == "AccountKey()"


# --- files


def through(key: bytes, pieces: list[bytes]) -> bytes:
    sealer = file_sealer(key)
    return b"".join([*(sealer.update(piece) for piece in pieces), sealer.finish()])


def back(key: bytes, data: bytes, step: int = 1000) -> bytes:
    opener = file_opener(key)
    pieces = [opener.update(data[start : start + step]) for start in range(0, len(data), step)]
    return b"".join([*pieces, opener.finish()])


@given(st.lists(st.binary(max_size=40_000), max_size=4), st.sampled_from([7_777, 16_384, 65_536]))
def test_a_file_opens_whatever_the_pieces(pieces: list[bytes], step: int) -> None:
    assert back(KEY, through(KEY, pieces), step) == b"".join(pieces)


def test_a_file_cut_at_any_place_or_altered_does_not_open() -> None:
    whole = through(KEY, [bytes(50_000)])
    for size in (0, 1, 50, 16_400, 32_800, len(whole) - 17, len(whole) - 1):
        with pytest.raises(DecryptionFailed):
            back(KEY, whole[:size])
    for place in (0, 30, 70, 16_000, 40_000, len(whole) - 1):
        with pytest.raises(DecryptionFailed):
            back(KEY, whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
    with pytest.raises(DecryptionFailed):
        back(bytes(32), whole)
    with pytest.raises(DecryptionFailed):
        back(KEY, whole + b"x")


def test_chunks_of_a_file_cannot_change_places() -> None:
    whole = bytearray(through(KEY, [bytes(100_000)]))
    first, second = slice(20_000, 20_100), slice(36_500, 36_600)
    whole[first], whole[second] = whole[second], whole[first]
    with pytest.raises(DecryptionFailed):
        back(KEY, bytes(whole))
