"""What one did and may bill: finalised acts become the rows of the activity export (domain.md 1.G).

A row states facts and counts; it never hides an act. Beyond the yearly limit an act stays in the list, worth nothing:
a medical opinion is not blocked by a billing rule (domain.md 4.2).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from decimal import Decimal

from domain.events import BillingRecap, Finalised, RequestSent
from domain.identifiers import ConversationId
from domain.instants import in_zone, instant_of
from domain.messages import RequestForm
from domain.patients import Patient
from domain.practitioners import BillingNumber, NumberNature, Party
from domain.status import Role
from domain.tariffs import CODE_OF_ROLE, YEARLY_LIMIT, NoTariffError, is_drom, price
from domain.teleexpertise import Teleexpertise

_TITLES = frozenset({"dr", "dre", "pr", "pre", "m.", "mme", "mlle"})


@dataclass(frozen=True, slots=True)
class FinalisedAct:
    """One finalised tele-expertise as seen by one of its two parties."""

    conversation: ConversationId
    role: Role
    """Whose export it belongs to."""
    request: RequestSent
    finalised: Finalised
    form: RequestForm
    """As it stood at the end."""
    requested_on: date
    """Civil date of the request."""
    finalised_at: datetime
    """Aware, in the zone of the civil dates; its date is the date of the act (Q4)."""
    depose_le: date | None = None
    """When the report was filed in the patient's record, if known (B03, G05)."""

    @property
    def recap(self) -> BillingRecap:
        """The billing recap of the finalisation."""
        return self.finalised.recap

    @property
    def patient(self) -> Patient | None:
        """The patient billed for: the recap's, else the request's."""
        return self.recap.patient or self.request.patient


@dataclass(frozen=True, slots=True)
class Professional:
    """One side of a row: demandeur or expert."""

    nom: str
    prenom: str
    id_nat: str
    """Identifiant national (Q11)."""
    profession: str
    """Profession of the demandeur, speciality of the expert."""
    numero_facturation: str
    nature: NumberNature | None
    """None when there is no number."""


@dataclass(frozen=True, slots=True)
class ActivityRow:
    """One line of the export, in the order of G15; absent text is empty, absent values are None."""

    id: ConversationId
    objet: str
    date_demande: date
    date_finalisation: date
    niveau: str
    code_acte: str
    """`TE2` for the requis, `RQD` for the requérant."""
    montant: Decimal | None
    """Euros to bill: the tariff on the day of finalisation, 0 beyond the limit, None when no tariff is known."""
    patient_nom: str
    patient_prenoms: str
    patient_naissance: str
    """ISO 8601 date, or as typed."""
    patient_nir: str
    demandeur: Professional
    expert: Professional
    compte_service: bool
    """Asked or received in the name of a service account rather than a person (G10)."""
    rang: int | None
    """Rank in the civil year for that patient and professional, from 1; None without a patient to count for."""
    hors_plafond: bool
    depose_le: date | None
    consentement: bool
    tiers_payant_amo: bool = True
    """Always: without it the caisse pays the patient (domain.md 0.1.14)."""


def finalised_act(
    case: Teleexpertise, *, role: Role, zone: tzinfo, depose_le: date | None = None
) -> FinalisedAct | None:
    """Return the act that a case tells to one of its parties, or None while it is not finalised on a known day.

    Args:
        case: the folded history of one conversation.
        role: whose export it is for.
        zone: where civil dates are read.
        depose_le: when the report was filed in the patient's record, if known.
    """
    finalised_at = in_zone(case.finalised_at, zone)
    if case.request is None or case.finalised is None or finalised_at is None:
        return None
    sent = next((place for place in case.history if place.fact is case.request), None)
    requested_at = instant_of(sent, zone) if sent else in_zone(case.request.written_at, zone)
    return FinalisedAct(
        case.conversation,
        role,
        case.request,
        case.finalised,
        case.form,
        requested_on=(requested_at or finalised_at).date(),
        finalised_at=finalised_at,
        depose_le=depose_le,
    )


def activity_rows(
    acts: Iterable[FinalisedAct], role: Role, date_debut: date | None = None, date_fin: date | None = None
) -> tuple[ActivityRow, ...]:
    """Return the export of one role, oldest finalisation first.

    Args:
        acts: every act known, whatever its date: ranks in the year are counted before the period is cut.
        role: TLE en tant qu'expert or en tant que demandeur (G08).
        date_debut: first day of finalisation, included; None for the beginning (G06).
        date_fin: last day of finalisation, included; None for no end.
    """
    mine = sorted((act for act in acts if act.role is role), key=lambda act: (act.finalised_at, act.conversation))
    ranks = yearly_ranks(mine)
    first, last = date_debut or date.min, date_fin or date.max
    return tuple(
        _row(act, rank) for act, rank in zip(mine, ranks, strict=True) if first <= act.finalised_at.date() <= last
    )


def yearly_ranks(acts: Sequence[FinalisedAct]) -> tuple[int | None, ...]:
    """Return each act's rank for its patient and professional in its civil year (Q2, Q3), in the order given.

    Args:
        acts: oldest first. An act whose patient cannot be told from others has no rank.
    """
    patients = _patient_keys(acts)
    counted: Counter[tuple[Role, str, str, int]] = Counter()
    ranks: list[int | None] = []
    for act, patient in zip(acts, patients, strict=True):
        if not patient:
            ranks.append(None)
            continue
        biller = _biller(act)
        count = (act.role, patient, biller.account or biller.name, act.finalised_at.year)
        counted[count] += 1
        ranks.append(counted[count])
    return tuple(ranks)


def _biller(act: FinalisedAct) -> Party:
    return act.recap.requis if act.role is Role.REQUIS else act.recap.requerant


# --- telling patients apart ------------------------------------------------------------------------------------------


def _patient_keys(acts: Sequence[FinalisedAct]) -> tuple[str, ...]:
    """One key per act, equal for one patient: the NIR, also where another act only gives the traits."""
    nirs: defaultdict[str, set[str]] = defaultdict(set)
    for act in acts:
        if act.patient and act.patient.nir:
            nirs[_traits(act.patient)].add(_nir_key(act.patient))
    return tuple(_patient_key(act.patient, nirs) for act in acts)


def _patient_key(patient: Patient | None, nirs: dict[str, set[str]]) -> str:
    if patient is None:
        return ""
    if patient.nir:
        return _nir_key(patient)
    traits = _traits(patient)
    known = nirs.get(traits, set())
    return next(iter(known)) if traits and len(known) == 1 else traits


def _nir_key(patient: Patient) -> str:
    """The 13 characters without the key, so that a number given without it counts with the others."""
    return "nir:" + "".join(patient.nir.upper().split())[:13]


def _traits(patient: Patient) -> str:
    if not (patient.nom_naissance and patient.date_naissance):
        return ""
    traits = (patient.nom_naissance, patient.prenoms, patient.date_naissance)
    return "traits:" + "|".join(" ".join(trait.casefold().split()) for trait in traits)


# --- one row -------------------------------------------------------------------------------------------------------


def _row(act: FinalisedAct, rank: int | None) -> ActivityRow:
    recap, patient = act.recap, act.patient
    hors_plafond = rank is not None and rank > YEARLY_LIMIT
    return ActivityRow(
        id=act.conversation,
        objet=act.form.objet,
        date_demande=act.requested_on,
        date_finalisation=act.finalised_at.date(),
        niveau=recap.niveau,
        code_acte=_code(act),
        montant=Decimal("0.00") if hors_plafond else _amount(act),
        patient_nom=patient.nom_naissance if patient else "",
        patient_prenoms=patient.prenoms if patient else "",
        patient_naissance=patient.date_naissance if patient else "",
        patient_nir=patient.nir if patient else "",
        demandeur=_professional(recap.requerant, recap.requerant_number),
        expert=_professional(recap.requis, recap.requis_number),
        compte_service=_account(act).is_service,
        rang=rank,
        hors_plafond=hors_plafond,
        depose_le=act.depose_le,
        consentement=act.form.consentement,
    )


def _code(act: FinalisedAct) -> str:
    """The level billed by the requis; the requérant's code is the same whatever the level."""
    return (act.recap.niveau or CODE_OF_ROLE[Role.REQUIS]) if act.role is Role.REQUIS else CODE_OF_ROLE[act.role]


def _amount(act: FinalisedAct) -> Decimal | None:
    number = act.recap.requis_number if act.role is Role.REQUIS else act.recap.requerant_number
    try:
        return price(_code(act), act.finalised_at.date(), drom=is_drom(number))
    except NoTariffError:
        return None


def _account(act: FinalisedAct) -> Party:
    """The account on this role's side of the conversation."""
    return act.request.requis if act.role is Role.REQUIS else act.request.in_name_of


def _professional(party: Party, number: BillingNumber) -> Professional:
    nom, prenom = split_name(party)
    return Professional(
        nom, prenom, party.id_nat, party.profession, number.value, number.nature if number.value else None
    )


def split_name(party: Party) -> tuple[str, str]:
    """Return family name and first name out of a display name, whose family name is in capitals.

    >>> from domain.identifiers import AccountId
    >>> split_name(Party(AccountId("ps:8"), "Dr Marie-Lou DE LA TOUR"))
    ('DE LA TOUR', 'Marie-Lou')
    """
    words = party.name.split()
    if party.is_service or not words:
        return party.name, ""
    if words[0].casefold() in _TITLES:
        words = words[1:]
    family = next((at for at, word in enumerate(words) if len(word) > 1 and word.isupper()), None)
    if family is None:
        return " ".join(words), ""
    return " ".join(words[family:]), " ".join(words[:family])
