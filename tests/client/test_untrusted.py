"""Text by others is harmless to show: what a terminal or an eye could be fooled by becomes visible."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.untrusted import visible, visible_line

JOINERS = "\u200c\u200d"
"""Zero-width, but part of how some languages and emoji are written."""


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x07", "␛[2J␇"),
        ("\x00\x7f", "␀␡"),
        ("\x9b31m", "⟦U+009B⟧31m"),
        ("photo\u202egpj.exe", "photo⟦U+202E⟧gpj.exe"),
        ("a\u200bb\ufeffc\u00add", "a⟦U+200B⟧b⟦U+FEFF⟧c⟦U+00AD⟧d"),
        ("a\u2028b", "a⟦U+2028⟧b"),
        ("a\tb", "a    b"),
        ("un\r\ndeux\rtrois", "un\ndeux␍trois"),
        ("\U000e0041", "⟦U+E0041⟧"),
        ("\udcff.pdf", "⟦U+DCFF⟧.pdf"),
        ("[bold]é 日本 👩‍⚕️[/]", "[bold]é 日本 👩‍⚕️[/]"),
    ],
)
def test_what_cannot_be_seen_becomes_a_token_and_the_rest_stays(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_a_line_has_no_line_feed() -> None:
    assert visible_line("un\ndeux\r\ntrois") == "un deux trois"


@given(st.text(st.characters(codec=None)))
def test_no_control_nor_format_character_is_left(text: str) -> None:
    for char in visible(text):
        assert char == "\n" or char in JOINERS or unicodedata.category(char) not in {"Cc", "Cs", "Zl", "Zp"}
    assert "\n" not in visible_line(text)


def test_every_direction_and_invisible_format_character_is_shown() -> None:
    """All of Cf but the joiners and the marks that some scripts write."""
    written = {*JOINERS, *map(chr, range(0x600, 0x606)), "\u06dd", "\u070f", "\u0890", "\u0891", "\u08e2"}
    written |= {char for char in map(chr, range(0x10000, 0xE0000)) if unicodedata.category(char) == "Cf"}
    hidden = [
        f"{code:04X}"
        for code in [*range(0xD800), *range(0xE000, 0x10000), *range(0xE0000, 0xE0080)]
        if unicodedata.category(chr(code)) == "Cf" and chr(code) not in written and visible(chr(code)) == chr(code)
    ]
    assert hidden == []


@given(st.text())
def test_showing_twice_changes_nothing(text: str) -> None:
    assert visible(visible(text)) == visible(text)
