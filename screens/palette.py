"""Every command by its name: French, without accents if one likes, and always with the key that would do the same."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import BindingType

from client.i18n import _
from screens.formatting import fold
from screens.keymap import Action, Room, bindings_of, keys_words
from screens.picker import PickerScreen
from screens.widgets.line_list import Item


def matches(action: Action, words: Sequence[str]) -> int:
    """How well an action answers the words typed: 0 for not at all, more for better."""
    label, everything = fold(_(action.label)), fold(f"{_(action.label)} {_(action.help)} {action.words}")
    if not all(word in everything for word in words):
        return 0
    starts = sum(any(part.startswith(word) for part in label.split()) for word in words)
    return 1 + starts * 2 + sum(word in label for word in words)


class PaletteScreen(PickerScreen[str | None]):
    """Returns the id of the action to run on the screen below."""

    ROOM = Room.PALETTE
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.PALETTE)
    DELAY_S = 0.0

    def __init__(self, actions: Sequence[Action]) -> None:
        super().__init__(_("Commandes"), _("que voulez-vous faire ?"))
        self._actions = actions

    def search(self, text: str) -> None:
        """List what answers, best first."""
        words = fold(text).split()
        ranked = [(matches(action, words), action) for action in self._actions]
        found = sorted((pair for pair in ranked if pair[0]), key=lambda pair: -pair[0])
        self.results.items = [Item(action.id, _(action.label), keys_words(action)) for _rank, action in found]
        self.results.cursor = 0

    def choose(self) -> None:
        """Return the command."""
        item = self.results.current
        if item is None:
            self.refuse(_("Aucune commande de ce nom."))
        else:
            self.dismiss(item.key)

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)
