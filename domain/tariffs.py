"""What a tele-expertise is worth on a given day, and how many a year are paid (domain.md 0.1.1, 1.H, 4.2).

Prices are dated because they change: the date of the act selects the row. A new price is a new row, never an edit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from domain.practitioners import BillingNumber
from domain.status import Role

YEARLY_LIMIT = 4
"""Acts paid per patient, professional and civil year, counted apart for each role (0.1.10, Q2, Q3)."""

CODE_OF_ROLE = {Role.REQUIS: "TE2", Role.REQUERANT: "RQD"}
"""Each of the two bills his own act (H01, H02)."""


@dataclass(frozen=True, slots=True)
class Tariff:
    """The price of an act code over a period."""

    code: str
    """NGAP: `TE2`, `RQD`, `TE1`."""
    metropole: Decimal
    """Euros."""
    drom: Decimal | None
    """Euros, in the overseas departments; None when not known."""
    since: date
    until: date | None = None
    """Last day included; None while in force."""

    def holds(self, code: str, on: date) -> bool:
        """Whether this row prices `code` on that day."""
        return code == self.code and self.since <= on and (self.until is None or on <= self.until)


TARIFFS = (
    Tariff("TE1", Decimal("12.00"), None, date(2019, 2, 10), date(2022, 3, 31)),
    Tariff("TE2", Decimal("20.00"), Decimal("24.00"), date(2019, 2, 10), date(2025, 12, 31)),
    Tariff("TE2", Decimal("23.00"), Decimal("27.60"), date(2026, 1, 1)),
    Tariff("RQD", Decimal("10.00"), Decimal("12.00"), date(2022, 4, 1)),
)
"""domain.md 4.2; a test holds them against `demo/data/ref/tarifs.csv`."""


class NoTariffError(LookupError):
    """No price is known for this code on that day, in that part of the country."""

    def __init__(self, code: str, on: date, *, drom: bool) -> None:
        super().__init__(f"{code} on {on.isoformat()}" + (" (DROM)" if drom else ""))
        self.code = code
        self.on = on
        self.drom = drom


def price(code: str, on: date, *, drom: bool = False) -> Decimal:
    """Return the price of the act in euros.

    Args:
        code: NGAP code, `TE2` or `RQD`.
        on: the civil date of the act, where it was done.
        drom: whether it is billed in an overseas department.

    Raises:
        NoTariffError: the table has no such row.

    >>> price("TE2", date(2026, 1, 1))
    Decimal('23.00')
    """
    for tariff in TARIFFS:
        if tariff.holds(code, on):
            amount = tariff.drom if drom else tariff.metropole
            if amount is not None:
                return amount
    raise NoTariffError(code, on, drom=drom)


def is_drom(number: BillingNumber) -> bool:
    """Whether a numéro de facturation, AM or FINESS, belongs to an overseas department (971 to 976, domain.md 2.6)."""
    return number.value.replace(" ", "").startswith("97")
