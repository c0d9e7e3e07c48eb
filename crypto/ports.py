"""What the safe needs of the world: chance."""

from __future__ import annotations

from typing import Protocol


class RandomSource(Protocol):
    """Unpredictable bytes; the operating system's in production, counted in tests."""

    def __call__(self, size: int) -> bytes:
        """Return `size` fresh bytes."""
