"""Practitioners for tests and benchmarks: a card authority, cards, devices, logins and envelopes, all real signatures.

One RSA key serves every card: making them is slow, and nothing here depends on their being different.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto.identity import EnrolmentStatement, LoginStatement, ServiceKeyStatement, device_id, encode_statement
from crypto.primitives import KEM_PUBLIC_BYTES
from crypto.signing import SigningKey
from domain.identifiers import AccountId, BlobId, ConversationId, DeviceId, EventId
from domain.status import EventKind
from protocol.envelope import Envelope, Header, encode_header, signed_bytes
from protocol.resources import Challenge, EnrolledDevice, KeyDocument, LoginRequest, ServiceKey, Signed
from protocol.version import PROTOCOL_VERSION

BORN = datetime(2020, 1, 1, tzinfo=UTC)
_ids = itertools.count(1)


def fresh_id() -> str:
    """32 hexadecimal characters never returned before in this process."""
    return f"{next(_ids):032x}"


@cache
def card_key() -> rsa.RSAPrivateKey:
    """The key of every card and of their authority."""
    return rsa.generate_private_key(65537, 2048)


@cache
def root() -> bytes:
    """DER of the authority that issues the cards."""
    return _certificate("AC TEST", "AC TEST", authority=True)


def _certificate(holder: str, issuer: str, *, authority: bool, given: str = "", surname: str = "") -> bytes:
    key = card_key()
    names = [(NameOID.COMMON_NAME, holder), (NameOID.SURNAME, surname), (NameOID.GIVEN_NAME, given)]
    subject = x509.Name([x509.NameAttribute(oid, value) for oid, value in names if value])
    issued_by = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issued_by)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BORN)
        .not_valid_after(BORN + timedelta(days=36500))
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(_usage(authority=authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False)
    )
    if not authority:
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


@dataclass(slots=True)
class Person:
    """A practitioner with a card and one device."""

    id_nat: str
    given: str = "Anne"
    surname: str = "CHARLIER"
    key: SigningKey = field(init=False)
    enrolled: EnrolledDevice = field(init=False)

    def __post_init__(self) -> None:
        self.key = SigningKey.from_seed(self.id_nat.encode().rjust(32, b"\0")[:32])
        statement = encode_statement(
            EnrolmentStatement(
                account=self.account,
                device_key=self.key.public_key,
                account_key=bytes(KEM_PUBLIC_BYTES),
                issued_at=int(BORN.timestamp()),
            )
        )
        certificate = _certificate(self.id_nat, "AC TEST", authority=False, given=self.given, surname=self.surname)
        self.enrolled = EnrolledDevice(Signed(statement, _card_signature(statement)), certificate)

    @property
    def account(self) -> AccountId:
        """`ps:` and the national identifier."""
        return AccountId(f"ps:{self.id_nat}")

    @property
    def device(self) -> DeviceId:
        """The device's identifier."""
        return DeviceId(device_id(self.key.public_key))

    def login(self, challenge: Challenge, *, at: datetime, audience: str = "") -> LoginRequest:
        """The card's answer to a challenge."""
        statement = encode_statement(
            LoginStatement(
                audience=audience or challenge.audience,
                nonce=challenge.nonce,
                device_key=self.key.public_key,
                issued_at=int(at.timestamp()),
            )
        )
        return LoginRequest(Signed(statement, _card_signature(statement)), self.enrolled)

    def envelope(self, kind: EventKind, conversation: str, recipients: tuple[str, ...], **changes: object) -> Envelope:
        """A signed envelope; `changes` replaces parts of it: event_id, sender, author, device, blobs, wraps, body."""
        body = changes.pop("body", b"sealed")
        assert isinstance(body, bytes)
        parts: dict[str, object] = {
            "version": PROTOCOL_VERSION,
            "event_id": EventId(fresh_id()),
            "conversation": ConversationId(conversation),
            "kind": kind,
            "author": self.account,
            "sender": self.account,
            "device": self.device,
            "recipients": tuple(AccountId(account) for account in recipients),
            "wraps": dict.fromkeys(recipients, b"wrap") if kind is EventKind.REQUEST_SENT else {},
        }
        header = encode_header(Header(**{**parts, **changes}))  # type: ignore[arg-type]
        unsigned = Envelope(header, body, b"")
        return Envelope(header, body, self.key.sign(signed_bytes(unsigned)))

    def service_key(
        self, account: str, wraps: dict[str, bytes], *, key: bytes = bytes(KEM_PUBLIC_BYTES)
    ) -> KeyDocument:
        """A service's key document, vouched for by this person's device."""
        statement = encode_statement(
            ServiceKeyStatement(account=account, account_key=key, issued_at=int(BORN.timestamp()))
        )
        members = {AccountId(member): wrap for member, wrap in wraps.items()}
        service = ServiceKey(statement, self.key.sign(statement), self.account, members)
        return KeyDocument(AccountId(account), service=service)


def _card_signature(statement: bytes) -> bytes:
    return card_key().sign(statement, padding.PKCS1v15(), hashes.SHA256())


def blob_id(data: bytes) -> BlobId:
    """The identifier of sealed bytes."""
    digest = hashes.Hash(hashes.SHA256())
    digest.update(data)
    return BlobId(digest.finalize().hex())
