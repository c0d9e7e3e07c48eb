"""How every benchmark says what it measured: one table, the target beside each figure, no verdict hidden in prose.

Figures from a shared machine are noisy: medians and quantiles are printed with the number of samples, and a peer is
measured in the same run, so that the ratio holds where the absolute figure drifts.
"""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Measure:
    """Samples of one thing, and what it should be."""

    name: str
    samples: Sequence[float]
    unit: str = "ms"
    target: float | None = None
    of: str = "p95"
    """The quantile that the target bounds: `p50`, `p95` or `p99`."""
    at_least: bool = False
    """Whether the target is a floor."""

    def quantile(self, percent: int) -> float:
        """The nearest sample at or above `percent` of them."""
        ordered = sorted(self.samples)
        return ordered[min(len(ordered) - 1, max(0, -(-percent * len(ordered) // 100) - 1))]

    @property
    def median(self) -> float:
        """The middle sample."""
        return statistics.median(self.samples)

    @property
    def verdict(self) -> str:
        """Whether the target is met."""
        if self.target is None:
            return ""
        value = self.median if self.of == "p50" else self.quantile(int(self.of[1:]))
        met = value >= self.target if self.at_least else value <= self.target
        return "met" if met else f"MISSED x{value / self.target:.2f}"

    @property
    def wanted(self) -> str:
        """The target in words."""
        if self.target is None:
            return ""
        return f"{self.of} {'>=' if self.at_least else '<='} {self.target:g} {self.unit}"


def show(title: str, measures: Sequence[Measure]) -> None:
    """Print a Markdown table, so that a run can be pasted into docs/reference/benchmarks.md."""
    print(f"\n### {title}\n\nload average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    print("| measure | n | median | p95 | p99 | target | |\n| --- | ---: | ---: | ---: | ---: | --- | --- |")
    for each in measures:
        figures = " | ".join(_number(value) for value in (each.median, each.quantile(95), each.quantile(99)))
        print(f"| {each.name} ({each.unit}) | {len(each.samples)} | {figures} | {each.wanted} | {each.verdict} |")


def show_rows(title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print any other Markdown table."""
    print(f"\n### {title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    for row in rows:
        print(f"| {' | '.join(_number(cell) if isinstance(cell, float) else str(cell) for cell in row)} |")


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2f}"
