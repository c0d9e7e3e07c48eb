"""The list of cases (A06), drawn from a sequence that may be long and may read itself from disk as it shows.

Two lines a row where there is width, three in a narrow column; a blank line between rows where there is height.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo

from client.views import CaseRow
from screens.formatting import instant_words, status_words, visible
from screens.ink import Line, Piece, fit, spread
from screens.widgets.line_list import GUTTER, MARGIN, LineList

_TWO_LINES_FROM = 48
_ROOMY_FROM = 34
"""Lines of window from which rows are spaced out."""
_LOOK_AROUND = 200


def row_marks(row: CaseRow) -> str:
    """`! ★ ⚑ ↑`: urgent, favourite, to do, waiting to leave."""
    marks = (("!", row.urgent), ("★", row.favourite), ("⚑", row.to_do), ("▤", row.archived), ("↑", row.pending))
    return " ".join(glyph for glyph, on in marks if on)


def _title(row: CaseRow) -> list[Piece]:
    mark = "✎" if row.draft else "?"
    return [("● " if row.unread else "  ", "accent"), (f"{mark} ", "accent"), (visible(row.title), "strong")]


def _last_line(row: CaseRow) -> list[Piece]:
    counted = f" ({row.unread})" if row.unread else ""
    return [("    ", ""), (visible(row.last_line), "unread" if row.unread else ""), (counted, "accent")]


def _status(row: CaseRow) -> list[Piece]:
    words, ink = status_words(row.status, row.status_label)
    marks = row_marks(row)
    pieces: list[Piece] = [(words, ink)]
    if marks:
        pieces = [(f"{marks}  ", "warning"), *pieces]
    return pieces


def two_lines(row: CaseRow, width: int, *, now: datetime, zone: tzinfo) -> tuple[Line, Line]:
    """Title, patient and date; then who said what, and the status."""
    at = instant_words(row.at, now=now, zone=zone)
    patient: list[Piece] = [("  ", ""), (visible(row.patient), "")] if row.patient else []
    first = spread([*_title(row), *patient], [(at, "dim")], width)
    status = _status(row)
    return first, _second(row, status, width)


def _second(row: CaseRow, status: list[Piece], width: int) -> Line:
    """The unread count must survive a long subject."""
    indent, (text, ink), counted = _last_line(row)
    room = width - sum(len(piece) for piece, _ink in status) - len(counted[0]) - len(indent[0]) - 1
    return spread([indent, (fit(text, max(room, 8)), ink), counted], status, width)


def three_lines(row: CaseRow, width: int, *, now: datetime, zone: tzinfo) -> tuple[Line, Line, Line]:
    """The seeds' layout: title and date, author and subject, patient and status."""
    at = instant_words(row.at, now=now, zone=zone)
    first = spread(_title(row), [(at, "dim")], width)
    third = spread([("    ", ""), (visible(row.patient), "dim")], _status(row), width)
    return first, _second(row, [], width), third


class CaseList(LineList):
    """Draws only the rows that show; keeps the cursor on the same case when the list changes under it."""

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._rows: Sequence[CaseRow] = ()
        self._clock: tuple[datetime, tzinfo] | None = None

    def show(self, rows: Sequence[CaseRow], *, now: datetime, zone: tzinfo, keep: str = "") -> None:
        """List these rows; the cursor stays on the case `keep` wherever it went."""
        self._clock = (now, zone)
        self._rows = rows
        before = self.cursor
        found = find_case(rows, keep, around=before) if keep else 0
        self.set_reactive(LineList.cursor, min(before, max(len(rows) - 1, 0)) if found is None else found)
        self.rows_changed()
        self._show_cursor()

    @property
    def rows(self) -> Sequence[CaseRow]:
        """What is listed."""
        return self._rows

    @property
    def current(self) -> CaseRow | None:
        """The row under the cursor."""
        return self._rows[self.cursor] if 0 <= self.cursor < len(self._rows) else None

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    @property
    def row_height(self) -> int:
        """Two or three lines, and a blank one where there is room."""
        lines = 2 if self.drawn_width - GUTTER - MARGIN >= _TWO_LINES_FROM else 3
        return lines + (1 if self.size.height >= _ROOMY_FROM else 0)

    def row_lines(self, index: int, width: int) -> Sequence[Line]:
        """Ask for one row, draw it."""
        row = self._rows[index]
        if self._clock is None:
            return ()
        now, zone = self._clock
        draw = two_lines if width >= _TWO_LINES_FROM else three_lines
        return draw(row, width, now=now, zone=zone)


def find_case(rows: Sequence[CaseRow], case: str, *, around: int) -> int | None:
    """Where a case went; first near where it was, then everywhere."""
    low, high = max(0, around - _LOOK_AROUND), min(len(rows), around + _LOOK_AROUND)
    for index in range(low, high):
        if rows[index].case == case:
            return index
    return next((index for index in range(len(rows)) if rows[index].case == case), None)


def next_where(rows: Sequence[CaseRow], start: int, *, urgent: bool) -> int | None:
    """The next unread (or urgent and open) row after `start`, going round."""
    count = len(rows)
    for step in range(1, count + 1):
        index = (start + step) % count
        row = rows[index]
        if (row.urgent and row.status not in _CLOSED) if urgent else row.unread:
            return index
    return None


_CLOSED = ("completed", "rejected", "cancelled")
