"""The only door to pyca/cryptography's primitives (the other doors are for certificates): thin, typed, raw bytes.

HPKE and X-Wing key generation draw their own randomness inside the library; everything else takes it as argument.
"""

from __future__ import annotations

from cryptography.cobblestone import Cobblestone256Decryptor, Cobblestone256Encryptor
from cryptography.exceptions import InvalidSignature as _LibraryInvalidSignature
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from crypto.errors import DecryptionFailed, InvalidSignature

KEM_SEED_BYTES = 96
"""ML-KEM-768 seed (64) then X25519 private key (32)."""
KEM_PUBLIC_BYTES = 1216
"""ML-KEM-768 public key (1184) then X25519 public key (32)."""
_MLKEM_SEED = 64
_MLKEM_PUBLIC = 1184

_SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def hkdf_sha256(secret: bytes, *, salt: bytes, info: bytes, size: int = 32) -> bytes:
    """RFC 5869 with SHA-256."""
    return HKDF(hashes.SHA256(), size, salt, info).derive(secret)


def argon2id(passphrase: bytes, *, salt: bytes) -> bytes:
    """RFC 9106: 64 MiB, 3 passes, 4 lanes; 32 bytes out."""
    return Argon2id(salt=salt, length=32, iterations=3, lanes=4, memory_cost=64 * 1024).derive(passphrase)


def aead_seal(key: bytes, *, nonce: bytes, clear: bytes, associated_data: bytes) -> bytes:
    """AES-256-GCM: 32-byte key, 12-byte nonce; ciphertext with its 16-byte tag."""
    return AESGCM(key).encrypt(nonce, clear, associated_data)


def aead_open(key: bytes, *, nonce: bytes, sealed: bytes, associated_data: bytes) -> bytes:
    """Undo `aead_seal`. Raises DecryptionFailed."""
    try:
        return AESGCM(key).decrypt(nonce, sealed, associated_data)
    except (InvalidTag, ValueError) as error:
        raise DecryptionFailed from error


def ed25519_public(seed: bytes) -> bytes:
    """32-byte public key of a 32-byte seed (RFC 8032)."""
    return Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()


def ed25519_sign(seed: bytes, message: bytes) -> bytes:
    """64-byte signature."""
    return Ed25519PrivateKey.from_private_bytes(seed).sign(message)


def ed25519_verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Raises InvalidSignature."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (_LibraryInvalidSignature, ValueError) as error:
        raise InvalidSignature from error


def kem_public(seed: bytes) -> bytes:
    """1,216-byte X-Wing-style hybrid public key (ML-KEM-768 then X25519) of a 96-byte seed."""
    mlkem, x25519 = _kem_parts(seed)
    return mlkem.public_key().public_bytes_raw() + x25519.public_key().public_bytes_raw()


def hpke_seal(public_key: bytes, clear: bytes, *, info: bytes) -> bytes:
    """RFC 9180 base mode, single shot; `info` binds the context. 1,136 bytes longer than `clear`.

    Raises:
        DecryptionFailed: `public_key` is no key.
    """
    try:
        key = MLKEM768X25519PublicKey(
            MLKEM768PublicKey.from_public_bytes(public_key[:_MLKEM_PUBLIC]),
            X25519PublicKey.from_public_bytes(public_key[_MLKEM_PUBLIC:]),
        )
        return _SUITE.encrypt(clear, key, info)
    except ValueError as error:  # not a key, or a point of low order
        raise DecryptionFailed from error


def hpke_open(seed: bytes, sealed: bytes, *, info: bytes) -> bytes:
    """Undo `hpke_seal`. Raises DecryptionFailed."""
    mlkem, x25519 = _kem_parts(seed)
    try:
        return _SUITE.decrypt(sealed, MLKEM768X25519PrivateKey(mlkem, x25519), info)
    except (InvalidTag, ValueError) as error:
        raise DecryptionFailed from error


def _kem_parts(seed: bytes) -> tuple[MLKEM768PrivateKey, X25519PrivateKey]:
    return (
        MLKEM768PrivateKey.from_seed_bytes(seed[:_MLKEM_SEED]),
        X25519PrivateKey.from_private_bytes(seed[_MLKEM_SEED:]),
    )


class ChunkedSealer:
    """C2SP chunked AEAD (Cobblestone-256): a file sealed as it streams, in constant memory."""

    def __init__(self, key: bytes, context: bytes) -> None:
        self._machine = Cobblestone256Encryptor(key, context)

    def update(self, clear: bytes) -> bytes:
        """Sealed bytes ready so far."""
        return bytes(self._machine.update(clear))

    def finish(self) -> bytes:
        """The last sealed bytes."""
        return bytes(self._machine.finalize())


class ChunkedOpener:
    """Undo ChunkedSealer; bytes given out are authenticated chunk by chunk, the whole by `finish`."""

    def __init__(self, key: bytes, context: bytes) -> None:
        self._machine = Cobblestone256Decryptor(key, context)

    def update(self, sealed: bytes) -> bytes:
        """Clear bytes ready so far. Raises DecryptionFailed."""
        try:
            return bytes(self._machine.update(sealed))
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed from error

    def finish(self) -> bytes:
        """The last clear bytes. Raises DecryptionFailed when the end is missing."""
        try:
            return bytes(self._machine.finalize())
        except (InvalidTag, ValueError) as error:
            raise DecryptionFailed from error
