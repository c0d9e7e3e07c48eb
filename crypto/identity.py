"""Who is behind a device: typed statements that a card signs, and the chain from them to a configured root.

A card never signs opaque bytes: each statement is JSON with its own `typ`, so a login can never pass for an
enrolment (decisions.md). A person's account key and device key are certified together, once, by the card; a service's
key is vouched for by a device of its responsible person.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from crypto.certificates import CardSubject, CertificateError, verify_card_certificate, verify_rsa_signature
from crypto.errors import InvalidSignature, UntrustedIdentity
from crypto.primitives import KEM_PUBLIC_BYTES
from crypto.signing import verify


class LoginStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="typ", tag="avicenne-login+v1"):
    """« I open a session with this relay for this device »."""

    audience: str
    nonce: str
    device_key: bytes
    issued_at: int
    """Seconds since 1970 UTC."""


class EnrolmentStatement(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="typ", tag="avicenne-device+v1"
):
    """« This device signs for me, and this key is my account's »."""

    account: str
    device_key: bytes
    """32 bytes, Ed25519."""
    account_key: bytes
    """1,216 bytes."""
    issued_at: int


class ServiceKeyStatement(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="typ", tag="avicenne-service-key+v1"
):
    """« This key is the service's », said by its responsible person's device."""

    account: str
    account_key: bytes
    issued_at: int


class VaultStatement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="typ", tag="avicenne-vault+v1"):
    """« Open this machine's vault »: signed, never sent; the salt makes it this machine's."""

    account: str
    salt: bytes


Statement = LoginStatement | EnrolmentStatement | ServiceKeyStatement | VaultStatement


@dataclass(frozen=True, slots=True)
class VerifiedDevice:
    """A device certified by its holder's card."""

    account: str
    device_key: bytes
    device_id: str
    account_key: bytes
    holder: CardSubject


@dataclass(frozen=True, slots=True)
class VerifiedLogin(VerifiedDevice):
    """A device whose holder answered a challenge with the card; the caller checks that the nonce was its own."""

    nonce: str
    issued_at: int


def encode_statement(statement: Statement) -> bytes:
    """The bytes to sign: compact JSON."""
    return msgspec.json.encode(statement)


def device_id(public_key: bytes) -> str:
    """32 hexadecimal characters naming a device key."""
    return hashlib.sha256(public_key).hexdigest()[:32]


def enrolment_instant(statement: bytes) -> datetime:
    """When a device was enrolled, as its statement says; believed only once `verify_enrolment` has passed.

    Raises:
        UntrustedIdentity: the statement cannot be read.
    """
    try:
        return datetime.fromtimestamp(_decode(EnrolmentStatement, statement).issued_at, UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise UntrustedIdentity("malformed-statement") from error


def verify_enrolment(
    *,
    enrolment: bytes,
    signature: bytes,
    certificate: bytes,
    intermediates: Sequence[bytes],
    roots: Sequence[bytes],
    at: datetime,
) -> VerifiedDevice:
    """Believe a device: chain to a root, holder is the account, the card signed this very statement.

    Raises:
        UntrustedIdentity: with a stable reason code.
    """
    holder = _holder(certificate, intermediates, roots, at)
    statement = _signed_by_card(EnrolmentStatement, enrolment, signature, certificate)
    if statement.account != f"ps:{holder.id_nat}":
        raise UntrustedIdentity("account-mismatch")
    if len(statement.device_key) != 32 or len(statement.account_key) != KEM_PUBLIC_BYTES:
        raise UntrustedIdentity("malformed-statement")
    return VerifiedDevice(
        account=statement.account,
        device_key=statement.device_key,
        device_id=device_id(statement.device_key),
        account_key=statement.account_key,
        holder=holder,
    )


def verify_login(
    *,
    login: bytes,
    login_signature: bytes,
    enrolment: bytes,
    enrolment_signature: bytes,
    certificate: bytes,
    intermediates: Sequence[bytes],
    roots: Sequence[bytes],
    audience: str,
    at: datetime,
) -> VerifiedLogin:
    """Believe a login: the device is the holder's and the card answered for this relay.

    Raises:
        UntrustedIdentity: with a stable reason code.
    """
    device = verify_enrolment(
        enrolment=enrolment,
        signature=enrolment_signature,
        certificate=certificate,
        intermediates=intermediates,
        roots=roots,
        at=at,
    )
    statement = _signed_by_card(LoginStatement, login, login_signature, certificate)
    if statement.audience != audience:
        raise UntrustedIdentity("wrong-audience")
    if statement.device_key != device.device_key:
        raise UntrustedIdentity("device-mismatch")
    return VerifiedLogin(
        account=device.account,
        device_key=device.device_key,
        device_id=device.device_id,
        account_key=device.account_key,
        holder=device.holder,
        nonce=statement.nonce,
        issued_at=statement.issued_at,
    )


def verify_service_key(statement: bytes, signature: bytes, device_key: bytes) -> tuple[str, bytes]:
    """The service and its account key, as vouched for by `device_key`. Raises UntrustedIdentity."""
    try:
        verify(device_key, statement, signature)
    except InvalidSignature as error:
        raise UntrustedIdentity("bad-signature") from error
    decoded = _decode(ServiceKeyStatement, statement)
    if len(decoded.account_key) != KEM_PUBLIC_BYTES:
        raise UntrustedIdentity("malformed-statement")
    return decoded.account, decoded.account_key


S = TypeVar("S", LoginStatement, EnrolmentStatement, ServiceKeyStatement)


def _holder(certificate: bytes, intermediates: Sequence[bytes], roots: Sequence[bytes], at: datetime) -> CardSubject:
    try:
        return verify_card_certificate(certificate, intermediates, roots, at=at)
    except CertificateError as error:
        raise UntrustedIdentity(f"certificate-{type(error).__name__.lower()}") from error


def _signed_by_card(kind: type[S], statement: bytes, signature: bytes, certificate: bytes) -> S:
    try:
        verify_rsa_signature(certificate, statement, signature)
    except (CertificateError, InvalidSignature) as error:
        raise UntrustedIdentity("bad-signature") from error
    return _decode(kind, statement)


def _decode(kind: type[S], statement: bytes) -> S:
    try:
        return msgspec.json.decode(statement, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise UntrustedIdentity("malformed-statement") from error
