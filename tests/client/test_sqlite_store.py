"""The client's database: all or nothing, durable once acknowledged, and unreadable without its key."""

from __future__ import annotations

import os
import random
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from client.adapters.sqlite_store import SCHEMA_VERSION, SqliteStore
from client.effects import (
    DropDraft,
    DropPending,
    PutAccounts,
    PutComposer,
    PutCursor,
    PutDraft,
    PutEntry,
    PutFact,
    PutKeys,
    PutPending,
    PutQuarantine,
    PutSetting,
    PutSummary,
)
from client.errors import StoreError
from client.intents import DraftEntry
from client.model import CaseSummary, PendingAct, Snapshot, StoredDraft
from client.projections import summarise
from domain.events import KIND_OF_CLASS, Event, Recorded
from domain.identifiers import AccountId, EventId
from protocol.payload import encode_event
from protocol.resources import ActingAccount, ExpertPreferences
from tests.support.builders import ANNE, MARIE, RECEIVED, Correspondence, attachment

KEY = bytes(range(32))
TALK = Correspondence()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "desk" / "store.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    opened = SqliteStore(path, KEY)
    yield opened
    opened.close()


def reopened(store: SqliteStore, path: Path) -> SqliteStore:
    store.close()
    return SqliteStore(path, KEY)


def put(fact: Event, position: int, account: AccountId = MARIE.account) -> PutFact:
    recorded = Recorded(EventId(f"{position:032x}"), TALK.conversation, fact, RECEIVED, position)
    return PutFact(account, recorded, KIND_OF_CLASS[type(fact)].value, encode_event(fact))


def summary() -> CaseSummary:
    recorded = put(TALK.request(), 1).recorded
    found = summarise(None, recorded, me=MARIE.account, stream=MARIE.account, key=TALK.key)
    assert found is not None
    return found


def pending(number: int) -> PendingAct:
    return PendingAct(
        EventId(f"{number:032x}"), TALK.conversation, "message-sent", b"letter", TALK.recipients, MARIE.account
    )


# --- the contract


def test_a_new_store_remembers_nothing(store: SqliteStore) -> None:
    assert store.load() == Snapshot()
    assert store.case_events(TALK.conversation) == []


def test_everything_written_is_there_after_reopening(store: SqliteStore, path: Path) -> None:
    accounts = (ActingAccount(MARIE.account, MARIE.name, is_service=False, rights=("lire",)),)
    entry = ANNE.entry(preferences=ExpertPreferences(annuaire=True, documents=("a.pdf",)))
    draft = StoredDraft(DraftEntry("d1", objet="Objet", attachments=("/a/b.jpg",)), RECEIVED)
    act = PendingAct(
        EventId("a" * 32),
        TALK.conversation,
        "answered",
        b"letter",
        TALK.recipients,
        MARIE.account,
        (attachment().blob,),
        (b"header", b"body", b"signature"),
        TALK.key,
    )
    store.apply(
        [
            PutCursor(MARIE.account, 7),
            PutSummary(summary()),
            PutPending(act),
            PutKeys(ANNE.keys),
            PutEntry(entry),
            PutDraft(draft),
            PutComposer(TALK.conversation, "À suivre"),
            PutAccounts(accounts),
            PutSetting("numero_facturation", "421990029"),
        ]
    )
    assert reopened(store, path).load() == Snapshot(
        cursors={MARIE.account: 7},
        summaries=(summary(),),
        pending=(act,),
        keys=(ANNE.keys,),
        entries=(entry,),
        drafts=(draft,),
        composers={TALK.conversation: "À suivre"},
        accounts=accounts,
        settings={"numero_facturation": "421990029"},
    )


def test_a_case_is_read_in_the_order_of_its_stream(store: SqliteStore) -> None:
    facts = [put(TALK.request(), 1), put(TALK.message("Un"), 2), put(TALK.answer("Avis"), 3)]
    store.apply([facts[2], facts[0], facts[1]])
    assert store.case_events(TALK.conversation) == [each.recorded for each in facts]


def test_a_fact_is_kept_once(store: SqliteStore) -> None:
    store.apply([put(TALK.request(), 1)])
    store.apply([put(TALK.request(), 1)])
    assert len(store.case_events(TALK.conversation)) == 1


def test_a_cursor_never_goes_back(store: SqliteStore) -> None:
    store.apply([PutCursor(MARIE.account, 9), PutCursor(MARIE.account, 3)])
    assert store.load().cursors == {MARIE.account: 9}


def test_acts_on_their_way_keep_the_order_in_which_they_were_made(store: SqliteStore, path: Path) -> None:
    """Even when an older one is written again, sealed at last; event ids say nothing of order here."""
    for number in (5, 3, 9, 1):
        store.apply([PutPending(pending(number))])
    store.apply([PutPending(pending(5)), DropPending(EventId(f"{9:032x}"))])
    order = [int(act.event_id, 16) for act in reopened(store, path).load().pending]
    assert order == [5, 3, 1]


def test_an_order_number_is_never_used_again(store: SqliteStore) -> None:
    store.apply([PutPending(pending(1)), PutPending(pending(2))])
    store.apply([DropPending(pending(2).event_id), PutPending(pending(3))])
    assert [int(act.event_id, 16) for act in store.load().pending] == [1, 3]


def test_what_is_thrown_away_is_gone(store: SqliteStore) -> None:
    store.apply([PutDraft(StoredDraft(DraftEntry("d1"), "")), PutComposer("c", "texte")])
    store.apply([DropDraft("d1"), PutComposer("c", "")])
    assert store.load() == Snapshot()


def test_a_step_that_fails_writes_nothing(store: SqliteStore) -> None:
    with pytest.raises(UnicodeEncodeError):
        store.apply([PutSetting("a", "kept?"), PutSetting("b", "\ud800")])
    assert store.load().settings == {}
    store.apply([PutSetting("c", "next")])
    assert store.load().settings == {"c": "next"}


def test_what_could_not_be_believed_is_kept_with_its_reason(store: SqliteStore, path: Path) -> None:
    store.apply([PutQuarantine(MARIE.account, 4, b"frame", "unreadable")])
    store.close()
    db = apsw.Connection(str(path))
    db.pragma("key", f"raw:{KEY.hex()}")
    rows = db.execute("SELECT * FROM quarantine").fetchall()
    db.close()
    assert rows == [(MARIE.account, 4, "unreadable", b"frame")]


# --- secrecy


def test_only_the_user_may_read_the_file(store: SqliteStore, path: Path) -> None:
    store.apply([PutSetting("a", "b")])
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) & 0o077 for each in (path, path.parent)}
    assert modes == {"store.db": 0, "desk": 0}


def test_another_key_does_not_open_the_store(store: SqliteStore, path: Path) -> None:
    store.apply([PutSetting("a", "b")])
    store.close()
    with pytest.raises(StoreError, match="ne s'ouvre pas"):
        SqliteStore(path, bytes(32))
    again = SqliteStore(path, KEY)
    assert again.load().settings == {"a": "b"}
    again.close()


def test_no_file_of_the_store_contains_a_clear_word(store: SqliteStore, path: Path) -> None:
    store.apply(
        [
            put(TALK.request(), 1),
            PutSummary(summary()),
            PutDraft(StoredDraft(DraftEntry("d1", objet="MELANOME-PROBABLE"), "")),
            PutComposer(TALK.conversation, "SECRET-DE-COMPOSITION"),
            PutEntry(ANNE.entry()),
        ]
    )
    words = [b"SPECIMEN", b"MELANOME", b"COMPOSITION", b"CHARLIER", b"258047401234589", b"L\xc3\xa9sion", b"SQLite"]
    while_open = [each.read_bytes() for each in path.parent.iterdir()]
    store.close()
    for content in (*while_open, *(each.read_bytes() for each in path.parent.iterdir())):
        assert not [word for word in words if word in content]


# --- damage


def test_a_store_of_a_later_version_is_left_alone(store: SqliteStore, path: Path) -> None:
    store.close()
    db = apsw.Connection(str(path))
    db.pragma("key", f"raw:{KEY.hex()}")
    db.pragma("user_version", SCHEMA_VERSION + 1)
    db.close()
    with pytest.raises(StoreError, match="version plus récente"):
        SqliteStore(path, KEY)


@pytest.mark.parametrize("content", [b"not a database", bytes(8192), b"SQLite format 3\x00" + bytes(4096)])
def test_a_damaged_file_says_so(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "store.db").write_bytes(content)
    with pytest.raises(StoreError, match="ne s'ouvre pas"):
        SqliteStore(tmp_path / "store.db", KEY)


def test_an_altered_page_is_never_read_as_something_else(store: SqliteStore, path: Path) -> None:
    store.apply([PutSetting(f"name-{number}", "x" * 500) for number in range(50)])
    expected = store.load()
    store.close()
    whole = path.read_bytes()
    noticed = 0
    for place in range(2000, len(whole), 4096):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            assert SqliteStore(path, KEY).load() == expected
        except (StoreError, apsw.Error):
            noticed += 1
    assert noticed > len(whole) // 4096 // 2


def test_a_full_disk_is_an_os_error_and_the_store_goes_on(store: SqliteStore) -> None:
    store._db.pragma("max_page_count", store._db.pragma("page_count") + 4)
    with pytest.raises(OSError, match="full"):
        store.apply([PutSetting("big", "x" * 100_000)])
    store._db.pragma("max_page_count", 1_000_000)
    store.apply([PutSetting("small", "x")])
    assert store.load().settings == {"small": "x"}


_WRITER = """
import sys
from pathlib import Path
from client.adapters.sqlite_store import SqliteStore
from client.effects import PutComposer, PutSetting

store = SqliteStore(Path(sys.argv[1]), bytes(range(32)))
for number in range(int(sys.argv[2]), 1_000_000):
    store.apply([PutSetting(f"{number}", "x" * 300), PutComposer(f"{number}", "y" * 300)])
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
"""


def test_a_writer_killed_at_any_moment_loses_nothing_it_acknowledged(path: Path) -> None:
    """Each life is ended by SIGKILL after an unforeseen number of acknowledgements."""
    chance = random.Random(int.from_bytes(os.urandom(4), "big"))
    acknowledged = 0
    for _life in range(4):
        command = [sys.executable, "-c", _WRITER, str(path), str(acknowledged)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
            assert writer.stdout is not None
            for _line in range(chance.randrange(1, 80)):
                acknowledged = int(writer.stdout.readline()) + 1
            writer.send_signal(signal.SIGKILL)
            acknowledged += len([line for line in writer.stdout if line.endswith("\n")])
        store = SqliteStore(path, KEY)
        kept = store.load()
        store.close()
        assert set(map(str, range(acknowledged))) <= kept.settings.keys()
        assert kept.settings.keys() == kept.composers.keys()
        acknowledged = len(kept.settings)
