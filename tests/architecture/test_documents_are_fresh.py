"""What can be generated is generated, and is what the tree says today."""

from __future__ import annotations

import re
import tomllib

import pytest

from scripts.make_docs import PAGES, ROOT, blocks_in, refreshed

DOCS = ROOT / "docs"
ROOMS = ("domain", "protocol", "crypto", "client", "server", "screens", "tui", "demo", "tests", "tapes", "scripts")
WRITTEN = sorted(path.relative_to(ROOT).as_posix() for path in (*ROOT.glob("*.md"), *DOCS.rglob("*.md")))
"""Every page there is."""


def test_the_command_line_reference_is_fresh() -> None:
    """Refresh with `python -m tui.reference > docs/reference/cli.md`."""
    from tui.reference import reference

    assert (DOCS / "reference/cli.md").read_text(encoding="utf-8") == reference()


def test_the_tape_reference_names_every_word_and_setting() -> None:
    from tui.tape.parser import SETTINGS, WORDS

    text = (DOCS / "reference/tapes.md").read_text(encoding="utf-8")
    documented = {"Ctrl": "`Ctrl+x`", "Alt": "`Alt+x`", "Shift": "`Shift+Tab`", "Wait": "`Wait["}
    absent = [word for word in (*WORDS, *SETTINGS) if documented.get(word, f"`{word}") not in text]
    assert absent == []


def test_the_example_tape_of_the_reference_reads() -> None:
    from tui.tape.parser import parse

    text = (DOCS / "reference/tapes.md").read_text(encoding="utf-8")
    assert parse(text.split("```")[1])


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_block_says_what_the_code_says(page: str) -> None:
    """Refresh with `make docs`."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert tuple(blocks_in(text)) == PAGES[page]
    assert text == refreshed(text)


def test_a_stale_block_is_seen() -> None:
    stale = "before\n<!-- begin statuses -->\n| `asleep` |\n<!-- end -->\nafter\n"
    assert blocks_in(stale) == ["statuses"]
    assert "`asleep`" not in refreshed(stale)
    assert refreshed(stale).startswith("before\n")
    assert refreshed(stale).endswith("-->\nafter\n")


def test_every_dependency_has_its_reason() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = declared["project"]
    wanted = [
        *project["dependencies"],
        *project["optional-dependencies"]["pcsc"],
        *declared["dependency-groups"]["dev"],
    ]
    reasons = (DOCS / "adr/0008-dependencies.md").read_text(encoding="utf-8")
    names = [re.split(r"[^\w-]", requirement)[0] for requirement in wanted]
    assert [name for name in names if f"`{name}`" not in reasons] == []


def test_every_record_of_a_decision_is_listed() -> None:
    index = (DOCS / "adr/README.md").read_text(encoding="utf-8")
    records = sorted(path.name for path in (DOCS / "adr").glob("[0-9]*.md"))
    assert records == re.findall(r"\]\((\d{4}-[\w-]+\.md)\)", index)
    assert [name[:4] for name in records] == [f"{number:04d}" for number in range(1, len(records) + 1)]


@pytest.mark.parametrize("page", WRITTEN)
def test_a_file_that_a_page_names_exists(page: str) -> None:
    """`client/door.py`, `tests/crypto/`: a name that moved would send the reader nowhere."""
    text = (ROOT / page).read_text(encoding="utf-8")
    named = re.findall(rf"`((?:{'|'.join(ROOMS)})/[\w/.-]+)`", text)
    assert [name for name in named if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("page", WRITTEN)
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", text)
    assert [target for target in targets if not ((ROOT / page).parent / target).exists()] == []


def test_the_tutorial_says_the_keys_that_its_tape_plays() -> None:
    tape = (ROOT / "tapes/first-request.tape").read_text(encoding="utf-8")
    tutorial = (DOCS / "tutorial/first-request.md").read_text(encoding="utf-8")
    typed = re.findall(r'^Type "(.+)"$', tape, re.MULTILINE)
    chords = re.findall(r"^(Ctrl\+\w)$", tape, re.MULTILINE)
    assert [text for text in typed if f"`{text}`" not in tutorial] == []
    assert [chord for chord in chords if f"`{_shown(chord)}`" not in tutorial] == []


def _shown(chord: str) -> str:
    return chord[:-1] + chord[-1].upper()
