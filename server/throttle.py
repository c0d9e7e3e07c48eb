"""A token bucket per address for the doors that need no session; memory is bounded by forgetting full buckets."""

from __future__ import annotations

from datetime import datetime

MAX_BUCKETS = 10_000


class Throttle:
    """Lets through `burst` requests at once, then `per_second`."""

    def __init__(self, *, burst: float, per_second: float) -> None:
        self._burst = burst
        self._per_second = per_second
        self._buckets: dict[str, tuple[float, datetime]] = {}

    def admits(self, address: str, now: datetime) -> bool:
        """Whether a request from `address` passes now; one that passes is counted."""
        level, since = self._buckets.get(address, (self._burst, now))
        level = min(self._burst, level + max(0.0, (now - since).total_seconds()) * self._per_second)
        passes = level >= 1.0
        self._buckets[address] = (level - 1.0 if passes else level, now)
        if len(self._buckets) > MAX_BUCKETS:
            self._forget(now)
        return passes

    def _forget(self, now: datetime) -> None:
        """Drop the buckets that have filled up again; should none have, the oldest half."""
        life_s = self._burst / self._per_second
        kept = {a: b for a, b in self._buckets.items() if (now - b[1]).total_seconds() < life_s}
        self._buckets = kept if len(kept) < MAX_BUCKETS else dict(list(kept.items())[MAX_BUCKETS // 2 :])
