"""`card` and `doctor`: what the card says, and whether this machine is fit. Read-only, and frank.

The two verbs that write to a card are in `tui.card_codes`.
"""

from __future__ import annotations

import asyncio
import os
import platform
import shutil
import sys
from argparse import Namespace
from dataclasses import dataclass

from client.errors import ClientError
from client.headless import to_json
from client.i18n import _
from client.views import Choice, LoginPhase, LoginView
from tui import printing
from tui.exit_codes import ExitCode
from tui.oneshot import Build, build_real, opened, settings_of
from tui.output import give

_READ = (LoginPhase.ENTER_PIN, LoginPhase.CHOOSE_SITUATION, LoginPhase.OPEN)


# --- card ---


def card(args: Namespace, build: Build = build_real) -> int:
    """Readers, holder, a trial of the code, or a new code.

    Raises:
        Stop: no card, or it does not answer.
    """
    if args.what in ("unblock", "change-pin"):
        from tui.card_codes import replace_code

        return replace_code(args)
    view = asyncio.run(_card_view(args, build))
    document = {
        "phase": view.phase,
        "holder": view.holder,
        "card": view.card,
        "readers": _readers(view),
        "tries_left": view.tries_left,
    }
    if args.json:
        give(to_json({"schema": "avicenne.card/1"} | document))
    else:
        give(_card_text(args.what, view))
    return ExitCode.OK


async def _card_view(args: Namespace, build: Build) -> LoginView:
    goals = {"list": (*_READ, LoginPhase.CHOOSE_READER), "info": _READ, "verify": (LoginPhase.OPEN,)}[args.what]
    async with opened(args, build) as desk:
        return await desk.reach(*goals)


def _readers(view: LoginView) -> list[Choice]:
    return list(view.choices) if view.phase is LoginPhase.CHOOSE_READER else []


def _card_text(what: str, view: LoginView) -> str:
    if view.phase is LoginPhase.CHOOSE_READER:
        return printing.table((choice.label, choice.detail) for choice in view.choices)
    text = f"{view.card} {view.holder}".strip()
    return text + (" — " + _("code accepté") if what == "verify" else "")


# --- doctor ---


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    ok: bool
    detail: str
    code: ExitCode = ExitCode.OK
    """The status of the command when this is not well; OK for what is only a pity."""


def doctor(args: Namespace) -> int:
    """Look at what a session needs, without opening one."""
    checks = [_python(), _terminal(), _configuration(args), _fonts(), _disk(args)]
    if args.json:
        give(to_json({"schema": "avicenne.doctor/1", "checks": checks}))
    else:
        give(printing.table((_("bien") if each.ok else _("à voir"), each.name, each.detail) for each in checks))
    return next((each.code for each in checks if not each.ok and each.code), ExitCode.OK)


def _python() -> Check:
    enough = sys.version_info >= (3, 11)
    return Check("python", enough, f"{platform.python_version()} {platform.system()}", ExitCode.UNAVAILABLE)


def _terminal() -> Check:
    columns, rows = shutil.get_terminal_size()
    kind = os.environ.get("TERM", "")
    encoding = sys.stdout.encoding or ""
    fit = sys.stdout.isatty() and kind not in ("", "dumb") and encoding.lower().replace("-", "") == "utf8"
    return Check("terminal", fit, f"{kind or _('sans TERM')} {columns}x{rows} {encoding}")


def _configuration(args: Namespace) -> Check:
    try:
        settings = settings_of(args)
    except ClientError as error:
        return Check("configuration", False, str(error), ExitCode.CONFIG)
    return Check("configuration", True, settings.relay_url)


def _fonts() -> Check:
    from tui.tape.screenshots import NoFont, find_font

    font = find_font()
    return Check("captures .png", font is not None, str(font or NoFont()))


def _disk(args: Namespace) -> Check:
    try:
        folder = settings_of(args).data_dir
    except ClientError:
        return Check("disque", True, _("non regardé"))
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    free_mb = shutil.disk_usage(folder).free // 1_000_000
    fit = os.access(folder, os.W_OK) and free_mb > 100
    return Check(
        "disque", fit, _("{free} Mo libres, {folder}").format(free=free_mb, folder=folder), ExitCode.CANNOT_CREATE
    )
