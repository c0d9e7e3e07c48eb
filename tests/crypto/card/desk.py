"""What the card tests share: two people, their readers, and patience."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from crypto.card.errors import CardError
from crypto.card.inprocess import InProcessCardPort
from crypto.card.pcsc import PcscCardPort
from crypto.card.port import CardSlot
from crypto.card.virtual.personalise import CarteEntry, Facturation, Situation

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
PATIENCE_S = 5.0

PHYSICIAN = CarteEntry(
    porteur="PS02",
    type="CPS",
    numero_carte="DEMO0000000002",
    id_nat="899700001029",
    nom="CHARLIER",
    prenom="Anne",
    code_porteur="1234",
    essais_restants=3,
    code_deblocage="99990000",
    situations_exercice=(Situation(1, "CABINET CHARLIER", "L"), Situation(2, "ST04", "S")),
    situations_facturation=(Facturation(1, "Cabinet Saint-Étienne", "421990029", "SM15", "421"),),
    validite_fin="2028-12-31",
)
SECRETARY = CarteEntry(
    porteur="PS38",
    type="CPE",
    numero_carte="DEMO0000000038",
    id_nat="",
    nom="SECRETAIRE-TEST",
    prenom="Ondine",
    code_porteur="1234",
    essais_restants=3,
    code_deblocage="99990000",
    situations_exercice=(Situation(1, "ST04", "S"),),
    situations_facturation=(),
    validite_fin="2028-12-31",
)
ROWS: Mapping[str, Mapping[str, str]] = {
    "PS02": {"code_profession": "10", "finess_geographique": ""},
    "PS38": {"code_profession": "", "finess_geographique": "429901044"},
}


def free_ports(count: int) -> list[int]:
    """Ports with a free neighbour each, where vpcd's second slot goes."""
    start = 20000 + os.getpid() * 8 % 9000
    found = [port for port in range(start, start + 900, 2) if _is_free(port) and _is_free(port + 1)]
    return found[:count]


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))
        except OSError:
            return False
        return True


def eventually(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; fails after `PATIENCE_S`."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@dataclass(frozen=True)
class Desk:
    """Two readers, a card in the first, and hands; by PC/SC or in process."""

    port: InProcessCardPort | PcscCardPort
    reader: str
    other_reader: str
    insert: Callable[[Path], None]
    remove: Callable[[], None]

    def has_card(self) -> bool:
        return any(slot.reader == self.reader and slot.atr for slot in self.slots())

    def slots(self) -> tuple[CardSlot, ...]:
        try:
            return self.port.slots()
        except CardError:
            return ()
