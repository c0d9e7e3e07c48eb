"""Device secrets in a file: only the wrapping key opens it, and a crash never leaves half of one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from client.adapters.card_vault import CardVault
from client.errors import StoreError
from crypto.errors import DecryptionFailed
from tests.support.builders import CountedRandom

ACCOUNT = "ps:899700001029"
KEY = bytes(range(32))


@pytest.fixture
def vault(tmp_path: Path) -> CardVault:
    return CardVault(tmp_path / "data", CountedRandom("vault"))


def the_file(tmp_path: Path) -> Path:
    (found,) = (tmp_path / "data").iterdir()
    return found


def test_a_new_machine_has_no_public_part(vault: CardVault) -> None:
    assert vault.public_part(ACCOUNT) is None


def test_a_vault_that_is_not_there_does_not_open(vault: CardVault) -> None:
    with pytest.raises(StoreError, match="disparu"):
        vault.open(ACCOUNT, KEY)


def test_what_is_saved_comes_back(vault: CardVault) -> None:
    vault.save(ACCOUNT, b"public", KEY, b"secret")
    assert (vault.public_part(ACCOUNT), vault.open(ACCOUNT, KEY)) == (b"public", b"secret")


def test_another_machine_process_reads_the_same(vault: CardVault, tmp_path: Path) -> None:
    vault.save(ACCOUNT, b"public", KEY, b"secret")
    assert CardVault(tmp_path / "data", CountedRandom("other")).open(ACCOUNT, KEY) == b"secret"


def test_another_key_does_not_open(vault: CardVault) -> None:
    vault.save(ACCOUNT, b"public", KEY, b"secret")
    with pytest.raises(DecryptionFailed):
        vault.open(ACCOUNT, bytes(32))


def test_each_account_has_its_own(vault: CardVault) -> None:
    vault.save(ACCOUNT, b"public", KEY, b"secret")
    assert vault.public_part("ps:899700001011") is None


def test_nothing_secret_is_readable_and_nobody_else_reads_the_file(vault: CardVault, tmp_path: Path) -> None:
    vault.save(ACCOUNT, b"public", KEY, b"very secret words")
    content = the_file(tmp_path).read_bytes()
    assert b"secret" not in content
    assert ACCOUNT.encode() not in content
    assert "899700001029" not in the_file(tmp_path).name
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (the_file(tmp_path), tmp_path / "data")]
    assert modes == [0o600, 0o700]


def test_saving_again_uses_another_nonce(vault: CardVault, tmp_path: Path) -> None:
    contents = []
    for _ in range(2):
        vault.save(ACCOUNT, b"public", KEY, b"secret")
        contents.append(the_file(tmp_path).read_bytes())
    assert contents[0] != contents[1]


@pytest.mark.parametrize("damage", [b"", b"\x81", b"not a vault", b"\xff" * 40])
def test_a_damaged_vault_says_so(vault: CardVault, tmp_path: Path, damage: bytes) -> None:
    vault.save(ACCOUNT, b"public", KEY, b"secret")
    the_file(tmp_path).write_bytes(damage)
    with pytest.raises(StoreError, match="illisible"):
        vault.public_part(ACCOUNT)


def test_every_altered_byte_of_the_secrets_is_noticed(vault: CardVault, tmp_path: Path) -> None:
    vault.save(ACCOUNT, b"", KEY, b"secret")
    path = the_file(tmp_path)
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises((DecryptionFailed, StoreError)):
            vault.open(ACCOUNT, KEY)


def test_a_disk_that_fails_leaves_the_vault_of_before(vault: CardVault, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.save(ACCOUNT, b"before", KEY, b"secret")

    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="No space"):
            vault.save(ACCOUNT, b"after", KEY, b"other")
    assert (vault.public_part(ACCOUNT), vault.open(ACCOUNT, KEY)) == (b"before", b"secret")
