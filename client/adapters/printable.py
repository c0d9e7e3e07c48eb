"""Text for paper: what a font cannot draw is replaced, never lost in silence.

Written by others, text may hold markup, controls, bidirectional overrides or signs that the font lacks. Here each
becomes something a reader sees: a usual equivalent when there is one, else its code point in brackets.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Container

_EQUIVALENTS = {
    "\t": "    ",
    "\u00ad": "",
    "\u2010": "-",
    "\u2011": "-",
    "\u2007": "\u00a0",
    "\u2009": "\u00a0",
    "\u200a": "\u00a0",
    "\u202f": "\u00a0",
    "\u2642": "(M)",
    "\u2640": "(F)",
    "→": "->",
    "←": "<-",
    "↑": "(augmenté)",
    "↓": "(diminué)",
    "⇒": "=>",
    "✓": "[x]",
    "✔": "[x]",
    "☑": "[x]",
    "☐": "[ ]",
    "✗": "[non]",
    "α": "alpha",
    "β": "bêta",
    "γ": "gamma",
    "δ": "delta",
    "Δ": "Delta",
    "ε": "epsilon",
    "κ": "kappa",
    "λ": "lambda",
    "μ": "µ",
    "σ": "sigma",
    "ω": "oméga",
    "−": "-",
    "‰": " pour mille",
    "℃": "°C",
}
"""Signs of clinical French, used when the font has no glyph."""
_ALWAYS = frozenset("\t\u00ad")
"""Replaced whatever the font says: a tab has no width, a soft hyphen is not to be drawn."""
_INVISIBLE = frozenset({"Cc", "Cf", "Cs"})
"""Controls, format characters (bidirectional overrides among them) and lone surrogates."""


def printable(text: str, glyphs: Container[int]) -> str:
    """Return `text` in signs of the font only; line feeds stay, other controls become `[U+001B]`.

    Args:
        text: anything, lone surrogates included.
        glyphs: code points that the font draws.
    """
    composed = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    if composed.isascii() and composed.isprintable():
        return composed
    return "".join(char if char == "\n" else _drawn(char, glyphs) for char in composed)


def _drawn(char: str, glyphs: Container[int]) -> str:
    if char in _EQUIVALENTS and (char in _ALWAYS or ord(char) not in glyphs):
        return _EQUIVALENTS[char]
    if unicodedata.category(char) in _INVISIBLE:
        return f"[U+{ord(char):04X}]"
    return char if ord(char) in glyphs else _decomposed(char, glyphs)


def _decomposed(char: str, glyphs: Container[int]) -> str:
    """`ﬁ` as `fi`, `ẽ` as `e`; a code point when nothing readable is left."""
    base = [part for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part)]
    if base and all(ord(part) in glyphs for part in base):
        return "".join(base)
    return f"[U+{ord(char):04X}]"
