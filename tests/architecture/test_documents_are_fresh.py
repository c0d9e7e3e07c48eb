"""What can be generated is generated, and is what the tree says today."""

from __future__ import annotations

from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


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


@pytest.mark.parametrize("page", ["cli.md", "tapes.md"])
def test_links_of_a_page_lead_somewhere(page: str) -> None:
    import re

    folder = DOCS / "reference"
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", (folder / page).read_text(encoding="utf-8")):
        assert (folder / target).exists()
