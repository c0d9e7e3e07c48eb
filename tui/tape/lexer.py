"""From the text of a tape to tokens with their places.

Follows VHS's lexer (strings in three quotes without escapes, regular expressions between slashes, bare words), but
is strict where VHS shrugs: an unclosed string or an unexpected character is an error with a line and a caret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from client.i18n import _


class TapeError(Exception):
    """A tape that cannot be read: where, why, and the line itself with a caret under the place."""

    def __init__(self, message: str, *, tape: str, line: int, column: int, text: str) -> None:
        super().__init__(message)
        self.message = message
        self.tape = tape
        self.line = line
        """From 1."""
        self.column = column
        """From 1, in characters."""
        self.text = text

    def __str__(self) -> str:
        margin = re.sub(r"[^\t]", " ", self.text[: self.column - 1])
        return f"{self.tape}:{self.line}:{self.column}: {self.message}\n    {self.text}\n    {margin}^"


class Kind(Enum):
    """What a token is."""

    WORD = "word"
    STRING = "string"
    REGEX = "regex"
    NUMBER = "number"
    JSON = "json"
    SYMBOL = "symbol"
    END = "end"


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a tape; `text` is without its quotes."""

    kind: Kind
    text: str
    line: int
    column: int


_TOKEN = re.compile(
    r"""
      (?P<space>[ \t\r]+)
    | (?P<newline>\n)
    | (?P<comment>\#[^\n]*)
    | "(?P<double>[^"\n]*)" | '(?P<single>[^'\n]*)' | `(?P<back>[^`\n]*)`
    | /(?P<regex>(?:\\[^\n]|[^/\\\n])*)/
    | (?P<number>\d+(?:\.\d*)?|\.\d+)
    | (?P<word>[A-Za-z.][A-Za-z0-9._/%-]*)
    | (?P<json>\{[^{}]*\})
    | (?P<symbol>[@+=\[\]\-%^\\])
    """,
    re.VERBOSE,
)
_KINDS = {
    "double": Kind.STRING,
    "single": Kind.STRING,
    "back": Kind.STRING,
    "regex": Kind.REGEX,
    "number": Kind.NUMBER,
    "word": Kind.WORD,
    "json": Kind.JSON,
    "symbol": Kind.SYMBOL,
}


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a tape and its name in messages."""

    name: str
    text: str

    def error(self, message: str, line: int, column: int) -> TapeError:
        """The error at this place."""
        lines = self.text.split("\n")
        text = lines[line - 1].rstrip("\r") if line <= len(lines) else ""
        return TapeError(message, tape=self.name, line=line, column=column, text=text)


def tokens(source: Source) -> Iterator[Token]:
    """Read a tape from its first character to its last; ends with an END token.

    Raises:
        TapeError: an unclosed string or a character that begins nothing.
    """
    position, line, line_start = 0, 1, 0
    while position < len(source.text):
        column = position - line_start + 1
        match = _TOKEN.match(source.text, position)
        if match is None or match.lastgroup is None:
            raise source.error(_unreadable(source.text[position]), line, column)
        kind = _KINDS.get(match.lastgroup)
        if kind is not None:
            yield Token(kind, match[match.lastgroup], line, column)
        position = match.end()
        newlines = match[0].count("\n")
        if newlines:
            line, line_start = line + newlines, match.start() + match[0].rindex("\n") + 1
    yield Token(Kind.END, "", line, position - line_start + 1)


def _unreadable(character: str) -> str:
    if character in "\"'`":
        return _("chaîne non fermée : il manque {quote} avant la fin de la ligne").format(quote=character)
    if character == "/":
        return _("expression régulière non fermée : il manque / avant la fin de la ligne")
    if character == "{":
        return _("accolade non fermée")
    return _("caractère inattendu {character!r} : mettez le texte entre guillemets").format(character=character)
