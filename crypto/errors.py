"""What the safe refuses. A failure to open or verify is one error, the same whatever its cause.

CryptoError
├── InvalidSignature
├── DecryptionFailed
└── UntrustedIdentity(reason)
"""

from __future__ import annotations


class CryptoError(Exception):
    """A cryptographic operation did not succeed."""


class InvalidSignature(CryptoError):
    """The signature is not by that key over those bytes."""


class DecryptionFailed(CryptoError):
    """Wrong key, wrong associated data or altered bytes; which one is not said."""


class UntrustedIdentity(CryptoError):
    """A card, enrolment or login statement is not to be believed; `reason` is a stable code, not prose."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
