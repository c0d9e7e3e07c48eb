"""What a folder holds, for the file picker: names that begin like what is typed. The one place screens read a disk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from screens.formatting import fold

LIMIT = 500
"""Enough to choose from; more is not read."""


@dataclass(frozen=True, slots=True)
class Found:
    """An entry of a folder."""

    path: str
    name: str
    is_folder: bool
    size_bytes: int


def folder_and_start(typed: str, home: Path) -> tuple[Path, str]:
    """Split what is typed into the folder to list and the beginning of a name; relative paths start at `home`."""
    expanded = Path(typed).expanduser() if typed.startswith("~") else Path(typed)
    absolute = expanded if expanded.is_absolute() else home / expanded
    if not typed or typed.endswith(os.sep):
        return absolute, ""
    return absolute.parent, absolute.name


def find_files(typed: str, home: Path) -> list[Found]:
    """Entries matching what is typed, folders first; hidden ones only when asked for by a dot."""
    folder, start = folder_and_start(typed, home)
    wanted = fold(start)
    found: list[Found] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if wanted not in fold(entry.name) or (entry.name.startswith(".") and not start.startswith(".")):
                    continue
                found.append(_found(entry))
                if len(found) >= LIMIT:
                    break
    except OSError:
        return []
    return sorted(found, key=lambda item: (not fold(item.name).startswith(wanted), not item.is_folder, item.name))


def _found(entry: os.DirEntry[str]) -> Found:
    try:
        is_folder = entry.is_dir()
        size = 0 if is_folder else entry.stat().st_size
    except OSError:
        is_folder, size = False, 0
    return Found(entry.path, entry.name, is_folder, size)
