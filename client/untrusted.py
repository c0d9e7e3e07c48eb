"""Text that others wrote, made harmless to show: controls and bidi overrides become visible tokens (S1, S3)."""

from __future__ import annotations

_BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_ZERO_WIDTH = "\u200b\u2060\ufeff\u00ad\u180e\u2061\u2062\u2063\u2064\u115f\u1160\u3164\uffa0"
_DEPRECATED = "\u206a\u206b\u206c\u206d\u206e\u206f\ufff9\ufffa\ufffb"
_TAGS = range(0xE0000, 0xE0080)
"""Letters that no font draws: a hidden text beside the one that is read."""
_SURROGATES = range(0xD800, 0xE000)
"""Bytes of a file name that are no UTF-8; no terminal takes them."""


def _table() -> dict[int, str]:
    table = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"}
    table[0x7F] = "\u2421"
    table |= {code: f"⟦U+{code:04X}⟧" for code in range(0x80, 0xA0)}
    table |= {ord(char): f"⟦U+{ord(char):04X}⟧" for char in _BIDI + _ZERO_WIDTH + _DEPRECATED}
    table |= {code: f"⟦U+{code:04X}⟧" for code in (0x2028, 0x2029, *_TAGS, *_SURROGATES)}
    table[ord("\t")] = "    "
    return table


_VISIBLE = _table()
_LINE = _VISIBLE | {ord("\n"): " "}
_DROPPED = dict.fromkeys(_VISIBLE) | {ord("\t"): " "}


def visible(text: str) -> str:
    """Several lines: every control but the line feed becomes a visible token."""
    return text.replace("\r\n", "\n").translate(_VISIBLE)


def visible_line(text: str) -> str:
    """One line: line feeds become spaces too."""
    return text.replace("\r\n", "\n").translate(_LINE)


def without_dangers(text: str) -> str:
    """Several lines without any such control: for text that goes back into a field to be edited."""
    return text.replace("\r\n", "\n").translate(_DROPPED)
