"""Lines of inked text: what every list, sheet and header is made of before it becomes cells.

A `Line` is a tuple of `(text, ink)`; an ink is a name (`strong`, `dim`, `good`...) that the style sheet turns into a
colour and a weight. Layout is therefore pure and testable without a terminal, and nothing here can be markup.
"""

from __future__ import annotations

from collections.abc import Iterable

from rich.cells import cell_len, chop_cells, set_cell_size

from screens.formatting import visible_lines

Piece = tuple[str, str]
"""Text and the name of its ink; the empty name is plain."""

Line = tuple[Piece, ...]

INKS = {
    "strong": ("ink-strong", "bold"),
    "unread": ("ink-strong", "bold"),
    "dim": ("ink-dim", ""),
    "accent": ("ink-accent", "bold"),
    "heading": ("ink-accent", "bold"),
    "key": ("ink-accent", "bold"),
    "good": ("ink-good", ""),
    "info": ("ink-info", ""),
    "warning": ("ink-warning", ""),
    "error": ("ink-error", "bold"),
    "banner": ("banner-text", "bold"),
    "cursor": ("ink-strong", "bold reverse"),
}
"""Every ink: the theme variable of its colour, and its weight."""


def width_of(line: Iterable[Piece]) -> int:
    """Cells taken by a line."""
    return sum(cell_len(text) for text, _ink in line)


def fit(text: str, width: int) -> str:
    """Cut `text` to `width` cells with an ellipsis (A07); shorter text is left alone."""
    if width <= 0:
        return ""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…"


def pad(text: str, width: int) -> str:
    """`text` in exactly `width` cells."""
    return set_cell_size(fit(text, width), max(width, 0))


def fit_line(line: Iterable[Piece], width: int) -> Line:
    """Cut a line to `width` cells with an ellipsis."""
    kept: list[Piece] = []
    room = width
    for text, ink in line:
        size = cell_len(text)
        if size > room:
            kept.append((fit(text, room), ink))
            return tuple(kept)
        kept.append((text, ink))
        room -= size
    return tuple(kept)


def spread(left: Iterable[Piece], right: Iterable[Piece], width: int) -> Line:
    """Put `left` and `right` at both ends of `width` cells; the left gives way."""
    right = tuple(right)
    room = width - width_of(right)
    if room <= 1:
        return fit_line(left, width)
    kept = fit_line(left, room - 1)
    return (*kept, (" " * (room - width_of(kept)), ""), *right)


def wrap(text: str, width: int) -> list[str]:
    """Break remote text into harmless lines of at most `width` cells, at spaces where there are some."""
    width = max(width, 1)
    lines: list[str] = []
    for paragraph in visible_lines(text):
        lines.extend(_wrap_paragraph(paragraph.rstrip(), width))
    return lines


def _wrap_paragraph(text: str, width: int) -> list[str]:
    lines: list[str] = []
    current = ""
    for word in text.split(" "):
        joined = f"{current} {word}" if current else word
        if cell_len(joined) <= width:
            current = joined
            continue
        if current:
            lines.append(current)
        *full, current = chop_cells(word, width) or [""]
        lines.extend(full)
    return [*lines, current]


def paragraph(text: str, width: int, *, ink: str = "", indent: int = 0, limit: int = 0) -> list[Line]:
    """Wrap text as lines of one ink; beyond `limit` lines (when given) the last says that more follows."""
    lines = wrap(text, width - indent)
    if limit and len(lines) > limit:
        lines = [*lines[: limit - 1], fit(lines[limit - 1] + "…" * width, width - indent)]
    margin = " " * indent
    return [((margin + line, ink),) for line in lines]


def rule(width: int, ink: str = "dim") -> Line:
    """A thin horizontal line."""
    return (("─" * width, ink),)
