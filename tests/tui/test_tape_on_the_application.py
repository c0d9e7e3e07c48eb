"""A tape drives the real application, two personas in one process, on sessions that are scripted."""

from __future__ import annotations

import asyncio
from pathlib import Path

from client.intents import Folder, OpenCase
from client.updates import MailboxChanged
from client.views import MailboxView
from tests.tui.desks import CASE, OTHER, DeskSession, a_row
from tui.app import AvicenneApp
from tui.robot import Robot
from tui.tape.parser import parse
from tui.tape.player import Player
from tui.tape.report import told

TAPE = """
As PS01
Wait /[Cc]ode/
Type "1234" Enter
Wait /Lucette SPECIMEN/
As PS02
Type "1234" Enter
Wait /Lucette SPECIMEN/
As PS01
Enter
Wait /Biopsie/
Screenshot case.txt
As PS02
Wait /Simon FICTIF/
"""


def test_both_sides_of_the_real_application(tmp_path: Path) -> None:
    sessions: dict[str, DeskSession] = {}

    async def open_client(persona: str, size: tuple[int, int]) -> Robot:
        session = sessions[persona] = DeskSession()
        session.answered = {OpenCase: lambda: arrive(sessions)}
        robot = Robot(AvicenneApp(session), size=size, on_close=session.close)
        await robot.start()
        return robot

    def arrive(known: dict[str, DeskSession]) -> None:
        """What one side opens brings a line to the other, as a relay would."""
        rows = (a_row(OTHER, patient="Simon FICTIF"), a_row(CASE))
        known["PS02"].publish(MailboxChanged(MailboxView(Folder.INBOX, (), rows)))

    report = asyncio.run(Player(parse(TAPE), open_client, screenshots=tmp_path).play())
    assert report.failed is None, told(report, "tape")
    assert "Biopsie" in (tmp_path / "case.txt").read_text()
    assert all(session.closed for session in sessions.values())
