"""The second lock of the vault: the card alone no longer opens it, and a missing keyring is said, never bypassed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import keyring
import pytest
from keyring.backend import KeyringBackend
from keyring.backends import fail

from client.adapters.card_vault import CardVault
from client.adapters.keyring_vault import KeyringVault
from client.errors import StoreError
from crypto.errors import DecryptionFailed

CARD_KEY = bytes(range(32))


class MemoryKeyring(KeyringBackend):
    priority = 1

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def memory() -> Iterator[MemoryKeyring]:
    before = keyring.get_keyring()
    backend = MemoryKeyring()
    keyring.set_keyring(backend)
    yield backend
    keyring.set_keyring(before)


def test_both_locks_open_it_again(tmp_path: Path, memory: MemoryKeyring) -> None:
    vault = KeyringVault(CardVault(tmp_path, os.urandom), os.urandom)
    vault.save("ps:1", b"public", CARD_KEY, b"secrets")
    assert vault.open("ps:1", CARD_KEY) == b"secrets"
    assert vault.public_part("ps:1") == b"public"


def test_the_card_alone_does_not_open_it(tmp_path: Path, memory: MemoryKeyring) -> None:
    cards = CardVault(tmp_path, os.urandom)
    KeyringVault(cards, os.urandom).save("ps:1", b"public", CARD_KEY, b"secrets")
    with pytest.raises(DecryptionFailed):
        cards.open("ps:1", CARD_KEY)


def test_another_machines_keyring_does_not_open_it(tmp_path: Path, memory: MemoryKeyring) -> None:
    vault = KeyringVault(CardVault(tmp_path, os.urandom), os.urandom)
    vault.save("ps:1", b"public", CARD_KEY, b"secrets")
    memory.kept.clear()
    with pytest.raises(DecryptionFailed):
        vault.open("ps:1", CARD_KEY)


def test_without_a_keyring_it_says_so_and_writes_nothing(tmp_path: Path) -> None:
    before = keyring.get_keyring()
    keyring.set_keyring(fail.Keyring())
    try:
        with pytest.raises(StoreError, match="trousseau"):
            KeyringVault(CardVault(tmp_path, os.urandom), os.urandom).save("ps:1", b"", CARD_KEY, b"secrets")
    finally:
        keyring.set_keyring(before)
    assert not list(tmp_path.iterdir())
