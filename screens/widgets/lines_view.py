"""A few inked lines given by a function of the width: titles, notes, warnings."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from screens.ink import Line
from screens.widgets.inked import InkedWidget


def _none(width: int) -> Sequence[Line]:
    del width
    return ()


class LinesView(InkedWidget):
    """Draws what `draw` says; `show` changes it."""

    def __init__(self, draw: Callable[[int], Sequence[Line]] = _none, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._draw = draw

    def show(self, draw: Callable[[int], Sequence[Line]]) -> None:
        """Draw this from now on."""
        before = self._draw(max(self.content_size.width, 1))
        self._draw = draw
        self.refresh(layout=len(before) != len(draw(max(self.content_size.width, 1))))

    def lines(self, width: int) -> Sequence[Line]:
        """As told."""
        return self._draw(max(width, 1))
