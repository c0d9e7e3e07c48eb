"""What every test may ask for: the region of a run, and a practice of one's own in it.

The rooms are imported when a fixture is first asked for: a test that needs none of them starts at once.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.practice import Practice
    from tests.support.region import Region


@pytest.fixture(scope="session")
def region(tmp_path_factory: pytest.TempPathFactory) -> Region:
    """Cards, authority and directory, made once a run."""
    from tests.support.region import make_region

    return make_region(tmp_path_factory.mktemp("region"))


@pytest.fixture
async def practice(region: Region, tmp_path: Path) -> AsyncIterator[Practice]:
    """An empty practice; the test starts its relay and its desks."""
    from tests.support.practice import practice_in

    async with practice_in(region, tmp_path) as made:
        yield made
