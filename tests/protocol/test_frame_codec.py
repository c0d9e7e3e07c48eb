"""Frames as bytes: stable, strict, and never an error but the peer's."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.identifiers import AccountId, EventId
from protocol import codec
from protocol.codec import decode_client_frame, decode_server_frame, encode_frame
from protocol.envelope import Envelope
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.frames import (
    ClientFrame,
    Deliver,
    Frame,
    Goodbye,
    Hello,
    RefusalCode,
    Refused,
    ServerFrame,
    Submit,
    Welcome,
)
from protocol.limits import MAX_FRAME_BYTES
from protocol.version import PROTOCOL_VERSION

VECTORS = Path(__file__).parent / "vectors" / "frames.json"

ANNE, MARIE = AccountId("ps:899700001029"), AccountId("ps:899700001011")
ENVELOPE = Envelope(b"header", b"body", b"signature")
FRAMES: dict[str, Frame] = {
    "hello": Hello(PROTOCOL_VERSION, "token", {ANNE: 0, MARIE: 70_000}),
    "hello-of-a-new-desk": Hello(PROTOCOL_VERSION, "", {}),
    "submit": Submit(ENVELOPE),
    "welcome": Welcome("2026-11-22T09:00:00.000+00:00", {ANNE: 3}),
    "deliver": Deliver(ANNE, 4, "2026-11-22T09:00:00.000+00:00", ENVELOPE),
    "goodbye": Goodbye("arrêt du serveur"),
    **{f"refused-{code.value}": Refused(EventId("0" * 32), code) for code in RefusalCode},
}


def vectors() -> dict[str, str]:
    return json.loads(VECTORS.read_text(encoding="utf-8"))


def decode(frame: Frame, data: bytes) -> Frame:
    return (decode_client_frame if isinstance(frame, ClientFrame) else decode_server_frame)(data)


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_has_the_bytes_it_always_had(name: str) -> None:
    """A difference here means that yesterday's clients and today's relay do not understand each other."""
    assert encode_frame(FRAMES[name]).hex() == vectors()[name]


@pytest.mark.parametrize("name", FRAMES)
def test_the_bytes_of_yesterday_are_read_as_the_same_frame(name: str) -> None:
    assert decode(FRAMES[name], bytes.fromhex(vectors()[name])) == FRAMES[name]


def test_every_golden_frame_is_still_a_frame() -> None:
    assert set(vectors()) == set(FRAMES)


# --- strictness


@pytest.mark.parametrize("name", [name for name, frame in FRAMES.items() if isinstance(frame, ServerFrame)])
def test_the_relays_frames_are_none_of_the_clients(name: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_client_frame(encode_frame(FRAMES[name]))


@pytest.mark.parametrize("name", [name for name, frame in FRAMES.items() if isinstance(frame, ClientFrame)])
def test_the_clients_frames_are_none_of_the_relays(name: str) -> None:
    with pytest.raises(RemoteProtocolError):
        decode_server_frame(encode_frame(FRAMES[name]))


@pytest.mark.parametrize(
    "parts",
    [
        [],
        ["submit"],
        ["submit", [b"h", b"b"]],
        ["submit", [b"h", b"b", b"s", b"more"]],
        ["submit", [b"h", b"b", b"s"], "more"],
        ["submit", [b"h", "text", b"s"]],
        ["submit", None],
        ["hello", "1", "token", {}],
        ["hello", 1, "token", {"a": "1"}],
        ["hello", 1, "token", {"a": 1.5}],
        ["hello", True, "token", {}],
        ["Hello", 1, "token", {}],
        ["unknown"],
        {"type": "submit"},
        "submit",
        7,
        None,
    ],
    ids=repr,
)
def test_what_is_not_exactly_a_frame_is_refused(parts: object) -> None:
    with pytest.raises(RemoteProtocolError, match="trame illisible"):
        decode_client_frame(msgspec.msgpack.encode(parts))


def test_an_unknown_refusal_code_is_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        decode_server_frame(msgspec.msgpack.encode(["refused", "0" * 32, "because"]))


@pytest.mark.parametrize("name", FRAMES)
def test_a_cut_or_lengthened_frame_is_refused(name: str) -> None:
    whole = encode_frame(FRAMES[name])
    for size in range(len(whole)):
        with pytest.raises(RemoteProtocolError):
            decode(FRAMES[name], whole[:size])
    with pytest.raises(RemoteProtocolError):
        decode(FRAMES[name], whole + b"\xc0")


def test_the_reason_never_quotes_the_peers_bytes() -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        decode_client_frame(msgspec.msgpack.encode(["submit", "SECRET"]))
    assert caught.value.reason == "trame illisible"


# --- limits


def padded(extra: int) -> Submit:
    bare = len(encode_frame(Submit(Envelope(b"", bytes(70_000), b""))))
    return Submit(Envelope(b"", bytes(70_000 + MAX_FRAME_BYTES - bare + extra), b""))


def test_the_largest_frame_goes_through_and_one_byte_more_does_not() -> None:
    largest = encode_frame(padded(0))
    assert len(largest) == MAX_FRAME_BYTES
    assert decode_client_frame(largest) == padded(0)
    with pytest.raises(LocalProtocolError):
        encode_frame(padded(1))
    with pytest.raises(RemoteProtocolError, match="trame trop grande"):
        decode_client_frame(largest + b"\x00")


def test_a_frame_that_is_too_large_is_not_even_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(codec, "_client_frames", None)
    with pytest.raises(RemoteProtocolError, match="trame trop grande"):
        decode_client_frame(bytes(MAX_FRAME_BYTES + 1))


def test_frames_nested_beyond_measure_are_refused() -> None:
    with pytest.raises(RemoteProtocolError):
        decode_client_frame(b"\x91" * 100_000)


# --- fuzz


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_but_the_peers_error(data: bytes) -> None:
    for decoder in (decode_client_frame, decode_server_frame):
        try:
            decoder(data)
        except RemoteProtocolError:
            continue


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats()
    | st.text(max_size=9)
    | st.binary(max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(["hello", "submit", "welcome", "deliver", "refused", "goodbye"]), st.lists(JSON, max_size=6))
def test_no_wrong_part_raises_anything_but_the_peers_error(tag: str, parts: list[object]) -> None:
    data = msgspec.msgpack.encode([tag, *parts])
    for decoder in (decode_client_frame, decode_server_frame):
        try:
            frame = decoder(data)
        except RemoteProtocolError:
            continue
        assert decode(frame, encode_frame(frame)) == frame


@given(st.sampled_from(sorted(FRAMES)), st.integers(0, 200), st.integers(0, 255))
def test_no_altered_byte_raises_anything_but_the_peers_error(name: str, place: int, value: int) -> None:
    whole = bytearray(encode_frame(FRAMES[name]))
    whole[place % len(whole)] = value
    with contextlib.suppress(RemoteProtocolError):
        decode(FRAMES[name], bytes(whole))
