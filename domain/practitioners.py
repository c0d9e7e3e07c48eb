"""Who takes part: a snapshot of a professional or service, as it goes into a sealed request and a synthesis."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from domain.identifiers import AccountId


class NumberNature(StrEnum):
    """What a numéro de facturation is (G02)."""

    AM = "AM"
    """Numéro d'Assurance Maladie, libéral."""
    FINESS = "FINESS"
    """FINESS géographique, salarié."""


@dataclass(frozen=True, slots=True)
class Party:
    """A participant as known when the event was written."""

    account: AccountId
    name: str
    """Display name: `Dr Marie TOURNEVENT`, or the service's name."""
    id_nat: str = ""
    """IdNat_PS; printed under « Identifiant national » (Q11). Empty for a service."""
    profession: str = ""
    """Label of TRE_G15/R38, e.g. `Dermatologie et vénéréologie`."""
    place: str = ""
    """`42330 Saint-Galmier` or the establishment."""
    is_service: bool = False


@dataclass(frozen=True, slots=True)
class BillingNumber:
    """A numéro de facturation and its nature; both may be absent (« non renseigné »)."""

    value: str = ""
    nature: NumberNature = NumberNature.AM
