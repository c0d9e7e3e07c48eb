"""Make a hundred short-lived Apps cheap: a pilot that looks often, style sheets read once.

Textual's pilot sleeps a fiftieth of a second after each key, and each App parses its style sheets anew; neither says
anything about our screens.
"""

from __future__ import annotations

from typing import Any

import pytest
import textual._wait
from textual.cache import LRUCache
from textual.css.stylesheet import Stylesheet

from screens.mailbox import MailboxScreen

_PARSED: dict[frozenset[Any], LRUCache[Any, Any]] = {}


def _set_variables(self: Stylesheet, variables: dict[str, str]) -> None:
    self._variables = variables
    self._Stylesheet__variable_tokens = None  # type: ignore[attr-defined]
    self._parse_cache = _PARSED.setdefault(frozenset(variables.items()), LRUCache(1024))
    self._style_parse_cache.clear()


@pytest.fixture(autouse=True)
def _hurried_apps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(textual._wait, "SLEEP_GRANULARITY", 1 / 150)
    monkeypatch.setattr(textual._wait, "SLEEP_IDLE", 1 / 1000)
    monkeypatch.setattr(MailboxScreen, "PREVIEW_DELAY_S", 0.0)
    monkeypatch.setattr(Stylesheet, "set_variables", _set_variables)
