"""Identifiers of the house, as distinct types so that two strings cannot be swapped."""

from __future__ import annotations

from typing import NewType

AccountId = NewType("AccountId", str)
"""`ps:<IdNat_PS>` for a person (domain.md 2.5), `sv:<code>` for a service account (C11)."""

ConversationId = NewType("ConversationId", str)
"""UUIDv7 in hexadecimal, 32 characters, chosen by the client."""

EventId = NewType("EventId", str)
"""UUIDv7 in hexadecimal, 32 characters, chosen by the client: submitting twice is harmless."""

DeviceId = NewType("DeviceId", str)
"""First 16 bytes of the SHA-256 of the device's Ed25519 public key, in hexadecimal."""

BlobId = NewType("BlobId", str)
"""SHA-256 of the sealed bytes, in hexadecimal, 64 characters."""


def person_account(id_nat: str) -> AccountId:
    """The account of a natural person, from the IdNat_PS on the card."""
    return AccountId(f"ps:{id_nat}")


def service_account(code: str) -> AccountId:
    """The account of a service, from its code in the directory."""
    return AccountId(f"sv:{code}")
