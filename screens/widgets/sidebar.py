"""The sidebar (A02): who acts, the folders in their order with their unread counts (A03), presence.

Not focusable: each folder is one digit away, from wherever the list has the keys.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.reactive import reactive

from client.i18n import _
from client.views import FolderEntry, MailboxView
from screens.formatting import visible
from screens.ink import Line, spread
from screens.messages import Told
from screens.widgets.inked import InkedWidget

DIGITS = "1234567890"
"""Keys of the folders, in the order of A02."""


def folder_line(entry: FolderEntry, digit: str, width: int, *, current: bool) -> Line:
    """`▌1 Boîte de réception  3`."""
    bar = "▌" if current else " "
    ink = "strong" if current else ("" if entry.available else "dim")
    count = f" {entry.unread}" if entry.unread else (f" {entry.total}" if entry.folder == "drafts" else "")
    label = visible(entry.label)
    return spread(
        ((bar, "accent"), (f"{digit} ", "dim"), (label, ink)), ((count, "accent" if entry.unread else "dim"),), width
    )


def sidebar_lines(view: MailboxView | None, me: str, width: int, *, roomy: bool) -> list[Line]:
    """The whole column."""
    lines: list[Line] = [((" ", ""), (_("Moi"), "dim")), ((" ", ""), (visible(me), "strong")), ()]
    if not roomy:
        lines = [((" ", ""), (visible(me) or _("Moi"), "strong")), ()]
    for digit, entry in zip(DIGITS, view.folders if view else (), strict=False):
        current = view is not None and entry.folder == view.folder
        lines.append(folder_line(entry, digit, width, current=current))
        if roomy and entry.folder in _BREATHES_AFTER:
            lines.append(())
    return [*lines, (), ((" ○ ", "dim"), (_("Apparaître absent"), "dim"))]


_BREATHES_AFTER = ("to-do", "mssante")
_ROOMY_FROM = 24


class Sidebar(InkedWidget):
    """Draws the folders."""

    DEFAULT_CSS = "Sidebar { height: 1fr; }"

    view: reactive[MailboxView | None] = reactive(None)
    me: reactive[str] = reactive("")

    def on_click(self, event: events.Click) -> None:
        """Presence comes later: say so, as the menus do."""
        line = event.get_content_offset(self)
        if line is not None and line.y == len(self.lines(self.content_size.width)) - 1:
            event.stop()
            what = _("Apparaître absent")
            self.post_message(Told(_("{what} : dans une prochaine version").format(what=what)))

    def lines(self, width: int) -> Sequence[Line]:
        """As many as fit."""
        return sidebar_lines(self.view, self.me, width - 1, roomy=self.size.height >= _ROOMY_FROM)
