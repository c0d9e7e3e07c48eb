"""What a relay is told when it starts; nothing secret is among it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from crypto.roots import read_certificates
from protocol.limits import SESSION_LIFE_S


@dataclass(frozen=True, slots=True)
class Settings:
    """A relay's settings."""

    data: Path
    """Directory of the database, the blobs and the TLS keys; made when missing, 0700."""
    roots: tuple[bytes, ...]
    """DER of the authorities trusted to issue cards."""
    audience: str
    """What login statements must name: `https://host:port` as clients reach it."""
    session_life_s: int = SESSION_LIFE_S
    login_burst: float = 200.0
    """Challenges and logins one address may ask for at once."""
    login_per_second: float = 20.0
    """And then per second."""


def read_roots(place: Path) -> tuple[bytes, ...]:
    """The certificates of a file, or of every file of a directory, as DER; PEM may hold several.

    Raises:
        ValueError: there is none.
        OSError: the place cannot be read.
    """
    files = sorted(path for path in place.iterdir() if path.is_file()) if place.is_dir() else [place]
    roots = tuple(der for path in files for der in read_certificates(path.read_bytes()))
    if not roots:
        raise ValueError(f"no certificate in {place}")
    return roots
