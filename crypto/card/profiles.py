"""What is particular to each generation of card: how to know it, its application, its keys and codes. Pure data.

Only the contact interface of the CPS3 is driven here. A CPS4 (logical channel, no INTERNAL AUTHENTICATE) and the
contactless CPS3 (no signature) are recognised as unsupported rather than half-driven: reach them through the
vendor's PKCS#11 module.
"""

from __future__ import annotations

from dataclasses import dataclass

from crypto.card.errors import UnsupportedCard

SHA256_DIGEST_INFO = bytes.fromhex("3031300D060960864801650304020105000420")
"""DER of DigestInfo up to the digest (RFC 8017, 9.2, note 1)."""

MIN_PIN, MAX_PIN = 4, 8
"""Digits of a code porteur: the vendor's tool accepts 4 to 8."""
PUK_DIGITS = 8
MASTER_FILE = bytes.fromhex("3F00")
ROOT_AID = bytes.fromhex("8025000001FF0100")
"""Root application of the CPS3; EF.ATR announces it."""
SERIAL_PREFIX = bytes.fromhex("8025000001")
"""Issuer identification that opens EF.SN: France, ANS."""


@dataclass(frozen=True, slots=True)
class KeyProfile:
    """One private key and how to use it."""

    reference: int
    """Key reference, local to the application (bit 8 set)."""
    algorithm: int
    """Algorithm reference: 02 RSA PKCS#1 over a DigestInfo of the host, 42 RSA PKCS#1 with SHA-256."""


@dataclass(frozen=True, slots=True)
class CardProfile:
    """One generation of card."""

    name: str
    atr: bytes
    application_aid: bytes
    application: bytes
    """Path of the PKCS#15 application from the master file."""
    authentication: KeyProfile
    signature: KeyProfile
    pin_reference: int
    puk_reference: int
    tries_max: int
    """Tries of either code when its counter is full."""
    serial_file: bytes
    odf_file: bytes
    exercice_files: tuple[bytes, ...]
    """Practice situations, readable without a code."""
    facturation_files: tuple[bytes, ...]
    """Billing situations, readable after the code porteur."""


_APPLICATION = bytes.fromhex("3F000001")


def _situation_files(first: int, last: int) -> tuple[bytes, ...]:
    return tuple(_APPLICATION + number.to_bytes(2) for number in range(first, last + 1))


CPS3 = CardProfile(
    name="CPS3",
    atr=bytes.fromhex("3BAC00402A001225006480000310009000"),
    application_aid=bytes.fromhex("E828BD080F8025000001FF0010"),
    application=_APPLICATION,
    authentication=KeyProfile(reference=0x82, algorithm=0x02),
    signature=KeyProfile(reference=0x81, algorithm=0x42),
    pin_reference=0x01,
    puk_reference=0x02,
    tries_max=3,
    serial_file=bytes.fromhex("3F00D003"),
    odf_file=_APPLICATION + bytes.fromhex("5031"),
    exercice_files=_situation_files(0xD120, 0xD127),
    facturation_files=_situation_files(0xD128, 0xD12F),
)

_ATR_MASK = bytes.fromhex("FF00000000FFFFFFFFFFFF000000FFFFFF")
"""Bytes of the answer to reset that tell the family; the others are transmission parameters and versions."""


def profile_for(atr: bytes) -> CardProfile:
    """Choose the profile of a card from its answer to reset.

    Raises:
        UnsupportedCard: no profile knows this card.
    """
    if _masked(atr) == _masked(CPS3.atr):
        return CPS3
    raise UnsupportedCard(atr)


def _masked(atr: bytes) -> bytes | None:
    if len(atr) != len(_ATR_MASK):
        return None
    return bytes(byte & mask for byte, mask in zip(atr, _ATR_MASK, strict=True))
