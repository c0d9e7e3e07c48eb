"""A short menu over a screen (A08, A09): returns the key of the line chosen, or None."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from client.i18n import _
from screens.base import Dialog
from screens.formatting import visible
from screens.keymap import ATTACHMENT, Room, bindings_of
from screens.widgets.key_footer import KeyFooter
from screens.widgets.line_list import Item, ItemList, LineList

OTHER = "\0other:"
"""Prefix of the answer given by the menu's second key."""


class MenuScreen(Dialog[str | None]):
    """Choose one line by arrows and Enter, or by its digit."""

    ROOM = Room.MENU
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.MENU)
    CSS_PATH = "menu.tcss"

    def __init__(self, title: str, items: Sequence[Item], *, other: bool = False) -> None:
        super().__init__()
        self._title = title
        self._items = [
            Item(item.key, f"{rank} {item.label}", item.detail, item.mark, item.enabled, item.heading, item.ink)
            for rank, item in enumerate(items, 1)
        ]
        self._other = other

    @property
    def permitted(self) -> frozenset[str]:
        """Saving without opening makes sense for attachments only."""
        return frozenset({ATTACHMENT}) if self._other else frozenset()

    def compose(self) -> ComposeResult:
        """The lines and their keys."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = visible(self._title).replace("[", "⟦")
            yield ItemList(id="lines")
            yield KeyFooter()

    def on_mount(self) -> None:
        """Begin on the first line that does something."""
        lines = self.query_one(ItemList)
        lines.styles.height = max(len(self._items), 1)
        lines.items = self._items
        lines.cursor = next((index for index, item in enumerate(self._items) if item.enabled), 0)
        lines.focus()

    def on_key(self, event: events.Key) -> None:
        """A digit chooses at once."""
        if event.character and event.character.isdigit() and 0 < int(event.character) <= len(self._items):
            event.stop()
            self._choose(int(event.character) - 1)

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        """Enter."""
        self._choose(event.index)

    def _choose(self, index: int) -> None:
        item = self._items[index]
        if item.enabled:
            self.dismiss(item.key)
        else:
            self.refuse(_("{what} : dans une prochaine version").format(what=item.label[2:]))

    def action_choose(self) -> None:
        """Enter, wherever the focus is."""
        self._choose(self.query_one(ItemList).cursor)

    def action_other(self) -> None:
        """The second thing one may do with the line."""
        self.dismiss(OTHER + self._items[self.query_one(ItemList).cursor].key)

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)
