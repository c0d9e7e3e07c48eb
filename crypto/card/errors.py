"""What can go wrong between a reader, a card and a code. Data, not prose: the counter says it in French.

CardError
├── ServiceUnavailable        pcscd is not there, or died
├── NoReader
├── NoCard
├── CardRemoved               pulled while in use
├── CardReset                 another process reset it: the PIN state is lost
├── CardBusy                  held exclusively by another process
├── UnsupportedCard(atr)
├── PinRequired
├── PinIncorrect(tries_left)
├── PinBlocked                63C0 or 6983
├── PukIncorrect(tries_left)
├── CardDead                  PUK counter spent
└── ProtocolError(status_word)
"""

from __future__ import annotations


class CardError(Exception):
    """A card operation did not happen."""


class ServiceUnavailable(CardError):
    """The PC/SC service is not reachable."""


class NoReader(CardError):
    """No reader is connected, or the named one is gone."""


class NoCard(CardError):
    """The reader is empty."""


class CardRemoved(CardError):
    """The card left the reader during the operation."""


class CardReset(CardError):
    """Another process reset the card; anything verified before is lost."""


class CardBusy(CardError):
    """Another process holds the card."""


class UnsupportedCard(CardError):
    """The card answered, but is no CPx we know."""

    def __init__(self, atr: bytes) -> None:
        super().__init__(atr.hex())
        self.atr = atr


class PinRequired(CardError):
    """The operation needs the code porteur."""


class PinIncorrect(CardError):
    """The code porteur is wrong."""

    def __init__(self, tries_left: int) -> None:
        super().__init__(f"{tries_left} tries left")
        self.tries_left = tries_left


class PinBlocked(CardError):
    """Three wrong codes: only the code de déblocage helps."""


class PukIncorrect(CardError):
    """The code de déblocage is wrong."""

    def __init__(self, tries_left: int) -> None:
        super().__init__(f"{tries_left} tries left")
        self.tries_left = tries_left


class CardDead(CardError):
    """The code de déblocage is spent: the card must be replaced."""


class ProtocolError(CardError):
    """The card answered a status word that means nothing here."""

    def __init__(self, status_word: int) -> None:
        super().__init__(f"{status_word:04X}")
        self.status_word = status_word
