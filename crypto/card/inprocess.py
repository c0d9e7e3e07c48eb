"""Virtual cards in this very process: the demonstration where pcscd cannot run, and fast tests.

The same session and the same chip as behind PC/SC; only the reader is missing.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from crypto.card.channel import ApduCardPort, CardConnection, Watch
from crypto.card.errors import CardRemoved, NoCard, NoReader
from crypto.card.port import CardEvents, CardSlot
from crypto.card.virtual.card import VirtualCard
from crypto.card.virtual.image import load_image, save_image


class _Reader:
    """One reader: at most one card, and one transaction at a time."""

    def __init__(self) -> None:
        self.card: VirtualCard | None = None
        self.transaction = threading.Lock()


class _Connection:
    """A card held in a reader; it notices when the card is pulled."""

    def __init__(self, reader: _Reader, card: VirtualCard) -> None:
        self._reader = reader
        self._card = card

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self._card.atr

    def transmit(self, apdu: bytes) -> bytes:
        """Send a command. Raises CardRemoved."""
        if self._reader.card is not self._card:
            raise CardRemoved
        return self._card.process(apdu)


class _Observer:
    """One subscription to the comings and goings of cards."""

    def __init__(self, port: InProcessCardPort, events: CardEvents) -> None:
        self._port = port
        self.events = events

    def stop(self) -> None:
        """End it."""
        self._port._forget(self)


class InProcessCardPort(ApduCardPort):
    """A set of readers in this process; a `CardPort` with hands to insert and remove cards.

    Args:
        readers: reader names, each with the path of the card image in it, or None for an empty reader.

    Raises:
        OSError: an image cannot be read.
        ValueError: a file is no card image.
    """

    def __init__(self, readers: Iterable[tuple[str, Path | None]]) -> None:
        self._readers: dict[str, _Reader] = {}
        self._observers: list[_Observer] = []
        self._observing = threading.RLock()
        for name, image in readers:
            self._readers[name] = _Reader()
            if image is not None:
                self.insert(name, image)

    def slots(self) -> tuple[CardSlot, ...]:
        """List readers now."""
        return tuple(
            CardSlot(name, None if reader.card is None else reader.card.atr) for name, reader in self._readers.items()
        )

    def insert(self, reader: str, image: Path) -> None:
        """Put a card in, in place of the one that may be there. Raises NoReader, OSError, ValueError."""
        card = VirtualCard(load_image(image), partial(save_image, image))
        self._reader(reader).card = card
        self._tell()

    def remove(self, reader: str) -> None:
        """Pull the card, even in the middle of a transaction. Raises NoReader."""
        self._reader(reader).card = None
        self._tell()

    def watch(self, events: CardEvents) -> Watch:
        """Tell `events` the present state at once and every change after, from the thread that makes it."""
        observer = _Observer(self, events)
        with self._observing:
            self._observers.append(observer)
            events.slots_changed(self.slots())
        return observer

    @contextmanager
    def _transaction(self, reader: str, *, reset: bool) -> Iterator[CardConnection]:
        held = self._reader(reader)
        with held.transaction:
            card = held.card
            if card is None:
                raise NoCard
            try:
                yield _Connection(held, card)
            finally:
                if reset:
                    card.reset()

    def _reader(self, name: str) -> _Reader:
        if name not in self._readers:
            raise NoReader(name)
        return self._readers[name]

    def _tell(self) -> None:
        with self._observing:
            for observer in tuple(self._observers):
                observer.events.slots_changed(self.slots())

    def _forget(self, observer: _Observer) -> None:
        with self._observing:
            if observer in self._observers:
                self._observers.remove(observer)
