"""The last line: the keys that work here and now, or a notice until the next key.

Nothing is decided here: the screen's bindings, already filtered by the key table and by what is permitted, say which
keys are alive; this widget puts at most eight of them on one line.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import starmap

from textual.reactive import reactive
from textual.screen import Screen

from client.i18n import _
from screens.ink import Line, Piece, paragraph, width_of
from screens.keymap import ACTIONS, FOOTER_MAX, key_words
from screens.widgets.inked import InkedWidget

NOTICE_LINES = 3


def keys_line(keys: Sequence[tuple[str, str]], width: int) -> Line:
    """`(key, label)` pairs on one line; what does not fit is left out from the end, but the last always stays."""
    if not keys:
        return ()
    *others, last = list(starmap(_cell, keys))
    room = width - width_of(last) - 1
    kept: list[Piece] = [(" ", "")]
    for cell in others:
        if width_of(cell) + width_of(kept) > room:
            continue
        kept.extend(cell)
    return (*kept, *last)


def _cell(key: str, label: str) -> Line:
    return ((key, "key"), (f" {label}  ", ""))


def live_keys(screen: Screen[object]) -> list[tuple[str, str]]:
    """The keys the footer may show, best first, at most eight."""
    alive: dict[str, str] = {}
    for key, active in screen.active_bindings.items():
        if active.enabled and active.binding.id and active.binding.id not in alive:
            alive[active.binding.id] = key
    alive |= _entered(screen)
    ranked = sorted((row for row in ACTIONS if row.footer and row.id in alive), key=lambda row: row.footer)
    shown = [(key_words(_key_of(alive[row.id])), _(row.short or row.label)) for row in ranked]
    return [*shown[: FOOTER_MAX - 1], shown[-1]] if len(shown) > FOOTER_MAX else shown


def _entered(screen: Screen[object]) -> dict[str, str]:
    """Rows on Enter: the focused list or field hears the key first, and passes its meaning on."""
    room = getattr(screen, "ROOM", None)
    return {
        row.id: "enter"
        for row in ACTIONS
        if room in row.rooms and row.keys == "enter" and screen.check_action(row.name, ())
    }


def _key_of(name: str) -> str:
    return _CHARACTERS.get(name, name)


_CHARACTERS = {"plus": "+", "slash": "/", "question_mark": "?", "exclamation_mark": "!"}


class KeyFooter(InkedWidget):
    """Keys or notice."""

    DEFAULT_CSS = """
    KeyFooter { dock: bottom; height: auto; color: $ink-dim; }
    """

    notice: reactive[tuple[str, str] | None] = reactive(None, layout=True)
    keys: reactive[tuple[tuple[str, str], ...]] = reactive(())

    def on_mount(self) -> None:
        """Follow the screen's bindings."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self._bindings_changed(self.screen)

    _due = False

    def _bindings_changed(self, screen: Screen[object]) -> None:
        """Bindings change in bursts (focus, permissions): look once, when they are done."""
        del screen
        if not self._due:
            self._due = True
            self.call_later(self._look)

    def _look(self) -> None:
        self._due = False
        if self.is_attached and self.screen.is_current:
            self.keys = tuple(live_keys(self.screen))

    def lines(self, width: int) -> Sequence[Line]:
        """A notice takes up to three lines, keys one."""
        if self.notice:
            text, ink = self.notice
            return [((" ", ""), *line) for line in paragraph(text, width - 2, ink=ink, limit=NOTICE_LINES)]
        return (keys_line(self.keys, width),)
