"""Where a code porteur may come from: a descriptor, a file, the fictional profile of the demo, a prompt. Nowhere else.

Never a flag nor the environment: both are readable by other programs and kept in histories.
"""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from client.i18n import _
from tui.exit_codes import ExitCode, Stop

_MOST_BYTES = 64

PinSource = Callable[[str], str]
"""Gives the code for a holder's name; called once a command. Raises Stop."""


def pin_source(args: Namespace, demo_pin: str = "") -> PinSource:
    """The source that the command line and the profile allow."""

    def pin(holder: str) -> str:
        words = _("Code porteur de {holder} : ").format(holder=holder)
        missing = _("code porteur nécessaire : donnez --pin-file ou --pin-fd")
        return given_pin(args) or demo_pin or prompted(words, no_input=args.no_input, missing=missing)

    return pin


def given_pin(args: Namespace) -> str:
    """The code of `--pin-fd` or `--pin-file`; empty when neither was given. Raises Stop."""
    if args.pin_fd is not None:
        return _first_line(_read_descriptor(args.pin_fd))
    return code_in_file(args.pin_file) if args.pin_file is not None else ""


def code_in_file(path: Path) -> str:
    """The digits on the first line of a file. Raises Stop."""
    return _first_line(_read_file(path))


def prompted(words: str, *, no_input: bool, missing: str) -> str:
    """What is typed on the terminal, without echo. Raises Stop, with `missing`, where nobody can be asked."""
    if no_input or not sys.stdin.isatty():
        raise Stop(ExitCode.PERMISSION, missing)
    import getpass

    return getpass.getpass(words, stream=sys.stderr)


def _read_descriptor(descriptor: int) -> bytes:
    try:
        with os.fdopen(descriptor, "rb", closefd=False) as stream:
            return stream.read(_MOST_BYTES)
    except OSError as error:
        raise Stop(ExitCode.IO, _("descripteur {fd} illisible : {error}").format(fd=descriptor, error=error)) from None


def _read_file(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            return stream.read(_MOST_BYTES)
    except OSError as error:
        raise Stop(ExitCode.IO, f"{path} : {error.strerror}") from None


def _first_line(data: bytes) -> str:
    line = data.split(b"\n", 1)[0].strip()
    if not line.isdigit():
        raise Stop(ExitCode.PERMISSION, _("le code fourni est vide ou n'est pas fait de chiffres"))
    return line.decode("ascii")
