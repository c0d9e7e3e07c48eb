"""The RSA keys of virtual cards: made, kept as PKCS#8, and used as a chip uses them.

Apart from `pki` because the process of a virtual card needs this much of pyca/cryptography and no more: without
X.509 it starts in half the time.
"""

from __future__ import annotations

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils

KEY_BITS = 2048


def generate_private_key() -> bytes:
    """Make an RSA key pair of `KEY_BITS`, PKCS#8 DER. Takes some 100 ms."""
    return private_bytes(generate())


def sign_raw(private_key: bytes, digest_info: bytes) -> bytes:
    """Apply RSA PKCS#1 v1.5 block type 1 to what the host sent, as a card does: it does not look inside.

    Args:
        private_key: PKCS#8 DER.
        digest_info: DER DigestInfo, at most 40 % of the modulus (IAS-ECC).
    """
    return load(private_key).sign(digest_info, padding.PKCS1v15(), utils.NoDigestInfo())


def modulus_bytes(private_key: bytes) -> int:
    """Length of a signature by this key, in bytes."""
    return load(private_key).key_size // 8


def generate() -> rsa.RSAPrivateKey:
    """Make a key pair. Takes some 100 ms."""
    return rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)


def load(private_key: bytes) -> rsa.RSAPrivateKey:
    """Read PKCS#8 DER."""
    key = serialization.load_der_private_key(private_key, password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(type(key).__name__)
    return key


def private_bytes(key: rsa.RSAPrivateKey) -> bytes:
    """Write PKCS#8 DER, in clear."""
    return key.private_bytes(
        serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
