"""Every decision of the relay about an event, as tables."""

from __future__ import annotations

from dataclasses import replace

import pytest

from crypto.signing import verify
from domain.identifiers import AccountId, ConversationId
from domain.status import EventKind, Role, Status
from domain.transitions import TRANSITIONS
from protocol.envelope import Envelope
from protocol.errors import RemoteProtocolError
from protocol.frames import RefusalCode, Refused, Submit
from server.adapters.memory_store import MemoryLedger
from server.audit import first_broken
from server.ports import Conversation
from server.service import ALL_RIGHTS, ANSWER, READ, Accepted, Principal, RelayService
from tests.server.people import Person, blob_id, fresh_id

ASKER, EXPERT, STRANGER = Person("899700000011"), Person("899700000012"), Person("899700000013")
BOTH = (ASKER.account, EXPERT.account)
SERVICE = AccountId("sv:AVIS")
NOW = "2026-11-22T09:00:00.000Z"
service = RelayService(verify=verify)


def ledger_with(status: Status | None, conversation: str) -> MemoryLedger:
    """Three enrolled persons and, unless None, a conversation between the first two."""
    ledger = MemoryLedger()
    for person in (ASKER, EXPERT, STRANGER):
        ledger.add_device(person.account, person.device, person.key.public_key, person.enrolled)
    if status is not None:
        ledger.put_conversation(ConversationId(conversation), Conversation(*BOTH, status))
    return ledger


def principal(person: Person, **rights: tuple[str, ...]) -> Principal:
    """A person's session, with rights on other accounts (`_` stands for `:`)."""
    granted = {AccountId(account.replace("_", ":")): frozenset(held) for account, held in rights.items()}
    return Principal(
        person.account, {person.device: person.key.public_key}, {person.account: frozenset(ALL_RIGHTS), **granted}
    )


def judge(ledger: MemoryLedger, envelope: Envelope, by: Principal) -> RefusalCode | Accepted:
    """The relay's verdict."""
    verdict = service.handle(Submit(envelope), by, ledger, received_at=NOW)
    return verdict.code if isinstance(verdict, Refused) else verdict


@pytest.mark.parametrize("status", [s for s in Status if s is not Status.DRAFT])
@pytest.mark.parametrize("kind", [k for k in EventKind if k is not EventKind.REQUEST_SENT])
@pytest.mark.parametrize("role", Role)
def test_the_table_of_transitions_is_the_relays_law(status: Status, kind: EventKind, role: Role) -> None:
    author = ASKER if role is Role.REQUERANT else EXPERT
    recipients = (author.account,) if kind is EventKind.FLAGGED else BOTH
    conversation = fresh_id()
    ledger = ledger_with(status, conversation)
    verdict = judge(ledger, author.envelope(kind, conversation, recipients), principal(author))
    row = TRANSITIONS.get((status, kind))
    after = ledger.conversation(ConversationId(conversation))
    if row is None or role not in row.by:
        assert verdict is RefusalCode.NOT_PERMITTED
        assert after == Conversation(*BOTH, status)
        assert ledger.heads(BOTH) == dict.fromkeys(BOTH, 0)
    else:
        assert isinstance(verdict, Accepted)
        assert verdict.is_new
        assert after == Conversation(*BOTH, row.to)
        assert ledger.heads(recipients) == dict.fromkeys(recipients, 1)


def test_a_request_opens_a_conversation_for_exactly_two() -> None:
    conversation = fresh_id()
    ledger = ledger_with(None, conversation)
    verdict = judge(ledger, ASKER.envelope(EventKind.REQUEST_SENT, conversation, BOTH), principal(ASKER))
    assert isinstance(verdict, Accepted)
    assert [(d.account, d.position, d.received_at) for d in verdict.deliveries] == [(a, 1, NOW) for a in sorted(BOTH)]
    assert ledger.conversation(ConversationId(conversation)) == Conversation(*BOTH, Status.REQUESTED)


THREE = (*BOTH, STRANGER.account)
UNKNOWN = AccountId("ps:899799999999")


@pytest.mark.parametrize(
    ("recipients", "changes", "code"),
    [
        ((ASKER.account,), {}, RefusalCode.NOT_A_PARTY),
        (THREE, {}, RefusalCode.NOT_A_PARTY),
        ((EXPERT.account, STRANGER.account), {}, RefusalCode.NOT_A_PARTY),
        ((ASKER.account, UNKNOWN), {}, RefusalCode.UNKNOWN_RECIPIENT),
        (BOTH, {"wraps": {ASKER.account: b"w"}}, RefusalCode.UNKNOWN_RECIPIENT),
        (BOTH, {"wraps": dict.fromkeys(THREE, b"w")}, RefusalCode.UNKNOWN_RECIPIENT),
        (BOTH, {"blobs": (blob_id(b"absent"),)}, RefusalCode.BLOB_MISSING),
        (BOTH, {"author": EXPERT.account}, RefusalCode.BAD_SIGNATURE),
        (BOTH, {"device": EXPERT.device}, RefusalCode.BAD_SIGNATURE),
        ((SERVICE, EXPERT.account), {"sender": SERVICE}, RefusalCode.NOT_A_PARTY),
    ],
)
def test_a_request_that_is_refused_changes_nothing(
    recipients: tuple[str, ...], changes: dict[str, object], code: RefusalCode
) -> None:
    conversation = fresh_id()
    ledger = ledger_with(None, conversation)
    envelope = ASKER.envelope(EventKind.REQUEST_SENT, conversation, recipients, **changes)
    assert judge(ledger, envelope, principal(ASKER)) is code
    assert ledger.conversation(ConversationId(conversation)) is None
    assert list(ledger.audit_trail()) == []


@pytest.mark.parametrize(
    ("author", "kind", "recipients", "changes", "code"),
    [
        (STRANGER, EventKind.MESSAGE_SENT, BOTH, {}, RefusalCode.NOT_A_PARTY),
        (STRANGER, EventKind.SEEN, (STRANGER.account,), {}, RefusalCode.NOT_A_PARTY),
        (ASKER, EventKind.MESSAGE_SENT, THREE, {}, RefusalCode.NOT_A_PARTY),
        (ASKER, EventKind.MESSAGE_SENT, (ASKER.account,), {}, RefusalCode.NOT_A_PARTY),
        (ASKER, EventKind.SEEN, (ASKER.account,), {}, RefusalCode.NOT_A_PARTY),
        (ASKER, EventKind.FLAGGED, BOTH, {}, RefusalCode.NOT_A_PARTY),
        (ASKER, EventKind.MESSAGE_SENT, BOTH, {"wraps": dict.fromkeys(BOTH, b"w")}, RefusalCode.NOT_PERMITTED),
        (ASKER, EventKind.REQUEST_SENT, BOTH, {}, RefusalCode.NOT_PERMITTED),
    ],
)
def test_only_the_parties_speak_and_only_to_each_other(
    author: Person, kind: EventKind, recipients: tuple[str, ...], changes: dict[str, object], code: RefusalCode
) -> None:
    conversation = fresh_id()
    ledger = ledger_with(Status.IN_PROGRESS, conversation)
    assert judge(ledger, author.envelope(kind, conversation, recipients, **changes), principal(author)) is code


def test_an_unknown_conversation_looks_like_another_ones() -> None:
    envelope = ASKER.envelope(EventKind.MESSAGE_SENT, fresh_id(), BOTH)
    assert judge(ledger_with(None, ""), envelope, principal(ASKER)) is RefusalCode.NOT_A_PARTY


@pytest.mark.parametrize("part", ["header", "body", "signature"])
def test_altered_bytes_do_not_pass(part: str) -> None:
    conversation = fresh_id()
    envelope = ASKER.envelope(EventKind.MESSAGE_SENT, conversation, BOTH)
    other = ASKER.envelope(EventKind.MESSAGE_SENT, conversation, BOTH, body=b"other")
    parts = {name: getattr(envelope, name) for name in ("header", "body", "signature")}
    altered = Envelope(**{**parts, part: getattr(other, part)})
    verdict = judge(ledger_with(Status.IN_PROGRESS, conversation), altered, principal(ASKER))
    assert verdict is RefusalCode.BAD_SIGNATURE


def test_bytes_that_are_no_header_are_the_peers_fault() -> None:
    with pytest.raises(RemoteProtocolError):
        service.admit(Submit(Envelope(b"\xc1", b"", b"")), principal(ASKER))


def test_the_same_bytes_again_are_delivered_again_and_stored_once() -> None:
    conversation = fresh_id()
    ledger = ledger_with(Status.IN_PROGRESS, conversation)
    envelope = ASKER.envelope(EventKind.MESSAGE_SENT, conversation, BOTH)
    first = judge(ledger, envelope, principal(ASKER))
    assert isinstance(first, Accepted)
    assert judge(ledger, envelope, principal(ASKER)) == replace(first, is_new=False)
    assert ledger.heads(BOTH) == dict.fromkeys(BOTH, 1)


def test_the_same_identifier_with_other_bytes_is_refused_and_written_down() -> None:
    conversation, event_id = fresh_id(), fresh_id()
    ledger = ledger_with(Status.IN_PROGRESS, conversation)
    judge(ledger, ASKER.envelope(EventKind.MESSAGE_SENT, conversation, BOTH, event_id=event_id), principal(ASKER))
    other = ASKER.envelope(EventKind.MESSAGE_SENT, conversation, BOTH, event_id=event_id, body=b"other")
    assert judge(ledger, other, principal(ASKER)) is RefusalCode.EVENT_ID_REUSED
    assert [entry.action for _, entry, _ in ledger.audit_trail()] == ["message-sent", "event-id-reused"]
    assert first_broken(ledger.audit_trail()) is None


@pytest.mark.parametrize(
    ("kind", "rights", "code"),
    [
        (EventKind.ANSWERED, (READ, ANSWER), None),
        (EventKind.ANSWERED, (READ,), RefusalCode.NOT_PERMITTED),
        (EventKind.FINALISED, (READ, ANSWER), RefusalCode.NOT_PERMITTED),
        (EventKind.FINALISED, ("finaliser",), None),
        (EventKind.SEEN, (READ,), None),
        (EventKind.SEEN, ("exporter",), RefusalCode.NOT_PERMITTED),
        (EventKind.ANSWERED, None, RefusalCode.NOT_A_PARTY),
    ],
)
def test_acting_for_a_service_needs_the_right(
    kind: EventKind, rights: tuple[str, ...] | None, code: RefusalCode | None
) -> None:
    conversation = fresh_id()
    ledger = ledger_with(None, conversation)
    ledger.put_conversation(ConversationId(conversation), Conversation(ASKER.account, SERVICE, Status.REQUESTED))
    by = principal(EXPERT) if rights is None else principal(EXPERT, sv_AVIS=rights)
    verdict = judge(ledger, EXPERT.envelope(kind, conversation, (ASKER.account, SERVICE), sender=SERVICE), by)
    assert isinstance(verdict, Accepted) if code is None else verdict is code


def test_an_outbox_may_hold_events_of_an_older_device() -> None:
    conversation = fresh_id()
    newer = Person("899700000099")
    by = replace(principal(ASKER), devices={newer.device: newer.key.public_key, ASKER.device: ASKER.key.public_key})
    envelope = ASKER.envelope(EventKind.MESSAGE_SENT, conversation, BOTH)
    assert isinstance(judge(ledger_with(Status.IN_PROGRESS, conversation), envelope, by), Accepted)
