"""Compare a drawing with the one we chose to keep; `AVICENNE_GOLDEN=write` keeps the new one instead."""

from __future__ import annotations

import os
from pathlib import Path


def check_golden(path: Path, text: str) -> None:
    """Fail when `text` is not what `path` holds."""
    if os.environ.get("AVICENNE_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.exists(), f"no golden {path.name}: run again with AVICENNE_GOLDEN=write, and look at it"
    assert text == path.read_text(encoding="utf-8")
