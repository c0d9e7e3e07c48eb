"""ISO 7816-4 commands, responses and BER-TLV, as bytes. Pure; used by the reader's side and by the virtual card.

Short APDUs only: a CPS3 speaks T=0, where a response longer than the caller asked for is fetched by GET RESPONSE
(`61xx`) and a wrong Le is corrected by the card (`6Cxx`). `crypto.card.channel` plays that game.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum

MAX_SHORT_LE = 256
HEADER_BYTES = 4


class MalformedData(ValueError):
    """Bytes that are no APDU or no TLV."""


class Sw(IntEnum):
    """Status words of ISO 7816-4, table 5, that a CPS3 uses."""

    OK = 0x9000
    END_OF_FILE = 0x6282
    WRONG_LENGTH = 0x6700
    SECURITY_STATUS_NOT_SATISFIED = 0x6982
    AUTHENTICATION_BLOCKED = 0x6983
    CONDITIONS_NOT_SATISFIED = 0x6985
    WRONG_DATA = 0x6A80
    FILE_NOT_FOUND = 0x6A82
    INCORRECT_P1_P2 = 0x6A86
    REFERENCE_NOT_FOUND = 0x6A88
    WRONG_OFFSET = 0x6B00
    INS_NOT_SUPPORTED = 0x6D00
    CLA_NOT_SUPPORTED = 0x6E00


TRIES_LEFT = 0x63C0
"""`63Cx`: the code was wrong, x tries are left."""
MORE_DATA = 0x6100
"""`61xx`: xx bytes (00 for 256) wait for GET RESPONSE."""
WRONG_LE = 0x6C00
"""`6Cxx`: repeat the command with Le = xx."""


class Ins(IntEnum):
    """Instruction bytes of ISO 7816-4 and 7816-8."""

    VERIFY = 0x20
    MANAGE_SECURITY_ENVIRONMENT = 0x22
    CHANGE_REFERENCE_DATA = 0x24
    PERFORM_SECURITY_OPERATION = 0x2A
    RESET_RETRY_COUNTER = 0x2C
    INTERNAL_AUTHENTICATE = 0x88
    SELECT = 0xA4
    READ_BINARY = 0xB0
    GET_RESPONSE = 0xC0
    GET_DATA = 0xCB


@dataclass(frozen=True, slots=True)
class Command:
    """One command APDU."""

    ins: int
    p1: int = 0
    p2: int = 0
    data: bytes = field(default=b"", repr=False)
    """At most 255 bytes; hidden from `repr` because a code may be in it."""
    le: int | None = None
    """Bytes expected, 1 to 256; None when none are."""
    cla: int = 0

    def __bytes__(self) -> bytes:
        header = bytes([self.cla, self.ins, self.p1, self.p2])
        body = bytes([len(self.data)]) + self.data if self.data else b""
        return header + body + (b"" if self.le is None else bytes([self.le % MAX_SHORT_LE]))

    @classmethod
    def parse(cls, apdu: bytes) -> Command:
        """Read a short command APDU.

        Raises:
            MalformedData: too short, or its lengths disagree.
        """
        if len(apdu) < HEADER_BYTES:
            raise MalformedData(f"{len(apdu)} bytes are no command")
        cla, ins, p1, p2 = apdu[:HEADER_BYTES]
        data, le = _parse_body(apdu[HEADER_BYTES:])
        return cls(ins, p1, p2, data, le, cla)


def _parse_body(body: bytes) -> tuple[bytes, int | None]:
    if not body:
        return b"", None
    if len(body) == 1:
        return b"", body[0] or MAX_SHORT_LE
    data, rest = body[1 : 1 + body[0]], body[1 + body[0] :]
    if len(data) != body[0] or len(rest) > 1:
        raise MalformedData("Lc disagrees with the length")
    return data, (rest[0] or MAX_SHORT_LE) if rest else None


@dataclass(frozen=True, slots=True)
class Response:
    """One response APDU."""

    data: bytes
    sw: int
    """Status word, 16 bits."""

    def __bytes__(self) -> bytes:
        return self.data + self.sw.to_bytes(2)

    @classmethod
    def parse(cls, apdu: bytes) -> Response:
        """Read a response APDU.

        Raises:
            MalformedData: it has no status word.
        """
        if len(apdu) < 2:
            raise MalformedData(f"{len(apdu)} bytes are no response")
        return cls(apdu[:-2], int.from_bytes(apdu[-2:]))


@dataclass(frozen=True, slots=True)
class Tlv:
    """One BER-TLV object (ISO 7816-4, 5.2.2), also good for the DER of PKCS#15."""

    tag: int
    """Tag bytes as one number: 0x30, 0x7F48."""
    value: bytes

    @property
    def children(self) -> tuple[Tlv, ...]:
        """The objects inside a constructed one. Raises MalformedData."""
        return tuple(iter_tlv(self.value))

    def child(self, tag: int) -> Tlv | None:
        """Return the first inner object with this tag. Raises MalformedData."""
        return next((inner for inner in self.children if inner.tag == tag), None)


def tlv(tag: int, *values: bytes) -> bytes:
    """Encode one object around the concatenation of `values`."""
    value = b"".join(values)
    return tag.to_bytes((tag.bit_length() + 7) // 8) + _encode_length(len(value)) + value


def iter_tlv(data: bytes) -> Iterator[Tlv]:
    """Read the objects of a file, one after the other, up to its padding (00 or FF).

    Raises:
        MalformedData: an object runs over the end.
    """
    position = 0
    while position < len(data) and data[position] not in (0x00, 0xFF):
        tag, position = _read_tag(data, position)
        length, position = _read_length(data, position)
        value = data[position : position + length]
        if len(value) != length:
            raise MalformedData("an object runs over the end")
        yield Tlv(tag, value)
        position += length


def _encode_length(length: int) -> bytes:
    if length < 0x80:
        return bytes([length])
    size = (length.bit_length() + 7) // 8
    return bytes([0x80 | size]) + length.to_bytes(size)


def _read_tag(data: bytes, position: int) -> tuple[int, int]:
    """One or two tag bytes: a CPS uses no longer ones."""
    if data[position] & 0x1F != 0x1F:
        return data[position], position + 1
    tag = data[position : position + 2]
    if len(tag) < 2 or tag[1] & 0x80:
        raise MalformedData("tag of more than two bytes")
    return int.from_bytes(tag), position + 2


def _read_length(data: bytes, position: int) -> tuple[int, int]:
    if position >= len(data):
        raise MalformedData("no length")
    first = data[position]
    if first < 0x80:
        return first, position + 1
    size = first & 0x7F
    length = data[position + 1 : position + 1 + size]
    if not 1 <= size <= 2 or len(length) != size:
        raise MalformedData("length of more than two bytes")
    return int.from_bytes(length), position + 1 + size
