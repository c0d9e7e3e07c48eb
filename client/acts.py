"""What a user does to a case: ask the table, write the fact, seal it, and see that it leaves in order.

An act is kept before it is sent, sent with the same bytes as often as needed, and forgotten only when it comes back
in the stream (R9) or the relay refuses it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from client.desk import Desk
from client.effects import (
    DropPending,
    Effect,
    FetchKeys,
    Persist,
    Publish,
    PutComposer,
    PutDraft,
    PutPending,
    Transmit,
    Upload,
    Write,
)
from client.i18n import _
from client.intents import DraftEntry, PatientEntry
from client.letters import seal_act, wrap_for
from client.model import CaseSummary, PendingAct, StoredDraft
from client.projections import attachments_of, event_title, on_its_way, role_in, status_label
from client.untrusted import visible_line
from client.updates import IntentRefused, Noticed, Severity
from crypto.sealing import CONVERSATION_KEY_BYTES
from domain.events import KIND_OF_CLASS, Cancelled, Declined, Event, Flagged, FormEdited, RequestSent
from domain.identifiers import AccountId, BlobId, ConversationId, EventId
from domain.status import EventKind, Status
from domain.transitions import NotPermitted, next_status
from protocol.envelope import Envelope
from protocol.frames import RefusalCode, Refused, Submit
from protocol.limits import MAX_LETTER_BYTES
from protocol.payload import encode_event


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
    if is_too_large(fact):
        return [Publish(IntentRefused(intent or kind.value, too_large()))]
    parties = (summary.requerant.account, summary.requis.account)
    recipients = (fact.in_name_of.account,) if isinstance(fact, Flagged) else parties
    act = _pending(desk, summary.conversation, kind, fact, recipients, blobs, at)
    return keep(desk, msgspec.structs.replace(act, key=summary.key))


def is_too_large(fact: Event) -> bool:
    """Whether no frame could carry the fact: it would wait in the outbox for ever."""
    return len(encode_event(fact)) > MAX_LETTER_BYTES


def too_large() -> str:
    """Say so in French."""
    return _("Ce texte est trop long pour un seul envoi : raccourcissez-le ou joignez un document.")


def not_permitted(status: Status, fact: Event) -> str:
    """Say in French why the table refuses."""
    return _("« {act} » n'est pas possible : la téléexpertise est {status}.").format(
        act=event_title(fact) or _("Message"), status=status_label(status).lower()
    )


def open_case(
    desk: Desk, conversation: ConversationId, fact: RequestSent, *, at: datetime, blobs: Sequence[str]
) -> list[Effect]:
    """Send a request: a new conversation, with its own key."""
    recipients = (fact.in_name_of.account, fact.requis.account)
    act = _pending(desk, conversation, EventKind.REQUEST_SENT, fact, recipients, blobs, at)
    return keep(desk, msgspec.structs.replace(act, key=desk.random(CONVERSATION_KEY_BYTES)))


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
        event_id=desk.fresh_id(at),
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
    """Send what may go: sealed, blobs stored, and of each case the oldest only, so that no act overtakes another."""
    if desk.connection != "online":
        return []
    effects: list[Effect] = []
    held: set[str] = set()
    for act in desk.pending.values():
        if act.conversation in held:
            continue
        held.add(act.conversation)
        if act.event_id in desk.sent:
            continue
        missing = [blob for blob in act.blobs if blob not in desk.uploaded]
        if not desk.uploading.issuperset(missing):
            effects += _uploads(act, [blob for blob in missing if blob not in desk.uploading])
        desk.uploading.update(missing)
        if missing or act.envelope is None:
            continue
        desk.sent.add(act.event_id)
        effects.append(Transmit(Submit(Envelope(*act.envelope))))
    return effects


def _uploads(act: PendingAct, blobs: Sequence[str]) -> list[Effect]:
    """Send files under the names that their act gives them."""
    names = {each.blob: visible_line(each.name) for each in attachments_of(on_its_way(act).fact)}
    return [Upload(blob, names.get(BlobId(blob), "")) for blob in blobs]


def refused(desk: Desk, frame: Refused) -> list[Effect]:
    """The relay did not take an act: mend what can be mended, else give the text back with a reason."""
    act = desk.pending.get(frame.event_id)
    if act is None:
        return []
    if frame.code is RefusalCode.BLOB_MISSING and act.event_id not in desk.mended:
        desk.mended.add(act.event_id)
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
    return drop(desk, act, _refusal(act, frame.code))


def drop(desk: Desk, act: PendingAct, reason: str) -> list[Effect]:
    """Give up an act; what was typed goes back to the composer, or to a draft when it was a request."""
    desk.pending.pop(act.event_id, None)
    desk.sent.discard(act.event_id)
    fact = on_its_way(act).fact
    kept, where = _give_back(desk, act, fact)
    desk.refresh_line(act.conversation)
    desk.dirty_shell = True
    text = f"{reason} {where}".rstrip()
    return [
        Persist((DropPending(act.event_id), *kept)),
        Publish(Noticed(text, Severity.ERROR, act.conversation)),
        *release(desk),
    ]


def _give_back(desk: Desk, act: PendingAct, fact: Event) -> tuple[tuple[Write, ...], str]:
    conversation = act.conversation
    if isinstance(fact, RequestSent):
        draft = _draft_of(act.event_id, fact)
        desk.drafts[draft.entry.draft] = draft
        desk.refresh_draft(draft.entry.draft)
        joined = _(" Joignez de nouveau vos fichiers.") if fact.attachments else ""
        return (PutDraft(draft),), _("Votre demande est gardée dans les brouillons.") + joined
    typed = typed_text(fact)
    if not typed:
        return (), ""
    text = "\n\n".join(part for part in (typed, desk.composers.get(conversation, "")) if part)
    desk.composers[conversation] = text
    return (PutComposer(conversation, text),), _("Votre texte est gardé dans la zone de saisie.")


def typed_text(fact: Event) -> str:
    """What the user typed to make the fact, a request apart."""
    match fact:
        case FormEdited(form=form):
            return "\n\n".join(part for part in (form.objet, form.histoire_clinique, form.question) if part)
        case Declined(motif=text) | Cancelled(motif=text):
            return text
        case _:
            return str(getattr(fact, "text", ""))


def _draft_of(name: str, fact: RequestSent) -> StoredDraft:
    """The form again; the files themselves are only known sealed."""
    patient = fact.patient
    typed = PatientEntry()
    if patient is not None:
        typed = PatientEntry(patient.nom_naissance, patient.prenoms, patient.sexe, patient.date_naissance, patient.nir)
    entry = DraftEntry(
        draft=name,
        acting_account=fact.in_name_of.account,
        expert=fact.requis.account,
        patient=typed,
        numero_facturation=fact.requerant_number.value,
        objet=fact.form.objet,
        histoire_clinique=fact.form.histoire_clinique,
        question=fact.form.question,
        consentement=fact.form.consentement,
        urgent=fact.urgent,
    )
    return StoredDraft(entry, fact.written_at)


def _refusal(act: PendingAct, code: RefusalCode) -> str:
    title = event_title(on_its_way(act).fact) or _("Message")
    why = {
        RefusalCode.NOT_PERMITTED: _("quelqu'un a été plus rapide ou la téléexpertise est close"),
        RefusalCode.NOT_A_PARTY: _("vous ne participez pas à cette téléexpertise"),
        RefusalCode.BAD_SIGNATURE: _("le serveur ne reconnaît pas la signature de ce poste"),
        RefusalCode.UNKNOWN_RECIPIENT: _("le destinataire n'existe pas ou n'a pas encore de clé"),
        RefusalCode.EVENT_ID_REUSED: _("un autre envoi porte déjà ce numéro"),
        RefusalCode.TOO_LARGE: _("il est trop volumineux"),
    }.get(code, code.value)
    return _("« {title} » n'a pas été accepté : {why}.").format(title=title, why=why)


def came_back(desk: Desk, event_id: EventId) -> list[DropPending]:
    """An act of ours was delivered: it is a fact now."""
    if desk.pending.pop(event_id, None) is None:
        return []
    desk.sent.discard(event_id)
    desk.dirty_shell = True
    return [DropPending(event_id)]
