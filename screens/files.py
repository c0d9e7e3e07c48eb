"""Pick a file to attach: type the beginning of its name, Tab completes, Enter enters a folder or takes the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import ClassVar

from textual.binding import BindingType
from textual.widgets import Input

from client.i18n import _, file_size
from screens.file_listing import Found, find_files
from screens.formatting import editable_line
from screens.keymap import Room, bindings_of
from screens.picker import PickerScreen
from screens.widgets.line_list import Item


class FilesScreen(PickerScreen[str | None]):
    """Returns a path, or None; begins where the last file was taken."""

    ROOM = Room.PICKER
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.PICKER)
    DELAY_S = 0.0

    last_folder: ClassVar[str] = ""
    """Where the last file was taken, so that the next photo is one letter away."""

    def __init__(self, home: Path | None = None) -> None:
        super().__init__(_("Joindre un fichier"), _("nom ou chemin"))
        self._home = Path(FilesScreen.last_folder) if FilesScreen.last_folder else home or Path.cwd()
        self._found: list[Found] = []

    def search(self, text: str) -> None:
        """List what matches."""
        self._found = find_files(text, self._home)
        self.results.items = [
            Item(
                item.path,
                item.name + (os.sep if item.is_folder else ""),
                "" if item.is_folder else file_size(item.size_bytes),
                "▸" if item.is_folder else "▤",
            )
            for item in self._found
        ] or [Item("", _("Aucun fichier de ce nom ici."), enabled=False)]

    def _under_cursor(self) -> Found | None:
        index = self.results.cursor
        return self._found[index] if index < len(self._found) else None

    def _type(self, found: Found) -> None:
        query = self.query_one("#query", Input)
        query.value = editable_line(found.path) + (os.sep if found.is_folder else "")
        query.cursor_position = len(query.value)

    def action_complete(self) -> None:
        """Put the line under the cursor in the field."""
        found = self._under_cursor()
        if found is not None:
            self._type(found)

    def choose(self) -> None:
        """Enter a folder, or take the file."""
        self.search_now()
        found = self._under_cursor()
        if found is None:
            self.refuse(_("Aucun fichier de ce nom ici."))
        elif found.is_folder:
            self._type(found)
        else:
            FilesScreen.last_folder = str(Path(found.path).parent)
            self.dismiss(found.path)

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)
