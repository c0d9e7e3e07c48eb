"""The list kept up to date must be the list drawn from nothing, whatever came, moved and left."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from client.intents import Folder
from client.lines import Lines, in_folder
from client.views import CaseRow

BLANK = CaseRow("", "", "", "", 0, "", "", "", "", "", as_requis=False)
ROWS = st.builds(
    CaseRow,
    case=st.sampled_from("abcdef"),
    title=st.just("Téléexpertise"),
    at=st.sampled_from(("2026-01-01", "2026-01-02", "2026-01-03")),
    last_line=st.just(""),
    unread=st.integers(0, 1),
    patient=st.sampled_from(("Lucette ÉCHANTILLON", "Aimé SPECIMEN")),
    status=st.just("requested"),
    status_label=st.just("Envoyée"),
    objet=st.just(""),
    counterpart=st.just(""),
    as_requis=st.just(value=False),
    favourite=st.booleans(),
    to_do=st.booleans(),
    archived=st.booleans(),
    draft=st.booleans(),
)
CHANGES = st.lists(st.one_of(ROWS, st.sampled_from("abcdef")), max_size=12)
"""A row to put, or the name of one to drop."""


@given(CHANGES, st.sampled_from(Folder), st.sampled_from(("", "echantillon", "envoyee aime")))
def test_a_list_kept_up_to_date_is_the_list_drawn_from_nothing(
    changes: list[CaseRow | str], folder: Folder, query: str
) -> None:
    kept: dict[str, CaseRow] = {}
    lines = Lines()
    for change in changes:
        if isinstance(change, CaseRow):
            kept[change.case] = change
            lines.put(change)
        else:
            kept.pop(change, None)
            lines.drop(change)
        fresh = Lines(kept.values())
        assert (lines.shown(folder, query), lines.sidebar()) == (fresh.shown(folder, query), fresh.sidebar())
        everything = sorted(kept.values(), key=lambda line: line.at, reverse=True)
        assert list(lines.shown(folder, "")) == [line for line in everything if in_folder(line, folder)]
        lines.shown(folder, query)


def test_every_word_is_searched_without_accents_in_what_the_line_shows_now() -> None:
    lines = Lines([replace(BLANK, case="a", patient="Aimé SPECIMEN"), replace(BLANK, case="b", objet="Éruption")])
    assert [line.case for line in lines.shown(Folder.INBOX, "spec aime")] == ["a"]
    lines.put(replace(BLANK, case="a", objet="éruption"))
    assert [line.case for line in lines.shown(Folder.INBOX, "ERUPTION")] == ["a", "b"]
    assert lines.shown(Folder.INBOX, "spec") == ()
