"""PKCS#15 (ISO 7816-15) as far as a CPS needs it: where the certificates are, and which keys they belong to.

Pure parsing of directory files. Unknown objects and attributes are skipped, because cards of different generations
carry different ones; what we need and cannot find raises `MalformedData`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crypto.card.apdu import MalformedData, Tlv, iter_tlv

SEQUENCE = 0x30
OCTET_STRING = 0x04
INTEGER = 0x02
BOOLEAN = 0x01
TYPE_ATTRIBUTES = 0xA1
"""[1] typeAttributes of every PKCS#15 object (ISO 7816-15, 8.2)."""


@dataclass(frozen=True, slots=True)
class Directories:
    """Paths of the directory files, from EF.ODF (8.3)."""

    private_keys: bytes | None
    certificates: bytes
    authentication_objects: bytes | None


@dataclass(frozen=True, slots=True)
class CertificateEntry:
    """One entry of EF.CD (8.7)."""

    identifier: bytes
    """Shared with the private key it belongs to."""
    path: bytes
    is_authority: bool


@dataclass(frozen=True, slots=True)
class PrivateKeyEntry:
    """One RSA entry of EF.PrKD (8.4)."""

    identifier: bytes
    reference: int
    """Key reference for MANAGE SECURITY ENVIRONMENT, 0x00 to 0xFF."""


def parse_odf(content: bytes) -> Directories:
    """Read EF.ODF (file 5031). Raises MalformedData."""
    paths = {entry.tag: _first_path(entry) for entry in iter_tlv(content)}
    if 0xA4 not in paths:
        raise MalformedData("no certificate directory")
    return Directories(private_keys=paths.get(0xA0), certificates=paths[0xA4], authentication_objects=paths.get(0xA8))


def parse_certificates(content: bytes) -> tuple[CertificateEntry, ...]:
    """Read a certificate directory file. Raises MalformedData."""
    return tuple(_certificate(parts) for parts in _objects(content))


def parse_private_keys(content: bytes) -> tuple[PrivateKeyEntry, ...]:
    """Read a private key directory file. Raises MalformedData."""
    return tuple(_private_key(parts) for parts in _objects(content))


def _objects(content: bytes) -> Iterator[tuple[Tlv, ...]]:
    """Yield the parts of each object: common attributes, class attributes, [1] type attributes."""
    for entry in iter_tlv(content):
        parts = entry.children
        if entry.tag == SEQUENCE and len(parts) >= 3:
            yield parts


def _certificate(parts: tuple[Tlv, ...]) -> CertificateEntry:
    authority = parts[1].child(BOOLEAN)
    return CertificateEntry(
        identifier=_required(parts[1], OCTET_STRING),
        path=_first_path(_type_attributes(parts)),
        is_authority=authority is not None and authority.value != b"\0",
    )


def _private_key(parts: tuple[Tlv, ...]) -> PrivateKeyEntry:
    # DER keeps integers positive with a leading zero: reference 0x82 is 02 02 00 82.
    reference = int.from_bytes(_required(parts[1], INTEGER)) & 0xFF
    return PrivateKeyEntry(identifier=_required(parts[1], OCTET_STRING), reference=reference)


def _type_attributes(parts: tuple[Tlv, ...]) -> Tlv:
    for part in parts:
        if part.tag == TYPE_ATTRIBUTES:
            return part
    raise MalformedData("no type attributes")


def _first_path(entry: Tlv) -> bytes:
    """Find the first path below a constructed object: Path ::= SEQUENCE { OCTET STRING, ... }."""
    for inner in entry.children:
        if inner.tag == OCTET_STRING:
            return inner.value
        if inner.tag & 0x20:
            return _first_path(inner)
    raise MalformedData("no path")


def _required(entry: Tlv, tag: int) -> bytes:
    found = entry.child(tag)
    if found is None:
        raise MalformedData(f"no {tag:02X} in {entry.tag:02X}")
    return found.value
