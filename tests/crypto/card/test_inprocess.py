"""The readers of this process tell their comings and goings as the watcher does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from crypto.card.errors import NoReader, ProtocolError
from crypto.card.inprocess import InProcessCardPort
from crypto.card.port import CardSlot
from crypto.card.profiles import CPS3
from crypto.card.virtual.image import load_image, save_image


class Log:
    """`CardEvents` that writes down what it is told."""

    def __init__(self) -> None:
        self.entries: list[tuple[CardSlot, ...]] = []

    def slots_changed(self, slots: tuple[CardSlot, ...]) -> None:
        self.entries.append(slots)

    def service_lost(self) -> None:
        raise AssertionError("there is no service to lose")


def test_the_present_state_then_each_change_until_stopped(image: Path) -> None:
    port = InProcessCardPort([("Lecteur", None)])
    log = Log()
    watch = port.watch(log)
    port.insert("Lecteur", image)
    port.remove("Lecteur")
    watch.stop()
    watch.stop()
    port.insert("Lecteur", image)
    empty, full = (CardSlot("Lecteur", None),), (CardSlot("Lecteur", CPS3.atr),)
    assert log.entries == [empty, full, empty]


def test_a_card_cannot_go_into_a_reader_that_is_not_there(image: Path) -> None:
    with pytest.raises(NoReader):
        InProcessCardPort([]).insert("Lecteur", image)


def test_a_card_with_an_unreadable_certificate_is_a_card_error(image: Path) -> None:
    memory = load_image(image)
    files = tuple(
        replace(file, content=b"no certificate") if file.path == "3F000001A002" else file for file in memory.files
    )
    save_image(image, replace(memory, files=files))
    with pytest.raises(ProtocolError):
        InProcessCardPort([("Lecteur", image)]).identity("Lecteur")
