"""One-shot verbs that read: inbox, search, show, save, export, prefs, sessions. Those that write are in `tui.acts`.

A verb is a coroutine `(desk, args) -> Answer`: a document for `--json`, a text for a person, an exit code. `run` is
the one place that opens a session, prints, and turns what went wrong into a status.
"""

from __future__ import annotations

import asyncio
import itertools
from argparse import Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from client.headless import to_json
from client.i18n import _
from client.intents import (
    CloseCase,
    ExportActivity,
    Folder,
    OpenCase,
    OpenPreferences,
    PreviewCase,
    SaveAttachment,
    SavePreferences,
    SearchDirectory,
    SelectFolder,
)
from client.updates import CaseChanged, DirectoryFound, FileSaved, MailboxChanged, PreferencesChanged
from client.views import AttachmentLine, CaseView, MailboxView, PreferencesView
from tui import printing
from tui.exit_codes import ExitCode, Stop
from tui.oneshot import Build, OneShot, build_real, opened
from tui.output import give, say

CASE_ID_LENGTH = 32
_MOST_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What a verb has to say."""

    name: str
    """Of the schema: `inbox` is written `avicenne.inbox/1`."""
    document: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    code: ExitCode = ExitCode.OK


Verb = Callable[[OneShot, Namespace], Awaitable[Answer]]


def run(verb: Verb, args: Namespace, *, build: Build = build_real) -> int:
    """Open, do, print, close; gives the exit status.

    Raises:
        Stop: it could not be done.
    """
    answer = asyncio.run(_performed(verb, args, build))
    if args.json:
        give(to_json({"schema": f"avicenne.{answer.name}/1"} | answer.document))
    elif answer.text:
        give(answer.text)
    return answer.code


async def _performed(verb: Verb, args: Namespace, build: Build) -> Answer:
    async with opened(args, build) as desk:
        await desk.open()
        return await verb(desk, args)


def _clock() -> datetime:
    return datetime.now().astimezone()


def _zone(desk: OneShot) -> tzinfo:
    """The zone that the desk says dates in, else the machine's."""
    return ZoneInfo(desk.shell.time_zone) if desk.shell and desk.shell.time_zone else _clock().tzinfo or UTC


# --- verbs ---


async def inbox(desk: OneShot, args: Namespace) -> Answer:
    """The list of a folder."""
    await desk.caught_up()
    view = await folder(desk, Folder(args.folder), args.query)
    rows = list(itertools.islice(view.rows, args.rows))
    document = {"folder": view.folder, "query": view.query, "rows": rows, "rows_total": len(view.rows)}
    text = printing.mailbox(rows, len(view.rows), now=_clock(), zone=_zone(desk))
    return Answer("inbox", document, text)


async def search(desk: OneShot, args: Namespace) -> Answer:
    """Experts of the directory."""
    await desk.caught_up()
    filters = {"departement": args.departement, "specialite": args.specialite}
    intent = SearchDirectory(
        " ".join(args.words),
        {name: value for name, value in filters.items() if value},
        experts_only=not args.everyone,
        page=args.page,
    )
    view = (await desk.ask(intent, DirectoryFound, lambda found: found.view.query == intent.query)).view
    if view.error:
        say(view.error)
    code = ExitCode.UNAVAILABLE if view.error else ExitCode.OK
    return Answer("search", {"directory": view}, printing.directory(view), code)


async def show(desk: OneShot, args: Namespace) -> Answer:
    """A case whole; the conversation becomes seen unless `--peek`."""
    await desk.caught_up()
    view = await case_view(desk, await case_id(desk, args.case), peek=args.peek)
    if not args.peek:
        await desk.delivered()
    return Answer("case", {"case": view}, printing.case(view, zone=_zone(desk)))


async def save(desk: OneShot, args: Namespace) -> Answer:
    """Attachments of a case, written to disk."""
    directory = writable_folder(args.output) if args.output else ""
    await desk.caught_up()
    view = await case_view(desk, await case_id(desk, args.case), peek=True)
    saved = []
    for line in _chosen(view, args.attachment):
        intent = SaveAttachment(view.case, line.attachment, str(directory))
        saved.append((await desk.ask(intent, FileSaved)).path)
    return Answer("saved", {"case": view.case, "files": saved}, "\n".join(saved))


def _chosen(view: CaseView, wanted: str) -> list[AttachmentLine]:
    shown = [*view.form_attachments, *(line for entry in view.timeline for line in entry.attachments)]
    lines = list({line.attachment: line for line in shown}.values())  # the form's files also stand in the conversation
    if not wanted:
        return lines
    chosen = [line for line in lines if line.name == wanted or line.attachment.startswith(wanted)]
    if len(chosen) != 1:
        names = ", ".join(line.name for line in lines) or _("aucune")
        raise Stop(ExitCode.DATA, _("pièce jointe à préciser, parmi : {names}").format(names=names))
    return chosen


async def export(desk: OneShot, args: Namespace) -> Answer:
    """The activity as a spreadsheet."""
    path = str(writable_file(args.output)) if args.output else ""
    await desk.caught_up()
    intent = ExportActivity(args.role, args.format, args.date_debut, args.date_fin, path)
    done = await desk.ask(intent, FileSaved, lambda saved: saved.what == "export")
    text = _("{path} ({rows} actes)").format(path=done.path, rows=done.rows)
    return Answer("export", {"path": done.path, "rows": done.rows}, text)


_PREFERENCES = ("annuaire", "patient_obligatoire", "nir_obligatoire", "facturation_requerant_obligatoire")
_PREFERENCE_TEXTS = ("descriptif", "prerequis", "numero_facturation")


async def prefs(desk: OneShot, args: Namespace) -> Answer:
    """One's sheet as an expert, changed first where options say so."""
    await desk.caught_up()
    view = (await desk.ask(OpenPreferences(), PreferencesChanged)).view
    changes = {
        name: getattr(args, name) for name in _PREFERENCES + _PREFERENCE_TEXTS if getattr(args, name) is not None
    }
    if changes:
        view = replace(view, **changes)
        await desk.perform(_saving(view))
        await desk.delivered()
    return Answer("prefs", {"preferences": view}, printing.preferences(view))


def _saving(view: PreferencesView) -> SavePreferences:
    return SavePreferences(**{name: getattr(view, name) for name in _PREFERENCES + _PREFERENCE_TEXTS})


async def sessions(desk: OneShot, _args: Namespace) -> Answer:
    """Who one is here, how connected, what is on its way, for whom one may act."""
    await desk.caught_up()
    if desk.shell is None:
        raise Stop(ExitCode.INTERNAL, _("la session n'a rien dit d'elle-même"))
    return Answer("sessions", {"session": desk.shell}, printing.shell(desk.shell))


# --- shared with tui.acts ---


async def folder(desk: OneShot, which: Folder, query: str = "") -> MailboxView:
    """The rows of a folder."""
    intent = SelectFolder(which, query)
    changed = await desk.ask(
        intent, MailboxChanged, lambda each: each.view.folder == which and each.view.query == query
    )
    return changed.view


async def case_id(desk: OneShot, prefix: str) -> str:
    """The one case whose identifier begins so.

    Raises:
        Stop: none, or several, which are then listed.
    """
    if len(prefix) == CASE_ID_LENGTH:
        return prefix
    rows = (await folder(desk, Folder.ALL)).rows
    found = [row for row in rows if row.case.startswith(prefix.lower()) and not row.draft]
    if len(found) == 1:
        return found[0].case
    if not found:
        raise Stop(ExitCode.DATA, _("aucune téléexpertise ne commence par {prefix}").format(prefix=prefix))
    shown = printing.table((row.case, row.patient, row.objet) for row in found[:_MOST_CANDIDATES])
    raise Stop(
        ExitCode.DATA, _("plusieurs téléexpertises commencent par {prefix} :").format(prefix=prefix) + "\n" + shown
    )


async def case_view(desk: OneShot, case: str, *, peek: bool) -> CaseView:
    """A case as a screen would draw it; opening marks it as seen, peeking does not."""
    intent = PreviewCase(case) if peek else OpenCase(case)
    changed = await desk.ask(intent, CaseChanged, lambda each: each.view.case == case)
    if not peek:
        await desk.perform(CloseCase())
    return changed.view


def writable_folder(path: Path) -> Path:
    """`path`, once it is sure that files can be made in it."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Stop(ExitCode.CANNOT_CREATE, f"{path} : {error.strerror}") from None
    return path.resolve()


def writable_file(path: Path) -> Path:
    """`path`, once it is sure that it may be made."""
    if path.is_dir():
        raise Stop(ExitCode.CANNOT_CREATE, _("{path} est un dossier").format(path=path))
    return writable_folder(path.parent) / path.name
