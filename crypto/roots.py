"""Certificates as files hold them, PEM (one or several) or DER, turned into DER. Pure: bytes in, bytes out."""

from __future__ import annotations

import base64
import binascii
import re

_PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.*?)-----END CERTIFICATE-----", re.DOTALL)


def read_certificates(data: bytes) -> tuple[bytes, ...]:
    """Every certificate of a file, DER; empty when it holds none.

    Raises:
        ValueError: a PEM block is no base64.
    """
    blocks = _PEM.findall(data)
    if not blocks:
        return (data,) if data[:1] == b"\x30" else ()
    try:
        return tuple(base64.b64decode(b"".join(block.split()), validate=True) for block in blocks)
    except binascii.Error as error:
        raise ValueError("not base64") from error
