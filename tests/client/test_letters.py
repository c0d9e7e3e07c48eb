"""Letters in and out of envelopes: what is sealed opens for its recipients, and for what it claims to be only."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.letters import KeyRing, Unbelievable, conversation_key, new_event_id, open_letter
from client.model import TrustedKeys
from domain.identifiers import AccountId, EventId
from protocol.envelope import Envelope, unverified_header
from protocol.payload import encode_event
from tests.support.builders import ANNE, MARIE, PAUL, Correspondence, CountedRandom, resign

TALK = Correspondence()
FACT = TALK.message("Bonjour")
SEALED = TALK.seal(FACT)


def read(envelope: Envelope, key: bytes = TALK.key, author: TrustedKeys = ANNE.keys) -> tuple[object, bytes]:
    return open_letter(envelope, unverified_header(envelope), key=key, author=author)


def reason(envelope: Envelope, key: bytes = TALK.key, author: TrustedKeys = ANNE.keys) -> str:
    with pytest.raises(Unbelievable) as caught:
        read(envelope, key, author)
    return caught.value.reason


def test_a_letter_is_read_as_it_was_written() -> None:
    assert read(SEALED) == (FACT, encode_event(FACT))


def test_the_conversation_key_opens_for_each_recipient_and_for_nobody_else() -> None:
    header = unverified_header(TALK.seal(TALK.request()))
    assert conversation_key(header, ANNE.ring) == conversation_key(header, MARIE.ring) == TALK.key
    with pytest.raises(Unbelievable, match="no-key"):
        conversation_key(header, PAUL.ring)


def test_a_wrap_moved_to_another_account_does_not_open() -> None:
    header = unverified_header(TALK.seal(TALK.request()))
    moved = msgspec.structs.replace(header, wraps={MARIE.account: header.wraps[ANNE.account]})
    both = KeyRing(MARIE.device, MARIE.signing, {MARIE.account: ANNE.account_key})
    with pytest.raises(Unbelievable, match="no-key"):
        conversation_key(moved, both)


def test_a_wrap_moved_to_another_conversation_does_not_open() -> None:
    header = unverified_header(TALK.seal(TALK.request()))
    moved = msgspec.structs.replace(header, conversation="f" * 32)
    with pytest.raises(Unbelievable, match="no-key"):
        conversation_key(moved, MARIE.ring)


@pytest.mark.parametrize("part", ["header", "body", "signature"])
def test_no_byte_of_an_envelope_can_change(part: str) -> None:
    whole = getattr(SEALED, part)
    for place in range(len(whole)):
        altered = whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]
        envelope = msgspec.structs.replace(SEALED, **{part: altered})
        with pytest.raises(Unbelievable, match="unreadable"):
            open_letter(envelope, unverified_header(SEALED), key=TALK.key, author=ANNE.keys)


def test_another_key_or_device_does_not_open() -> None:
    assert reason(SEALED, key=bytes(32)) == "unreadable"
    assert reason(SEALED, author=PAUL.keys) == "unknown-device"
    assert reason(SEALED, author=TrustedKeys(ANNE.account, b"", {ANNE.device: PAUL.signing.public_key})) == "unreadable"


def test_a_header_signed_again_over_the_same_body_does_not_open() -> None:
    header = msgspec.structs.replace(unverified_header(SEALED), event_id=EventId("0" * 32))
    assert reason(resign(SEALED, header, ANNE)) == "unreadable"


@pytest.mark.parametrize("lie", ["author", "sender"])
def test_a_header_that_names_another_than_the_letter_is_not_believed(lie: str) -> None:
    envelope = TALK.seal(FACT, by=ANNE, **{lie: PAUL.account})
    assert reason(envelope) == "author-mismatch"


def test_two_seals_of_the_same_letter_share_nothing() -> None:
    again = TALK.seal(FACT)
    assert again.body != SEALED.body


@given(st.integers(0, 2**48 - 1))
def test_an_event_id_is_a_uuid_of_version_7_that_sorts_by_time(instant: int) -> None:
    made = new_event_id(instant, CountedRandom())
    assert (len(made), made[12], made[16] in "89ab", int(made[:12], 16)) == (32, "7", True, instant)


def test_secrets_do_not_show_in_a_ring() -> None:
    ring = MARIE.ring
    assert ring.device.seed.hex() not in repr(ring)
    assert repr(ring.accounts[AccountId(MARIE.account)].seed) not in repr(ring)
