"""Bytes that must never change: others' vectors where there are some, ours of the first version everywhere else.

A store, a vault or a letter sealed by yesterday's client has to open tomorrow.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from crypto.at_rest import open_secrets, seal_secrets
from crypto.derivation import event_key, store_key, vault_key
from crypto.identity import (
    EnrolmentStatement,
    LoginStatement,
    ServiceKeyStatement,
    VaultStatement,
    encode_statement,
)
from crypto.primitives import hkdf_sha256, kem_public
from crypto.sealing import AccountKey, file_opener, open_sealed, seal, unwrap_conversation_key
from crypto.signing import SigningKey
from tests.support.builders import CountedRandom

FOLDER = Path(__file__).parent / "vectors"
OURS: dict[str, str] = json.loads((FOLDER / "ours.json").read_text(encoding="utf-8"))
XWING: list[dict[str, str]] = json.loads((FOLDER / "xwing.json").read_text(encoding="utf-8"))
KEY = bytes(range(32))


def test_hkdf_is_that_of_rfc_5869() -> None:
    """Appendix A.1."""
    okm = hkdf_sha256(b"\x0b" * 22, salt=bytes(range(13)), info=bytes(range(0xF0, 0xFA)), size=42)
    assert okm.hex() == ("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865")


def test_ed25519_is_that_of_rfc_8032() -> None:
    """7.1, test 2."""
    key = SigningKey.from_seed(bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"))
    assert key.public_key.hex() == "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"
    assert key.sign(b"\x72").hex() == (
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
    )


@pytest.mark.parametrize("vector", XWING, ids=lambda vector: vector["seed"][:8])
def test_account_keys_are_those_of_x_wing(vector: dict[str, str]) -> None:
    """X-Wing expands a 32-byte seed by SHAKE-256 into the 96 bytes that we keep (draft-irtf-cfrg-hpke-pq)."""
    expanded = hashlib.shake_256(bytes.fromhex(vector["seed"])).digest(96)
    assert hashlib.sha256(kem_public(expanded)).hexdigest() == vector["sha256_of_public_key"]


def made() -> dict[str, bytes]:
    """What today's code makes without chance of its own."""
    return {
        "event-key": event_key(KEY, "01" * 16),
        "store-key": store_key(KEY),
        "vault-key": vault_key(KEY, b"salt"),
        "sealed-event": seal(
            KEY, b"clear", event_id="01" * 16, associated_data=b"header", random=CountedRandom("vector")
        ),
        "sealed-secrets": seal_secrets(KEY, b"secrets", random=CountedRandom("vector")),
        "login-statement": encode_statement(LoginStatement("https://relay", "ab" * 32, KEY, 1_700_000_000)),
        "enrolment-statement": encode_statement(EnrolmentStatement("ps:1", KEY, b"key", 1_700_000_000)),
        "service-key-statement": encode_statement(ServiceKeyStatement("sv:1", b"key", 1_700_000_000)),
        "vault-statement": encode_statement(VaultStatement("ps:1", KEY)),
    }


@pytest.mark.parametrize("name", made())
def test_what_is_made_today_is_what_was_made_before(name: str) -> None:
    assert made()[name].hex() == OURS[name]


def test_what_was_sealed_before_opens_today() -> None:
    account = AccountKey.generate(CountedRandom("vector-account"))
    opener = file_opener(KEY)
    wrapped = bytes.fromhex(OURS["wrapped-key"])
    sealed_event = bytes.fromhex(OURS["sealed-event"])
    assert open_sealed(KEY, sealed_event, event_id="01" * 16, associated_data=b"header") == b"clear"
    assert open_secrets(KEY, bytes.fromhex(OURS["sealed-secrets"])) == b"secrets"
    assert unwrap_conversation_key(account, wrapped, conversation="c1", recipient="ps:1") == KEY
    assert opener.update(bytes.fromhex(OURS["sealed-file"])) + opener.finish() == b"content of a file"
