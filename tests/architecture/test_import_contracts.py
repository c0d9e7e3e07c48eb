"""The import contracts hold, and each is caught when broken (R14): one offending line at a time, in a copy."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
LINTER = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
CONTRACTS = [contract["name"].partition(" ")[0] for contract in LINTER["contracts"]]

OFFENCES = {
    "R1": ("domain/status.py", "import protocol.version"),
    "R2": ("crypto/errors.py", "import domain.status"),
    "R3": ("domain/status.py", "import os"),
    "R4": ("server/times.py", "import cryptography"),
    "R5": ("server/times.py", "import crypto.sealing"),
    "R6": ("screens/messages.py", "import client.session"),
    "R7": ("client/views.py", "import protocol.version"),
    "R8a": ("client/session.py", "import client.adapters.system_world"),
    "R8b": ("tui/exit_codes.py", "import server.times"),
    "R8c": ("domain/status.py", "import domain.transitions"),
}
"""Contract -> a file, and the line that it must not hold."""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The rooms as they stand, to be spoiled."""
    place = tmp_path_factory.mktemp("house")
    for room in LINTER["root_packages"]:
        sources = shutil.ignore_patterns("__pycache__", "data", "locale")
        shutil.copytree(HOUSE / room, place / room, ignore=sources)
    shutil.copy(HOUSE / "pyproject.toml", place)
    return place


def broken(place: Path) -> set[str]:
    """The contracts that import-linter finds broken there."""
    words = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()", "--no-cache"]
    done = subprocess.run(words, cwd=place, capture_output=True, text=True, check=False, timeout=120)
    verdicts = {
        name: "BROKEN" in line.split()
        for line in done.stdout.splitlines()
        for name in CONTRACTS
        if line.startswith(f"{name} ") and {"KEPT", "BROKEN"} & set(line.split())
    }
    assert set(verdicts) == set(CONTRACTS), done.stdout + done.stderr
    found = {name for name, is_broken in verdicts.items() if is_broken}
    assert done.returncode == int(bool(found)), done.stdout + done.stderr
    return found


def test_every_contract_has_an_offence() -> None:
    assert sorted(OFFENCES) == sorted(CONTRACTS)


def test_the_contracts_hold(copy: Path) -> None:
    assert broken(copy) == set()


@pytest.mark.parametrize("contract", OFFENCES)
def test_a_broken_contract_is_caught(copy: Path, contract: str) -> None:
    name, line = OFFENCES[contract]
    file = copy / name
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(f"{before}\n{line}\n", encoding="utf-8")
        assert contract in broken(copy)
    finally:
        file.write_text(before, encoding="utf-8")
