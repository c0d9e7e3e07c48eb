"""All the keys, drawn from the key table and never written by hand; those of the screen below come first."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical

from client.i18n import _
from screens.base import Dialog
from screens.ink import Line, pad, wrap
from screens.keymap import ROOM_NAMES, Action, Room, actions_of, bindings_of, keys_words
from screens.widgets.document import Document
from screens.widgets.key_footer import KeyFooter

_KEY_COLUMN = 22
_MOVES = (
    ("↑ ↓, j k", "Se déplacer dans une liste ou un texte"),
    ("PgPréc PgSuiv", "Page précédente ou suivante"),
    ("Début Fin, g G", "Début ou fin"),
    ("Tab, Maj+Tab", "Champ suivant ou précédent"),
    ("Espace", "Cocher, changer de choix"),
)


def action_lines(action: Action, width: int) -> list[Line]:
    """`r   Rendre un avis. Écrit l'avis...`."""
    column = min(_KEY_COLUMN, width // 3)
    first, *others = wrap(f"{_(action.label)}. {_(action.help)}", width - column)
    lines: list[Line] = [((pad(keys_words(action), column), "key"), (first, ""))]
    return [*lines, *[((" " * column + other, ""),) for other in others]]


def help_lines(here: Room, width: int) -> list[Line]:
    """The whole table, this screen first, then everywhere, then the rest."""
    rooms = [here, Room.APP, *(room for room in Room if room not in (here, Room.APP))]
    lines: list[Line] = []
    for room in dict.fromkeys(rooms):
        lines.append(((_(ROOM_NAMES[room]), "heading"),))
        for action in actions_of(room):
            lines.extend(action_lines(action, width))
        lines.append(())
    lines.append(((_("Se déplacer"), "heading"),))
    lines.extend(((pad(keys, min(_KEY_COLUMN, width // 3)), "key"), (_(words), "")) for keys, words in _MOVES)
    return lines


class HelpScreen(Dialog[None]):
    """A sheet to scroll."""

    ROOM = Room.HELP
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.HELP)
    CSS_PATH = "help.tcss"

    def __init__(self, here: Room) -> None:
        super().__init__()
        self._here = here

    def compose(self) -> ComposeResult:
        """The sheet."""
        with Vertical(classes="sheet") as sheet:
            sheet.border_title = _("Aide : toutes les touches")
            yield Document(id="keys")
            yield KeyFooter()

    def on_mount(self) -> None:
        """Draw the table."""
        self.query_one(Document).show(lambda width: help_lines(self._here, width))
        self.query_one(Document).focus()

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)
