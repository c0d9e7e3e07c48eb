"""The door: card, situation, code. It also covers the screen when the session is locked; nothing shows behind it.

The code typed leaves in one `EnterPin` and is wiped from the field at once, right or wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.reactive import reactive
from textual.widgets import Input

from client.i18n import _, ngettext
from client.intents import ChooseBillingSituation, ChooseReader, ChooseSituation, EnterPin, SwitchCard
from client.views import LoginPhase, LoginView
from screens.base import PracticeScreen
from screens.formatting import visible
from screens.ink import Line, fit, pad, paragraph
from screens.keymap import Room, bindings_of
from screens.widgets.inked import InkedWidget
from screens.widgets.line_list import Item, ItemList, LineList

_CARD_WIDTH = 38

_CHOOSING = (LoginPhase.CHOOSE_READER, LoginPhase.CHOOSE_SITUATION, LoginPhase.CHOOSE_BILLING)

PIN_LENGTH = 8


def phase_words(phase: LoginPhase) -> tuple[str, str]:
    """What happens, and what to do."""
    return {
        LoginPhase.NO_SERVICE: (
            _("Le service des cartes ne répond pas"),
            _("Vérifiez que le service PC/SC de ce poste est démarré ; Avicenne réessaie seule."),
        ),
        LoginPhase.NO_READER: (_("Aucun lecteur de carte"), _("Branchez un lecteur : il sera reconnu aussitôt.")),
        LoginPhase.NO_CARD: (_("Insérez votre carte CPS"), _("Puce vers le haut, jusqu'au fond du lecteur.")),
        LoginPhase.CHOOSE_READER: (_("Plusieurs cartes sont là"), _("Choisissez la vôtre.")),
        LoginPhase.READING: (_("Lecture de la carte"), _("Laissez la carte dans le lecteur.")),
        LoginPhase.CHOOSE_SITUATION: (_("Situation d'exercice"), _("Dans quelle situation exercez-vous maintenant ?")),
        LoginPhase.ENTER_PIN: (_("Code porteur"), _("Tapez le code de votre carte, puis Entrée.")),
        LoginPhase.CHECKING: (_("Vérification"), _("La carte et le relais se reconnaissent.")),
        LoginPhase.CHOOSE_BILLING: (
            _("Situation de facturation"),
            _("Avec quel numéro facturez-vous pendant cette session ?"),
        ),
        LoginPhase.BLOCKED: (
            _("Carte bloquée"),
            _(
                "Trois codes faux de suite l'ont bloquée. Débloquez-la avec votre code de déblocage et l'outil de "
                "l'Agence du numérique en santé, ou utilisez une autre carte."
            ),
        ),
        LoginPhase.DEAD: (_("Carte hors d'usage"), _("Cette carte ne répond plus : demandez son remplacement.")),
        LoginPhase.UNSUPPORTED: (
            _("Carte non reconnue"),
            _("Ce n'est pas une carte de la famille CPS. Insérez votre carte de professionnel."),
        ),
        LoginPhase.REFUSED: (_("Accès refusé"), _("Retirez la carte, puis insérez-la pour recommencer.")),
        LoginPhase.OPEN: (_("Session ouverte"), ""),
    }[phase]


def card_lines(view: LoginView) -> list[Line]:
    """The card, in plain characters, with its holder once read."""
    inner = _CARD_WIDTH - 2
    empty = view.phase in (LoginPhase.NO_SERVICE, LoginPhase.NO_READER, LoginPhase.NO_CARD)
    ink = "dim" if empty else "accent"
    rows = [
        ("  ┌──┬──┐   CARTE DE PROFESSIONNEL", ink),
        ("  ├──┼──┤   DE SANTÉ", ink),
        ("  └──┴──┘", ink),
        (f"  {visible(view.holder)}" if view.holder else "", "strong"),
        (f"  {visible(view.card)}" if view.card else "", "dim"),
    ]
    body: list[Line] = [(("│", ink), (pad(fit(text, inner), inner), row_ink), ("│", ink)) for text, row_ink in rows]
    return [((f"╭{'─' * inner}╮", ink),), *body, ((f"╰{'─' * inner}╯", ink),)]


def door_lines(view: LoginView, width: int) -> list[Line]:
    """Everything above the field: name, card, what happens, what to do, what went wrong."""
    title, advice = phase_words(view.phase)
    lines: list[Line] = [
        (("A V I C E N N E", "heading"),),
        ((_("Téléexpertise, chiffrée de bout en bout"), "dim"),),
        (),
    ]
    lines.extend(card_lines(view))
    lines.append(())
    if view.locked:
        lines.append(((_("▣ Session verrouillée"), "warning"), (_(" · la même carte la rouvre"), "dim")))
    lines.append(((title, _title_ink(view.phase)),))
    lines.extend(paragraph(advice, width, ink=""))
    if view.tries_left is not None and view.phase is LoginPhase.ENTER_PIN:
        lines.append(((_tries_words(view.tries_left), "warning" if view.tries_left == 1 else "dim"),))
    if view.message:
        lines.extend(paragraph(f"! {view.message}", width, ink="warning"))
    return lines


def _title_ink(phase: LoginPhase) -> str:
    wrong = (LoginPhase.BLOCKED, LoginPhase.DEAD, LoginPhase.UNSUPPORTED, LoginPhase.REFUSED)
    return "error" if phase in wrong else "strong"


def _tries_words(tries: int) -> str:
    words = ngettext("{n} essai avant blocage de la carte", "{n} essais avant blocage de la carte", tries)
    return words.format(n=tries)


class DoorArt(InkedWidget):
    """The card and its words."""

    view: reactive[LoginView] = reactive(LoginView(LoginPhase.NO_CARD), layout=True)

    def lines(self, width: int) -> Sequence[Line]:
        """As the phase says."""
        return door_lines(self.view, width)


class UnlockScreen(PracticeScreen):
    """Draws LoginView; raises choices and the code."""

    ROOM = Room.UNLOCK
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.UNLOCK)
    CSS_PATH = "unlock.tcss"

    view: reactive[LoginView] = reactive(LoginView(LoginPhase.NO_CARD))

    def compose_body(self) -> ComposeResult:
        """Card, choices, code."""
        with Vertical(id="door"):
            yield DoorArt()
            yield ItemList(id="choices")
            yield Input(
                id="pin", password=True, restrict="[0-9]*", max_length=PIN_LENGTH, placeholder=_("code porteur")
            )

    def on_mount(self) -> None:
        """Draw what was given before mounting."""
        self.watch_view(self.view)

    def watch_view(self, view: LoginView) -> None:
        """Hand the parts down and put the keys where they are needed."""
        if not self.ready:
            return
        self.query_one(DoorArt).view = view
        choices, pin = self.query_one("#choices", ItemList), self.query_one("#pin", Input)
        choices.items = [Item(choice.key, choice.label, choice.detail) for choice in view.choices]
        choices.display = view.phase in _CHOOSING
        pin.display = view.phase is LoginPhase.ENTER_PIN
        if not pin.display:
            pin.value = ""
        if choices.display:
            choices.focus()
        elif pin.display:
            pin.focus()
        else:
            self.set_focus(None)

    def action_switch_card(self) -> None:
        """Another card, or the same from the beginning."""
        self.raise_intent(SwitchCard())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Send the code once, and wipe it."""
        pin = event.input.value
        event.input.value = ""
        if pin:
            self.raise_intent(EnterPin(pin))

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        """A reader or a situation was chosen."""
        key = self.view.choices[event.index].key
        if self.view.phase is LoginPhase.CHOOSE_READER:
            self.raise_intent(ChooseReader(key))
        elif not key.isdecimal():
            return
        elif self.view.phase is LoginPhase.CHOOSE_SITUATION:
            self.raise_intent(ChooseSituation(int(key)))
        elif self.view.phase is LoginPhase.CHOOSE_BILLING:
            self.raise_intent(ChooseBillingSituation(int(key)))
