"""Who notices that a card came or went: one thread that sleeps in SCardGetStatusChange.

Our own, because pyscard's CardMonitor tells nobody when pcscd dies and never comes back (measured). Losing the
service is told apart from an empty reader: the session must lock on both.
"""

from __future__ import annotations

import threading

from crypto.card.errors import CardError, NoReader
from crypto.card.port import CardEvents, CardSlot
from crypto.card.scard import (
    E_CANCELLED,
    E_TIMEOUT,
    STATE_UNAWARE,
    ScardApi,
    check,
    code_of,
    list_readers,
    open_context,
    to_slot,
)

TIMEOUT_MS = 60_000
"""Longest sleep: bounds how late a reader is noticed that arrived between two calls."""
RETRY_S = 1.0
"""Pause before asking again whether the service is back, in seconds."""
CANCEL_EVERY_S = 0.05
PNP_READER = "\\\\?PnP?\\Notification"
"""Pseudo-reader of PC/SC that changes when readers come or go."""


class PcscWatcher:
    """A running watch over all readers; starts at once.

    The events are called from its thread: `slots_changed` with the present state first and then after each change,
    `service_lost` once each time the service is lost (also when it was never there), `slots_changed` again when it
    is back.
    """

    def __init__(self, events: CardEvents, api: ScardApi, *, retry_s: float = RETRY_S) -> None:
        self._events = events
        self._api = api
        self._retry_s = retry_s
        self._stopping = threading.Event()
        self._context: int | None = None
        self._known: tuple[CardSlot, ...] | None = None
        self._thread = threading.Thread(target=self._run, name="card-watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the watch and wait for its thread; safe to call from an event, which then returns first."""
        self._stopping.set()
        while self._thread.is_alive() and self._thread is not threading.current_thread():
            # Again and again: a cancellation that falls between two sleeps is lost.
            context = self._context
            if context is not None:
                self._api.SCardCancel(context)
            self._thread.join(CANCEL_EVERY_S)

    def _run(self) -> None:
        lost = False
        while not self._stopping.is_set():
            try:
                with open_context(self._api) as self._context:
                    lost = False
                    self._watch(self._context)
            except CardError:
                self._context, self._known = None, None
                if not lost and not self._stopping.is_set():
                    self._events.service_lost()
                lost = True
                self._stopping.wait(self._retry_s)

    def _watch(self, context: int) -> None:
        """Tell changes until stopped. Raises ServiceUnavailable when the service is lost."""
        states: dict[str, int] = {}
        while not self._stopping.is_set():
            readers = list_readers(self._api, context)
            states = {name: states.get(name, STATE_UNAWARE) for name in readers}
            try:
                self._wait(context, states)
            except NoReader:
                # A reader went away between listing and waiting: list again.
                continue

    def _wait(self, context: int, states: dict[str, int]) -> None:
        """Sleep until something changes, and note the new states in place."""
        if not states:
            self._tell(())
        asked = [*states.items(), (PNP_READER, STATE_UNAWARE)]
        result, changed = self._api.SCardGetStatusChange(context, TIMEOUT_MS, asked)
        if code_of(result) in (E_TIMEOUT, E_CANCELLED):
            return
        check(result)
        real = [state for state in changed if state[0] != PNP_READER]
        states.update({name: state for name, state, _ in real})
        self._tell(tuple(to_slot(*state) for state in real))

    def _tell(self, slots: tuple[CardSlot, ...]) -> None:
        if slots != self._known and not self._stopping.is_set():
            self._known = slots
            self._events.slots_changed(slots)
