"""Drive the real application with no terminal: feed keys, read cells, keep pictures.

Each robot lives in its own asyncio task: Textual keeps the active application in a context variable, so every call
that touches an application is carried into that application's task. Several robots may live in one process.

Nothing sleeps here for a fixed time. A key is over when the messages it caused are over (`settle`), and waiting for
the screen wakes on what Textual displays (`wait_until`).
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

from textual import events
from textual._xterm_parser import XTermParser  # the very parser a terminal's bytes go through
from textual.app import App
from textual.message import Message
from textual.pilot import Pilot

from client.i18n import _
from tui.keys import keystrokes

T = TypeVar("T")
Job = Callable[["Pilot[object]"], Coroutine[Any, Any, None]]

_QUIET_ROUNDS = 2
_MOST_ROUNDS = 200
_NO_CHARACTER = ("up", "down", "left", "right", "home", "end", "pageup", "pagedown", "delete", "insert")
_CHARACTERS = {"enter": "\r", "tab": "\t", "space": " ", "backspace": "\x7f", "escape": "\x1b"}


class RobotError(Exception):
    """The application died, or was closed, under the robot; `__cause__` says of what."""


class Robot:
    """One application, played by a program.

    Use as `async with Robot(app) as robot`, or `await robot.start()` and `await robot.close()`.
    """

    def __init__(
        self,
        app: App[Any],
        *,
        size: tuple[int, int] = (80, 24),
        on_close: Callable[[], Awaitable[None]] | None = None,
    ) -> None:
        self.app = app
        self._size = size
        self._on_close = on_close
        self._jobs: asyncio.Queue[Job | None] = asyncio.Queue()
        self._displayed = asyncio.Event()
        self._messages = 0
        self._task: asyncio.Task[None] | None = None

    # --- life ---

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()

    async def start(self) -> None:
        """Open the application and wait until it is drawn.

        Raises:
            RobotError: it died on the way.
        """
        loop = asyncio.get_running_loop()
        self._task = loop.create_task(self._live(), name=f"robot {self.app.__class__.__name__}")
        try:
            await self._do(_nothing)
            await self.settle()
        except BaseException:
            with contextlib.suppress(Exception):  # what killed it is already on its way to the caller
                await self.close()
            raise

    async def close(self) -> None:
        """Close the application, then what was opened with it; harmless twice."""
        task, self._task = self._task, None
        if task is None:
            return
        self._jobs.put_nowait(None)
        try:
            await task
        finally:
            if self._on_close is not None:
                await self._on_close()

    @property
    def alive(self) -> bool:
        """Whether the application still runs."""
        return self._task is not None and not self._task.done() and self.app.is_running

    async def _live(self) -> None:
        streams = sys.stdout, sys.stderr
        self._watch_display()
        try:
            async with self.app.run_test(size=self._size, notifications=True, message_hook=self._count) as pilot:
                # Textual redirects the process's streams to each application and gives them back in opening
                # order, which is wrong for interleaved applications: outputs belong to the caller.
                sys.stdout, sys.stderr = streams
                while (job := await self._jobs.get()) is not None:
                    await job(pilot)
        finally:
            sys.stdout, sys.stderr = streams

    def _watch_display(self) -> None:
        displayed, previous = self._displayed, self.app.post_display_hook

        def hook() -> None:
            previous()
            displayed.set()

        setattr(self.app, "post_display_hook", hook)  # noqa: B010 - a method, replaced on this instance only

    def _count(self, message: Message) -> None:
        if not isinstance(message, events.Callback):
            self._messages += 1

    async def _do(self, act: Callable[[Pilot[object]], Awaitable[T]]) -> T:
        """Run `act` in the application's task and give back its result."""
        task = self._task
        if task is None or task.done():
            raise RobotError(_("l'application est fermée")) from _death(task)
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()

        async def job(pilot: Pilot[object]) -> None:
            try:
                result = await act(pilot)
            except Exception as error:  # noqa: BLE001 - handed to the caller, whose step it is
                if not answer.done():
                    answer.set_exception(error)
            else:
                if not answer.done():
                    answer.set_result(result)

        self._jobs.put_nowait(job)
        first: set[asyncio.Future[Any]] = {answer, task}
        await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        if not answer.done():
            answer.cancel()
            raise RobotError(_("l'application s'est arrêtée")) from _death(task)
        return answer.result()

    # --- acting ---

    async def type(self, keys: str) -> None:
        """Press keys in the notation `j<enter>a<ctrl+s>`; `<lt>` is a less-than sign."""
        for key in keystrokes(keys):
            await self.press(key)

    async def type_text(self, text: str, *, pause_s: float = 0) -> None:
        """Type every character as it stands; a line end is Enter."""
        for character in text:
            await self.press("enter" if character == "\n" else character)
            if pause_s:
                await asyncio.sleep(pause_s)

    async def press(self, key: str) -> None:
        """Press one key, by character or by Textual's name, and let its effects settle."""
        for event in key_events(key):
            await self._post(event)

    async def paste(self, text: str) -> None:
        """Paste, as a terminal with bracketed paste does."""
        await self._post(events.Paste(text))

    async def scroll(self, lines: int) -> None:
        """Turn the wheel over the middle of the screen; positive is down."""
        width, height = self.app.size
        kind = events.MouseScrollDown if lines > 0 else events.MouseScrollUp
        for _turn in range(abs(lines)):
            await self._post(
                kind(None, width // 2, height // 2, 0, 1 if lines > 0 else -1, 0, shift=False, meta=False, ctrl=False)
            )

    async def resize(self, width: int, height: int) -> None:
        """Give the terminal another size, in cells."""
        self._size = (width, height)
        await self._do(lambda pilot: pilot.resize_terminal(width, height))
        await self.settle()

    async def _post(self, event: events.Event) -> None:
        async def post(pilot: Pilot[object]) -> None:
            event.set_sender(pilot.app)
            pilot.app.post_message(event)

        await self._do(post)
        await self.settle()

    async def settle(self) -> None:
        """Return when no message is on its way in the application and what changed is drawn.

        Raises:
            RobotError: the application died.
        """
        quiet = 0
        for _round in range(_MOST_ROUNDS):
            before = self._messages
            self._displayed.clear()
            await self._do(lambda pilot: pilot.pause(0))
            self._raise_if_dead()
            quiet = quiet + 1 if self._messages == before and not self._displayed.is_set() else 0
            if quiet >= _QUIET_ROUNDS:
                return

    async def wait_until(self, seen: Callable[[str], bool], timeout_s: float) -> bool:
        """Wait until `seen(screen_text())`; False when `timeout_s` passed first."""
        return await self._wait(lambda: seen(self.screen_text()), timeout_s)

    async def wait_until_line(self, seen: Callable[[str], bool], timeout_s: float) -> bool:
        """Wait until `seen(cursor_line())`; False when `timeout_s` passed first."""
        return await self._wait(lambda: seen(self.cursor_line()), timeout_s)

    async def _wait(self, satisfied: Callable[[], bool], timeout_s: float) -> bool:
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    await self.settle()
                    if satisfied():
                        return True
                    await self._next_display()
        except TimeoutError:
            return satisfied()

    async def _next_display(self) -> None:
        """Sleep until Textual draws something more, or the application ends."""
        if self._task is None:
            raise RobotError(_("l'application est fermée"))
        loop = asyncio.get_running_loop()
        drawn = loop.create_task(self._displayed.wait(), name="robot display")
        try:
            await asyncio.wait({drawn, self._task}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            drawn.cancel()
        self._raise_if_dead()

    def _raise_if_dead(self) -> None:
        failure = self.app._exception
        if failure is not None:
            raise RobotError(_("l'application s'est arrêtée : {error}").format(error=repr(failure))) from failure
        if self.app._exit:
            raise RobotError(_("l'application a été quittée"))

    # --- seeing ---

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows."""
        return self._size

    def screen_lines(self) -> tuple[str, ...]:
        """The rows of the screen, without trailing spaces."""
        width, height = self.app.size
        strips = self.app.screen._compositor.render_strips(self.app.size)
        rows = [strip.crop(0, width).text.rstrip() for strip in strips[:height]]
        return tuple(rows)

    def screen_text(self) -> str:
        """The screen as text, one line a row."""
        return "\n".join(self.screen_lines())

    def cursor_line(self) -> str:
        """The row the cursor stands on."""
        lines = self.screen_lines()
        row = self.app.cursor_position.y
        return lines[row] if 0 <= row < len(lines) else ""

    def screenshot_svg(self) -> str:
        """The screen as an SVG picture."""
        return self.app.export_screenshot()

    def save_screenshot(self, path: Path) -> None:
        """Write the screen as `.txt`, `.svg` or `.png`, by the suffix.

        Raises:
            OSError: the file cannot be written.
            tui.tape.screenshots.NoFont: a `.png` was asked and no monospaced font can draw it.
        """
        from tui.tape.screenshots import save

        save(path, text=self.screen_text, svg=self.screenshot_svg)


def key_events(key: str) -> list[events.Key]:
    """The events a terminal would give for this key, by character or by Textual's name.

    >>> key_events("ctrl+a")[0].key, key_events("?")[0].key, key_events("pagedown")[0].character
    ('ctrl+a', 'question_mark', None)
    """
    if key in _CHARACTERS:
        return [events.Key(key, _CHARACTERS[key])]
    if key in _NO_CHARACTER:
        return [events.Key(key, None)]
    if len(key) == 1:
        return _typed(key)
    modifiers, _plus, letter = key.rpartition("+")
    if modifiers == "ctrl" and len(letter) == 1 and letter.isascii() and letter.isalpha():
        return _typed(chr(ord(letter.lower()) & 0x1F))
    return [events.Key(key, None)]


def _typed(character: str) -> list[events.Key]:
    if character == "\x1b":
        return [events.Key("escape", character)]
    return [event for event in XTermParser().feed(character) if isinstance(event, events.Key)]


async def _nothing(_pilot: Pilot[object]) -> None:
    return None


def _death(task: asyncio.Task[None] | None) -> BaseException | None:
    if task is None or not task.done() or task.cancelled():
        return None
    return task.exception()


@asynccontextmanager
async def robots(*apps: App[Any], size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Robot, ...]]:
    """Several robots for the time of a block; closed in the reverse order."""
    opened = [Robot(app, size=size) for app in apps]
    try:
        for robot in opened:
            await robot.start()
        yield tuple(opened)
    finally:
        for robot in reversed(opened):
            await robot.close()
