"""How each screen looks, small and large; regenerate with AVICENNE_GOLDEN=write, then read the difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.golden import check_golden
from tests.support.scenes import SCENES, play
from tests.support.screenshot import make_app, screen_text

GOLDEN = Path(__file__).parent / "golden"
SMALL, LARGE = (80, 24), (200, 50)


async def test_door_looks_as_chosen() -> None:
    """One App for all its states: only the view changes."""
    app, session = make_app()
    async with app.run_test(size=SMALL) as pilot:
        for width, height in (SMALL, LARGE):
            await pilot.resize_terminal(width, height)
            for name, scene in SCENES.items():
                if scene.door:
                    await play(pilot, session, scene)
                    check_golden(GOLDEN / f"{name}-{width}x{height}.txt", screen_text(app))


@pytest.mark.parametrize("name", [name for name, scene in SCENES.items() if not scene.door])
async def test_screen_looks_as_chosen(name: str) -> None:
    scene = SCENES[name]
    app, session = make_app()
    async with app.run_test(size=SMALL) as pilot:
        await play(pilot, session, scene)
        check_golden(GOLDEN / f"{name}-80x24.txt", screen_text(app))
        await pilot.resize_terminal(*LARGE)
        await pilot.pause()
        check_golden(GOLDEN / f"{name}-200x50.txt", screen_text(app))


@pytest.mark.parametrize("name", ["mailbox", "case-expert", "request-filled", "finalisation-1", "unlock-enter-pin"])
async def test_small_terminal_is_degraded_but_whole(name: str) -> None:
    scene = SCENES[name]
    app, session = make_app()
    async with app.run_test(size=(60, 20)) as pilot:
        await play(pilot, session, scene)
        check_golden(GOLDEN / f"{name}-60x20.txt", screen_text(app))
