"""Fields that plain Textual would draw by colour alone: a tick, a choice among few, a field that opens a search.

Each says its state in characters (`[x]`, `(•)`, `▸`), so that sixteen colours, one colour and no colour agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.message import Message
from textual.reactive import reactive
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from client.i18n import _
from screens.formatting import visible
from screens.ink import Line, Piece, fit
from screens.widgets.inked import InkedWidget


class Tick(InkedWidget, can_focus=True):
    """`[x] label`, toggled by space or Enter."""

    DEFAULT_CSS = """
    Tick { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space,enter", "flip", show=False)]

    on: reactive[bool] = reactive(False)

    class Changed(Message):
        """Ticked or unticked by the user."""

        def __init__(self, tick: Tick) -> None:
            super().__init__()
            self.tick = tick

        @property
        def control(self) -> Tick:
            """The tick."""
            return self.tick

    def __init__(self, label: str, *, on: bool = False, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._label = label
        self.set_reactive(Tick.on, on)

    def lines(self, width: int) -> Sequence[Line]:
        """One."""
        box = ("[x]" if self.on else "[ ]", "cursor" if self.has_focus else "strong")
        bar = ("▌ " if self.has_focus else "  ", "accent")
        return ((bar, box, (f" {fit(visible(self._label), width - 6)}", "")),)

    def action_flip(self) -> None:
        """Change, and say so."""
        self.on = not self.on
        self.post_message(self.Changed(self))

    def on_click(self) -> None:
        """The mouse is optional."""
        self.action_flip()


class Choose(InkedWidget, can_focus=True):
    """`(•) one  ( ) other`, moved by arrows or space."""

    DEFAULT_CSS = """
    Choose { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "move(1)", show=False),
        Binding("left", "move(-1)", show=False),
    ]

    chosen: reactive[str] = reactive("", layout=True)

    class Changed(Message):
        """Another option was chosen by the user."""

        def __init__(self, choose: Choose) -> None:
            super().__init__()
            self.choose = choose

        @property
        def control(self) -> Choose:
            """The field."""
            return self.choose

    def __init__(
        self,
        options: Sequence[tuple[str, str]] = (),
        *,
        chosen: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._options = tuple(options)
        self.set_reactive(Choose.chosen, chosen or (self._options[0][0] if self._options else ""))

    def set_options(self, options: Sequence[tuple[str, str]], chosen: str) -> None:
        """Offer these `(key, label)`."""
        self._options = tuple(options)
        self.chosen = chosen or (self._options[0][0] if self._options else "")
        self.refresh(layout=True)

    def lines(self, width: int) -> Sequence[Line]:
        """All on one line where they fit, else one each."""
        cells = [self._cell(key, label, width) for key, label in self._options]
        if sum(len(text) for cell in cells for text, _ink in cell) + 2 <= width:
            return ((self._bar, *(piece for cell in cells for piece in cell)),)
        return [(self._bar, *cell) for cell in cells] or ((),)

    @property
    def _bar(self) -> Piece:
        return ("▌ " if self.has_focus else "  ", "accent")

    def _cell(self, key: str, label: str, width: int) -> Line:
        on = key == self.chosen
        chosen_ink = "cursor" if self.has_focus else "strong"
        return (("(•)" if on else "( )", chosen_ink if on else "dim"), (f" {fit(visible(label), width - 7)}  ", ""))

    def action_move(self, step: int) -> None:
        """Next or previous option, round."""
        keys = [key for key, _label in self._options]
        if not keys:
            return
        at = keys.index(self.chosen) if self.chosen in keys else 0
        self.chosen = keys[(at + step) % len(keys)]
        self.post_message(self.Changed(self))


class Finder(InkedWidget, can_focus=True):
    """A field filled by a search: Enter, or any letter, opens it."""

    DEFAULT_CSS = """
    Finder { height: auto; min-height: 1; background: $field; border-left: outer $line; padding: 0 1; }
    Finder:focus { border-left: outer $ink-accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "find", show=False)]

    label: reactive[str] = reactive("")
    detail: reactive[str] = reactive("")

    class Wanted(Message):
        """The search is wanted, beginning with `text`."""

        def __init__(self, finder: Finder, text: str) -> None:
            super().__init__()
            self.finder = finder
            self.text = text

        @property
        def control(self) -> Finder:
            """The field."""
            return self.finder

    def __init__(self, prompt: str, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._prompt = prompt

    def lines(self, width: int) -> Sequence[Line]:
        """What was found, or how to find."""
        if not self.label:
            return (((fit(self._prompt, width), "dim"),),)
        detail = f"  {visible(self.detail)}" if self.detail else ""
        name = fit(visible(self.label), width)
        return (((name, "strong"), (fit(detail, max(width - len(name), 0)), "dim")),)

    def check_consume_key(self, key: str, character: str | None) -> bool:
        """Letters begin the search."""
        del key
        return character is not None and character.isprintable()

    def on_key(self, event: events.Key) -> None:
        """A letter opens the search with itself."""
        if event.character is not None and event.character.isalnum():
            event.stop()
            event.prevent_default()
            self.post_message(self.Wanted(self, event.character))

    def action_find(self) -> None:
        """Open the search."""
        self.post_message(self.Wanted(self, ""))

    def on_click(self) -> None:
        """The mouse is optional."""
        self.action_find()


class Labelled(Horizontal):
    """A label and the field it names, on one row."""

    DEFAULT_CSS = """
    Labelled { height: auto; width: 1fr; }
    Labelled LinesView { padding: 0 0 0 2; }
    """

    def __init__(self, label: str, *fields: Widget, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._label = label
        self._fields = fields

    def compose(self) -> ComposeResult:
        """Label, then fields."""
        yield Static(self._label, classes="label", markup=False)
        yield from self._fields


def push_button(label: str, *, id: str, primary: bool = False) -> Button:  # noqa: A002
    """A button of the house."""
    return Button(label, id=id, classes="-primary" if primary else None)


def line_input(value: str = "", *, id: str, placeholder: str = "", max_length: int = 0) -> Input:  # noqa: A002
    """A one-line text field of the house."""
    return Input(value, id=id, placeholder=placeholder, max_length=max_length, select_on_focus=False)


NOT_GIVEN = "non renseigné"
"""How an absent value is said (F06)."""


def or_not_given(value: str) -> str:
    """The value, or « non renseigné »."""
    return value or _(NOT_GIVEN)
