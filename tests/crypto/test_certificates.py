"""Every reason for which a card certificate is refused, each from a certificate made for it."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from functools import cache

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from crypto import certificates
from crypto.card.virtual import keys, pki
from crypto.certificates import CardSubject, CardType, verify_card_certificate, verify_rsa_signature

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=700)
PHYSICIAN = pki.Holder(CardType.CPS, "899700001011", "TOURNEVENT", "Marie", "Médecin", "10")
SECRETARY = pki.Holder(CardType.CPE, "3429901044/0038", "SECRETAIRE-TEST", "Ondine")


@cache
def igc() -> pki.TestIgc:
    return pki.generate_igc(NOW)


@cache
def key() -> bytes:
    return keys.generate_private_key()


@cache
def issue(holder: pki.Holder = PHYSICIAN, usage: pki.Usage = pki.Usage.AUTHENTICATION) -> bytes:
    return pki.issue_certificate(igc().personnes, holder, key(), usage, not_before=NOW, not_after=LATER)


def verify(leaf: bytes, *, at: datetime = NOW, crls: tuple[bytes, ...] = ()) -> CardSubject:
    return verify_card_certificate(leaf, [igc().personnes.certificate], igc().roots, at=at, crls=crls)


def test_a_physician_is_read_from_the_multi_valued_subject() -> None:
    expected = CardSubject(
        id_nat="899700001011",
        nom="TOURNEVENT",
        prenom="Marie",
        title="Médecin",
        profession="10",
        card_type=CardType.CPS,
        raw="2.5.4.42=Marie+2.5.4.4=TOURNEVENT+CN=899700001011,2.5.4.12=Médecin,C=FR",
    )
    assert verify(issue()) == expected


def test_a_cpe_speaks_for_a_structure_under_a_pseudonym() -> None:
    subject = verify(issue(SECRETARY))
    assert (subject.card_type, subject.id_nat) == (CardType.CPE, "3429901044/0038")
    assert (subject.nom, subject.prenom) == ("SECRETAIRE-TEST Ondine", "")


@pytest.mark.parametrize(
    ("at", "reason"),
    [
        (NOW - timedelta(seconds=1), certificates.NotYetValid),
        (LATER + timedelta(seconds=1), certificates.Expired),
    ],
)
def test_the_period_counts_at_the_instant_given(at: datetime, reason: type[Exception]) -> None:
    with pytest.raises(reason):
        verify(issue(), at=at)


def test_the_signature_certificate_of_a_card_does_not_authenticate() -> None:
    with pytest.raises(certificates.WrongUsage):
        verify(issue(PHYSICIAN, pki.Usage.SIGNATURE))


def test_an_authority_is_no_card() -> None:
    with pytest.raises(certificates.WrongUsage):
        verify(igc().personnes.certificate)


@pytest.mark.parametrize("id_nat", ["serveur.example", "1429901044", "3429901044", "8/997"])
def test_a_holder_that_is_no_person_is_refused(id_nat: str) -> None:
    holder = pki.Holder(CardType.CPS, id_nat, "X", "Y")
    with pytest.raises(certificates.WrongHolderType):
        verify(issue(holder))


def test_a_chain_to_another_root_of_the_same_name_is_refused() -> None:
    foreign = pki.generate_igc(NOW)
    leaf = pki.issue_certificate(
        foreign.personnes, PHYSICIAN, key(), pki.Usage.AUTHENTICATION, not_before=NOW, not_after=LATER
    )
    with pytest.raises(certificates.UntrustedChain):
        verify_card_certificate(leaf, [foreign.personnes.certificate], igc().roots, at=NOW)


def test_the_root_that_a_card_brings_along_is_not_trusted() -> None:
    with pytest.raises(certificates.UntrustedChain):
        verify_card_certificate(issue(), [igc().personnes.certificate, igc().racine.certificate], [], at=NOW)


def test_a_missing_intermediate_breaks_the_chain() -> None:
    with pytest.raises(certificates.UntrustedChain):
        verify_card_certificate(issue(), [], igc().roots, at=NOW)


def test_a_revoked_card_is_refused() -> None:
    crl = pki.issue_crl(igc().personnes, (issue(),), this_update=NOW, next_update=LATER)
    with pytest.raises(certificates.Revoked):
        verify(issue(), crls=(crl,))


def test_a_list_signed_by_another_key_revokes_nobody() -> None:
    forged = pki.Authority(igc().personnes.certificate, key())
    crl = pki.issue_crl(forged, (issue(),), this_update=NOW, next_update=LATER)
    assert verify(issue(), crls=(crl,)).id_nat == PHYSICIAN.id_nat


@pytest.mark.parametrize("der", [b"", b"\x30\x03\x02\x01\x00", b"not a certificate"])
def test_what_is_no_certificate_is_malformed(der: bytes) -> None:
    with pytest.raises(certificates.Malformed):
        verify(der)


def test_a_truncated_certificate_is_malformed() -> None:
    with pytest.raises(certificates.Malformed):
        verify(issue()[:-1])


@pytest.mark.parametrize("kind", ["rsa1024", "p256"])
def test_a_weak_or_foreign_key_is_refused(kind: str) -> None:
    weak = rsa.generate_private_key(65537, 1024) if kind == "rsa1024" else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, PHYSICIAN.id_nat)])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(weak.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW).not_valid_after(LATER)
    der = builder.sign(weak, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    with pytest.raises(certificates.WeakKey):
        verify(der)
    with pytest.raises(certificates.WeakKey):
        verify_rsa_signature(der, b"", b"")


def test_every_altered_byte_of_a_certificate_is_refused() -> None:
    """Sampled: one byte in eleven. What is refused, and by which class, depends on where the byte stands."""
    good = issue()
    for position in range(0, len(good), 11):
        altered = bytearray(good)
        altered[position] ^= 0x01
        with pytest.raises(certificates.CertificateError):
            verify(bytes(altered))


SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")


def test_a_statement_signed_by_the_card_is_accepted_and_no_other() -> None:
    signature = keys.sign_raw(key(), SHA256_PREFIX + hashlib.sha256(b"statement").digest())
    verify_rsa_signature(issue(), b"statement", signature)
    for statement, altered in [(b"Statement", signature), (b"statement", signature[:-1] + b"\0"), (b"statement", b"")]:
        with pytest.raises(certificates.InvalidSignature):
            verify_rsa_signature(issue(), statement, altered)
