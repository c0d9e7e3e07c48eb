"""A sheet to read: inked lines laid out for the width at hand, scrolled by keys. The form, the timeline, the help."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.strip import Strip

from screens.ink import Line
from screens.widgets.inked import InkedScroll

Layout = Callable[[int], Sequence[Line]]
"""Lines for a width in cells."""


def _nothing(width: int) -> Sequence[Line]:
    del width
    return ()


class Document(InkedScroll, can_focus=True):
    """Shows the lines its layout gives; keeps its place when they change."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "scroll_down", show=False),
        Binding("up,k", "scroll_up", show=False),
        Binding("pagedown,space", "page_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("home,g", "scroll_home", show=False),
        Binding("end,G", "scroll_end", show=False),
    ]

    def __init__(self, *, id: str | None = None, classes: str | None = None, bottom: bool = False) -> None:  # noqa: A002
        super().__init__(id=id, classes=classes)
        self._layout_lines: Layout = _nothing
        self._lines: Sequence[Line] = ()
        self._sticks_to_bottom = bottom
        self._laid_out_for = 0
        self._at_end = bottom

    def show(self, layout: Layout) -> None:
        """Draw this from now on."""
        at_end = self._at_end
        self._layout_lines = layout
        self._lay_out()
        if at_end:
            self.scroll_end(animate=False)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Remember whether the reader follows the end, so that new lines and a smaller window keep it in sight."""
        super().watch_scroll_y(old_value, new_value)
        self._at_end = self._sticks_to_bottom and new_value >= self.max_scroll_y

    def _lay_out(self) -> None:
        self._laid_out_for = self.drawn_width
        self._lines = self._layout_lines(self._laid_out_for)
        self.stretch(len(self._lines))
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """Lay out again for the new width."""
        del event
        at_end = self._at_end
        if self.drawn_width != self._laid_out_for:
            self._lay_out()
        if self.drawn_width != self._laid_out_for:  # a scrollbar came or went
            self._lay_out()
        if at_end:
            self.scroll_end(animate=False)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the window."""
        index = y + self.scroll_offset.y
        line = self._lines[index] if index < len(self._lines) else ()
        return self.strip_of(line, self.drawn_width)

    def _move(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)

    def action_scroll_down(self) -> None:
        """One line down."""
        self._move(1)

    def action_scroll_up(self) -> None:
        """One line up."""
        self._move(-1)

    def action_page_down(self) -> None:
        """One window down."""
        self._move(max(self.size.height - 1, 1))

    def action_page_up(self) -> None:
        """One window up."""
        self._move(-max(self.size.height - 1, 1))

    def action_scroll_home(self) -> None:
        """To the top."""
        self.scroll_home(animate=False)

    def action_scroll_end(self) -> None:
        """To the end."""
        self.scroll_end(animate=False)
