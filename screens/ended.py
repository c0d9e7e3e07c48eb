"""The session died: said in full, with what became of the text, and one way out."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from client.i18n import _
from screens.base import PracticeScreen
from screens.ink import Line, paragraph
from screens.keymap import Room, bindings_of
from screens.widgets.lines_view import LinesView


class EndedScreen(PracticeScreen):
    """Covers everything: nothing behind it works any more."""

    ROOM = Room.ENDED
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.ENDED)
    CSS_PATH = "ended.tcss"

    def __init__(self, reason: str) -> None:
        super().__init__()
        self._reason = reason

    def compose_body(self) -> ComposeResult:
        """Title, reason, what to do."""
        with Vertical(id="words"):
            yield LinesView(self._lines)

    def _lines(self, width: int) -> list[Line]:
        kept = _("Ce qui était écrit est gardé dans les brouillons. Fermez Avicenne, puis relancez-la.")
        return [
            ((_("✕ La session s'est interrompue"), "error"),),
            (),
            *paragraph(self._reason, width),
            (),
            *paragraph(kept, width, ink="dim"),
        ]

    def action_quit(self) -> None:
        """Out."""
        self.app.exit(return_code=1)
