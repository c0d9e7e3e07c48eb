"""A tape drives real applications, and its failure is told with the line, the pattern and the screen."""

from __future__ import annotations

import asyncio
from pathlib import Path
from xml.etree import ElementTree as ET

from tests.tui.toys import ToyApp
from tui.robot import Robot
from tui.tape.commands import Place, Wait
from tui.tape.parser import parse
from tui.tape.player import Player, Settings
from tui.tape.report import Report, Step, junit, told


class Stage:
    """Opens toy applications that hear each other, one a persona."""

    def __init__(self) -> None:
        self.opened: dict[str, Robot] = {}

    async def open(self, persona: str, size: tuple[int, int]) -> Robot:
        app = ToyApp(persona or "seul")
        for robot in self.opened.values():
            robot.app.friends.append(app)
            app.friends.append(robot.app)
        self.opened[persona] = robot = Robot(app, size=size)
        await robot.start()
        return robot


def play(tape: str, folder: Path = Path(), **options: object) -> tuple[Report, Stage]:
    """Play a tape on toys."""
    stage = Stage()
    player = Player(parse(tape, name="t.tape"), stage.open, screenshots=folder, **options)
    return asyncio.run(player.play()), stage


TWO_SIDES = """
Set Width 60
Set Height 12
As PS01
Type "bonjour" Enter
Wait /PS01: bonjour/
As PS02
Type "salut" Enter
As PS01
Wait+Screen@5s /PS02: salut/
Type "encore"
Wait+Line /encore/
Screenshot one.txt
Screenshot two.svg
"""


def test_one_tape_plays_both_sides(tmp_path: Path) -> None:
    report, stage = play(TWO_SIDES, tmp_path)
    assert report.failed is None
    assert [step.persona for step in report.cases] == ["PS01"] * 5
    assert set(stage.opened) == {"PS01", "PS02"}
    text = (tmp_path / "one.txt").read_text()
    assert "PS02: salut" in text
    assert len(text.split("\n")) == 13
    assert "5 attentes" in told(report, "t.tape")


def test_a_wait_not_met_stops_the_tape_and_shows_the_screen() -> None:
    report, _stage = play('As PS01\nType "abc" Enter\nWait@20ms /jamais/\nType "after"\nWait /after/')
    step = report.failed
    assert step is not None
    assert step.command.place.line == 3
    assert report.steps[-1].skipped
    message = told(report, "t.tape")
    assert "t.tape:3: /jamais/" in message
    assert "Wait@20ms /jamais/" in message
    assert "│PS01: abc" in message


def test_an_application_that_dies_fails_the_step_that_killed_it() -> None:
    report, _stage = play("As PS01\nCtrl+b\nWait /x/")
    assert report.failed is not None
    assert report.failed.command.place.line == 2
    assert "boom" in report.failed.failure


def test_a_client_that_does_not_open_fails_its_line() -> None:
    async def refuse(persona: str, _size: tuple[int, int]) -> Robot:
        raise LookupError(persona)

    report = asyncio.run(Player(parse("As PS99"), refuse).play())
    assert report.failed is not None
    assert "PS99" in report.failed.failure


def test_copy_paste_set_and_ignored_words() -> None:
    tape = 'Output x.gif\nHide\nCopy "collé"\nPaste\nWait /collé/\nSet Width 50\nSet WaitPattern /toy/\nWait'
    report, stage = play(tape)
    assert report.failed is None
    assert stage.opened[""].size == (50, 30)
    assert [note.split()[0] for note in report.notes] == ["Output", "Hide"]


def test_pace_zero_plays_at_once() -> None:
    report, _stage = play('Set TypingSpeed 60s\nSleep 59m\nType "ab"\nWait /ab/', pace=0)
    assert report.failed is None


def test_sizes_are_cells_when_small_and_pixels_when_large() -> None:
    assert Settings().size() == (100, 30)
    assert Settings({"Width": 132.0, "Height": 43.0}).size() == (132, 43)
    assert Settings({"Width": 1200.0, "Height": 600.0}).size() == (81, 18)


def test_junit_is_well_formed_and_counts_waits_and_screenshots() -> None:
    place = Place("t\x00.tape", 3, "Wait /<é&>/")
    wait = Wait(place=place, pattern="<é&>")
    report = Report(
        (
            Step(wait, "PS01", 0.25),
            Step(wait, "PS01", 1.5, "/<é&>/ n'est pas apparu", "écran \x1b[31m <vide> ]]>\x00"),
            Step(wait, "PS01", skipped=True),
        )
    )
    root = ET.fromstring(junit(report, "t.tape"))
    (suite,) = root
    assert suite.attrib | {"tests": "3", "failures": "1", "skipped": "1", "time": "1.750"} == suite.attrib
    cases = suite.findall("testcase")
    assert [case.attrib["name"] for case in cases] == ["3: Wait /<é&>/"] * 3
    assert [case.attrib["time"] for case in cases] == ["0.250", "1.500", "0.000"]
    assert "<vide>" in (cases[1].findtext("failure") or "")
    assert cases[2].find("skipped") is not None
