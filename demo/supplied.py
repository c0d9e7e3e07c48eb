"""The demonstration's own people and services, read from `demo/data`: who they are, and who acts for whom."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from demo.activities import expert_texts
from domain.identifiers import AccountId, person_account, service_account
from protocol.resources import DirectoryEntry, ExpertPreferences

ALL_RIGHTS = ("lire", "repondre", "finaliser", "exporter")
"""What a full member of an account may do (protocol.resources)."""
ADMINISTRATOR = "PS39"
"""Answers for the services that nobody is a member of."""
_LINK = "https://tle.example/e/"


class Grant(msgspec.Struct, frozen=True):
    """Someone's rights on an entry's account."""

    account: AccountId
    rights: tuple[str, ...]


class Line(msgspec.Struct, frozen=True):
    """One line of the relay's directory file (server.loading)."""

    entry: DirectoryEntry
    members: tuple[Grant, ...] = ()
    delegations: tuple[Grant, ...] = ()


@dataclass(frozen=True, slots=True)
class _Person:
    row: dict[str, str]
    id_nat: str

    @property
    def account(self) -> AccountId:
        return person_account(self.id_nat)

    @property
    def name(self) -> str:
        title = "Dr " if self.row["code_profession"] == "10" else ""
        return f"{title}{self.row['prenom']} {self.row['nom']}"


def read_csv(name: str) -> list[dict[str, str]]:
    """Return the rows of a supplied CSV file."""
    return list(csv.DictReader(io.StringIO(_text(name))))


def read_json(name: str) -> Any:
    """Return what a supplied JSON file holds."""
    return json.loads(_text(name))


def _text(name: str) -> str:
    return resources.files("demo").joinpath("data", *name.split("/")).read_text("utf-8")


@cache
def _people() -> dict[str, _Person]:
    cards = {card["porteur"]: card for card in read_json("cartes_cps_virtuelles.json")}
    return {
        row["id"]: _Person(row, row["idnat_ps"] or _employee_id(row, cards)) for row in read_csv("professionnels.csv")
    }


def _employee_id(row: dict[str, str], cards: dict[str, dict[str, str]]) -> str:
    """Type 3: the establishment's FINESS, then the internal number (domain.md 2.5), the card's last digits here."""
    card = cards.get(row["id"], {}).get("numero_carte", f"DEMO{row['id'][2:]:0>10}")
    return f"3{row['finess_geographique']}/{card[-4:]}"


def account_of(code: str) -> AccountId:
    """Return the account of a supplied person (`PS02`) or service (`SV01`)."""
    return service_account(code) if code.startswith("SV") else _people()[code].account


def responsible_of(service: str) -> AccountId:
    """Return who vouches for a service's key: its first member, else the establishment's administrator."""
    return _responsibles()[service]


@cache
def _responsibles() -> dict[str, AccountId]:
    return {row["id"]: account_of((row["membres"] or [ADMINISTRATOR])[0]) for row in read_json("comptes_service.json")}


def rpps_numbers() -> frozenset[str]:
    """Return the RPPS that the supplied people hold."""
    return frozenset(person.row["rpps"] for person in _people().values() if person.row["rpps"])


def lines() -> Iterator[Line]:
    """Yield the directory lines of the 40 people, then of the 20 services."""
    for code, person in _people().items():
        yield Line(_person_entry(code, person), delegations=_delegations(code))
    for row in read_json("comptes_service.json"):
        yield _service_line(row)


# --- people --------------------------------------------------------------------------------------------------------


def _person_entry(code: str, person: _Person) -> DirectoryEntry:
    row = person.row
    salaried = row["mode_exercice"] == "S"
    speciality = row["libelle"] if row["code_savoir_faire"] else ""
    return DirectoryEntry(
        account=person.account,
        name=person.name,
        is_service=False,
        profession=_professions()[row["code_profession"]] if speciality else row["libelle"],
        speciality=speciality,
        speciality_code=row["code_savoir_faire"],
        structure=_structures().get(row["structure"], ""),
        kind="Salarié" if salaried else "Libéral",
        town=row["ville"],
        postcode=row["code_postal"],
        departement=row["departement"],
        id_nat=person.id_nat,
        rpps=row["rpps"],
        numero_facturation=row["finess_geographique"] if salaried else "",
        preferences=_person_preferences(code, row),
    )


def _person_preferences(code: str, row: dict[str, str]) -> ExpertPreferences | None:
    published = _preferences().get(code)
    if published is None and row["role"] == "expert":
        return _plausible(code, row["code_savoir_faire"] or _professions()[row["code_profession"]], row["libelle"])
    return published


@cache
def _professions() -> dict[str, str]:
    return {row["code_profession"]: row["libelle"] for row in read_csv("ref/professions.csv") if row["table"] == "G15"}


@cache
def _structures() -> dict[str, str]:
    return {row["id"]: row["raison_sociale"] for row in read_csv("structures.csv")}


@cache
def speciality_labels() -> dict[str, str]:
    """Return the label of each speciality code: the supplied people's words first, then TRE_R38's."""
    table = {row["code_savoir_faire"]: row["libelle"].rpartition(" (")[0] for row in read_csv("ref/specialites.csv")}
    ours = {
        row["code_savoir_faire"]: row["libelle"]
        for row in read_csv("professionnels.csv")
        if row["code_savoir_faire"] and row["role"] != "remplacant"
    }
    return table | ours


# --- services ------------------------------------------------------------------------------------------------------


def _service_line(row: dict[str, Any]) -> Line:
    code, skill = row["id"], row["code_savoir_faire"]
    label = speciality_labels()[skill]
    entry = DirectoryEntry(
        account=service_account(code),
        name=row["nom"],
        is_service=True,
        speciality=label,
        speciality_code=skill,
        structure=_structures()[row["structure"]],
        kind=row["type"],
        town=row["ville"],
        postcode=row["code_postal"],
        departement=row["departement"],
        numero_facturation=row["numero_facturation"],
        members=tuple(_people()[member].name for member in row["membres"]),
        preferences=_preferences().get(code) or _plausible(code, skill, label),
    )
    members = tuple(Grant(account_of(member), ALL_RIGHTS) for member in row["membres"])
    unmanned = () if members else (Grant(account_of(ADMINISTRATOR), ALL_RIGHTS),)
    return Line(entry, members, (*unmanned, *_delegations(code, set(row["membres"]))))


def _delegations(code: str, members: Collection[str] = ()) -> tuple[Grant, ...]:
    """The rights that an account gave to others; a replacement's right to bill is no right on the account."""
    given = []
    for row in read_csv("delegations.csv"):
        rights = tuple(right for right in row["droits"].split(",") if right in ALL_RIGHTS)
        if row["compte"] == code and rights and row["beneficiaire"] not in members:
            given.append(Grant(account_of(row["beneficiaire"]), rights))
    return tuple(given)


# --- preferences ---------------------------------------------------------------------------------------------------


@cache
def _preferences() -> dict[str, ExpertPreferences]:
    """What experts published; the billing number stays out (domain.md 0.1.8)."""
    known = set(ExpertPreferences.__struct_fields__)
    return {
        row["compte"]: msgspec.convert({key: value for key, value in row.items() if key in known}, ExpertPreferences)
        for row in read_json("preferences_expert.json")
    }


def _plausible(code: str, skill: str, label: str) -> ExpertPreferences:
    """An expert who asks for nothing that blocks a request."""
    descriptif, prerequis = expert_texts(skill, label)
    return ExpertPreferences(
        annuaire=True, descriptif=descriptif, prerequis=prerequis, lien_acces_rapide=_LINK + code.lower()
    )
