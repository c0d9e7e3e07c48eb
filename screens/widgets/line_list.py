"""Lists of any length by the line API: rows are asked for when they show, so cost does not grow with the list.

Moving the cursor redraws two gutters, not two rows of colour: the cursor is a bar in the first cells, which costs a
slow link a few bytes and needs no colour to be seen (decisions.md, terminal bytes).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from screens.formatting import visible
from screens.ink import Line, Piece, fit, spread
from screens.widgets.inked import InkedScroll

GUTTER = 2
"""Cells of the cursor bar and its margin."""

MARGIN = 1
"""Cells left free on the right, away from the scrollbar."""


class LineList(InkedScroll, can_focus=True):
    """A cursor over rows of equal height; subclasses draw a row."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "cursor_down", show=False),
        Binding("up,k", "cursor_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("home,g", "first", show=False),
        Binding("end,G", "last", show=False),
        Binding("enter", "select", show=False),
    ]

    cursor: reactive[int] = reactive(0, repaint=False)

    class Highlighted(Message):
        """The cursor came to another row."""

        def __init__(self, line_list: LineList, index: int) -> None:
            super().__init__()
            self.line_list = line_list
            self.index = index

        @property
        def control(self) -> LineList:
            """The list."""
            return self.line_list

    class Selected(Highlighted):
        """A row was chosen."""

    @property
    def count(self) -> int:
        """How many rows there are."""
        return 0

    @property
    def row_height(self) -> int:
        """Lines of a row."""
        return 1

    def row_lines(self, index: int, width: int) -> Sequence[Line]:
        """Draw a row in `width` cells (the gutter excluded)."""
        del index, width
        return ()

    def selectable(self, index: int) -> bool:
        """Whether the cursor may stop there."""
        del index
        return True

    def rows_changed(self) -> None:
        """Measure and draw again."""
        self.stretch(self.count * self.row_height)
        self.refresh()

    def on_resize(self, event: events.Resize) -> None:
        """The width changed: rows may be taller or shorter."""
        del event
        self.rows_changed()
        self._show_cursor()

    def on_focus(self) -> None:
        """Show the bar in full."""
        self._refresh_row(self.cursor)

    def on_blur(self) -> None:
        """Show that keys go elsewhere."""
        self._refresh_row(self.cursor)

    def validate_cursor(self, cursor: int) -> int:
        """Stay inside the list."""
        return max(0, min(cursor, self.count - 1))

    def watch_cursor(self, old: int, new: int) -> None:
        """Redraw the two gutters that changed."""
        self._refresh_row(old)
        self._refresh_row(new)
        self._show_cursor()
        if old != new:
            self.post_message(self.Highlighted(self, new))

    def _refresh_row(self, index: int) -> None:
        """Only the gutter depends on the cursor: the rest of the row is not sent again."""
        self.refresh(Region(0, index * self.row_height - self.scroll_offset.y, GUTTER, self.row_height))

    def _show_cursor(self) -> None:
        top, height = self.cursor * self.row_height, self.scrollable_content_region.height
        if height <= 0:
            return
        if top < self.scroll_offset.y:
            self.scroll_to(y=top, animate=False)
        elif top + self.row_height > self.scroll_offset.y + height:
            self.scroll_to(y=top + self.row_height - height, animate=False)

    def render_line(self, y: int) -> Strip:
        """Draw one line of the window, asking only for the row it belongs to."""
        index, part = divmod(y + self.scroll_offset.y, self.row_height)
        if index >= self.count:
            return Strip.blank(self.drawn_width, self.ink_style())
        lines = self.row_lines(index, self.drawn_width - GUTTER - MARGIN)
        body = lines[part] if part < len(lines) else ()
        return self.strip_of((*self._gutter(index, drawn=part < len(lines)), *body), self.drawn_width)

    def _gutter(self, index: int, *, drawn: bool) -> Line:
        if index != self.cursor or not drawn or not self.selectable(index):
            return ((" " * GUTTER, ""),)
        return (("▌ ", "accent"),) if self.has_focus or self.always_active else (("│ ", "dim"),)

    always_active: bool = False
    """Draw the full bar without focus: the list obeys the keys of a search field above it."""

    def _step(self, start: int, direction: int) -> int:
        index = start
        while 0 <= index < self.count and not self.selectable(index):
            index += direction
        return index if 0 <= index < self.count else self.cursor

    def action_cursor_down(self) -> None:
        """Next row."""
        self.cursor = self._step(self.cursor + 1, 1)

    def action_cursor_up(self) -> None:
        """Previous row."""
        self.cursor = self._step(self.cursor - 1, -1)

    @property
    def _page(self) -> int:
        return max(self.scrollable_content_region.height // self.row_height, 1)

    def action_page_down(self) -> None:
        """One window down."""
        self.cursor = self._step(min(self.cursor + self._page, self.count - 1), -1)

    def action_page_up(self) -> None:
        """One window up."""
        self.cursor = self._step(max(self.cursor - self._page, 0), 1)

    def action_first(self) -> None:
        """First row."""
        self.cursor = self._step(0, 1)

    def action_last(self) -> None:
        """Last row."""
        self.cursor = self._step(self.count - 1, -1)

    def action_select(self) -> None:
        """Choose the row under the cursor."""
        if self.count and self.selectable(self.cursor):
            self.post_message(self.Selected(self, self.cursor))

    def on_click(self, event: events.Click) -> None:
        """The mouse is optional: a click moves the cursor, a second one chooses."""
        index = (event.y + self.scroll_offset.y) // self.row_height
        if index >= self.count or not self.selectable(index):
            return
        if index == self.cursor:
            self.action_select()
        self.cursor = index


@dataclass(frozen=True, slots=True)
class Item:
    """A row of a short list."""

    key: str
    label: str
    detail: str = ""
    mark: str = ""
    """Glyph before the label."""
    enabled: bool = True
    heading: bool = False
    ink: str = ""


class ItemList(LineList):
    """A list of `Item`s: menus, results, choices. One line each, or two with the detail below."""

    def __init__(self, *, id: str | None = None, two_lines: bool = False, active: bool = False) -> None:  # noqa: A002
        super().__init__(id=id)
        self._items: Sequence[Item] = ()
        self._two_lines = two_lines
        self.always_active = active

    @property
    def items(self) -> Sequence[Item]:
        """What is listed."""
        return self._items

    @items.setter
    def items(self, items: Sequence[Item]) -> None:
        key = self.current.key if self.current else None
        self._items = items
        kept = next((index for index, item in enumerate(items) if item.key == key and not item.heading), 0)
        self.set_reactive(LineList.cursor, kept)
        if items and not self.selectable(kept):
            self.set_reactive(LineList.cursor, self._step(kept, 1))
        self.rows_changed()
        self._show_cursor()
        self.post_message(self.Highlighted(self, self.cursor))

    @property
    def current(self) -> Item | None:
        """The row under the cursor."""
        return self._items[self.cursor] if self.cursor < len(self._items) else None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._items)

    @property
    def row_height(self) -> int:
        """One line, or two with the detail below."""
        return 2 if self._two_lines else 1

    def selectable(self, index: int) -> bool:
        """Headings are not for choosing."""
        return not self._items[index].heading

    def row_lines(self, index: int, width: int) -> Sequence[Line]:
        """Mark, label, detail."""
        item = self._items[index]
        if item.heading:
            return self._heading(item)
        mark = f"{item.mark} " if item.mark else ""
        label: Piece = (mark + visible(item.label), item.ink or ("" if item.enabled else "dim"))
        detail = visible(item.detail)
        if self._two_lines:
            return ((label,), ((" " * len(mark) + fit(detail, width - len(mark)), "dim"),))
        return (spread((label,), ((fit(detail, max(width * 3 // 5, width - 30)), "dim"),), width),)

    def _heading(self, item: Item) -> Sequence[Line]:
        title: Line = ((visible(item.label), "heading"), (f"  {visible(item.detail)}", "dim"))
        return ((), title) if self._two_lines else (title,)
