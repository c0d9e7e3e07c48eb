"""stdout is data, stderr is talk: the two ways a command has to say something."""

from __future__ import annotations

import sys


def give(text: str) -> None:
    """Data, with a line end, at once: a reader of JSON lines must not wait for a buffer."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def say(text: str) -> None:
    """Talk."""
    sys.stderr.write(text + "\n")
