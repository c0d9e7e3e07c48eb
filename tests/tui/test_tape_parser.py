"""The grammar is VHS's, read strictly, with one word more."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tui.tape.commands import (
    As,
    Command,
    Copy,
    Ignored,
    Paste,
    Press,
    Scope,
    Screenshot,
    Scroll,
    Set,
    Sleep,
    Type,
    Wait,
)
from tui.tape.lexer import TapeError
from tui.tape.parser import MAX_DEPTH, SETTINGS, WORDS, parse

ALL_OF_VHS = """
# Output and settings
Output demo.gif
Output "frames/"
Require echo
Set Shell "bash"
Set FontSize 22
Set FontFamily "DejaVu Sans Mono"
Set Height 600
Set Width 1200
Set LetterSpacing 1
Set LineHeight 1.2
Set Theme { "name": "Whimsy",
  "black": "#535178" }
Set Theme "Catppuccin Mocha"
Set Padding 50
Set Margin 60px
Set MarginFill "#6B50FF"
Set WindowBar Colorful
Set Framerate 60
Set PlaybackSpeed 2
Set TypingSpeed .1
Set LoopOffset 60.4
Set LoopOffset 20.99%
Set CursorBlink false
Set WaitTimeout 10s
Set WaitPattern /ready/
Env HELLO "WORLD"
Hide
Type "echo 'All'" Sleep 500ms Enter
Show
Type@.5 "All"
Type@500ms `three "quotes" 'here'`
Type "a" "b"
Sleep 1
Sleep .5
Sleep 2m
Backspace@1 3
Down@100ms 2
PageUp 2
Ctrl+C
Ctrl+Alt+Shift+p
Ctrl+]
Alt+Enter
Shift+Tab
Shift+A
ScrollDown@1s 3
Copy "https://example.org"
Paste
Wait
Wait+Line@10ms /World\\/[a-z]+/
Screenshot shots/a.png
"""


def only(text: str) -> Command:
    """The one command of a tape."""
    (command,) = parse(text)
    return command


def test_every_form_of_vhs_is_read() -> None:
    commands = parse(ALL_OF_VHS)
    assert len(commands) == 51
    assert sum(isinstance(command, Ignored) for command in commands) == 6


@pytest.mark.parametrize(
    ("text", "kind", "fields"),
    [
        ('Type "bonjour"', Type, {"text": "bonjour", "speed_s": None}),
        ("Type 'l\"été'", Type, {"text": 'l"été'}),
        ("Type@50ms `x`", Type, {"text": "x", "speed_s": 0.05}),
        ('Type "a" "b"', Type, {"text": "a b"}),
        ("Type bare words", Type, {"text": "bare words"}),
        ("Enter", Press, {"key": "enter", "count": 1}),
        ("Down@1 3", Press, {"key": "down", "count": 3, "speed_s": 1.0}),
        ("PageDown", Press, {"key": "pagedown"}),
        ("Home", Press, {"key": "home"}),
        ("Ctrl+S", Press, {"key": "ctrl+s"}),
        ("Ctrl+Shift+Up", Press, {"key": "ctrl+shift+up"}),
        ("Ctrl+@", Press, {"key": "ctrl+at"}),
        ("Alt+x", Press, {"key": "alt+x"}),
        ("Shift+Tab 2", Press, {"key": "shift+tab", "count": 2}),
        ("Shift+a", Press, {"key": "A"}),
        ("ScrollUp 3", Scroll, {"lines": -3}),
        ("Sleep 500ms", Sleep, {"duration_s": 0.5}),
        ("Sleep 1m", Sleep, {"duration_s": 60.0}),
        ("Wait", Wait, {"scope": Scope.SCREEN, "pattern": "", "timeout_s": None}),
        (r"Wait+Line@2s /a\/b/", Wait, {"scope": Scope.LINE, "pattern": r"a\/b", "timeout_s": 2.0}),
        ("Screenshot x.svg", Screenshot, {"name": "x.svg"}),
        ("Set TypingSpeed 75ms", Set, {"name": "TypingSpeed", "value": 0.075}),
        ("Set Width 120", Set, {"name": "Width", "value": 120.0}),
        ("As PS01", As, {"persona": "PS01"}),
        ('Copy "x"', Copy, {"text": "x"}),
        ("Paste", Paste, {}),
        ("Output x.gif # said", Ignored, {"word": "Output"}),
    ],
)
def test_a_command(text: str, kind: type[Command], fields: dict[str, object]) -> None:
    command = only(text)
    assert isinstance(command, kind)
    assert {name: getattr(command, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ("Nope", 1, 1),
        ("\n  Enter x", 2, 9),
        ('Type "open', 1, 6),
        ("Type", 1, 5),
        ("Type\n  'x'", 1, 5),
        ("Wait /open", 1, 6),
        ("Wait /(/", 1, 6),
        ("Wait+Window /x/", 1, 6),
        ("Wait@0s /x/", 1, 5),
        ("Sleep", 1, 6),
        ("Sleep soon", 1, 7),
        ("Set Colour 3", 1, 5),
        ("Set Width wide", 1, 11),
        ("Set Theme { no }", 1, 11),
        ("Ctrl", 1, 5),
        ("Ctrl+", 1, 6),
        ("Ctrl+Nope", 1, 6),
        ("Down 0", 1, 6),
        ("Down 1.5", 1, 6),
        ("Down 99999999999999999999", 1, 6),
        ("Screenshot x.gif", 1, 12),
        ("Screenshot ../x.png", 1, 12),
        ('Screenshot "/etc/x.png"', 1, 12),
        ("Source x.txt", 1, 8),
        ("Source missing.tape", 1, 8),
        ("As", 1, 3),
        ("Type é", 1, 6),
        ("É", 1, 1),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, line: int, column: int) -> None:
    with pytest.raises(TapeError) as caught:
        parse(text, name="t.tape", read=_missing)
    error = caught.value
    assert (error.line, error.column) == (line, column)
    first, source, caret = str(error).split("\n")
    assert first.startswith(f"t.tape:{line}:{column}: ")
    assert source == "    " + text.split("\n")[line - 1]
    assert caret.index("^") == 4 + column - 1


def _missing(path: Path) -> str:
    raise FileNotFoundError(2, "No such file", str(path))


def test_a_sourced_tape_is_read_in_place_and_keeps_its_own_places(tmp_path: Path) -> None:
    (tmp_path / "login.tape").write_text('\nType "1234" Enter\n')
    commands = parse("As PS01\nSource login.tape\nWait /x/", folder=tmp_path)
    assert [type(command) for command in commands] == [As, Type, Press, Wait]
    assert (commands[1].place.line, commands[1].place.text) == (2, 'Type "1234" Enter')
    assert commands[1].place.tape.endswith("login.tape")


def test_tapes_that_source_each_other_end() -> None:
    with pytest.raises(TapeError, match="inclu"):
        parse("Source a.tape", read=lambda _path: "Source a.tape")
    assert MAX_DEPTH < 100


_PIECES = st.one_of(
    st.sampled_from(
        [*WORDS, *SETTINGS, "@", "+", "/", '"', "'", "`", "{", "}", "%", "\\", "\n", " ", "#", "ms", "x.png"]
    ),
    st.text(max_size=8),
    st.integers().map(str),
    st.floats().map(str),
)


@settings(max_examples=400, deadline=None)
@given(
    st.lists(_PIECES, max_size=12).flatmap(lambda parts: st.sampled_from(["", " "]).map(lambda gap: gap.join(parts)))
)
def test_no_text_raises_anything_but_a_tape_error(text: str) -> None:
    assert _places(text)


def _places(text: str) -> bool:
    """Whether a tape reads, or is refused, with places that exist."""
    try:
        commands = parse(text, read=_missing)
    except TapeError as error:
        return error.line >= 1 and error.column >= 1 and "^" in str(error)
    return all(command.place.line >= 1 for command in commands)


_WORDS = st.text(st.characters(exclude_characters='"\n', exclude_categories=("Cs",)), max_size=20)


@given(_WORDS, st.integers(1, 50))
def test_what_is_written_is_what_is_read(text: str, count: int) -> None:
    first, second = parse(f'Type "{text}"\nDown {count}')
    assert isinstance(first, Type)
    assert first.text == text
    assert isinstance(second, Press)
    assert second.count == count
