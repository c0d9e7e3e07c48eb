"""Textual's pilot sleeps a fiftieth of a second after each key; ours looks more often, and screens draw at once."""

from __future__ import annotations

import pytest
import textual._wait
import textual.screen


@pytest.fixture(autouse=True)
def _hurried_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textual._wait, "SLEEP_GRANULARITY", 1 / 150)
    monkeypatch.setattr(textual._wait, "SLEEP_IDLE", 1 / 1000)
    monkeypatch.setattr(textual.screen, "UPDATE_PERIOD", 1 / 1000)
