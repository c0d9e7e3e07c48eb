"""Imports mean what they say at run time (R13): a fresh interpreter imports a room and finds nothing that it must not.

The contracts read source; this one runs it, so it also sees what a dependency drags in. Two guests are not ours to send
away, and are named below. `os`, `random` and `time` the standard library brings by itself: the contracts forbid those.
"""

from __future__ import annotations

import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]

WORLD = frozenset(
    {"textual", "asyncio", "ssl", "socket", "sqlite3", "apsw", "httpx", "websockets", "starlette", "uvicorn"}
)
"""What touches the network, the disk's databases, the terminal or the loop."""


def _modules(package: str) -> list[str]:
    return [package, *(found.name for found in pkgutil.walk_packages([str(HOUSE / package)], f"{package}."))]


def loaded_by(*modules: str) -> set[str]:
    """The top-level names and dotted modules that an interpreter holds after importing `modules`."""
    program = f"import sys\nfor name in {list(modules)!r}: __import__(name)\nprint('\\n'.join(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=HOUSE, capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


X509 = {"socket"}
"""cryptography.x509 takes `email.utils` to read addresses, which imports `socket` for one of its functions."""
STDNUM = {"socket", "ssl"}
"""stdnum.util names `ssl` for web services that nobody calls here."""

PURE: dict[str, tuple[list[str], set[str]]] = {
    "domain": (_modules("domain"), set()),
    "protocol": (_modules("protocol"), set()),
    "crypto": (["crypto.primitives", "crypto.sealing", "crypto.signing", "crypto.at_rest"], set()),
    "crypto.identity": (["crypto.identity", "crypto.certificates"], X509),
    "card": (["crypto.card.apdu", "crypto.card.profiles", "crypto.card.port", "crypto.card.errors"], set()),
    "the counter": (["client.intents", "client.views", "client.updates"], set()),
    "the machine": (["client.machine"], STDNUM),
    "the relay's judgement": (["server.service"], set()),
    "the relay's logins": (["server.authentication"], X509),
}
"""Room -> what is imported, and the guests that come along."""


@pytest.mark.parametrize("room", PURE)
def test_a_pure_room_brings_nothing_of_the_world(room: str) -> None:
    """Exactly the guests that are named: one that no longer comes must be struck off."""
    modules, guests = PURE[room]
    assert loaded_by(*modules) & WORLD == guests


def test_the_relay_brings_neither_client_nor_screens_nor_what_opens_envelopes() -> None:
    loaded = loaded_by("server.main", "server.bootstrap", "server.asgi")
    rooms = {name.partition(".")[0] for name in loaded}
    assert rooms & {"client", "screens", "tui", "demo", "textual"} == set()
    assert loaded & {"crypto.at_rest", "protocol.payload", "domain.events", "domain.messages"} == set()


def test_screens_bring_no_session_no_network_no_store() -> None:
    loaded = loaded_by(*_modules("screens"))
    assert {name.partition(".")[0] for name in loaded} & {"server", "protocol", "crypto", "httpx", "apsw"} == set()
    assert loaded & {"client.session", "client.machine", "client.bootstrap"} == set()


def test_this_test_would_see_a_guest() -> None:
    """The oracle: rooms that do touch the world are caught by the same question."""
    assert loaded_by("client.session") & WORLD >= {"asyncio"}
    assert loaded_by("server.adapters.sqlite_store") & WORLD >= {"apsw"}
