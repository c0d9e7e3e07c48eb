"""A question answered by yes or no; no is the safe answer and has the focus."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button

from client.i18n import _
from screens.base import Dialog
from screens.ink import paragraph
from screens.keymap import Room, bindings_of
from screens.widgets.fields import push_button
from screens.widgets.key_footer import KeyFooter
from screens.widgets.lines_view import LinesView


class ConfirmScreen(Dialog[bool]):
    """Returns what was answered."""

    ROOM = Room.CONFIRM
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.CONFIRM)
    CSS_PATH = "confirm.tcss"

    def __init__(self, question: str, *, yes: str = "", no: str = "") -> None:
        super().__init__()
        self._question = question
        self._yes = yes or _("Oui")
        self._no = no or _("Non")

    def compose(self) -> ComposeResult:
        """Question and two buttons."""
        with Vertical(classes="sheet"):
            yield LinesView(lambda width: paragraph(self._question, width))
            with Horizontal(classes="buttons"):
                yield push_button(self._no, id="no")
                yield push_button(self._yes, id="yes")
            yield KeyFooter()

    def on_mount(self) -> None:
        """Enter alone does nothing grave."""
        self.query_one("#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button."""
        self.dismiss(event.button.id == "yes")

    def action_yes(self) -> None:
        """Confirm."""
        self.dismiss(True)

    def action_no(self) -> None:
        """Do nothing."""
        self.dismiss(False)
