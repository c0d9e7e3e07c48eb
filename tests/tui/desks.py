"""A scripted session for the verbs: a door with a code, a mailbox, a directory; it records what it was asked."""

from __future__ import annotations

import asyncio
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace

from client.intents import (
    DraftEntry,
    EnterPin,
    ExportActivity,
    Finalise,
    Folder,
    Intent,
    NewDraft,
    OpenCase,
    OpenPreferences,
    PrepareFinalisation,
    PreviewCase,
    SaveAttachment,
    SearchDirectory,
    SearchPatients,
    SelectFolder,
    SendExchange,
    SendRequest,
)
from client.updates import (
    CaseChanged,
    CaseFinalised,
    DirectoryFound,
    DraftChanged,
    ExchangeSent,
    FileSaved,
    FinalisationPrepared,
    IntentRefused,
    LoginChanged,
    MailboxChanged,
    PatientsFound,
    PreferencesChanged,
    RequestStarted,
    ShellChanged,
    Update,
)
from client.views import (
    AttachmentLine,
    CaseRow,
    CaseView,
    Choice,
    Connection,
    DirectoryView,
    DraftView,
    ExpertRow,
    FinalisationView,
    LoginPhase,
    LoginView,
    MailboxView,
    PreferencesView,
    ShellView,
    TimelineEntry,
)
from tui.pins import PinSource, pin_source

CASE = "0198f3a2" + "0" * 24
OTHER = "0198f3a2" + "1" * 24
PIN = "1234"


def a_row(case: str = CASE, objet: str = "Nævus du dos", patient: str = "Lucette SPECIMEN") -> CaseRow:
    """A line of the list."""
    return CaseRow(
        case, "Téléexpertise", "2026-11-20T10:00:00+00:00", "", 1, patient, "requested", "Publiée", objet,
        "Dr Marie TOURNEVENT", as_requis=True,
    )  # fmt: skip


def a_case(case: str = CASE) -> CaseView:
    """A case with one message and one photograph."""
    photo = AttachmentLine("a1b2c3", "dos.jpg", "image/jpeg", 3_400_000)
    entry = TimelineEntry(
        "e1", "message-sent", "", "Dr Marie TOURNEVENT", "Médecin", mine=False, at="2026-11-20T10:00:00+00:00",
        text="Bonjour", attachments=(photo,),
    )  # fmt: skip
    return CaseView(
        case, "Téléexpertise", "requested", "Publiée", True, "Dr X", "Dr Marie TOURNEVENT", "Dr Anne CHARLIER", "",
        "Lucette SPECIMEN", (), "Nævus du dos", "", "Biopsie ?", True, "", False, (photo,), (entry,),
        frozenset({"answered"}),
    )  # fmt: skip


def an_expert(account: str = "ps:8001", name: str = "Dr Anne CHARLIER") -> ExpertRow:
    """A result of the directory."""
    return ExpertRow(account, name, "Dermatologie", "42330 Saint-Galmier", "", is_service=False, reachable=True)


class DeskSession:
    """Answers as a desk would; every knob is an attribute."""

    def __init__(self) -> None:
        self.intents: list[Intent] = []
        self.pin = PIN
        self.door = LoginView(LoginPhase.ENTER_PIN, holder="Dr Anne CHARLIER", card="CPS 1", tries_left=3)
        self.connection = Connection.ONLINE
        self.rows: Sequence[CaseRow] = [a_row()]
        self.experts: tuple[ExpertRow, ...] = (an_expert(),)
        self.refuse: dict[type[Intent], str] = {}
        self.answered: dict[type[Intent], Callable[[], None]] = {}
        """Called after an intent of a kind was answered."""
        self.closed = 0
        self.pending = 0
        self._subscribers: list[Callable[[Update], None]] = []

    # --- the port ---

    def dispatch(self, intent: Intent) -> None:
        if not isinstance(intent, SearchPatients):
            self.intents.append(intent)
        asyncio.get_running_loop().call_soon(self._answer, intent)

    def subscribe(self, callback: Callable[[Update], None]) -> Callable[[], None]:
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    async def run(self) -> None:
        self.publish(LoginChanged(replace(self.door, phase=LoginPhase.READING)), LoginChanged(self.door))
        await asyncio.Event().wait()

    async def close(self) -> None:
        self.closed += 1

    # --- answers ---

    def publish(self, *updates: Update) -> None:
        for update in updates:
            for subscriber in list(self._subscribers):
                subscriber(update)

    def _answer(self, intent: Intent) -> None:
        if reason := self.refuse.get(type(intent)):
            self.publish(IntentRefused(type(intent).__name__, reason))
            return
        if self.connection is not Connection.ONLINE and isinstance(intent, SendExchange):
            self.pending = 1
        self.publish(*self._updates(intent))
        if self.pending:
            self.publish(ShellChanged(self.shell()))
        if type(intent) in self.answered:
            self.answered[type(intent)]()

    def shell(self) -> ShellView:
        return ShellView("Dr Anne CHARLIER", "ps:8001", "Cabinet", self.connection, self.pending, ())

    def _updates(self, intent: Intent) -> list[Update]:
        match intent:
            case EnterPin(pin=pin) if pin == self.pin:
                mailbox = MailboxChanged(MailboxView(Folder.INBOX, (), self.rows))
                return [LoginChanged(LoginView(LoginPhase.OPEN)), ShellChanged(self.shell()), mailbox]
            case EnterPin():
                return [LoginChanged(replace(self.door, tries_left=2, message="Code faux, il reste 2 essais."))]
            case SearchPatients(query=query):
                return [PatientsFound(query, ())]
            case SelectFolder(folder=folder, query=query):
                return [MailboxChanged(MailboxView(folder, (), self.rows, query))]
            case OpenCase(case=case) | PreviewCase(case=case):
                return [CaseChanged(a_case(case))]
            case SearchDirectory(query=query):
                total = len(self.experts)
                return [DirectoryFound(DirectoryView(query, True, (), self.experts, (), total, 0, 1))]
            case NewDraft():
                return [DraftChanged(DraftView(DraftEntry("d1", "ps:8001", numero_facturation="99"), ()))]
            case SendRequest(entry=entry):
                return [RequestStarted(entry.draft, CASE)]
            case SendExchange(case=case):
                return [ExchangeSent(case)]
            case PrepareFinalisation(case=case):
                return [FinalisationPrepared(a_finalisation(case))]
            case Finalise(case=case):
                return [CaseFinalised(case)]
            case SaveAttachment():
                return [FileSaved(f"{intent.directory}/dos.jpg", "attachment")]
            case ExportActivity(path=path):
                return [FileSaved(path or "activite.xlsx", "export", 3)]
            case OpenPreferences():
                return [PreferencesChanged(PreferencesView("ps:8001", True, "", "", False, False, False, "99", ""))]
            case _:
                return []


def a_finalisation(case: str) -> FinalisationView:
    """The wizard with two exchanges."""
    entries = tuple(replace(a_case().timeline[0], event=event) for event in ("ev1", "ev2"))
    return FinalisationView(
        case,
        (Choice("TE2", "TE2"),),
        "Dr X",
        "11",
        (Choice("ps:8001", "Dr Anne CHARLIER", "22"),),
        "",
        "L. S.",
        entries,
    )


def building(session: DeskSession) -> Callable[[Namespace], tuple[DeskSession, PinSource]]:
    """What stands where `build_real` stands."""
    return lambda args: (session, pin_source(args))
