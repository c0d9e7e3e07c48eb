"""A clock that the seed sets, so that the past is written by the real programs at the hours it happened."""

from __future__ import annotations

import os
from datetime import UTC, datetime


class SettableClock:
    """Both a relay's Clock and a client's World: the time it was set to, and real chance."""

    def __init__(self) -> None:
        self._now = datetime.now(UTC)

    def set(self, instant: datetime) -> None:
        """From now on it is `instant`."""
        self._now = instant

    def now(self) -> datetime:
        """UTC."""
        return self._now

    def random(self, size: int) -> bytes:
        """Fresh bytes."""
        return os.urandom(size)
