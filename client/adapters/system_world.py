"""The machine's clock and the operating system's randomness: the only place of the client that asks for either."""

from __future__ import annotations

import os
from datetime import UTC, datetime


class SystemWorld:
    """Real time, real chance."""

    def now(self) -> datetime:
        """UTC."""
        return datetime.now(UTC)

    def random(self, size: int) -> bytes:
        """Fresh bytes."""
        return os.urandom(size)
