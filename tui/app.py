"""The App: owns the session; an intent raised goes down to it, an update comes up as the `view` of a screen.

It decides only which screen shows. The lock covers everything at once, before the session has answered. A failure is
said by a sealed sentence: Textual's traceback would print the values of locals, hence patients, on the terminal.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path, PurePath
from time import time
from typing import Any, ClassVar, TypeVar

from rich.console import RenderableType
from rich.segment import Segment, Segments
from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.screen import Screen
from textual.worker import Worker, WorkerState

import screens
from client.i18n import _, ngettext
from client.intents import (
    Folder,
    Intent,
    LockSession,
    NewDraft,
    OpenCase,
    OpenDraft,
    OpenPreferences,
    Reconnect,
    SwitchCard,
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
    Noticed,
    PatientsFound,
    PreferencesChanged,
    RequestStarted,
    SessionEnded,
    Severity,
    ShellChanged,
    TransferProgressed,
    Update,
)
from client.views import LoginPhase, LoginView, MailboxView, ShellView
from screens.base import Dialog, PracticeScreen
from screens.case import CaseScreen
from screens.confirm import ConfirmScreen
from screens.directory import DirectoryScreen
from screens.ended import EndedScreen
from screens.finalisation import FinalisationScreen
from screens.formatting import visible
from screens.help import HelpScreen
from screens.keymap import ACTIONS, UNLOCKED, Action, Room, action_named, bindings_of, offered_in
from screens.mailbox import MailboxScreen
from screens.messages import CaseWanted, IntentRaised, Told
from screens.new_request import NewRequestScreen
from screens.palette import PaletteScreen
from screens.patients import PatientsScreen
from screens.preferences import PreferencesScreen
from screens.unlock import UnlockScreen
from screens.widgets.key_footer import KeyFooter
from tui.bridge import Session, UpdateArrived
from tui.incident import incident_place, sealed_message
from tui.output_guard import OutputGuard
from tui.theme import DARK, THEMES, VARIABLE_DEFAULTS

Shown = TypeVar("Shown", bound=Screen[Any])

_PROGRESS_STEPS = 4
"""A transfer is announced by quarters: no animation, few bytes."""

_INKS = {Severity.INFORMATION: "", Severity.WARNING: "warning", Severity.ERROR: "error"}
_GLYPHS = {Severity.INFORMATION: "", Severity.WARNING: "! ", Severity.ERROR: "✕ "}


_FIRST_SHEETS = ("base", "picker")
STYLE_SHEETS: list[str | PurePath] = [
    *sorted(Path(screens.__file__).parent.glob("*.tcss"), key=lambda path: (path.stem not in _FIRST_SHEETS, path.name))
]
"""All at once, so that no screen opens on a reparse; what others build upon comes first."""


def system_clock() -> datetime:
    """This instant, UTC."""
    return datetime.fromtimestamp(time(), UTC)


def system_zone() -> tzinfo:
    """Where this machine is."""
    return system_clock().astimezone().tzinfo or UTC


def _nothing() -> None:
    """Not listening yet."""


NOTHING_TO_SEE = MailboxView(Folder.INBOX, (), ())
"""The list between two users."""


class AvicenneApp(App[None]):
    """The terminal client."""

    TITLE = "Avicenne"
    ENABLE_COMMAND_PALETTE = False
    CSS_PATH = STYLE_SHEETS
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.APP)

    def __init__(
        self,
        session: Session,
        *,
        clock: Callable[[], datetime] = system_clock,
        zone: tzinfo | None = None,
        start_run: bool = True,
        theme: str = DARK.name,
        driver_class: type[Driver] | None = None,
    ) -> None:
        super().__init__(driver_class=driver_class)
        self.animation_level = "none"
        self._session = session
        self._clock = clock
        self.zone = zone or system_zone()
        self._start_run = start_run
        self._login = LoginView(LoginPhase.NO_CARD)
        self._shell: ShellView | None = None
        self._wanted: set[str] = set()
        self._everything_left = False
        """Since the last exchange or request was kept, the relay took all that waited."""
        self._unsubscribe: Callable[[], None] = _nothing
        self._mailbox = MailboxScreen()
        self.incident = ""
        """Kind and place of the failure that closed the App, without any value."""
        self._filters.append(OutputGuard())
        for dress in THEMES:
            self.register_theme(dress)
        self.theme = theme

    @property
    def now(self) -> datetime:
        """This instant, UTC."""
        return self._clock()

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Inks for themes that are not ours."""
        return VARIABLE_DEFAULTS

    # --- life

    def on_mount(self) -> None:
        """Close the door, listen, let the session work."""
        self.push_screen(self._new_door(self._login))
        self._unsubscribe = self._session.subscribe(self._announced)
        if self._start_run:
            self.run_worker(self._session.run(), name="session", exit_on_error=False)

    def _announced(self, update: Update) -> None:
        self.post_message(UpdateArrived(update))

    def on_unmount(self) -> None:
        """Stop listening."""
        self._unsubscribe()

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        """The session's death is visible."""
        if event.worker.name != "session":
            return
        if event.state is WorkerState.ERROR and event.worker.error is not None:
            self.incident = incident_place(event.worker.error)
            self._end(sealed_message(event.worker.error))
        elif event.state is WorkerState.SUCCESS:
            self._end(_("La session s'est terminée."))

    def _end(self, reason: str) -> None:
        if not isinstance(self.screen, EndedScreen):
            self._show(EndedScreen(reason))

    # --- intents down

    def on_intent_raised(self, message: IntentRaised) -> None:
        """Hand it to the session; remember which screens its answer opens."""
        message.stop()
        self._dispatch(message.intent)

    def _dispatch(self, intent: Intent) -> None:
        match intent:
            case OpenCase(case=key) | OpenDraft(draft=key):
                self._wanted = {key}
            case NewDraft() | OpenPreferences():
                self._wanted = {type(intent).__name__}
            case SwitchCard():
                self._leave_desk()
            case _:
                pass
        self._session.dispatch(intent)

    def on_told(self, message: Told) -> None:
        """Say it on whatever screen is on top, once that screen is."""
        self.call_later(self._say, message.text, "")

    def _say(self, text: str, ink: str) -> None:
        screen = self.screen
        if self._everything_left and text in _promises():
            text, ink = _("✓ Envoyé."), "good"
        if isinstance(screen, (PracticeScreen, Dialog)):
            screen.show_notice(text, ink)

    def _shell_changed(self, shell: ShellView) -> None:
        """Hand it over; a notice that promises to send is no longer true once nothing waits.

        The act is counted before its notice is announced: a count of none after that says that it left.
        """
        self._shell = shell
        self._hand_shell()
        if not shell.pending:
            self._everything_left = True
            for footer in self.screen.query(KeyFooter):
                if footer.notice and footer.notice[0] in _promises():
                    footer.notice = (_("✓ Envoyé."), "good")

    def on_case_wanted(self, message: CaseWanted) -> None:
        """From a case to the next: the list knows which."""
        here = self.screen.case if isinstance(self.screen, CaseScreen) else ""
        row = self._mailbox.go_to_next(urgent=message.urgent, after=here)
        if row is None or row.draft:
            self._say(_("✓ Aucun autre dossier urgent ici.") if message.urgent else _("✓ Aucun autre non lu ici."), "")
        else:
            self._dispatch(OpenCase(row.case))

    # --- updates up

    def on_update_arrived(self, message: UpdateArrived) -> None:
        """Put the view where it is looked at; or say what happened."""
        if not self._view_changed(message.update):
            self._happened(message.update)

    def _view_changed(self, update: Update) -> bool:
        match update:
            case LoginChanged(view=login):
                self._login_changed(login)
            case ShellChanged(view=shell):
                self._shell_changed(shell)
            case MailboxChanged(view=mailbox):
                self._mailbox.view = mailbox
            case CaseChanged():
                self._case_changed(update)
            case DirectoryFound(view=directory):
                for screen in self._shown(DirectoryScreen):
                    screen.view = directory
            case PatientsFound():
                for patients in self._shown(PatientsScreen):
                    patients.found = update
            case DraftChanged():
                self._draft_changed(update)
            case FinalisationPrepared():
                self._finalisation_prepared(update)
            case PreferencesChanged():
                self._preferences_changed(update)
            case _:
                return False
        return True

    def _happened(self, update: Update) -> None:
        match update:
            case RequestStarted(draft=draft):
                self._request_started(draft)
            case ExchangeSent(case=case):
                self._exchange_sent(case)
            case CaseFinalised(case=case):
                self._case_finalised(case)
            case FileSaved():
                self._say(file_words(update), "good")
            case TransferProgressed():
                self._progressed(update)
            case IntentRefused(reason=reason):
                self._refused(reason)
            case Noticed(text=text, severity=severity):
                self._say(f"{_GLYPHS[severity]}{text}", _INKS[severity])
            case SessionEnded(reason=reason):
                self._end(reason)
            case _:
                pass

    def _finalisation_prepared(self, prepared: FinalisationPrepared) -> None:
        if isinstance(self.screen, CaseScreen) and self.screen.case == prepared.view.case:
            self._show(FinalisationScreen(prepared.view))

    def _exchange_sent(self, case: str) -> None:
        self._everything_left = False
        for screen in self._shown(CaseScreen):
            if screen.case == case:
                screen.exchange_sent()

    def _shown(self, kind: type[Shown]) -> list[Shown]:
        return [screen for screen in self.screen_stack if isinstance(screen, kind)]

    def _show(self, screen: Screen[Any]) -> None:
        if isinstance(screen, PracticeScreen):
            screen.shell = self._shell
        self.push_screen(screen)

    def _hand_shell(self) -> None:
        self._mailbox.shell = self._shell
        for screen in self._shown(PracticeScreen):
            if not isinstance(screen, UnlockScreen):
                screen.shell = self._shell

    @property
    def _background_screens(self) -> list[Screen[Any]]:
        """Only a dialog lets what is behind show: Textual counts the screen below in any case, and draws it too."""
        return super()._background_screens if isinstance(self.screen, Dialog) else []

    @property
    def _covered(self) -> bool:
        return isinstance(self.screen, (UnlockScreen, EndedScreen))

    def _new_door(self, view: LoginView) -> UnlockScreen:
        door = UnlockScreen()
        door.view = view
        return door

    def _login_changed(self, view: LoginView) -> None:
        self._login = view
        if view.phase is not LoginPhase.OPEN:
            doors = self._shown(UnlockScreen)
            if doors:
                doors[-1].view = view
            elif not self._shown(EndedScreen):
                self.push_screen(self._new_door(view))
            return
        if isinstance(self.screen, UnlockScreen):
            self.pop_screen()
        if not self._shown(MailboxScreen):
            self._show(self._mailbox)

    def _case_changed(self, changed: CaseChanged) -> None:
        view = changed.view
        self._mailbox.preview = view if changed.preview or self._previews(view.case) else self._mailbox.preview
        if changed.preview:
            return
        for screen in self._shown(CaseScreen):
            if screen.case == view.case:
                screen.view = view
                return
        if view.case in self._wanted and not self._covered:
            self._wanted = set()
            self._leave_case()
            self._show(CaseScreen(view))

    def _previews(self, case: str) -> bool:
        return self._mailbox.preview is not None and self._mailbox.preview.case == case

    def _leave_case(self) -> None:
        if isinstance(self.screen, CaseScreen):
            self.screen.close_case()

    def _draft_changed(self, changed: DraftChanged) -> None:
        draft = changed.view.entry.draft
        for screen in self._shown(NewRequestScreen):
            if screen.draft == draft:
                screen.view = changed.view
                return
        if self._wanted & {draft, NewDraft.__name__} and not self._covered:
            self._wanted = set()
            self._show(NewRequestScreen(changed.view))

    def _request_started(self, draft: str) -> None:
        self._everything_left = False
        if isinstance(self.screen, NewRequestScreen) and self.screen.draft == draft:
            self.screen.dismiss()
            self.call_later(self._say, _("✓ Téléexpertise démarrée : elle part dès que le relais répond."), "good")

    def _case_finalised(self, case: str) -> None:
        if isinstance(self.screen, FinalisationScreen) and self.screen.view.case == case:
            self.screen.dismiss(None)
            self.call_later(self._say, _("✓ Finalisée. La synthèse est dans la conversation, s l'ouvre."), "good")

    def _preferences_changed(self, changed: PreferencesChanged) -> None:
        shown = self._shown(PreferencesScreen)
        for screen in shown:
            screen.view = changed.view
        if not shown and OpenPreferences.__name__ in self._wanted and not self._covered:
            self._wanted = set()
            self._show(PreferencesScreen(changed.view))

    def _refused(self, reason: str) -> None:
        screen = self.screen
        if isinstance(screen, (CaseScreen, NewRequestScreen, FinalisationScreen, PreferencesScreen)):
            screen.refused()
        self._say(f"✕ {reason}", "error")

    def _progressed(self, progress: TransferProgressed) -> None:
        if progress.total <= 0:
            return
        quarter = progress.done * _PROGRESS_STEPS // progress.total
        arrow = "↑" if progress.upload else "↓"
        percent = quarter * 100 // _PROGRESS_STEPS
        done = progress.done >= progress.total
        self._say("" if done else f"{arrow} {visible(progress.name)} {percent} %", "info")

    # --- keys of everywhere

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """What the locked door lets through: help, colours, leaving."""
        for row in ACTIONS:
            if Room.APP in row.rooms and row.name == action and row.needs == UNLOCKED:
                return not self._covered
        return super().check_action(action, parameters)

    def action_lock(self) -> None:
        """Cover the screen now; the session forgets the keys."""
        self.push_screen(self._new_door(LoginView(LoginPhase.READING, locked=True)))
        self._session.dispatch(LockSession())

    def action_switch_card(self) -> None:
        """Let any card present open a desk."""
        self._dispatch(SwitchCard())

    def _leave_desk(self) -> None:
        """Leave this desk to its owner's next visit: nothing of it stays on screen."""
        while len(self.screen_stack) > 1 and self.screen is not self._mailbox:
            self.pop_screen()
        self._mailbox.view, self._mailbox.preview = NOTHING_TO_SEE, None
        self.push_screen(self._new_door(LoginView(LoginPhase.READING)))

    def action_reconnect(self) -> None:
        """Try the relay now."""
        self._session.dispatch(Reconnect())
        self._say(_("Nouvel essai de connexion."), "")

    def action_theme(self) -> None:
        """The next dress."""
        names = [dress.name for dress in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
        self._say(_("Couleurs : {name}").format(name=self.theme), "")

    def action_help(self) -> None:
        """Every key."""
        screen = self.screen
        if isinstance(screen, PracticeScreen):
            self.push_screen(HelpScreen(screen.ROOM))

    def action_palette(self) -> None:
        """Every command that is permitted here."""
        screen = self.screen
        if not isinstance(screen, PracticeScreen):
            return
        rows = [row for row in offered_in(screen.ROOM, modal=False) if row.palette and self._may(screen, row)]
        self.push_screen(PaletteScreen(rows), self._command_chosen)

    def _may(self, screen: PracticeScreen, row: Action) -> bool:
        asked = self if Room.APP in row.rooms else screen
        return asked.check_action(row.name, ()) is True

    async def _command_chosen(self, identifier: str | None) -> None:
        if identifier is None:
            return
        row = action_named(identifier)
        await self.run_action(row.name, self if Room.APP in row.rooms else self.screen)

    async def action_quit(self) -> None:
        """Leave; ask first when something waits or is being written."""
        question = self._reason_to_stay()
        if question and not isinstance(self.screen, ConfirmScreen):
            self.push_screen(ConfirmScreen(question, yes=_("Quitter"), no=_("Rester")), self._quit_answered)
        else:
            self.exit()

    def _quit_answered(self, yes: bool | None) -> None:
        if yes:
            self.exit()

    def _reason_to_stay(self) -> str:
        if self._covered:
            return ""
        if self._shell is not None and self._shell.pending:
            waiting = ngettext(
                "{n} envoi attend le relais. Il est gardé et partira à la prochaine ouverture. Quitter ?",
                "{n} envois attendent le relais. Ils sont gardés et partiront à la prochaine ouverture. Quitter ?",
                self._shell.pending,
            )
            return waiting.format(n=self._shell.pending)
        if any(screen.has_unsent_text for screen in self._shown(CaseScreen)):
            return _("Un texte n'est pas envoyé. Il est gardé et vous attendra. Quitter ?")
        return ""

    def action_help_quit(self) -> None:
        """Ctrl+C leaves too."""
        self.run_worker(self.action_quit(), name="quit")

    # --- failing

    def _handle_exception(self, error: Exception) -> None:
        """Say a sealed sentence instead of a traceback with its locals."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self.incident = incident_place(error)
        self._exit_renderables[:] = [Segments([Segment(sealed_message(error)), Segment.line()])]
        self._close_messages_no_wait()

    def _fatal_error(self) -> None:
        """Never print a traceback: a value could be a patient."""
        self.panic()

    def panic(self, *renderables: RenderableType) -> None:
        """Close without printing what a library wanted to say."""
        del renderables
        self._exit_renderables[:] = [Segments([Segment(_("Avicenne s'est arrêtée.")), Segment.line()])]
        self._close_messages_no_wait()


def _promises() -> tuple[str, ...]:
    """The notices that hold until the relay has everything: that of a case, and ours for a request."""
    return (
        _("✓ Gardé. L'envoi part dès que le relais répond."),
        _("✓ Téléexpertise démarrée : elle part dès que le relais répond."),
    )


def file_words(saved: FileSaved) -> str:
    """`✓ Export enregistré : chemin (12 lignes)`."""
    what = {
        "attachment": _("✓ Pièce jointe enregistrée : {path}"),
        "synthese": _("✓ Synthèse enregistrée : {path}"),
        "export": _("✓ Export enregistré : {path}"),
    }.get(saved.what, _("✓ Fichier enregistré : {path}"))
    words = what.format(path=visible(saved.path))
    if saved.what == "export":
        words += " " + ngettext("({n} ligne)", "({n} lignes)", saved.rows).format(n=saved.rows)
    return words
