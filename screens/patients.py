"""Find a patient already met on this machine, or begin a new one with the name typed."""

from __future__ import annotations

from itertools import starmap
from typing import ClassVar

from textual.binding import BindingType
from textual.reactive import reactive

from client.i18n import _, french_date
from client.intents import PatientEntry, SearchPatients
from client.updates import PatientsFound
from client.views import PatientRow
from screens.formatting import editable_line
from screens.keymap import Room, bindings_of
from screens.picker import PickerScreen
from screens.widgets.line_list import Item

NEW = "\0new"
SEX_SIGNS = {"F": "♀", "M": "♂"}


def entry_of(row: PatientRow) -> PatientEntry:
    """A known patient as the form holds it."""
    return PatientEntry(row.nom_naissance, row.prenoms, row.sexe, row.date_naissance, row.nir)


def patient_item(index: int, row: PatientRow) -> Item:
    """`Lucette SPECIMEN ♀  17/04/1958`."""
    return Item(str(index), f"{row.name} {SEX_SIGNS.get(row.sexe, '')}".strip(), french_date(row.date_naissance), "·")


class PatientsScreen(PickerScreen[PatientEntry | None]):
    """Draws PatientsFound; returns a patient, known or begun."""

    ROOM = Room.PICKER
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.PICKER)

    found: reactive[PatientsFound | None] = reactive(None)

    def __init__(self, *, text: str = "") -> None:
        super().__init__(_("Patient"), _("nom ou prénom d'un patient"), text=text)

    def watch_found(self, found: PatientsFound | None) -> None:
        """List them; the last line begins a new patient."""
        if found is None or not self.ready:
            return
        typed = self.typed.strip()
        fresh = _("Nouveau patient « {name} »").format(name=typed) if typed else _("Nouveau patient")
        self.results.items = [
            *starmap(patient_item, enumerate(found.rows)),
            Item(NEW, fresh, mark="+", ink="accent"),
        ]
        if found.query == self.typed:
            self.settle()

    def search(self, text: str) -> None:
        """Ask."""
        self.raise_intent(SearchPatients(text))

    def choose(self) -> None:
        """Return the patient; never one of an older search."""
        if self.found is None or self.found.query != self.typed:
            self.choose_later()
            return
        item = self.results.current
        if item is None or item.key == NEW:
            self.dismiss(PatientEntry(nom_naissance=editable_line(self.typed.strip()).upper()))
        else:
            self.dismiss(entry_of(self.found.rows[int(item.key)]))

    def action_complete(self) -> None:
        """Tab chooses too."""
        self.choose()

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)
