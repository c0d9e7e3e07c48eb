"""The directory's index on tantivy, in memory: every word is a prefix, typing errors are forgiven only when needed.

Scores are constants (which field, whole word or prefix), so that no statistic favours one person over another; at
equal score the order is that of indexing, which is the order of names, because one writer fills one segment.
"""

from __future__ import annotations

from collections.abc import Sequence

from tantivy import Document, Index, Occur, Query, Schema, SchemaBuilder, Searcher

from domain.identifiers import AccountId
from protocol.resources import DirectoryEntry
from server.directory import searchable_name, searchable_rest
from server.ports import Filters, Found

HEAP_BYTES = 64 * 1024 * 1024
"""Enough for one segment of some hundred thousand entries."""
FEW = 20
"""Under so many results, typing errors are forgiven too (decisions.md)."""
_MIN_FUZZY_CHARS = 4
_FIELDS = (("name", 4.0), ("rest", 2.0))
_WHOLE_WORD = 0.5
_FORGIVEN = 0.25


class TantivyDirectory:
    """A `server.ports.DirectoryIndex`."""

    def __init__(self) -> None:
        self._schema = _schema()
        self._searcher: Searcher | None = None

    def rebuild(self, entries: Sequence[DirectoryEntry]) -> None:
        """See `server.ports.DirectoryIndex`."""
        index = Index(self._schema)
        writer = index.writer(HEAP_BYTES, 1)
        for entry in entries:
            writer.add_document(_document(entry))
        writer.commit()
        writer.wait_merging_threads()
        index.reload()
        self._searcher = index.searcher()

    def search(self, words: Sequence[str], filters: Filters, *, offset: int, limit: int) -> Found:
        """See `server.ports.DirectoryIndex`."""
        if self._searcher is None:
            return Found(0, ())
        exact = self._search(words, filters, offset=offset, limit=limit, forgiving=False)
        if exact.total >= FEW or not any(_may_forgive(word) for word in words):
            return exact
        return self._search(words, filters, offset=offset, limit=limit, forgiving=True)

    def _search(self, words: Sequence[str], filters: Filters, *, offset: int, limit: int, forgiving: bool) -> Found:
        assert self._searcher is not None
        query = self._query(words, filters, forgiving=forgiving)
        found = self._searcher.search(query, limit, True, None, offset)
        accounts = tuple(AccountId(self._searcher.doc(address)["account"][0]) for _, address in found.hits)
        # The stubs of tantivy 0.27 forget `count`.
        return Found(int(found.count), accounts)  # type: ignore[attr-defined]

    def _query(self, words: Sequence[str], filters: Filters, *, forgiving: bool) -> Query:
        must = [self._filter("group", ("services" if filters.services else "professionals",))]
        if filters.experts:
            must.append(self._filter("experts", ("yes",)))
        if filters.departement:
            must.append(self._filter("departement", (filters.departement,)))
        if filters.specialities:
            must.append(self._filter("speciality", filters.specialities))
        must += [self._word(word, forgiving=forgiving and _may_forgive(word)) for word in words]
        return Query.boolean_query([(Occur.Must, query) for query in must])

    def _filter(self, field: str, values: Sequence[str]) -> Query:
        return Query.const_score_query(Query.term_set_query(self._schema, field, list(values)), 0.0)

    def _word(self, word: str, *, forgiving: bool) -> Query:
        """The best of: whole word, prefix and, when `forgiving`, prefix with errors; the name before the rest."""
        ways = []
        for field, score in _FIELDS:
            whole = Query.term_query(self._schema, field, word, "basic")
            prefix = Query.fuzzy_term_query(self._schema, field, word, 0, True, True)
            ways += [Query.const_score_query(whole, score + _WHOLE_WORD), Query.const_score_query(prefix, score)]
            if forgiving:
                near = Query.fuzzy_term_query(self._schema, field, word, _errors(word), True, True)
                ways.append(Query.const_score_query(near, score * _FORGIVEN))
        return Query.disjunction_max_query(ways)


def _may_forgive(word: str) -> bool:
    return len(word) >= _MIN_FUZZY_CHARS and not word.isdigit()


def _errors(word: str) -> int:
    return 2 if len(word) > 2 * _MIN_FUZZY_CHARS else 1


def _schema() -> Schema:
    builder = SchemaBuilder()
    builder.add_text_field("account", stored=True, tokenizer_name="raw", index_option="basic")
    for field in ("name", "rest"):
        builder.add_text_field(field, tokenizer_name="whitespace", index_option="basic")
    for field in ("group", "experts", "departement", "speciality"):
        builder.add_text_field(field, tokenizer_name="raw", index_option="basic")
    return builder.build()


def _document(entry: DirectoryEntry) -> Document:
    is_expert = entry.preferences is not None and entry.preferences.annuaire
    return Document(
        account=entry.account,
        name=" ".join(searchable_name(entry)),
        rest=" ".join(searchable_rest(entry)),
        group="services" if entry.is_service else "professionals",
        experts="yes" if is_expert else "no",
        departement=entry.departement,
        speciality=entry.speciality_code,
    )
