"""When to try the relay again: a pure function of how often it failed and of chance given in."""

from __future__ import annotations

FIRST_S = 0.5
LONGEST_S = 30.0


def delay_s(failures: int, chance: float) -> float:
    """Seconds to wait after `failures` attempts in a row (from 1); `chance` in [0, 1) spreads a crowd of clients.

    >>> delay_s(1, 0.0), delay_s(4, 0.0), delay_s(50, 0.999) < 30
    (0.25, 2.0, True)
    """
    ceiling = min(LONGEST_S, FIRST_S * 2 ** min(failures - 1, 10))
    return float(ceiling * (0.5 + chance / 2))
