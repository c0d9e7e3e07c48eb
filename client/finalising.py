"""The end of an act (F01-F08): the wizard's two steps, the synthesis, and the export of what was finalised."""

from __future__ import annotations

from datetime import datetime

from client import acts
from client.desk import Desk
from client.drafting import parse_date
from client.effects import Effect, ExportActs, MakeSynthesis, Publish
from client.i18n import _
from client.intents import ExportActivity, Finalise, PrepareFinalisation
from client.projections import my_role, patient_line, timeline_entry
from client.untrusted import visible_line
from client.updates import CaseFinalised, FinalisationPrepared, IntentRefused
from client.views import Choice, FinalisationView
from domain.events import BillingRecap, Finalised, Flagged, Recorded, Seen, TakenInCharge
from domain.identifiers import AccountId, EventId
from domain.messages import Attachment
from domain.practitioners import BillingNumber, NumberNature, Party
from domain.status import EventKind, Role, Status
from domain.synthesis import from_facts
from domain.teleexpertise import Teleexpertise
from domain.transitions import permitted

NIVEAUX = (("TE2", "TE2 - téléexpertise"),)
"""Levels in force; the tariff table says what each is worth on a date (H01)."""


def exchanges(state: Teleexpertise) -> tuple[Recorded, ...]:
    """What may be ticked (F04): everything said, asked, changed or joined."""
    return tuple(
        each for each in state.history if not isinstance(each.fact, Seen | Flagged | TakenInCharge | Finalised)
    )


def prepare(desk: Desk, state: Teleexpertise, intent: PrepareFinalisation) -> list[Effect]:
    """Open the wizard, prefilled."""
    if refusal := _not_now(desk, state):
        return [Publish(IntentRefused("PrepareFinalisation", refusal))]
    request = state.request
    assert request is not None
    experts = _experts(desk, state)
    number = experts[0].detail
    view = FinalisationView(
        case=state.conversation,
        niveaux=tuple(Choice(code, _(label)) for code, label in NIVEAUX),
        requerant=visible_line(request.in_name_of.name),
        numero_requerant=visible_line(request.requerant_number.value),
        experts=experts,
        numero_requis=number,
        patient=patient_line(request.patient),
        exchanges=tuple(timeline_entry(each, me=desk.me.account, seen={}) for each in exchanges(state)),
        warnings=_warnings(request.requerant_number, number, has_patient=request.patient is not None),
    )
    return [Publish(FinalisationPrepared(view))]


def _not_now(desk: Desk, state: Teleexpertise) -> str:
    summary = desk.summary(state.conversation)
    if summary is None or summary.status is Status.COMPLETED:
        return _("Cette téléexpertise est déjà finalisée.")
    role = my_role(summary, desk.mine())
    if role is not Role.REQUIS or EventKind.FINALISED not in permitted(summary.status, role):
        return _("Seul l'expert peut finaliser, tant que la téléexpertise est ouverte.")
    return ""


def _experts(desk: Desk, state: Teleexpertise) -> tuple[Choice, ...]:
    """Who may have given the opinion: this person first, then who answered, then the service's members."""
    me = desk.my_party()
    choices = {me.name: Choice(me.name, me.name, desk.my_number().value)}
    request = state.request
    assert request is not None
    for recorded in state.history:
        author = recorded.fact.author
        if recorded.fact.in_name_of.account == request.requis.account:
            choices.setdefault(author.name, Choice(author.name, visible_line(author.name), _known_number(desk, author)))
    entry = desk.entries.get(request.requis.account)
    for member in entry.members if entry else ():
        choices.setdefault(member, Choice(member, visible_line(member), entry.numero_facturation if entry else ""))
    return tuple(choices.values())


def _known_number(desk: Desk, party: Party) -> str:
    entry = desk.entries.get(party.account)
    return entry.numero_facturation if entry else ""


def _warnings(requerant: BillingNumber, requis: str, *, has_patient: bool) -> tuple[str, ...]:
    found: list[str] = []
    if not requerant.value:
        found.append(_("Le numéro de facturation du demandeur est absent : il sera « non renseigné »."))
    if not requis:
        found.append(_("Le numéro de facturation de l'expert est absent : il sera « non renseigné »."))
    if not has_patient:
        found.append(_("Le patient n'est pas renseigné."))
    return tuple(found)


def finalise(desk: Desk, state: Teleexpertise, intent: Finalise, at: datetime) -> list[Effect]:
    """Make the synthesis; the event follows in `synthesis_sealed`."""
    if refusal := _not_now(desk, state):
        return [Publish(IntentRefused("Finalise", refusal))]
    token = desk.fresh_id(at)
    desk.jobs[token] = intent
    content = from_facts(
        state.history,
        included=frozenset(EventId(event) for event in intent.included),
        recap=_recap(desk, state, intent),
        finalised_at=at,
        zone=desk.zone,
    )
    return [MakeSynthesis(token, content, f"synthese-teleexpertise-{at:%Y%m%d}.pdf")]


def _recap(desk: Desk, state: Teleexpertise, intent: Finalise) -> BillingRecap:
    request = state.request
    assert request is not None
    requis = _chosen_expert(desk, state, intent.expert_name)
    return BillingRecap(
        niveau=intent.niveau,
        requerant=request.author if request.in_name_of.is_service else request.in_name_of,
        requerant_number=BillingNumber(intent.numero_requerant.strip(), request.requerant_number.nature),
        requis=requis,
        requis_number=BillingNumber(intent.numero_requis.strip(), _nature(desk, requis)),
        patient=request.patient,
    )


def _chosen_expert(desk: Desk, state: Teleexpertise, name: str) -> Party:
    me = desk.my_party()
    if name in ("", me.name):
        return me
    for recorded in state.history:
        if recorded.fact.author.name == name:
            return recorded.fact.author
    for entry in desk.entries.values():
        if entry.name == name:
            return Party(entry.account, entry.name, entry.id_nat, entry.speciality or entry.profession)
    return Party(AccountId(""), name)


def _nature(desk: Desk, requis: Party) -> NumberNature:
    if requis.account == desk.me.account:
        return desk.my_number().nature
    entry = desk.entries.get(requis.account)
    return NumberNature.FINESS if entry and entry.kind == "Salarié" else NumberNature.AM


def synthesis_sealed(
    desk: Desk, state: Teleexpertise, intent: Finalise, synthese: Attachment, at: datetime
) -> list[Effect]:
    """The synthesis is made: the act ends, recap and document in one event."""
    summary = desk.summary(state.conversation)
    assert summary is not None
    fact = Finalised(
        author=desk.my_party(),
        in_name_of=desk.party_for(summary.stream),
        written_at=acts.timestamp(at),
        recap=_recap(desk, state, intent),
        included=tuple(EventId(event) for event in intent.included),
        synthese=synthese,
    )
    effects = acts.act_on(desk, summary, fact, at=at, blobs=(synthese.blob,), intent="Finalise")
    done = any(not isinstance(effect, Publish) for effect in effects)
    return [*effects, Publish(CaseFinalised(state.conversation))] if done else effects


def export(desk: Desk, intent: ExportActivity) -> list[Effect]:
    """EXPORTER: finalised cases only, as expert or as requester (G07, G08)."""
    for typed in (intent.date_debut, intent.date_fin):
        if typed.strip() and parse_date(typed) is None:
            reason = _("La date « {date} » n'est pas comprise : écrivez-la JJ/MM/AAAA, ou laissez vide.")
            return [Publish(IntentRefused("ExportActivity", reason.format(date=visible_line(typed))))]
    if intent.format not in ("xlsx", "csv") or intent.role not in ("requis", "requerant"):
        return [Publish(IntentRefused("ExportActivity", _("Format ou rôle d'export inconnu.")))]
    wanted = Role(intent.role)
    cases = tuple(
        summary
        for summary in desk.summaries.values()
        if summary.status is Status.COMPLETED
        and _is_party(desk, summary.requis.account, summary.requerant.account, wanted)
    )
    first, last = (_iso(intent.date_debut), _iso(intent.date_fin))
    return [ExportActs(cases, intent.role, intent.format, first, last, intent.path)]


def _is_party(desk: Desk, requis: AccountId, requerant: AccountId, wanted: Role) -> bool:
    return (requis if wanted is Role.REQUIS else requerant) in desk.mine()


def _iso(typed: str) -> str:
    parsed = parse_date(typed)
    return parsed.isoformat() if parsed else ""
