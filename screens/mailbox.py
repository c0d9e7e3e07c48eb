"""The mailbox (A01-A11): folders, list, preview; one key for what is done fifty times a day.

The list keeps the cursor on the same case whatever arrives. Archiving is undone by one key rather than confirmed.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import Input

from client.i18n import _, ngettext
from client.intents import (
    DiscardDraft,
    Folder,
    MarkUnread,
    NewDraft,
    OpenCase,
    OpenDraft,
    OpenPreferences,
    PreviewCase,
    SelectFolder,
    SetFlag,
)
from client.views import CaseRow, CaseView, MailboxView, ShellView
from screens.base import PracticeScreen
from screens.confirm import ConfirmScreen
from screens.export import ExportScreen
from screens.formatting import visible
from screens.ink import Line, spread
from screens.keymap import ANY_ROW, CASE_ROW, DRAFT_ROW, UNDO, Room, bindings_of
from screens.menu import MenuScreen
from screens.sheets import preview_lines, row_sheet
from screens.widgets.case_list import CaseList, next_where
from screens.widgets.document import Document
from screens.widgets.line_list import Item, LineList
from screens.widgets.lines_view import LinesView
from screens.widgets.sidebar import DIGITS, Sidebar

_MIDDLE_ROW = 2


def plus_items() -> list[Item]:
    """The five entries of A08, in order."""
    later = _("dans une prochaine version")
    return [
        Item("conversation", _("Démarrer une conversation"), later, enabled=False),
        Item("teleexpertise", _("Démarrer une Téléexpertise")),
        Item("document", _("Envoyer un document"), later, enabled=False),
        Item("mail", _("Rédiger un mail sécurisé"), later, enabled=False),
        Item("usager", _("Echanger avec un usager"), later, enabled=False),
    ]


def portal_items() -> list[Item]:
    """The tele-expertise tile of A09."""
    return [
        Item("preferences", _("Gérer mes préférences")),
        Item("export", _("Exporter mon activité")),
        Item("offres", _("Description des offres TLE"), _("dans une prochaine version"), enabled=False),
    ]


class MailboxScreen(PracticeScreen):
    """Draws MailboxView; raises what one does to a list."""

    ROOM = Room.MAILBOX
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.MAILBOX)
    CSS_PATH = "mailbox.tcss"
    PREVIEW_DELAY_S: ClassVar[float] = 0.08
    """Rest of the cursor before the preview is drawn and its case asked for; 0 is at once."""

    view: reactive[MailboxView | None] = reactive(None, repaint=False)
    preview: reactive[CaseView | None] = reactive(None, repaint=False)

    def __init__(self) -> None:
        super().__init__()
        self._archived = ""
        self._preview_timer: Timer | None = None

    def compose_body(self) -> ComposeResult:
        """Sidebar, list, preview."""
        with Horizontal(id="body"):
            yield Sidebar()
            with Vertical(id="middle"):
                yield LinesView(self._title_lines, id="title")
                yield Input(id="filter", placeholder=_("mots à chercher dans ce dossier, puis Entrée"))
                yield CaseList(id="cases")
            yield Document(id="preview")

    def on_mount(self) -> None:
        """Draw what was given before mounting."""
        self.query_one("#preview").can_focus = False
        self.watch_view(self.view)
        self._cases.focus()

    @property
    def _cases(self) -> CaseList:
        return self.query_one("#cases", CaseList)

    @property
    def current(self) -> CaseRow | None:
        """The row under the cursor."""
        return self._cases.current if self.ready else None

    @property
    def permitted(self) -> frozenset[str]:
        """What the row under the cursor allows."""
        codes = {UNDO} if self._archived else set()
        row = self.current
        if row is not None:
            codes |= {ANY_ROW, DRAFT_ROW if row.draft else CASE_ROW}
        return frozenset(codes)

    # --- attributes down

    def watch_shell(self, shell: ShellView | None) -> None:
        """The header, and the acting account."""
        super().watch_shell(shell)
        for sidebar in self.query(Sidebar):
            sidebar.me = shell.me if shell else ""

    def watch_view(self, view: MailboxView | None) -> None:
        """List the rows; the cursor stays on its case within a folder."""
        if view is None or not self.ready:
            return
        row = self._cases.current
        shown = self.query_one(Sidebar).view
        same = shown is not None and (shown.folder, shown.query) == (view.folder, view.query)
        self.query_one(Sidebar).view = view
        self._cases.show(view.rows, now=self.now, zone=self.zone, keep=row.case if row and same else "")
        self.query_one("#title", LinesView).show(self._title_lines)
        self.refresh_bindings()
        self._draw_preview()

    def watch_preview(self, preview: CaseView | None) -> None:
        """A preview came; the cursor may have left its case meanwhile."""
        row = self.current
        if preview is None or (row is not None and row.case == preview.case):
            self._draw_preview()

    def _title_lines(self, width: int) -> list[Line]:
        view = self.view
        if view is None:
            return [()]
        entry = next((entry for entry in view.folders if entry.folder == view.folder), None)
        label = visible(entry.label) if entry else ""
        count = ngettext("{n} dossier", "{n} dossiers", len(view.rows)).format(n=len(view.rows))
        if entry and not entry.available:
            count = _("non connecté : dans une prochaine version")
        elif view.query:
            count = _("{count} pour « {query} », Échap efface").format(count=count, query=visible(view.query))
        return [spread(((label, "heading"),), ((count, "dim"),), width)]

    def _draw_preview(self) -> None:
        if not self.ready:
            return
        row, view = self.current, self.preview
        document = self.query_one("#preview", Document)
        if row is None:
            document.show(lambda width: [((_("Aucun dossier ici."), "dim"),)])
        elif view is not None and view.case == row.case:
            document.show(lambda width: preview_lines(view, width, now=self.now, zone=self.zone))
        else:
            document.show(lambda width: row_sheet(row, width, now=self.now, zone=self.zone))

    # --- messages up

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        """The cursor moved: the preview follows once it rests."""
        event.stop()
        self.refresh_bindings()
        if self.query_one("#preview").display:
            self._await_rest()

    def on_screen_resume(self) -> None:
        """Draw what a screen in front held back."""
        if self._preview_timer is not None:
            self._await_rest()

    def _await_rest(self) -> None:
        if self._preview_timer is not None:
            self._preview_timer.stop()
        self._preview_timer = self.set_timer(self.PREVIEW_DELAY_S, self.cursor_rested)
        if not self.PREVIEW_DELAY_S:
            self.cursor_rested()

    def cursor_rested(self) -> None:
        """Draw what is known of the case, and ask for the rest."""
        if self.app.screen is not self or self._preview_timer is None:
            return
        self._preview_timer.stop()
        self._preview_timer = None
        self._draw_preview()
        row = self.current
        if row is not None and not row.draft:
            self.raise_intent(PreviewCase(row.case))

    def on_line_list_selected(self, event: LineList.Selected) -> None:
        """Enter on a row."""
        event.stop()
        self.action_open()

    def action_open(self) -> None:
        """Open the case, or go on with the draft."""
        row = self.current
        if row is not None:
            self.raise_intent(OpenDraft(row.case) if row.draft else OpenCase(row.case))

    def go_to_next(self, *, urgent: bool, after: str = "") -> CaseRow | None:
        """Put the cursor on the next unread or urgent row; None when there is none."""
        cases = self._cases
        start = cases.cursor
        if not after:
            start = start if self.current else -1
        index = next_where(cases.rows, start, urgent=urgent)
        if index is None or (after and cases.rows[index].case == after):
            return None
        cases.cursor = index
        return cases.rows[index]

    def action_next_unread(self) -> None:
        """Cursor to the next unread."""
        if self.go_to_next(urgent=False) is None:
            self.tell(_("✓ Aucun dossier non lu ici."))

    def action_next_urgent(self) -> None:
        """Cursor to the next urgent case still open."""
        if self.go_to_next(urgent=True) is None:
            self.tell(_("✓ Aucun dossier urgent ici."))

    def action_folder(self, digit: str) -> None:
        """Show the folder of this rank."""
        if self.view is None:
            return
        rank = DIGITS.index(digit)
        if rank < len(self.view.folders):
            self._clear_filter()
            self.raise_intent(SelectFolder(self.view.folders[rank].folder))

    def action_sidebar(self) -> None:
        """Show or hide the folders."""
        showing = self.query_one(Sidebar).display
        self.set_class(showing, "-no-sidebar")
        self.set_class(not showing, "-with-sidebar")

    # --- filtering

    def action_filter(self) -> None:
        """Open the filter field."""
        self.add_class("-filtering")
        self.query_one("#filter", Input).focus()

    def _clear_filter(self) -> None:
        self.query_one("#filter", Input).value = ""
        self.remove_class("-filtering")
        self._cases.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Filter by these words, and give the keys back to the list."""
        event.stop()
        self._select(event.value)
        self._cases.focus()
        if not event.value:
            self.remove_class("-filtering")

    def _select(self, query: str) -> None:
        folder = self.view.folder if self.view else Folder.INBOX
        self.raise_intent(SelectFolder(folder, query))

    def key_escape(self) -> None:
        """Drop the filter."""
        if self.has_class("-filtering") or (self.view and self.view.query):
            filtered = bool(self.view and self.view.query)
            self._clear_filter()
            if filtered:
                self._select("")

    # --- flags

    def action_archive(self) -> None:
        """Archive, with one key to undo; on an archived case, bring it back."""
        row = self.current
        if row is None:
            return
        self.raise_intent(SetFlag(row.case, "archived", not row.archived))
        self._archived = "" if row.archived else row.case
        self.refresh_bindings()
        self.tell(_("✓ Remis dans la boîte de réception.") if row.archived else _("✓ Archivé. z annule."))

    def action_undo(self) -> None:
        """Take the last archiving back."""
        self.raise_intent(SetFlag(self._archived, "archived", on=False))
        self._archived = ""
        self.refresh_bindings()
        self.tell(_("✓ Archivage annulé."))

    def action_favourite(self) -> None:
        """Toggle the star."""
        row = self.current
        if row is not None:
            self.raise_intent(SetFlag(row.case, "favourite", not row.favourite))

    def action_to_do(self) -> None:
        """Toggle the flag."""
        row = self.current
        if row is not None:
            self.raise_intent(SetFlag(row.case, "to-do", not row.to_do))

    def action_unread(self) -> None:
        """Unread again."""
        row = self.current
        if row is not None:
            self.raise_intent(MarkUnread(row.case))

    def action_discard(self) -> None:
        """Throw the draft away, if sure."""
        row = self.current
        if row is None:
            return
        draft = row.case

        def answered(yes: bool | None) -> None:
            if yes:
                self.raise_intent(DiscardDraft(draft))

        self.app.push_screen(ConfirmScreen(_("Jeter ce brouillon ? Ce qui y est écrit sera perdu.")), answered)

    # --- menus

    def action_plus(self) -> None:
        """The `+` menu (A08)."""
        self.app.push_screen(MenuScreen(_("Nouveau"), plus_items()), self._plus_chosen)

    def _plus_chosen(self, key: str | None) -> None:
        if key == "teleexpertise":
            self.action_new_request()

    def action_new_request(self) -> None:
        """Begin a request."""
        self.raise_intent(NewDraft())

    def action_portal(self) -> None:
        """The portal's tele-expertise tile (A09)."""
        self.app.push_screen(MenuScreen(_("Portail · TéléExpertise"), portal_items()), self._portal_chosen)

    def _portal_chosen(self, key: str | None) -> None:
        if key == "preferences":
            self.action_preferences()
        elif key == "export":
            self.action_export()

    def action_preferences(self) -> None:
        """One's sheet as an expert."""
        self.raise_intent(OpenPreferences())

    def action_export(self) -> None:
        """EXPORT FACTURATION."""
        self.app.push_screen(ExportScreen())
