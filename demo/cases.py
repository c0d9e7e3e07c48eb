"""The demonstration's cases as a script: who does what to which case, and when. Pure: data in, a list of steps out."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from demo.supplied import read_json


class Step(StrEnum):
    """What happens to a case."""

    DRAFT = "draft"
    SEND = "send"
    TAKE = "take"
    ASK_MORE = "ask-more"
    GIVE_MORE = "give-more"
    ANSWER = "answer"
    THANK = "thank"
    DECLINE = "decline"
    CANCEL = "cancel"
    FINALISE = "finalise"
    READ = "read"


@dataclass(frozen=True, slots=True)
class Case:
    """One tele-expertise of `teleexpertises.json`."""

    id: str
    objet: str
    requerant: str
    expert: str
    patient: str
    question: str
    pieces_jointes: tuple[str, ...]
    reponse: str
    etat: str
    consentement: bool
    urgent: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """One step of one case."""

    at: datetime
    case: Case = field(compare=False)
    actor: str = field(compare=False)
    step: Step = field(compare=False)
    text: str = field(default="", compare=False)


_MORE = (
    "Pouvez-vous préciser l'ancienneté et joindre une photo plus nette, avec un repère de taille ?",
    "Quels traitements ont déjà été essayés, à quelle dose et combien de temps ?",
    "Merci. Il me manque le dernier bilan biologique et le poids.",
)
_GIVEN = "Voici les éléments demandés. Pas d'autre antécédent. Je reste joignable l'après-midi."
_THANKS = "Merci beaucoup pour cet avis rapide, je revois le patient cette semaine."
_PENDING_ANSWER = "Avis en cours : je regarde les pièces jointes et je vous réponds avant demain soir."


def read_cases() -> tuple[Case, ...]:
    """The cases of the demonstration."""
    return tuple(
        Case(
            id=raw["id"],
            objet=raw["objet"],
            requerant=raw["requerant"],
            expert=raw["expert"],
            patient=raw["patient"],
            question=raw["question"],
            pieces_jointes=tuple(raw["pieces_jointes"]),
            reponse=raw["reponse"],
            etat=raw["etat"],
            consentement=raw["consentement_patient"],
            urgent=raw.get("urgent", False),
        )
        for raw in read_json("teleexpertises.json")
    )


def script(cases: tuple[Case, ...], people: dict[str, str], now: datetime, *, seed: int = 20261122) -> list[Moment]:
    """Every step of every case, in the order of time, ending a little before `now`.

    Args:
        cases: what happened.
        people: account code (`PS02`, `SV03`) -> persona who acts for it; an unmanned service is absent.
        now: the present.
        seed: makes the hours repeatable.
    """
    chance = random.Random(seed)
    moments: list[Moment] = []
    for index, case in enumerate(cases):
        moments += _life(case, people.get(case.expert, ""), _start(case, index, now, chance), chance, now)
    return sorted(moments)


def _start(case: Case, index: int, now: datetime, chance: random.Random) -> datetime:
    """Closed cases are weeks old, open ones days or hours."""
    days = {"finalisee": 21 + index % 40, "refusee": 15 + index % 9, "annulee": 12 + index % 9}.get(
        case.etat, 1 + index % 6
    )
    start = now - timedelta(days=days, minutes=chance.randrange(600))
    return start.replace(hour=8 + chance.randrange(10), minute=chance.randrange(60), second=0, microsecond=0)


def _life(case: Case, expert: str, start: datetime, chance: random.Random, now: datetime) -> Iterator[Moment]:
    at = start
    latest = now - timedelta(minutes=2)

    def next_moment(actor: str, step: Step, text: str = "") -> Moment:
        nonlocal at
        moment = Moment(min(at, latest), case, actor, step, text)
        at += timedelta(minutes=20 + chance.randrange(400))
        return moment

    if case.etat == "brouillon":
        yield next_moment(case.requerant, Step.DRAFT)
        return
    yield next_moment(case.requerant, Step.SEND)
    if case.etat == "annulee":
        yield next_moment(case.requerant, Step.CANCEL, "Le patient a été vu en consultation entre-temps.")
    if not expert or case.etat in ("publiee", "annulee"):
        return
    yield from _answered(case, expert, next_moment)


def _answered(case: Case, expert: str, moment: object) -> Iterator[Moment]:
    assert callable(moment)
    match case.etat:
        case "refusee":
            yield moment(expert, Step.DECLINE, case.reponse or "Cette demande relève d'une consultation présentielle.")
            yield moment(case.requerant, Step.READ)
        case "information_demandee":
            yield moment(expert, Step.ASK_MORE, _MORE[len(case.objet) % len(_MORE)])
        case "en_cours":
            yield moment(expert, Step.TAKE)
            if len(case.objet) % 2:
                yield moment(expert, Step.ASK_MORE, _MORE[len(case.objet) % len(_MORE)])
                yield moment(case.requerant, Step.GIVE_MORE, _GIVEN)
            else:
                yield moment(expert, Step.ANSWER, case.reponse or _PENDING_ANSWER)
        case "finalisee":
            yield moment(expert, Step.TAKE)
            yield moment(expert, Step.ANSWER, case.reponse)
            yield moment(case.requerant, Step.THANK, _THANKS)
            yield moment(expert, Step.FINALISE)
            yield moment(case.requerant, Step.READ)
