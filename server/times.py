"""Instants as the wire and the store write them: ISO 8601 with milliseconds, and whole seconds since 1970, both UTC."""

from __future__ import annotations

from datetime import datetime


def iso(instant: datetime) -> str:
    """`2026-11-22T16:52:21.004Z` for an aware UTC instant."""
    return instant.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def seconds(instant: datetime) -> int:
    """Whole seconds since 1970, UTC."""
    return int(instant.timestamp())
