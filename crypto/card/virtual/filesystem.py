"""The files of a CPS3, encoded: EF.DIR, EF.ATR, EF.SN and the PKCS#15 directories (ISO 7816-15).

OpenSC and the vendor's library read these very files on real cards, so they are the judges of this module.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crypto.card.apdu import tlv
from crypto.card.port import SituationExercice, SituationFacturation
from crypto.card.profiles import CPS3, ROOT_AID, SERIAL_PREFIX
from crypto.card.situations import encode_exercice, encode_facturation
from crypto.card.virtual.image import ImageFile

SIGNATURE_ID = b"\x01"
AUTHENTICATION_ID = b"\x02"
PIN_ID = b"\x01"

SFI_DIR, SFI_ATR, SFI_SN = 0x1E, 0x1D, 0x1C
"""Short identifiers that IAS-ECC fixes."""

_SEQUENCE, _OCTETS, _INTEGER, _BOOLEAN, _BITS, _ENUMERATED, _UTF8 = 0x30, 0x04, 0x02, 0x01, 0x03, 0x0A, 0x0C
_PRIVATE_KEYS, _CERTIFICATES, _AUTHENTICATION, _DATA = 0xA0, 0xA4, 0xA8, 0xA7
_TYPE_ATTRIBUTES = 0xA1

_CKM_RSA_PKCS, _CKM_SHA1_RSA_PKCS, _CKM_SHA256_RSA_PKCS, _CKM_SHA_1, _CKM_SHA256 = 0x01, 0x06, 0x40, 0x220, 0x250
_COMPUTE_SIGNATURE, _HASH = (1,), (6,)

_EXTENDED_BUFFERS = bytes.fromhex("02020104 02020104 02020100 02020100")
"""EF.ATR tag E0: buffers for commands and responses, plain and under secure messaging (IAS-ECC)."""


@dataclass(frozen=True, slots=True)
class CardContents:
    """What goes into the files of one card."""

    numero: str
    """Ten decimal digits."""
    signature_certificate: bytes
    authentication_certificate: bytes
    issuer_certificates: tuple[bytes, ...]
    situations_exercice: tuple[SituationExercice, ...]
    situations_facturation: tuple[SituationFacturation, ...]


def build_files(contents: CardContents) -> tuple[ImageFile, ...]:
    """Lay out every file of a card."""
    certificates = _certificate_files(contents)
    return (
        ImageFile("3F002F00", _ef_dir(), SFI_DIR),
        ImageFile("3F002F01", _ef_atr(), SFI_ATR),
        ImageFile("3F00D003", _ef_sn(contents.numero), SFI_SN),
        _application_file("5031", _ef_odf()),
        _application_file("5032", _token_info(contents.numero)),
        _application_file("7001", _pin_object("Code porteur", PIN_ID, CPS3.pin_reference)),
        _application_file("7002", _private_keys()),
        _application_file("7005", _certificate_directory(len(contents.issuer_certificates))),
        _application_file("7006", _data_directory(contents)),
        *certificates,
        *_situation_files(contents),
    )


def _application_file(identifier: str, content: bytes, *, needs_pin: bool = False) -> ImageFile:
    return ImageFile(CPS3.application.hex().upper() + identifier, content, needs_pin=needs_pin)


def _ef_dir() -> bytes:
    label = tlv(0x50, b"CPS3")
    return tlv(0x61, tlv(0x4F, CPS3.application_aid), label, tlv(0x51, CPS3.application))


def _ef_atr() -> bytes:
    """EF.ATR with the category byte first, as CPx cards store it (OpenSC skips it on purpose)."""
    return b"\x80" + b"".join(
        [
            tlv(0x43, b"\xb8"),
            tlv(0x46, bytes.fromhex("04014201")),
            tlv(0x47, bytes.fromhex("94018000")),
            tlv(0x4F, ROOT_AID),
            tlv(0xE0, _EXTENDED_BUFFERS),
        ]
    )


def _ef_sn(numero: str) -> bytes:
    return tlv(0x5A, SERIAL_PREFIX + bytes.fromhex(numero))


def _ef_odf() -> bytes:
    directories = [(_PRIVATE_KEYS, "7002"), (_CERTIFICATES, "7005"), (_DATA, "7006"), (_AUTHENTICATION, "7001")]
    return b"".join(tlv(tag, _path(identifier)) for tag, identifier in directories)


def _token_info(numero: str) -> bytes:
    algorithms = [
        (_CKM_RSA_PKCS, _COMPUTE_SIGNATURE, 0x02),
        (_CKM_SHA1_RSA_PKCS, _COMPUTE_SIGNATURE, 0x12),
        (_CKM_SHA256_RSA_PKCS, _COMPUTE_SIGNATURE, 0x42),
        (_CKM_SHA_1, _HASH, 0x10),
        (_CKM_SHA256, _HASH, 0x40),
    ]
    supported = [_algorithm(reference, *row) for reference, row in enumerate(algorithms, start=1)]
    return tlv(
        _SEQUENCE,
        _integer(0),
        tlv(_OCTETS, SERIAL_PREFIX + bytes.fromhex(numero)),
        tlv(_UTF8, b"Avicenne (virtual card)"),
        tlv(0x80, b"CPS3v1-TEST"),
        _bits(1, 3),
        tlv(0xA2, *supported),
    )


def _algorithm(reference: int, mechanism: int, operations: tuple[int, ...], card_reference: int) -> bytes:
    """AlgorithmInfo (8.10): mechanism of PKCS#11, operations, and the reference the card knows it by."""
    return tlv(
        _SEQUENCE,
        _integer(reference),
        _integer(mechanism),
        tlv(0x05),
        _bits(*operations),
        _integer(card_reference),
    )


def _pin_object(label: str, identifier: bytes, reference: int) -> bytes:
    """Encode an ascii-numeric code, initialised, of 4 to 8 digits (8.9.2)."""
    attributes = tlv(
        _SEQUENCE,
        _bits(4),
        tlv(_ENUMERATED, b"\x01"),
        _integer(4),
        _integer(8),
        _integer(8),
        tlv(0x80, bytes([reference])),
    )
    return tlv(
        _SEQUENCE,
        _common(label, 0),
        tlv(_SEQUENCE, tlv(_OCTETS, identifier)),
        tlv(_TYPE_ATTRIBUTES, attributes),
    )


def _private_keys() -> bytes:
    sign, non_repudiation = 2, 9
    return _private_key("Clé de signature", SIGNATURE_ID, CPS3.signature.reference, non_repudiation) + _private_key(
        "Clé d'authentification", AUTHENTICATION_ID, CPS3.authentication.reference, sign
    )


def _private_key(label: str, identifier: bytes, reference: int, usage: int) -> bytes:
    attributes = tlv(
        _SEQUENCE,
        tlv(_OCTETS, identifier),
        _bits(usage),
        tlv(_BOOLEAN, b"\xff"),
        _bits(0, 2, 3, 4),
        _integer(reference),
    )
    location = tlv(_SEQUENCE, tlv(_SEQUENCE, tlv(_OCTETS, CPS3.application)), _integer(2048))
    return tlv(_SEQUENCE, _common(label, 0, auth_id=PIN_ID), attributes, tlv(_TYPE_ATTRIBUTES, location))


def _certificate_files(contents: CardContents) -> list[ImageFile]:
    ordered = [
        contents.signature_certificate,
        contents.authentication_certificate,
        *contents.issuer_certificates,
    ]
    return [_application_file(f"A0{number:02X}", der) for number, der in enumerate(ordered, start=1)]


def _certificate_directory(issuers: int) -> bytes:
    own = _certificate("Certificat de signature", SIGNATURE_ID, "A001") + _certificate(
        "Certificat d'authentification", AUTHENTICATION_ID, "A002"
    )
    return own + b"".join(
        _certificate(f"AC {number}", bytes([0x10 + number]), f"A0{number + 2:02X}", authority=True)
        for number in range(1, issuers + 1)
    )


def _certificate(label: str, identifier: bytes, file: str, *, authority: bool = False) -> bytes:
    flag = tlv(_BOOLEAN, b"\xff") if authority else b""
    attributes = tlv(_SEQUENCE, tlv(_OCTETS, identifier), flag)
    return tlv(_SEQUENCE, _common(label), attributes, tlv(_TYPE_ATTRIBUTES, tlv(_SEQUENCE, _path(file))))


def _data_directory(contents: CardContents) -> bytes:
    """EF.DOD: the situations as data objects, the billing ones private."""
    exercice = [
        _data_object(f"Situation d'exercice {number}", path)
        for number, path in enumerate(CPS3.exercice_files[: len(contents.situations_exercice)], start=1)
    ]
    facturation = [
        _data_object(f"Situation de facturation {number}", path, private=True)
        for number, path in enumerate(CPS3.facturation_files[: len(contents.situations_facturation)], start=1)
    ]
    return b"".join(exercice + facturation)


def _data_object(label: str, path: bytes, *, private: bool = False) -> bytes:
    common = _common(label, 0, auth_id=PIN_ID) if private else _common(label)
    attributes = tlv(_SEQUENCE, tlv(_UTF8, b"CPS"))
    location = tlv(_SEQUENCE, tlv(_OCTETS, path))
    return tlv(_SEQUENCE, common, attributes, tlv(_TYPE_ATTRIBUTES, location))


def _situation_files(contents: CardContents) -> list[ImageFile]:
    exercice = map(encode_exercice, contents.situations_exercice)
    facturation = map(encode_facturation, contents.situations_facturation)
    return [
        *_numbered(CPS3.exercice_files, list(exercice), needs_pin=False),
        *_numbered(CPS3.facturation_files, list(facturation), needs_pin=True),
    ]


def _numbered(paths: Sequence[bytes], contents: list[bytes], *, needs_pin: bool) -> list[ImageFile]:
    if len(contents) > len(paths):
        raise ValueError(f"a card has room for {len(paths)} situations of a kind")
    pairs = zip(paths, contents, strict=False)
    return [ImageFile(path.hex().upper(), content, needs_pin=needs_pin) for path, content in pairs]


def _common(label: str, *flags: int, auth_id: bytes | None = None) -> bytes:
    """CommonObjectAttributes (8.2.8): label, flags (bit 0: private), and the code that opens the object."""
    flag_bits = _bits(*flags) if flags else b""
    authentication = tlv(_OCTETS, auth_id) if auth_id is not None else b""
    return tlv(_SEQUENCE, tlv(_UTF8, label.encode()), flag_bits, authentication)


def _path(identifier: str) -> bytes:
    return tlv(_SEQUENCE, tlv(_OCTETS, CPS3.application + bytes.fromhex(identifier)))


def _integer(value: int) -> bytes:
    return tlv(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1))


def _bits(*positions: int) -> bytes:
    """BIT STRING with these bits set, bit 0 first, trailing zeros dropped (DER of named bits)."""
    size = max(positions) + 1
    octets = (size + 7) // 8
    value = sum(1 << (octets * 8 - 1 - position) for position in positions)
    return tlv(_BITS, bytes([octets * 8 - size]) + value.to_bytes(octets))
