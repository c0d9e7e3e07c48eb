"""From inked lines to cells: the base of every widget that draws itself line by line.

Inks are component classes, so that one style sheet dresses them all and a theme may change them. Lines are cut and
padded here, once; a widget only says which lines it shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from screens.ink import INKS, Line

_COMPONENTS = {f"ink--{ink}" for ink in INKS}

_INK_CSS = """
    & .ink--strong { text-style: bold; color: $ink-strong; }
    & .ink--unread { text-style: bold; color: $ink-strong; }
    & .ink--dim { color: $ink-dim; }
    & .ink--accent { color: $ink-accent; text-style: bold; }
    & .ink--good { color: $ink-good; }
    & .ink--info { color: $ink-info; }
    & .ink--warning { color: $ink-warning; }
    & .ink--error { color: $ink-error; text-style: bold; }
    & .ink--heading { color: $ink-accent; text-style: bold; }
    & .ink--key { color: $ink-accent; text-style: bold; }
    & .ink--banner { color: $banner-text; text-style: bold; }
"""


def ink_style(widget: Widget, ink: str) -> Style:
    """The terminal style of an ink on this widget."""
    return widget.get_component_rich_style(f"ink--{ink}") if ink else widget.rich_style


def strip_of(widget: Widget, line: Line, width: int) -> Strip:
    """Cells of a line, exactly `width` of them."""
    segments = [Segment(text, ink_style(widget, ink)) for text, ink in line if text]
    return Strip(segments).adjust_cell_length(width, widget.rich_style)


class InkedWidget(Widget):
    """A few fixed lines, as tall as they are many."""

    COMPONENT_CLASSES: ClassVar[set[str]] = _COMPONENTS
    DEFAULT_CSS = "InkedWidget { height: auto; width: 1fr; " + _INK_CSS + "}"
    ALLOW_SELECT = False

    def lines(self, width: int) -> Sequence[Line]:
        """What to draw in `width` cells."""
        del width
        return ()

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many rows as lines."""
        del container, viewport
        return len(self.lines(width))

    def render_line(self, y: int) -> Strip:
        """Draw one line."""
        width = self.content_size.width
        lines = self.lines(width)
        return strip_of(self, lines[y] if y < len(lines) else (), width)


class InkedScroll(ScrollView):
    """A tall drawing seen through a window; only what shows is drawn."""

    COMPONENT_CLASSES: ClassVar[set[str]] = _COMPONENTS
    DEFAULT_CSS = (
        "InkedScroll { height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto;"
        " scrollbar-size-vertical: 1; " + _INK_CSS + "}"
    )
    ALLOW_SELECT = False

    @property
    def drawn_width(self) -> int:
        """Cells available to a line."""
        return max(self.scrollable_content_region.width, 1)

    def stretch(self, height: int) -> None:
        """Say how tall the whole drawing is."""
        self.virtual_size = Size(self.drawn_width, height)
