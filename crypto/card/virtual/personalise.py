"""Make the virtual cards of the demonstration: one image per person, and the authorities that issued them.

    python -m crypto.card.virtual.personalise --cartes cartes.json --professionnels professionnels.csv --out DIR

Everything drawn by chance (keys) is drawn once: a second run keeps the authorities and the images that exist, so a
card blocked yesterday is still blocked. `--fresh` starts over.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from crypto.card.port import SituationExercice, SituationFacturation
from crypto.card.profiles import CPS3
from crypto.card.virtual import keys, pki
from crypto.card.virtual.filesystem import CardContents, build_files
from crypto.card.virtual.image import CardImage, CodeState, ImageKey, save_image
from crypto.certificates import CardType

IGC_FILE = "igc.json"
"""Both authorities with their keys, mode 0600."""
ROOT_FILE = "racine.der"
"""The root alone, for whoever must trust it."""
IMAGE_SUFFIX = ".card.json"
SERIAL_DIGITS = 10

PROFESSIONS: Mapping[str, str] = {
    "10": "Médecin",
    "21": "Pharmacien",
    "40": "Chirurgien-Dentiste",
    "50": "Sage-Femme",
    "60": "Infirmier",
    "70": "Masseur-Kinésithérapeute",
    "80": "Pédicure-Podologue",
    "91": "Orthophoniste",
}
"""Nomenclature G15, the codes that the demonstration uses, in the words of the certificates' `title`."""


class Situation(msgspec.Struct, frozen=True):
    """A practice situation as the demonstration data has it."""

    rang: int
    structure: str
    mode: str


class Facturation(msgspec.Struct, frozen=True):
    """A billing situation as the demonstration data has it; `convention` and `zone_ik` are not on the card."""

    rang: int
    libelle: str
    numero_facturation: str
    specialite: str
    code_caisse: str


class CarteEntry(msgspec.Struct, frozen=True):
    """One entry of `cartes_cps_virtuelles.json`."""

    porteur: str
    type: str
    numero_carte: str
    id_nat: str
    nom: str
    prenom: str
    code_porteur: str
    essais_restants: int
    code_deblocage: str
    situations_exercice: tuple[Situation, ...]
    situations_facturation: tuple[Facturation, ...]
    validite_fin: str
    """ISO date; the card is valid until the end of that day, UTC."""


@dataclass(frozen=True, slots=True)
class DemoCards:
    """What a personalisation left in its directory."""

    directory: Path
    roots: tuple[bytes, ...]
    """Trusted roots, DER: for the relying party, not for the card."""
    images: Mapping[str, Path]
    """Card image by `porteur` (`PS01`)."""


def read_cartes(path: Path) -> tuple[CarteEntry, ...]:
    """Read the card entries of the demonstration data. Raises OSError, msgspec.ValidationError."""
    return msgspec.json.decode(path.read_bytes(), type=tuple[CarteEntry, ...])


def read_professionnels(path: Path) -> Mapping[str, Mapping[str, str]]:
    """Read `professionnels.csv` by its `id` column."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def holder_of(carte: CarteEntry, professionnel: Mapping[str, str]) -> pki.Holder:
    """Say whom a card is issued to.

    A person without national identifier (CPE, or CPS of an administrator) is known by the structure: `3`, FINESS,
    `/` and the last four digits of the card number.

    Args:
        carte: the card.
        professionnel: the row of the same person; only the profession and the FINESS are taken from it.
    """
    profession = professionnel.get("code_profession", "")
    by_structure = not carte.id_nat
    finess = professionnel.get("finess_geographique", "")
    if by_structure and not finess:
        raise ValueError(f"{carte.porteur} has neither national identifier nor FINESS")
    return pki.Holder(
        card_type=CardType.CPE if by_structure else CardType(carte.type),
        id_nat=f"3{finess}/{carte.numero_carte[-4:]}" if by_structure else carte.id_nat,
        nom=carte.nom,
        prenom=carte.prenom,
        title="" if by_structure else PROFESSIONS.get(profession, ""),
        profession="" if by_structure else profession,
    )


def personalise(
    carte: CarteEntry, professionnel: Mapping[str, str], igc: pki.TestIgc, *, not_before: datetime
) -> CardImage:
    """Make the memory of one card: keys, certificates, files and codes.

    Args:
        carte: what to write on it.
        professionnel: the row of the same person in `professionnels.csv`.
        igc: the issuing hierarchy.
        not_before: start of validity, with a time zone.

    Returns:
        An image as it leaves the factory, but for the tries that `essais_restants` takes away.
    """
    holder = holder_of(carte, professionnel)
    private_keys = {usage: keys.generate_private_key() for usage in pki.Usage}
    not_after = datetime.fromisoformat(carte.validite_fin).replace(tzinfo=UTC) + timedelta(days=1, seconds=-1)
    certificates = {
        usage: pki.issue_certificate(
            igc.personnes, holder, key, usage, not_before=min(not_before, not_after), not_after=not_after
        )
        for usage, key in private_keys.items()
    }
    return CardImage(
        numero_carte=carte.numero_carte,
        atr=CPS3.atr,
        pin=CodeState(carte.code_porteur, carte.essais_restants),
        puk=CodeState(carte.code_deblocage, 3),
        keys=(
            ImageKey(CPS3.signature.reference, private_keys[pki.Usage.SIGNATURE], authenticates=False),
            ImageKey(CPS3.authentication.reference, private_keys[pki.Usage.AUTHENTICATION], authenticates=True),
        ),
        files=build_files(_contents(carte, certificates, igc)),
    )


def personalise_demo(
    cartes: Path, professionnels: Path, directory: Path, *, now: datetime, fresh: bool = False
) -> DemoCards:
    """Make, or complete, the cards of the demonstration in a directory.

    Args:
        cartes: `cartes_cps_virtuelles.json`.
        professionnels: `professionnels.csv`.
        directory: where the images go; created with mode 0700.
        now: certificates are valid from the day before.
        fresh: replace the authorities and all images.

    Returns:
        The roots and the images. Some 10 s for 39 new cards on two cores.
    """
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    igc, is_new = _load_or_make_igc(directory, now, fresh=fresh)
    entries, people = read_cartes(cartes), read_professionnels(professionnels)
    images = {entry.porteur: directory / f"{entry.porteur}{IMAGE_SUFFIX}" for entry in entries}

    def make(entry: CarteEntry) -> None:
        path = images[entry.porteur]
        if is_new or not path.exists():
            not_before = now - timedelta(days=1)
            save_image(path, personalise(entry, people.get(entry.porteur, {}), igc, not_before=not_before))

    with ThreadPoolExecutor() as pool:
        list(pool.map(make, entries))
    return DemoCards(directory, igc.roots, images)


def load_demo(directory: Path) -> DemoCards:
    """Find the cards that `personalise_demo` made. Raises OSError when there are none."""
    images = {path.name.removesuffix(IMAGE_SUFFIX): path for path in sorted(directory.glob(f"*{IMAGE_SUFFIX}"))}
    return DemoCards(directory, ((directory / ROOT_FILE).read_bytes(),), images)


def load_igc(directory: Path) -> pki.TestIgc:
    """Find the authorities that `personalise_demo` made, to issue one more card. Raises OSError when there are none."""
    return msgspec.json.decode((directory / IGC_FILE).read_bytes(), type=pki.TestIgc)


def _load_or_make_igc(directory: Path, now: datetime, *, fresh: bool) -> tuple[pki.TestIgc, bool]:
    path = directory / IGC_FILE
    if path.exists() and not fresh:
        return load_igc(directory), False
    igc = pki.generate_igc(now)
    path.touch(mode=0o600)
    path.write_bytes(msgspec.json.encode(igc))
    (directory / ROOT_FILE).write_bytes(igc.racine.certificate)
    return igc, True


def _contents(carte: CarteEntry, certificates: Mapping[pki.Usage, bytes], igc: pki.TestIgc) -> CardContents:
    return CardContents(
        numero=_card_digits(carte.numero_carte),
        signature_certificate=certificates[pki.Usage.SIGNATURE],
        authentication_certificate=certificates[pki.Usage.AUTHENTICATION],
        issuer_certificates=(igc.personnes.certificate,),
        situations_exercice=tuple(
            SituationExercice(one.rang, one.structure, one.mode) for one in carte.situations_exercice
        ),
        situations_facturation=tuple(
            SituationFacturation(one.rang, one.libelle, one.numero_facturation, one.specialite, one.code_caisse)
            for one in carte.situations_facturation
        ),
    )


def _card_digits(numero_carte: str) -> str:
    """EF.SN has room for digits only: `DEMO0000000001` becomes `0000000001`."""
    digits = "".join(character for character in numero_carte if character.isdigit())
    return digits[-SERIAL_DIGITS:].rjust(SERIAL_DIGITS, "0")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; prints one image path per line."""
    parser = argparse.ArgumentParser(prog="python -m crypto.card.virtual.personalise", description=__doc__)
    parser.add_argument("--cartes", type=Path, required=True)
    parser.add_argument("--professionnels", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--fresh", action="store_true", help="replace the authorities and all cards")
    options = parser.parse_args(arguments)
    now = datetime.now(UTC)
    made = personalise_demo(options.cartes, options.professionnels, options.out, now=now, fresh=options.fresh)
    for path in made.images.values():
        print(path)  # noqa: T201 - stdout is data
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
