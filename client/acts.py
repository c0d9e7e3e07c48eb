"""What a user does to a case: ask the table, write the fact, seal it, and see that it leaves in order.

An act is kept before it is sent, sent with the same bytes as often as needed, and forgotten only when it comes back
in the stream (R9) or the relay refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from client.desk import Desk
from client.effects import DropPending, Effect, FetchKeys, Persist, Publish, PutComposer, PutPending, Transmit, Upload
from client.i18n import _
from client.letters import new_event_id, seal_act, wrap_for
from client.model import CaseSummary, PendingAct
from client.projections import event_title, role_in, status_label
from client.updates import IntentRefused, Noticed, Severity
from crypto.sealing import CONVERSATION_KEY_BYTES
from domain.events import KIND_OF_CLASS, Event, Flagged, Recorded, RequestSent
from domain.identifiers import AccountId, BlobId, ConversationId, EventId
from domain.status import EventKind, Status
from domain.transitions import NotPermitted, next_status
from protocol.envelope import Envelope
from protocol.frames import RefusalCode, Refused, Submit
from protocol.payload import decode_event, encode_event


def timestamp(at: datetime) -> str:
    """UTC, ISO 8601, to the second."""
    return at.isoformat(timespec="seconds")


def act_on(
    desk: Desk, summary: CaseSummary, fact: Event, *, at: datetime, blobs: Sequence[str] = (), intent: str = ""
) -> list[Effect]:
    """Do something to an existing case, if the table allows it now."""
    kind = KIND_OF_CLASS[type(fact)]
    try:
        next_status(summary.status, kind, role_in(summary, fact.in_name_of.account))
    except NotPermitted:
        return [Publish(IntentRefused(intent or kind.value, not_permitted(summary.status, fact)))]
    parties = (summary.requerant.account, summary.requis.account)
    recipients = (fact.in_name_of.account,) if isinstance(fact, Flagged) else parties
    act = _pending(desk, summary.conversation, kind, fact, recipients, blobs, at)
    return keep(desk, msgspec.structs.replace(act, key=summary.key))


def not_permitted(status: Status, fact: Event) -> str:
    """Say in French why the table refuses."""
    return _("« {act} » n'est pas possible : la téléexpertise est {status}.").format(
        act=event_title(fact) or _("Message"), status=status_label(status).lower()
    )


def open_case(desk: Desk, fact: RequestSent, *, at: datetime, blobs: Sequence[str]) -> tuple[str, list[Effect]]:
    """Send a request: a new conversation, with its own key."""
    conversation = ConversationId(new_event_id(int(at.timestamp() * 1000), desk.random))
    recipients = (fact.in_name_of.account, fact.requis.account)
    act = _pending(desk, conversation, EventKind.REQUEST_SENT, fact, recipients, blobs, at)
    return conversation, keep(desk, msgspec.structs.replace(act, key=desk.random(CONVERSATION_KEY_BYTES)))


def _pending(
    desk: Desk,
    conversation: ConversationId,
    kind: EventKind,
    fact: Event,
    recipients: tuple[AccountId, ...],
    blobs: Sequence[str],
    at: datetime,
) -> PendingAct:
    return PendingAct(
        event_id=new_event_id(int(at.timestamp() * 1000), desk.random),
        conversation=conversation,
        kind=kind.value,
        letter=encode_event(fact),
        recipients=recipients,
        sender=fact.in_name_of.account,
        blobs=tuple(BlobId(blob) for blob in blobs),
    )


def keep(desk: Desk, act: PendingAct) -> list[Effect]:
    """Seal if possible, keep durably, then let it go if its turn has come."""
    act, wanted = _sealed(desk, act)
    desk.pending[act.event_id] = act
    desk.refresh_line(act.conversation)
    desk.dirty_shell = True
    return [Persist((PutPending(act),)), *wanted, *release(desk)]


def _sealed(desk: Desk, act: PendingAct) -> tuple[PendingAct, list[Effect]]:
    if act.envelope is not None:
        return act, []
    wraps: dict[AccountId, bytes] = {}
    if act.kind == EventKind.REQUEST_SENT:
        unknown = [account for account in act.recipients if account not in desk.keys]
        if unknown:
            return act, ask_keys(desk, unknown)
        wraps = wrap_for([desk.keys[account] for account in act.recipients], act.key, act.conversation)
    envelope = seal_act(act, key=act.key, author=desk.me.account, ring=desk.ring, wraps=wraps, random=desk.random)
    return msgspec.structs.replace(act, envelope=envelope), []


def ask_keys(desk: Desk, accounts: Sequence[AccountId]) -> list[Effect]:
    """Ask for keys once per connection."""
    fresh = [account for account in accounts if account not in desk.asked]
    desk.asked.update(fresh)
    return [FetchKeys(account) for account in fresh]


def seal_waiting(desk: Desk) -> list[Effect]:
    """Seal what waited for keys; give up, with a word, on accounts that have none."""
    effects: list[Effect] = []
    for act in [each for each in desk.pending.values() if each.envelope is None]:
        if desk.denied.intersection(act.recipients):
            effects += drop(
                desk, act, _("Ce correspondant n'a pas encore de clé : la demande ne peut pas être chiffrée.")
            )
            continue
        sealed, wanted = _sealed(desk, act)
        if sealed.envelope is not None:
            desk.pending[act.event_id] = sealed
            effects.append(Persist((PutPending(sealed),)))
        effects += wanted
    return effects + release(desk)


def release(desk: Desk) -> list[Effect]:
    """Send what may go: sealed, blobs stored, nothing older of the same case held back."""
    if desk.connection != "online":
        return []
    effects: list[Effect] = []
    held: set[str] = set()
    for act in desk.pending.values():
        if act.event_id in desk.sent:
            continue
        missing = [blob for blob in act.blobs if blob not in desk.uploaded]
        effects += [Upload(blob) for blob in missing if blob not in desk.uploading]
        desk.uploading.update(missing)
        if missing or act.envelope is None or act.conversation in held:
            held.add(act.conversation)
            continue
        desk.sent.add(act.event_id)
        effects.append(Transmit(Submit(Envelope(*act.envelope))))
    return effects


def recorded(act: PendingAct) -> Recorded:
    """What is on its way, as a fact without a place yet."""
    return Recorded(act.event_id, act.conversation, decode_event(EventKind(act.kind), act.letter))


def refused(desk: Desk, frame: Refused) -> list[Effect]:
    """The relay did not take an act: mend what can be mended, else give the text back with a reason."""
    act = desk.pending.get(frame.event_id)
    if act is None:
        return []
    if frame.code is RefusalCode.BLOB_MISSING:
        desk.sent.discard(act.event_id)
        desk.uploaded.difference_update(act.blobs)
        return release(desk)
    if frame.code is RefusalCode.STORAGE_FULL:
        desk.sent.discard(act.event_id)
        return [
            Publish(
                Noticed(_("Le serveur n'a plus de place : votre envoi est gardé ici et repartira."), Severity.WARNING)
            )
        ]
    return drop(desk, act, _refusal(desk, act, frame.code))


def drop(desk: Desk, act: PendingAct, reason: str) -> list[Effect]:
    """Give up an act; a text that was typed goes back to the composer."""
    desk.pending.pop(act.event_id, None)
    desk.sent.discard(act.event_id)
    text = getattr(decode_event(EventKind(act.kind), act.letter), "text", "")
    writes: list[DropPending | PutComposer] = [DropPending(act.event_id)]
    if text and not desk.composers.get(act.conversation):
        desk.composers[act.conversation] = text
        writes.append(PutComposer(act.conversation, text))
    desk.refresh_line(act.conversation)
    desk.dirty_shell = True
    return [Persist(tuple(writes)), Publish(Noticed(reason, Severity.ERROR, act.conversation))]


def _refusal(desk: Desk, act: PendingAct, code: RefusalCode) -> str:
    title = event_title(decode_event(EventKind(act.kind), act.letter)) or _("Message")
    why = {
        RefusalCode.NOT_PERMITTED: _("quelqu'un a été plus rapide ou la téléexpertise est close"),
        RefusalCode.NOT_A_PARTY: _("vous ne participez pas à cette téléexpertise"),
        RefusalCode.BAD_SIGNATURE: _("le serveur ne reconnaît pas la signature de ce poste"),
        RefusalCode.UNKNOWN_RECIPIENT: _("le destinataire n'existe pas ou n'a pas encore de clé"),
        RefusalCode.EVENT_ID_REUSED: _("un autre envoi porte déjà ce numéro"),
        RefusalCode.TOO_LARGE: _("il est trop volumineux"),
    }.get(code, code.value)
    return _("« {title} » n'a pas été accepté : {why}. Votre texte est gardé dans la zone de saisie.").format(
        title=title, why=why
    )


def came_back(desk: Desk, event_id: EventId) -> list[DropPending]:
    """An act of ours was delivered: it is a fact now."""
    if desk.pending.pop(event_id, None) is None:
        return []
    desk.sent.discard(event_id)
    desk.dirty_shell = True
    return [DropPending(event_id)]
