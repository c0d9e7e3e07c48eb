"""From tokens to commands, strictly: every VHS tape reads, and a mistake is named with its line and a caret.

Where VHS only warns or guesses (arguments on the next line, unknown extensions), this parser refuses. The table
`_COMMANDS` is the grammar: one row a word.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from pathlib import Path

from client.i18n import _
from tui.tape.commands import (
    As,
    Command,
    Copy,
    Ignored,
    Paste,
    Place,
    Press,
    Scope,
    Screenshot,
    Scroll,
    Set,
    Sleep,
    Type,
    Wait,
)
from tui.tape.lexer import Kind, Source, TapeError, Token, tokens

MAX_REPEAT = 10_000
"""A count above this is a typing mistake, not a tape."""
MAX_DEPTH = 10
"""Tapes sourcing tapes."""
SCREENSHOT_SUFFIXES = (".txt", ".svg", ".png")

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
_KEYS = {
    "Enter": "enter",
    "Tab": "tab",
    "Escape": "escape",
    "Space": "space",
    "Backspace": "backspace",
    "Delete": "delete",
    "Insert": "insert",
    "Up": "up",
    "Down": "down",
    "Left": "left",
    "Right": "right",
    "PageUp": "pageup",
    "PageDown": "pagedown",
    "Home": "home",
    "End": "end",
}
_SYMBOL_KEYS = {
    "@": "at",
    "-": "minus",
    "[": "left_square_bracket",
    "]": "right_square_bracket",
    "^": "circumflex_accent",
    "\\": "backslash",
    ".": "full_stop",
}
_DURATIONS = ("TypingSpeed", "WaitTimeout")
_NUMBERS = (
    "FontSize", "Framerate", "Height", "LetterSpacing", "LineHeight", "LoopOffset", "Margin", "Padding",
    "PlaybackSpeed", "Width", "WindowBarSize", "BorderRadius", "SubtitleFontSize", "SubtitlePadding",
    "SubtitleBorderRadius",
)  # fmt: skip
_TEXTS = (
    "FontFamily", "MarginFill", "Shell", "Theme", "WindowBar", "CursorBlink", "SubtitleColor", "SubtitleBackground",
    "SubtitlePosition", "SubtitleFontFamily",
)  # fmt: skip
SETTINGS = (*_DURATIONS, *_NUMBERS, *_TEXTS, "WaitPattern")
"""Every name after Set; only TypingSpeed, WaitTimeout, WaitPattern and the sizes have an effect here."""

Reader = Callable[[Path], str]


def parse_file(path: Path) -> tuple[Command, ...]:
    """Read a tape and those it sources.

    Raises:
        TapeError: the tape is not one.
        OSError, UnicodeDecodeError: the file cannot be read.
    """
    return parse(_read(path), name=str(path), folder=path.parent)


def parse(
    text: str, *, name: str = "tape", folder: Path | None = None, read: Reader | None = None
) -> tuple[Command, ...]:
    """Read the text of a tape; `Source` looks in `folder` and is read by `read`.

    Raises:
        TapeError: the text is no tape.
    """
    return _Parser(Source(name, text), folder or Path(), read or _read, depth=0).commands()


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8")


class _Parser:
    def __init__(self, source: Source, folder: Path, read: Reader, depth: int) -> None:
        self._source = source
        self._folder = folder
        self._read = read
        self._depth = depth
        self._tokens = list(tokens(source))
        self._lines = source.text.split("\n")
        self._at = 0

    # --- reading tokens ---

    def commands(self) -> tuple[Command, ...]:
        found: list[Command] = []
        while self._tokens[self._at].kind is not Kind.END:
            self._word = self._tokens[self._at]
            self._at += 1
            rule = _COMMANDS.get(self._word.text) if self._word.kind is Kind.WORD else None
            if rule is None:
                raise self._error(_("commande inconnue : {word}").format(word=self._word.text), self._word)
            found.extend(rule(self))
        return tuple(found)

    @property
    def _next(self) -> Token:
        """The next token of this command: arguments stand on the command's line."""
        token = self._tokens[self._at]
        if token.line != self._word.line:
            return Token(Kind.END, "", self._word.line, len(self._lines[self._word.line - 1].rstrip()) + 1)
        return token

    def _take(self, *kinds: Kind, what: str) -> Token:
        token = self._next
        if token.kind not in kinds:
            raise self._error(_("{word} attend {what}").format(word=self._word.text, what=what), token)
        self._at += 1
        return token

    def _accept(self, symbol: str) -> bool:
        token = self._next
        if token.kind is Kind.SYMBOL and token.text == symbol:
            self._at += 1
            return True
        return False

    def _error(self, message: str, token: Token) -> TapeError:
        return self._source.error(message, token.line, token.column)

    @property
    def _place(self) -> Place:
        return Place(self._source.name, self._word.line, self._lines[self._word.line - 1].strip())

    # --- pieces of grammar ---

    def _number(self, what: str) -> float:
        token = self._take(Kind.NUMBER, what=what)
        value = float(token.text)
        if not math.isfinite(value):
            raise self._error(_("nombre trop grand"), token)
        return value

    def _duration(self) -> float:
        value = self._number(_("une durée, par exemple 500ms ou 2s"))
        unit = self._next
        if unit.kind is Kind.WORD and unit.text in _UNITS:
            self._at += 1
            return value * _UNITS[unit.text]
        return value

    def _speed(self) -> float | None:
        return self._duration() if self._accept("@") else None

    def _count(self) -> int:
        token = self._next
        if token.kind is not Kind.NUMBER:
            return 1
        self._at += 1
        if (
            not token.text.isdecimal()
            or len(token.text) > len(str(MAX_REPEAT))
            or not 1 <= int(token.text) <= MAX_REPEAT
        ):
            limits = _("le nombre de fois est un entier de 1 à {most}").format(most=MAX_REPEAT)
            raise self._error(limits, token)
        return int(token.text)

    def _strings(self) -> str:
        """One or more strings or bare words, joined by spaces as VHS does."""
        parts = [self._take(Kind.STRING, Kind.WORD, what=_("un texte entre guillemets")).text]
        while self._next.kind is Kind.STRING:
            parts.append(self._next.text)
            self._at += 1
        while self._next.kind is Kind.WORD and self._next.text not in _COMMANDS:
            parts.append(self._next.text)
            self._at += 1
        return " ".join(parts)

    def _string(self, what: str) -> str:
        return self._take(Kind.STRING, Kind.WORD, what=what).text

    def _checked(self, token: Token) -> str:
        """The regular expression of this token, once it compiles; an escaped slash stands for itself."""
        try:
            re.compile(token.text)
        except (re.error, OverflowError, RecursionError) as error:
            raise self._error(_("expression régulière invalide : {error}").format(error=error), token) from None
        return token.text

    # --- one method a word ---

    def type(self) -> list[Command]:
        speed = self._speed()
        return [Type(place=self._place, text=self._strings(), speed_s=speed)]

    def key(self) -> list[Command]:
        speed = self._speed()
        return [Press(place=self._place, key=_KEYS[self._word.text], count=self._count(), speed_s=speed)]

    def scroll(self) -> list[Command]:
        speed = self._speed()
        sign = 1 if self._word.text == "ScrollDown" else -1
        return [Scroll(place=self._place, lines=sign * self._count(), speed_s=speed)]

    def chord(self) -> list[Command]:
        """`Ctrl+c`, `Ctrl+Alt+Shift+p`, `Alt+Enter`, `Shift+Tab`: modifiers, then one key."""
        modifiers = {self._word.text.lower()}
        while self._accept("+"):
            token = self._take(Kind.WORD, Kind.NUMBER, Kind.SYMBOL, what=_("une touche après +"))
            if token.kind is Kind.WORD and token.text in ("Ctrl", "Alt", "Shift"):
                modifiers.add(token.text.lower())
                continue
            name = self._chord_key(token)
            return [Press(place=self._place, key=_chord(modifiers, name), count=self._count())]
        raise self._error(
            _("{word} attend + et une touche, par exemple Ctrl+c").format(word=self._word.text), self._next
        )

    def _chord_key(self, token: Token) -> str:
        if token.kind is Kind.WORD and token.text in _KEYS:
            return _KEYS[token.text]
        if token.text in _SYMBOL_KEYS:
            return _SYMBOL_KEYS[token.text]
        if len(token.text) == 1 and token.text.isalnum():
            return token.text
        raise self._error(_("touche inconnue : {key}").format(key=token.text), token)

    def sleep(self) -> list[Command]:
        return [Sleep(place=self._place, duration_s=self._duration())]

    def wait(self) -> list[Command]:
        scope = Scope.SCREEN
        if self._accept("+"):
            token = self._take(Kind.WORD, what=_("Screen ou Line après +"))
            if token.text not in tuple(Scope):
                raise self._error(_("Wait attend +Screen ou +Line"), token)
            scope = Scope(token.text)
        start = self._next
        timeout = self._speed()
        if timeout is not None and timeout <= 0:
            raise self._error(_("Wait attend une durée positive"), start)
        if self._next.kind is not Kind.REGEX:
            return [Wait(place=self._place, scope=scope, timeout_s=timeout)]
        self._at += 1
        pattern = self._checked(self._tokens[self._at - 1])
        return [Wait(place=self._place, scope=scope, pattern=pattern, timeout_s=timeout)]

    def screenshot(self) -> list[Command]:
        token = self._take(Kind.STRING, Kind.WORD, what=_("un nom de fichier"))
        path = Path(token.text)
        if path.suffix not in SCREENSHOT_SUFFIXES:
            raise self._error(_("une capture finit par .txt, .svg ou .png"), token)
        if path.is_absolute() or ".." in path.parts or "\0" in token.text:
            raise self._error(_("une capture reste dans le dossier des captures : ni / au début, ni .."), token)
        return [Screenshot(place=self._place, name=token.text)]

    def set(self) -> list[Command]:
        token = self._take(Kind.WORD, what=_("un nom de réglage"))
        if token.text not in SETTINGS:
            raise self._error(_("réglage inconnu : {name}").format(name=token.text), token)
        return [Set(place=self._place, name=token.text, value=self._setting(token.text))]

    def _setting(self, name: str) -> float | str:
        if name in _DURATIONS:
            return self._duration()
        if name in _NUMBERS:
            value = self._number(_("un nombre après {name}").format(name=name))
            if not self._accept("%") and self._next.kind is Kind.WORD and self._next.text in ("px", "em"):
                self._at += 1
            return value
        if name == "WaitPattern":
            return self._checked(self._take(Kind.REGEX, Kind.STRING, what=_("une expression entre /")))
        token = self._take(Kind.STRING, Kind.WORD, Kind.JSON, what=_("une valeur après {name}").format(name=name))
        if token.kind is Kind.JSON:
            self._check_json(token)
        return token.text

    def _check_json(self, token: Token) -> None:
        try:
            json.loads(token.text)
        except (ValueError, RecursionError):
            raise self._error(_("thème : le JSON est invalide"), token) from None

    def source(self) -> list[Command]:
        token = self._take(Kind.STRING, Kind.WORD, what=_("un fichier .tape"))
        if not token.text.endswith(".tape") or "\0" in token.text:
            raise self._error(_("Source attend un fichier .tape"), token)
        if self._depth >= MAX_DEPTH:
            raise self._error(_("trop de bandes s'incluent l'une l'autre"), token)
        path = self._folder / token.text
        try:
            text = self._read(path)
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or _("ce n'est pas du texte UTF-8")
            raise self._error(f"{token.text} : {reason}", token) from None
        return list(_Parser(Source(str(path), text), path.parent, self._read, self._depth + 1).commands())

    def as_persona(self) -> list[Command]:
        return [As(place=self._place, persona=self._string(_("un personnage, par exemple PS01")))]

    def copy(self) -> list[Command]:
        return [Copy(place=self._place, text=self._strings())]

    def paste(self) -> list[Command]:
        return [Paste(place=self._place)]

    def ignore_one(self) -> list[Command]:
        self._string(_("une valeur"))
        return [Ignored(place=self._place, word=self._word.text)]

    def ignore_pair(self) -> list[Command]:
        self._string(_("un nom"))
        return self.ignore_one()

    def ignore_alone(self) -> list[Command]:
        return [Ignored(place=self._place, word=self._word.text)]


def _chord(modifiers: set[str], key: str) -> str:
    """Textual's name of a chord; a shifted letter is the capital itself, as a terminal sends it."""
    if modifiers == {"shift"} and len(key) == 1:
        return key.upper()
    if len(key) == 1 and "shift" not in modifiers and "ctrl" in modifiers:
        key = key.lower()
    return "+".join([*sorted(modifiers), key])


_COMMANDS: dict[str, Callable[[_Parser], list[Command]]] = {
    "Type": _Parser.type,
    **dict.fromkeys(_KEYS, _Parser.key),
    "ScrollUp": _Parser.scroll,
    "ScrollDown": _Parser.scroll,
    "Ctrl": _Parser.chord,
    "Alt": _Parser.chord,
    "Shift": _Parser.chord,
    "Sleep": _Parser.sleep,
    "Wait": _Parser.wait,
    "Screenshot": _Parser.screenshot,
    "Set": _Parser.set,
    "Source": _Parser.source,
    "As": _Parser.as_persona,
    "Copy": _Parser.copy,
    "Paste": _Parser.paste,
    "Output": _Parser.ignore_one,
    "Require": _Parser.ignore_one,
    "Env": _Parser.ignore_pair,
    "Subtitle": _Parser.ignore_one,
    "Hide": _Parser.ignore_alone,
    "Show": _Parser.ignore_alone,
}
WORDS = tuple(_COMMANDS)
"""Every command, in the order of the grammar."""
