"""The door to a CPS card: what the client may ask of one, whatever stands behind (PC/SC, PKCS#11, in process).

Calls block (tens of milliseconds to seconds): callers run them in a thread.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class SituationExercice:
    """A practice situation (I02), readable without the code porteur."""

    rang: int
    structure: str
    """Name or FINESS of the place of practice."""
    mode: str
    """`L` libéral, `S` salarié, `B` bénévole (TRE_R23)."""


@dataclass(frozen=True, slots=True)
class SituationFacturation:
    """A billing situation of the Assurance Maladie domain (I03-I06), readable after the code porteur only."""

    rang: int
    libelle: str
    numero_facturation: str
    specialite: str
    code_caisse: str


@dataclass(frozen=True, slots=True)
class CardIdentity:
    """What a card says of itself before any code."""

    serial: str
    card_type: str
    """`CPS` or `CPE`."""
    authentication_certificate: bytes
    """DER, X.509."""
    issuer_certificates: tuple[bytes, ...]
    """DER of the intermediate authorities, leaf's issuer first; the root is never taken from the card."""
    situations: tuple[SituationExercice, ...]


@dataclass(frozen=True, slots=True)
class CardSlot:
    """One reader and whether a card sits in it."""

    reader: str
    atr: bytes | None
    """Answer to reset, or None when the reader is empty."""


@dataclass(frozen=True, slots=True)
class SignedStatements:
    """The result of one PIN entry: all signatures and what the code opened."""

    signatures: tuple[bytes, ...]
    """RSA PKCS#1 v1.5 with SHA-256 over each statement, in the order given."""
    situations_facturation: tuple[SituationFacturation, ...]


class CardPort(Protocol):
    """A set of readers. Every method may raise `crypto.card.errors.CardError`."""

    def slots(self) -> tuple[CardSlot, ...]:
        """List readers now. Raises ServiceUnavailable."""

    def identity(self, reader: str) -> CardIdentity:
        """Read the certificate and the practice situations; needs no code."""

    def tries_left(self, reader: str) -> int:
        """Ask the PIN counter without consuming a try; 0 means blocked."""

    def sign(self, reader: str, statements: Sequence[bytes], pin: str) -> SignedStatements:
        """Verify `pin` once and sign every statement with the authentication key, in one transaction that resets.

        Never retries. Statements are typed by the caller (no opaque server bytes are ever signed).
        """

    def change_pin(self, reader: str, old: str, new: str) -> None:
        """Replace the code porteur."""

    def unblock(self, reader: str, puk: str, new: str) -> None:
        """Reset the code porteur with the code de déblocage."""


class CardEvents(Protocol):
    """Told by a watcher thread; implementations only post to the client's loop."""

    def slots_changed(self, slots: tuple[CardSlot, ...]) -> None:
        """Cards or readers came or went."""

    def service_lost(self) -> None:
        """The service stopped answering: treated as a removal."""
