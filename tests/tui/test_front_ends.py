"""The front ends as programs: a session by lines, a tape by its path."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.tui.desks import DeskSession, building
from tests.tui.toys import ToyApp
from tui import cli, front_ends, oneshot
from tui.exit_codes import ExitCode
from tui.robot import Robot


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> DeskSession:
    """A session that stands where the real one would."""
    session = DeskSession()
    monkeypatch.setattr(oneshot, "build_real", building(session))
    return session


def lines(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], given: str, *words: str):
    """Feed lines to `avicenne session`; status and lines written."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(given))
    code = cli.main(["session", *words])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_a_session_logs_in_then_reads_its_lines(
    desk: DeskSession, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    code = tmp_path / "pin"
    code.write_text("1234")
    given = '{"intent": "SelectFolder", "folder": "unread"}\n'
    status, written = lines(monkeypatch, capsys, given, "--pin-file", str(code))
    assert status == 0
    assert written[0]["schema"] == "avicenne.session/1"
    assert written[-1]["view"]["folder"] == "unread"
    assert desk.closed == 1


def test_lines_may_open_the_session_themselves(
    desk: DeskSession, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    status, written = lines(monkeypatch, capsys, '{"intent": "EnterPin", "pin": "1234"}\n{"intent": 1}\n', "--no-login")
    assert status == ExitCode.DATA
    assert "error" in str(written)
    assert "1234" not in str(written)


def test_the_schema_of_a_session(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["session", "--schema"]) == 0
    assert "OpenCase" in json.loads(capsys.readouterr().out)["$defs"]


@pytest.fixture
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Personas are toys."""

    async def open_toy(persona: str, size: tuple[int, int]) -> Robot:
        robot = Robot(ToyApp(persona), size=size)
        await robot.start()
        return robot

    monkeypatch.setattr(front_ends, "open_persona", open_toy)


@pytest.mark.usefixtures("toys")
def test_play_passes_fails_and_reports(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape, report = tmp_path / "t.tape", tmp_path / "deep" / "out.xml"
    tape.write_text('Sleep 50m\nType "abc"\nWait /abc/\nScreenshot s.txt\n')
    words = [
        "play",
        str(tape),
        "--as",
        "PS01",
        "--fast",
        "--junit",
        str(report),
        "--screenshots",
        str(tmp_path / "shots"),
    ]
    assert cli.main(words) == 0
    assert "toy PS01" in (tmp_path / "shots" / "s.txt").read_text()
    assert ET.parse(report).getroot()[0].attrib["tests"] == "2"
    tape.write_text("Wait@10ms /never/\nWait /after/\n")
    capsys.readouterr()
    assert cli.main(words) == ExitCode.NOT_MET
    out, err = capsys.readouterr()
    assert out == ""
    assert f"{tape}:1: /never/" in err
    assert "│toy PS01" in err
    assert ET.parse(report).getroot()[0].attrib["failures"] == "1"


def test_a_tape_that_is_none_is_a_data_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tape = tmp_path / "t.tape"
    tape.write_text("Wait /x/\nJump 3\n")
    assert cli.main(["play", str(tape)]) == ExitCode.DATA
    assert f"{tape}:2:1" in capsys.readouterr().err
    tape.write_bytes(b"\xff\xfe")
    assert cli.main(["play", str(tape), "--check"]) == ExitCode.DATA
    tape.write_text("Wait /x/")
    assert cli.main(["play", str(tape), "--check"]) == 0
