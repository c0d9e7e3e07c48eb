"""The shell of the client: what happened goes in, effects are performed in order, updates come out.

One task takes inputs, in batches; one follows the relay's stream; the rest are short-lived and named. Within a batch:
persist, then transmit, then publish (R10).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from client.desk import Desk
from client.door import Door, Opened
from client.effects import (
    DeliverFile,
    Disconnect,
    Effect,
    ExportActs,
    FetchEntry,
    FetchKeys,
    LoadCase,
    MakeSynthesis,
    Persist,
    Publish,
    PublishPreferences,
    PutAccounts,
    SealFiles,
    Search,
    Transmit,
    Upload,
    Write,
)
from client.errors import AttachmentError, ClientError
from client.i18n import _
from client.inputs import (
    CaseLoaded,
    DirectoryAnswered,
    EntryFetched,
    FilesFailed,
    FilesSealed,
    FrameReceived,
    Input,
    IntentSubmitted,
    KeysFetched,
    PreferencesSaved,
    Ticked,
    TransportConnecting,
    TransportLost,
    Uploaded,
    UploadFailed,
    WorldRefused,
)
from client.intents import (
    ChooseBillingSituation,
    ChooseReader,
    ChooseSituation,
    EnterPin,
    Intent,
    LockSession,
    OpenCase,
    Reconnect,
    SelectFolder,
    SwitchCard,
)
from client.machine import ClientMachine
from client.model import TrustedKeys
from client.ports import (
    Documents,
    FileBox,
    Relay,
    RelayRefusal,
    RelayUnreachable,
    Store,
    StreamConnection,
    Vault,
    World,
)
from client.retry import delay_s
from client.services import make_service_key
from client.trust import believe
from client.untrusted import visible_line
from client.updates import FileSaved, LoginChanged, Noticed, SessionEnded, Severity, TransferProgressed, Update
from client.views import LoginPhase, LoginView
from crypto.card.port import CardPort, CardSlot
from domain.activity import activity_rows, finalised_act
from domain.identifiers import AccountId
from domain.messages import Attachment
from domain.status import Role
from domain.teleexpertise import replay
from protocol.codec import decode_server_frame, encode_frame
from protocol.errors import LocalProtocolError, RemoteProtocolError
from protocol.frames import Goodbye, Hello, Welcome
from protocol.limits import MAX_BLOB_BYTES
from protocol.version import PROTOCOL_VERSION

T = TypeVar("T")

TICK_S = 15.0
MAX_BATCH = 500


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Everything of the world that a session needs; put together by `client.bootstrap`."""

    card: CardPort
    watch: Callable[[object], object]
    """Start watching readers; takes a CardEvents, returns something with `stop()`."""
    relay: Relay
    vault: Vault
    world: World
    open_store: Callable[[str, bytes], Store]
    """Account and store secret -> the local store."""
    open_files: Callable[[str], FileBox]
    documents: Documents
    roots: tuple[bytes, ...]
    open_file: Callable[[str], None]
    """Hand a file to the desktop's viewer."""
    only_reader: str = ""
    idle_lock_s: int = 0
    """Lock after so long without an intent; 0 for never."""


@dataclass(frozen=True, slots=True)
class _Slots:
    slots: tuple[CardSlot, ...] | None
    """None when the service was lost."""


_Item = Input | _Slots


class ClientSession:
    """One user's session, from the empty reader to the end. All methods belong to one event loop."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._subscribers: list[Callable[[Update], None]] = []
        self._queue: asyncio.Queue[_Item] = asyncio.Queue()
        self._machine: ClientMachine | None = None
        self._store: Store | None = None
        self._files: FileBox | None = None
        self._token = ""
        self._asked_at = around.world.now()
        self._connection: StreamConnection | None = None
        self._broken_by = ""
        """Why this side ended the stream, in French."""
        self._wanted = asyncio.Event()
        """Set while the stream should be up; also wakes a waiting reconnection."""
        self._nudge = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="client-store")
        self._resume: tuple[SelectFolder | None, OpenCase | None] = (None, None)
        self._door = Door(
            card=around.card,
            relay=around.relay,
            vault=around.vault,
            world=around.world,
            roots=around.roots,
            show=self._show_door,
            only_reader=around.only_reader,
        )

    # --- the counter ----------------------------------------------------------------------------------------

    def dispatch(self, intent: Intent) -> None:
        """Ask for something; never blocks. The answer comes as updates."""
        self._asked_at = self._around.world.now()
        self._queue.put_nowait(IntentSubmitted(intent, self._asked_at))

    def subscribe(self, callback: Callable[[Update], None]) -> Callable[[], None]:
        """Be told of every update from now on, in the session's loop; call the result to stop."""
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    async def run(self) -> None:
        """Live until cancelled or until something is broken beyond repair; that is announced, not swallowed."""
        loop = asyncio.get_running_loop()
        watch = self._around.watch(_LoopCardEvents(loop, self._queue))
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._follow_queue(), name="session-inputs")
                group.create_task(self._follow_stream(), name="session-stream")
                group.create_task(self._tick(), name="session-tick")
        except BaseExceptionGroup as broken:
            self._publish(SessionEnded(_end_reason(broken)))
            raise
        finally:
            await self._forget_desk()
            stop = getattr(watch, "stop", None)
            if stop is not None:
                await asyncio.to_thread(stop)
            await self._around.relay.close()
            self._disk.shutdown(wait=False)

    async def close(self) -> None:
        """Forget the keys and end the stream; `run` is cancelled by its owner."""
        await self._forget_desk()

    async def found_service(self, service: str, members: Sequence[str]) -> None:
        """Make and publish a service's key, as its responsible person.

        Raises:
            RelayRefusal, RelayUnreachable: it was not published.
            UntrustedIdentity: a member's keys do not lead to a card.
        """
        desk, around = _known(self._machine).desk, self._around
        trusted = []
        for member in members:
            document = await around.relay.keys(self._token, member)
            keys = believe(document, roots=around.roots, at=around.world.now(), known=desk.keys)
            if isinstance(keys, TrustedKeys):
                trusted.append(keys)
        document = make_service_key(
            AccountId(service),
            trusted,
            responsible=desk.me.account,
            ring=desk.ring,
            at=around.world.now(),
            random=around.world.random,
        )
        await around.relay.publish_keys(self._token, document)

    async def sign_out(self) -> None:
        """End the session at the relay too: its token opens nothing any more."""
        if self._token:
            await self._around.relay.close_session(self._token)
        await self._forget_desk()

    async def idle(self) -> None:
        """Until every input so far has been taken, and the slow effects it began have ended."""
        await self._queue.join()
        while self._tasks:
            await asyncio.wait(self._tasks)
            await self._queue.join()

    @property
    def pending(self) -> int:
        """Acts that the relay does not have yet."""
        return len(self._machine.desk.pending) if self._machine else 0

    # --- inputs ---------------------------------------------------------------------------------------------

    async def _follow_queue(self) -> None:
        while True:
            batch = [await self._queue.get()]
            while len(batch) < MAX_BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._step(batch)
            for _taken in batch:
                self._queue.task_done()

    async def _step(self, batch: Sequence[_Item]) -> None:
        effects: list[Effect] = []
        for item in batch:
            if self._is_for_the_door(item):
                await self._perform(effects)
                effects = []
                await self._at_the_door(item)
            elif self._machine is not None and not isinstance(item, _Slots):
                effects += self._machine.receive(item)
        await self._perform(effects)  # what leaves does not wait for the views to be drawn
        if self._machine is not None:
            await self._perform(self._machine.flush(self._around.world.now()))

    def _is_for_the_door(self, item: _Item) -> bool:
        if isinstance(item, _Slots):
            return True
        door_intents = (
            ChooseReader,
            ChooseSituation,
            EnterPin,
            ChooseBillingSituation,
            LockSession,
            SwitchCard,
            Reconnect,
        )
        return isinstance(item, IntentSubmitted) and isinstance(item.intent, door_intents)

    async def _at_the_door(self, item: _Item) -> None:
        door = self._door
        match item:
            case _Slots(slots=None):
                await self._lock()
                await door.service_lost()
            case _Slots(slots=tuple() as slots):
                await self._readers_changed(slots)
            case IntentSubmitted(intent=ChooseReader(reader=reader)) if self._machine is None:
                await door.choose_reader(reader)
            case IntentSubmitted(intent=ChooseSituation(rang=rang)):
                await door.choose_situation(rang)
            case IntentSubmitted(intent=EnterPin(pin=pin)):
                await self._enter(await door.enter_pin(pin))
            case IntentSubmitted(intent=ChooseBillingSituation(rang=rang)):
                await self._enter(await door.choose_billing(rang))
            case IntentSubmitted(intent=LockSession()):
                await self._lock()
                await door.ask_again("")
            case IntentSubmitted(intent=SwitchCard()):
                await self._lock()
                self._resume = (None, None)
                await door.start_over()
            case IntentSubmitted(intent=Reconnect()):
                await self._reconnect()

    async def _readers_changed(self, slots: tuple[CardSlot, ...]) -> None:
        open_here = self._machine is not None
        if open_here and any(slot.reader == self._door.reader and slot.atr is not None for slot in slots):
            return
        if open_here:
            await self._lock()
        await self._door.slots_changed(slots)

    async def _reconnect(self) -> None:
        if self._machine is not None and not self._token:
            await self._lock()
            await self._door.ask_again(_("Saisissez votre code pour rejoindre le serveur."))
        self._nudge.set()

    # --- opening and locking --------------------------------------------------------------------------------

    async def _enter(self, opened: Opened | None) -> None:
        if opened is None:
            return
        around = self._around
        try:
            self._store = await self._on_disk(lambda: around.open_store(opened.me.account, opened.store_secret))
            kept = await self._on_disk(self._store.load)
        except (ClientError, OSError) as error:
            self._publish(SessionEnded(str(error)))
            raise
        if opened.accounts:
            kept = replace(kept, accounts=opened.accounts)
            await self._on_disk(lambda: _known(self._store).apply([PutAccounts(opened.accounts)]))
        self._files = around.open_files(opened.me.account)
        desk = Desk.opened(opened.me, opened.ring, around.roots, around.world.random, kept)
        desk.key_storage = around.vault.kind
        desk.zone = around.documents.zone
        self._machine = ClientMachine(desk)
        self._token = opened.token
        self._door.opened()
        await self._step([IntentSubmitted(each, around.world.now()) for each in self._resume if each])
        if opened.notice:
            self._publish(Noticed(opened.notice, Severity.WARNING))
        if self._token:
            self._wanted.set()

    async def _lock(self) -> None:
        """Cover and forget: keys and token leave memory's reach, the stream ends, the store closes."""
        if self._machine is None:
            return
        desk = self._machine.desk
        folder = SelectFolder(desk.folder, desk.query)
        self._resume = (folder, OpenCase(desk.open_case) if desk.open_case else None)
        self._show_door(replace(self._door.view, phase=LoginPhase.NO_CARD, locked=True, message=""))
        await self._forget_desk()

    async def _forget_desk(self) -> None:
        self._wanted.clear()
        self._machine, self._token, self._files = None, "", None
        for task in list(self._tasks):
            task.cancel()
        if self._connection is not None:
            await self._connection.close()
        store, self._store = self._store, None
        if store is not None:
            await self._on_disk(store.close)

    def _show_door(self, view: LoginView) -> None:
        self._publish(LoginChanged(view))

    # --- effects --------------------------------------------------------------------------------------------

    async def _perform(self, effects: Sequence[Effect]) -> None:
        writes: list[Write] = [write for effect in effects if isinstance(effect, Persist) for write in effect.writes]
        if writes and self._store is not None:
            store = self._store
            await self._on_disk(lambda: store.apply(writes))
        for effect in effects:
            if isinstance(effect, Transmit):
                await self._transmit(effect)
        for effect in effects:
            if not isinstance(effect, Persist | Transmit | Publish):
                self._begin(effect)
        for effect in effects:
            if isinstance(effect, Publish):
                self._publish(effect.update)

    async def _transmit(self, effect: Transmit) -> None:
        if self._connection is None:
            return
        # A send that fails is no loss: the act is in the outbox and the stream's end will say so.
        with contextlib.suppress(RelayUnreachable, LocalProtocolError):
            await self._connection.send(encode_frame(effect.frame))

    def _publish(self, update: Update) -> None:
        for subscriber in list(self._subscribers):
            subscriber(update)

    def _begin(self, effect: Effect) -> None:
        task = asyncio.get_running_loop().create_task(self._work(effect), name=f"effect-{type(effect).__name__}")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, effect: Effect) -> None:
        """Perform one slow effect and report what came of it."""
        try:
            await self._do(effect)
        except ClientError as error:
            self._refuse(effect, error.reason)
        except RelayUnreachable as error:
            self._refuse(effect, _("Le serveur n'a pas pu être joint : {reason}.").format(reason=error.reason))
        except RelayRefusal as refusal:
            self._refuse(effect, _("Le serveur a refusé ({code}).").format(code=refusal.code))
        except OSError as error:
            self._refuse(effect, _("Le disque a refusé : {error}.").format(error=error.strerror or error))
        except Exception as error:  # noqa: BLE001 - unforeseen: told to the user, never lost in a task nobody awaits
            self._refuse(effect, _("Erreur interne ({kind}).").format(kind=type(error).__name__))

    def _refuse(self, effect: Effect, reason: str) -> None:
        match effect:
            case SealFiles(token=token) | MakeSynthesis(token=token):
                self._queue.put_nowait(FilesFailed(token, reason))
            case Upload(blob=blob):
                self._queue.put_nowait(UploadFailed(blob, reason, definitive=False))
            case FetchKeys(account=account):
                self._queue.put_nowait(KeysFetched(account, None, False, self._around.world.now()))
            case _:
                name = {
                    DeliverFile: "SaveAttachment",
                    ExportActs: "ExportActivity",
                    PublishPreferences: "SavePreferences",
                }
                self._queue.put_nowait(WorldRefused(name.get(type(effect), type(effect).__name__), reason))

    async def _do(self, effect: Effect) -> None:
        now = self._around.world.now
        match effect:
            case LoadCase(case=case):
                facts = await self._on_disk(lambda: _known(self._store).case_events(case))
                self._queue.put_nowait(CaseLoaded(case, tuple(facts), now()))
            case FetchKeys():
                await self._fetch_keys(effect)
            case FetchEntry(account=account):
                with contextlib.suppress(RelayUnreachable, RelayRefusal):
                    entry = await self._around.relay.entry(self._token, account)
                    self._queue.put_nowait(EntryFetched(account, entry))
            case Search():
                await self._search(effect)
            case SealFiles(token=token, paths=paths):
                sealed = [await asyncio.to_thread(_known(self._files).seal_file, path) for path in paths]
                self._queue.put_nowait(FilesSealed(token, tuple(sealed), now()))
            case MakeSynthesis(token=token):
                sealed_one = await asyncio.to_thread(self._synthesis, effect)
                self._queue.put_nowait(FilesSealed(token, (sealed_one,), now()))
            case Upload():
                await self._upload(effect)
            case DeliverFile():
                await self._deliver_file(effect)
            case ExportActs():
                await self._export(effect)
            case PublishPreferences(account=account, preferences=preferences):
                await self._around.relay.save_preferences(self._token, account, preferences)
                self._queue.put_nowait(PreferencesSaved(account, preferences))
            case Disconnect(reason=reason):
                self._broken_by = reason
                if self._connection is not None:
                    await self._connection.close()

    async def _fetch_keys(self, effect: FetchKeys) -> None:
        now = self._around.world.now
        try:
            document = await self._around.relay.keys(self._token, effect.account)
        except RelayRefusal as refusal:
            self._queue.put_nowait(KeysFetched(effect.account, None, refusal.status == 404, now()))
        except RelayUnreachable:
            self._queue.put_nowait(KeysFetched(effect.account, None, False, now()))
        else:
            self._queue.put_nowait(KeysFetched(effect.account, document, True, now()))

    async def _search(self, effect: Search) -> None:
        filters = dict(effect.filters)
        page, error = None, ""
        try:
            page = await self._around.relay.search(
                self._token, query=effect.query, filters=filters, experts=effect.experts_only, page=effect.page
            )
        except (RelayUnreachable, RelayRefusal):
            error = _("Annuaire hors de portée : seuls les correspondants déjà connus de ce poste sont proposés.")
        self._queue.put_nowait(DirectoryAnswered(effect.query, effect.filters, effect.experts_only, page, error))

    def _synthesis(self, effect: MakeSynthesis) -> Attachment:
        content = self._around.documents.synthesis(effect.content)
        return _known(self._files).seal_bytes(effect.name, "application/pdf", content, "synthese")

    async def _upload(self, effect: Upload) -> None:
        path = _known(self._files).sealed_path(effect.blob)
        if path is None:
            self._queue.put_nowait(
                UploadFailed(effect.blob, _("Une pièce jointe a disparu de ce poste."), definitive=True)
            )
            return

        def progress(done: int, total: int) -> None:
            self._publish(TransferProgressed(effect.name, done, total, upload=True))

        try:
            await self._around.relay.upload(self._token, effect.blob, path, progress)
        except RelayRefusal as refusal:
            definitive = refusal.status in (400, 413)
            reason = _("Le serveur refuse la pièce jointe ({code}).").format(code=refusal.code)
            self._queue.put_nowait(UploadFailed(effect.blob, reason, definitive))
        else:
            self._queue.put_nowait(Uploaded(effect.blob))

    async def _deliver_file(self, effect: DeliverFile) -> None:
        files, attachment = _known(self._files), effect.attachment
        if files.sealed_path(attachment.blob) is None:
            chunks: list[bytes] = []
            done = 0
            async for chunk in self._around.relay.download(self._token, attachment.blob):
                chunks.append(chunk)
                done += len(chunk)
                if done > MAX_BLOB_BYTES:
                    raise AttachmentError(
                        _("La pièce jointe reçue est plus longue que permis : elle n'est pas ouverte.")
                    )
                name = visible_line(attachment.name)
                self._publish(
                    TransferProgressed(name, min(done, attachment.size_bytes), attachment.size_bytes, upload=False)
                )
            await asyncio.to_thread(files.store_sealed, attachment.blob, chunks)
        path = await asyncio.to_thread(files.open_to, attachment, effect.directory)
        what = "synthese" if attachment.kind == "synthese" else "attachment"
        self._publish(FileSaved(str(path), what))
        if effect.open_after:
            await asyncio.to_thread(self._around.open_file, str(path))

    async def _export(self, effect: ExportActs) -> None:
        def write() -> FileSaved:
            store, documents = _known(self._store), self._around.documents
            zone = documents.zone
            role = Role(effect.role)
            cases = (replay(each.conversation, store.case_events(each.conversation)) for each in effect.cases)
            acts = [act for case in cases if (act := finalised_act(case, role=role, zone=zone)) is not None]
            rows = activity_rows(acts, role, _date(effect.date_debut), _date(effect.date_fin))
            path = documents.export(rows, format=effect.format, path=effect.path)
            return FileSaved(str(path), "export", len(rows))

        self._publish(await self._on_disk(write))

    async def _on_disk(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._disk, work)

    # --- the stream -----------------------------------------------------------------------------------------

    async def _follow_stream(self) -> None:
        failures = 0
        while True:
            await self._wanted.wait()
            self._queue.put_nowait(TransportConnecting())
            reason, welcomed = await self._one_connection()
            failures = 1 if welcomed else failures + 1
            if not self._wanted.is_set():
                failures = 0
                continue
            self._queue.put_nowait(TransportLost(reason))
            self._nudge.clear()
            chance = int.from_bytes(self._around.world.random(4), "big") / 2**32
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nudge.wait(), delay_s(failures, chance))

    async def _one_connection(self) -> tuple[str, bool]:
        """Connect and listen until it ends; returns why, and whether the relay had said Welcome."""
        welcomed = False
        machine = self._machine
        if machine is None:
            return "", False
        try:
            connection = await self._around.relay.connect()
        except RelayUnreachable as error:
            return error.reason, False
        if self._machine is not machine:  # locked meanwhile, perhaps opened by somebody else
            await connection.close()
            return "", False
        self._connection, self._broken_by = connection, ""
        try:
            cursors = {account: machine.desk.cursors.get(account, 0) for account in machine.desk.ring.accounts}
            await connection.send(encode_frame(Hello(PROTOCOL_VERSION, self._token, cursors)))
            while True:
                frame = decode_server_frame(await connection.receive())
                if isinstance(frame, Goodbye):
                    frame = Goodbye(visible_line(frame.reason), frame.session_over)
                welcomed = welcomed or isinstance(frame, Welcome)
                self._queue.put_nowait(FrameReceived(frame, self._around.world.now()))
                if isinstance(frame, Goodbye):
                    if frame.session_over:
                        self._forget_token()
                    return frame.reason, welcomed
        except RelayUnreachable as error:
            return self._broken_by or error.reason, welcomed
        except RemoteProtocolError as error:
            return _("le serveur parle une langue inconnue ({reason})").format(reason=error.reason), welcomed
        finally:
            self._connection = None
            await connection.close()

    def _forget_token(self) -> None:
        """The session is over: only the card opens another."""
        self._token = ""
        self._wanted.clear()
        self._queue.put_nowait(TransportLost(_("session expirée : Ctrl+R puis votre code pour la rouvrir")))

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            now, limit = self._around.world.now(), self._around.idle_lock_s
            if self.pending:
                self._queue.put_nowait(Ticked(now))
            if limit and self._machine is not None and (now - self._asked_at).total_seconds() >= limit:
                self._queue.put_nowait(IntentSubmitted(LockSession(), now))


class _LoopCardEvents:
    """Brings a watcher thread's news into the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop, queue: asyncio.Queue[_Item]) -> None:
        self._loop = loop
        self._queue = queue

    def slots_changed(self, slots: tuple[CardSlot, ...]) -> None:
        """Cards or readers came or went."""
        self._post(_Slots(slots))

    def service_lost(self) -> None:
        """Pcscd stopped answering."""
        self._post(_Slots(None))

    def _post(self, item: _Slots) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closing
            self._loop.call_soon_threadsafe(self._queue.put_nowait, item)


def _end_reason(broken: BaseExceptionGroup[BaseException]) -> str:
    first: BaseException = broken
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    if isinstance(first, OSError):
        return _(
            "Le disque a refusé une écriture ({error}). Libérez de la place, puis relancez : "
            "rien de ce qui était enregistré n'est perdu."
        ).format(error=first.strerror or first)
    if isinstance(first, ClientError):
        return first.reason
    return _("Erreur interne ({kind}). Relancez : rien de ce qui était enregistré n'est perdu.").format(
        kind=type(first).__name__
    )


def _date(iso: str) -> date | None:
    return date.fromisoformat(iso) if iso else None


def _known(value: T | None) -> T:
    if value is None:  # the session locked meanwhile
        raise asyncio.CancelledError
    return value
