"""Prices on the days when they change, and the table held against the supplied list."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta
from decimal import Decimal
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.practitioners import BillingNumber
from domain.tariffs import TARIFFS, NoTariffError, Tariff, is_drom, price


@pytest.mark.parametrize(
    ("code", "on", "drom", "expected"),
    [
        ("TE2", date(2024, 7, 12), False, "20.00"),
        ("TE2", date(2025, 12, 31), False, "20.00"),
        ("TE2", date(2025, 12, 31), True, "24.00"),
        ("TE2", date(2026, 1, 1), False, "23.00"),
        ("TE2", date(2026, 1, 1), True, "27.60"),
        ("RQD", date(2022, 4, 1), False, "10.00"),
        ("RQD", date(2026, 11, 22), True, "12.00"),
        ("TE1", date(2022, 3, 31), False, "12.00"),
    ],
)
def test_the_date_of_the_act_selects_the_price(code: str, on: date, drom: bool, expected: str) -> None:
    assert price(code, on, drom=drom) == Decimal(expected)


@pytest.mark.parametrize(
    ("code", "on", "drom"),
    [
        ("RQD", date(2022, 3, 31), False),
        ("TE1", date(2022, 4, 1), False),
        ("TE1", date(2020, 1, 1), True),
        ("TE2", date(2019, 2, 9), False),
        ("ZZZ", date(2026, 1, 1), False),
    ],
)
def test_a_price_that_is_not_known_is_not_guessed(code: str, on: date, drom: bool) -> None:
    with pytest.raises(NoTariffError) as caught:
        price(code, on, drom=drom)
    assert (caught.value.code, caught.value.on, caught.value.drom) == (code, on, drom)
    assert code in str(caught.value)


@given(st.dates(min_value=date(2019, 2, 10), max_value=date(2100, 1, 1)))
def test_no_day_has_two_prices_nor_none(on: date) -> None:
    assert [tariff.holds("TE2", on) for tariff in TARIFFS].count(True) == 1


def test_the_table_is_the_supplied_one() -> None:
    text = (resources.files("demo") / "data" / "ref" / "tarifs.csv").read_text("utf-8")
    supplied = [_tariff(row) for row in csv.DictReader(io.StringIO(text)) if row["code"] in {"TE1", "TE2", "RQD"}]
    assert list(TARIFFS) == supplied


def _tariff(row: dict[str, str]) -> Tariff:
    return Tariff(
        row["code"],
        Decimal(row["metropole_eur"]),
        Decimal(row["drom_eur"]) if row["drom_eur"] else None,
        date.fromisoformat(row["du"]),
        date.fromisoformat(row["au"]) if row["au"] else None,
    )


def test_periods_of_one_code_follow_each_other() -> None:
    te2 = [tariff for tariff in TARIFFS if tariff.code == "TE2"]
    assert te2[0].until is not None
    assert te2[0].until + timedelta(days=1) == te2[1].since


def test_overseas_numbers_are_recognised() -> None:
    assert is_drom(BillingNumber("974 100 019"))
    assert not is_drom(BillingNumber("690000002"))
    assert not is_drom(BillingNumber())
