"""Statements that a card signs, and every reason for which they are not believed."""

from __future__ import annotations

import base64
from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.errors import UntrustedIdentity
from crypto.identity import (
    EnrolmentStatement,
    LoginStatement,
    ServiceKeyStatement,
    Statement,
    VaultStatement,
    VerifiedDevice,
    VerifiedLogin,
    device_id,
    encode_statement,
    verify_enrolment,
    verify_login,
    verify_service_key,
)
from crypto.primitives import KEM_PUBLIC_BYTES
from protocol.resources import EnrolledDevice, Signed
from tests.support.builders import ANNE, LATER, NOW, PAUL, card_signature, roots

AUDIENCE = "https://relay.example"
NONCE = "ab" * 32
STATEMENTS: tuple[Statement, ...] = (
    LoginStatement(AUDIENCE, NONCE, bytes(32), 1),
    EnrolmentStatement(ANNE.account, bytes(32), bytes(KEM_PUBLIC_BYTES), 1),
    ServiceKeyStatement(ANNE.account, bytes(KEM_PUBLIC_BYTES), 1),
    VaultStatement(ANNE.account, bytes(32)),
)


def enrolment(
    device: EnrolledDevice, *, at: datetime = NOW, trusted: tuple[bytes, ...] | None = None
) -> VerifiedDevice:
    return verify_enrolment(
        enrolment=device.enrolment.statement,
        signature=device.enrolment.signature,
        certificate=device.certificate,
        intermediates=device.intermediates,
        roots=roots() if trusted is None else trusted,
        at=at,
    )


def login(signed: Signed, device: EnrolledDevice = ANNE.enrolled, audience: str = AUDIENCE) -> VerifiedLogin:
    return verify_login(
        login=signed.statement,
        login_signature=signed.signature,
        enrolment=device.enrolment.statement,
        enrolment_signature=device.enrolment.signature,
        certificate=device.certificate,
        intermediates=device.intermediates,
        roots=roots(),
        audience=audience,
        at=NOW,
    )


def by_card(statement: bytes) -> Signed:
    return Signed(statement, card_signature(statement))


def test_an_enrolled_device_is_its_holders() -> None:
    found = enrolment(ANNE.enrolled)
    assert (found.account, found.device_key, found.account_key, found.device_id) == (
        ANNE.account,
        ANNE.signing.public_key,
        ANNE.account_key.public_key,
        ANNE.device,
    )
    assert (found.holder.nom, found.holder.prenom) == ("CHARLIER", "Anne")


def test_a_login_is_its_holders_for_this_relay() -> None:
    found = login(ANNE.login(NONCE, AUDIENCE))
    assert (found.account, found.nonce, found.issued_at) == (ANNE.account, NONCE, int(NOW.timestamp()))


def test_a_device_is_named_by_its_key() -> None:
    assert device_id(bytes(32)) == "66687aadf862bd776c8fc18b8e9f8e20"


# --- reasons


def reason_of(statement: Statement) -> str:
    with pytest.raises(UntrustedIdentity) as caught:
        enrolment(ANNE.enrol(statement))
    return caught.value.reason


def test_every_reason_for_an_enrolment_is_a_stable_code() -> None:
    good = EnrolmentStatement(ANNE.account, ANNE.signing.public_key, ANNE.account_key.public_key, 0)
    assert {
        "account": reason_of(msgspec.structs.replace(good, account=PAUL.account)),
        "prefix": reason_of(msgspec.structs.replace(good, account=ANNE.id_nat)),
        "device-key": reason_of(msgspec.structs.replace(good, device_key=bytes(31))),
        "account-key": reason_of(msgspec.structs.replace(good, account_key=bytes(32))),
        "login": reason_of(STATEMENTS[0]),
        "service": reason_of(STATEMENTS[2]),
        "vault": reason_of(STATEMENTS[3]),
    } == {
        "account": "account-mismatch",
        "prefix": "account-mismatch",
        "device-key": "malformed-statement",
        "account-key": "malformed-statement",
        "login": "malformed-statement",
        "service": "malformed-statement",
        "vault": "malformed-statement",
    }


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"at": NOW - timedelta(seconds=1)}, "certificate-notyetvalid"),
        ({"at": LATER + timedelta(seconds=1)}, "certificate-expired"),
        ({"trusted": ()}, "certificate-untrustedchain"),
    ],
)
def test_a_certificate_that_is_refused_gives_its_reason(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(UntrustedIdentity) as caught:
        enrolment(ANNE.enrolled, **changes)  # type: ignore[arg-type]
    assert caught.value.reason == reason


def test_the_card_of_another_authority_is_refused() -> None:
    with pytest.raises(UntrustedIdentity, match="certificate-untrustedchain"):
        enrolment(replace(ANNE, authority="foreign").enrolled)


@pytest.mark.parametrize("part", ["statement", "signature"])
def test_no_byte_of_statement_or_signature_can_change(part: str) -> None:
    signed = ANNE.enrolled.enrolment
    whole = getattr(signed, part)
    for place in range(0, len(whole), 29):
        altered = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        device = msgspec.structs.replace(ANNE.enrolled, enrolment=msgspec.structs.replace(signed, **{part: altered}))
        with pytest.raises(UntrustedIdentity, match="bad-signature"):
            enrolment(device)


def test_a_login_for_another_relay_is_refused() -> None:
    with pytest.raises(UntrustedIdentity, match="wrong-audience"):
        login(ANNE.login(NONCE, "https://other.example"))


def test_a_login_of_another_device_is_refused() -> None:
    with pytest.raises(UntrustedIdentity, match="device-mismatch"):
        login(replace(ANNE, machine="laptop").login(NONCE, AUDIENCE))


def test_a_login_with_a_signature_of_something_else_is_refused() -> None:
    signed = ANNE.login(NONCE, AUDIENCE)
    with pytest.raises(UntrustedIdentity, match="bad-signature"):
        login(Signed(signed.statement, ANNE.enrolled.enrolment.signature))


# --- one statement never passes for another


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda each: type(each).__name__)
def test_a_statement_says_its_type_first(statement: Statement) -> None:
    decoded = msgspec.json.decode(encode_statement(statement))
    assert next(iter(decoded)) == "typ"
    assert len({msgspec.json.decode(encode_statement(each))["typ"] for each in STATEMENTS}) == len(STATEMENTS)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda each: type(each).__name__)
def test_no_statement_but_a_login_logs_in(statement: Statement) -> None:
    signed = by_card(encode_statement(statement))
    if isinstance(statement, LoginStatement):
        with pytest.raises(UntrustedIdentity, match="device-mismatch"):
            login(signed)
    else:
        with pytest.raises(UntrustedIdentity, match="malformed-statement"):
            login(signed)


@pytest.mark.parametrize("statement", STATEMENTS, ids=lambda each: type(each).__name__)
def test_no_statement_but_a_service_key_is_one(statement: Statement) -> None:
    text = encode_statement(statement)
    signature = ANNE.signing.sign(text)
    if isinstance(statement, ServiceKeyStatement):
        assert verify_service_key(text, signature, ANNE.signing.public_key) == (ANNE.account, bytes(KEM_PUBLIC_BYTES))
    else:
        with pytest.raises(UntrustedIdentity, match="malformed-statement"):
            verify_service_key(text, signature, ANNE.signing.public_key)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{}",
        b"null",
        b"[" * 100_000,
        b'{"typ":"avicenne-login+v1"}',
        b'{"typ":"avicenne-login+v1","audience":"a","nonce":"n","device_key":"!","issued_at":1}',
        b'{"typ":"avicenne-login+v1","audience":"a","nonce":"n","device_key":"","issued_at":1,"more":1}',
        b'{"typ":"avicenne-login+v1","audience":"\xff","nonce":"n","device_key":"","issued_at":1}',
    ],
    ids=lambda text: repr(text[:40]),
)
def test_what_is_no_statement_is_malformed_even_when_signed(text: bytes) -> None:
    with pytest.raises(UntrustedIdentity, match="malformed-statement"):
        login(by_card(text))


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_but_untrusted_identity(text: bytes) -> None:
    with pytest.raises(UntrustedIdentity):
        verify_service_key(text, ANNE.signing.sign(text), ANNE.signing.public_key)


def test_keys_travel_as_base64() -> None:
    decoded = msgspec.json.decode(ANNE.enrolled.enrolment.statement)
    assert base64.b64decode(decoded["device_key"]) == ANNE.signing.public_key
