"""The directory's rules: what words are, what filters mean, how a page is put together. No ranking of persons.

Words are folded (no accents, no case, no punctuation) the same way when indexed and when searched.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from domain.identifiers import AccountId
from protocol.limits import PAGE_SIZE
from protocol.resources import DirectoryEntry, Facet, SearchPage
from server.ports import DirectoryIndex, Filters, Found, View

MAX_WORDS = 8
"""More words than a name, a speciality and a town have."""
MAX_QUERY_CHARS = 200
MAX_PAGE = 500
"""Ten thousand results of a group: who wants more wants other words."""

_ONE_SPECIALITY = (
    ("SM04", "SM73"),
    ("SM26", "SM53", "SM54"),
    ("SM16", "SM62"),
    ("SM21", "SM71"),
    ("SM44", "SM74"),
)
"""Codes of TRE_R38 that name one speciality for whoever searches (domain.md 3)."""

_SPOKEN = {
    "SM15": "dermato dermatologue",
    "SM30": "nephrologue",
    "SM34": "orl oto rhino",
    "SM39": "orl oto rhino",
    "SM38": "ophtalmo ophtalmologue",
    "SM58": "infectiologie infectiologue",
    "SM42": "psychiatre",
    "SM44": "radiologie radiologue imagerie",
    "SM74": "radiologie radiologue imagerie",
    "SM04": "cardiologue",
    "SM73": "cardiologue",
}
"""What people say for a speciality when its label does not."""

DEPARTEMENTS = {
    "01": "Ain",
    "03": "Allier",
    "07": "Ardèche",
    "15": "Cantal",
    "26": "Drôme",
    "38": "Isère",
    "42": "Loire",
    "43": "Haute-Loire",
    "63": "Puy-de-Dôme",
    "69": "Rhône",
    "73": "Savoie",
    "74": "Haute-Savoie",
}
"""Names of the region's departments; others are shown by their code."""


@dataclass(frozen=True, slots=True)
class Search:
    """What someone looks for."""

    words: tuple[str, ...]
    experts: bool = False
    departement: str = ""
    specialite: str = ""
    page: int = 1


@dataclass(frozen=True, slots=True)
class FoundBoth:
    """One page of each group, before its entries are read."""

    professionals: Found
    services: Found


def fold(text: str) -> tuple[str, ...]:
    """The words of a text: `("saint", "etienne")` for `Saint-Étienne`.

    >>> fold("Dr Anne-Laure L'ÉCUYER, 42000")
    ('dr', 'anne', 'laure', 'l', 'ecuyer', '42000')
    """
    bare = unicodedata.normalize("NFKD", text.replace("œ", "oe").replace("Œ", "oe")).casefold()
    kept = "".join(c if c.isalnum() else " " for c in bare if not unicodedata.combining(c))
    return tuple(kept.split())


def search_of(q: str, *, experts: bool, departement: str, specialite: str, page: int) -> Search:
    """A search from what the wire says, cut to its limits."""
    words = fold(q[:MAX_QUERY_CHARS])[:MAX_WORDS]
    return Search(words, experts, departement, specialite, max(1, min(page, MAX_PAGE)))


def speciality_codes(code: str) -> tuple[str, ...]:
    """Every code that names the same speciality; empty for no code."""
    if not code:
        return ()
    return next((group for group in _ONE_SPECIALITY if code in group), (code,))


def searchable_name(entry: DirectoryEntry) -> tuple[str, ...]:
    """The words that name the entry."""
    return fold(entry.name)


def searchable_rest(entry: DirectoryEntry) -> tuple[str, ...]:
    """The other words by which one may look for it."""
    place = f"{entry.town} {entry.postcode} {DEPARTEMENTS.get(entry.departement, '')}"
    what = f"{entry.speciality} {_SPOKEN.get(entry.speciality_code, '')} {entry.profession} {entry.structure}"
    return fold(f"{what} {place}")


class Directory:
    """Search over an index that may not be built yet."""

    def __init__(self, index: DirectoryIndex) -> None:
        self._index = index
        self._labels: dict[str, str] = {}
        self.is_ready = False

    def rebuild(self, entries: Sequence[DirectoryEntry]) -> None:
        """Index all entries, ordered by name. Blocks: run it in a thread."""
        self._index.rebuild(entries)
        self._labels = {entry.speciality_code: entry.speciality for entry in entries if entry.speciality}
        self.is_ready = True

    def find(self, search: Search) -> FoundBoth:
        """The accounts of one page of each group."""
        return FoundBoth(self._group(search, services=False), self._group(search, services=True))

    def page(self, view: View, search: Search, found: FoundBoth) -> SearchPage:
        """The page to show: entries as they are today."""
        return SearchPage(
            professionals=_entries(view, found.professionals.accounts),
            services=_entries(view, found.services.accounts),
            professionals_total=found.professionals.total,
            services_total=found.services.total,
            page=search.page,
            facets=self._facets(search),
        )

    def _group(self, search: Search, *, services: bool) -> Found:
        filters = Filters(services, search.experts, search.departement, speciality_codes(search.specialite))
        offset = (search.page - 1) * PAGE_SIZE
        return self._index.search(search.words, filters, offset=offset, limit=PAGE_SIZE)

    def _facets(self, search: Search) -> tuple[Facet, ...]:
        facets = []
        if search.specialite:
            codes = speciality_codes(search.specialite)
            label = next((self._labels[code] for code in codes if code in self._labels), search.specialite)
            facets.append(Facet("specialite", search.specialite, label))
        if search.departement:
            label = DEPARTEMENTS.get(search.departement, search.departement)
            facets.append(Facet("departement", search.departement, label))
        return tuple(facets)


def _entries(view: View, accounts: Sequence[AccountId]) -> tuple[DirectoryEntry, ...]:
    return tuple(entry for account in accounts if (entry := view.entry(account)) is not None)
