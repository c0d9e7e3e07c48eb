"""What the two ways of reaching a card share: a transaction per call, and the same conversation inside it.

A way of reaching cards says how to list readers and how to hold one; the rest of `CardPort` is here, once.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from crypto.card.apdu import MalformedData
from crypto.card.errors import ProtocolError
from crypto.card.port import CardIdentity, CardSlot, SignedStatements
from crypto.card.profiles import profile_for
from crypto.card.session import NO_DIAGNOSIS, CardSession, Transport
from crypto.certificates import CertificateError


class CardConnection(Transport, Protocol):
    """A card that nobody else can speak to until it is released."""

    @property
    def atr(self) -> bytes:
        """Answer to reset."""


class Watch(Protocol):
    """A running observation of readers."""

    def stop(self) -> None:
        """End it; no event is told after this returns."""


class ApduCardPort(ABC):
    """A `CardPort` for cards that are driven by APDU."""

    @abstractmethod
    def slots(self) -> tuple[CardSlot, ...]:
        """List readers now. Raises ServiceUnavailable."""

    @abstractmethod
    def _transaction(self, reader: str, *, reset: bool) -> AbstractContextManager[CardConnection]:
        """Hold the card of a reader; `reset` says that a code may be open and must be closed at the end."""

    def identity(self, reader: str) -> CardIdentity:
        """Read the certificate and the practice situations; needs no code. Raises CardError."""
        with self._session(reader) as session:
            return session.identity()

    def tries_left(self, reader: str) -> int:
        """Ask the PIN counter without spending a try; 0 means blocked. Raises CardError."""
        with self._session(reader) as session:
            return session.tries_left()

    def sign(self, reader: str, statements: Sequence[bytes], pin: str) -> SignedStatements:
        """Verify `pin` once, sign every statement, and reset the card so that nobody can sign after us.

        Args:
            reader: a name from `slots`.
            statements: typed by the caller; opaque bytes of a server are never signed.
            pin: code porteur, 4 to 8 digits.

        Returns:
            One signature per statement, RSA PKCS#1 v1.5 with SHA-256, and the billing situations.

        Raises:
            CardError: PinIncorrect, PinBlocked and CardDead among them.
            ValueError: `pin` is not 4 to 8 digits; the card was not asked.
        """
        with self._session(reader, reset=True) as session:
            return session.sign(statements, pin)

    def change_pin(self, reader: str, old: str, new: str) -> None:
        """Replace the code porteur. Raises as `sign` does."""
        with self._session(reader, reset=True) as session:
            session.change_pin(old, new)

    def unblock(self, reader: str, puk: str, new: str) -> None:
        """Set a new code porteur with the code de déblocage. Raises PukIncorrect, CardDead, ValueError, CardError."""
        with self._session(reader, reset=True) as session:
            session.unblock(puk, new)

    @contextmanager
    def _session(self, reader: str, *, reset: bool = False) -> Iterator[CardSession]:
        with self._transaction(reader, reset=reset) as connection:
            try:
                yield CardSession(connection, profile_for(connection.atr))
            except (MalformedData, CertificateError) as error:
                raise ProtocolError(NO_DIAGNOSIS) from error
