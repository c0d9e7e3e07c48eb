"""The only messages that leave a screen for the App: an intent raised, or a way to go.

Everything else stays between a screen and its widgets.
"""

from __future__ import annotations

from textual.message import Message

from client.intents import Intent


class IntentRaised(Message):
    """The user asked for something; the App hands it to the session."""

    def __init__(self, intent: Intent) -> None:
        super().__init__()
        self.intent = intent


class Told(Message):
    """Something to say in the footer of whatever screen is on top."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text


class CaseWanted(Message):
    """Leave this case for the next unread, or the next urgent one."""

    def __init__(self, *, urgent: bool) -> None:
        super().__init__()
        self.urgent = urgent
