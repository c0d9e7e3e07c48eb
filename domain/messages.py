"""What professionals write to each other: text, form, attachments, with the limits the house sets."""

from __future__ import annotations

from dataclasses import dataclass

from domain.identifiers import BlobId

MAX_TEXT_CHARS = 20_000
"""A message; sixty times the mean request (domain.md 0.1.15)."""
MAX_ATTACHMENTS = 20
MAX_ATTACHMENT_BYTES = 64 * 1024 * 1024
"""Per file. Three photos of 4 MB and a short video pass; a 200 MB file is refused with a reason."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that travels beside an event: descriptor sealed with it, bytes in a blob of ciphertext."""

    blob: BlobId
    name: str
    media_type: str
    size_bytes: int
    sha256: str
    """Of the clear bytes, hexadecimal."""
    key: bytes
    """32-byte Cobblestone key, of this file alone."""
    kind: str = "piece-jointe"
    """`piece-jointe` or `synthese`."""


@dataclass(frozen=True, slots=True)
class RequestForm:
    """The form that both may edit (E03, E04)."""

    objet: str
    histoire_clinique: str = ""
    question: str = ""
    consentement: bool = False
    """The patient's agreement was obtained (domain.md 4.3)."""
