"""A session that forgets: records the intents it is given, announces the updates a test publishes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar

from client.intents import Intent
from client.updates import Update

Kind = TypeVar("Kind", bound=Intent)


class FakeSession:
    """Stands where a ClientSession would stand."""

    def __init__(self, answers: Callable[[Intent], list[Update]] | None = None) -> None:
        self.intents: list[Intent] = []
        self.failure: Exception | None = None
        """Raised by `run`, as a session that dies."""
        self._answers = answers
        self._subscribers: list[Callable[[Update], None]] = []

    def dispatch(self, intent: Intent) -> None:
        """Record; then announce what the test said it answers."""
        self.intents.append(intent)
        if self._answers is not None:
            self.publish(*self._answers(intent))

    def subscribe(self, callback: Callable[[Update], None]) -> Callable[[], None]:
        """Announce to `callback` until the result is called."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    async def run(self) -> None:
        """Wait for ever, or die as asked."""
        if self.failure is not None:
            raise self.failure
        await asyncio.Event().wait()

    def publish(self, *updates: Update) -> None:
        """Announce."""
        for update in updates:
            for callback in list(self._subscribers):
                callback(update)

    def raised(self, kind: type[Kind]) -> list[Kind]:
        """The intents of one kind, in order."""
        return [intent for intent in self.intents if isinstance(intent, kind)]
