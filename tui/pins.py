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
        if args.pin_fd is not None:
            return _first_line(_read_descriptor(args.pin_fd))
        if args.pin_file is not None:
            return _first_line(_read_file(args.pin_file))
        return demo_pin or _prompt(holder, no_input=args.no_input)

    return pin


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
        raise Stop(ExitCode.PERMISSION, _("le code porteur fourni est vide ou n'est pas fait de chiffres"))
    return line.decode("ascii")


def _prompt(holder: str, *, no_input: bool) -> str:
    if no_input or not sys.stdin.isatty():
        raise Stop(ExitCode.PERMISSION, _("code porteur nécessaire : donnez --pin-file ou --pin-fd"))
    import getpass

    return getpass.getpass(_("Code porteur de {holder} : ").format(holder=holder), stream=sys.stderr)
