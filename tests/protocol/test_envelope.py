"""The header of an envelope: what the relay may read, in exactly one form, within limits."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identifiers import AccountId, BlobId, ConversationId, DeviceId, EventId
from domain.status import EventKind
from protocol.envelope import Envelope, Header, encode_header, signed_bytes, unverified_header
from protocol.errors import RemoteProtocolError
from protocol.limits import MAX_BLOBS_PER_EVENT, MAX_RECIPIENTS
from protocol.version import PROTOCOL_VERSION

VECTORS = Path(__file__).parent / "vectors" / "envelopes.json"
ANNE, MARIE = AccountId("ps:899700001029"), AccountId("ps:899700001011")


def header(**changes: object) -> Header:
    parts: dict[str, object] = {
        "version": PROTOCOL_VERSION,
        "event_id": EventId("01" * 16),
        "conversation": ConversationId("02" * 16),
        "kind": EventKind.ANSWERED,
        "author": MARIE,
        "sender": MARIE,
        "device": DeviceId("03" * 16),
        "recipients": (ANNE, MARIE),
        "blobs": (BlobId("04" * 32),),
        "wraps": {},
        **changes,
    }
    return Header(**parts)  # type: ignore[arg-type]


def read(made: Header) -> Header:
    return unverified_header(Envelope(encode_header(made), b"", b""))


HEADERS = {
    "answer-with-a-file": header(),
    "request-with-wraps": header(kind=EventKind.REQUEST_SENT, blobs=(), wraps={ANNE: b"wrap-a", MARIE: b"wrap-m"}),
    "in-the-name-of-a-service": header(sender=AccountId("sv:avis")),
    **{f"kind-{kind.value}": header(kind=kind, blobs=()) for kind in EventKind},
}


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_has_the_bytes_it_always_had(name: str) -> None:
    assert encode_header(HEADERS[name]).hex() == json.loads(VECTORS.read_text(encoding="utf-8"))[name]


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_is_read_as_it_was_written(name: str) -> None:
    assert read(HEADERS[name]) == HEADERS[name]


def test_the_signature_covers_label_length_header_and_body() -> None:
    assert signed_bytes(Envelope(b"head", b"body", b"any")) == b"avicenne/envelope/v1\x00\x00\x00\x00\x04headbody"


def test_no_byte_can_move_between_header_and_body() -> None:
    assert signed_bytes(Envelope(b"ab", b"c", b"")) != signed_bytes(Envelope(b"a", b"bc", b""))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"version": PROTOCOL_VERSION + 1}, "version d'enveloppe inconnue"),
        ({"version": 0}, "version d'enveloppe inconnue"),
        ({"recipients": ()}, "destinataires invalides"),
        ({"recipients": (ANNE, ANNE)}, "destinataires invalides"),
        ({"recipients": tuple(f"ps:{n}" for n in range(MAX_RECIPIENTS + 1))}, "destinataires invalides"),
        ({"blobs": (BlobId("04" * 32),) * (MAX_BLOBS_PER_EVENT + 1)}, "trop de pièces jointes"),
        ({"blobs": ("../x",)}, "identifiant de pièce jointe invalide"),
        ({"blobs": ("0" * 63,)}, "identifiant de pièce jointe invalide"),
        ({"event_id": "0" * 31}, "identifiant invalide"),
        ({"event_id": "A" * 32}, "identifiant invalide"),
        ({"event_id": "٠" * 32}, "identifiant invalide"),
        ({"conversation": ""}, "identifiant invalide"),
        ({"device": "g" * 32}, "identifiant invalide"),
    ],
)
def test_a_header_that_breaks_a_limit_is_refused(changes: dict[str, object], reason: str) -> None:
    with pytest.raises(RemoteProtocolError, match=reason):
        read(header(**changes))


def test_the_limits_themselves_are_allowed() -> None:
    recipients = tuple(AccountId(f"ps:{n}") for n in range(MAX_RECIPIENTS))
    largest = header(recipients=recipients, blobs=(BlobId("04" * 32),) * MAX_BLOBS_PER_EVENT)
    assert read(largest) == largest


@pytest.mark.parametrize("data", [b"", b"\xc0", b"\x90", b"\x91" * 50_000, b"\x9a\x01\xa1\xff", b"\xff" * 20])
def test_what_is_no_header_is_refused(data: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="en-tête illisible"):
        unverified_header(Envelope(data, b"", b""))


def test_text_that_is_no_utf_8_is_refused() -> None:
    """A frame of such a header ended the connection's task: the library raises another error for it."""
    whole = encode_header(header())
    place = whole.index(MARIE.encode())
    with pytest.raises(RemoteProtocolError, match="en-tête illisible"):
        unverified_header(Envelope(whole[:place] + b"\xff" + whole[place + 1 :], b"", b""))


def test_a_header_with_one_more_part_is_refused() -> None:
    parts = [*msgspec.to_builtins(header(), builtin_types=(bytes,)), "more"]
    with pytest.raises(RemoteProtocolError):
        unverified_header(Envelope(msgspec.msgpack.encode(parts), b"", b""))


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_the_peers_error(data: bytes) -> None:
    with contextlib.suppress(RemoteProtocolError):
        unverified_header(Envelope(data, b"", b""))


@given(st.integers(0, 500), st.integers(0, 255))
def test_no_altered_byte_raises_anything_but_the_peers_error(place: int, value: int) -> None:
    whole = bytearray(encode_header(HEADERS["request-with-wraps"]))
    whole[place % len(whole)] = value
    with contextlib.suppress(RemoteProtocolError):
        unverified_header(Envelope(bytes(whole), b"", b""))
