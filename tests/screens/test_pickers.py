"""Enter in a picker chooses what was typed: now if its results are there, else as soon as they come."""

from __future__ import annotations

import pytest

from client.intents import SearchDirectory, SearchPatients
from client.updates import DirectoryFound, LoginChanged, PatientsFound, Update
from screens.directory import DirectoryScreen
from screens.new_request import NewRequestScreen
from screens.patients import PatientsScreen
from screens.picker import PickerScreen
from tests.support import sample_views as samples
from tests.support.scenes import SCENES, play
from tests.support.screenshot import make_app, publish, screen_text


def _found(scene: str, query: str) -> Update:
    if scene == "directory":
        return DirectoryFound(samples.directory(query))
    return PatientsFound(query, samples.PATIENTS)


@pytest.fixture(autouse=True)
def _slow_typing(monkeypatch: pytest.MonkeyPatch) -> None:
    """No search leaves by a rest of the keys: only Enter sends it."""
    monkeypatch.setattr(PickerScreen, "DELAY_S", 60.0)


SCREENS = [("directory", DirectoryScreen), ("patients", PatientsScreen)]


def _typed(scene: str) -> str:
    return ("d" if scene == "directory" else "s") + "u"


@pytest.mark.parametrize(("scene", "kind"), SCREENS)
async def test_enter_waits_for_the_results_of_what_is_typed(scene: str, kind: type[PickerScreen[object]]) -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES[scene])
        await pilot.press("u", "enter")
        await pilot.pause()
        assert isinstance(app.screen, kind)
        asked = [each.query for each in session.intents if isinstance(each, SearchDirectory | SearchPatients)]
        assert asked[-1] == _typed(scene)
        await publish(pilot, session, _found(scene, _typed(scene)[0] + "x"))
        assert isinstance(app.screen, kind)
        await publish(pilot, session, _found(scene, _typed(scene)))
        assert isinstance(app.screen, NewRequestScreen)


@pytest.mark.parametrize("key", ["down", "left", "backspace", "x", "ctrl+x"])
@pytest.mark.parametrize(("scene", "kind"), SCREENS)
async def test_any_other_key_takes_the_enter_back(scene: str, kind: type[PickerScreen[object]], key: str) -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES[scene])
        await pilot.press("u", "enter", key)
        await pilot.pause()
        picker = app.screen
        assert isinstance(picker, kind)
        await publish(pilot, session, _found(scene, _typed(scene)), _found(scene, picker.typed))
        assert app.screen is picker


async def test_nothing_is_chosen_behind_the_door() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["directory"])
        await pilot.press("u", "enter")
        picker = app.screen
        await publish(pilot, session, LoginChanged(samples.LOGINS["locked"]))
        await publish(pilot, session, _found("directory", "du"), LoginChanged(samples.LOGINS["open"]))
        assert app.screen is picker


async def test_enter_on_the_results_of_what_is_typed_chooses_at_once() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["directory"])
        await pilot.press("enter")
        await pilot.pause()
        assert isinstance(app.screen, NewRequestScreen)


async def test_presence_says_that_it_comes_later() -> None:
    app, session = make_app()
    async with app.run_test(size=(200, 50)) as pilot:
        await play(pilot, session, SCENES["mailbox"])
        lines = screen_text(app).splitlines()
        row = next(index for index, line in enumerate(lines) if "Apparaître absent" in line)
        await pilot.click(offset=(lines[row].index("Apparaître") + 2, row))
        await pilot.pause()
        assert "Apparaître absent : dans une prochaine version" in screen_text(app)
