"""Look at a screen: run the App on a fake session, press keys, take its text or its picture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta, timezone

from textual.pilot import Pilot

from client.intents import Intent
from client.updates import LoginChanged, MailboxChanged, ShellChanged, Update
from tests.support import sample_views as samples
from tests.support.fake_session import FakeSession
from tui.app import AvicenneApp

ZONE = timezone(timedelta(hours=2), "CEST")

DESK_OPEN = (
    LoginChanged(samples.LOGINS["open"]),
    ShellChanged(samples.shell()),
    MailboxChanged(samples.mailbox()),
)
"""What a session announces once the card has opened the door."""


def make_app(answers: Callable[[Intent], list[Update]] | None = None) -> tuple[AvicenneApp, FakeSession]:
    """An App on a frozen day, and the session behind it."""
    session = FakeSession(answers)
    return AvicenneApp(session, clock=lambda: samples.NOW, zone=ZONE, start_run=False), session


async def publish(pilot: Pilot[None], session: FakeSession, *updates: Update) -> None:
    """Announce, and let the screens draw."""
    session.publish(*updates)
    await pilot.pause()
    await pilot.pause()


async def press(pilot: Pilot[None], keys: Sequence[str]) -> None:
    """Keys one after the other, with time to draw."""
    for key in keys:
        await pilot.press(key)
    await pilot.pause()


def screen_text(app: AvicenneApp) -> str:
    """What is on the terminal, as text."""
    lines = app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in lines) + "\n"
