"""Cards made from the demonstration data: whom they speak for, and that a second run changes nothing."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from crypto.card.inprocess import InProcessCardPort
from crypto.card.virtual.image import load_image, save_image
from crypto.card.virtual.personalise import holder_of, load_demo, personalise_demo
from crypto.certificates import CardType, verify_card_certificate
from tests.crypto.card.desk import NOW, PHYSICIAN, ROWS, SECRETARY


@pytest.fixture
def sources(tmp_path: Path) -> tuple[Path, Path]:
    cartes, professionnels = tmp_path / "cartes.json", tmp_path / "professionnels.csv"
    cartes.write_bytes(msgspec.json.encode([PHYSICIAN, SECRETARY]))
    lines = ["id,code_profession,finess_geographique"]
    lines += [f"{key},{row['code_profession']},{row['finess_geographique']}" for key, row in ROWS.items()]
    professionnels.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return cartes, professionnels


def test_a_personalised_card_passes_the_checks_of_a_real_one(sources: tuple[Path, Path], tmp_path: Path) -> None:
    made = personalise_demo(*sources, tmp_path / "cartes", now=NOW)
    port = InProcessCardPort([("Lecteur", made.images["PS02"])])
    identity = port.identity("Lecteur")
    subject = verify_card_certificate(
        identity.authentication_certificate, identity.issuer_certificates, made.roots, at=NOW
    )
    assert (subject.id_nat, subject.nom, subject.prenom, subject.title) == (
        "899700001029",
        "CHARLIER",
        "Anne",
        "Médecin",
    )


def test_a_second_run_keeps_the_authorities_and_a_blocked_card(sources: tuple[Path, Path], tmp_path: Path) -> None:
    made = personalise_demo(*sources, tmp_path / "cartes", now=NOW)
    memory = load_image(made.images["PS02"])
    save_image(made.images["PS02"], replace(memory, pin=replace(memory.pin, tries_left=0)))
    again = personalise_demo(*sources, tmp_path / "cartes", now=NOW + timedelta(days=1))
    assert again == made
    assert load_image(again.images["PS02"]).pin.tries_left == 0
    assert load_demo(tmp_path / "cartes") == made


def test_a_fresh_run_replaces_everything(sources: tuple[Path, Path], tmp_path: Path) -> None:
    made = personalise_demo(*sources, tmp_path / "cartes", now=NOW)
    again = personalise_demo(*sources, tmp_path / "cartes", now=NOW, fresh=True)
    assert again.roots != made.roots


def test_secrets_are_readable_by_their_owner_only(sources: tuple[Path, Path], tmp_path: Path) -> None:
    made = personalise_demo(*sources, tmp_path / "cartes", now=NOW)
    for path in (*made.images.values(), made.directory / "igc.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(made.directory.stat().st_mode) == 0o700


def test_a_person_without_national_identifier_is_known_by_the_structure() -> None:
    holder = holder_of(SECRETARY, ROWS["PS38"])
    assert (holder.card_type, holder.id_nat, holder.title) == (CardType.CPE, "3429901044/0038", "")


def test_a_person_with_neither_identifier_nor_structure_gets_no_card() -> None:
    with pytest.raises(ValueError, match="PS38"):
        holder_of(SECRETARY, {})


def test_an_image_of_another_version_is_refused(image: Path) -> None:
    save_image(image, replace(load_image(image), version=99))
    with pytest.raises(ValueError, match="version 99"):
        load_image(image)


def test_the_codes_and_keys_of_a_card_do_not_show_in_its_repr(image: Path) -> None:
    memory = load_image(image)
    assert "1234" not in repr(memory.pin)
    assert "private_key" not in repr(memory.keys)
