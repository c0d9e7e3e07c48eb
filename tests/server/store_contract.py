"""What every store must do, whatever it is made of: subclass `StoreContract` and give it a `store` fixture."""

from __future__ import annotations

import asyncio

import pytest

from domain.identifiers import AccountId, BlobId, ConversationId, EventId
from domain.status import EventKind, Status
from protocol.envelope import unverified_header
from protocol.frames import Deliver
from protocol.resources import DirectoryEntry, ExpertPreferences, KeyDocument, ServiceKey
from server.audit import first_broken
from server.ports import AuditEntry, Conversation, Ledger, Membership, SessionRecord, Store
from tests.server.people import Person, fresh_id

NOW = "2026-11-22T09:00:00.000Z"
ASKER, EXPERT = Person("899700000021"), Person("899700000022")
BOTH = (ASKER.account, EXPERT.account)
SERVICE = AccountId("sv:AVIS")


def append(ledger: Ledger, body: bytes = b"sealed", event_id: str = "") -> tuple[Deliver, ...]:
    """Store one event for both."""
    envelope = ASKER.envelope(EventKind.MESSAGE_SENT, "0" * 32, BOTH, body=body, event_id=event_id or fresh_id())
    return ledger.append(unverified_header(envelope), envelope, NOW)


def entry(account: str, name: str, **more: object) -> DirectoryEntry:
    """A directory entry."""
    return DirectoryEntry(AccountId(account), name, account.startswith("sv:"), **more)  # type: ignore[arg-type]


@pytest.mark.asyncio
class StoreContract:
    """One suite, every store."""

    async def test_streams_are_gapless_from_one(self, store: Store) -> None:
        waiting = [store.transact(append) for _ in range(50)]
        positions = [{d.account: d.position for d in await one} for one in waiting]
        assert positions == [dict.fromkeys(BOTH, n) for n in range(1, 51)]
        assert await store.read(lambda view: view.heads((*BOTH, SERVICE))) == {**dict.fromkeys(BOTH, 50), SERVICE: 0}

    async def test_pages_follow_each_other_without_gap(self, store: Store) -> None:
        for body in (b"a" * 500, b"b" * 500, b"c" * 500):
            await store.transact(lambda ledger, body=body: append(ledger, body))  # type: ignore[misc]
        first = await store.read(lambda view: view.page(ASKER.account, after=0, limit_bytes=800))
        rest = await store.read(lambda view: view.page(ASKER.account, after=first[-1].position, limit_bytes=9_999))
        assert [d.position for d in (*first, *rest)] == [1, 2, 3]
        assert [d.envelope.body[:1] for d in (*first, *rest)] == [b"a", b"b", b"c"]
        assert len(first) == 1
        assert all(d.received_at == NOW for d in first)
        assert await store.read(lambda view: view.page(ASKER.account, after=3, limit_bytes=1)) == []

    async def test_an_event_is_found_with_its_deliveries(self, store: Store) -> None:
        event_id = EventId(fresh_id())
        deliveries = await store.transact(lambda ledger: append(ledger, event_id=event_id))
        found = await store.read(lambda view: view.event(event_id))
        assert found is not None
        assert found.envelope == deliveries[0].envelope
        assert sorted(found.deliveries, key=str) == sorted(deliveries, key=str)
        assert await store.read(lambda view: view.event(EventId("f" * 32))) is None

    async def test_work_that_raises_leaves_no_trace_and_harms_no_other(self, store: Store) -> None:
        def fails(ledger: Ledger) -> None:
            append(ledger)
            ledger.put_conversation(ConversationId("c"), Conversation(*BOTH, Status.REQUESTED))
            ledger.add_device(ASKER.account, ASKER.device, ASKER.key.public_key, ASKER.enrolled)
            ledger.put_service_key(SERVICE, ServiceKey(b"s", b"g", ASKER.account))
            ledger.add_blob(BlobId("b" * 64), 1)
            ledger.put_preferences(SERVICE, ExpertPreferences())
            ledger.add_challenge("nonce", 1)
            ledger.audit(AuditEntry(NOW, ASKER.account, "x", ""))
            raise LookupError

        outcomes = await asyncio.gather(
            store.transact(append), store.transact(fails), store.transact(append), return_exceptions=True
        )
        assert isinstance(outcomes[1], LookupError)
        assert await store.read(lambda view: view.heads(BOTH)) == dict.fromkeys(BOTH, 2)
        assert await store.read(lambda view: view.conversation(ConversationId("c"))) is None
        assert not await store.read(lambda view: view.has_key(ASKER.account) or view.has_key(SERVICE))
        assert not await store.read(lambda view: view.has_blob(BlobId("b" * 64)))
        assert await store.read(lambda view: list(view.audit_trail())) == []
        assert await store.transact(lambda ledger: ledger.take_challenge("nonce")) is None

    async def test_a_conversation_changes_status(self, store: Store) -> None:
        for status in (Status.REQUESTED, Status.COMPLETED):
            state = Conversation(*BOTH, status)
            await store.transact(lambda ledger, s=state: ledger.put_conversation(ConversationId("c"), s))  # type: ignore[misc]
            assert await store.read(lambda view: view.conversation(ConversationId("c"))) == state

    async def test_devices_keep_the_order_of_enrolment_and_are_enrolled_once(self, store: Store) -> None:
        for person in (EXPERT, ASKER, EXPERT):
            await store.transact(
                lambda ledger, p=person: ledger.add_device(ASKER.account, p.device, p.key.public_key, p.enrolled)  # type: ignore[misc]
            )
        document = await store.read(lambda view: view.key_document(ASKER.account))
        assert document == KeyDocument(ASKER.account, (EXPERT.enrolled, ASKER.enrolled))
        assert await store.read(lambda view: view.device_keys(ASKER.account)) == {
            EXPERT.device: EXPERT.key.public_key,
            ASKER.device: ASKER.key.public_key,
        }
        assert await store.read(lambda view: view.key_document(EXPERT.account)) is None

    async def test_a_service_key_is_replaced(self, store: Store) -> None:
        for wraps in ({}, {ASKER.account: b"w"}):
            key = ServiceKey(b"statement", b"signature", ASKER.account, wraps)
            await store.transact(lambda ledger, k=key: ledger.put_service_key(SERVICE, k))  # type: ignore[misc]
            assert await store.read(lambda view: view.key_document(SERVICE)) == KeyDocument(SERVICE, (), key)
        assert await store.read(lambda view: view.has_key(SERVICE))

    async def test_a_challenge_is_taken_once(self, store: Store) -> None:
        await store.transact(lambda ledger: ledger.add_challenge("nonce", 120))
        takes = await asyncio.gather(*(store.transact(lambda ledger: ledger.take_challenge("nonce")) for _ in range(5)))
        assert takes == [120, None, None, None, None]

    async def test_sessions_end_and_expire(self, store: Store) -> None:
        sessions = [SessionRecord(bytes([n]) * 32, ASKER.account, ASKER.device, 1, 100 * n) for n in (1, 2, 3)]
        for session in sessions:
            await store.transact(lambda ledger, s=session: ledger.open_session(s))  # type: ignore[misc]
        await store.transact(lambda ledger: ledger.end_session(sessions[2].token_hash))
        await store.transact(lambda ledger: ledger.forget_expired(150))
        found = await store.read(lambda view: [view.session(session.token_hash) for session in sessions])
        assert found == [None, sessions[1], None]

    async def test_memberships_of_an_account_are_replaced_as_a_whole(self, store: Store) -> None:
        members = [Membership(SERVICE, person, ("lire", "repondre")) for person in BOTH]
        delegate = Membership(EXPERT.account, ASKER.account, ("lire",), is_delegation=True)
        await store.transact(lambda ledger: ledger.put_memberships(SERVICE, members))
        await store.transact(lambda ledger: ledger.put_memberships(EXPERT.account, [delegate]))
        assert await store.read(lambda view: view.memberships(ASKER.account)) == (delegate, members[0])
        await store.transact(lambda ledger: ledger.put_memberships(SERVICE, members[1:]))
        assert await store.read(lambda view: view.memberships(ASKER.account)) == (delegate,)

    async def test_the_directory_is_read_by_name_with_todays_key_and_preferences(self, store: Store) -> None:
        loaded = ExpertPreferences(annuaire=True, descriptif="loaded")
        chosen = ExpertPreferences(annuaire=False, descriptif="chosen")
        entries = [entry("ps:2", "B", preferences=loaded), entry("ps:1", "B"), entry("sv:1", "A", has_key=True)]
        before = await store.read(lambda view: view.generation())
        for one in entries:
            await store.transact(lambda ledger, e=one: ledger.put_entry(e))  # type: ignore[misc]
        assert await store.read(lambda view: view.generation()) > before
        found = await store.read(lambda view: list(view.entries()))
        assert [(e.account, e.has_key, e.preferences) for e in found] == [
            ("sv:1", False, None),
            ("ps:1", False, None),
            ("ps:2", False, loaded),
        ]
        await store.transact(lambda ledger: ledger.put_preferences(AccountId("ps:2"), chosen))
        for one in entries:
            await store.transact(lambda ledger, e=one: ledger.put_entry(e))  # type: ignore[misc]
        again = await store.read(lambda view: view.entry(AccountId("ps:2")))
        assert again is not None
        assert again.preferences == chosen
        assert await store.read(lambda view: view.entry(AccountId("ps:9"))) is None

    async def test_the_audit_is_a_chain(self, store: Store) -> None:
        lines = [AuditEntry(NOW, ASKER.account, "login", str(n)) for n in range(5)]
        for line in lines:
            await store.transact(lambda ledger, line=line: ledger.audit(line))  # type: ignore[misc]
        trail = await store.read(lambda view: list(view.audit_trail()))
        assert [line for _, line, _ in trail] == lines
        assert first_broken(trail) is None
        altered = [*trail[:2], (3, AuditEntry(NOW, EXPERT.account, "login", "2"), trail[2][2]), *trail[3:]]
        assert first_broken(altered) == 3
        assert first_broken([*trail[:2], *trail[3:]]) == 3
        assert first_broken([trail[1], trail[0]]) == 1
