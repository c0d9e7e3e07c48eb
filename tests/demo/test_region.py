"""The demonstration directory: loadable by the relay, the same every time, and nobody real in it."""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path

import msgspec
import pytest
from stdnum import luhn

from client.identity_checks import billing_number_warnings, id_nat_warnings, rpps_warnings
from demo.region import directory, generated, main, with_luhn_key, write_directory
from demo.supplied import (
    ALL_RIGHTS,
    Grant,
    Line,
    account_of,
    lines,
    read_csv,
    read_json,
    responsible_of,
    rpps_numbers,
)
from demo.towns import SHARE_OF_DEPARTEMENT, towns_of
from domain.identifiers import AccountId
from domain.practitioners import NumberNature
from protocol.resources import DirectoryEntry
from server.loading import parse


@cache
def everyone() -> tuple[Line, ...]:
    return tuple(directory())


@cache
def supplied() -> dict[str, Line]:
    codes = [row["id"] for row in (*read_csv("professionnels.csv"), *read_json("comptes_service.json"))]
    return dict(zip(codes, lines(), strict=True))


def made_up() -> list[DirectoryEntry]:
    return [line.entry for line in everyone()[60:]]


# --- the file ------------------------------------------------------------------------------------------------------


def test_the_relay_accepts_every_line(tmp_path: Path) -> None:
    path = tmp_path / "directory.jsonl"
    assert write_directory(path) == 5260
    read = list(parse(path.read_bytes().splitlines()))
    assert [line.entry for line in read] == [line.entry for line in everyone()]
    assert sum(len(line.members) for line in read) == 13


def test_the_same_seed_gives_the_same_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "a"), "--people", "200"]) == main([str(tmp_path / "b"), "--people", "200"]) == 0
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert main([str(tmp_path / "c"), "--people", "200", "--seed", "1"]) == 0
    assert (tmp_path / "a").read_bytes() != (tmp_path / "c").read_bytes()
    assert capsys.readouterr() == ("", "260 lines\n" * 3)


def test_accounts_are_all_different() -> None:
    counted = Counter(line.entry.account for line in everyone())
    assert max(counted.values()) == 1
    assert len(counted) >= 5_000


def test_no_am_number_of_a_liberal_is_published() -> None:
    """The ANS publishes none (domain.md 0.1.8)."""
    text = b"\n".join(msgspec.json.encode(line) for line in everyone()).decode()
    numbers = [row["numero_am"] for row in read_csv("professionnels.csv") if row["numero_am"]]
    assert len(numbers) > 20
    assert not [number for number in numbers if number in text]
    assert not [line for line in everyone() if line.entry.kind == "Libéral" and line.entry.numero_facturation]


# --- the supplied people and services -------------------------------------------------------------------------------


def test_an_expert_is_as_supplied() -> None:
    entry = supplied()["PS02"].entry
    assert entry.account == "ps:899700001029"
    assert (entry.name, entry.profession, entry.speciality) == (
        "Dr Anne CHARLIER",
        "Médecin",
        "Dermatologie et vénéréologie",
    )
    assert entry.preferences is not None
    assert entry.preferences.min_photos == 3
    assert supplied()["PS02"].delegations == (Grant(AccountId("ps:3429901044/0038"), ALL_RIGHTS),)


def test_people_without_a_national_number_are_known_by_establishment() -> None:
    assert supplied()["PS38"].entry.id_nat == "3429901044/0038"
    assert account_of("PS39") == "ps:3389901034/0039"
    assert all(id_nat_warnings(line.entry.id_nat) == () for line in everyone() if not line.entry.is_service)


def test_every_expert_of_the_demonstration_says_what_he_does() -> None:
    experts = [row["id"] for row in read_csv("professionnels.csv") if row["role"] == "expert"]
    for code in (*experts, *(f"SV{number:02d}" for number in range(1, 21))):
        preferences = supplied()[code].entry.preferences
        assert preferences is not None
        assert preferences.descriptif
        assert preferences.annuaire is (code != "PS20")
    assert supplied()["PS01"].entry.preferences is None


def test_a_service_has_its_members_and_delegates() -> None:
    line = supplied()["SV09"]
    assert line.entry.members == ("Dr Étienne ROUSSET",)
    assert line.members == (Grant(account_of("PS11"), ALL_RIGHTS),)
    assert line.delegations == (Grant(account_of("PS38"), ("lire", "finaliser", "exporter")),)


def test_someone_answers_for_every_service() -> None:
    """A key is published by a member with the right to answer (server.keys)."""
    for code, line in supplied().items():
        if code.startswith("SV"):
            grants = {grant.account: grant.rights for grant in (*line.members, *line.delegations)}
            assert "repondre" in grants[responsible_of(code)]
    assert responsible_of("SV02") == account_of("PS39")
    assert responsible_of("SV03") == account_of("PS07")


def test_the_right_of_a_replacement_to_bill_is_no_right_on_the_account() -> None:
    assert supplied()["PS01"].delegations == ()


# --- the made-up ones ----------------------------------------------------------------------------------------------


def test_numbers_are_fictional_with_right_keys() -> None:
    for entry in made_up():
        assert entry.rpps.startswith("99705")
        assert rpps_warnings(entry.rpps) == ()
        assert entry.rpps not in rpps_numbers() | {"99700245667"}
        assert entry.account == f"ps:8{entry.rpps}"
        assert entry.numero_facturation[2:4] in {"", "99"}
        assert billing_number_warnings(entry.numero_facturation, NumberNature.FINESS) == ()


def test_establishments_do_not_share_a_number_with_another_nor_with_the_supplied() -> None:
    named = {(entry.numero_facturation, entry.departement) for entry in made_up() if entry.numero_facturation}
    known = {row["finess_geo"] for row in read_csv("structures.csv")}
    assert not known & {number for number, _departement in named}
    assert len(named) == len({number for number, _departement in named})


def test_each_department_has_towns_of_its_own() -> None:
    assert sum(len(towns_of(departement)) for departement in SHARE_OF_DEPARTEMENT) >= 120
    for departement in SHARE_OF_DEPARTEMENT:
        odd = [town.name for town in towns_of(departement) if not town.postcode.startswith(departement)]
        assert odd == []
        assert all(len(town.postcode) == 5 and town.name for town in towns_of(departement))


def test_the_region_looks_like_one() -> None:
    people = made_up()
    places = Counter(entry.departement for entry in people)
    assert set(places) == set(SHARE_OF_DEPARTEMENT)
    assert places.most_common(1)[0][0] == "69"
    trades = Counter(entry.profession for entry in people)
    assert trades.most_common(2)[0][0] == "Médecin"
    assert len(trades) >= 9
    experts = [entry for entry in people if entry.preferences]
    assert 300 < len(experts) < 1_200
    assert all(entry.preferences and entry.preferences.annuaire for entry in experts)
    assert len({entry.name for entry in people}) > 4_500


def test_few_are_asked_and_few_are_given() -> None:
    assert len(list(generated(30))) == 30
    assert {entry.departement for entry in generated(12)} == set(SHARE_OF_DEPARTEMENT)


def test_the_key_is_luhn() -> None:
    assert with_luhn_key("9970000101") == "99700001011"
    assert luhn.is_valid(with_luhn_key("749901"))
