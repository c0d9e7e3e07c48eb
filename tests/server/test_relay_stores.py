"""Both stores keep the contract; SQLite keeps it through a full disk, a kill and a restart as well."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from domain.identifiers import EventId
from server.adapters import sqlite_store
from server.adapters.memory_store import MemoryStore
from server.adapters.sqlite_store import SqliteStore
from server.audit import first_broken
from server.errors import SchemaTooNew, StorageFull
from tests.server.store_contract import ASKER, BOTH, StoreContract, append


class TestMemoryStore(StoreContract):
    @pytest.fixture
    def store(self) -> MemoryStore:
        return MemoryStore()


class TestSqliteStore(StoreContract):
    @pytest.fixture
    def store(self, tmp_path: Path) -> Iterator[SqliteStore]:
        store = SqliteStore(tmp_path / "relay.sqlite3")
        yield store
        store.close()


@pytest.mark.asyncio
async def test_a_full_disk_refuses_everything_and_keeps_what_was_acknowledged(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "relay.sqlite3", max_pages=60)
    outcomes: list[object] = []
    while not outcomes or not isinstance(outcomes[-1], Exception):
        one = store.transact(lambda ledger: append(ledger, bytes(4_000)))
        outcomes += await asyncio.gather(one, return_exceptions=True)
    stored = len(outcomes) - 1
    assert isinstance(outcomes[-1], StorageFull)
    assert stored > 0
    assert await store.read(lambda view: view.heads(BOTH)) == dict.fromkeys(BOTH, stored)
    assert await store.transact(lambda ledger: ledger.heads(BOTH)) == dict.fromkeys(BOTH, stored)
    store.close()


@pytest.mark.asyncio
async def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    for expected in (1, 2):
        store = SqliteStore(tmp_path / "relay.sqlite3")
        await store.transact(append)
        assert await store.read(lambda view: view.heads([ASKER.account])) == {ASKER.account: expected}
        store.close()


@pytest.mark.asyncio
async def test_closing_finishes_what_was_accepted(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "relay.sqlite3")
    waiting = [store.transact(append) for _ in range(600)]
    await asyncio.to_thread(store.close)
    assert [(await one)[0].position for one in waiting] == list(range(1, 601))


def test_the_database_syncs_every_commit(tmp_path: Path) -> None:
    connection = sqlite_store._open(tmp_path / "x")
    assert (connection.pragma("journal_mode"), connection.pragma("synchronous")) == ("wal", 2)


def test_an_old_sqlite_is_refused() -> None:
    with pytest.raises(RuntimeError):
        sqlite_store._require_sqlite("3.51.2")


def test_a_later_schema_is_left_alone(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "x").close()
    with apsw.Connection(str(tmp_path / "x")) as connection:
        connection.execute("INSERT INTO schema_version VALUES (999)")
    with pytest.raises(SchemaTooNew):
        SqliteStore(tmp_path / "x")


def test_the_audit_cannot_be_rewritten(tmp_path: Path) -> None:
    SqliteStore(tmp_path / "x").close()
    connection = apsw.Connection(str(tmp_path / "x"))
    connection.execute("INSERT INTO audit VALUES (1, '', '', '', '', x'00')")
    for change in ("UPDATE audit SET actor = 'x'", "DELETE FROM audit"):
        with pytest.raises(apsw.ConstraintError):
            connection.execute(change)


_WRITER = """
import asyncio, sys
from pathlib import Path
from server.adapters.sqlite_store import SqliteStore
from server.ports import AuditEntry
from domain.identifiers import AccountId
from tests.server.people import fresh_id
from tests.server.store_contract import append, NOW
import itertools, tests.server.people
tests.server.people._ids = itertools.count(int(sys.argv[2]) * 10**9)

async def write(store):
    while True:
        event_id = fresh_id()
        def work(ledger):
            append(ledger, event_id=event_id)
            ledger.audit(AuditEntry(NOW, AccountId("x"), "write", event_id))
        await store.transact(work)
        sys.stdout.write(event_id + "\\n")
        sys.stdout.flush()

async def main():
    store = SqliteStore(Path(sys.argv[1]))
    await asyncio.gather(*(write(store) for _ in range(8)))

asyncio.run(main())
"""


@pytest.mark.asyncio
async def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """Acknowledged is a subset of stored; streams have no gap; the audit holds, kill after kill."""
    path = tmp_path / "relay.sqlite3"
    acknowledged: list[str] = []
    for round_number, kill_after in enumerate((1, 7, 40, 150), start=1):
        acknowledged += _write_and_kill(path, round_number, kill_after)
    store = SqliteStore(path)
    lost = await store.read(lambda view: [e for e in acknowledged if view.event(EventId(e)) is None])
    pages = await store.read(lambda view: view.page(ASKER.account, after=0, limit_bytes=10**9))
    assert lost == []
    assert [deliver.position for deliver in pages] == list(range(1, len(pages) + 1))
    assert len(pages) >= len(acknowledged)
    assert await store.read(lambda view: first_broken(view.audit_trail())) is None
    store.close()


def _write_and_kill(path: Path, round_number: int, kill_after: int) -> list[str]:
    command = [sys.executable, "-c", _WRITER, str(path), str(round_number)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(kill_after)]
        os.kill(writer.pid, signal.SIGKILL)
        lines += writer.stdout.readlines()
    return [line.strip() for line in lines if line.endswith("\n")]
