"""The motive of a refusal or of a withdrawal, which goes on record; an empty one is not accepted."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import TextArea

from client.i18n import _
from screens.base import Dialog
from screens.ink import paragraph
from screens.keymap import Room, bindings_of
from screens.widgets.key_footer import KeyFooter
from screens.widgets.lines_view import LinesView


class MotiveScreen(Dialog[str | None]):
    """Returns the motive, or None."""

    ROOM = Room.MOTIVE
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.MOTIVE)
    CSS_PATH = "motive.tcss"

    def __init__(self, title: str, prompt: str) -> None:
        super().__init__()
        self._title = title
        self._prompt = prompt

    def compose(self) -> ComposeResult:
        """Prompt and text."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = self._title
            yield LinesView(lambda width: paragraph(self._prompt, width, ink="dim"))
            yield TextArea(tab_behavior="focus", highlight_cursor_line=False)
            yield KeyFooter()

    def on_mount(self) -> None:
        """Write at once."""
        text_area = self.query_one(TextArea)
        text_area.cursor_blink = False
        text_area.focus()

    def action_go(self) -> None:
        """Return the motive."""
        motive = self.query_one(TextArea).text.strip()
        if motive:
            self.dismiss(motive)
        else:
            self.missing(_("Motif"))

    def action_back(self) -> None:
        """Do nothing."""
        self.dismiss(None)
