"""R13: the relay's decisions load nothing of the world when imported."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Not `socket`: certificates bring it along (email.utils, imported by the library).
FORBIDDEN = {"asyncio", "ssl", "sqlite3", "apsw", "starlette", "uvicorn", "tantivy", "textual", "websockets"}
NEVER = {"crypto.sealing", "crypto.at_rest", "protocol.payload", "domain.events", "domain.messages", "client"}


@pytest.mark.parametrize("module", ["service", "authentication", "keys", "directory", "audit", "loading", "throttle"])
def test_a_decision_touches_nothing(module: str) -> None:
    assert not loaded_by(f"server.{module}") & (FORBIDDEN | NEVER)


def test_the_whole_relay_cannot_open_an_envelope() -> None:
    assert not loaded_by("server.main") & (NEVER | {"textual"})


def loaded_by(module: str) -> set[str]:
    """Every module in memory after importing one."""
    code = f"import sys, {module}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())
