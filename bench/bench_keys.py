"""From a key to what it paints, with 10,000 cases in the list: in the process, then through a terminal.

In the process a robot presses the key and the last display before the application is quiet again is its paint. On the
pty the time runs to the last byte of the answer. Both include the session's thread and the disk where the key needs
them (opening a case reads it).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import sys
import time
from collections import defaultdict

from bench.bench_start import FIRST_ROW, LOCK_SCREEN
from bench.mailbox import CASES, PIN, Home, home, warm
from bench.report import Measure, show
from bench.terminal import Terminal
from client.bootstrap import build_session
from tui.app import AvicenneApp
from tui.robot import Robot

TARGET_MS = 50
Times = dict[str, list[float]]

LIST_KEYS = (("cursor down", "down", b"\x1b[B"), ("page down", "pagedown", b"\x1b[6~"))
UP = b"\x1b[A"
OPENED = "Demande de téléexpertise"
"""On every case's screen."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=40)
    options = parser.parse_args()
    asyncio.run(_run(options.rounds))


async def _run(rounds: int) -> None:
    async with home() as desk:
        for size in ((80, 24), (200, 50)):
            _show(f"key to paint in the process, {size[0]}x{size[1]}", await in_process(desk, size, rounds))
        for size in ((80, 24), (200, 50)):
            _show(
                f"key to last byte on a pty, {size[0]}x{size[1]}", await asyncio.to_thread(on_pty, desk, size, rounds)
            )


def _show(title: str, times: Times) -> None:
    measures = [
        Measure(name, samples, target=None if name.startswith("peer") else TARGET_MS) for name, samples in times.items()
    ]
    show(f"{title}, {CASES:,} cases", measures)


# --- in the process ---


class Watch:
    """When the application last drew."""

    def __init__(self, robot: Robot) -> None:
        self._robot = robot
        self.last = 0.0
        previous = robot.app.post_display_hook

        def hook() -> None:
            self.last = time.perf_counter()
            previous()

        robot.app.post_display_hook = hook  # type: ignore[method-assign]

    async def press(self, key: str, shown: str = "") -> float:
        """Milliseconds to the last display that the key caused; `shown` is waited for when it comes later."""
        began = self.last = time.perf_counter()
        await self._robot.press(key)
        if shown and not await self._robot.wait_until(lambda screen: shown in screen, 10):
            raise TimeoutError(shown)
        return (self.last - began) * 1000


async def in_process(desk: Home, size: tuple[int, int], rounds: int) -> Times:
    """Drive the application by its robot."""
    session = build_session(desk.settings)
    times: Times = defaultdict(list)
    async with Robot(AvicenneApp(session), size=size, on_close=session.close) as robot:
        if not await robot.wait_until(lambda screen: "Code porteur" in screen, 20):
            raise TimeoutError("no lock screen")
        await robot.type_text(PIN)
        await robot.press("enter")
        if not await robot.wait_until(lambda screen: FIRST_ROW in screen, 20):
            raise TimeoutError("no inbox")
        watch = Watch(robot)
        gc.collect()
        for _round in range(rounds):
            for name, key, _bytes in LIST_KEYS:
                await robot.press("up")  # so that the cursor has a row to move to without scrolling
                times[name].append(await watch.press(key))
            times["open a case"].append(await watch.press("enter", OPENED))
            await robot.press("m")
            times["a letter in the composer"].append(await watch.press("a"))
            await robot.press("backspace")
            await robot.press("escape")
            times["back to the list"].append(await watch.press("escape"))
            await robot.press("slash")
            times["a letter in the filter"].append(await watch.press("a"))
            await robot.press("escape")
    return times


# --- through a terminal ---


def on_pty(desk: Home, size: tuple[int, int], rounds: int) -> Times:
    """Drive the application by its terminal, and plain Textual's lists after it."""
    times: Times = defaultdict(list)
    columns, rows = size
    with Terminal(desk.command, columns=columns, rows=rows, environment=desk.environment) as terminal:
        terminal.until(LOCK_SCREEN)
        terminal.quiet()
        before = len(terminal.data)
        os.write(terminal.fd, PIN.encode() + b"\r")
        terminal.until(FIRST_ROW, after=before)
        terminal.quiet(1)
        for _round in range(rounds):
            for name, _key, keys in LIST_KEYS:
                terminal.send(UP)
                times[name].append(_timed(terminal, keys))
            times["open a case"].append(_timed(terminal, b"\r"))
            terminal.send(b"m")
            times["a letter in the composer"].append(_timed(terminal, b"a"))
            terminal.send(b"\x7f")
            terminal.send(b"\x1b", quiet_s=0.2)
            times["back to the list"].append(_timed(terminal, b"\x1b"))
            terminal.send(b"/")
            times["a letter in the filter"].append(_timed(terminal, b"a"))
            terminal.send(b"\x1b", quiet_s=0.2)
    for kind in ("datatable", "optionlist"):
        _peer(kind, size, rounds, times)
    return times


def _peer(kind: str, size: tuple[int, int], rounds: int, times: Times) -> None:
    command = [sys.executable, "bench/peers.py", kind, str(CASES)]
    with Terminal(command, columns=size[0], rows=size[1], environment=warm()) as terminal:
        terminal.until(FIRST_ROW)
        terminal.quiet(1)
        for _round in range(rounds):
            for name, _key, keys in LIST_KEYS:
                terminal.send(UP)
                times[f"peer {kind}: {name}"].append(_timed(terminal, keys))


def _timed(terminal: Terminal, keys: bytes) -> float:
    return terminal.send(keys).last_s * 1000


if __name__ == "__main__":
    main()
