"""Where the demonstration keeps its things, and its two main characters."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parent / "data"

REQUERANT = "PS01"
"""Dr Marie Tournevent, general practitioner in Saint-Galmier."""
EXPERT = "PS02"
"""Dr Anne Charlier, dermatologist in Saint-Étienne."""

SEED_VERSION = "2"
"""Raised when what `prepare` makes changes: an older region is made again."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Paths under the demonstration's directory."""

    root: Path

    @property
    def cards(self) -> Path:
        """Virtual card images and their authorities."""
        return self.root / "cards"

    @property
    def roots(self) -> Path:
        """The test IGC-Santé roots that relay and clients trust."""
        return self.root / "roots"

    @property
    def relay(self) -> Path:
        """The relay's data."""
        return self.root / "relay"

    @property
    def workstation(self) -> Path:
        """The sealed stores of everyone who uses this machine."""
        return self.root / "workstation"

    @property
    def downloads(self) -> Path:
        """Where opened attachments and exports go."""
        return self.root / "documents"

    @property
    def files(self) -> Path:
        """Fictional photos and letters to attach."""
        return self.root / "pieces-jointes"

    @property
    def personas(self) -> Path:
        """One profile a persona."""
        return self.root / "personas"

    @property
    def pcsc(self) -> Path:
        """The private pcscd's directory."""
        return self.root / "pcsc"

    @property
    def log(self) -> Path:
        """The relay's log."""
        return self.root / "relay.log"

    @property
    def stamp(self) -> Path:
        """Written last: the region is whole."""
        return self.root / "seeded"
