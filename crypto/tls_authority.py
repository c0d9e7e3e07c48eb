"""A small private authority for the relay's own TLS: one root, one server certificate (EC P-256, X.509).

A door to pyca/cryptography for certificates. Pure but for the keys, whose randomness the library draws itself.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_LIFE = timedelta(days=3650)
SERVER_LIFE = timedelta(days=397)
"""The longest life that browsers accept of a server's certificate."""
_BACKDATED = timedelta(hours=1)
"""A client whose clock is a little late must still believe a new certificate."""


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate and its private key, both PEM; the key is PKCS#8, not encrypted, and never in the repr."""

    certificate: bytes
    private_key: bytes = field(repr=False)


def new_authority(name: str, *, at: datetime) -> Certified:
    """Make a root.

    Args:
        name: its common name.
        at: the present instant, aware.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _name(name)
    builder = (
        _builder(subject, subject, key.public_key(), at, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(authority=True), critical=True)
    )
    return _certified(builder.sign(key, hashes.SHA256()), key)


def issue_server(authority: Certified, *, hosts: Sequence[str], at: datetime) -> Certified:
    """Make a server certificate for `hosts` (names or IP addresses), signed by `authority`.

    Raises:
        ValueError: no host, or `authority` is not what `new_authority` returned.
    """
    if not hosts:
        raise ValueError("no host")
    issuer = x509.load_pem_x509_certificate(authority.certificate)
    issuer_key = serialization.load_pem_private_key(authority.private_key, None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise ValueError("not an authority of ours")  # noqa: TRY004 - a wrong value read from a file, not a wrong type
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(hosts[0]), issuer.subject, key.public_key(), at, SERVER_LIFE)
        .add_extension(x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(authority=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), critical=False)
    )
    return _certified(builder.sign(issuer_key, hashes.SHA256()), key)


def still_serves(certificate: bytes, *, hosts: Sequence[str], at: datetime, margin: timedelta) -> bool:
    """Whether a PEM certificate names every host and lives for `margin` more."""
    parsed = x509.load_pem_x509_certificate(certificate)
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return set(map(_general_name, hosts)) <= set(names) and at + margin < parsed.not_valid_after_utc


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, at: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _BACKDATED)
        .not_valid_after(at + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


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


def _certified(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Certified:
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Certified(certificate.public_bytes(pem), private)


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)
