"""One-shot verbs that write: request, answer, ask, give, message, take, decline, cancel, finalise, attach, flag.

Each ends when the relay has the event (exit 0) or when it is sure that it stays on this machine for now (exit 75).
"""

from __future__ import annotations

import sys
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec

from client.i18n import _
from client.intents import (
    CancelRequest,
    DeclineRequest,
    DiscardDraft,
    DraftEntry,
    ExchangeKind,
    Finalise,
    Intent,
    NewDraft,
    PatientEntry,
    PrepareFinalisation,
    SearchDirectory,
    SendExchange,
    SendRequest,
    SetFlag,
    TakeInCharge,
)
from client.updates import (
    CaseFinalised,
    DirectoryFound,
    DraftChanged,
    ExchangeSent,
    FinalisationPrepared,
    RequestStarted,
)
from client.views import ExpertRow, FinalisationView
from tui import printing
from tui.exit_codes import ExitCode, Stop
from tui.oneshot import OneShot
from tui.output import say
from tui.verbs import Answer, case_id

_MOST_INPUT_CHARS = 1_000_000


# --- asking ---


async def request(desk: OneShot, args: Namespace) -> Answer:
    """Begin a tele-expertise, from options or from a file, and send it."""
    written = typed_request(args)
    await desk.caught_up()
    written = replace(written, expert=await _expert(desk, written.expert))
    draft = (await desk.ask(NewDraft(), DraftChanged)).view
    entry = replace(
        written,
        draft=draft.entry.draft,
        acting_account=written.acting_account or draft.entry.acting_account,
        numero_facturation=written.numero_facturation or draft.entry.numero_facturation,
    )
    try:
        started = await desk.ask(SendRequest(entry), RequestStarted, lambda each: each.draft == entry.draft)
    except Stop:
        await desk.perform(DiscardDraft(entry.draft))
        raise
    return await _sent(desk, started.case, _("demande envoyée"))


def typed_request(args: Namespace) -> DraftEntry:
    """The form, from `--from FILE` first and options over it.

    Raises:
        Stop: the file is not a form, an attachment is missing, or no expert is named.
    """
    entry = _form_from(args.source) if args.source else DraftEntry(draft="")
    fields: dict[str, Any] = {
        "expert": args.expert,
        "acting_account": args.acting,
        "objet": args.objet,
        "histoire_clinique": args.histoire,
        "question": args.question,
        "numero_facturation": args.numero_facturation,
        "consentement": args.consent or None,
        "urgent": args.urgent or None,
        "attachments": attachments(args.attach) or None,
    }
    entry = replace(entry, **{name: value for name, value in fields.items() if value is not None})
    entry = replace(entry, patient=_patient(entry.patient, args.patient, args.nir))
    if not entry.expert:
        raise Stop(ExitCode.USAGE, _("à qui ? donnez --expert COMPTE ou NOM"))
    return entry


def _form_from(source: str) -> DraftEntry:
    from client.headless import BadIntent, read_intent

    try:
        form = msgspec.json.decode(read_text(source))
        form = {"draft": "", **form} if isinstance(form, dict) else form
        intent = read_intent(msgspec.json.encode({"intent": "SendRequest", "entry": form}))
    except (msgspec.MsgspecError, BadIntent) as error:
        raise Stop(ExitCode.DATA, f"{source} : {error}") from None
    assert isinstance(intent, SendRequest)
    return replace(intent.entry, attachments=attachments([Path(path) for path in intent.entry.attachments]))


def _patient(known: PatientEntry, typed: str | None, nir: str | None) -> PatientEntry:
    """`NOM, Prénoms, 17/04/1958, F`, the last parts optional."""
    if typed is not None:
        parts = [part.strip() for part in typed.split(",")]
        if len(parts) > len(("nom", "prénoms", "date", "sexe")) or not parts[0]:
            raise Stop(ExitCode.USAGE, _("--patient attend « NOM, Prénoms, JJ/MM/AAAA, F ou M »"))
        nom, prenoms, date, sexe = (*parts, "", "", "")[:4]
        known = replace(known, nom_naissance=nom, prenoms=prenoms, date_naissance=date, sexe=sexe.upper())
    return replace(known, nir=nir) if nir is not None else known


async def _expert(desk: OneShot, wanted: str) -> str:
    """An account as given, or that of the only expert so named."""
    if wanted.startswith(("ps:", "sv:")):
        return wanted
    found = (await desk.ask(SearchDirectory(wanted), DirectoryFound, lambda each: each.view.query == wanted)).view
    rows: list[ExpertRow] = [*found.professionals, *found.services]
    exact = [row for row in rows if row.name.casefold() == wanted.casefold()] or rows
    if len(exact) == 1:
        return exact[0].account
    if not exact:
        raise Stop(ExitCode.DATA, found.error or _("aucun expert ne s'appelle {name}").format(name=wanted))
    shown = printing.directory(found)
    raise Stop(
        ExitCode.DATA, _("plusieurs experts répondent à {name}, donnez un compte :").format(name=wanted) + "\n" + shown
    )


# --- exchanging ---


async def answer(desk: OneShot, args: Namespace) -> Answer:
    """Give the opinion."""
    return await _exchange(desk, args, ExchangeKind.ANSWER, _("avis envoyé"))


async def ask(desk: OneShot, args: Namespace) -> Answer:
    """Ask the requester for more."""
    return await _exchange(desk, args, ExchangeKind.ASK_MORE, _("demande d'information envoyée"))


async def give(desk: OneShot, args: Namespace) -> Answer:
    """Give what was asked."""
    return await _exchange(desk, args, ExchangeKind.GIVE_MORE, _("information envoyée"))


async def message(desk: OneShot, args: Namespace) -> Answer:
    """Write a message."""
    return await _exchange(desk, args, ExchangeKind.MESSAGE, _("message envoyé"))


async def _exchange(desk: OneShot, args: Namespace, kind: ExchangeKind, done: str) -> Answer:
    files = attachments(args.attach)
    text = read_text("-") if args.text == "-" else args.text
    if not text.strip() and not files:
        raise Stop(ExitCode.DATA, _("rien à envoyer : le texte est vide"))
    await desk.caught_up()
    case = await case_id(desk, args.case)
    intent = SendExchange(case, kind, text, files, urgent=args.urgent, question=getattr(args, "as_question", False))
    await desk.ask(intent, ExchangeSent, lambda each: each.case == case)
    return await _sent(desk, case, done)


async def attach(desk: OneShot, args: Namespace) -> Answer:
    """Add files, with a word or without."""
    args.attach = args.files
    return await _exchange(desk, args, ExchangeKind.MESSAGE, _("pièces jointes envoyées"))


async def take(desk: OneShot, args: Namespace) -> Answer:
    """Take in charge."""
    return await _act(desk, args, TakeInCharge, _("prise en charge enregistrée"))


async def decline(desk: OneShot, args: Namespace) -> Answer:
    """Refuse, with a motive."""
    return await _act(desk, args, lambda case: DeclineRequest(case, args.motif), _("refus envoyé"))


async def cancel(desk: OneShot, args: Namespace) -> Answer:
    """Withdraw one's request."""
    return await _act(desk, args, lambda case: CancelRequest(case, args.motif), _("annulation envoyée"))


async def flag(desk: OneShot, args: Namespace) -> Answer:
    """Mark for oneself."""
    return await _act(desk, args, lambda case: SetFlag(case, args.flag, on=not args.off), _("marque enregistrée"))


async def _act(desk: OneShot, args: Namespace, intent_for: Any, done: str) -> Answer:
    await desk.caught_up()
    case = await case_id(desk, args.case)
    intent: Intent = intent_for(case)
    await desk.perform(intent)
    return await _sent(desk, case, done)


# --- finalising ---


async def finalise(desk: OneShot, args: Namespace) -> Answer:
    """Close the act: synthesis, level, billing numbers."""
    await desk.caught_up()
    case = await case_id(desk, args.case)
    view = (await desk.ask(PrepareFinalisation(case), FinalisationPrepared, lambda each: each.view.case == case)).view
    for warning in view.warnings:
        say(warning)
    await desk.ask(_finalisation(view, args), CaseFinalised, lambda each: each.case == case)
    return await _sent(desk, case, _("téléexpertise finalisée"))


def _finalisation(view: FinalisationView, args: Namespace) -> Finalise:
    niveaux = [choice.key for choice in view.niveaux]
    niveau = args.niveau or (niveaux[0] if niveaux else "")
    if niveau not in niveaux:
        raise Stop(
            ExitCode.DATA, _("niveau inconnu {niveau}, parmi : {all}").format(niveau=niveau, all=", ".join(niveaux))
        )
    expert = view.experts[0] if view.experts else None
    own_number = view.numero_requis or (expert.detail if expert else "")
    return Finalise(
        view.case,
        niveau,
        view.numero_requerant if args.numero_requerant is None else args.numero_requerant,
        expert.key if expert else "",
        own_number if args.numero_requis is None else args.numero_requis,
        _included(view, args.exclude),
    )


def _included(view: FinalisationView, excluded: list[str]) -> tuple[str, ...]:
    events = [entry.event for entry in view.exchanges]
    for prefix in excluded:
        if not any(event.startswith(prefix) for event in events):
            raise Stop(ExitCode.DATA, _("aucun échange ne commence par {prefix}").format(prefix=prefix))
    return tuple(event for event in events if not any(event.startswith(prefix) for prefix in excluded))


# --- shared ---


async def _sent(desk: OneShot, case: str, done: str) -> Answer:
    delivered = await desk.delivered()
    state = "delivered" if delivered else "queued"
    document = {"case": case, "state": state, "pending": desk.follower.pending}
    if not delivered:
        say(_("gardé sur ce poste : partira dès que le relais répondra"))
    return Answer("sent", document, f"{case} {done}", ExitCode.OK if delivered else ExitCode.QUEUED)


def attachments(paths: list[Path]) -> tuple[str, ...]:
    """The files, as absolute paths, once they are known to be readable.

    Raises:
        Stop: one cannot be read.
    """
    for path in paths:
        try:
            with path.open("rb"):
                pass
        except OSError as error:
            raise Stop(ExitCode.IO, f"{path} : {error.strerror}") from None
    return tuple(str(path.resolve()) for path in paths)


def read_text(source: str) -> str:
    """The text of a file, or of standard input for `-`.

    Raises:
        Stop: it cannot be read, or is not text.
    """
    try:
        text = sys.stdin.read(_MOST_INPUT_CHARS) if source == "-" else Path(source).read_text(encoding="utf-8")
    except OSError as error:
        raise Stop(ExitCode.IO, f"{source} : {error.strerror}") from None
    except UnicodeDecodeError:
        raise Stop(ExitCode.DATA, _("{source} : ce n'est pas du texte UTF-8").format(source=source)) from None
    return text.rstrip("\n")
