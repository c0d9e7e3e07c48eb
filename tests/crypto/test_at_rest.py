"""Secrets at rest: one key opens them, and nothing of them can change."""

from __future__ import annotations

import pytest

from crypto.at_rest import open_secrets, seal_secrets
from crypto.errors import DecryptionFailed
from tests.support.builders import CountedRandom

KEY = bytes(range(32))
SEALED = seal_secrets(KEY, b"secrets", random=CountedRandom("nonce"))


def test_secrets_open_with_their_key() -> None:
    assert open_secrets(KEY, SEALED) == b"secrets"


def test_no_byte_can_change_nor_be_missing() -> None:
    altered = [SEALED[:place] + bytes([SEALED[place] ^ 1]) + SEALED[place + 1 :] for place in range(len(SEALED))]
    for each in (*altered, *(SEALED[:size] for size in range(len(SEALED))), SEALED + b"x"):
        with pytest.raises(DecryptionFailed):
            open_secrets(KEY, each)


@pytest.mark.parametrize("key", [bytes(32), b"", bytes(31), bytes(33)])
def test_another_key_opens_nothing(key: bytes) -> None:
    with pytest.raises(DecryptionFailed):
        open_secrets(key, SEALED)
