"""Warnings on identifiers: the supplied vectors, the pastes people make, and python-stdnum as the oracle of keys."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import luhn
from stdnum.fr import nir

from client.identity_checks import (
    billing_number_warnings,
    display_nir,
    guess_nature,
    id_nat_warnings,
    mask_nir,
    nir_warnings,
    normalise_nir,
    rpps_warnings,
    siren_warnings,
    siret_warnings,
)
from domain.practitioners import NumberNature

VECTORS = json.loads((resources.files("demo") / "data" / "test_vectors.json").read_text("utf-8"))

CHECKS: dict[str, Callable[[str], tuple[str, ...]]] = {
    "nir": nir_warnings,
    "rpps": rpps_warnings,
    "idnat_ps": id_nat_warnings,
    "adeli_or_am": lambda text: billing_number_warnings(text, NumberNature.AM),
    "finess": lambda text: billing_number_warnings(text, NumberNature.FINESS),
    "siren": siren_warnings,
    "siret": siret_warnings,
}


def test_every_family_of_vectors_is_checked() -> None:
    assert set(VECTORS) == set(CHECKS)


@pytest.mark.parametrize(
    ("family", "text"), [(family, text) for family in VECTORS for text in VECTORS[family]["valid"]]
)
def test_a_right_number_raises_no_warning(family: str, text: str) -> None:
    assert CHECKS[family](text) == ()


@pytest.mark.parametrize(
    ("family", "text", "reason"),
    [(family, text, reason) for family in VECTORS for text, reason in VECTORS[family]["invalid"]],
)
def test_a_wrong_number_raises_a_warning(family: str, text: str, reason: str) -> None:
    assert CHECKS[family](text) != (), reason


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
def test_an_absent_number_raises_no_warning(check: Callable[[str], tuple[str, ...]]) -> None:
    assert check("") == check(" \u00a0") == ()


@pytest.mark.parametrize(
    "pasted",
    [
        "2 58 04 69 992 001 30",
        "2.58.04.69.992.001.30",
        "2\u202f58\u00a004 69992 001-30\n",
        "\u200b258046999200130",
        "２５８０４６９９９２００１３０",
    ],
)
def test_a_pasted_nir_is_understood(pasted: str) -> None:
    assert normalise_nir(pasted) == "258046999200130"
    assert nir_warnings(pasted) == ()


def test_each_fault_of_a_nir_has_its_own_words() -> None:
    assert nir_warnings("2580469992001") == ("NIR : la clé (2 chiffres) manque.",)
    assert nir_warnings("25804") == ("NIR : 15 caractères attendus, 5 saisis.",)
    assert nir_warnings("258046999200131") == ("NIR : la clé ne correspond pas au numéro.",)
    assert nir_warnings("058046999200133") == ("NIR : le premier chiffre doit être 1, 2, 3, 4, 7 ou 8.",)
    assert nir_warnings("258136999200177") == ("NIR : le mois de naissance 13 n'existe pas.",)
    assert nir_warnings("A58046999200130") == ("NIR : des chiffres sont attendus, sauf 2A ou 2B pour la Corse.",)


def test_digits_of_another_script_are_not_digits() -> None:
    eastern_arabic = "258046999200130".translate({ord("0") + value: 0x0660 + value for value in range(10)})
    assert nir_warnings(eastern_arabic) != ()


def test_a_nir_is_shown_in_groups_and_masked_in_lists() -> None:
    assert display_nir("258044299100707") == "2 58 04 42 991 007 07"
    assert display_nir("175052a99103626") == "1 75 05 2A 991 036 26"
    assert display_nir("2580") == "2 58 0"
    assert mask_nir("258044299100707") == "2 58 04 •• ••• ••• ••"
    assert mask_nir("") == display_nir("") == ""


@given(st.text(max_size=40))
def test_nothing_typed_breaks_a_check(text: str) -> None:
    for check in CHECKS.values():
        assert all(isinstance(warning, str) for warning in check(text))


@given(st.text("0123456789AB .\u00a0", max_size=40))
def test_showing_loses_nothing_and_masking_shows_five_characters(text: str) -> None:
    assert normalise_nir(display_nir(text)) == normalise_nir(text)
    assert not set(mask_nir(text)[len("2 58 04") :]) & set("0123456789AB")


@given(st.from_regex(r"[12][0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[1-8][0-9]|2[AB])[0-9]{6}", fullmatch=True))
def test_the_key_of_python_stdnum_is_the_key_we_accept(number: str) -> None:
    key = nir.calc_check_digits(number)
    assert nir_warnings(number + key) == ()
    assert nir_warnings(f"{number}{(int(key) + 1) % 100:02d}") != ()


@given(st.from_regex(r"[0-9]{10}", fullmatch=True))
def test_only_one_key_suits_an_rpps(number: str) -> None:
    key = luhn.calc_check_digit(number)
    suited = [digit for digit in "0123456789" if rpps_warnings(number + digit) == ()]
    assert suited == [key]


def test_corsican_finess_is_checked_on_form_alone() -> None:
    assert billing_number_warnings("2A0000014", NumberNature.FINESS) == ()
    assert billing_number_warnings("2C0000014", NumberNature.FINESS) != ()
    assert billing_number_warnings("2A0000014", NumberNature.AM) != ()


def test_an_employee_is_identified_by_establishment_and_internal_number() -> None:
    assert id_nat_warnings("3630013605/2100056TEST") == ()
    assert id_nat_warnings("3630013606/2100056TEST") == ("FINESS : la clé ne correspond pas au numéro.",)
    assert id_nat_warnings("3") == ("Identifiant national : le numéro manque.",)


@pytest.mark.parametrize(
    ("number", "mode", "expected"),
    [
        ("421990029", "L", NumberNature.AM),
        ("749901013", "S", NumberNature.FINESS),
        ("630013605", "", NumberNature.FINESS),
        ("2A0000014", "", NumberNature.FINESS),
        ("421990029", "", NumberNature.AM),
        ("630013605", "L", NumberNature.AM),
        ("", "", NumberNature.AM),
    ],
)
def test_the_nature_of_a_number_is_guessed(number: str, mode: str, expected: NumberNature) -> None:
    assert guess_nature(number, mode) is expected
