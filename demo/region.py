"""A regional directory to try the relay with: thousands of made-up professionals around the demonstration's own.

    python -m demo.region directory.jsonl

The same seed gives the same file. Nobody in it exists: see demo/data/README.md for the ranges of numbers.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec
from stdnum import luhn

from demo.activities import expert_texts
from demo.names import family_name, first_name
from demo.supplied import Line, lines, speciality_labels
from demo.towns import SHARE_OF_DEPARTEMENT, Town, towns_of
from domain.identifiers import person_account
from protocol.resources import DirectoryEntry, ExpertPreferences

SEED = 20_261_122
PEOPLE = 5_200
_FIRST_NUMBER = 500_000
"""RPPS are `9970`, six digits from here, key: clear of the supplied people and of the ANS test cards."""
_FIRST_FINESS = 5_000
"""FINESS are the department, `99`, four digits from here, key."""


@dataclass(frozen=True, slots=True)
class _Trade:
    """A profession and speciality, how common, and how often expert or salaried."""

    profession: str
    code: str
    """Speciality of TRE_R38, or empty."""
    share: int
    """Per thousand of the region."""
    expert: float
    salaried: float


_TRADES = (
    _Trade("Médecin", "SM54", 270, 0.01, 0.15),
    _Trade("Médecin", "SM15", 14, 0.5, 0.2),
    _Trade("Médecin", "SM04", 22, 0.4, 0.5),
    _Trade("Médecin", "SM24", 14, 0.35, 0.5),
    _Trade("Médecin", "SM62", 12, 0.45, 0.5),
    _Trade("Médecin", "SM18", 14, 0.5, 0.95),
    _Trade("Médecin", "SM20", 18, 0.3, 0.5),
    _Trade("Médecin", "SM21", 7, 0.5, 0.95),
    _Trade("Médecin", "SM27", 9, 0.5, 0.95),
    _Trade("Médecin", "SM30", 8, 0.5, 0.8),
    _Trade("Médecin", "SM32", 14, 0.4, 0.6),
    _Trade("Médecin", "SM34", 10, 0.3, 0.35),
    _Trade("Médecin", "SM36", 8, 0.4, 0.8),
    _Trade("Médecin", "SM38", 18, 0.25, 0.25),
    _Trade("Médecin", "SM40", 20, 0.35, 0.6),
    _Trade("Médecin", "SM41", 12, 0.4, 0.65),
    _Trade("Médecin", "SM42", 34, 0.2, 0.6),
    _Trade("Médecin", "SM44", 24, 0.1, 0.4),
    _Trade("Médecin", "SM48", 11, 0.4, 0.4),
    _Trade("Médecin", "SM57", 6, 0.5, 0.3),
    _Trade("Médecin", "SM58", 6, 0.6, 0.95),
    _Trade("Médecin", "SM61", 8, 0.4, 0.4),
    _Trade("Médecin", "SM02", 26, 0.02, 0.8),
    _Trade("Médecin", "SM59", 15, 0.0, 1.0),
    _Trade("Infirmier", "", 150, 0.0, 0.35),
    _Trade("Masseur-Kinésithérapeute", "", 85, 0.0, 0.15),
    _Trade("Pharmacien", "", 55, 0.0, 0.3),
    _Trade("Chirurgien-Dentiste", "", 40, 0.02, 0.1),
    _Trade("Sage-Femme", "", 25, 0.1, 0.6),
    _Trade("Orthophoniste", "", 25, 0.0, 0.2),
    _Trade("Pédicure-Podologue", "", 13, 0.0, 0.05),
    _Trade("Orthoptiste", "", 7, 0.0, 0.3),
)
_DOCTORS = frozenset({"Médecin", "Chirurgien-Dentiste"})
_PLACES = ("CH FICTIF", "CLINIQUE FICTIVE", "CENTRE DE SANTE FICTIF", "EHPAD FICTIF")
_HOSPITAL_RANKS = 4
"""Only the largest towns of a department have a hospital."""


def generated(count: int = PEOPLE, *, seed: int = SEED) -> Iterator[DirectoryEntry]:
    """Yield `count` made-up professionals, the same for the same seed; every department has some."""
    random = Random(seed)
    departements = list(SHARE_OF_DEPARTEMENT)
    chosen = departements + random.choices(departements, list(SHARE_OF_DEPARTEMENT.values()), k=count)
    for number, departement in enumerate(chosen[:count]):
        towns = towns_of(departement)
        town = random.choices(towns, [1 / (each.rank + 2) for each in towns])[0]
        trade = random.choices(_TRADES, [each.share for each in _TRADES])[0]
        yield _entry(number, trade, town, random)


def _entry(number: int, trade: _Trade, town: Town, random: Random) -> DirectoryEntry:
    rpps = with_luhn_key(f"9970{_FIRST_NUMBER + number:06d}")
    salaried = random.random() < trade.salaried
    place = random.choice(_PLACES if town.rank < _HOSPITAL_RANKS else _PLACES[2:]) if salaried else ""
    title = "Dr " if trade.profession in _DOCTORS else ""
    return DirectoryEntry(
        account=person_account(f"8{rpps}"),
        name=f"{title}{first_name(random)} {family_name(random)}",
        is_service=False,
        profession=trade.profession,
        speciality=speciality_labels()[trade.code] if trade.code else "",
        speciality_code=trade.code,
        structure=f"{place} - {town.name.upper()}" if place else "",
        kind="Salarié" if salaried else "Libéral",
        town=town.name,
        postcode=town.postcode,
        departement=town.departement,
        id_nat=f"8{rpps}",
        rpps=rpps,
        numero_facturation=_finess(town, place) if place else "",
        preferences=_preferences(trade, rpps, random) if random.random() < trade.expert else None,
    )


def with_luhn_key(digits: str) -> str:
    """Return `digits` followed by their Luhn key (domain.md 2.1)."""
    return digits + luhn.calc_check_digit(digits)


def _finess(town: Town, place: str) -> str:
    """One number per place and town."""
    return with_luhn_key(f"{town.departement}99{_FIRST_FINESS + 10 * town.rank + _PLACES.index(place):04d}")


def _preferences(trade: _Trade, rpps: str, random: Random) -> ExpertPreferences:
    descriptif, prerequis = expert_texts(trade.code or trade.profession, trade.profession)
    strict = random.random()
    return ExpertPreferences(
        annuaire=True,
        descriptif=descriptif,
        prerequis=prerequis,
        patient_obligatoire=strict > 0.3,
        nir_obligatoire=strict > 0.6,
        facturation_requerant_obligatoire=strict > 0.5,
        min_photos=random.choice((0, 1, 2, 3)) if trade.code == "SM15" else 0,
        lien_acces_rapide=f"https://tle.example/e/{rpps}",
    )


def directory(count: int = PEOPLE, *, seed: int = SEED) -> Iterator[Line]:
    """Yield the whole directory: the supplied people and services, then `count` made-up professionals."""
    yield from lines()
    for entry in generated(count, seed=seed):
        yield Line(entry)


def write_directory(path: Path, *, count: int = PEOPLE, seed: int = SEED) -> int:
    """Write the directory as JSON lines for `python -m server load-directory`; return how many lines.

    Raises:
        OSError: the file cannot be written.
    """
    encoder = msgspec.json.Encoder()
    texts = [encoder.encode(line) for line in directory(count, seed=seed)]
    path.write_bytes(b"".join(text + b"\n" for text in texts))
    return len(texts)


def main(arguments: Iterable[str] | None = None) -> int:
    """Write the directory named on the command line; the count goes to stderr, data alone to the file."""
    parser = argparse.ArgumentParser(prog="python -m demo.region", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("out", type=Path, help="file of JSON lines to write")
    parser.add_argument("--people", type=int, default=PEOPLE, help="made-up professionals (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=SEED)
    options = parser.parse_args(None if arguments is None else list(arguments))
    written = write_directory(options.out, count=options.people, seed=options.seed)
    print(f"{written} lines", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
