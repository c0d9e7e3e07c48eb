"""EXPORT FACTURATION (G06-G09, G13): period, role, format; without dates the whole finalised activity."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Button, Input

from client.i18n import _
from client.intents import ExportActivity
from screens.base import Dialog
from screens.ink import paragraph
from screens.keymap import Room, bindings_of
from screens.widgets.fields import Choose, Labelled, line_input, push_button
from screens.widgets.key_footer import KeyFooter
from screens.widgets.lines_view import LinesView

DATE_LENGTH = 10


class ExportScreen(Dialog[None]):
    """Raises ExportActivity; the file written is announced by an update."""

    ROOM = Room.EXPORT
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.EXPORT)
    CSS_PATH = "export.tcss"

    def compose(self) -> ComposeResult:
        """The dialog of G06-G10."""
        date_hint = _("JJ/MM/AAAA ou vide")
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = _("EXPORT FACTURATION")
            yield LinesView(
                lambda width: paragraph(
                    _("Téléexpertises finalisées seulement. Sans dates, toute l'activité est exportée."),
                    width,
                    ink="dim",
                )
            )
            yield Labelled(_("Export"), Choose([("personnel", _("Export PERSONNEL"))], id="scope"))
            yield Labelled(_("Date début"), line_input(id="debut", placeholder=date_hint, max_length=DATE_LENGTH))
            yield Labelled(_("Date fin"), line_input(id="fin", placeholder=date_hint, max_length=DATE_LENGTH))
            yield Labelled(
                _("Activité"),
                Choose(
                    [("requis", _("TLE en tant qu'expert")), ("requerant", _("TLE en tant que demandeur"))], id="role"
                ),
            )
            yield Labelled(
                _("Format"),
                Choose([("xlsx", _("Fichier XLSX (excel)")), ("csv", _("Fichier CSV"))], id="format"),
            )
            yield Labelled(
                _("Enregistrer sous"), line_input(id="path", placeholder=_("dossier habituel des téléchargements"))
            )
            with Horizontal(classes="buttons"):
                yield push_button(_("EXPORTER"), id="go", primary=True)
                yield push_button(_("Annuler"), id="cancel")
            yield KeyFooter()

    def on_mount(self) -> None:
        """Begin with the first date."""
        self.query_one("#debut").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button."""
        if event.button.id == "go":
            self.action_go()
        else:
            self.action_back()

    def on_input_submitted(self) -> None:
        """Enter goes to the next field."""
        self.focus_next()

    def action_go(self) -> None:
        """Ask for the file."""
        self.raise_intent(
            ExportActivity(
                role=self.query_one("#role", Choose).chosen,
                format=self.query_one("#format", Choose).chosen,
                date_debut=self._typed("#debut"),
                date_fin=self._typed("#fin"),
                path=self._typed("#path"),
            )
        )
        self.dismiss(None)

    def _typed(self, selector: str) -> str:
        return self.query_one(selector, Input).value.strip()

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)
