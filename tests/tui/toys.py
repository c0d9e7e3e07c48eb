"""A toy application with what the robot and the player need: a field, a log, a message from outside, a death."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import Input, Static


class ToyApp(App[None]):
    """Echoes what is entered, and says it to its friends."""

    CSS = "#log { height: 1fr; } Input { height: 3; }"
    BINDINGS = [("ctrl+b", "die", "die"), ("ctrl+y", "leave", "leave"), ("f2", "two", "two")]

    def __init__(self, name: str = "A") -> None:
        super().__init__()
        self.persona = name
        self.friends: list[ToyApp] = []
        self.lines: list[str] = []

    def compose(self) -> ComposeResult:
        yield Static(f"toy {self.persona}", id="title", markup=False)
        yield Static("", id="log", markup=False)
        yield Input(id="field")

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.input.value = ""
        self.hear(f"{self.persona}: {event.value}")
        for friend in self.friends:
            friend.call_later(friend.hear, f"{self.persona}: {event.value}")

    def hear(self, line: str) -> None:
        self.lines.append(line)
        self.query_one("#log", Static).update("\n".join(self.lines))

    def action_die(self) -> None:
        raise RuntimeError("boom")

    def action_leave(self) -> None:
        self.exit()

    def action_two(self) -> None:
        self.hear("F2")
