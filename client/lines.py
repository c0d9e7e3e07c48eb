"""The lines of the mailbox, with their order and counters kept up to date: one change costs one line, not the list.

A desk of ten thousand cases is drawn again at every event that comes in. Only a change of folder or of words to search
looks at every line; its answer is then kept, and follows each line that comes, moves or leaves.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from client.i18n import _
from client.intents import Folder
from client.projections import fold_text, searchable
from client.views import CaseRow, FolderEntry

_Place = tuple[str, int]
"""The instant, then minus the rank of arrival: ascending, so the list reads it backwards."""


class _Kind(NamedTuple):
    """All that a folder asks of a line."""

    draft: bool
    archived: bool
    favourite: bool
    to_do: bool
    unread: bool


def _kind(line: CaseRow) -> _Kind:
    return _Kind(line.draft, line.archived, line.favourite, line.to_do, line.unread > 0)


def in_folder(line: CaseRow, folder: Folder) -> bool:
    """Whether a case shows in a folder (A02, A03, E02)."""
    return _holds(folder, _kind(line))


def _holds(folder: Folder, kind: _Kind) -> bool:
    match folder:
        case Folder.INBOX:
            return not kind.archived and not kind.draft
        case Folder.ALL | Folder.TELEEXPERTISES:
            return not kind.draft
        case Folder.UNREAD:
            return kind.unread
        case Folder.FAVOURITES:
            return kind.favourite
        case Folder.TO_DO:
            return kind.to_do
        case Folder.DRAFTS:
            return kind.draft
        case _:
            return False


FOLDERS = (
    (Folder.INBOX, "Boîte de réception", True),
    (Folder.ALL, "Tous les messages", True),
    (Folder.UNREAD, "Non lus", True),
    (Folder.FAVOURITES, "Favoris", True),
    (Folder.TO_DO, "À traiter", True),
    (Folder.TELEEXPERTISES, "Téléexpertises", True),
    (Folder.CONVERSATIONS, "Conversations", False),
    (Folder.SUPPORT, "Demandes d'appui", False),
    (Folder.MSSANTE, "MSSanté", False),
    (Folder.DRAFTS, "Brouillons", True),
)
"""The sidebar, in the order of A02; False where the content belongs to a later version."""


class Lines:
    """One line a case or draft, most recent first; of the same instant, the first known comes first."""

    def __init__(self, lines: Iterable[CaseRow] = ()) -> None:
        self._lines: dict[str, CaseRow] = {}
        self._ranks: dict[str, int] = {}
        self._next_rank = 0
        self._alike: Counter[_Kind] = Counter()
        """How many lines there are of each kind."""
        self._searchable: dict[str, str] = {}
        """Case -> folded text, for the lines that were searched since they changed."""
        self._folder = Folder.INBOX
        self._query = ""
        self._places: list[_Place] | None = None
        """Of the rows shown; None until somebody asks for them."""
        self._rows: list[CaseRow] = []
        for line in lines:
            self.put(line)

    def __getitem__(self, case: str) -> CaseRow:
        """The line of a case. Raises KeyError."""
        return self._lines[case]

    def __contains__(self, case: object) -> bool:
        return case in self._lines

    def __len__(self) -> int:
        return len(self._lines)

    def put(self, line: CaseRow) -> None:
        """Draw a line anew, or for the first time."""
        case = line.case
        before = self._lines.get(case)
        if before is None:
            self._ranks[case] = self._next_rank
            self._next_rank += 1
        elif before == line:
            return
        else:
            self._take_out(before)
        self._lines[case] = line
        self._alike[_kind(line)] += 1
        if self._places is not None and self._is_shown(line):
            place = self._place(line)
            index = bisect_left(self._places, place)
            self._places.insert(index, place)
            self._rows.insert(index, line)

    def drop(self, case: str) -> None:
        """Forget a line; harmless when there is none."""
        line = self._lines.get(case)
        if line is None:
            return
        self._take_out(line)
        del self._lines[case], self._ranks[case]

    def _take_out(self, line: CaseRow) -> None:
        self._alike[_kind(line)] -= 1
        self._searchable.pop(line.case, None)
        if self._places is None:
            return
        place = self._place(line)
        index = bisect_left(self._places, place)
        if index < len(self._places) and self._places[index] == place:
            del self._places[index], self._rows[index]

    def _place(self, line: CaseRow) -> _Place:
        return line.at, -self._ranks[line.case]

    # --- reading --------------------------------------------------------------------------------------------

    def sidebar(self) -> tuple[FolderEntry, ...]:
        """Every folder with its counters; drafts only when there are any."""
        entries = []
        for folder, label, available in FOLDERS:
            counted = [(kind, count) for kind, count in self._alike.items() if available and _holds(folder, kind)]
            total = sum(count for _kind, count in counted)
            unread = sum(count for kind, count in counted if kind.unread)
            if folder is not Folder.DRAFTS or total:
                entries.append(FolderEntry(folder, _(label), unread, total, available))
        return tuple(entries)

    def shown(self, folder: Folder, query: str) -> tuple[CaseRow, ...]:
        """The rows of a folder that have every word of `query`, most recent first."""
        if self._places is None or (folder, query) != (self._folder, self._query):
            self._folder, self._query = folder, query
            self._words = fold_text(query).split()
            kept = sorted((self._place(line), line) for line in self._lines.values() if self._is_shown(line))
            self._places = [place for place, _line in kept]
            self._rows = [line for _place, line in kept]
        return tuple(reversed(self._rows))

    _words: Sequence[str] = ()

    def _is_shown(self, line: CaseRow) -> bool:
        return in_folder(line, self._folder) and (not self._words or self._has(line, self._words))

    def _has(self, line: CaseRow, words: Iterable[str]) -> bool:
        text = self._searchable.get(line.case)
        if text is None:
            text = self._searchable[line.case] = searchable(line)
        return all(word in text for word in words)
