"""A small region for scenarios: an authority, four practitioners with real virtual cards, and their directory.

Cards are slow to make (RSA), so a test run makes them once; every practice then works on its own copies.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from crypto.card.virtual import pki
from crypto.card.virtual.image import save_image
from crypto.card.virtual.personalise import CarteEntry, Facturation, Situation, personalise
from domain.identifiers import AccountId, person_account
from protocol.resources import DirectoryEntry, ExpertPreferences
from server.loading import Line

PIN = "1234"
WRONG_PIN = "9999"


@dataclass(frozen=True, slots=True)
class Professional:
    """Who holds a card; everything here is known to the relay's directory, or printed on the card."""

    code: str
    nom: str
    prenom: str
    id_nat: str
    numero: str
    """Of the billing situation on the card; never published."""
    speciality: str
    speciality_code: str
    town: str
    expert: bool = False

    @property
    def account(self) -> AccountId:
        """`ps:` and the national identifier."""
        return person_account(self.id_nat)

    @property
    def name(self) -> str:
        """As the directory prints it."""
        return f"Dr {self.prenom} {self.nom}"


MARIE = Professional(
    "marie", "TOURNEVENT", "Marie", "899700001011", "421990011", "Médecine générale", "SM54", "Saint-Galmier"
)
ANNE = Professional(
    "anne", "CHARLIER", "Anne", "899700001029", "421990029", "Dermatologie et vénéréologie", "SM15", "Saint-Étienne",
    expert=True,
)  # fmt: skip
PAUL = Professional(
    "paul", "GRANGEVERNE", "Paul", "899700001037", "421990037", "Cardiologie", "SM04", "Roanne", expert=True
)
LUCIE = Professional("lucie", "COMBENAUDIN", "Lucie", "899700001045", "421990045", "Médecine générale", "SM54", "Feurs")
EVERYONE = (MARIE, ANNE, PAUL, LUCIE)

PREREQUIS = "Photos nettes, de face et de profil."


@dataclass(frozen=True, slots=True)
class Region:
    """What lasts for a whole test run."""

    root: Path
    igc: pki.TestIgc

    @property
    def roots(self) -> Path:
        """The directory of trusted authorities."""
        return self.root / "roots"

    @property
    def directory(self) -> Path:
        """JSON lines for `load-directory`."""
        return self.root / "directory.jsonl"

    def card(self, who: Professional, directory: Path) -> Path:
        """A copy of somebody's card, fresh from the factory, in `directory`."""
        directory.mkdir(parents=True, exist_ok=True)
        return Path(shutil.copy(self.root / "cards" / f"{who.code}.card.json", directory))


def make_region(root: Path) -> Region:
    """Personalise the cards and write roots and directory; some two seconds."""
    now = datetime.now(UTC)
    igc = pki.generate_igc(now - timedelta(days=30))
    region = Region(root, igc)
    (root / "cards").mkdir(parents=True)
    region.roots.mkdir()
    (region.roots / "racine.der").write_bytes(igc.racine.certificate)
    for who in EVERYONE:
        issue_card(who, igc, root / "cards")
    region.directory.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in directory_lines()))
    return region


def issue_card(
    who: Professional,
    igc: pki.TestIgc,
    directory: Path,
    *,
    not_before: datetime | None = None,
    last_day: str = "",
) -> Path:
    """Make one card; a not-yet-valid or expired one when asked."""
    now = datetime.now(UTC)
    carte = CarteEntry(
        porteur=who.code,
        type="CPS",
        numero_carte=f"DEMO{who.id_nat[-10:]}",
        id_nat=who.id_nat,
        nom=who.nom,
        prenom=who.prenom,
        code_porteur=PIN,
        essais_restants=3,
        code_deblocage="99990000",
        situations_exercice=(Situation(1, f"CABINET {who.nom}", "L"),),
        situations_facturation=(Facturation(1, f"Cabinet {who.town}", who.numero, who.speciality_code, "421"),),
        validite_fin=last_day or f"{now + timedelta(days=700):%Y-%m-%d}",
    )
    row = {"code_profession": "10", "finess_geographique": ""}
    path = directory / f"{who.code}.card.json"
    save_image(path, personalise(carte, row, igc, not_before=not_before or now - timedelta(days=20)))
    return path


def directory_lines() -> Iterator[Line]:
    """The directory: everyone with a card."""
    for who in EVERYONE:
        yield Line(
            DirectoryEntry(
                account=who.account,
                name=who.name,
                is_service=False,
                profession="Médecin",
                speciality=who.speciality,
                speciality_code=who.speciality_code,
                kind="Libéral",
                town=who.town,
                postcode="42000",
                departement="42",
                id_nat=who.id_nat,
                rpps=who.id_nat[1:],
                preferences=ExpertPreferences(annuaire=True, prerequis=PREREQUIS) if who.expert else None,
            )
        )
