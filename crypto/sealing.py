"""Sealing for accounts and events: HPKE carries a conversation's key, AES-256-GCM its contents (ADR 0006).

A body is a 12-byte random nonce followed by the ciphertext; the associated data is the envelope's header, so a body
moved under another header does not open.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from crypto.derivation import ATTACHMENT_CONTEXT, CONVERSATION_WRAP, SERVICE_WRAP, event_key
from crypto.errors import DecryptionFailed
from crypto.ports import RandomSource
from crypto.primitives import (
    KEM_SEED_BYTES,
    ChunkedOpener,
    ChunkedSealer,
    aead_open,
    aead_seal,
    hpke_open,
    hpke_seal,
    kem_public,
)

NONCE_BYTES = 12
CONVERSATION_KEY_BYTES = 32
FILE_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account's hybrid key pair (ML-KEM-768 + X25519): what requests are sealed to."""

    seed: bytes = field(repr=False)
    """96 bytes, secret."""
    public_key: bytes = field(repr=False)
    """1,216 bytes."""

    @classmethod
    def generate(cls, random: RandomSource) -> AccountKey:
        """A new key from fresh bytes."""
        return cls.from_seed(random(KEM_SEED_BYTES))

    @classmethod
    def from_seed(cls, seed: bytes) -> AccountKey:
        """The key of a stored seed."""
        return cls(seed, kem_public(seed))


def wrap_conversation_key(public_key: bytes, key: bytes, *, conversation: str, recipient: str) -> bytes:
    """Seal a conversation's key to one account."""
    return hpke_seal(public_key, key, info=_bound(CONVERSATION_WRAP, conversation, recipient))


def unwrap_conversation_key(account: AccountKey, wrapped: bytes, *, conversation: str, recipient: str) -> bytes:
    """Open what `wrap_conversation_key` sealed. Raises DecryptionFailed."""
    return hpke_open(account.seed, wrapped, info=_bound(CONVERSATION_WRAP, conversation, recipient))


def wrap_service_key(public_key: bytes, service: AccountKey, *, account: str, member: str) -> bytes:
    """Seal a service's private key to a member."""
    return hpke_seal(public_key, service.seed, info=_bound(SERVICE_WRAP, account, member))


def unwrap_service_key(key: AccountKey, wrapped: bytes, *, account: str, member: str) -> AccountKey:
    """Open a service's private key. Raises DecryptionFailed."""
    seed = hpke_open(key.seed, wrapped, info=_bound(SERVICE_WRAP, account, member))
    if len(seed) != KEM_SEED_BYTES:
        raise DecryptionFailed
    return AccountKey.from_seed(seed)


def seal(
    conversation_key: bytes, clear: bytes, *, event_id: str, associated_data: bytes, random: RandomSource
) -> bytes:
    """Seal one event's contents under its own key, bound to its header."""
    nonce = random(NONCE_BYTES)
    key = event_key(conversation_key, event_id)
    return nonce + aead_seal(key, nonce=nonce, clear=clear, associated_data=associated_data)


def open_sealed(conversation_key: bytes, sealed: bytes, *, event_id: str, associated_data: bytes) -> bytes:
    """Undo `seal`. Raises DecryptionFailed."""
    if len(sealed) < NONCE_BYTES:
        raise DecryptionFailed
    key = event_key(conversation_key, event_id)
    return aead_open(key, nonce=sealed[:NONCE_BYTES], sealed=sealed[NONCE_BYTES:], associated_data=associated_data)


def file_sealer(key: bytes) -> ChunkedSealer:
    """Seal a file as it streams; 32-byte key, of this file alone."""
    return ChunkedSealer(key, ATTACHMENT_CONTEXT)


def file_opener(key: bytes) -> ChunkedOpener:
    """Open a sealed file as it streams."""
    return ChunkedOpener(key, ATTACHMENT_CONTEXT)


def _bound(label: bytes, about: str, recipient: str) -> bytes:
    return label + about.encode() + b"\x00" + recipient.encode()
