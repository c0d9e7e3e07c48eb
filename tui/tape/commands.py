"""What a tape can ask for, once read: frozen words, each with the line it came from."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command was written."""

    tape: str
    line: int
    """From 1."""
    text: str
    """The whole line, stripped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A step of a tape."""

    place: Place


@dataclass(frozen=True, slots=True, kw_only=True)
class Type(Command):
    """Type characters; `speed_s` is the pause after each, None for the tape's own."""

    text: str
    speed_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Press(Command):
    """Press a key, by Textual's name, one or more times."""

    key: str
    count: int = 1
    speed_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scroll(Command):
    """Turn the wheel: positive is down."""

    lines: int
    speed_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sleep(Command):
    """Let time pass."""

    duration_s: float


class Scope(StrEnum):
    """Where a Wait looks."""

    SCREEN = "Screen"
    LINE = "Line"
    """The line of the cursor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait(Command):
    """Go on when `pattern` is seen; an empty one means the tape's WaitPattern, or a screen at rest."""

    scope: Scope = Scope.SCREEN
    pattern: str = ""
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Screenshot(Command):
    """Keep the screen as `.txt`, `.svg` or `.png`."""

    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Set(Command):
    """Change a setting; values are already of their type (seconds, numbers, text)."""

    name: str
    value: float | str


@dataclass(frozen=True, slots=True, kw_only=True)
class As(Command):
    """Drive this persona's client from now on (our one extension)."""

    persona: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy(Command):
    """Fill the tape's clipboard."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paste(Command):
    """Paste the tape's clipboard, as a terminal does (bracketed)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignored(Command):
    """Good VHS, but without object here; the player says so once."""

    word: str
