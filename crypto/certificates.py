"""The door to pyca/cryptography for certificates: may this card speak, and for whom?

Pure: bytes and an instant in, a `CardSubject` or an error out. It reads no file, no clock and no network: roots are
given by the caller (never taken from a card), and so are revocation lists.

CertificateError
├── Malformed             not DER, or no subject we can read
├── WeakKey               not RSA, or below 2048 bits
├── NotYetValid
├── Expired
├── WrongUsage            not a certificate for authentication
├── WrongHolderType       not the card of a person (no identifier, or an unknown kind of one)
├── UntrustedChain        no path to a root we were given
├── Revoked               listed by the authority that issued it
└── InvalidSignature      the statement was not signed by this certificate's key
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature as _BadSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import verification
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

MIN_RSA_BITS = 2048
"""ANSSI, Guide des mécanismes cryptographiques 2.04: RSA moduli of at least 2048 bits until the end of 2030."""

MAX_INTERMEDIATES = 2
"""IGC-Santé has one authority between root and card; one more is room for a renewal."""

OID_IDNAT_PS = x509.ObjectIdentifier("1.2.250.1.71.4.2.1")
"""National identifier of the practitioner (IGC-Santé)."""
OID_IDNAT_STRUCTURE = x509.ObjectIdentifier("1.2.250.1.71.4.2.2")
"""Identifier of the structure that answers for the holder of a CPE (IGC-Santé)."""
OID_PROFESSION = x509.ObjectIdentifier("1.2.250.1.71.1.2.7")
"""Profession code, nomenclature G15."""


class CertificateError(Exception):
    """A certificate, or what it signed, is refused."""


class Malformed(CertificateError):
    """Not DER, or not a subject we can read."""


class WeakKey(CertificateError):
    """The key is not RSA, or is shorter than `MIN_RSA_BITS`."""


class NotYetValid(CertificateError):
    """The validity period has not begun."""


class Expired(CertificateError):
    """The validity period is over."""


class WrongUsage(CertificateError):
    """The certificate is not one for authentication (an authority's, or the signature certificate of a card)."""


class WrongHolderType(CertificateError):
    """The holder is not a person with a card (a server, an organisation)."""


class UntrustedChain(CertificateError):
    """No path leads from the certificate to a trusted root."""


class Revoked(CertificateError):
    """The authority has revoked the certificate."""


class InvalidSignature(CertificateError):
    """The key of this certificate did not sign this statement."""


class CardType(enum.Enum):
    """What kind of person holds the card."""

    CPS = "CPS"
    """Professionnel de santé, registered with an order or a ministry."""
    CPE = "CPE"
    """Personnel d'établissement: acts for a structure, under a pseudonym."""


@dataclass(frozen=True, slots=True)
class CardSubject:
    """Who a card certificate was issued to, read from its multi-valued subject."""

    id_nat: str
    """Identifier type digit and national identifier: `899700001011` (8, RPPS), `3429901044/0038` (3, FINESS)."""
    nom: str
    """Surname; the pseudonym on a CPE."""
    prenom: str
    """Given name; empty on a CPE."""
    title: str
    """Profession in words (`Médecin`); empty when the certificate has none."""
    profession: str
    """Profession code of nomenclature G15 (`10`); empty when the certificate has none."""
    card_type: CardType
    raw: str
    """The whole subject as RFC 4514 text, for display and audit."""


def verify_card_certificate(
    leaf_der: bytes,
    intermediates_der: Sequence[bytes],
    roots_der: Sequence[bytes],
    *,
    at: datetime,
    crls: Sequence[bytes] = (),
) -> CardSubject:
    """Decide whether an authentication certificate of a CPS card is to be believed at an instant.

    Args:
        leaf_der: the card's authentication certificate, DER.
        intermediates_der: authorities the card brought along, DER, in any order; they are not trusted by themselves.
        roots_der: the trusted roots, DER.
        at: the instant of the decision, with a time zone.
        crls: revocation lists, DER. Lists by another issuer or with a bad signature are ignored. Whether a missing
            or stale list must refuse is the caller's policy, not yet decided here.

    Returns:
        The holder. Nothing in it may be used before this function has returned.

    Raises:
        CertificateError: one class per reason; when several apply, the first in the order of the tree above.
    """
    leaf = _parse(leaf_der)
    _check_key(leaf)
    _check_period(leaf, at)
    _check_usage(leaf)
    subject = read_unverified_subject(leaf_der)
    chain = _build_chain(leaf, [_parse(der) for der in intermediates_der], [_parse(der) for der in roots_der], at)
    _check_revocation(chain, crls)
    return subject


def read_unverified_subject(leaf_der: bytes) -> CardSubject:
    """Read the holder without believing it: to show who the card says it is, before any verification.

    Raises:
        Malformed: the certificate cannot be read.
        WrongHolderType: the subject is not that of a CPS or CPE.
    """
    leaf = _parse(leaf_der)
    identifier = _attribute(leaf.subject, NameOID.COMMON_NAME)
    card_type = _card_type(identifier)
    is_cps = card_type is CardType.CPS
    return CardSubject(
        id_nat=identifier,
        nom=_attribute(leaf.subject, NameOID.SURNAME if is_cps else NameOID.PSEUDONYM),
        prenom=_attribute(leaf.subject, NameOID.GIVEN_NAME) if is_cps else "",
        title=_attribute(leaf.subject, NameOID.TITLE),
        profession=_text_extension(leaf, OID_PROFESSION),
        card_type=card_type,
        raw=leaf.subject.rfc4514_string(),
    )


def verify_rsa_signature(cert_der: bytes, statement: bytes, signature: bytes) -> None:
    """Check that the key of a certificate signed a statement. Says nothing about the certificate itself.

    Args:
        cert_der: certificate, DER.
        statement: what was signed, before hashing.
        signature: RSA PKCS#1 v1.5 with SHA-256 (RFC 8017, 8.2), as long as the modulus.

    Raises:
        InvalidSignature: for every cause but an unreadable certificate or a weak key.
        Malformed: the certificate cannot be read.
        WeakKey: the key is not RSA of at least `MIN_RSA_BITS`.
    """
    key = _check_key(_parse(cert_der))
    try:
        key.verify(signature, statement, padding.PKCS1v15(), hashes.SHA256())
    except _BadSignature:
        raise InvalidSignature from None


def _parse(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        _ = certificate.extensions, certificate.subject, certificate.issuer
    except (ValueError, TypeError, x509.DuplicateExtension) as error:
        raise Malformed(str(error)) from error
    return certificate


def _check_key(certificate: x509.Certificate) -> rsa.RSAPublicKey:
    try:
        key = certificate.public_key()
    except Exception as error:
        # An unknown algorithm or an impossible curve: whatever the library says, the key is of no use here.
        raise WeakKey(type(error).__name__) from error
    if not isinstance(key, rsa.RSAPublicKey) or key.key_size < MIN_RSA_BITS:
        raise WeakKey(type(key).__name__)
    return key


def _check_period(leaf: x509.Certificate, at: datetime) -> None:
    if at < leaf.not_valid_before_utc:
        raise NotYetValid(leaf.not_valid_before_utc.isoformat())
    if at > leaf.not_valid_after_utc:
        raise Expired(leaf.not_valid_after_utc.isoformat())


def _check_usage(leaf: x509.Certificate) -> None:
    """Refuse authorities, signature certificates and certificates without client authentication."""
    try:
        key_usage = leaf.extensions.get_extension_for_class(x509.KeyUsage).value
        extended = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound as error:
        raise WrongUsage(str(error)) from error
    if not key_usage.digital_signature or key_usage.key_cert_sign or key_usage.content_commitment:
        raise WrongUsage("keyUsage")
    if ExtendedKeyUsageOID.CLIENT_AUTH not in extended:
        raise WrongUsage("extendedKeyUsage")


def _build_chain(
    leaf: x509.Certificate,
    intermediates: list[x509.Certificate],
    roots: list[x509.Certificate],
    at: datetime,
) -> list[x509.Certificate]:
    """Find a path from the leaf to a root; the leaf comes first."""
    if not roots:
        raise UntrustedChain("no root is trusted")
    verifier = (
        verification.PolicyBuilder()
        .store(verification.Store(roots))
        .time(at)
        .max_chain_depth(MAX_INTERMEDIATES)
        .extension_policies(ca_policy=verification.ExtensionPolicy.webpki_defaults_ca(), ee_policy=_leaf_policy())
        .build_client_verifier()
    )
    try:
        return verifier.verify(leaf, intermediates).chain
    except verification.VerificationError as error:
        raise UntrustedChain(str(error)) from error


def _leaf_policy() -> verification.ExtensionPolicy:
    """Accept a leaf without subjectAltName: card certificates name a person, not a host."""
    return (
        verification.ExtensionPolicy.permit_all()
        .require_present(x509.KeyUsage, verification.Criticality.AGNOSTIC, None)
        .require_present(x509.ExtendedKeyUsage, verification.Criticality.AGNOSTIC, None)
        .require_present(x509.AuthorityKeyIdentifier, verification.Criticality.AGNOSTIC, None)
        .may_be_present(x509.BasicConstraints, verification.Criticality.AGNOSTIC, _refuse_authority)
    )


def _refuse_authority(
    _policy: verification.Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints | None
) -> None:
    if constraints is not None and constraints.ca:
        raise ValueError("an authority's certificate cannot be a card's")


def _check_revocation(chain: Sequence[x509.Certificate], crls: Sequence[bytes]) -> None:
    """Refuse a chain of which one member is listed by its own issuer. Freshness of lists is not judged here."""
    lists = [_parse_crl(der) for der in crls]
    for certificate, issuer in pairwise(chain):
        key = _check_key(issuer)
        for crl in lists:
            if crl.issuer != issuer.subject or not crl.is_signature_valid(key):
                continue
            if crl.get_revoked_certificate_by_serial_number(certificate.serial_number) is not None:
                raise Revoked(f"{certificate.serial_number:x}")


def _parse_crl(der: bytes) -> x509.CertificateRevocationList:
    try:
        return x509.load_der_x509_crl(der)
    except ValueError as error:
        raise Malformed(str(error)) from error


def _card_type(identifier: str) -> CardType:
    """Tell the card from the first digit of the identifier (0 ADELI, 8 RPPS: a person; 3 FINESS: a structure's)."""
    digits = identifier.replace("/", "")
    if not (digits.isascii() and digits.isdigit()):
        raise WrongHolderType(identifier)
    if identifier[0] in "08" and "/" not in identifier:
        return CardType.CPS
    if identifier[0] == "3" and "/" in identifier:
        return CardType.CPE
    raise WrongHolderType(identifier)


def _attribute(name: x509.Name, oid: x509.ObjectIdentifier) -> str:
    """Return the one value of an attribute, wherever it stands in a multi-valued RDN; empty when absent."""
    values = name.get_attributes_for_oid(oid)
    if len(values) > 1:
        raise Malformed(f"{oid.dotted_string} is given {len(values)} times")
    return str(values[0].value) if values else ""


_TEXT_TAGS = frozenset({0x0C, 0x13, 0x16})
"""UTF8String, PrintableString, IA5String."""


def _text_extension(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> str:
    """Read a private extension that holds one short ASN.1 string; empty when absent."""
    try:
        extension = certificate.extensions.get_extension_for_oid(oid).value
    except x509.ExtensionNotFound:
        return ""
    value = extension.value if isinstance(extension, x509.UnrecognizedExtension) else b""
    if len(value) < 2 or value[0] not in _TEXT_TAGS or value[1] != len(value) - 2:
        raise Malformed(oid.dotted_string)
    return value[2:].decode("utf-8", errors="replace")
