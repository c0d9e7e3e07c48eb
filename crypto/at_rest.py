"""Device secrets at rest: one record, sealed under a wrapping key that never lies beside it (ADR 0007)."""

from __future__ import annotations

from crypto.errors import DecryptionFailed
from crypto.ports import RandomSource
from crypto.primitives import aead_open, aead_seal

_LABEL = b"avicenne/device-secrets/v1"
_NONCE = 12


def seal_secrets(wrapping_key: bytes, clear: bytes, *, random: RandomSource) -> bytes:
    """Seal `clear` under a 32-byte key."""
    nonce = random(_NONCE)
    return nonce + aead_seal(wrapping_key, nonce=nonce, clear=clear, associated_data=_LABEL)


def open_secrets(wrapping_key: bytes, sealed: bytes) -> bytes:
    """Undo `seal_secrets`. Raises DecryptionFailed."""
    if len(sealed) < _NONCE:
        raise DecryptionFailed
    return aead_open(wrapping_key, nonce=sealed[:_NONCE], sealed=sealed[_NONCE:], associated_data=_LABEL)
