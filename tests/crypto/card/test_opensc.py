"""OpenSC as judge: an implementation that we did not write finds a CPS in the reader, reads it and signs with it."""

from __future__ import annotations

import hashlib
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto.card.errors import PinBlocked
from crypto.card.profiles import SHA256_DIGEST_INFO
from crypto.card.virtual import pki
from tests.crypto.card.desk import Desk

AUTHENTICATION_KEY = "02"
Tries = Callable[[], tuple[int, int]]


def run(*command: str, check: bool = True) -> str:
    """Run a tool and return its standard output; a tool that is missing fails the test."""
    return subprocess.run(command, capture_output=True, text=True, check=check, timeout=20).stdout


@pytest.fixture
def certificate(pcsc_desk: Desk, tmp_path: Path) -> Path:
    """The authentication certificate as OpenSC reads it, PEM."""
    path = tmp_path / "leaf.pem"
    run("pkcs15-tool", "--reader", pcsc_desk.reader, "--read-certificate", AUTHENTICATION_KEY, "-o", str(path))
    return path


def test_the_card_is_recognised_by_its_answer_to_reset(pcsc_desk: Desk) -> None:
    assert "IAS-ECC" in run("opensc-tool", "--reader", pcsc_desk.reader, "--name")
    assert "3b:ac:00:40:2a:00:12:25" in run("opensc-tool", "--reader", pcsc_desk.reader, "--atr")


def test_the_directories_are_read_whole(pcsc_desk: Desk) -> None:
    dump = run("pkcs15-tool", "--reader", pcsc_desk.reader, "--dump")
    for line in (
        "Serial number  : 80250000010000000002",
        "PIN [Code porteur]",
        "Key ref        : 130 (0x82)",
        "Algo_refs      : 2, 3",
        "X.509 Certificate [Certificat d'authentification]",
        "Data object 'Situation de facturation 1'",
        "Auth ID:         01",
    ):
        assert line in dump


def test_the_chain_is_good_for_openssl(pcsc_desk: Desk, igc: pki.TestIgc, tmp_path: Path, certificate: Path) -> None:
    issuer = pcsc_desk.port.identity(pcsc_desk.reader).issuer_certificates[0]
    for name, der in (("root", igc.racine.certificate), ("issuer", issuer)):
        (tmp_path / f"{name}.der").write_bytes(der)
        source, target = str(tmp_path / f"{name}.der"), str(tmp_path / f"{name}.pem")
        run("openssl", "x509", "-inform", "der", "-in", source, "-out", target)
    trusted = ["-CAfile", str(tmp_path / "root.pem"), "-untrusted", str(tmp_path / "issuer.pem")]
    assert "OK" in run("openssl", "verify", "-purpose", "sslclient", *trusted, str(certificate))


def test_pkcs11_signs_and_openssl_verifies(pcsc_desk: Desk, tmp_path: Path, certificate: Path) -> None:
    statement, to_sign, signature = tmp_path / "statement", tmp_path / "digest-info", tmp_path / "signature"
    statement.write_bytes(b"statement")
    to_sign.write_bytes(SHA256_DIGEST_INFO + hashlib.sha256(b"statement").digest())
    pkcs11("1234", "--sign", "--mechanism", "RSA-PKCS", "--input-file", str(to_sign), "--output-file", str(signature))
    assert_openssl_accepts(certificate, statement, signature)
    assert pcsc_desk.port.sign(pcsc_desk.reader, [b"statement"], "1234").signatures == (signature.read_bytes(),)


def assert_openssl_accepts(certificate: Path, statement: Path, signature: Path) -> None:
    public_key = certificate.with_suffix(".pub")
    public_key.write_text(run("openssl", "x509", "-in", str(certificate), "-pubkey", "-noout"), encoding="ascii")
    verdict = run(
        "openssl", "dgst", "-sha256", "-verify", str(public_key), "-signature", str(signature), str(statement)
    )
    assert "Verified OK" in verdict


def pkcs11(pin: str, *arguments: str, check: bool = True) -> str:
    """Run pkcs11-tool on the authentication key of the first card."""
    return run("pkcs11-tool", "--login", "--pin", pin, "--id", AUTHENTICATION_KEY, *arguments, check=check)


def test_openssl_accepts_what_our_port_signed(pcsc_desk: Desk, tmp_path: Path, certificate: Path) -> None:
    signed = pcsc_desk.port.sign(pcsc_desk.reader, [b"statement"], "1234")
    (tmp_path / "statement").write_bytes(b"statement")
    (tmp_path / "signature").write_bytes(signed.signatures[0])
    assert_openssl_accepts(certificate, tmp_path / "statement", tmp_path / "signature")


def test_both_sides_count_the_same_tries(pcsc_desk: Desk, tries: Tries) -> None:
    verify = ["pkcs15-tool", "--reader", pcsc_desk.reader, "--verify-pin", "--auth-id", "01", "--pin"]
    run(*verify, "0000", check=False)
    assert (pcsc_desk.port.tries_left(pcsc_desk.reader), tries()) == (2, (2, 3))
    run(*verify, "0000", check=False)
    with pytest.raises(PinBlocked):
        pcsc_desk.port.sign(pcsc_desk.reader, [b"x"], "0000")
    blocked = subprocess.run([*verify, "1234"], capture_output=True, text=True, check=False)
    assert blocked.returncode != 0
    assert tries() == (0, 3)


def test_opensc_unblocks_and_changes_the_code(pcsc_desk: Desk, tries: Tries) -> None:
    tool = ["pkcs15-tool", "--reader", pcsc_desk.reader, "--auth-id", "01"]
    for _ in range(3):
        run(*tool, "--verify-pin", "--pin", "0000", check=False)
    assert tries() == (0, 3)
    run(*tool, "--unblock-pin", "--puk", "99990000", "--new-pin", "4321")
    run(*tool, "--change-pin", "--pin", "4321", "--new-pin", "567890")
    assert len(pcsc_desk.port.sign(pcsc_desk.reader, [b"x"], "567890").signatures) == 1


def test_billing_situations_open_to_opensc_after_the_code_only(pcsc_desk: Desk) -> None:
    read = ["pkcs15-tool", "--reader", pcsc_desk.reader, "--read-data-object", "Situation de facturation 1"]
    assert "53 4D 31 35" not in run(*read, check=False)
    assert "53 4D 31 35" in run(*read, "--verify-pin", "--pin", "1234")
