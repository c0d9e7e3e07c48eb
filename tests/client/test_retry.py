"""When the relay is tried again: soon, then less and less, and not all at once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from client.retry import FIRST_S, LONGEST_S, delay_s

CHANCE = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 10_000), CHANCE)
def test_a_delay_is_never_null_and_never_longer_than_the_longest(failures: int, chance: float) -> None:
    assert FIRST_S / 2 <= delay_s(failures, chance) <= LONGEST_S


@given(st.integers(1, 100), CHANCE)
def test_each_failure_waits_at_least_as_long(failures: int, chance: float) -> None:
    assert delay_s(failures, chance) <= delay_s(failures + 1, chance)


def test_the_first_delays_double() -> None:
    assert [delay_s(failures, 0.0) for failures in range(1, 8)] == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0]


def test_chance_spreads_a_crowd_over_half_the_delay() -> None:
    assert (delay_s(4, 0.0), delay_s(4, 0.5)) == (2.0, 3.0)
