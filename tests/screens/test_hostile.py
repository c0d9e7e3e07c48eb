"""Text written by others is shown, never obeyed: no exception, no action, no control on the terminal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import fields, is_dataclass, replace
from enum import Enum
from typing import Any

import pytest
from rich.segment import Segment
from textual.color import Color

from client.updates import Update
from screens.formatting import editable, visible
from tests.support.scenes import SCENES, Scene, play
from tests.support.screenshot import DESK_OPEN, make_app, publish, screen_text
from tui.output_guard import OutputGuard

HOSTILE = (
    "[/] [/b] [@click=app.quit]ici[/] [bold [red]x[/red] $x {0} %s "
    "\x1b]52;c;ZXZpbA==\x1b\\\x1b[2J\x1b]0;pwn\x07\x9b31m\x00\r\x08"
    "\u202egnp.exe\u2066\u200b\u2028\ufeff\ud800\U0001f469\u200d\U0001f52c e\u0301\u0301 日本語 " + "A" * 90
)

CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u200e\u200f\ud800-\udfff]")

_CODES = {
    "case", "draft", "kind", "event", "account", "status", "field", "value", "query", "reader", "sexe",
    "acting_account", "flag", "what", "intent",
}  # fmt: skip
"""Identifiers made by machines: they are keys, not texts."""


def poisoned(thing: Any, name: str = "") -> Any:
    """The same view with hostile text in every field a person could have written."""
    if isinstance(thing, (Enum, int, float, type(None), frozenset)):
        return thing
    if isinstance(thing, str):
        return thing if name in _CODES else HOSTILE
    if is_dataclass(thing) and not isinstance(thing, type):
        return replace(thing, **{item.name: poisoned(getattr(thing, item.name), item.name) for item in fields(thing)})
    if isinstance(thing, Sequence):
        return tuple(poisoned(item, name) for item in thing)
    return thing


def poisoned_scene(scene: Scene) -> Scene:
    """A scene whose updates are all hostile."""
    return replace(scene, steps=[poisoned(step) if isinstance(step, Update) else step for step in scene.steps])


@pytest.mark.parametrize(
    "name",
    [
        "unlock-wrong-pin", "unlock-choose-situation", "mailbox", "mailbox-offline", "mailbox-draft", "mailbox-filter",
        "mailbox-notice", "case-form", "case-answer", "case-refused", "case-finalised", "case-attachments", "case-edit",
        "request-filled", "directory", "patients", "finalisation-1", "finalisation-2", "preferences", "ended",
    ],
)  # fmt: skip
async def test_hostile_text_is_only_text(name: str) -> None:
    scene = poisoned_scene(SCENES[name])
    app, session = make_app()
    async with app.run_test(size=(120, 40)) as pilot:
        await publish(pilot, session, *([] if scene.door else [poisoned(update) for update in DESK_OPEN]))
        await play(pilot, session, replace(scene, door=True))
        text = screen_text(app)
        assert CONTROL.findall(text) == []
        before = list(session.intents)
        for y in range(2, 38, 9):
            await pilot.click(offset=(60, y))
        assert app.is_running
        clicked = {type(intent).__name__ for intent in session.intents[len(before) :]}
        assert not clicked & {"Finalise", "SendExchange"}


def test_visible_leaves_nothing_to_obey() -> None:
    assert CONTROL.findall(visible(HOSTILE)) == []
    assert "\u200b" not in visible(HOSTILE)
    assert visible("été « 12:38 » ♀ ✓") == "été « 12:38 » ♀ ✓"


def test_editable_keeps_lines_and_drops_controls() -> None:
    assert editable("a\r\nb\x1b[2J\u202ec") == "a\nb[2Jc"


def test_guard_cleans_what_was_forgotten() -> None:
    cleaned = OutputGuard().apply([Segment("a\x1b[2Jb"), Segment("propre")], Color(0, 0, 0))
    assert [segment.text for segment in cleaned] == ["a␛[2Jb", "propre"]


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0xD800])
def test_every_dangerous_code_point_becomes_visible(code: int) -> None:
    assert CONTROL.findall(visible(f"a{chr(code)}b")) == []
