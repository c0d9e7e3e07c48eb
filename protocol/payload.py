"""The letter: a domain event <-> the bytes that are sealed. Clients only; the relay may not import this (R5)."""

from __future__ import annotations

import msgspec

from domain.events import CLASS_OF_KIND, KIND_OF_CLASS, Event
from domain.status import EventKind
from protocol.errors import RemoteProtocolError

_encoder = msgspec.msgpack.Encoder()
_decoders = {kind: msgspec.msgpack.Decoder(cls) for kind, cls in CLASS_OF_KIND.items()}


def kind_of(event: Event) -> EventKind:
    """The kind written in the header for this event."""
    return KIND_OF_CLASS[type(event)]


def encode_event(event: Event) -> bytes:
    """The clear bytes of a letter."""
    return _encoder.encode(event)


def decode_event(kind: EventKind, data: bytes) -> Event:
    """Read a letter whose signed header says `kind`. Raises RemoteProtocolError when it is no such letter."""
    try:
        return _decoders[kind].decode(data)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteProtocolError("contenu illisible") from error
