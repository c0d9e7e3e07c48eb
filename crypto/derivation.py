"""Every purpose a key is derived for, in one table of labels: two purposes can never share a key."""

from __future__ import annotations

from crypto.primitives import hkdf_sha256

CONVERSATION_WRAP = b"avicenne/conversation-key/v1\x00"
"""HPKE info, followed by conversation and recipient: seals a conversation key to an account."""
SERVICE_WRAP = b"avicenne/service-key/v1\x00"
"""HPKE info, followed by service and member: seals a service's private key to a member."""
EVENT_KEY = b"avicenne/event-key/v1\x00"
"""HKDF info, followed by the event id: one AES key per event."""
ATTACHMENT_CONTEXT = b"avicenne/attachment/v1"
"""Cobblestone context of a sealed file."""
VAULT_KEY = b"avicenne/vault/v1\x00"
"""HKDF info: what a deterministic card signature opens on this machine."""
DOUBLED_KEY = b"avicenne/vault-and-keyring/v1\x00"
"""HKDF info: the vault's key when the system's keyring must also agree."""
STORE_KEY = b"avicenne/local-store/v1\x00"
"""HKDF info: the key of the client's database."""


def event_key(conversation_key: bytes, event_id: str) -> bytes:
    """32-byte AES key of one event."""
    return hkdf_sha256(conversation_key, salt=b"", info=EVENT_KEY + event_id.encode())


def vault_key(card_signature: bytes, salt: bytes) -> bytes:
    """32-byte key from the card's signature over this machine's vault statement (ADR 0007)."""
    return hkdf_sha256(card_signature, salt=salt, info=VAULT_KEY)


def doubled_key(card_key: bytes, keyring_secret: bytes) -> bytes:
    """32-byte key that needs both the card and a secret of the machine's keyring."""
    return hkdf_sha256(card_key, salt=keyring_secret, info=DOUBLED_KEY)


def store_key(device_secret: bytes) -> bytes:
    """32-byte raw key of the client's database."""
    return hkdf_sha256(device_secret, salt=b"", info=STORE_KEY)
