"""pyscard's flat API with types, result codes as errors, and the few calls that two modules share.

The only module that imports pyscard, and only when first used: it needs a C library that a workstation may lack.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol, cast

from crypto.card.errors import (
    CardBusy,
    CardError,
    CardRemoved,
    CardReset,
    NoCard,
    NoReader,
    ServiceUnavailable,
    UnsupportedCard,
)
from crypto.card.port import CardSlot

SCOPE_SYSTEM = 2
SHARE_SHARED = 2
PROTOCOL_T0, PROTOCOL_T1 = 1, 2
LEAVE_CARD, RESET_CARD = 0, 1
STATE_UNAWARE, STATE_PRESENT = 0x0000, 0x0020

SUCCESS = 0
E_CANCELLED = 0x80100002
E_TIMEOUT = 0x8010000A
E_NO_READERS = 0x8010002E
E_UNKNOWN_READER = 0x80100009
W_RESET_CARD = 0x80100068

_ERRORS: dict[int, type[CardError]] = {
    E_UNKNOWN_READER: NoReader,
    0x80100017: NoReader,  # SCARD_E_READER_UNAVAILABLE
    E_NO_READERS: NoReader,
    0x8010000B: CardBusy,  # SCARD_E_SHARING_VIOLATION
    0x8010000C: NoCard,  # SCARD_E_NO_SMARTCARD
    0x80100016: CardRemoved,  # SCARD_E_NOT_TRANSACTED: the first sign of a pulled card
    0x80100069: CardRemoved,  # SCARD_W_REMOVED_CARD
    W_RESET_CARD: CardReset,
}
_MUTE_CARD = frozenset({0x80100066, 0x80100067, 0x8010000F})
"""SCARD_W_UNRESPONSIVE_CARD, SCARD_W_UNPOWERED_CARD, SCARD_E_PROTO_MISMATCH: a card put in the wrong way round."""


# ruff: noqa: N802 - the names are pyscard's


class ScardApi(Protocol):
    """The part of pyscard's `smartcard.scard` that we call; each call returns its result code, first if in a tuple."""

    def SCardEstablishContext(self, scope: int) -> tuple[int, int]: ...
    def SCardReleaseContext(self, context: int) -> int: ...
    def SCardListReaders(self, context: int, groups: list[str]) -> tuple[int, list[str]]: ...
    def SCardConnect(self, context: int, reader: str, share: int, protocols: int) -> tuple[int, int, int]: ...
    def SCardReconnect(self, card: int, share: int, protocols: int, initialization: int) -> tuple[int, int]: ...
    def SCardDisconnect(self, card: int, disposition: int) -> int: ...
    def SCardStatus(self, card: int) -> tuple[int, str, int, int, list[int]]: ...
    def SCardBeginTransaction(self, card: int) -> int: ...
    def SCardEndTransaction(self, card: int, disposition: int) -> int: ...
    def SCardTransmit(self, card: int, protocol: int, apdu: list[int]) -> tuple[int, list[int]]: ...
    def SCardCancel(self, context: int) -> int: ...
    def SCardGetStatusChange(
        self, context: int, timeout_ms: int, states: list[tuple[str, int]]
    ) -> tuple[int, list[tuple[str, int, list[int]]]]: ...


def load_scard() -> ScardApi:
    """Import pyscard.

    Raises:
        ServiceUnavailable: it is not installed, or its C library is not.
    """
    try:
        module = importlib.import_module("smartcard.scard")
    except ImportError as error:
        raise ServiceUnavailable(str(error)) from error
    return cast("ScardApi", module)


def code_of(result: int) -> int:
    """Result code as the unsigned 32 bits of the documentation; pyscard's sign depends on the platform."""
    return result & 0xFFFFFFFF


def check(result: int) -> None:
    """Raise what a result code means; anything unknown is a failing service."""
    code = code_of(result)
    if code == SUCCESS:
        return
    if code in _MUTE_CARD:
        raise UnsupportedCard(b"")
    raise _ERRORS.get(code, ServiceUnavailable)(f"{code:08X}")


@contextmanager
def open_context(api: ScardApi) -> Iterator[int]:
    """Connect to the service. Raises ServiceUnavailable."""
    result, context = api.SCardEstablishContext(SCOPE_SYSTEM)
    if code_of(result) != SUCCESS:
        raise ServiceUnavailable(f"{code_of(result):08X}")
    try:
        yield context
    finally:
        api.SCardReleaseContext(context)


def list_readers(api: ScardApi, context: int) -> list[str]:
    """Names of the connected readers; none is not an error. Raises ServiceUnavailable."""
    result, readers = api.SCardListReaders(context, [])
    if code_of(result) == E_NO_READERS:
        return []
    check(result)
    return list(readers)


def to_slot(name: str, state: int, atr: Sequence[int]) -> CardSlot:
    """Read the state of one reader as the port has it; a mute card shows as an empty answer."""
    return CardSlot(name, bytes(atr) if state & STATE_PRESENT else None)
