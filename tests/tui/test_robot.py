"""The robot feeds keys as a terminal would and sees what a user would."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import pytest

from tests.tui.toys import ToyApp
from tui.keys import keystrokes
from tui.robot import Robot, RobotError, key_events, robots


def run(coroutine):
    return asyncio.run(coroutine)


def test_typed_characters_are_on_screen_as_soon_as_type_returns() -> None:
    async def scenario() -> None:
        async with Robot(ToyApp()) as robot:
            await robot.type("Écoute <lt>b> / ?")
            assert "Écoute <b> / ?" in robot.screen_text()
            await robot.type("<enter>")
            assert "A: Écoute <b> / ?" in robot.screen_text()

    run(scenario())


def test_two_applications_live_in_one_process_and_hear_each_other() -> None:
    async def scenario() -> None:
        a, b = ToyApp("A"), ToyApp("B")
        a.friends, b.friends = [b], [a]
        async with robots(a, b) as (ann, bob):
            await ann.type("bonjour<enter>")
            assert await bob.wait_until(lambda text: "A: bonjour" in text, 10)
            await bob.type("salut<enter>")
            assert await ann.wait_until(lambda text: "B: salut" in text, 10)
            assert "toy A" in ann.screen_text()
            assert "toy B" in bob.screen_text()

    run(scenario())


def test_waiting_wakes_on_a_change_that_no_key_caused() -> None:
    async def scenario() -> None:
        app = ToyApp()
        async with Robot(app) as robot:
            asyncio.get_running_loop().call_later(0.05, app.call_later, app.hear, "from outside")
            assert await robot.wait_until(lambda text: "from outside" in text, 10)
            assert not await robot.wait_until(lambda text: "never" in text, 0.01)

    run(scenario())


def test_resizing_redraws() -> None:
    async def scenario() -> None:
        async with Robot(ToyApp(), size=(80, 24)) as robot:
            assert len(robot.screen_lines()) == 24
            await robot.resize(40, 10)
            assert len(robot.screen_lines()) == 10
            assert robot.app.size == (40, 10)

    run(scenario())


def test_the_cursor_line_is_that_of_the_field() -> None:
    async def scenario() -> None:
        async with Robot(ToyApp()) as robot:
            await robot.type("ici")
            assert "ici" in robot.cursor_line()

    run(scenario())


def test_pasting_and_scrolling() -> None:
    async def scenario() -> None:
        async with Robot(ToyApp()) as robot:
            await robot.paste("collé d'un coup")
            await robot.scroll(2)
            await robot.scroll(-1)
            assert "collé d'un coup" in robot.screen_text()

    run(scenario())


@pytest.mark.parametrize("keys", ["<ctrl+b>", "<ctrl+y>"])
def test_a_dead_application_is_an_error_that_says_so(keys: str) -> None:
    async def scenario() -> None:
        robot = Robot(ToyApp())
        await robot.start()
        with pytest.raises(RobotError):
            await robot.type(keys)
        with pytest.raises(RuntimeError, match="boom") if keys == "<ctrl+b>" else contextlib.nullcontext():
            await robot.close()

    run(scenario())


def test_an_application_that_does_not_start_is_an_error_and_leaves_nothing() -> None:
    class Broken(ToyApp):
        def on_mount(self) -> None:
            raise RuntimeError("no start")

    closed: list[int] = []

    async def close() -> None:
        closed.append(1)

    async def scenario() -> None:
        with pytest.raises(RobotError, match="no start"):
            await Robot(Broken(), on_close=close).start()

    run(scenario())
    assert closed == [1]


def test_streams_are_given_back() -> None:
    before = sys.stdout, sys.stderr

    async def scenario() -> None:
        first, second = Robot(ToyApp("A")), Robot(ToyApp("B"))
        await first.start()
        await second.start()
        assert (sys.stdout, sys.stderr) == before
        await first.close()
        await second.close()

    run(scenario())
    assert (sys.stdout, sys.stderr) == before


def test_on_close_is_awaited_once() -> None:
    calls: list[int] = []

    async def closed() -> None:
        calls.append(1)

    async def scenario() -> None:
        robot = Robot(ToyApp(), on_close=closed)
        await robot.start()
        await robot.close()
        await robot.close()

    run(scenario())
    assert calls == [1]


def test_screenshots_in_three_forms(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with Robot(ToyApp()) as robot:
            for suffix in (".txt", ".svg", ".png"):
                robot.save_screenshot(tmp_path / "deep" / f"s{suffix}")

    run(scenario())
    assert "toy A" in (tmp_path / "deep/s.txt").read_text()
    assert (tmp_path / "deep/s.svg").read_text().startswith("<svg")
    assert (tmp_path / "deep/s.png").read_bytes().startswith(b"\x89PNG")


def test_without_a_font_a_png_is_refused_clearly(monkeypatch: pytest.MonkeyPatch) -> None:
    from tui.tape import screenshots

    monkeypatch.setattr(screenshots, "find_font", lambda: None)
    with pytest.raises(screenshots.NoFont, match="police"):
        screenshots.png("<svg xmlns='http://www.w3.org/2000/svg'/>")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("j<enter>a", ("j", "enter", "a")),
        ("<Esc><lt><gt>", ("escape", "<", ">")),
        ("a\nb", ("a", "enter", "b")),
        ("<ctrl+s><shift+tab><f2>", ("ctrl+s", "shift+tab", "f2")),
        ("a < b", ("a", " ", "<", " ", "b")),
    ],
)
def test_notation_of_keys(keys: str, expected: tuple[str, ...]) -> None:
    assert keystrokes(keys) == expected


def test_an_unknown_key_is_refused() -> None:
    with pytest.raises(ValueError, match="nimporte"):
        keystrokes("<nimporte>")


def test_keys_are_the_events_a_terminal_gives() -> None:
    assert [(e.key, e.character) for e in key_events("A")] == [("A", "A")]
    assert [(e.key, e.character) for e in key_events("/")] == [("slash", "/")]
    assert key_events("ctrl+h")[0].key == "backspace"
    assert key_events("shift+tab")[0].key == "shift+tab"
    assert key_events("\x1b")[0].key == "escape"
