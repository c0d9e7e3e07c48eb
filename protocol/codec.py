"""Frame <-> bytes (MessagePack), strict: unknown fields, wrong types and oversize are the peer's fault."""

from __future__ import annotations

from typing import TypeVar

import msgspec

from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.frames import ClientFrame, Frame, ServerFrame
from protocol.limits import MAX_FRAME_BYTES

T = TypeVar("T")

_encoder = msgspec.msgpack.Encoder()
_client_frames: msgspec.msgpack.Decoder[ClientFrame] = msgspec.msgpack.Decoder(ClientFrame)
_server_frames: msgspec.msgpack.Decoder[ServerFrame] = msgspec.msgpack.Decoder(ServerFrame)


def encode_frame(frame: Frame) -> bytes:
    """Encode `frame`.

    Raises:
        LocalProtocolError: it would exceed MAX_FRAME_BYTES.
    """
    data = _encoder.encode(frame)
    if len(data) > MAX_FRAME_BYTES:
        raise LocalProtocolError("frame too large")
    return data


def decode_client_frame(data: bytes) -> ClientFrame:
    """Decode what a client sent. Raises RemoteProtocolError and nothing else."""
    return _decode(_client_frames, data)


def decode_server_frame(data: bytes) -> ServerFrame:
    """Decode what the relay sent. Raises RemoteProtocolError and nothing else."""
    return _decode(_server_frames, data)


def _decode(decoder: msgspec.msgpack.Decoder[T], data: bytes) -> T:
    if len(data) > MAX_FRAME_BYTES:
        raise RemoteProtocolError("trame trop grande")
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteProtocolError("trame illisible") from error
