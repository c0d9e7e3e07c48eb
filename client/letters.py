"""Letters in and out of envelopes: seal and sign what leaves, verify and open what arrives. Pure but for chance."""

from __future__ import annotations

from dataclasses import dataclass, field

from client.model import PendingAct, TrustedKeys
from crypto.errors import CryptoError, DecryptionFailed
from crypto.ports import RandomSource
from crypto.sealing import AccountKey, open_sealed, seal, unwrap_conversation_key, wrap_conversation_key
from crypto.signing import SigningKey, verify
from domain.events import Event
from domain.identifiers import AccountId, DeviceId, EventId
from domain.status import EventKind
from protocol.envelope import Envelope, Header, encode_header, signed_bytes
from protocol.errors import RemoteProtocolError
from protocol.payload import decode_event
from protocol.version import PROTOCOL_VERSION


@dataclass(slots=True)
class KeyRing:
    """The secrets of an open session; forgotten when it locks."""

    device_id: DeviceId
    device: SigningKey
    accounts: dict[AccountId, AccountKey] = field(repr=False)
    """One's own account key, and those of the services one is a member of."""


class Unbelievable(Exception):
    """A delivered event that is not what it claims; `reason` is a stable code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def new_event_id(instant_ms: int, random: RandomSource) -> EventId:
    """A UUIDv7 (RFC 9562) in 32 hexadecimal characters, from a Unix time in milliseconds and fresh bytes."""
    raw = bytearray(instant_ms.to_bytes(6, "big") + random(10))
    raw[6] = 0x70 | raw[6] & 0x0F
    raw[8] = 0x80 | raw[8] & 0x3F
    return EventId(raw.hex())


def seal_act(
    act: PendingAct,
    *,
    key: bytes,
    author: AccountId,
    ring: KeyRing,
    wraps: dict[AccountId, bytes],
    random: RandomSource,
) -> tuple[bytes, bytes, bytes]:
    """Make the envelope of an act, once and for all: header, body, signature."""
    header = encode_header(
        Header(
            version=PROTOCOL_VERSION,
            event_id=act.event_id,
            conversation=act.conversation,
            kind=EventKind(act.kind),
            author=author,
            sender=act.sender,
            device=ring.device_id,
            recipients=act.recipients,
            blobs=act.blobs,
            wraps=wraps,
        )
    )
    body = seal(key, act.letter, event_id=act.event_id, associated_data=header, random=random)
    return header, body, ring.device.sign(signed_bytes(Envelope(header, body, b"")))


def wrap_for(keys: list[TrustedKeys], key: bytes, conversation: str) -> dict[AccountId, bytes]:
    """The conversation key sealed to each of its accounts."""
    return {
        each.account: wrap_conversation_key(each.account_key, key, conversation=conversation, recipient=each.account)
        for each in keys
    }


def conversation_key(header: Header, ring: KeyRing) -> bytes:
    """Find and open the conversation key addressed to one of our accounts. Raises Unbelievable."""
    for account, wrapped in header.wraps.items():
        if account in ring.accounts:
            try:
                return unwrap_conversation_key(
                    ring.accounts[account], wrapped, conversation=header.conversation, recipient=account
                )
            except DecryptionFailed:
                continue
    raise Unbelievable("no-key")


def open_letter(envelope: Envelope, header: Header, *, key: bytes, author: TrustedKeys) -> tuple[Event, bytes]:
    """Verify the author's signature and open the letter; returns it decoded and as clear bytes. Raises Unbelievable."""
    device_key = author.devices.get(header.device)
    if device_key is None:
        raise Unbelievable("unknown-device")
    try:
        verify(device_key, signed_bytes(envelope), envelope.signature)
        letter = open_sealed(key, envelope.body, event_id=header.event_id, associated_data=envelope.header)
        event = decode_event(header.kind, letter)
    except (CryptoError, RemoteProtocolError) as error:
        raise Unbelievable("unreadable") from error
    if event.author.account != header.author or event.in_name_of.account != header.sender:
        raise Unbelievable("author-mismatch")
    return event, letter
