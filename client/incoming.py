"""What the stream delivers: check the order, verify the author, open and fold the letter; quarantine what is false."""

from __future__ import annotations

from datetime import datetime

import msgspec

from client import acts
from client.desk import Desk
from client.effects import (
    Disconnect,
    Effect,
    FetchKeys,
    Persist,
    Publish,
    PutCursor,
    PutFact,
    PutKeys,
    PutQuarantine,
    PutSummary,
    Write,
)
from client.i18n import _
from client.inputs import KeysFetched
from client.letters import Unbelievable, conversation_key, open_letter
from client.model import CaseSummary, TrustedKeys
from client.projections import EXCHANGES, attachments_of, event_title, summarise
from client.trust import NeedsResponsible, believe
from client.untrusted import visible_line
from client.updates import Noticed, Severity
from crypto.errors import UntrustedIdentity
from domain.events import Event, Flagged, Recorded, RequestSent
from domain.identifiers import AccountId
from protocol.envelope import Header, unverified_header
from protocol.errors import RemoteProtocolError
from protocol.frames import Deliver
from protocol.resources import KeyDocument


def delivered(desk: Desk, frame: Deliver) -> list[Effect]:
    """Take a delivered event, or keep it in line behind one whose author's keys are awaited."""
    desk.waiting.append(frame)
    return _drain(desk) if len(desk.waiting) == 1 else []


def _drain(desk: Desk) -> list[Effect]:
    effects: list[Effect] = []
    while desk.waiting:
        frame = desk.waiting[0]
        taken = _take(desk, frame)
        if isinstance(taken, FetchKeys):
            return [*effects, *acts.ask_keys(desk, [taken.account])]
        effects += taken
        desk.waiting.popleft()
        if any(isinstance(effect, Disconnect) for effect in taken):
            desk.waiting.clear()
    return effects


def _take(desk: Desk, frame: Deliver) -> list[Effect] | FetchKeys:
    if frame.account not in desk.ring.accounts:
        text = _("Le serveur a livré un message qui n'est pas pour ce poste : il est ignoré.")
        return [Publish(Noticed(text, Severity.ERROR))]
    expected = desk.cursors.get(frame.account, 0) + 1
    if frame.position < expected:
        return []
    if frame.position > expected:
        return [Disconnect(_("un message manque dans le flux"))]
    try:
        header = unverified_header(frame.envelope)
        author = desk.keys.get(header.author)
        if (author is None or header.device not in author.devices) and (header.author, header.device) not in desk.tried:
            desk.tried.add((header.author, header.device))
            return FetchKeys(header.author)
        return _believe_event(desk, frame, header, author)
    except (Unbelievable, RemoteProtocolError) as error:
        return [*_quarantine(desk, frame, error.reason), *_give_up_own(desk, frame)]


def _believe_event(desk: Desk, frame: Deliver, header: Header, author: TrustedKeys | None) -> list[Effect]:
    if author is None:
        raise Unbelievable("unknown-author")
    if frame.account not in header.recipients:
        raise Unbelievable("not-addressed")
    before = desk.summaries.get(header.conversation)
    key = before.key if before else conversation_key(header, desk.ring)
    fact, letter = open_letter(frame.envelope, header, key=key, author=author)
    if before is not None and before.stream != frame.account:
        desk.cursors[frame.account] = frame.position
        return [Persist((PutCursor(frame.account, frame.position),))]
    if header.event_id in desk.delivered:
        raise Unbelievable("replayed")
    _check_parties(fact, header, before)
    desk.cursors[frame.account] = frame.position
    recorded = Recorded(header.event_id, header.conversation, fact, visible_line(frame.received_at), frame.position)
    summary = summarise(before, recorded, me=desk.me.account, stream=frame.account, key=key)
    if summary is None:
        raise Unbelievable("no-request")
    desk.summaries[header.conversation] = summary
    desk.delivered.add(header.event_id)
    writes: list[Write] = [
        PutFact(frame.account, recorded, header.kind.value, letter),
        PutCursor(frame.account, frame.position),
        PutSummary(summary),
        *acts.came_back(desk, header.event_id),
    ]
    desk.took(recorded)
    desk.refresh_line(header.conversation)
    return [Persist(tuple(writes)), *acts.release(desk), *_announce(desk, fact, header)]


def _check_parties(fact: Event, header: Header, before: CaseSummary | None) -> None:
    """The sealed letter, the signed header and what is known of the case must tell the same story."""
    if isinstance(fact, RequestSent):
        if before is not None or set(header.recipients) != {fact.in_name_of.account, fact.requis.account}:
            raise Unbelievable("parties-mismatch")
    elif before is None:
        raise Unbelievable("no-request")
    else:
        parties = {before.requerant.account, before.requis.account}
        expected = {header.sender} if isinstance(fact, Flagged) else parties
        if header.sender not in parties or set(header.recipients) != expected:
            raise Unbelievable("parties-mismatch")
    if not {each.blob for each in attachments_of(fact)} <= set(header.blobs):
        raise Unbelievable("attachments-mismatch")


def _announce(desk: Desk, fact: Event, header: Header) -> list[Effect]:
    if fact.author.account == desk.me.account or not isinstance(fact, EXCHANGES):
        return []
    text = _("{who} : {what}").format(
        who=visible_line(fact.author.name), what=event_title(fact) or _("nouveau message")
    )
    return [Publish(Noticed(text, Severity.INFORMATION, header.conversation))]


def _quarantine(desk: Desk, frame: Deliver, reason: str) -> list[Effect]:
    desk.cursors[frame.account] = frame.position
    kept = PutQuarantine(frame.account, frame.position, msgspec.msgpack.encode(frame), reason)
    text = _("Un message reçu n'est pas authentique ou pas lisible ({reason}). Il est mis de côté et n'est pas montré.")
    return [
        Persist((kept, PutCursor(frame.account, frame.position))),
        Publish(Noticed(text.format(reason=reason), Severity.ERROR)),
    ]


def _give_up_own(desk: Desk, frame: Deliver) -> list[Effect]:
    """An act of ours that comes back as something else will never come back right."""
    try:
        act = desk.pending.get(unverified_header(frame.envelope).event_id)
    except RemoteProtocolError:
        return []
    if act is None or act.envelope == (frame.envelope.header, frame.envelope.body, frame.envelope.signature):
        return []
    return acts.drop(desk, act, _("Votre envoi est revenu altéré du serveur : il n'est pas considéré comme parti."))


# --- keys ---------------------------------------------------------------------------------------------------


def keys_fetched(desk: Desk, fetched: KeysFetched) -> list[Effect]:
    """Believe or deny an account's keys, then go on with what waited for them."""
    desk.asked.discard(fetched.account)
    if fetched.document is None and not fetched.definitive:
        return [Disconnect(_("les clés d'un correspondant n'ont pas pu être lues"))] if desk.waiting else []
    effects = _learn(desk, fetched.account, fetched.document, fetched.at)
    for account, document in list(desk.documents.items()):
        if document.service is not None and document.service.responsible == fetched.account:
            del desk.documents[account]
            effects += _learn(desk, account, document, fetched.at)
    return effects + _drain(desk) + acts.seal_waiting(desk)


def _learn(desk: Desk, account: AccountId, document: KeyDocument | None, at: datetime) -> list[Effect]:
    if document is None or document.account != account:
        desk.denied.add(account)
        return []
    try:
        keys = believe(document, roots=desk.roots, at=at, known=desk.keys)
    except UntrustedIdentity as error:
        desk.denied.add(account)
        text = _("Les clés de {account} ne mènent pas à une carte reconnue ({reason}) : rien ne lui sera envoyé.")
        return [Publish(Noticed(text.format(account=account, reason=error.reason), Severity.ERROR))]
    if isinstance(keys, NeedsResponsible):
        if keys.responsible in desk.denied:
            desk.denied.add(account)
            return []
        desk.documents[account] = document
        return acts.ask_keys(desk, [keys.responsible])
    keys = _own(desk, keys)
    desk.keys[account] = keys
    desk.denied.discard(account)
    return [Persist((PutKeys(keys),))]


def _own(desk: Desk, keys: TrustedKeys) -> TrustedKeys:
    """Of one's own account the relay teaches other devices only: what leaves here must stay readable here."""
    ring = desk.ring
    if keys.account not in ring.accounts:
        return keys
    devices = keys.devices
    if keys.account == desk.me.account:
        devices = {**devices, ring.device_id: ring.device.public_key}
    return TrustedKeys(keys.account, ring.accounts[keys.account].public_key, devices)
