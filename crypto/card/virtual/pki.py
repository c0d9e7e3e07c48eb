"""A test IGC-Santé: the authorities and keys of the virtual cards.

It imitates the names, extensions and key usages of the real hierarchy under `TEST` and `IGC-SANTE TEST`, so that
nothing it issues can be taken for a real card. It is the only place that makes certificates; nothing in the product
trusts it unless a composition root hands over its root.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from crypto.card.virtual import keys
from crypto.certificates import OID_IDNAT_PS, OID_IDNAT_STRUCTURE, OID_PROFESSION, CardType

ROOT_YEARS = 20
AUTHORITY_YEARS = 12
SMARTCARD_LOGON = x509.ObjectIdentifier("1.3.6.1.4.1.311.20.2.2")
"""Extended key usage that real authentication certificates carry beside clientAuth."""


@dataclass(frozen=True, slots=True)
class Authority:
    """A certificate authority of the test hierarchy."""

    certificate: bytes
    """DER."""
    private_key: bytes = field(repr=False)
    """PKCS#8 DER, in clear: it protects nothing but demo data."""


@dataclass(frozen=True, slots=True)
class TestIgc:
    """The hierarchy: a root and the authority that issues the cards of persons."""

    __test__ = False

    racine: Authority
    personnes: Authority

    @property
    def roots(self) -> tuple[bytes, ...]:
        """What a relying party trusts, DER."""
        return (self.racine.certificate,)


class Usage(Enum):
    """The two key pairs of a card."""

    AUTHENTICATION = "authentication"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Holder:
    """Whom a card is issued to."""

    card_type: CardType
    id_nat: str
    """Type digit and identifier, as in `crypto.certificates.CardSubject.id_nat`."""
    nom: str
    prenom: str
    title: str = ""
    profession: str = ""
    """Profession code G15, `10` for a physician; empty for a CPE."""


def generate_igc(now: datetime) -> TestIgc:
    """Make a new hierarchy, valid from the day before `now`."""
    not_before = now - timedelta(days=1)
    root_key, key = keys.generate(), keys.generate()
    root_name = _authority_name("TEST AC RACINE IGC-SANTE ELEMENTAIRE")
    name = _authority_name("TEST AC IGC-SANTE ELEMENTAIRE PERSONNES")
    root = _builder(root_name, root_name, root_key.public_key(), not_before, _years_after(not_before, ROOT_YEARS))
    child = _builder(name, root_name, key.public_key(), not_before, _years_after(not_before, AUTHORITY_YEARS))
    return TestIgc(
        racine=_authority(root, root_key, root_key, path_length=1),
        personnes=_authority(child, key, root_key, path_length=0),
    )


def issue_certificate(
    issuer: Authority, holder: Holder, private_key: bytes, usage: Usage, *, not_before: datetime, not_after: datetime
) -> bytes:
    """Issue the certificate of one key of a card.

    Args:
        issuer: the authority that signs.
        holder: written into the multi-valued subject and the IdNat extensions.
        private_key: the card's key, PKCS#8 DER; only its public half is used.
        usage: decides keyUsage and extendedKeyUsage.
        not_before: start of validity, with a time zone.
        not_after: end of validity, with a time zone.

    Returns:
        X.509 v3, DER.
    """
    authority = x509.load_der_x509_certificate(issuer.certificate)
    public_key = keys.load(private_key).public_key()
    builder = (
        _builder(_holder_name(holder), authority.subject, public_key, not_before, not_after)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=False)
        .add_extension(_issuer_identifier(authority.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
        .add_extension(_key_usage(usage), critical=True)
    )
    if usage is Usage.AUTHENTICATION:
        extended = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, SMARTCARD_LOGON])
        builder = builder.add_extension(extended, critical=False)
    for oid, text in _private_extensions(holder):
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, _printable(text)), critical=False)
    return _sign(builder, keys.load(issuer.private_key))


def issue_crl(issuer: Authority, revoked: tuple[bytes, ...], *, this_update: datetime, next_update: datetime) -> bytes:
    """Issue a revocation list over certificates (DER) of this authority; returns DER."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.load_der_x509_certificate(issuer.certificate).subject)
        .last_update(this_update)
        .next_update(next_update)
    )
    for certificate in revoked:
        serial = x509.load_der_x509_certificate(certificate).serial_number
        entry = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(this_update).build()
        builder = builder.add_revoked_certificate(entry)
    crl = builder.sign(keys.load(issuer.private_key), hashes.SHA256())
    return crl.public_bytes(serialization.Encoding.DER)


def _authority_name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "FR"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "ASIP-SANTE"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "0002 187512751"),
            x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "IGC-SANTE TEST"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _holder_name(holder: Holder) -> x509.Name:
    country = x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.COUNTRY_NAME, "FR")])
    if holder.card_type is CardType.CPE:
        person = [
            x509.NameAttribute(NameOID.PSEUDONYM, f"{holder.nom} {holder.prenom}"),
            x509.NameAttribute(NameOID.COMMON_NAME, holder.id_nat),
        ]
    else:
        person = [
            x509.NameAttribute(NameOID.SURNAME, holder.nom),
            x509.NameAttribute(NameOID.COMMON_NAME, holder.id_nat),
            x509.NameAttribute(NameOID.GIVEN_NAME, holder.prenom),
        ]
    parts = [country, x509.RelativeDistinguishedName(person)]
    if holder.title:
        parts.insert(1, x509.RelativeDistinguishedName([x509.NameAttribute(NameOID.TITLE, holder.title)]))
    return x509.Name(parts)


def _years_after(instant: datetime, years: int) -> datetime:
    return instant + timedelta(days=365 * years)


def _authority(
    builder: x509.CertificateBuilder, key: rsa.RSAPrivateKey, issuer_key: rsa.RSAPrivateKey, *, path_length: int
) -> Authority:
    builder = (
        builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
        .add_extension(_ca_key_usage(), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(_issuer_identifier(issuer_key.public_key()), critical=False)
    )
    return Authority(_sign(builder, issuer_key), keys.private_bytes(key))


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: rsa.RSAPublicKey, not_before: datetime, not_after: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(_serial_number(public_key))
        .not_valid_before(not_before)
        .not_valid_after(not_after)
    )


def _serial_number(public_key: rsa.RSAPublicKey) -> int:
    """Derive 120 bits from the key: unique without a register, positive as RFC 5280 (4.1.2.2) asks."""
    digest = hashlib.sha256(public_key.public_numbers().n.to_bytes(keys.KEY_BITS // 8)).digest()
    return int.from_bytes(digest[:15]) | 1


def _issuer_identifier(public_key: object) -> x509.AuthorityKeyIdentifier:
    if not isinstance(public_key, rsa.RSAPublicKey):
        raise TypeError(type(public_key).__name__)
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key)


def _sign(builder: x509.CertificateBuilder, key: rsa.RSAPrivateKey) -> bytes:
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def _key_usage(usage: Usage) -> x509.KeyUsage:
    signature = usage is Usage.SIGNATURE
    return _usage_bits(digital_signature=not signature, content_commitment=signature, authority=False)


def _ca_key_usage() -> x509.KeyUsage:
    return _usage_bits(digital_signature=False, content_commitment=False, authority=True)


def _usage_bits(*, digital_signature: bool, content_commitment: bool, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=digital_signature,
        content_commitment=content_commitment,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


def _private_extensions(holder: Holder) -> list[tuple[x509.ObjectIdentifier, str]]:
    if holder.card_type is CardType.CPE:
        return [(OID_IDNAT_STRUCTURE, holder.id_nat.partition("/")[0])]
    extensions = [(OID_IDNAT_PS, holder.id_nat)]
    if holder.profession:
        extensions.append((OID_PROFESSION, holder.profession))
    return extensions


def _printable(text: str) -> bytes:
    """Encode a short PrintableString."""
    value = text.encode("ascii")
    return bytes([0x13, len(value)]) + value
