"""APDU and TLV: bytes are the contract."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.card.apdu import Command, Ins, MalformedData, Response, Tlv, iter_tlv, tlv
from crypto.card.session import exchange


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        (Command(Ins.VERIFY, p2=1), "00200001"),
        (Command(Ins.VERIFY, p2=1, data=b"1234"), "002000010431323334"),
        (Command(Ins.READ_BINARY, 0x9C, 0, le=0xC0), "00B09C00C0"),
        (Command(Ins.READ_BINARY, le=256), "00B0000000"),
        (Command(Ins.SELECT, 9, 4, b"\x3f\x00", 256), "00A40904023F0000"),
    ],
)
def test_a_command_is_written_and_read(command: Command, expected: str) -> None:
    assert bytes(command) == bytes.fromhex(expected)
    assert Command.parse(bytes.fromhex(expected)) == command


@pytest.mark.parametrize("apdu", ["", "00", "002000", "002000010531", "00200001053132", "0020000101310000"])
def test_lengths_that_disagree_are_malformed(apdu: str) -> None:
    with pytest.raises(MalformedData):
        Command.parse(bytes.fromhex(apdu))


def test_a_code_does_not_show_in_the_repr_of_a_command() -> None:
    assert "1234" not in repr(Command(Ins.VERIFY, p2=1, data=b"1234"))


@pytest.mark.parametrize("apdu", [b"", b"\x90"])
def test_a_response_without_status_word_is_malformed(apdu: bytes) -> None:
    with pytest.raises(MalformedData):
        Response.parse(apdu)


class Script:
    """A card that answers what was written down, and fails on anything else."""

    def __init__(self, *lines: tuple[str, str]) -> None:
        self._lines = list(lines)

    def transmit(self, apdu: bytes) -> bytes:
        expected, answer = self._lines.pop(0)
        assert apdu.hex().upper() == expected
        return bytes.fromhex(answer)


def test_waiting_bytes_are_fetched_until_none_is_left() -> None:
    script = Script(("00A4000C023F00", "6102"), ("00C0000002", "AABB6101"), ("00C0000001", "CC9000"))
    response = exchange(script, Command(Ins.SELECT, 0, 0x0C, b"\x3f\x00", 256))
    assert response == Response(b"\xaa\xbb\xcc", 0x9000)


def test_a_wrong_le_is_corrected_once() -> None:
    script = Script(("00B0000010", "6C02"), ("00B0000002", "AABB9000"))
    assert exchange(script, Command(Ins.READ_BINARY, le=16)) == Response(b"\xaa\xbb", 0x9000)


@given(st.lists(st.tuples(st.sampled_from([0x30, 0x04, 0x7F48, 0x80]), st.binary(max_size=300)), max_size=4))
def test_tlv_objects_come_back_as_they_went(objects: list[tuple[int, bytes]]) -> None:
    encoded = b"".join(tlv(tag, value) for tag, value in objects)
    assert list(iter_tlv(encoded)) == [Tlv(tag, value) for tag, value in objects]


@given(st.binary(max_size=60))
def test_any_bytes_are_tlv_or_malformed(data: bytes) -> None:
    try:
        list(iter_tlv(data))
    except MalformedData:
        return


def test_padding_ends_a_file() -> None:
    assert list(iter_tlv(tlv(0x04, b"x") + b"\xff\xff\xff")) == [Tlv(0x04, b"x")]
