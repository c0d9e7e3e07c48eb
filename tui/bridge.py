"""Between the session and the App: the port the App needs, and one Textual message per update, in order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from textual.message import Message

from client.intents import Intent
from client.updates import Update


class Session(Protocol):
    """A desk, as the front end sees it."""

    def dispatch(self, intent: Intent) -> None:
        """Take an intent; never blocks, answers by updates."""

    def subscribe(self, callback: Callable[[Update], None]) -> Callable[[], None]:
        """Announce updates to `callback`, in the App's loop; the result takes it back."""

    async def run(self) -> None:
        """Work until cancelled."""


class UpdateArrived(Message):
    """The session announced something."""

    def __init__(self, update: Update) -> None:
        super().__init__()
        self.update = update
