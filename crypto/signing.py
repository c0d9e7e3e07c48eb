"""Device signatures (Ed25519). Verification raises, it never returns a flag."""

from __future__ import annotations

from dataclasses import dataclass, field

from crypto.ports import RandomSource
from crypto.primitives import ed25519_public, ed25519_sign, ed25519_verify

SEED_BYTES = 32


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A device's signing key; its repr shows the public half only."""

    seed: bytes = field(repr=False)
    """32 bytes, secret."""
    public_key: bytes
    """32 bytes, raw."""

    @classmethod
    def generate(cls, random: RandomSource) -> SigningKey:
        """A new key from fresh bytes."""
        return cls.from_seed(random(SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> SigningKey:
        """The key of a stored seed."""
        return cls(seed, ed25519_public(seed))

    def sign(self, message: bytes) -> bytes:
        """64-byte signature over `message`."""
        return ed25519_sign(self.seed, message)


def verify(public_key: bytes, message: bytes, signature: bytes) -> None:
    """Check an Ed25519 signature (64 bytes) by a raw 32-byte key. Raises InvalidSignature."""
    ed25519_verify(public_key, message, signature)
