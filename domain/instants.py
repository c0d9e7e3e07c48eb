"""When a fact happened, read in a zone that the caller gives. No clock: instants come in with the facts."""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo

from domain.events import Recorded


def in_zone(iso: str, zone: tzinfo) -> datetime | None:
    """Return the instant that `iso` says (UTC when it names no zone) as the clocks of `zone` show it, or None."""
    try:
        instant = datetime.fromisoformat(iso)
        return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(zone)
    except (ValueError, OverflowError):  # Not an instant, or one that the zone pushes out of the calendar.
        return None


def instant_of(recorded: Recorded, zone: tzinfo) -> datetime | None:
    """Return when the relay received the fact, or when its author says to have written it while it is pending."""
    return in_zone(recorded.received_at, zone) or in_zone(recorded.fact.written_at, zone)
