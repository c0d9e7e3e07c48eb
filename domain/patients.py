"""The patient as identified in a request: INS traits and matricule (domain.md 2.3)."""

from __future__ import annotations

from dataclasses import dataclass

INS_NIR_TEST_OID = "1.2.250.1.213.1.4.10"
"""OID of test matricules: the default, so that no demonstration document passes as real (domain.md 0.1.12)."""


@dataclass(frozen=True, slots=True)
class Patient:
    """INS traits; every one may be empty, a warning is not a refusal."""

    nom_naissance: str
    prenoms: str
    sexe: str = ""
    """`F`, `M`, or empty."""
    date_naissance: str = ""
    """ISO 8601 date, or empty."""
    lieu_naissance_cog: str = ""
    nom_utilise: str = ""
    nir: str = ""
    """13 characters and key, no spaces; empty when not given."""
    ins_oid: str = INS_NIR_TEST_OID
