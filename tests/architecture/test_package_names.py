"""Our folders are our import names, and the words are common: each must lead into this tree and nowhere else."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import tomllib
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
ROOMS = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_ours(room: str) -> None:
    found = importlib.util.find_spec(room)
    assert found is not None
    assert found.origin is not None
    assert Path(found.origin) == HOUSE / room / "__init__.py"


def test_no_installed_distribution_brings_a_package_of_our_names() -> None:
    """A `crypto`, a `tui`, a `domain` and a `protocol` exist on PyPI; case does not matter to every disk."""
    ours = {PYPROJECT["project"]["name"]}
    names = importlib.metadata.packages_distributions()
    thieves = {name: owners for name, owners in names.items() if name.lower() in ROOMS and set(owners) - ours}
    assert thieves == {}


def test_every_list_of_rooms_names_the_same() -> None:
    tools = PYPROJECT["tool"]
    folders = {path.parent.name for path in HOUSE.glob("*/__init__.py") if not path.parent.name.startswith(".")}
    assert set(ROOMS) == folders - {"tests", "bench"}
    assert set(tools["mypy"]["packages"]) == set(ROOMS)
    assert set(tools["importlinter"]["root_packages"]) == set(ROOMS)
