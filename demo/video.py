"""A very small film: JPEG pictures in an MP4 container (ISO/IEC 14496-12 and -14), no encoder needed."""

from __future__ import annotations

import struct
from collections.abc import Sequence

_MATRIX = struct.pack(">9I", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)
_JPEG_OBJECT_TYPE = 0x6C
"""Visual ISO/IEC 10918-1 (JPEG), in the table of 14496-1."""


def film(pictures: Sequence[bytes], *, width: int, height: int, pictures_per_s: int) -> bytes:
    """Return an MP4 showing JPEG pictures one after the other."""
    kind = _box(b"ftyp", b"isom" + struct.pack(">I", 512) + b"isommp41")
    data = _box(b"mdat", *pictures)
    first = len(kind) + 8
    return kind + data + _movie(pictures, first, width, height, pictures_per_s)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def _full(kind: bytes, *parts: bytes, flags: int = 0) -> bytes:
    """A box with version 0 and flags."""
    return _box(kind, struct.pack(">I", flags), *parts)


def _movie(pictures: Sequence[bytes], first: int, width: int, height: int, rate: int) -> bytes:
    count = len(pictures)
    times = struct.pack(">2I", 0, 0)
    header = _full(
        b"mvhd", times, struct.pack(">2IIH10x", rate, count, 0x10000, 0x100), _MATRIX, bytes(24), struct.pack(">I", 2)
    )
    track = _full(
        b"tkhd", times, struct.pack(">III8x4H", 1, 0, count, 0, 0, 0, 0), _MATRIX,
        struct.pack(">2I", width << 16, height << 16), flags=3,
    )  # fmt: skip
    media = _box(
        b"mdia",
        _full(b"mdhd", times, struct.pack(">2I2H", rate, count, 0x55C4, 0)),
        _full(b"hdlr", bytes(4), b"vide", bytes(12), b"video\0"),
        _box(
            b"minf",
            _full(b"vmhd", bytes(8), flags=1),
            _box(b"dinf", _full(b"dref", struct.pack(">I", 1), _full(b"url ", flags=1))),
            _samples(pictures, first, width, height),
        ),
    )
    return _box(b"moov", header, _box(b"trak", track, media))


def _samples(pictures: Sequence[bytes], first: int, width: int, height: int) -> bytes:
    count = len(pictures)
    sizes = struct.pack(f">{count}I", *map(len, pictures))
    return _box(
        b"stbl",
        _full(b"stsd", struct.pack(">I", 1), _picture_format(width, height)),
        _full(b"stts", struct.pack(">3I", 1, count, 1)),
        _full(b"stsc", struct.pack(">4I", 1, 1, count, 1)),
        _full(b"stsz", struct.pack(">2I", 0, count), sizes),
        _full(b"stco", struct.pack(">2I", 1, first)),
    )


def _picture_format(width: int, height: int) -> bytes:
    shown = struct.pack(">6xH16x2H2I4xH32s2H", 1, width, height, 0x480000, 0x480000, 1, bytes(32), 24, 0xFFFF)
    decoder = b"\x04\x0d" + struct.pack(">2B", _JPEG_OBJECT_TYPE, 0x11) + bytes(11)
    elementary = b"\x03" + struct.pack(">BHB", 3 + len(decoder) + 3, 1, 0) + decoder + b"\x06\x01\x02"
    return _box(b"mp4v", shown, _full(b"esds", elementary))
