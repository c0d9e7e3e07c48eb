"""The memory of a virtual card: one JSON file, mode 0600, replaced whole at every change of a counter.

The private keys and codes of demo cards lie in it in clear: it plays the chip, not a safe.
"""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

VERSION = 1


@dataclass(frozen=True, slots=True)
class CodeState:
    """A code and its try counter."""

    code: str = field(repr=False)
    tries_left: int
    tries_max: int = 3


@dataclass(frozen=True, slots=True)
class ImageFile:
    """One elementary file."""

    path: str
    """From the master file, hexadecimal: `3F000001A002`."""
    content: bytes
    short_identifier: int | None = None
    """SFI, 1 to 30, for READ BINARY without SELECT."""
    needs_pin: bool = False


@dataclass(frozen=True, slots=True)
class ImageKey:
    """One private key."""

    reference: int
    private_key: bytes = field(repr=False)
    """PKCS#8 DER."""
    authenticates: bool
    """True: INTERNAL AUTHENTICATE only. False: COMPUTE DIGITAL SIGNATURE only."""


@dataclass(frozen=True, slots=True)
class CardImage:
    """Everything a card remembers without power."""

    numero_carte: str
    atr: bytes
    pin: CodeState
    puk: CodeState
    keys: tuple[ImageKey, ...]
    files: tuple[ImageFile, ...]
    version: int = VERSION


def load_image(path: Path) -> CardImage:
    """Read an image.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no card image, or of another version.
    """
    image = msgspec.json.decode(path.read_bytes(), type=CardImage)
    if image.version != VERSION:
        raise ValueError(f"card image of version {image.version}")
    return image


def save_image(path: Path, image: CardImage) -> None:
    """Replace the file at once, readable by its owner only, and durable when this returns."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mode 0600
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(msgspec.json.encode(image))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
