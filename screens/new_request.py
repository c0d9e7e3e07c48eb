"""« Nouvelle téléexpertise » (D05-D10): one sheet, steps in view, prefilled; kept at every pause and on leaving.

The fields are loaded once from the draft; afterwards the view only brings what the expert asks, the warnings and
what is missing, so that nothing being typed is ever overwritten.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Input, TextArea

from client.i18n import _, french_date, ngettext, short_instant
from client.intents import DraftEntry, PatientEntry, SaveDraft, SendRequest
from client.views import DraftView, ExpertRow
from screens.base import PracticeScreen
from screens.directory import DirectoryScreen
from screens.files import FilesScreen
from screens.formatting import editable, editable_line, visible
from screens.ink import Line, Piece, fit_line, paragraph, spread
from screens.keymap import Room, bindings_of
from screens.patients import PatientsScreen
from screens.widgets.fields import Choose, Finder, Labelled, Tick, line_input, push_button
from screens.widgets.lines_view import LinesView

PAUSE_S = 0.6
"""Rest of the keys before the draft is kept."""


def step_states(entry: DraftEntry, view: DraftView) -> list[tuple[str, bool]]:
    """The steps, each with whether it is complete."""
    patient = bool(entry.patient.nom_naissance) or not view.patient_required
    nir = bool(entry.patient.nir) or not view.nir_required
    billing = nir and (bool(entry.numero_facturation) or not view.billing_required)
    return [
        (_("1 Expert"), bool(entry.expert)),
        (_("2 Patient"), patient),
        (_("3 Facturation"), billing),
        (_("4 Question"), bool(entry.objet.strip() and entry.question.strip())),
        (_("Pièces jointes ({n})").format(n=len(entry.attachments)), len(entry.attachments) >= view.min_photos),
    ]


def step_line(states: list[tuple[str, bool]]) -> Line:
    """`✓ 1 Expert  ○ 2 Patient ...`."""
    pieces: list[Piece] = []
    for words, done in states:
        pieces += [("✓ " if done else "○ ", "good" if done else "warning"), (f"{words}  ", "" if done else "strong")]
    return tuple(pieces)


def asked_lines(view: DraftView, width: int) -> list[Line]:
    """What the expert asks for (D09): prerequisites, documents, photos."""
    lines: list[Line] = []
    if view.prerequis:
        lines.extend(paragraph(_("Prérequis : {text}").format(text=view.prerequis), width, ink="info"))
    lines.extend(line for document in view.documents for line in paragraph(f"▤ {document}", width, ink="info"))
    if view.min_photos:
        words = ngettext("{n} photo au moins est demandée", "{n} photos au moins sont demandées", view.min_photos)
        lines.append(((words.format(n=view.min_photos), "info"),))
    return lines


def remarks_lines(view: DraftView, width: int) -> list[Line]:
    """What is missing blocks and comes first; warnings never block."""
    lines: list[Line] = []
    for text in view.missing:
        lines.extend(paragraph(_("○ À renseigner : {text}").format(text=text), width, ink="error"))
    for text in view.warnings:
        lines.extend(paragraph(_("! À vérifier : {text}").format(text=text), width, ink="warning"))
    return lines


class NewRequestScreen(PracticeScreen):
    """Draws DraftView; raises SaveDraft as one types, SendRequest at the end."""

    ROOM = Room.NEW_REQUEST
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.NEW_REQUEST)
    CSS_PATH = "new_request.tcss"

    view: reactive[DraftView | None] = reactive(None)

    def __init__(self, view: DraftView) -> None:
        super().__init__()
        self.draft = view.entry.draft
        self._expert = view.entry.expert
        self._files = view.entry.attachments
        self._kept = view.entry
        self._sending = False
        self._timer: Timer | None = None
        self.set_reactive(NewRequestScreen.view, view)

    # --- drawing

    def compose_body(self) -> ComposeResult:
        """Steps, then who on one side and what on the other."""
        yield LinesView(self._top_lines, id="top")
        with VerticalScroll(id="form", can_focus=False):
            with Container(id="columns"):
                yield from self._compose_who()
                yield from self._compose_what()
            yield LinesView(self._remarks, id="remarks")
            with Horizontal(classes="buttons"):
                yield push_button(_("DÉMARRER LA TÉLÉEXPERTISE"), id="start", primary=True)

    def _compose_who(self) -> ComposeResult:
        entry = self._kept
        patient = entry.patient
        with Vertical(id="who"):
            yield Labelled(_("Agir en tant que *"), Choose(self._accounts(), chosen=entry.acting_account, id="acting"))
            yield Labelled(_("1 Expert *"), Finder(_("Entrée ou un nom : chercher dans l'annuaire"), id="expert"))
            yield LinesView(self._asked, id="prerequis")
            yield Labelled(_("2 Patient"), Finder(_("Entrée ou un nom : patient connu ou nouveau"), id="patient"))
            yield Labelled(_("  Nom de naissance"), line_input(editable_line(patient.nom_naissance), id="nom"))
            yield Labelled(_("  Prénoms"), line_input(editable_line(patient.prenoms), id="prenoms"))
            yield Labelled(
                _("  Sexe"),
                Choose(
                    [("", _("non précisé")), ("F", _("féminin")), ("M", _("masculin"))], chosen=patient.sexe, id="sexe"
                ),
            )
            yield Labelled(
                _("  Né(e) le"),
                line_input(
                    french_date(editable_line(patient.date_naissance)), id="naissance", placeholder=_("JJ/MM/AAAA")
                ),
            )
            yield Labelled(
                _("3 N° sécurité sociale"),
                line_input(editable_line(patient.nir), id="nir", placeholder=_("NIR et clé, 15 chiffres")),
            )
            yield Labelled(
                _("  Votre n° facturation"), line_input(editable_line(entry.numero_facturation), id="numero")
            )

    def _compose_what(self) -> ComposeResult:
        entry = self._kept
        with Vertical(id="what"):
            yield Labelled(_("4 Objet *"), line_input(editable_line(entry.objet), id="objet"))
            yield Labelled(_("  Histoire clinique"), _area(entry.histoire_clinique, "histoire"))
            yield Labelled(_("  Question *"), _area(entry.question, "question"))
            yield Labelled("", Tick(_("Le patient consent à la téléexpertise"), on=entry.consentement, id="consent"))
            yield Labelled("", Tick(_("! Urgent"), on=entry.urgent, id="urgent"))
            yield Labelled(_("Pièces jointes"), LinesView(self._file_lines, id="files"))

    def _accounts(self) -> list[tuple[str, str]]:
        return [(choice.account, choice.name) for choice in self.view.acting_choices] if self.view else []

    def on_mount(self) -> None:
        """Begin with what is not filled yet."""
        self.watch_view(self.view)
        self._show_patient(self._kept.patient)
        self.query_one("#expert" if not self._expert else "#patient").focus()

    def watch_view(self, view: DraftView | None) -> None:
        """Names, requirements and remarks; never the fields."""
        if view is None or not self.ready:
            return
        finder = self.query_one("#expert", Finder)
        if view.entry.expert == self._expert:
            finder.label, finder.detail = view.expert_name, view.expert_detail
        self.query_one("#prerequis", LinesView).show(self._asked)
        self.query_one("#remarks", LinesView).show(self._remarks)
        for identifier in ("#prerequis", "#remarks"):
            self.query_one(identifier).refresh(layout=True)
        self.query_one("#top").refresh()

    def _top_lines(self, width: int) -> list[Line]:
        view = self.view
        if view is None:
            return [(), ()]
        saved = short_instant(view.saved_at, now=self.now, zone=self.zone) if view.saved_at else ""
        words = _("brouillon gardé {when}").format(when=visible(saved)) if saved else ""
        title = spread(((_("Nouvelle téléexpertise"), "heading"),), ((words, "dim"),), width)
        states = step_states(self.entry() if self.ready else self._kept, view)
        return [title, fit_line(step_line(states), width)]

    def _asked(self, width: int) -> list[Line]:
        return asked_lines(self.view, width) if self.view else []

    def _remarks(self, width: int) -> list[Line]:
        return remarks_lines(self.view, width) if self.view else []

    def _file_lines(self, width: int) -> list[Line]:
        if not self._files:
            return [((_("aucune, Ctrl+O pour joindre"), "dim"),)]
        return [fit_line((("▤ ", "info"), (visible(PurePath(path).name), "")), width) for path in self._files]

    # --- what is typed

    def entry(self) -> DraftEntry:
        """The form as it stands."""
        return DraftEntry(
            self.draft,
            acting_account=self.query_one("#acting", Choose).chosen,
            expert=self._expert,
            patient=PatientEntry(
                self._typed("#nom"),
                self._typed("#prenoms"),
                self.query_one("#sexe", Choose).chosen,
                self._typed("#naissance"),
                self._typed("#nir"),
            ),
            numero_facturation=self._typed("#numero"),
            objet=self._typed("#objet"),
            histoire_clinique=self.query_one("#histoire", TextArea).text,
            question=self.query_one("#question", TextArea).text,
            consentement=self.query_one("#consent", Tick).on,
            urgent=self.query_one("#urgent", Tick).on,
            attachments=self._files,
        )

    def _typed(self, selector: str) -> str:
        return self.query_one(selector, Input).value.strip()

    def keep(self) -> None:
        """Raise the form, if it changed since it was last kept."""
        entry = self.entry()
        self.query_one("#top").refresh()
        if entry != self._kept and not self._sending:
            self._kept = entry
            self.raise_intent(SaveDraft(entry))

    def _changed(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE_S, self.keep)

    def on_input_changed(self) -> None:
        """Keep at the next pause."""
        self._changed()

    def on_text_area_changed(self) -> None:
        """Keep at the next pause."""
        self._changed()

    def on_tick_changed(self) -> None:
        """Keep now."""
        self.keep()

    def on_choose_changed(self) -> None:
        """Keep now."""
        self.keep()

    def on_input_submitted(self) -> None:
        """Enter goes to the next field."""
        self.focus_next()

    # --- searching

    def on_finder_wanted(self, event: Finder.Wanted) -> None:
        """Open the search that fills this field."""
        if event.finder.id == "expert":
            self._find_expert(event.text)
        else:
            self._find_patient(event.text)

    def _find_expert(self, text: str) -> None:
        self.app.push_screen(DirectoryScreen(text=text), self._expert_found)

    def _expert_found(self, row: ExpertRow | None) -> None:
        if row is None:
            return
        self._expert = row.account
        finder = self.query_one("#expert", Finder)
        finder.label, finder.detail = row.name, row.detail
        self.keep()
        self.query_one("#patient").focus()

    def _find_patient(self, text: str) -> None:
        self.app.push_screen(PatientsScreen(text=text), self._patient_found)

    def _patient_found(self, patient: PatientEntry | None) -> None:
        if patient is None:
            return
        for selector, value in (
            ("#nom", patient.nom_naissance),
            ("#prenoms", patient.prenoms),
            ("#naissance", french_date(patient.date_naissance)),
            ("#nir", patient.nir),
        ):
            self.query_one(selector, Input).value = editable_line(value)
        self.query_one("#sexe", Choose).chosen = patient.sexe
        self._show_patient(patient)
        self.keep()
        self.query_one("#objet" if patient.prenoms else "#prenoms").focus()

    def _show_patient(self, patient: PatientEntry) -> None:
        self.query_one("#patient", Finder).label = f"{patient.prenoms} {patient.nom_naissance}".strip()

    def action_expert(self) -> None:
        """Open the directory."""
        self._find_expert("")

    def action_patient(self) -> None:
        """Open the patients."""
        self._find_patient("")

    # --- files

    def action_attach(self) -> None:
        """Pick a file."""
        self.app.push_screen(FilesScreen(), self._file_picked)

    def _file_picked(self, path: str | None) -> None:
        if path and path not in self._files:
            self._files = (*self._files, path)
            self._files_changed()

    def action_detach(self) -> None:
        """Forget the last file picked."""
        self._files = self._files[:-1]
        self._files_changed()

    def _files_changed(self) -> None:
        self.query_one("#files").refresh(layout=True)
        self.keep()

    # --- leaving

    def on_button_pressed(self) -> None:
        """DÉMARRER LA TÉLÉEXPERTISE."""
        self.action_start()

    def action_start(self) -> None:
        """Start; the form stays until the session says the request is kept."""
        if self._sending:
            return
        self.keep()
        self._sending = True
        self.raise_intent(SendRequest(self.entry()))

    def refused(self) -> None:
        """Nothing left; the form stays as typed."""
        self._sending = False

    def action_back(self) -> None:
        """Leave; the draft is kept."""
        self.keep()
        self.dismiss()
        self.tell(_("✓ Brouillon gardé."))


def _area(value: str, identifier: str) -> TextArea:
    area = TextArea(editable(value), id=identifier, tab_behavior="focus", highlight_cursor_line=False)
    area.cursor_blink = False
    return area
