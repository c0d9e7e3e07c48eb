"""One table of keys: bindings, footers, help and palette agree with it."""

from __future__ import annotations

from collections import Counter

import pytest
from textual.binding import Binding

from screens.help import help_lines
from screens.keymap import ACTIONS, FOOTER_MAX, ROOM_NAMES, Room, bindings_of, key_words, keys_words
from screens.widgets.key_footer import KeyFooter, keys_line, live_keys
from tests.support.scenes import SCENES, play
from tests.support.screenshot import make_app


def test_ids_are_unique() -> None:
    assert [identifier for identifier, count in Counter(row.id for row in ACTIONS).items() if count > 1] == []


@pytest.mark.parametrize("room", Room)
def test_no_key_means_two_things_in_a_room(room: Room) -> None:
    seen: dict[str, list[str]] = {}
    for binding in bindings_of(room):
        assert isinstance(binding, Binding)
        for key in binding.key.split(","):
            seen.setdefault(key, []).append(binding.id or "")
    clashes = {key: ids for key, ids in seen.items() if len(ids) > 1}
    assert clashes == {}


def test_every_room_has_a_name() -> None:
    assert set(ROOM_NAMES) == set(Room)


@pytest.mark.parametrize("here", [Room.MAILBOX, Room.CASE, Room.UNLOCK])
def test_help_shows_the_whole_table(here: Room) -> None:
    text = "\n".join("".join(piece for piece, _ink in line) for line in help_lines(here, 300))
    missing = [row.id for row in ACTIONS if f"{row.label}. {row.help}" not in text or keys_words(row) not in text]
    assert missing == []


def test_help_begins_with_the_screen_below() -> None:
    first = help_lines(Room.CASE, 80)[0]
    assert first == ((ROOM_NAMES[Room.CASE], "heading"),)


@pytest.mark.parametrize(
    ("key", "said"), [("ctrl+s", "Ctrl+S"), ("ctrl+enter", "Ctrl+Entrée"), ("escape", "Échap"), ("+", "+"), ("F", "F")]
)
def test_keys_are_said_as_on_the_keyboard(key: str, said: str) -> None:
    assert key_words(key) == said


def test_last_key_stays_when_the_line_is_short() -> None:
    keys = [("r", "Rendre un avis"), ("m", "Message"), ("?", "Aide")]
    text = "".join(piece for piece, _ink in keys_line(keys, 20))
    assert "Aide" in text
    assert "Rendre un avis" not in text


@pytest.mark.parametrize(
    "name", ["mailbox", "case-expert", "case-answer", "case-requester", "case-finalised", "request-new", "export"]
)
async def test_footer_offers_at_most_eight_live_keys(name: str) -> None:
    app, session = make_app()
    async with app.run_test(size=(200, 50)) as pilot:
        await play(pilot, session, SCENES[name])
        keys = live_keys(app.screen)
        assert 0 < len(keys) <= FOOTER_MAX
        assert tuple(keys) == app.screen.query_one(KeyFooter).keys


async def test_footer_offers_only_what_is_permitted() -> None:
    app, session = make_app()
    async with app.run_test(size=(200, 50)) as pilot:
        await play(pilot, session, SCENES["case-requester"])
        labels = {label for _key, label in live_keys(app.screen)}
        assert "Compléter" in labels
        assert not labels & {"Avis", "Finaliser", "Complément ?", "Prendre"}


async def test_letters_leave_the_footer_while_one_types() -> None:
    app, session = make_app()
    async with app.run_test(size=(200, 50)) as pilot:
        await play(pilot, session, SCENES["case-answer"])
        assert all(len(key) > 1 for key, _label in live_keys(app.screen))


async def test_palette_finds_without_accents_and_runs() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["mailbox"])
        await pilot.press("ctrl+p", *"demarrer tele".replace(" ", "_"))
        await pilot.press("escape")
        await pilot.press("ctrl+p", *"demarrer", "enter")
        await pilot.pause()
        assert [type(intent).__name__ for intent in session.intents if "Preview" not in type(intent).__name__] == [
            "NewDraft"
        ]
