"""From facts to what is seen: a case's line, its detail, the sidebar. Total: no fact makes them fail."""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Iterable, Sequence

import msgspec

from client.i18n import _, french_date
from client.identity_checks import display_nir
from client.model import CaseSummary, PendingAct
from client.untrusted import visible, visible_line
from client.views import AttachmentLine, CaseRow, CaseView, LabelledValue, TimelineEntry
from domain.events import (
    Answered,
    Cancelled,
    Declined,
    Event,
    Finalised,
    Flagged,
    FormEdited,
    InformationGiven,
    InformationRequested,
    MessageSent,
    PersonalFlag,
    Recorded,
    RequestSent,
    Seen,
    TakenInCharge,
)
from domain.identifiers import AccountId, EventId
from domain.messages import Attachment
from domain.patients import Patient
from domain.practitioners import BillingNumber
from domain.status import EventKind, Role, Status
from domain.teleexpertise import Teleexpertise, evolve
from domain.transitions import NotPermitted, next_status, permitted
from protocol.payload import decode_event, kind_of

EXCHANGES = (
    RequestSent
    | MessageSent
    | Answered
    | InformationRequested
    | InformationGiven
    | FormEdited
    | Declined
    | Cancelled
    | Finalised
)
"""What counts as something to read."""


def status_label(status: Status) -> str:
    """The French word for a status (domain.md 4.6)."""
    match status:
        case Status.DRAFT:
            return _("Brouillon")
        case Status.REQUESTED:
            return _("Envoyée")
        case Status.IN_PROGRESS:
            return _("En cours")
        case Status.ON_HOLD:
            return _("Complément demandé")
        case Status.REJECTED:
            return _("Refusée")
        case Status.CANCELLED:
            return _("Annulée")
        case Status.COMPLETED:
            return _("Finalisée")


def event_title(event: Event) -> str:
    """What a timeline entry is called; empty for a plain message."""
    match event:
        case RequestSent():
            return _("Demande de téléexpertise")
        case TakenInCharge():
            return _("Prise en charge")
        case Answered():
            return _("Avis rendu")
        case InformationRequested():
            return _("Complément demandé")
        case InformationGiven():
            return _("Complément apporté")
        case FormEdited():
            return _("Formulaire modifié")
        case Declined():
            return _("Demande refusée")
        case Cancelled():
            return _("Demande annulée")
        case Finalised():
            return _("Synthèse de la conversation « Téléexpertise »")
        case MessageSent(attachments=attachments, text=text) if attachments and not text:
            return _("Document en pièce jointe")
        case _:
            return ""


# --- one case's line ----------------------------------------------------------------------------------------


def summarise(
    before: CaseSummary | None, recorded: Recorded, *, me: AccountId, stream: AccountId, key: bytes
) -> CaseSummary | None:
    """Fold one fact into a case's line; None while the opening request has not come."""
    fact = recorded.fact
    if before is None:
        return _opened(recorded, fact, me, stream, key) if isinstance(fact, RequestSent) else None
    if isinstance(fact, Flagged):
        return msgspec.structs.replace(before, flags=_flags(before.flags, fact))
    if isinstance(fact, Seen):
        return _looked(before, fact) if fact.author.account == me else before
    return _advanced(before, recorded, me)


def _opened(recorded: Recorded, fact: RequestSent, me: AccountId, stream: AccountId, key: bytes) -> CaseSummary:
    mine = fact.author.account == me
    return CaseSummary(
        conversation=recorded.conversation,
        stream=stream,
        key=key,
        status=Status.REQUESTED,
        requerant=fact.in_name_of,
        requis=fact.requis,
        objet=visible_line(fact.form.objet),
        patient=patient_short(fact.patient),
        last_author=visible_line(fact.author.name),
        last_line=visible_line(fact.form.objet),
        last_at=recorded.received_at or fact.written_at,
        urgent=fact.urgent,
        unread=() if mine else (recorded.event_id,),
        created_at=recorded.received_at or fact.written_at,
        last_event=recorded.event_id,
        mine=mine,
        identity=fact.patient,
    )


def _advanced(before: CaseSummary, recorded: Recorded, me: AccountId) -> CaseSummary:
    fact = recorded.fact
    mine = fact.author.account == me
    try:
        status = next_status(before.status, kind_of(fact), role_in(before, fact.in_name_of.account))
    except NotPermitted:
        status = before.status
    at = recorded.received_at or fact.written_at
    unread = before.unread
    if not mine and isinstance(fact, EXCHANGES):
        unread = (*unread, recorded.event_id)
    return msgspec.structs.replace(
        before,
        status=status,
        objet=visible_line(fact.form.objet) if isinstance(fact, FormEdited) else before.objet,
        last_author=visible_line(fact.author.name),
        last_line=last_line(fact),
        last_at=at,
        unread=unread,
        taken_by=before.taken_by or (visible_line(fact.author.name) if isinstance(fact, TakenInCharge) else ""),
        finalised_at=at if isinstance(fact, Finalised) and not before.finalised_at else before.finalised_at,
        last_event=recorded.event_id,
        mine=mine,
        flags=before.flags if mine else before.flags - {PersonalFlag.ARCHIVED},
    )


def _looked(before: CaseSummary, fact: Seen) -> CaseSummary:
    if fact.event in before.unread:
        left = before.unread[before.unread.index(fact.event) + 1 :]
    else:
        left = () if fact.event == before.last_event else before.unread
    return msgspec.structs.replace(before, unread=left, flags=before.flags - {PersonalFlag.UNREAD})


def _flags(flags: frozenset[str], fact: Flagged) -> frozenset[str]:
    return flags | {fact.flag.value} if fact.on else flags - {fact.flag.value}


def last_line(fact: Event) -> str:
    """What the list says of the last event (A06)."""
    match fact:
        case MessageSent(text=text) | Answered(text=text) | InformationGiven(text=text) if text:
            return visible_line(text[:120])
        case InformationRequested(text=text) if text:
            return visible_line(text[:120])
        case RequestSent(form=form):
            return visible_line(form.objet)
        case _:
            return event_title(fact)


def role_in(summary: CaseSummary, account: AccountId) -> Role:
    """What `account` is in the case."""
    return Role.REQUERANT if account == summary.requerant.account else Role.REQUIS


def my_role(summary: CaseSummary, accounts: Collection[AccountId]) -> Role:
    """Which side of the case this desk is on; the expert's when it is on both."""
    return Role.REQUIS if summary.requis.account in accounts else Role.REQUERANT


def on_its_way(act: PendingAct) -> Recorded:
    """What the relay does not have yet, as a fact without a place."""
    return Recorded(act.event_id, act.conversation, decode_event(EventKind(act.kind), act.letter))


def overlay(summary: CaseSummary | None, acts: Sequence[PendingAct], me: AccountId) -> CaseSummary | None:
    """What the line will be once the relay has taken these acts: shown at once, believed later."""
    for act in acts:
        summary = summarise(summary, on_its_way(act), me=me, stream=act.sender, key=act.key)
    return summary


def row(summary: CaseSummary, *, as_requis: bool, pending: bool) -> CaseRow:
    """A line of the list."""
    unread = len(summary.unread) or int(PersonalFlag.UNREAD in summary.flags)
    return CaseRow(
        case=summary.conversation,
        title=_("Téléexpertise"),
        at=summary.last_at,
        last_line=f"{summary.last_author} : {summary.last_line}",
        unread=unread,
        patient=summary.patient,
        status=summary.status.value,
        status_label=status_label(summary.status),
        objet=summary.objet,
        counterpart=visible_line((summary.requerant if as_requis else summary.requis).name),
        as_requis=as_requis,
        urgent=summary.urgent,
        favourite=PersonalFlag.FAVOURITE in summary.flags,
        to_do=PersonalFlag.TO_DO in summary.flags,
        archived=PersonalFlag.ARCHIVED in summary.flags,
        pending=pending,
    )


# --- searching -------------------------------------------------------------------------------------------


def fold_text(text: str) -> str:
    """Lower case without accents, for searching."""
    decomposed = unicodedata.normalize("NFD", text.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def searchable(line: CaseRow) -> str:
    """What the line shows, folded."""
    return fold_text(f"{line.patient} {line.objet} {line.counterpart} {line.last_line} {line.status_label}")


# --- one case's detail --------------------------------------------------------------------------------------


def patient_short(patient: Patient | None) -> str:
    """`Lucette SPECIMEN`, or empty."""
    if patient is None:
        return ""
    return visible_line(
        f"{patient.prenoms.split(' ')[0].title()} {patient.nom_utilise or patient.nom_naissance}".strip()
    )


def patient_line(patient: Patient | None) -> str:
    """`Lucette SPECIMEN ♀ - 17/04/1958` (F04), or empty."""
    if patient is None:
        return ""
    sign = {"F": " ♀", "M": " ♂"}.get(patient.sexe, "")
    born = f" - {french_date(patient.date_naissance)}" if patient.date_naissance else ""
    return f"{patient_short(patient)}{sign}{visible_line(born)}"


def initials(name: str) -> str:
    """`MT` of `Dr Marie TOURNEVENT` (E06)."""
    words = [
        word for word in name.replace("-", " ").split() if word[:1].isalpha() and word not in ("Dr", "M.", "Mme", "Pr")
    ]
    return "".join(word[0].upper() for word in words[:2])


def case_view(
    state: Teleexpertise,
    summary: CaseSummary,
    *,
    me: AccountId,
    role: Role,
    pending: Sequence[PendingAct],
    unread: frozenset[EventId],
    composer: str,
) -> CaseView:
    """The detail: delivered facts, then what is on its way."""
    acts = [on_its_way(act) for act in pending]
    shown = state
    for recorded in acts:
        shown = evolve(shown, recorded)
    request = shown.request
    assert request is not None
    seen = _seen_by(shown.history, me)
    waiting = {act.event_id for act in pending}
    return CaseView(
        case=state.conversation,
        title=_("Téléexpertise"),
        status=shown.status.value,
        status_label=status_label(shown.status),
        as_requis=role is Role.REQUIS,
        counterpart=visible_line((summary.requerant if role is Role.REQUIS else summary.requis).name),
        requerant=visible_line(summary.requerant.name),
        requis=visible_line(summary.requis.name),
        taken_by=visible_line(shown.taken_by.name) if shown.taken_by else "",
        patient=patient_line(request.patient),
        patient_sheet=_patient_sheet(request.patient),
        objet=visible_line(shown.form.objet),
        histoire_clinique=visible(shown.form.histoire_clinique),
        question=visible(shown.form.question),
        consentement=shown.form.consentement,
        prerequis=visible(request.prerequis),
        urgent=request.urgent,
        form_attachments=attachment_lines(request.attachments),
        timeline=tuple(
            timeline_entry(recorded, me=me, seen=seen, pending=recorded.event_id in waiting, unread=unread)
            for recorded in shown.history
            if not isinstance(recorded.fact, Seen | Flagged)
        ),
        permitted=frozenset(kind.value for kind in permitted(shown.status, role)),
        composer=composer,
        finalised_at=shown.finalised_at,
        recap=recap_lines(shown.finalised) if shown.finalised else (),
        favourite=PersonalFlag.FAVOURITE in summary.flags,
        to_do=PersonalFlag.TO_DO in summary.flags,
        archived=PersonalFlag.ARCHIVED in summary.flags,
    )


def timeline_entry(
    recorded: Recorded,
    *,
    me: AccountId,
    seen: dict[EventId, tuple[str, ...]],
    pending: bool = False,
    unread: frozenset[EventId] = frozenset(),
) -> TimelineEntry:
    """One line of the conversation (E05, E06)."""
    fact = recorded.fact
    detail = visible_line(fact.author.profession)
    if fact.in_name_of.account != fact.author.account:
        detail = _("pour {account}").format(account=visible_line(fact.in_name_of.name))
    return TimelineEntry(
        event=recorded.event_id,
        kind=kind_of(fact).value,
        title=event_title(fact),
        author=visible_line(fact.author.name),
        author_detail=detail,
        mine=fact.author.account == me,
        at=recorded.received_at or fact.written_at,
        text=_entry_text(fact),
        attachments=attachment_lines(attachments_of(fact)),
        seen_by=seen.get(recorded.event_id, ()),
        urgent=bool(getattr(fact, "urgent", False)),
        question=bool(getattr(fact, "question", False)),
        pending=pending,
        unread=recorded.event_id in unread,
    )


def attachment_lines(attachments: Sequence[Attachment]) -> tuple[AttachmentLine, ...]:
    """Files as listed; the blob id names them."""
    return tuple(
        AttachmentLine(
            each.blob, visible_line(each.name), visible_line(each.media_type), each.size_bytes, each.kind == "synthese"
        )
        for each in attachments
    )


def find_attachment(history: Iterable[Recorded], blob: str) -> Attachment | None:
    """The descriptor of a file of the case."""
    for recorded in history:
        for attachment in attachments_of(recorded.fact):
            if attachment.blob == blob:
                return attachment
    return None


def recap_lines(finalised: Finalised) -> tuple[LabelledValue, ...]:
    """« Récapitulatif des informations de facturation », in the order of F06."""
    recap = finalised.recap
    return (
        LabelledValue(_("Niveau de facturation"), visible_line(recap.niveau)),
        LabelledValue(_("Expert (requis)"), visible_line(recap.requis.name)),
        LabelledValue(_("N° facturation expert"), _number(recap.requis_number)),
        LabelledValue(_("Ident. national expert"), visible_line(recap.requis.id_nat)),
        LabelledValue(_("Demandeur (requérant)"), visible_line(recap.requerant.name)),
        LabelledValue(_("N° facturation demandeur"), _number(recap.requerant_number)),
        LabelledValue(_("Ident. national demandeur"), visible_line(recap.requerant.id_nat)),
        LabelledValue(
            _("NIR du patient"), display_nir(recap.patient.nir) if recap.patient and recap.patient.nir else ""
        ),
    )


def _number(number: BillingNumber) -> str:
    return visible_line(f"{number.value} ({number.nature.value})") if number.value else ""


def _patient_sheet(patient: Patient | None) -> tuple[LabelledValue, ...]:
    if patient is None:
        return ()
    return (
        LabelledValue(_("Nom de naissance"), visible_line(patient.nom_naissance)),
        LabelledValue(_("Prénoms"), visible_line(patient.prenoms)),
        LabelledValue(_("Sexe"), {"F": _("féminin"), "M": _("masculin")}.get(patient.sexe, "")),
        LabelledValue(_("Né(e) le"), french_date(visible_line(patient.date_naissance))),
        LabelledValue(_("NIR"), display_nir(patient.nir) if patient.nir else ""),
    )


def _entry_text(fact: Event) -> str:
    match fact:
        case RequestSent(form=form):
            return visible("\n\n".join(part for part in (form.histoire_clinique, form.question) if part))
        case Declined(motif=motif) | Cancelled(motif=motif):
            return visible(motif)
        case FormEdited(form=form):
            return visible(form.objet)
        case (
            MessageSent(text=text) | Answered(text=text) | InformationRequested(text=text) | InformationGiven(text=text)
        ):
            return visible(text)
        case _:
            return ""


def attachments_of(fact: Event) -> tuple[Attachment, ...]:
    """The files that travel with a fact."""
    """The files that travel beside a fact."""
    if isinstance(fact, Finalised):
        return (fact.synthese,)
    return getattr(fact, "attachments", ())


def _seen_by(history: Sequence[Recorded], me: AccountId) -> dict[EventId, tuple[str, ...]]:
    """Initials of those who saw each entry (E06): a receipt covers everything before the event it names."""
    order = {recorded.event_id: place for place, recorded in enumerate(history)}
    reach: dict[AccountId, tuple[int, str]] = {}
    for recorded in history:
        fact = recorded.fact
        if isinstance(fact, Seen) and fact.event in order:
            place = max(order[fact.event], reach.get(fact.author.account, (-1, ""))[0])
            reach[fact.author.account] = (place, initials(fact.author.name))
    return {
        recorded.event_id: tuple(
            mark
            for account, (place, mark) in reach.items()
            if place >= order[recorded.event_id] and account not in (recorded.fact.author.account, me)
        )
        for recorded in history
    }
