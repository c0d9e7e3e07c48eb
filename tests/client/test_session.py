"""The shell: effects in order, deaths that show, locks that forget, and a relay that may vanish at any moment."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from pathlib import Path
from typing import TypeVar

import pytest

from client.adapters.file_box import FileBox
from client.adapters.local_relay import LocalRelay, Pipe
from client.adapters.sqlite_store import SqliteStore
from client.effects import PutPending, Write
from client.intents import (
    ChooseReader,
    DraftEntry,
    EnterPin,
    ExchangeKind,
    Folder,
    Intent,
    LockSession,
    OpenCase,
    Reconnect,
    SaveAttachment,
    SelectFolder,
    SendExchange,
    SendRequest,
    TakeInCharge,
)
from client.letters import KeyRing
from client.machine import ClientMachine
from client.ports import StreamConnection
from client.session import ClientSession, Surroundings
from client.updates import (
    CaseChanged,
    ExchangeSent,
    FileSaved,
    IntentRefused,
    LoginChanged,
    MailboxChanged,
    RequestStarted,
    SessionEnded,
    ShellChanged,
    Update,
)
from client.views import Connection, LoginPhase, MailboxView
from crypto.card.port import CardEvents
from crypto.derivation import store_key
from domain.messages import Attachment
from domain.synthesis import SynthesisContent
from protocol.codec import decode_client_frame, decode_server_frame, encode_frame
from protocol.frames import Deliver, Goodbye, Submit
from server.bootstrap import RelayApp, build
from server.settings import Settings
from tests.support.builders import ANNE, MARIE, NOW, Practitioner, roots
from tests.support.fakes import PIN, READER, Card, FakeCardPort, FakeWorld, MemoryVault

PATIENCE_S = 20
"""Nothing here is timed: a test that waits so long has failed."""

U = TypeVar("U", bound=Update)


class StillClock:
    """The relay's."""

    def now(self) -> object:
        return NOW


class Exchange:
    """A relay that can be stopped and started again on what it had; `cut` breaks a pipe after a frame it accepts."""

    def __init__(self, data: Path) -> None:
        self._settings = Settings(data=data, roots=roots(), audience="https://relay.invalid")
        self.app: RelayApp | None = None

    async def start(self) -> None:
        self.app = build(self._settings, clock=StillClock())  # type: ignore[arg-type]
        await self.app.refresh()

    async def stop(self) -> None:
        app, self.app = self.app, None
        if app is not None:
            await app.stop()

    async def asgi(self, scope: object, receive: object, send: object) -> None:
        if self.app is None:
            raise ConnectionRefusedError
        await self.app.asgi(scope, receive, send)  # type: ignore[arg-type]

    async def open_pipe(self, token: str) -> Pipe:
        if self.app is None:
            raise ConnectionRefusedError
        return await self.app.open_local_connection(token)


@dataclass
class WatchedPipe:
    """Writes down what passes; `cut_at` ends it instead of handing on a frame."""

    inner: Pipe
    log: list[str]
    cut_at: Callable[[object], bool]

    async def send(self, data: bytes) -> None:
        self.log.append(type(decode_client_frame(data)).__name__)
        await self.inner.send(data)

    async def receive(self) -> bytes:
        data = await self.inner.receive()
        if self.cut_at(decode_server_frame(data)):
            await self.inner.close()
            raise ConnectionError
        return data

    async def close(self) -> None:
        await self.inner.close()


class WatchedStore(SqliteStore):
    """Writes down what is kept; `full` refuses."""

    log: list[str]
    full = False

    def apply(self, writes: Sequence[Write]) -> None:
        if self.full:
            raise OSError(28, "No space left on device")
        super().apply(writes)
        if any(isinstance(write, PutPending) for write in writes):
            self.log.append("kept")


class NoDocuments:
    """A printer that is broken."""

    zone: tzinfo = UTC

    def synthesis(self, content: SynthesisContent) -> bytes:
        raise ValueError(content)

    def export(self, rows: object, *, format: str, path: str) -> Path:  # noqa: A002 - the port's word
        raise ValueError(rows)


@dataclass
class Desk:
    """A session at work, what it announced, and what it did."""

    who: Practitioner
    exchange: Exchange
    home: Path
    log: list[str] = field(default_factory=list)
    cut_at: Callable[[object], bool] = lambda _frame: False
    stores: list[WatchedStore] = field(default_factory=list)
    updates: list[Update] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.card = FakeCardPort({READER: Card(self.who)})
        self.relay = LocalRelay(self.exchange.asgi, self._pipe)
        self.watchers: list[CardEvents] = []
        self.changed = asyncio.Event()
        self.session = ClientSession(
            Surroundings(
                card=self.card,
                watch=self._watch,  # type: ignore[arg-type]
                relay=self.relay,
                vault=MemoryVault(),
                world=FakeWorld(self.who.id_nat),
                open_store=self._store,
                open_files=lambda _account: FileBox(self.home / "blobs", self.home / "files", FakeWorld("f").random),
                documents=NoDocuments(),
                roots=roots(),
                open_file=lambda _path: None,
            )
        )
        self.session.subscribe(self._note)

    def _watch(self, events: CardEvents) -> object:
        self.watchers.append(events)
        events.slots_changed(self.card.slots())
        return None

    def _store(self, _account: str, secret: bytes) -> WatchedStore:
        store = WatchedStore(self.home / "store.db", store_key(secret))
        store.log = self.log
        self.stores.append(store)
        return store

    async def _pipe(self, token: str) -> Pipe:
        return WatchedPipe(await self.exchange.open_pipe(token), self.log, lambda frame: self.cut_at(frame))

    def _note(self, update: Update) -> None:
        self.log.append(type(update).__name__)
        self.updates.append(update)
        self.changed.set()

    async def until(self, kind: type[U], such_that: Callable[[U], bool] = lambda _update: True, since: int = 0) -> U:
        """The first update of a kind, wherever it stands after `since`."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                for update in self.updates[since:]:
                    if isinstance(update, kind) and such_that(update):
                        return update
                self.changed.clear()
                await self.changed.wait()

    async def ask(self, intent: Intent, kind: type[U], such_that: Callable[[U], bool] = lambda _update: True) -> U:
        since = len(self.updates)
        self.session.dispatch(intent)
        return await self.until(kind, such_that, since)

    async def all_sent(self) -> None:
        await self.session.idle()
        await self.until(ShellChanged, lambda _update: self.session.pending == 0, len(self.updates) - 1)

    async def enter(self) -> None:
        await self.until(LoginChanged, lambda update: update.view.phase is LoginPhase.ENTER_PIN)
        await self.ask(EnterPin(PIN), LoginChanged, lambda update: update.view.phase is LoginPhase.OPEN)

    async def connected(self, since: int = 0) -> None:
        await self.until(ShellChanged, lambda update: update.view.connection is Connection.ONLINE, since)

    def mailbox(self) -> MailboxView:
        return [update.view for update in self.updates if isinstance(update, MailboxChanged)][-1]

    def plug(self, *, card: bool) -> None:
        """Insert the card, or pull it."""
        self.card.cards[READER] = Card(self.who) if card else None
        self.watchers[0].slots_changed(self.card.slots())


@asynccontextmanager
async def at_work(desk: Desk) -> AsyncIterator[Desk]:
    """The desk, opened and connected, until the block ends."""
    async with running(desk):
        await desk.enter()
        if desk.exchange.app is not None:
            await desk.connected()
        yield desk


@asynccontextmanager
async def running(desk: Desk) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.get_running_loop().create_task(desk.session.run(), name="desk")
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


@pytest.fixture
async def exchange(tmp_path: Path) -> AsyncIterator[Exchange]:
    made = Exchange(tmp_path / "relay")
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
def anne(exchange: Exchange, tmp_path: Path) -> Desk:
    return Desk(ANNE, exchange, tmp_path / "anne")


@pytest.fixture
def marie(exchange: Exchange, tmp_path: Path) -> Desk:
    return Desk(MARIE, exchange, tmp_path / "marie")


async def asked(anne: Desk, marie: Desk) -> str:
    """Anne asks Marie; both have the case."""
    machine = anne.session._machine
    assert machine is not None
    machine.desk.entries[MARIE.account] = MARIE.entry()
    entry = DraftEntry("d1", ANNE.account, MARIE.account, objet="Lésion", question="Exérèse ?")
    started = await anne.ask(SendRequest(entry), RequestStarted)
    await marie.until(MailboxChanged, lambda update: any(row.case == started.case for row in update.view.rows))
    await anne.until(ShellChanged, lambda _update: anne.session.pending == 0)
    return started.case


# --- order


async def test_an_act_is_kept_then_sent_then_shown(anne: Desk, marie: Desk) -> None:
    async with at_work(anne), at_work(marie):
        case = await asked(anne, marie)
        await marie.session.idle()
        marie.log.clear()
        await marie.ask(SendExchange(case, ExchangeKind.ANSWER, "Exérèse."), ExchangeSent)
        assert marie.log[:3] == ["kept", "Submit", "ExchangeSent"]


async def test_what_is_asked_in_one_breath_is_done_in_order(anne: Desk, marie: Desk) -> None:
    async with at_work(anne), at_work(marie):
        case = await asked(anne, marie)
        for number in range(30):
            marie.session.dispatch(SendExchange(case, ExchangeKind.MESSAGE, f"{number}"))
        shown = await anne.ask(OpenCase(case), CaseChanged, lambda update: bool(update.view.timeline))
        shown = await anne.until(CaseChanged, lambda update: len(update.view.timeline) == 31)
        assert [entry.text for entry in shown.view.timeline[1:]] == [str(number) for number in range(30)]


async def test_offline_the_desk_works_and_what_was_written_leaves_later(
    anne: Desk, marie: Desk, exchange: Exchange
) -> None:
    async with at_work(anne), at_work(marie):
        case = await asked(anne, marie)
        await exchange.stop()
        await marie.until(ShellChanged, lambda update: update.view.connection is Connection.OFFLINE)
        await marie.ask(SendExchange(case, ExchangeKind.ANSWER, "Écrit hors ligne."), ExchangeSent)
        assert marie.session.pending == 1
        await exchange.start()
        anne.session.dispatch(Reconnect())
        marie.session.dispatch(Reconnect())
        await anne.until(
            MailboxChanged, lambda update: any("Écrit hors ligne." in row.last_line for row in update.view.rows)
        )


async def test_a_relay_that_vanishes_between_taking_and_answering_has_each_act_once(
    anne: Desk, marie: Desk, exchange: Exchange
) -> None:
    """The pipe breaks on the very delivery that would have acknowledged; the relay starts again on its disk."""
    async with at_work(anne), at_work(marie):
        case = await asked(anne, marie)
        await marie.session.idle()
        marie.log.clear()
        marie.cut_at = lambda frame: isinstance(frame, Deliver)
        await marie.ask(SendExchange(case, ExchangeKind.ANSWER, "Une seule fois."), ExchangeSent)
        since = len(marie.updates)
        await marie.until(ShellChanged, lambda update: update.view.connection is not Connection.ONLINE, since)
        await exchange.stop()
        marie.cut_at = lambda _frame: False
        await exchange.start()
        for desk in (anne, marie):
            desk.session.dispatch(Reconnect())
        await marie.until(ShellChanged, lambda _update: marie.session.pending == 0, since)
        await anne.ask(OpenCase(case), CaseChanged)
        await anne.until(CaseChanged, lambda update: len(update.view.timeline) == 2)
        await anne.session.idle()
        assert marie.log.count("Submit") == 2
        store = anne.stores[-1]
        texts = [getattr(each.fact, "text", "") for each in store.case_events(case)]
        assert texts.count("Une seule fois.") == 1


# --- deaths


async def test_a_full_disk_ends_the_session_with_a_sentence_and_sends_nothing(anne: Desk, marie: Desk) -> None:
    async with at_work(anne), running(marie) as task:
        await marie.enter()
        await marie.connected()
        case = await asked(anne, marie)
        await marie.session.idle()
        marie.log.clear()
        marie.stores[-1].full = True
        ended = await marie.ask(TakeInCharge(case), SessionEnded)
        assert "Libérez de la place" in ended.reason
        assert "Submit" not in marie.log
        await asyncio.wait([task])
        with pytest.raises(ExceptionGroup):
            task.result()


async def test_a_fault_of_ours_ends_the_session_visibly(anne: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_machine: ClientMachine, _happened: object) -> list[object]:
        raise ZeroDivisionError

    async with running(anne) as task:
        await anne.enter()
        monkeypatch.setattr(ClientMachine, "receive", broken)
        ended = await anne.ask(SelectFolder(Folder.ALL), SessionEnded)
        assert ended.reason.startswith("Erreur interne (ZeroDivisionError). Relancez")
        await asyncio.wait([task])
        with pytest.raises(ExceptionGroup):
            task.result()


async def test_an_effect_that_breaks_answers_the_intent(
    anne: Desk, marie: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_box: FileBox, _path: str) -> Attachment:
        raise ZeroDivisionError

    monkeypatch.setattr(FileBox, "seal_file", broken)
    async with at_work(anne), at_work(marie):
        case = await asked(anne, marie)
        refused = await marie.ask(SendExchange(case, ExchangeKind.ANSWER, "Voici", ("a.jpg",)), IntentRefused)
        assert (refused.intent, refused.reason) == ("SendExchange", "Erreur interne (ZeroDivisionError).")


async def test_a_download_without_end_is_given_up(
    anne: Desk, marie: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x" * 1000)
    given = 0

    async def endless(_relay: LocalRelay, _token: str, _blob: str) -> AsyncIterator[bytes]:
        nonlocal given
        while True:
            given += 1
            yield bytes(8_000_000)

    monkeypatch.setattr(LocalRelay, "download", endless)
    async with at_work(anne), at_work(marie):
        case = await asked(anne, marie)
        await anne.ask(SendExchange(case, ExchangeKind.MESSAGE, "Voici", (str(tmp_path / "photo.jpg"),)), ExchangeSent)
        await marie.ask(OpenCase(case), CaseChanged)
        shown = await marie.until(CaseChanged, lambda update: len(update.view.timeline) == 2)
        blob = shown.view.timeline[1].attachments[0].attachment
        refused = await marie.ask(SaveAttachment(case, blob), IntentRefused)
        assert (refused.intent, "plus longue que permis" in refused.reason, given) == ("SaveAttachment", True, 9)


async def test_a_file_goes_from_desk_to_desk(anne: Desk, marie: Desk, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"x" * 1000)
    async with at_work(anne), at_work(marie):
        case = await asked(anne, marie)
        await anne.ask(SendExchange(case, ExchangeKind.MESSAGE, "Voici", (str(tmp_path / "photo.jpg"),)), ExchangeSent)
        await marie.ask(OpenCase(case), CaseChanged)
        shown = await marie.until(CaseChanged, lambda update: len(update.view.timeline) == 2)
        blob = shown.view.timeline[1].attachments[0].attachment
        saved = await marie.ask(SaveAttachment(case, blob), FileSaved)
        assert Path(saved.path).read_bytes() == b"x" * 1000


# --- locks


def rings() -> int:
    """Key rings alive in this process."""
    gc.collect()
    return sum(isinstance(each, KeyRing) for each in gc.get_objects())


async def test_a_lock_forgets_the_keys(anne: Desk) -> None:
    before = rings()
    async with at_work(anne):
        assert rings() == before + 1
        await anne.ask(LockSession(), LoginChanged, lambda update: update.view.phase is LoginPhase.ENTER_PIN)
        await anne.session.idle()
        assert (rings(), anne.session.pending) == (before, 0)


async def test_a_card_that_is_pulled_locks_and_put_back_resumes_where_one_was(anne: Desk, marie: Desk) -> None:
    async with at_work(anne), at_work(marie):
        case = await asked(anne, marie)
        await marie.ask(SelectFolder(Folder.ALL), MailboxChanged)
        await marie.ask(OpenCase(case), CaseChanged)
        marie.plug(card=False)
        covered = await marie.until(LoginChanged, lambda update: update.view.locked)
        assert covered.view.phase is LoginPhase.NO_CARD
        since = len(marie.updates)
        marie.plug(card=True)
        await marie.until(LoginChanged, lambda update: update.view.phase is LoginPhase.ENTER_PIN, since)
        await marie.ask(EnterPin(PIN), LoginChanged, lambda update: update.view.phase is LoginPhase.OPEN)
        shown = await marie.until(CaseChanged, since=since)
        assert (shown.view.case, marie.mailbox().folder) == (case, Folder.ALL)


async def test_nothing_is_done_behind_a_lock(anne: Desk) -> None:
    async with at_work(anne):
        await anne.ask(LockSession(), LoginChanged, lambda update: update.view.phase is LoginPhase.ENTER_PIN)
        told = len(anne.updates)
        anne.session.dispatch(SelectFolder(Folder.ALL))
        await anne.session.idle()
        assert anne.updates[told:] == []


async def test_another_reader_cannot_be_chosen_over_an_open_desk(anne: Desk) -> None:
    async with at_work(anne):
        await anne.session.idle()
        told = len(anne.updates)
        anne.session.dispatch(ChooseReader(READER))
        await anne.session.idle()
        assert not any(isinstance(update, LoginChanged) for update in anne.updates[told:])


async def test_a_stream_that_opens_after_a_lock_says_nothing(anne: Desk) -> None:
    """The connection was asked for by a desk that is closed now; its keys and cursors are not to be used."""
    reached, go_on = asyncio.Event(), asyncio.Event()
    connect: Callable[[], Awaitable[StreamConnection]] = anne.relay.connect

    async def slow() -> StreamConnection:
        reached.set()
        await go_on.wait()
        return await connect()

    anne.relay.connect = slow  # type: ignore[method-assign, assignment]
    async with running(anne):
        await anne.enter()
        await reached.wait()
        await anne.ask(LockSession(), LoginChanged, lambda update: update.view.phase is LoginPhase.ENTER_PIN)
        go_on.set()
        await anne.session.idle()
        await anne.ask(EnterPin(PIN), LoginChanged, lambda update: update.view.phase is LoginPhase.OPEN)
        await anne.connected()
        assert anne.log.count("Hello") == 1


class Farewell:
    """A stream that is refused at once."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes:
        return encode_frame(Goodbye("session inconnue", session_over=True))

    async def close(self) -> None: ...


async def test_a_session_that_the_relay_does_not_know_any_more_asks_for_the_code(anne: Desk) -> None:
    async with at_work(anne):
        connect = anne.relay.connect

        async def refused() -> Farewell:
            return Farewell()

        anne.relay.connect = refused  # type: ignore[method-assign, assignment]
        since = len(anne.updates)
        assert anne.session._connection is not None
        await anne.session._connection.close()
        anne.session.dispatch(Reconnect())
        await anne.until(ShellChanged, lambda update: "votre code" in update.view.connection_detail, since)
        anne.relay.connect = connect  # type: ignore[method-assign]
        asked_again = await anne.ask(Reconnect(), LoginChanged, lambda seen: seen.view.phase is LoginPhase.ENTER_PIN)
        assert asked_again.view.message == "Saisissez votre code pour rejoindre le serveur."
        since = len(anne.updates)
        await anne.ask(EnterPin(PIN), LoginChanged, lambda update: update.view.phase is LoginPhase.OPEN)
        await anne.connected(since)


async def test_the_end_is_silent_and_leaves_no_task(anne: Desk) -> None:
    async with at_work(anne):
        pass
    mine = [
        task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith(("session", "effect", "desk"))
    ]
    assert mine == []
    assert not any(isinstance(update, SessionEnded) for update in anne.updates)
    assert Submit.__name__ not in anne.log
