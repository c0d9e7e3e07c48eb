"""The shared form, edited by either party (E04): object, clinical history, question."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.widgets import Input, TextArea

from client.i18n import _
from screens.base import Dialog
from screens.formatting import editable, editable_line
from screens.keymap import Room, bindings_of
from screens.widgets.fields import Labelled, line_input
from screens.widgets.key_footer import KeyFooter


class FormEditScreen(Dialog[tuple[str, str, str] | None]):
    """Returns object, history and question; None when nothing is to change."""

    ROOM = Room.FORM
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.FORM)
    CSS_PATH = "form_edit.tcss"

    def __init__(self, objet: str, histoire: str, question: str) -> None:
        super().__init__()
        self._before = (editable_line(objet), editable(histoire), editable(question))

    def compose(self) -> ComposeResult:
        """Three fields."""
        objet, histoire, question = self._before
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = _("Modifier le formulaire")
            yield Labelled(_("Objet"), line_input(objet, id="objet"))
            yield Labelled(_("Histoire clinique"), _text(histoire, "histoire"))
            yield Labelled(_("Question"), _text(question, "question"))
            yield KeyFooter()

    def on_mount(self) -> None:
        """Begin with the object."""
        self.query_one("#objet").focus()

    def on_input_submitted(self) -> None:
        """Enter goes to the next field."""
        self.focus_next()

    def action_save(self) -> None:
        """Return the form, or nothing when it is as before."""
        form = (
            self.query_one("#objet", Input).value.strip(),
            self.query_one("#histoire", TextArea).text,
            self.query_one("#question", TextArea).text,
        )
        self.dismiss(form if form != self._before else None)

    def action_back(self) -> None:
        """Change nothing."""
        self.dismiss(None)


def _text(value: str, identifier: str) -> TextArea:
    area = TextArea(value, id=identifier, tab_behavior="focus", highlight_cursor_line=False)
    area.cursor_blink = False
    return area
