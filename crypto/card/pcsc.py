"""Cards in real readers, through PC/SC (pcscd on Linux, the systems' own service elsewhere).

Everything runs in one transaction per call. What a code opened is closed by SCARD_RESET_CARD at its end, because in
shared mode any other process could sign without a code after us (measured).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from crypto.card.channel import ApduCardPort, CardConnection, Watch
from crypto.card.port import CardEvents, CardSlot
from crypto.card.scard import (
    LEAVE_CARD,
    PROTOCOL_T0,
    PROTOCOL_T1,
    RESET_CARD,
    SHARE_SHARED,
    STATE_UNAWARE,
    W_RESET_CARD,
    ScardApi,
    check,
    code_of,
    list_readers,
    load_scard,
    open_context,
    to_slot,
)
from crypto.card.watcher import PcscWatcher


class _Connection:
    """A connected card inside a transaction."""

    def __init__(self, api: ScardApi, card: int, protocol: int) -> None:
        self._api = api
        self._card = card
        self._protocol = protocol
        result, _, _, _, atr = api.SCardStatus(card)
        check(result)
        self.atr = bytes(atr)

    def transmit(self, apdu: bytes) -> bytes:
        """Send a command. Raises CardError."""
        result, response = self._api.SCardTransmit(self._card, self._protocol, list(apdu))
        check(result)
        return bytes(response)


class PcscCardPort(ApduCardPort):
    """The readers of this workstation, or of the one at the other end of PCSCLITE_CSOCK_NAME; a `CardPort`."""

    def __init__(self, api: ScardApi | None = None) -> None:
        self._loaded = api

    @property
    def _api(self) -> ScardApi:
        if self._loaded is None:
            self._loaded = load_scard()
        return self._loaded

    def slots(self) -> tuple[CardSlot, ...]:
        """List readers now. Raises ServiceUnavailable."""
        with open_context(self._api) as context:
            readers = list_readers(self._api, context)
            if not readers:
                return ()
            result, states = self._api.SCardGetStatusChange(context, 0, [(name, STATE_UNAWARE) for name in readers])
            check(result)
            return tuple(to_slot(*state) for state in states)

    def watch(self, events: CardEvents) -> Watch:
        """Start a thread that tells `events` the present state, every change, and the loss of the service."""
        return PcscWatcher(events, self._api)

    @contextmanager
    def _transaction(self, reader: str, *, reset: bool) -> Iterator[CardConnection]:
        api = self._api
        with open_context(api) as context, self._connected(context, reader) as (card, protocol):
            self._begin(card)
            try:
                yield _Connection(api, card, protocol)
            finally:
                # The result is not looked at: a card that is gone, or a service that died, has forgotten the code too.
                api.SCardEndTransaction(card, RESET_CARD if reset else LEAVE_CARD)

    def _begin(self, card: int) -> None:
        """Wait for our turn. A reset by whoever had the turn before is no loss: we have opened nothing yet."""
        result = self._api.SCardBeginTransaction(card)
        while code_of(result) == W_RESET_CARD:
            reconnected, _ = self._api.SCardReconnect(card, SHARE_SHARED, PROTOCOL_T0 | PROTOCOL_T1, LEAVE_CARD)
            check(reconnected)
            result = self._api.SCardBeginTransaction(card)
        check(result)

    @contextmanager
    def _connected(self, context: int, reader: str) -> Iterator[tuple[int, int]]:
        result, card, protocol = self._api.SCardConnect(context, reader, SHARE_SHARED, PROTOCOL_T0 | PROTOCOL_T1)
        check(result)
        try:
            yield card, protocol
        finally:
            self._api.SCardDisconnect(card, LEAVE_CARD)
