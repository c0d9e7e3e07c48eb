"""Search as you type: a field above a list. Letters go to the field, arrows and Enter to the list.

Enter typed faster than the answer comes is kept, and chooses when the results of what is typed are there; any other key
takes it back.

The base of the directory, of the patient and file pickers, and of the command palette.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import ClassVar, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input

from screens.base import Dialog
from screens.widgets.key_footer import KeyFooter
from screens.widgets.line_list import ItemList, LineList

Answer = TypeVar("Answer")

DEBOUNCE_S = 0.08
"""Rest of the keys before a search leaves."""

_MOVES = {
    "down": "cursor_down",
    "up": "cursor_up",
    "pagedown": "page_down",
    "pageup": "page_up",
}


class PickerScreen(Dialog[Answer]):
    """Subclasses say what is searched and what is returned."""

    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = "picker.tcss"
    DELAY_S = DEBOUNCE_S
    TWO_LINES = False

    def __init__(self, title: str, placeholder: str, *, text: str = "") -> None:
        super().__init__()
        self._title = title
        self._placeholder = placeholder
        self._text = text
        self._timer: Timer | None = None
        self._owed = False
        """Enter was pressed before its results were there."""

    def compose(self) -> ComposeResult:
        """Field, list, what the subclass adds, keys."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = self._title
            yield Input(self._text, placeholder=self._placeholder, id="query", select_on_focus=False)
            yield from self.compose_above()
            yield ItemList(id="results", two_lines=self.TWO_LINES, active=True)
            yield from self.compose_below()
            yield KeyFooter()

    def compose_above(self) -> Iterable[Widget]:
        """Between field and list."""
        return ()

    def compose_below(self) -> Iterable[Widget]:
        """Between list and keys."""
        return ()

    def on_mount(self) -> None:
        """The keys go to the field."""
        self.results.can_focus = False
        query = self.query_one("#query", Input)
        query.cursor_blink = False
        query.cursor_position = len(query.value)
        query.focus()
        self.search(query.value)

    @property
    def results(self) -> ItemList:
        """The list."""
        return self.query_one("#results", ItemList)

    @property
    def typed(self) -> str:
        """What is in the field."""
        return self.query_one("#query", Input).value

    def search(self, text: str) -> None:
        """Find; the subclass fills `results.items`, now or when the answer comes."""
        raise NotImplementedError

    def choose(self) -> None:
        """Enter."""
        raise NotImplementedError

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search when the keys rest."""
        event.stop()
        self._owed = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self.DELAY_S:
            self._timer = self.set_timer(self.DELAY_S, self.search_now)
        else:
            self.search_now()

    def search_now(self) -> None:
        """Search for what is typed."""
        self._owed = False
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        self.search(self.typed)

    def choose_later(self) -> None:
        """Search now for what is typed; `settle` chooses when the answer is there."""
        self.search_now()
        self._owed = True

    def settle(self) -> None:
        """The results of what is typed are listed: give the Enter that waited for them its choice."""
        if self._owed:
            self.call_later(self._choose_owed)

    def _choose_owed(self) -> None:
        if self._owed:
            self._owed = False
            self.choose()

    def on_screen_suspend(self) -> None:
        """Nothing is chosen behind another screen."""
        self._owed = False

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter chooses."""
        event.stop()
        self.choose()

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        """A click on the line under the cursor: that line or nothing, never one that comes in its place."""
        event.stop()
        self.choose()
        self._owed = False

    def on_key(self, event: events.Key) -> None:
        """Arrows move in the list while letters go to the field."""
        if event.key != "enter":
            self._owed = False
        move = _MOVES.get(event.key)
        if move:
            event.stop()
            event.prevent_default()
            getattr(self.results, f"action_{move}")()

    def action_choose(self) -> None:
        """Enter."""
        self.choose()
