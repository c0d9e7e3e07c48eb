"""What all screens have in common: a header, a footer drawn from the key table, a view in, intents out.

`PracticeScreen` fills the terminal, `Dialog` floats over one. Both answer `check_action` from the table, so that a
key which is not permitted now neither works nor shows. A full screen is painted when it has settled: mounting one
takes Textual half a dozen layouts, and painting each of them cost most of the time it took to open.
"""

from __future__ import annotations

from datetime import UTC, datetime, tzinfo
from typing import ClassVar, Protocol, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.reactive import reactive
from textual.screen import ModalScreen, Screen

from client.i18n import _
from client.intents import Intent
from client.views import ShellView
from screens.keymap import Room, actions_of
from screens.messages import IntentRaised, Told
from screens.widgets.key_footer import KeyFooter
from screens.widgets.shell_bar import ShellBar

Answer = TypeVar("Answer")


class Wall(Protocol):
    """What a screen asks of the App that hangs it: the time, in the user's zone."""

    @property
    def now(self) -> datetime:
        """This instant, UTC."""

    @property
    def zone(self) -> tzinfo:
        """Where the user lives."""


class _Common(Screen[Answer]):
    """Shared by full screens and dialogs."""

    ROOM: ClassVar[Room] = Room.APP
    HORIZONTAL_BREAKPOINTS = [
        (0, "-tiny"),
        (78, "-narrow"),
        (100, "-wide"),
        (140, "-huge"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (30, "-tall")]

    _ready = False

    @property
    def ready(self) -> bool:
        """The parts exist: they may be given attributes. Earlier than `is_mounted`, which comes after `on_mount`."""
        if not self._ready:
            self._ready = self.is_attached and bool(self.query(KeyFooter))
        return self._ready

    @property
    def now(self) -> datetime:
        """This instant, UTC, as the App's clock says."""
        return cast("Wall", self.app).now if hasattr(self.app, "zone") else datetime.fromtimestamp(0, UTC)

    @property
    def zone(self) -> tzinfo:
        """The user's zone."""
        return cast("Wall", self.app).zone if hasattr(self.app, "zone") else UTC

    @property
    def permitted(self) -> frozenset[str]:
        """Codes in force now, for the `needs` column of the key table."""
        return frozenset()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Silence the keys that the table forbids now."""
        for row in actions_of(self.ROOM):
            if row.name == action and row.needs:
                return row.needs in self.permitted
        return super().check_action(action, parameters)

    def raise_intent(self, intent: Intent) -> None:
        """Ask the App to pass this on; nothing is awaited."""
        self.post_message(IntentRaised(intent))

    def tell(self, text: str) -> None:
        """Say one line in the footer until the next key."""
        self.post_message(Told(text))

    def show_notice(self, text: str, ink: str = "") -> None:
        """Put a notice where the keys are; the next key clears it."""
        for footer in self.query(KeyFooter):
            footer.notice = (text, ink) if text else None

    def on_key(self, event: events.Key) -> None:
        """A key pressed is a notice read."""
        del event
        self.show_notice("")


class PracticeScreen(_Common[None]):
    """A full screen: green header, body, keys."""

    shell: reactive[ShellView | None] = reactive(None, repaint=False)

    _opening = True

    async def _compose(self) -> None:
        """Dress for the terminal's size before there are parts: Textual would style them all a second time."""
        size = self.app.size
        wide = self._get_breakpoint_classes(size.width, self.HORIZONTAL_BREAKPOINTS)
        tall = self._get_breakpoint_classes(size.height, self.VERTICAL_BREAKPOINTS)
        self.update_classes(dict.fromkeys(wide | tall, True), update=False)
        self.app.stylesheet.apply(self)
        await super()._compose()

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        """A screen that opens was styled a moment ago."""
        if self._opening:
            event.refresh_styles = False

    def _settled(self) -> None:
        self._opening = False
        self._compositor.update_widgets({self})
        self._compositor_refresh()

    def _compositor_refresh(self) -> None:
        """Hold paint back while opening; the compositor remembers what is to be painted."""
        if not self._opening:
            super()._compositor_refresh()

    def compose(self) -> ComposeResult:
        """Header, body, footer."""
        yield ShellBar()
        yield from self.compose_body()
        yield KeyFooter()

    def compose_body(self) -> ComposeResult:
        """What stands between the header and the keys."""
        yield from ()

    def watch_shell(self, shell: ShellView | None) -> None:
        """Hand identity and connection to the header."""
        for bar in self.query(ShellBar):
            bar.shell = shell

    def on_mount(self) -> None:
        """Draw what was given before mounting; paint once the parts have found their places."""
        self.watch_shell(self.shell)
        self.call_after_refresh(self._settled)


class Dialog(_Common[Answer], ModalScreen[Answer]):
    """A dialog over a screen; returns its answer to whoever opened it."""

    def refuse(self, reason: str) -> None:
        """Say why the answer is not accepted; the dialog stays."""
        self.show_notice(f"! {reason}", "warning")

    def missing(self, field: str) -> None:
        """Say that a field is needed."""
        self.refuse(_("{field} : à renseigner").format(field=field))
