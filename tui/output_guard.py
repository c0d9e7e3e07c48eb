"""The last line of defence: what leaves a widget has no character a terminal could obey (reliability.md 0.1).

Screens already make remote text visible; this filter catches what a library, a path or a forgotten field lets by.
"""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from screens.formatting import visible


class OutputGuard(LineFilter):
    """Makes visible any control that reached a strip."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Clean text segments; those that carry real controls are Textual's own."""
        del background
        return [
            segment if segment.control or _is_plain(segment.text) else Segment(visible(segment.text), segment.style)
            for segment in segments
        ]


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable()
