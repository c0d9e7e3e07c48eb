"""The front door: reads the command line, loads only what the command needs, gives an exit status.

stdout is data, stderr is talk, statuses are those of `tui.exit_codes`. No command opens the application.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, cast

from client.i18n import _
from tui.arguments import PROGRAM, PROGRAMS, build_parser
from tui.exit_codes import ExitCode, Stop
from tui.output import give, say

if TYPE_CHECKING:
    from argparse import Namespace

_VERB_MODULES = ("tui.verbs", "tui.acts")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; gives the exit status and never raises."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in PROGRAMS:
        return _hand_over(PROGRAMS[words[0]][0], words[1:])
    debug = "--debug" in words
    try:
        return _run(words)
    except SystemExit as leaving:
        return leaving.code if isinstance(leaving.code, int) else ExitCode.OK
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.IO
    except Exception as error:  # the last fence: a status and a sentence, never a bare traceback
        if debug:
            raise
        return _failed(error)


def _run(words: list[str]) -> int:
    args = build_parser().parse_args(words)
    if args.version:
        give(f"{PROGRAM} {_version()}")
        return ExitCode.OK
    return command(args.run)(args)


def command(name: str) -> Callable[[Namespace], int]:
    """The function behind `module:name`; verbs come wrapped in the session they need."""
    module, _colon, attribute = name.partition(":")
    function = getattr(import_module(module), attribute)
    if module in _VERB_MODULES:
        run = import_module("tui.verbs").run
        return lambda args: cast("int", run(function, args))
    return cast("Callable[[Namespace], int]", function)


def _hand_over(module: str, rest: list[str]) -> int:
    """Become `python -m module`: the relay and the demo are other programs, which this room does not import."""
    os.execv(sys.executable, [sys.executable, "-m", module, *rest])


def _failed(error: Exception) -> int:
    code, message = _judged(error)
    say(f"{PROGRAM} : {message}")
    return code


def _judged(error: Exception) -> tuple[ExitCode, str]:
    """The status of what went wrong; errors of rooms not loaded cannot have been raised."""
    if isinstance(error, Stop):
        return error.code, error.message
    errors = sys.modules.get("client.errors")
    if errors is not None and isinstance(error, errors.ClientError):
        code = ExitCode.CONFIG if isinstance(error, errors.SettingsError) else ExitCode.IO
        return code, str(error)
    if isinstance(error, OSError):
        return ExitCode.IO, f"{error.filename or ''} {error.strerror or error}".strip()
    words = _("erreur interne ({error}) ; --debug montre la trace")
    return ExitCode.INTERNAL, words.format(error=type(error).__name__)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version(PROGRAM)
    except PackageNotFoundError:
        return "?"


if __name__ == "__main__":
    sys.exit(main())
