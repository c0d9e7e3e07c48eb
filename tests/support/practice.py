"""Desks and a relay for scenarios: real sessions, real cards; the relay in this process, or a program behind TLS.

Nothing sleeps: every wait is for an update or a condition over updates, and gives up only after PATIENCE_S.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from client.adapters.local_relay import LocalRelay
from client.bootstrap import build_session
from client.intents import (
    DraftEntry,
    EnterPin,
    ExchangeKind,
    Intent,
    NewDraft,
    OpenCase,
    PatientEntry,
    PreviewCase,
    Reconnect,
    SearchDirectory,
    SendExchange,
    SendRequest,
)
from client.ports import Relay, RelayUnreachable, StreamConnection, World
from client.session import ClientSession
from client.settings import ClientSettings
from client.updates import (
    CaseChanged,
    DirectoryFound,
    DraftChanged,
    IntentRefused,
    LoginChanged,
    MailboxChanged,
    Noticed,
    RequestStarted,
    SessionEnded,
    ShellChanged,
    Update,
)
from client.views import CaseRow, CaseView, Connection, LoginPhase, LoginView, MailboxView, ShellView
from server.bootstrap import RelayApp, build, load_directory
from server.ports import Clock
from server.settings import Settings, read_roots
from tests.support.region import PIN, Professional, Region

U = TypeVar("U", bound=Update)

PATIENCE_S = float(os.environ.get("AVICENNE_PATIENCE_S", "60"))
"""Nothing here is timed: a test that waits so long has failed."""
HOUSE = Path(__file__).parents[2]


class Refusal(Exception):
    """The session refused an intent, or ended; the message is what the user reads."""


@dataclass(slots=True)
class Desk:
    """A practitioner's running session, what it last showed, and everything it ever announced."""

    who: Professional
    settings: ClientSettings
    session: ClientSession
    heard: list[Update] = field(default_factory=list)
    login: LoginView = field(default_factory=lambda: LoginView(LoginPhase.READING))
    shell: ShellView | None = None
    mailbox: MailboxView | None = None
    cases: dict[str, CaseView] = field(default_factory=dict)
    task: asyncio.Task[None] | None = None
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    def hear(self, update: Update) -> None:
        """Remember."""
        match update:
            case LoginChanged(view=login):
                self.login = login
            case ShellChanged(view=shell):
                self.shell = shell
            case MailboxChanged(view=mailbox):
                self.mailbox = mailbox
            case CaseChanged(view=case):
                self.cases[case.case] = case
        self.heard.append(update)
        self._changed.set()

    # --- waiting ---

    async def until(self, satisfied: Callable[[], bool], what: str = "") -> None:
        """Wait for a condition over what was heard."""
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not satisfied():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            last = [type(update).__name__ for update in self.heard[-8:]]
            detail = self.shell.connection_detail if self.shell else self.login.message
            raise AssertionError(
                f"{self.who.code}: {what or 'a condition'} never came; last {last}; {detail}"
            ) from None

    async def hears(self, kind: type[U], such_that: Callable[[U], bool] = lambda _update: True, *, after: int = 0) -> U:
        """The first update of a kind heard after the `after`-th."""
        found: list[U] = []

        def seen() -> bool:
            for update in self.heard[after:]:
                if isinstance(update, kind) and such_that(update):
                    found.append(update)
                    return True
                if isinstance(update, IntentRefused | SessionEnded):
                    raise Refusal(update.reason)
            return False

        await self.until(seen, kind.__name__)
        return found[0]

    async def ask(self, intent: Intent, kind: type[U], such_that: Callable[[U], bool] = lambda _update: True) -> U:
        """Ask, and wait for the answer. Raises Refusal."""
        after = len(self.heard)
        self.session.dispatch(intent)
        return await self.hears(kind, such_that, after=after)

    async def refused(self, intent: Intent) -> str:
        """Ask for what will be refused; the reason."""
        return (await self.ask(intent, IntentRefused)).reason

    async def do(self, intent: Intent) -> None:
        """Ask, and wait until the relay has it."""
        after = len(self.heard)
        self.session.dispatch(intent)
        await self.all_sent()
        for update in self.heard[after:]:
            if isinstance(update, IntentRefused | SessionEnded):
                raise Refusal(update.reason)

    async def all_sent(self) -> None:
        """Until the relay has everything of ours and we heard it back."""
        await self.settled()
        await self.until(lambda: self.session.pending == 0, "an empty outbox")

    async def settled(self) -> None:
        """Until the session has taken everything it was asked, and its slow effects have ended."""
        await asyncio.wait_for(self.session.idle(), PATIENCE_S)

    async def online(self) -> None:
        """Until the relay said welcome; impatient about back-off."""
        with _nudged(self.session):
            await self.until(lambda: self.connection is Connection.ONLINE, "a connection")

    async def offline(self) -> None:
        """Until the desk noticed that the relay is away."""
        await self.until(lambda: self.connection is not Connection.ONLINE, "the end of a connection")

    @property
    def connection(self) -> Connection:
        """As the status line says."""
        return self.shell.connection if self.shell else Connection.OFFLINE

    # --- the door ---

    async def at_door(self, *phases: LoginPhase) -> LoginView:
        """Until the door stands at one of `phases`."""
        await self.until(lambda: self.login.phase in phases, f"the door at {phases}")
        return self.login

    async def enter(self, pin: str = PIN) -> LoginView:
        """Type the code and wait for what comes of it."""
        await self.at_door(LoginPhase.ENTER_PIN)
        after = len(self.heard)
        self.session.dispatch(EnterPin(pin))
        await self.hears(LoginChanged, lambda update: update.view.phase is not LoginPhase.CHECKING, after=after)
        return self.login

    async def sign_in(self) -> None:
        """Open the desk and connect."""
        view = await self.enter()
        assert view.phase is LoginPhase.OPEN, view
        await self.online()
        await self.settled()

    # --- the work ---

    def row(self, case: str) -> CaseRow | None:
        """A case's line in the list as last shown."""
        return next((row for row in (self.mailbox.rows if self.mailbox else ()) if row.case == case), None)

    async def sees(self, case: str, status: str = "") -> CaseRow:
        """Until the list shows a case, with a status."""

        def shown() -> bool:
            row = self.row(case)
            return row is not None and (not status or row.status == status)

        await self.until(shown, f"{case} {status}")
        row = self.row(case)
        assert row is not None
        return row

    async def open(self, case: str) -> CaseView:
        """Read a case, as a user does: what it holds becomes seen."""
        await self.sees(case)
        return (await self.ask(OpenCase(case), CaseChanged, lambda update: update.view.case == case)).view

    async def look(self, case: str) -> CaseView:
        """Look without a trace."""
        await self.settled()
        return (await self.ask(PreviewCase(case), CaseChanged, lambda update: update.view.case == case)).view

    async def find(self, who: Professional) -> None:
        """Search the directory, as a requester does before choosing; the relay may still be reading it."""
        while True:
            view = (await self.ask(SearchDirectory(who.nom, experts_only=who.expert), DirectoryFound)).view
            if any(row.account == who.account for row in view.professionals):
                return
            await asyncio.sleep(0.05)  # The index is built in the background; only `readyz` would tell.

    async def blank(self) -> DraftEntry:
        """A new form."""
        return (await self.ask(NewDraft(), DraftChanged)).view.entry

    async def request(self, expert: Professional, *, files: Sequence[Path] = (), **typed: object) -> str:
        """Ask for an opinion and return the case, on its way."""
        await self.find(expert)
        filled = {
            "objet": "Lésion pigmentée du dos",
            "histoire_clinique": "Apparue il y a six mois.",
            "question": "Faut-il l'exciser ?",
            "consentement": True,
            "patient": PatientEntry("SPECIMEN", "Lucette", "F", "17/04/1958", "258044299100707"),
            **typed,
        }
        entry = replace(
            await self.blank(), expert=expert.account, attachments=tuple(str(path) for path in files), **filled
        )
        return (await self.ask(SendRequest(entry), RequestStarted)).case

    async def say(self, case: str, text: str, kind: ExchangeKind = ExchangeKind.MESSAGE, **more: object) -> None:
        """Send an exchange and wait until the relay has it."""
        await self.do(SendExchange(case, kind, text, **more))  # type: ignore[arg-type]

    # --- what it said ---

    def notices(self, after: int = 0) -> list[str]:
        """Every word it had for the user."""
        texts = []
        for update in self.heard[after:]:
            match update:
                case Noticed(text=text):
                    texts.append(text)
                case IntentRefused(reason=reason) | SessionEnded(reason=reason):
                    texts.append(reason)
        return texts

    async def close(self) -> None:
        """End the session as a killed program would: without a word to the relay."""
        if self.task is not None:
            self.task.cancel()
            await asyncio.gather(self.task, return_exceptions=True)
            self.task = None


@contextlib.contextmanager
def _nudged(session: ClientSession) -> Iterator[None]:
    """Ask again and again to reconnect now, so that no test waits for a long back-off."""

    async def nudge() -> None:
        while True:
            session.dispatch(Reconnect())
            await asyncio.sleep(0.2)

    task = asyncio.get_running_loop().create_task(nudge(), name="nudge")
    try:
        yield
    finally:
        task.cancel()


class Line(LocalRelay):
    """The way to a relay in this process, which can be cut and healed."""

    def __init__(self, app: RelayApp) -> None:
        super().__init__(app.asgi, app.open_local_connection)
        self._is_cut = False
        self._pipes: list[StreamConnection] = []

    async def cut(self) -> None:
        """From now on the relay cannot be reached."""
        self._is_cut = True
        for pipe in self._pipes:
            await pipe.close()
        self._pipes.clear()

    def heal(self) -> None:
        """It can again."""
        self._is_cut = False

    def _check(self) -> None:
        if self._is_cut:
            raise RelayUnreachable("serveur injoignable")

    async def _call(self, *words: object, **more: object) -> bytes:  # type: ignore[override]
        self._check()
        answer = await super()._call(*words, **more)  # type: ignore[arg-type]
        self._check()
        return answer

    async def download(self, token: str, blob: str) -> AsyncIterator[bytes]:
        """See Relay."""
        self._check()
        async for chunk in super().download(token, blob):
            yield chunk

    async def connect(self) -> StreamConnection:  # type: ignore[override]
        """See Relay."""
        self._check()
        connection = await super().connect()
        self._pipes.append(connection)
        return connection


@dataclass(slots=True)
class RelayProcess:
    """`python -m server` on one port of loopback, with TLS; it can be killed and started again."""

    place: Path
    roots: Path
    port: int = 0
    said: list[str] = field(default_factory=list)
    """Everything on stderr, of every life."""
    _process: subprocess.Popen[str] | None = None
    _reader: threading.Thread | None = None

    @property
    def data(self) -> Path:
        """Database, blobs and TLS keys."""
        return self.place / "relay"

    @property
    def log(self) -> Path:
        """JSON lines."""
        return self.place / "relay.log"

    @property
    def url(self) -> str:
        """Where clients reach it."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca_file(self) -> Path:
        """What clients trust."""
        return self.data / "tls" / "ca.pem"

    @property
    def pid(self) -> int:
        """Of the present life."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start and wait until it listens."""
        words = ["--data", str(self.data), "--roots", str(self.roots), "--port", str(self.port), "--log", str(self.log)]
        self._process = process = subprocess.Popen(
            [sys.executable, "-m", "server", *words],
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            cwd=HOUSE,
        )
        assert process.stderr is not None
        for line in process.stderr:
            self.said.append(line)
            if line.startswith("ready "):
                self.port = int(line.strip().rpartition(":")[2])
                break
        else:
            raise AssertionError(f"the relay did not start: {self.said[-5:]}")
        self._reader = threading.Thread(target=lambda: self.said.extend(process.stderr or ()), name="relay-stderr")
        self._reader.start()

    def kill(self) -> None:
        """SIGKILL: no goodbye, nothing flushed."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an administrator does."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            if self._reader is not None:
                self._reader.join()
            if process.stderr is not None:
                process.stderr.close()


class Practice:
    """One test's relay and desks, all under one directory."""

    def __init__(self, region: Region, place: Path) -> None:
        self.region = region
        self.place = place
        self.process: RelayProcess | None = None
        self.app: RelayApp | None = None
        self._desks: list[Desk] = []

    # --- the relay ---

    async def start_process(self) -> RelayProcess:
        """A relay behind TLS."""
        self.process = RelayProcess(self.place, self.region.roots)
        with self.region.directory.open("rb") as lines:
            await load_directory(self.process.data, lines)
        self.process.start()
        return self.process

    async def start_local(self, *, clock: Clock | None = None, in_memory: bool = False) -> RelayApp:
        """A relay in this process; durable unless `in_memory`, and `Line` is the way to it."""
        data = self.place / "relay"
        if in_memory:
            self.app = build(self._relay_settings(data), clock=clock, in_memory=True)
            await self.app.store.transact(self._load)
        else:
            with self.region.directory.open("rb") as lines:
                await load_directory(data, lines)
            self.app = build(self._relay_settings(data), clock=clock)
        await self.app.start()
        await self.app.refresh()
        return self.app

    def _load(self, ledger: object) -> int:
        from server.loading import load, parse

        with self.region.directory.open("rb") as lines:
            return load(ledger, parse(lines))  # type: ignore[arg-type]

    def _relay_settings(self, data: Path) -> Settings:
        return Settings(data=data, roots=read_roots(self.region.roots), audience="https://relay.invalid")

    # --- desks ---

    def settings(self, who: Professional, **changes: object) -> ClientSettings:
        """How `who` works here; a desk opened twice finds its data and its card again."""
        cards = self.place / "cards"
        card = cards / f"{who.code}.card.json"
        if not card.exists():
            self.region.card(who, cards)
        settings = ClientSettings(
            relay_url=self.process.url if self.process else "https://relay.invalid",
            ca_file=self.process.ca_file if self.process else None,
            roots=self.region.roots,
            data_dir=self.place / f"poste-{who.code}",
            downloads_dir=self.place / f"documents-{who.code}",
            card="virtual",
            card_images=(card,),
        )
        return replace(settings, **changes)  # type: ignore[arg-type]

    def sit(
        self, who: Professional, *, relay: Relay | None = None, world: World | None = None, **changes: object
    ) -> Desk:
        """Start a session for `who`; nobody has typed a code yet."""
        settings = self.settings(who, **changes)
        if relay is None and self.app is not None:
            relay = Line(self.app)
        desk = Desk(who, settings, build_session(settings, relay=relay, world=world))
        desk.session.subscribe(desk.hear)
        desk.task = asyncio.get_running_loop().create_task(desk.session.run(), name=f"desk-{who.code}")
        self._desks.append(desk)
        return desk

    async def desk(self, who: Professional, *, relay: Relay | None = None, world: World | None = None) -> Desk:
        """An open, connected desk."""
        desk = self.sit(who, relay=relay, world=world)
        await desk.sign_in()
        return desk

    async def stop(self) -> None:
        """End everything."""
        for desk in self._desks:
            await desk.close()
        if self.app is not None:
            await self.app.stop()
        if self.process is not None:
            self.process.stop()


@asynccontextmanager
async def practice_in(region: Region, place: Path) -> AsyncIterator[Practice]:
    """A practice that ends with the block."""
    practice = Practice(region, place)
    try:
        yield practice
    finally:
        await practice.stop()
