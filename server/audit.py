"""The audit's hash chain: each line covers the one before, so that none can be changed, moved or removed unseen.

A truncated end is not visible from inside: compare the last hash with one kept elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from server.ports import AuditEntry

GENESIS = bytes(32)
"""The hash before the first line."""

_encoder = msgspec.msgpack.Encoder()


def chain(previous: bytes, entry: AuditEntry) -> bytes:
    """The 32-byte hash of `entry` after the line whose hash is `previous`."""
    return hashlib.sha256(previous + _encoder.encode((entry.at, entry.actor, entry.action, entry.subject))).digest()


def first_broken(trail: Iterable[tuple[int, AuditEntry, bytes]]) -> int | None:
    """The sequence of the first line that does not follow from the one before, or None when the chain holds."""
    previous, expected = GENESIS, 1
    for sequence, entry, digest in trail:
        if sequence != expected or chain(previous, entry) != digest:
            return expected
        previous, expected = digest, expected + 1
    return None
