"""Act a tape out, step by step, on clients that somebody else opens, and keep what happened.

One tape plays several personas: `As` opens a persona's client at its first mention and then only changes which one
the keys go to; the others stay alive and receive. Determinism comes from the client's own rest after each key, not
from pauses: `Sleep` and typing speeds are honoured for the eye, scaled by `pace` (0 plays at once).
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from client.i18n import _
from tui.tape.commands import (
    As,
    Command,
    Copy,
    Ignored,
    Paste,
    Press,
    Scope,
    Screenshot,
    Scroll,
    Set,
    Sleep,
    Type,
    Wait,
)
from tui.tape.report import Report, Step

DEFAULT_WAIT_S = 15.0
"""VHS's WaitTimeout."""
DEFAULT_SIZE = (100, 30)
_CELLS_BELOW = {"Width": 400, "Height": 120}
"""A Width or Height under these is in cells, from these on in pixels: VHS itself refuses under 120 pixels."""


class Client(Protocol):
    """What the player needs of a client; `tui.robot.Robot` is one."""

    async def press(self, key: str) -> None:
        """Press one key, by character or Textual's name; return when its effects are over."""

    async def type_text(self, text: str, *, pause_s: float = 0) -> None:
        """Type every character as it stands."""

    async def paste(self, text: str) -> None:
        """Paste as a terminal does."""

    async def scroll(self, lines: int) -> None:
        """Turn the wheel; positive is down."""

    async def resize(self, width: int, height: int) -> None:
        """Change the size, in cells."""

    async def settle(self) -> None:
        """Wait for rest."""

    async def wait_until(self, seen: Callable[[str], bool], timeout_s: float) -> bool:
        """Wait until the screen satisfies `seen`."""

    async def wait_until_line(self, seen: Callable[[str], bool], timeout_s: float) -> bool:
        """Wait until the cursor's line satisfies `seen`."""

    def screen_text(self) -> str:
        """The screen, one line a row."""

    def save_screenshot(self, path: Path) -> None:
        """Write `.txt`, `.svg` or `.png`."""

    async def close(self) -> None:
        """End it."""


OpenClient = Callable[[str, tuple[int, int]], Awaitable[Client]]
"""Open the client of a persona (empty: the tape named none) at a size in cells."""


class StepFailed(Exception):
    """A step that was not met; the message is for the reader of the report."""


@dataclass(slots=True)
class Settings:
    """What `Set` changed so far."""

    values: dict[str, float | str] = field(default_factory=dict)

    def number(self, name: str, default: float) -> float:
        """A numeric setting."""
        value = self.values.get(name, default)
        return value if isinstance(value, float) else default

    @property
    def wait_pattern(self) -> str:
        """WaitPattern, or empty."""
        return str(self.values.get("WaitPattern", ""))

    def size(self) -> tuple[int, int]:
        """Columns and rows, from cells or from VHS's pixels."""
        glyph = self.number("FontSize", 22)
        across = glyph * 0.6 + self.number("LetterSpacing", 0)
        down = glyph * 1.2 * self.number("LineHeight", 1)
        return self._cells("Width", DEFAULT_SIZE[0], across, 20), self._cells("Height", DEFAULT_SIZE[1], down, 5)

    def _cells(self, name: str, default: int, cell_px: float, least: int) -> int:
        value = self.number(name, default)
        if value < _CELLS_BELOW[name]:
            return max(least, int(value))
        return max(least, min(500, int((value - 2 * self.number("Padding", 60)) / max(cell_px, 1))))


class Player:
    """Plays one tape once."""

    def __init__(
        self,
        commands: Sequence[Command],
        open_client: OpenClient,
        *,
        persona: str = "",
        screenshots: Path = Path("screenshots"),
        pace: float = 1.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._commands = commands
        self._open_client = open_client
        self._persona = persona
        self._screenshots = screenshots
        self._pace = pace
        self._clock = clock
        self._clients: dict[str, Client] = {}
        self._settings = Settings()
        self._clipboard = ""
        self._notes: dict[str, None] = {}

    async def play(self) -> Report:
        """Play to the end or to the first step that is not met; every client is closed on the way out."""
        steps: list[Step] = []
        try:
            for command in self._commands:
                step = await self._step(command)
                steps.append(step)
                if step.failure:
                    break
        finally:
            await self._close()
        steps.extend(Step(command, self._persona, skipped=True) for command in self._commands[len(steps) :])
        return Report(tuple(steps), tuple(self._notes))

    async def _step(self, command: Command) -> Step:
        begun = self._clock()
        try:
            await self._perform(command)
        except Exception as error:  # noqa: BLE001 - a broken client is the tape's failure, reported with its line like any other
            failure = str(error) or error.__class__.__name__
            return Step(command, self._persona, self._clock() - begun, failure, self._last_screen())
        return Step(command, self._persona, self._clock() - begun)

    async def _perform(self, command: Command) -> None:
        match command:
            case Type() | Press() | Scroll() | Paste():
                await self._act(command)
            case Wait():
                await self._wait(command)
            case Screenshot(name=name):
                client = await self._client()
                client.save_screenshot(self._screenshots / name)
            case Sleep(duration_s=duration):
                await self._pause(duration)
            case Set(name=name, value=value):
                await self._set(name, value)
            case As(persona=persona):
                self._persona = persona
                await self._client()
            case Copy(text=text):
                self._clipboard = text
            case Ignored(word=word):
                self._notes[_("{word} est sans objet ici et a été ignoré").format(word=word)] = None
            case _:
                raise StepFailed(_("commande que le lecteur ne sait pas jouer"))

    async def _act(self, command: Command) -> None:
        client = await self._client()
        match command:
            case Type(text=text, speed_s=speed):
                await client.type_text(text, pause_s=self._speed(speed))
            case Press(key=key, count=count, speed_s=speed):
                for _time in range(count):
                    await client.press(key)
                    await self._pause(self._typing_speed if speed is None else speed)
            case Scroll(lines=lines):
                await client.scroll(lines)
            case _:
                await client.paste(self._clipboard)

    async def _wait(self, wait: Wait) -> None:
        client = await self._client()
        pattern = wait.pattern or self._settings.wait_pattern
        if not pattern:
            await client.settle()
            return
        expression = re.compile(pattern)
        timeout_s = wait.timeout_s or self._settings.number("WaitTimeout", DEFAULT_WAIT_S)
        await_it = client.wait_until if wait.scope is Scope.SCREEN else client.wait_until_line
        if not await await_it(lambda text: expression.search(text) is not None, timeout_s):
            raise StepFailed(
                _("/{pattern}/ n'est pas apparu en {timeout:g} s").format(pattern=pattern, timeout=timeout_s)
            )

    async def _set(self, name: str, value: float | str) -> None:
        before = self._settings.size()
        self._settings.values[name] = value
        size = self._settings.size()
        if size != before:
            for client in self._clients.values():
                await client.resize(*size)

    @property
    def _typing_speed(self) -> float:
        return self._settings.number("TypingSpeed", 0)

    def _speed(self, speed_s: float | None) -> float:
        return (self._typing_speed if speed_s is None else speed_s) * self._pace

    async def _pause(self, duration_s: float) -> None:
        if duration_s * self._pace > 0:
            await asyncio.sleep(duration_s * self._pace)

    async def _client(self) -> Client:
        if self._persona not in self._clients:
            self._clients[self._persona] = await self._open_client(self._persona, self._settings.size())
        return self._clients[self._persona]

    def _last_screen(self) -> str:
        client = self._clients.get(self._persona)
        try:
            return client.screen_text() if client is not None else ""
        except Exception:  # noqa: BLE001 - a dead application has no screen; the failure already says of what it died
            return ""

    async def _close(self) -> None:
        for persona, client in reversed(self._clients.items()):
            try:
                await client.close()
            except Exception as error:  # noqa: BLE001 - the tape is over: told, not judged
                self._notes[_("{persona} : fermeture difficile ({error})").format(persona=persona, error=error)] = None
