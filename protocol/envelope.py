"""The sealed envelope: a header the relay reads, a body it cannot, a signature over both (ADR 0005, 0006).

The header travels as the very bytes that were signed, so nobody has to agree on a canonical form.
"""

from __future__ import annotations

import msgspec

from domain.identifiers import AccountId, BlobId, ConversationId, DeviceId, EventId
from domain.status import EventKind
from protocol.errors import RemoteProtocolError
from protocol.limits import MAX_BLOBS_PER_EVENT, MAX_RECIPIENTS
from protocol.version import PROTOCOL_VERSION


class Header(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """What the relay may know of an event: who, to whom, about which conversation, of what kind."""

    version: int
    event_id: EventId
    conversation: ConversationId
    kind: EventKind
    author: AccountId
    """The person whose device signed."""
    sender: AccountId
    """The account in whose name: the author's own, or a service or delegation."""
    device: DeviceId
    recipients: tuple[AccountId, ...]
    """Every account whose stream receives the event, the sender's included."""
    blobs: tuple[BlobId, ...] = ()
    """Sealed attachments that must be stored before the event is accepted."""
    wraps: dict[AccountId, bytes] = {}
    """The conversation key sealed to each recipient (HPKE); only on the first event."""


class Envelope(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """Header bytes, sealed body, Ed25519 signature (64 bytes) over both under `ENVELOPE_DOMAIN`."""

    header: bytes
    body: bytes
    signature: bytes


ENVELOPE_DOMAIN = b"avicenne/envelope/v1\x00"

_header_decoder = msgspec.msgpack.Decoder(Header)
_encoder = msgspec.msgpack.Encoder()


def encode_header(header: Header) -> bytes:
    """The bytes that are signed and sent."""
    return _encoder.encode(header)


def unverified_header(envelope: Envelope) -> Header:
    """Read the header without checking the signature.

    Raises:
        RemoteProtocolError: the bytes are no header, or break a limit.
    """
    try:
        header = _header_decoder.decode(envelope.header)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise RemoteProtocolError("en-tête illisible") from error
    _check(header)
    return header


def signed_bytes(envelope: Envelope) -> bytes:
    """What the signature covers: domain label, length-prefixed header, body."""
    return ENVELOPE_DOMAIN + len(envelope.header).to_bytes(4, "big") + envelope.header + envelope.body


def _check(header: Header) -> None:
    if header.version != PROTOCOL_VERSION:
        raise RemoteProtocolError("version d'enveloppe inconnue")
    if not 1 <= len(header.recipients) <= MAX_RECIPIENTS or len(set(header.recipients)) != len(header.recipients):
        raise RemoteProtocolError("destinataires invalides")
    if len(header.blobs) > MAX_BLOBS_PER_EVENT:
        raise RemoteProtocolError("trop de pièces jointes")
    if not (_is_hex(header.event_id, 32) and _is_hex(header.conversation, 32) and _is_hex(header.device, 32)):
        raise RemoteProtocolError("identifiant invalide")
    if not all(_is_hex(blob, 64) for blob in header.blobs):
        raise RemoteProtocolError("identifiant de pièce jointe invalide")


def _is_hex(text: str, length: int) -> bool:
    return len(text) == length and all(c in "0123456789abcdef" for c in text)
