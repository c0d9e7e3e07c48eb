"""From inked lines to cells: the base of every widget that draws itself line by line.

An ink is a theme variable (`ink-dim`, `ink-good`...) and a weight. Textual's component classes would do the same, but
each costs a pass of the style sheet per widget: a dozen inks made opening a screen twice as slow. Lines are cut and
padded here, once; a widget only says which lines it shows.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.segment import Segment
from rich.style import Style
from textual.color import Color
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from screens.ink import INKS, Line

_PLAIN = ""


def _ink_over(ground: Style, ink: str, variables: dict[str, str]) -> Style:
    variable, weight = INKS[ink]
    value = variables.get(variable, "")
    color = Color.parse(value).rich_color if value else None
    return ground + Style(color=color, bold="bold" in weight or None, reverse="reverse" in weight or None)


class _Inked(Widget):
    """Keeps the styles of its inks until the theme or its own style changes."""

    _inks: dict[str, Style] | None = None

    def ink_style(self, ink: str = _PLAIN) -> Style:
        """The terminal style of an ink on this widget."""
        if self._inks is None:
            self._inks = {_PLAIN: self.rich_style}
        style = self._inks.get(ink)
        if style is None:
            style = self._inks[ink] = _ink_over(self._inks[_PLAIN], ink, self.app.theme_variables)
        return style

    def notify_style_update(self) -> None:
        """Mix the inks again."""
        self._inks = None
        super().notify_style_update()

    def strip_of(self, line: Line, width: int) -> Strip:
        """Cells of a line, exactly `width` of them."""
        segments = [Segment(text, self.ink_style(ink)) for text, ink in line if text]
        return Strip(segments).adjust_cell_length(width, self.ink_style())


class InkedWidget(_Inked):
    """A few fixed lines, as tall as they are many."""

    DEFAULT_CSS = "InkedWidget { height: auto; width: 1fr; }"
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
        return self.strip_of(lines[y] if y < len(lines) else (), width)


class InkedScroll(_Inked, ScrollView):
    """A tall drawing seen through a window; only what shows is drawn."""

    DEFAULT_CSS = (
        "InkedScroll { height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto; scrollbar-size-vertical: 1; }"
    )
    ALLOW_SELECT = False

    @property
    def drawn_width(self) -> int:
        """Cells available to a line."""
        return max(self.scrollable_content_region.width, 1)

    def stretch(self, height: int) -> None:
        """Say how tall the whole drawing is."""
        self.virtual_size = Size(self.drawn_width, height)
