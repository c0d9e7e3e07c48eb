"""Which front end to start: the application, a session by JSON lines, a tape. Each import is made when it is needed.

`play_tape` is the door for the demonstration: it plays a file with the personas of the running region.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING
from zoneinfo import ZoneInfo

from client.i18n import _
from tui.exit_codes import ExitCode, Stop
from tui.output import give, say

if TYPE_CHECKING:
    from tui.robot import Robot
    from tui.tape.player import OpenClient


def open_tui(args: Namespace) -> int:
    """The application, on this terminal."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Stop(ExitCode.USAGE, _("pas de terminal : utilisez une commande (avicenne --help)"))
    from client.bootstrap import build_session
    from tui.app import AvicenneApp
    from tui.oneshot import settings_of

    settings = settings_of(args)
    app = AvicenneApp(build_session(settings), zone=ZoneInfo(settings.time_zone))
    # What was imported lives as long as the process: the collector need not look at it again at every full pass.
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    app.run()
    return app.return_code or ExitCode.OK


# --- JSON lines ---


def run_session(args: Namespace) -> int:
    """Intents on stdin, updates on stdout."""
    from client.headless import intents_schema, to_json

    if args.schema:
        give(to_json(intents_schema()))
        return ExitCode.OK
    return asyncio.run(_session(args))


async def _session(args: Namespace) -> int:
    from client.headless import Follower, serve
    from tui.oneshot import OneShot, build_real, running

    session, pin = build_real(args)
    desk = OneShot(session, pin, timeout_s=args.timeout, reader=args.reader, situation=args.situation)

    async def log_in(_follower: Follower) -> None:
        await stack.enter_async_context(running(session))
        if not args.no_login:
            await desk.open()

    async with AsyncExitStack() as stack:
        outcome = await serve(
            session,
            _lines(sys.stdin),
            give,
            rows=args.rows,
            wait=not args.no_wait,
            timeout_s=args.timeout,
            ready=log_in,
        )
    if outcome.died:
        return ExitCode.INTERNAL
    if outcome.errors:
        return ExitCode.DATA
    return ExitCode.QUEUED if outcome.pending and not args.no_wait else ExitCode.OK


async def _lines(stream: IO[str]) -> AsyncIterator[str]:
    """The lines of a blocking stream; a daemon thread reads, so that nothing waits for it at the end."""
    loop = asyncio.get_running_loop()
    queue: asyncio.Queue[str | None] = asyncio.Queue()

    def read() -> None:
        with suppress(RuntimeError):  # the loop ended first: nobody listens any more
            for line in stream:
                loop.call_soon_threadsafe(queue.put_nowait, line)
            loop.call_soon_threadsafe(queue.put_nowait, None)

    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (line := await queue.get()) is not None:
        yield line


# --- tapes ---


def play(args: Namespace) -> int:
    """Play a tape file and judge it."""
    from tui.tape.lexer import TapeError
    from tui.tape.parser import parse_file

    try:
        if args.check:
            parse_file(args.tape)
            return ExitCode.OK
        return asyncio.run(
            play_tape(
                args.tape,
                persona=args.persona or "",
                junit=args.junit,
                screenshots=args.screenshots,
                pace=0.0 if args.fast else 1.0,
            )
        )
    except TapeError as error:
        raise Stop(ExitCode.DATA, str(error)) from None
    except UnicodeDecodeError:
        raise Stop(ExitCode.DATA, _("{tape} : ce n'est pas du texte UTF-8").format(tape=args.tape)) from None


async def play_tape(
    path: Path,
    *,
    persona: str = "",
    junit: Path | None = None,
    screenshots: Path = Path("screenshots"),
    pace: float = 1.0,
    open_client: OpenClient | None = None,
) -> int:
    """Play a tape; tell on stderr, write JUnit when asked; 0 when every Wait was met, else 1.

    Args:
        path: the tape.
        persona: drives this client until the tape says `As`.
        junit: where to write the XML report.
        screenshots: the folder of `Screenshot`.
        pace: multiplies every pause; 0 for none.
        open_client: opens a persona's client at a size; the personas of the running demonstration when None.

    Raises:
        tui.tape.lexer.TapeError: the file is no tape.
        OSError: the tape or the report cannot be read or written.
    """
    from tui.tape.parser import parse_file
    from tui.tape.player import Player
    from tui.tape.report import junit as as_junit
    from tui.tape.report import told

    commands = parse_file(path)
    player = Player(commands, open_client or open_persona, persona=persona, screenshots=screenshots, pace=pace)
    report = await player.play()
    say(told(report, str(path)))
    if junit is not None:
        _write(junit, as_junit(report, str(path)))
    return ExitCode.NOT_MET if report.failed else ExitCode.OK


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)


async def open_persona(persona: str, size: tuple[int, int]) -> Robot:
    """The application of a persona of the running demonstration (of this user, when the tape names none)."""
    from client.bootstrap import build_session
    from client.settings import load
    from tui.app import AvicenneApp
    from tui.robot import Robot

    settings = load(persona or None)
    session = build_session(settings)
    robot = Robot(AvicenneApp(session, zone=ZoneInfo(settings.time_zone)), size=size, on_close=session.close)
    await robot.start()
    return robot
