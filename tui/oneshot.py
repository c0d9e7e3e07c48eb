"""A desk opened for one command: log in, ask, wait for the answer, wait for the outbox, close.

The same session as behind the screens; only the hand differs. Every wait has an end, and every end an exit code.
"""

from __future__ import annotations

import asyncio
import contextlib
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from client.headless import Follower, Session
from client.i18n import _
from client.intents import ChooseBillingSituation, ChooseReader, ChooseSituation, EnterPin, Intent
from client.updates import IntentRefused, LoginChanged, Noticed, Severity, ShellChanged, Update
from client.views import Connection, LoginPhase, LoginView, ShellView
from tui.exit_codes import ExitCode, Stop
from tui.output import say
from tui.pins import PinSource, pin_source

if TYPE_CHECKING:
    from client.settings import ClientSettings

U = TypeVar("U", bound=Update)

CARD_GRACE_S = 3.0
"""A reader may take this long to show its card before its absence is an answer."""
OFFLINE_GRACE_S = 5.0
"""A relay that does not answer in this time is away for a one-shot command."""
QUIET_S = 0.3
"""The backlog is in when nothing was announced for this long after connecting."""

_WAITING_FOR_A_HAND = (LoginPhase.NO_SERVICE, LoginPhase.NO_READER, LoginPhase.NO_CARD)
_HOPELESS = (LoginPhase.BLOCKED, LoginPhase.DEAD, LoginPhase.UNSUPPORTED, LoginPhase.REFUSED)
_MESSAGES = {
    LoginPhase.NO_SERVICE: "le service de cartes ne répond pas",
    LoginPhase.NO_READER: "aucun lecteur de carte",
    LoginPhase.NO_CARD: "aucune carte dans le lecteur",
    LoginPhase.BLOCKED: "carte bloquée",
    LoginPhase.DEAD: "carte inutilisable",
    LoginPhase.UNSUPPORTED: "carte inconnue",
    LoginPhase.REFUSED: "carte refusée par le relais",
}
"""Translated where they are said."""
_SILENT = "la carte ne répond pas"


class OneShot:
    """A running session, driven by one command."""

    def __init__(
        self, session: Session, pin: PinSource, *, timeout_s: float, reader: str = "", situation: int = 0
    ) -> None:
        self._session = session
        self._pin = pin
        self._timeout_s = timeout_s
        self._reader = reader
        self._situation = situation
        self._pin_tried = False
        self.login = LoginView(LoginPhase.READING)
        self.shell: ShellView | None = None
        self._away = False
        """An attempt to reach the relay failed, and none succeeded since."""
        self.updates = 0
        """How many were heard: a still count is a quiet session."""
        self.follower = Follower(session)
        self.follower.listeners.append(self._hear)

    def _hear(self, update: Update) -> None:
        self.updates += 1
        match update:
            case LoginChanged(view=login):
                self.login = login
            case ShellChanged(view=shell):
                failed = self._connection is Connection.CONNECTING and shell.connection is Connection.OFFLINE
                self._away = failed or (self._away and shell.connection is not Connection.ONLINE)
                self.shell = shell
            case Noticed(text=text, severity=severity) if severity is not Severity.INFORMATION:
                say(text)

    # --- opening ---

    async def open(self) -> None:
        """Open the desk with the card and its code.

        Raises:
            Stop: no card, no code, a refused card, or time is up.
        """
        await self.reach(LoginPhase.OPEN)

    async def reach(self, *goals: LoginPhase) -> LoginView:
        """Go through the door as far as one of `goals`.

        Raises:
            Stop: the door does not lead there.
        """
        async with self._patience(_("ouverture de la session")):
            while self.login.phase not in goals:
                seen = self.login
                self._answer_door(seen)
                grace = CARD_GRACE_S if seen.phase in _WAITING_FOR_A_HAND else self._timeout_s
                moved = await self.follower.until(lambda seen=seen: self.login is not seen, grace)  # type: ignore[misc]
                self._raise_if_dead()
                if not moved:
                    self._stuck(seen)
        return self.login

    def _answer_door(self, view: LoginView) -> None:
        match view.phase:
            case LoginPhase.CHOOSE_READER:
                named = [choice.key for choice in view.choices if self._reader and self._reader in choice.key]
                if len(named) != 1:
                    names = ", ".join(choice.key for choice in view.choices)
                    raise Stop(
                        ExitCode.USAGE, _("plusieurs lecteurs, choisissez avec --reader : {names}").format(names=names)
                    )
                self._session.dispatch(ChooseReader(named[0]))
            case LoginPhase.CHOOSE_SITUATION:
                self._session.dispatch(ChooseSituation(self._rank(view)))
            case LoginPhase.CHOOSE_BILLING:
                self._session.dispatch(ChooseBillingSituation(self._rank(view)))
            case LoginPhase.ENTER_PIN:
                if self._pin_tried:
                    raise Stop(ExitCode.PERMISSION, view.message or _("code porteur faux"))
                self._pin_tried = True
                self._session.dispatch(EnterPin(self._pin(view.holder)))
            case phase if phase in _HOPELESS:
                raise Stop(ExitCode.PERMISSION, view.message or _(_MESSAGES[phase]))

    def _rank(self, view: LoginView) -> int:
        """The situation asked for, or the first, which is said."""
        keys = [choice.key for choice in view.choices]
        if self._situation and str(self._situation) in keys:
            return self._situation
        if len(keys) > 1:
            say(
                _("plusieurs situations, prise : {label} (--situation N pour une autre)").format(
                    label=view.choices[0].label
                )
            )
        return int(keys[0]) if keys else 1

    def _stuck(self, view: LoginView) -> None:
        code = ExitCode.UNAVAILABLE if view.phase is LoginPhase.NO_SERVICE else ExitCode.PERMISSION
        words = _MESSAGES.get(view.phase, _SILENT)
        raise Stop(code, view.message or _(words))

    async def caught_up(self) -> bool:
        """Wait until the relay answered and its backlog is in; False when it is away."""
        patience_s = min(self._timeout_s, OFFLINE_GRACE_S)
        await self.follower.until(lambda: self._away or self._connection is Connection.ONLINE, patience_s)
        self._raise_if_dead()
        if self._connection is not Connection.ONLINE:
            self._away = True
            detail = self.shell.connection_detail if self.shell else ""
            say(
                _("relais injoignable, réponse donnée avec ce que ce poste a reçu") + (f" ({detail})" if detail else "")
            )
            return False
        count = -1
        while count != self.updates:
            count = self.updates
            await self.follower.until(lambda: False, QUIET_S)
        await self.follower.handled()
        return True

    @property
    def _connection(self) -> Connection | None:
        return self.shell.connection if self.shell else None

    # --- asking ---

    async def ask(self, intent: Intent, kind: type[U], matches: Callable[[U], bool] = lambda _update: True) -> U:
        """Ask, and wait for the first update of this kind that matches.

        Raises:
            Stop: the session refused, died, or did not answer in time.
        """
        answers: list[U] = []
        refusals: list[IntentRefused] = []

        def listen(update: Update) -> None:
            if isinstance(update, IntentRefused):
                refusals.append(update)
            elif isinstance(update, kind) and matches(update):
                answers.append(update)

        self.follower.listeners.append(listen)
        try:
            self._session.dispatch(intent)
            async with self._patience(type(intent).__name__):
                await self.follower.until(lambda: bool(answers or refusals), self._timeout_s)
        finally:
            self.follower.listeners.remove(listen)
        self._raise_if_dead()
        if answers:
            return answers[0]
        if refusals:
            raise Stop(ExitCode.DATA, refusals[0].reason)
        raise Stop(ExitCode.UNAVAILABLE, _("pas de réponse en {seconds:g} s").format(seconds=self._timeout_s))

    async def perform(self, intent: Intent) -> None:
        """Ask for something that has no answer of its own, and see that it was not refused.

        Raises:
            Stop: it was, or the session died.
        """
        refusals: list[IntentRefused] = []

        def listen(update: Update) -> None:
            if isinstance(update, IntentRefused):
                refusals.append(update)

        self.follower.listeners.append(listen)
        try:
            self._session.dispatch(intent)
            await self.follower.handled()
        finally:
            self.follower.listeners.remove(listen)
        self._raise_if_dead()
        if refusals:
            raise Stop(ExitCode.DATA, refusals[0].reason)

    async def delivered(self) -> bool:
        """Wait until the relay has everything; False when it stays on this machine for now."""
        return await self.follower.drained(QUIET_S if self._away else self._timeout_s)

    def _raise_if_dead(self) -> None:
        if self.follower.ended is not None:
            raise Stop(ExitCode.INTERNAL, self.follower.ended.reason)

    @asynccontextmanager
    async def _patience(self, what: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._timeout_s):
                yield
        except TimeoutError:
            raise Stop(
                ExitCode.UNAVAILABLE, _("{what} : rien en {seconds:g} s").format(what=what, seconds=self._timeout_s)
            ) from None


@asynccontextmanager
async def running(session: Session) -> AsyncIterator[asyncio.Task[None]]:
    """The session at work for the time of a block, then cancelled and closed."""
    task = asyncio.get_running_loop().create_task(_contained(session), name="session")
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        await session.close()


async def _contained(session: Session) -> None:
    """Run; a session that dies has announced it (SessionEnded), which the command reports better than a traceback."""
    # A cancelled session may end by a group around its CancelledError, as its task group does.
    with contextlib.suppress(Exception, BaseExceptionGroup):
        await session.run()


Build = Callable[[Namespace], tuple[Session, PinSource]]


@asynccontextmanager
async def opened(args: Namespace, build: Build) -> AsyncIterator[OneShot]:
    """A running session for this command line, not yet through its door."""
    session, pin = build(args)
    desk = OneShot(session, pin, timeout_s=args.timeout, reader=args.reader, situation=args.situation)
    async with running(session):
        yield desk


def settings_of(args: Namespace) -> ClientSettings:
    """The settings of `--as PERSONA`, or of this user."""
    from client.settings import load

    return load(args.persona)


def build_real(args: Namespace) -> tuple[Session, PinSource]:
    """The real session and the source of its code."""
    from client.bootstrap import build_session

    settings = replace(settings_of(args), idle_lock_s=0)  # nobody walks away from a script
    return build_session(settings), pin_source(args, settings.demo_pin)
