"""One's sheet as an expert (C01-C09): billing number, presence in the directory, what requesters must give."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.reactive import reactive
from textual.widgets import Input, Static, TextArea

from client.i18n import _
from client.intents import SavePreferences
from client.views import PreferencesView
from screens.base import PracticeScreen
from screens.formatting import editable, editable_line
from screens.ink import Line, paragraph
from screens.keymap import Room, bindings_of
from screens.widgets.fields import Labelled, Tick, line_input, or_not_given, push_button
from screens.widgets.lines_view import LinesView


class PreferencesScreen(PracticeScreen):
    """Draws PreferencesView; raises SavePreferences; closes when they are published."""

    ROOM = Room.PREFERENCES
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.PREFERENCES)
    CSS_PATH = "preferences.tcss"

    view: reactive[PreferencesView | None] = reactive(None)

    def __init__(self, view: PreferencesView) -> None:
        super().__init__()
        self._before = view
        self._sending = False
        self.set_reactive(PreferencesScreen.view, view)

    def compose_body(self) -> ComposeResult:
        """The page of C02-C09."""
        view = self._before
        with VerticalScroll(id="form", can_focus=False):
            yield Static(_("Préférences générales de téléexpertise"), classes="heading", markup=False)
            yield Labelled(
                _("Agir en tant que"),
                LinesView(lambda width: paragraph(or_not_given(view.account), width, ink="strong")),
            )
            yield Labelled(
                _("N° de facturation"),
                line_input(
                    editable_line(view.numero_facturation),
                    id="numero",
                    placeholder=_("N° Assurance Maladie si libéral, FINESS si salarié"),
                ),
            )
            yield Static(_("Préférences d'expert"), classes="heading", markup=False)
            yield Tick(
                _("Je souhaite apparaître dans l'annuaire régional des experts"), on=view.annuaire, id="annuaire"
            )
            yield LinesView(self._diagnosis, id="diagnosis")
            yield Labelled(_("Descriptif activité"), _area(view.descriptif, "descriptif"))
            yield Labelled(_("Prérequis expert"), _area(view.prerequis, "prerequis"))
            yield Static(_("Ce que le demandeur doit fournir"), classes="heading", markup=False)
            yield Tick(_("Le patient est obligatoire"), on=view.patient_obligatoire, id="patient")
            yield Tick(_("Le numéro de sécurité sociale est obligatoire"), on=view.nir_obligatoire, id="nir")
            yield Tick(
                _("Le numéro de facturation du demandeur est obligatoire"),
                on=view.facturation_requerant_obligatoire,
                id="facturation",
            )
            yield Labelled(
                _("Lien d'accès rapide"),
                LinesView(lambda width: paragraph(or_not_given(view.lien_acces_rapide), width, ink="info")),
            )
            with Horizontal(classes="buttons"):
                yield push_button(_("ENREGISTRER"), id="save", primary=True)

    def on_mount(self) -> None:
        """Begin with the tick that matters (C13)."""
        self.query_one("#annuaire").focus()

    def _diagnosis(self, width: int) -> list[Line]:
        if self.ready and self.query_one("#annuaire", Tick).on:
            return []
        text = _("! Décoché : aucun confrère ne vous trouve parmi les experts, et aucune demande n'arrive.")
        return paragraph(text, width, ink="warning")

    def on_tick_changed(self) -> None:
        """Say what an absence from the directory means."""
        self.query_one("#diagnosis").refresh(layout=True)

    def watch_view(self, view: PreferencesView | None) -> None:
        """The sheet came back as published: done."""
        if view is not None and self._sending and self.ready:
            self._sending = False
            self.dismiss()
            self.tell(_("✓ Préférences enregistrées."))

    def on_input_submitted(self) -> None:
        """Enter goes to the next field."""
        self.focus_next()

    def on_button_pressed(self) -> None:
        """ENREGISTRER."""
        self.action_save()

    def action_save(self) -> None:
        """Publish."""
        self._sending = True
        self.raise_intent(
            SavePreferences(
                annuaire=self.query_one("#annuaire", Tick).on,
                descriptif=self.query_one("#descriptif", TextArea).text,
                prerequis=self.query_one("#prerequis", TextArea).text,
                patient_obligatoire=self.query_one("#patient", Tick).on,
                nir_obligatoire=self.query_one("#nir", Tick).on,
                facturation_requerant_obligatoire=self.query_one("#facturation", Tick).on,
                numero_facturation=self.query_one("#numero", Input).value.strip(),
            )
        )

    def refused(self) -> None:
        """Nothing was published."""
        self._sending = False

    def action_back(self) -> None:
        """Leave."""
        self.dismiss()


def _area(value: str, identifier: str) -> TextArea:
    area = TextArea(editable(value), id=identifier, tab_behavior="focus", highlight_cursor_line=False)
    area.cursor_blink = False
    return area
