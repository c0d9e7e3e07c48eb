"""The green header (A01): product, user, situation, connection and what waits to leave."""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import reactive

from client.i18n import ngettext
from client.views import ShellView
from screens.formatting import connection_words, visible
from screens.ink import Line, spread
from screens.widgets.inked import InkedWidget


def shell_line(shell: ShellView | None, width: int) -> Line:
    """The header in `width` cells; identity gives way before the connection does."""
    left: list[tuple[str, str]] = [(" AVICENNE", "banner")]
    if shell is None:
        return spread(left, (), width)
    left.append((f"  {visible(shell.me)}", ""))
    if shell.situation:
        left.append((f" · {visible(shell.situation)}", ""))
    words = connection_words(shell.connection)
    if shell.connection_detail:
        words = f"{words} ({visible(shell.connection_detail)})" if width >= _ROOMY else words
    if shell.pending:
        waiting = ngettext("{n} envoi en attente", "{n} envois en attente", shell.pending)
        words = f"↑ {waiting.format(n=shell.pending)} · {words}"
    return spread(left, ((f"{words} ", "banner"),), width)


_ROOMY = 140


class ShellBar(InkedWidget):
    """One line at the top of every full screen."""

    DEFAULT_CSS = """
    ShellBar { dock: top; height: 1; background: $banner; color: $banner-text; }
    .-tall ShellBar { height: 1; }
    """

    shell: reactive[ShellView | None] = reactive(None)

    def lines(self, width: int) -> Sequence[Line]:
        """One."""
        return (shell_line(self.shell, width),)
