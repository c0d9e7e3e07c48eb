"""The finalisation wizard (F03, F04): billing numbers, then which exchanges enter the synthesis, all by default."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Button, Input

from client.i18n import _
from client.intents import Finalise
from client.views import FinalisationView, TimelineEntry
from screens.base import Dialog
from screens.formatting import editable_line, instant_words, visible
from screens.ink import Line, paragraph, spread
from screens.keymap import TICKS, Room, bindings_of
from screens.widgets.fields import Choose, Labelled, line_input, or_not_given, push_button
from screens.widgets.key_footer import KeyFooter
from screens.widgets.line_list import LineList
from screens.widgets.lines_view import LinesView

_SHORT_LIST, _TALL_LIST = 11, 24
"""Exchanges shown at once, in a small and in a tall terminal."""


class TickList(LineList):
    """The exchanges, each ticked or not."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "flip", show=False)]

    class Ticked(Message):
        """A tick changed."""

    def __init__(self, entries: Sequence[TimelineEntry], whens: Sequence[str], *, id: str) -> None:  # noqa: A002
        super().__init__(id=id)
        self._entries = entries
        self._whens = whens
        self.ticked = {entry.event for entry in entries}

    @property
    def count(self) -> int:
        """How many exchanges."""
        return len(self._entries)

    def row_lines(self, index: int, width: int) -> Sequence[Line]:
        """`[x] author · title : text   when`."""
        entry = self._entries[index]
        box = "[x] " if entry.event in self.ticked else "[ ] "
        names = ", ".join(visible(attachment.name) for attachment in entry.attachments)
        what = visible(entry.title) or _("Message")
        text = " ".join(part for part in (visible(entry.text), names) if part)
        left = ((box, "strong"), (visible(entry.author), ""), (f" · {what}", "accent"), (f"  {text}", "dim"))
        return (spread(left, ((self._whens[index], "dim"),), width),)

    def action_flip(self) -> None:
        """Tick or untick the row."""
        if not self._entries:
            return
        self.ticked ^= {self._entries[self.cursor].event}
        self._refresh_row(self.cursor)
        self.post_message(self.Ticked())

    def toggle_all(self) -> None:
        """Everything, or nothing when everything was."""
        everything = {entry.event for entry in self._entries}
        self.ticked = set() if self.ticked == everything else everything
        self.refresh()
        self.post_message(self.Ticked())


class FinalisationScreen(Dialog[None]):
    """Draws FinalisationView; raises Finalise; closes when the case is finalised."""

    ROOM = Room.FINALISATION
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.FINALISATION)
    CSS_PATH = "finalisation.tcss"

    def __init__(self, view: FinalisationView) -> None:
        super().__init__()
        self.view = view
        self._sending = False

    def compose(self) -> ComposeResult:
        """Both steps; one shows."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = _("Finalisation")
            yield LinesView(self._steps, id="steps")
            with Vertical(id="first"):
                yield from self._compose_first()
            with Vertical(id="second"):
                yield from self._compose_second()
            yield KeyFooter()

    def _compose_first(self) -> ComposeResult:
        view = self.view
        yield Labelled(
            _("Niveau de facturation"), Choose([(level.key, level.label) for level in view.niveaux], id="niveau")
        )
        yield Labelled(
            _("Demandeur"), LinesView(lambda width: paragraph(or_not_given(view.requerant), width, ink="strong"))
        )
        yield Labelled(_("  N° de facturation"), line_input(editable_line(view.numero_requerant), id="requerant"))
        yield Labelled(_("Expert"), Choose([(choice.key, choice.label) for choice in view.experts], id="expert"))
        yield Labelled(_("  N° de facturation"), line_input(editable_line(view.numero_requis), id="requis"))
        yield LinesView(self._warnings)
        with Horizontal(classes="buttons"):
            yield push_button(_("CONTINUER LA FINALISATION"), id="continue", primary=True)
            yield push_button(_("Annuler"), id="cancel")

    def _compose_second(self) -> ComposeResult:
        whens = [instant_words(entry.at, now=self.now, zone=self.zone) for entry in self.view.exchanges]
        yield LinesView(self._patient_line, id="patient")
        yield TickList(self.view.exchanges, whens, id="exchanges")
        with Horizontal(classes="buttons"):
            yield push_button(_("FINALISER"), id="finalise", primary=True)
            yield push_button(_("Retour"), id="back")

    def on_mount(self) -> None:
        """All is prefilled: Enter goes on."""
        room = _TALL_LIST if self.has_class("-tall") else _SHORT_LIST
        self._ticks.styles.height = max(min(len(self.view.exchanges), room), 1)
        self.query_one("#continue").focus()

    @property
    def permitted(self) -> frozenset[str]:
        """There is something to tick on the second step only."""
        return frozenset({TICKS}) if self._on_second else frozenset()

    @property
    def _on_second(self) -> bool:
        return self.has_class("-second")

    @property
    def _ticks(self) -> TickList:
        return self.query_one(TickList)

    def _steps(self, width: int) -> list[Line]:
        del width
        step = (
            _("Étape 2 sur 2 : ce qui entre dans la synthèse") if self._on_second else _("Étape 1 sur 2 : facturation")
        )
        return [((step, "dim"),), ()]

    def _warnings(self, width: int) -> list[Line]:
        return [line for text in self.view.warnings for line in paragraph(f"! {text}", width, ink="warning")]

    def _patient_line(self, width: int) -> list[Line]:
        counter = f"✓ {len(self._ticks.ticked)}/{self._ticks.count}" if self.ready else ""
        return [spread(((visible(or_not_given(self.view.patient)), "strong"),), ((counter, "good"),), width)]

    def on_tick_list_ticked(self) -> None:
        """Count again."""
        self.query_one("#patient").refresh()

    def on_choose_changed(self, event: Choose.Changed) -> None:
        """The number is taken from the sheet of the expert chosen."""
        if event.choose.id != "expert":
            return
        number = next((choice.detail for choice in self.view.experts if choice.key == event.choose.chosen), "")
        self.query_one("#requis", Input).value = editable_line(number)

    def on_input_submitted(self) -> None:
        """Enter goes to the next field."""
        self.focus_next()

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        """Enter on an exchange leads to the button, space ticks."""
        event.stop()
        self.query_one("#finalise").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """A button."""
        if event.button.id in ("continue", "finalise"):
            self.action_go_on()
        else:
            self.action_back()

    def action_go_on(self) -> None:
        """To the second step, then finalise."""
        if not self._on_second:
            self._show_second(second=True)
            self._ticks.focus()
        elif not self._sending:
            self._sending = True
            self.raise_intent(self._finalise())

    def _finalise(self) -> Finalise:
        order = [entry.event for entry in self.view.exchanges if entry.event in self._ticks.ticked]
        return Finalise(
            self.view.case,
            niveau=self.query_one("#niveau", Choose).chosen,
            numero_requerant=self.query_one("#requerant", Input).value.strip(),
            expert_name=self.query_one("#expert", Choose).chosen,
            numero_requis=self.query_one("#requis", Input).value.strip(),
            included=tuple(order),
        )

    def _show_second(self, *, second: bool) -> None:
        self.set_class(second, "-second")
        self.query_one("#steps").refresh()
        self.refresh_bindings()

    def refused(self) -> None:
        """Nothing was finalised."""
        self._sending = False

    def action_all(self) -> None:
        """All or none."""
        if self._on_second:
            self._ticks.toggle_all()

    def action_back(self) -> None:
        """To the first step, then out."""
        if self._on_second:
            self._show_second(second=False)
            self.query_one("#continue").focus()
        else:
            self.dismiss(None)
