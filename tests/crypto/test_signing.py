"""Device signatures: verification raises, and says one thing only."""

from __future__ import annotations

import pytest

from crypto.errors import InvalidSignature
from crypto.signing import SigningKey, verify
from tests.support.builders import CountedRandom

KEY = SigningKey.generate(CountedRandom("device"))
MESSAGE = b"the message"
SIGNATURE = KEY.sign(MESSAGE)


def test_a_signature_holds_for_its_key_and_message() -> None:
    verify(KEY.public_key, MESSAGE, SIGNATURE)


def test_no_byte_of_message_signature_or_key_can_change() -> None:
    parts = {"public_key": KEY.public_key, "message": MESSAGE, "signature": SIGNATURE}
    for name, whole in parts.items():
        for place in range(len(whole)):
            altered = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
            with pytest.raises(InvalidSignature) as caught:
                verify(**{**parts, name: altered})
            assert caught.value.args == ()


@pytest.mark.parametrize("signature", [b"", bytes(63), bytes(64), bytes(65)])
def test_what_is_no_signature_is_refused(signature: bytes) -> None:
    with pytest.raises(InvalidSignature):
        verify(KEY.public_key, MESSAGE, signature)


@pytest.mark.parametrize("public_key", [b"", bytes(31), bytes(33)])
def test_what_is_no_key_verifies_nothing(public_key: bytes) -> None:
    with pytest.raises(InvalidSignature):
        verify(public_key, MESSAGE, SIGNATURE)


def test_a_stored_seed_gives_the_same_key() -> None:
    assert SigningKey.from_seed(KEY.seed) == KEY


def test_the_seed_does_not_show() -> None:
    assert KEY.seed.hex() not in repr(KEY)
    assert repr(KEY.seed) not in repr(KEY)
