"""Writes the past of the demonstration by living it: real sessions, real cards, the real relay, on a clock that is set.

Everything runs in this process, without sockets; what it leaves is a relay's database and sealed client stores that
the ordinary programs open.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from client.bootstrap import build_session, local_relay
from client.intents import (
    CancelRequest,
    ChooseBillingSituation,
    ChooseSituation,
    CloseCase,
    DeclineRequest,
    DraftEntry,
    EnterPin,
    ExchangeKind,
    Finalise,
    Intent,
    NewDraft,
    OpenCase,
    PatientEntry,
    PrepareFinalisation,
    SaveDraft,
    SearchDirectory,
    SendExchange,
    SendRequest,
    TakeInCharge,
)
from client.session import ClientSession
from client.settings import ClientSettings
from client.updates import (
    CaseChanged,
    DirectoryFound,
    DraftChanged,
    FinalisationPrepared,
    IntentRefused,
    LoginChanged,
    MailboxChanged,
    RequestStarted,
    SessionEnded,
    ShellChanged,
    Update,
)
from client.views import Connection, LoginPhase, MailboxView, ShellView
from demo.cases import Case, Moment, Step
from demo.clock import SettableClock
from demo.layout import Layout
from demo.profiles import PIN
from demo.supplied import account_of, lines, read_csv
from server.bootstrap import RelayApp

U = TypeVar("U", bound=Update)

PATIENCE_S = 30.0
"""How long a step may take before the seed gives up and says which."""


class SeedError(Exception):
    """The past could not be written; says which step."""


@dataclass(slots=True)
class Desk:
    """A persona's running session, and what it last showed."""

    persona: str
    session: ClientSession
    mailbox: MailboxView | None = None
    shell: ShellView | None = None
    updates: asyncio.Queue[Update] = field(default_factory=asyncio.Queue)
    task: asyncio.Task[None] | None = None

    def note(self, update: Update) -> None:
        """Remember the last list and header; queue everything."""
        if isinstance(update, MailboxChanged):
            self.mailbox = update.view
        if isinstance(update, ShellChanged):
            self.shell = update.view
        self.updates.put_nowait(update)

    async def wait(self, kind: type[U], such_that: Callable[[U], bool] = lambda _update: True) -> U:
        """The next update of a kind; refusals are errors here."""
        while True:
            try:
                update = await asyncio.wait_for(self.updates.get(), PATIENCE_S)
            except TimeoutError as error:
                raise SeedError(f"{self.persona}: no {kind.__name__}") from error
            if isinstance(update, IntentRefused | SessionEnded):
                raise SeedError(f"{self.persona}: {update.reason}")
            if isinstance(update, kind) and such_that(update):
                return update

    async def ask(self, intent: Intent, kind: type[U], such_that: Callable[[U], bool] = lambda _update: True) -> U:
        """Ask, and wait for the answer."""
        while not self.updates.empty():
            self.updates.get_nowait()
        self.session.dispatch(intent)
        return await self.wait(kind, such_that)

    async def connected(self) -> None:
        """Until the relay said welcome."""
        while not (self.shell and self.shell.connection is Connection.ONLINE):
            await self.wait(ShellChanged)

    async def all_sent(self) -> None:
        """Until the session has taken what was asked, and everything of ours came back from the relay."""
        await self.session.idle()
        while self.session.pending:
            await self.wait(ShellChanged)

    async def sees(self, case: str, status: str) -> None:
        """Until the list shows `case` with `status`."""
        while not any(row.case == case and row.status == status for row in (self.mailbox.rows if self.mailbox else ())):
            await self.wait(MailboxChanged)


class Seeder:
    """Lives the script."""

    def __init__(self, layout: Layout, relay: RelayApp, clock: SettableClock, images: Mapping[str, Path]) -> None:
        self._layout = layout
        self._relay = relay
        self._clock = clock
        self._images = images
        self._patients = read_patients()
        self._names = {line.entry.account: line.entry.name for line in lines()}
        self._cases: dict[str, str] = {}
        self._desks: dict[str, Desk] = {}

    @asynccontextmanager
    async def desks(self, personas: list[str]) -> AsyncIterator[None]:
        """Everyone at their desk, signed out at the end."""
        try:
            for persona in personas:
                self._desks[persona] = await self._open(persona)
            yield
        finally:
            for desk in self._desks.values():
                await desk.session.sign_out()
                assert desk.task is not None
                desk.task.cancel()
            await asyncio.gather(*(desk.task for desk in self._desks.values() if desk.task), return_exceptions=True)
            self._desks.clear()

    async def _open(self, persona: str) -> Desk:
        settings = ClientSettings(
            relay_url="https://relay.invalid",
            ca_file=None,
            roots=self._layout.roots,
            data_dir=self._layout.workstation,
            downloads_dir=self._layout.downloads,
            card="virtual",
            card_images=(self._images[persona],),
            idle_lock_s=0,  # this clock jumps by days
        )
        relay = local_relay(self._relay.asgi, self._relay.open_local_connection)
        desk = Desk(persona, build_session(settings, world=self._clock, relay=relay))
        desk.session.subscribe(desk.note)
        desk.task = asyncio.get_running_loop().create_task(desk.session.run(), name=f"desk-{persona}")
        await self._sign_in(desk)
        return desk

    async def _sign_in(self, desk: Desk) -> None:
        asked = await desk.wait(
            LoginChanged, lambda update: update.view.phase in (LoginPhase.ENTER_PIN, LoginPhase.CHOOSE_SITUATION)
        )
        if asked.view.phase is LoginPhase.CHOOSE_SITUATION:
            await desk.ask(ChooseSituation(1), LoginChanged, lambda update: update.view.phase is LoginPhase.ENTER_PIN)
        ends = (LoginPhase.OPEN, LoginPhase.CHOOSE_BILLING, LoginPhase.REFUSED)
        answer = await desk.ask(EnterPin(PIN), LoginChanged, lambda update: update.view.phase in ends)
        if answer.view.phase is LoginPhase.REFUSED:
            raise SeedError(f"{desk.persona}: {answer.view.message}")
        if answer.view.phase is LoginPhase.CHOOSE_BILLING:
            await desk.ask(ChooseBillingSituation(1), LoginChanged, lambda update: update.view.phase is LoginPhase.OPEN)
        await desk.connected()
        await desk.session.idle()  # one's own directory sheet has come

    async def found_services(self, services: Mapping[str, tuple[str, tuple[str, ...]]]) -> None:
        """Make every service's key: service account -> (responsible persona, member accounts)."""
        for service, (responsible, members) in services.items():
            await self._desks[responsible].session.found_service(service, members)

    async def live(self, moments: list[Moment], told: Callable[[int, int], None]) -> None:
        """Play the script, moment by moment."""
        for number, moment in enumerate(moments, start=1):
            self._clock.set(moment.at)
            try:
                await self._play(moment, self._desks[moment.actor])
            except SeedError as error:
                raise SeedError(f"{moment.case.id} {moment.step}: {error}") from error
            told(number, len(moments))

    async def _play(self, moment: Moment, desk: Desk) -> None:
        case = moment.case
        if moment.step in (Step.DRAFT, Step.SEND):
            await self._write_request(desk, case, send=moment.step is Step.SEND)
            return
        conversation = self._cases[case.id]
        await self._read(desk, conversation)
        match moment.step:
            case Step.TAKE:
                desk.session.dispatch(TakeInCharge(conversation))
            case Step.ASK_MORE:
                desk.session.dispatch(SendExchange(conversation, ExchangeKind.ASK_MORE, moment.text, question=True))
            case Step.GIVE_MORE:
                desk.session.dispatch(SendExchange(conversation, ExchangeKind.GIVE_MORE, moment.text))
            case Step.ANSWER:
                desk.session.dispatch(SendExchange(conversation, ExchangeKind.ANSWER, moment.text))
            case Step.THANK:
                desk.session.dispatch(SendExchange(conversation, ExchangeKind.MESSAGE, moment.text))
            case Step.DECLINE:
                desk.session.dispatch(DeclineRequest(conversation, moment.text))
            case Step.CANCEL:
                desk.session.dispatch(CancelRequest(conversation, moment.text))
            case Step.FINALISE:
                await self._finalise(desk, conversation)
            case _:
                pass
        await self._everybody_knows(desk, case, conversation)
        desk.session.dispatch(CloseCase())

    async def _everybody_knows(self, desk: Desk, case: Case, conversation: str) -> None:
        """Until the act came back, and the requester's desk shows the same status."""
        await desk.all_sent()
        status = next(row.status for row in desk.mailbox.rows if row.case == conversation) if desk.mailbox else ""
        await self._desks[case.requerant].sees(conversation, status)

    async def _read(self, desk: Desk, conversation: str) -> None:
        while not any(row.case == conversation for row in (desk.mailbox.rows if desk.mailbox else ())):
            await desk.wait(MailboxChanged)
        await desk.ask(OpenCase(conversation), CaseChanged)

    async def _finalise(self, desk: Desk, conversation: str) -> None:
        view = (await desk.ask(PrepareFinalisation(conversation), FinalisationPrepared)).view
        ticked = tuple(entry.event for entry in view.exchanges)
        wizard = Finalise(conversation, "TE2", view.numero_requerant, view.experts[0].key, view.numero_requis, ticked)
        await desk.ask(wizard, CaseChanged, lambda update: bool(update.view.finalised_at))

    async def _write_request(self, desk: Desk, case: Case, *, send: bool) -> None:
        blank = (await desk.ask(NewDraft(), DraftChanged)).view.entry
        expert = account_of(case.expert)
        found = await desk.ask(SearchDirectory(self._names[expert], experts_only=False), DirectoryFound)
        if expert not in {row.account for row in (*found.view.professionals, *found.view.services)}:
            raise SeedError(f"{case.expert} is not in the directory")
        entry = self._entry(blank, case, expert)
        await desk.ask(SaveDraft(entry), DraftChanged)
        if not send:
            return
        started = await desk.ask(SendRequest(entry), RequestStarted)
        self._cases[case.id] = started.case
        await desk.all_sent()

    def _entry(self, blank: DraftEntry, case: Case, expert: str) -> DraftEntry:
        return replace(
            blank,
            expert=expert,
            patient=self._patients[case.patient],
            objet=case.objet,
            question=case.question,
            consentement=case.consentement,
            urgent=case.urgent,
            attachments=tuple(str(self._layout.files / case.id / name) for name in case.pieces_jointes),
        )


def read_patients() -> dict[str, PatientEntry]:
    """The fictional patients, as one would type them."""
    return {row["id"]: _patient(row) for row in read_csv("patients.csv")}


def _patient(row: Mapping[str, str]) -> PatientEntry:
    return PatientEntry(row["nom_naissance"], row["prenoms"], row["sexe"], row["date_naissance"], row["nir"])
