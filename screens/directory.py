"""The directory (D01-D04): search as you type, removable filters, people then services, in neutral order (C12)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePath
from typing import ClassVar

from textual.binding import BindingType
from textual.reactive import reactive
from textual.widget import Widget

from client.i18n import _
from client.intents import SearchDirectory
from client.views import DirectoryView, ExpertRow
from screens.formatting import visible
from screens.ink import Line, Piece, fit_line, paragraph
from screens.keymap import FILTERED, MORE, Room, bindings_of
from screens.menu import MenuScreen
from screens.picker import PickerScreen
from screens.widgets.line_list import Item, LineList
from screens.widgets.lines_view import LinesView

MORE_ITEM = "\0more"
_DESCRIPTIF_LINES = 6


def group_items(title: str, none: str, rows: tuple[ExpertRow, ...], total: int) -> list[Item]:
    """A heading and its results, or the sentence for none (D03)."""
    items = [Item(f"\0{title}", title, str(total) if total else "", heading=True)]
    if not rows:
        return [*items, Item(f"\0none:{title}", none, heading=True, ink="dim")]
    return [*items, *(expert_item(row) for row in rows)]


def expert_item(row: ExpertRow) -> Item:
    """A person or a service: name, speciality or kind, place (D04)."""
    detail = " · ".join(part for part in (row.detail, row.place) if part)
    if not row.reachable:
        detail = _("{detail} · pas encore joignable").format(detail=detail)
    return Item(row.account, row.name, detail, "⌂" if row.is_service else "·", enabled=row.reachable)


def directory_items(view: DirectoryView) -> list[Item]:
    """The whole list, with « VOIR PLUS DE RÉSULTATS » when there are more."""
    nobody = _("Aucun résultat pour les professionnels")
    no_service = _("Aucun résultat pour les services")
    items = group_items(_("PROFESSIONNELS"), nobody, view.professionals, view.professionals_total)
    items += group_items(_("SERVICES"), no_service, view.services, view.services_total)
    shown = len(view.professionals) + len(view.services)
    if shown < view.professionals_total + view.services_total:
        items.append(Item(MORE_ITEM, _("VOIR PLUS DE RÉSULTATS"), mark="+", ink="accent"))
    return items


class DirectoryScreen(PickerScreen[ExpertRow | None]):
    """Draws DirectoryView; returns the expert chosen."""

    ROOM = Room.DIRECTORY
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.DIRECTORY)
    CSS_PATH: ClassVar[str | PurePath | list[str | PurePath] | None] = ["picker.tcss", "directory.tcss"]

    view: reactive[DirectoryView | None] = reactive(None)

    def __init__(self, *, text: str = "") -> None:
        super().__init__(_("Destinataires"), _("nom, prénom, spécialité, code postal"), text=text)
        self._filters: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._experts_only = True
        self._page = 1

    def compose_above(self) -> Iterable[Widget]:
        """Filters in force."""
        yield LinesView(self._chip_lines, id="chips")

    def compose_below(self) -> Iterable[Widget]:
        """What the expert says of himself (C05)."""
        yield LinesView(self._descriptif_lines, id="descriptif")

    @property
    def permitted(self) -> frozenset[str]:
        """A filter to remove, more to see."""
        view = self.view
        more = view is not None and any(item.key == MORE_ITEM for item in self.results.items) if self.ready else False
        return frozenset(code for code, on in ((FILTERED, bool(self._filters)), (MORE, more)) if on)

    # --- attributes down

    def watch_view(self, view: DirectoryView | None) -> None:
        """List the results."""
        if view is None or not self.ready:
            return
        self._labels |= {chip.field: chip.label for chip in view.chips}
        self.results.items = directory_items(view)
        self._redraw()
        if view.error:
            self.show_notice(f"! {view.error}", "warning")
        if view.query == self.typed:
            self.settle()

    def _redraw(self) -> None:
        self.query_one("#chips", LinesView).show(self._chip_lines)
        self.query_one("#chips").refresh(layout=True)
        self.refresh_bindings()
        self.query_one("#descriptif", LinesView).refresh()

    def _chip_lines(self, width: int) -> list[Line]:
        box = "[x]" if self._experts_only else "[ ]"
        pieces: list[Piece] = [(box, "strong"), (_(" Experts seulement"), "")]
        for field in self._filters:
            pieces += [("   ", ""), (f"{visible(self._labels.get(field, field))} ×", "info")]
        return [fit_line(pieces, width)]

    def _descriptif_lines(self, width: int) -> list[Line]:
        row = self._under_cursor()
        if row is None:
            return [()] * _DESCRIPTIF_LINES
        title: Line = fit_line(((visible(row.name), "strong"), (f"  {visible(row.place)}", "dim")), width)
        text = row.descriptif or _("Aucun descriptif.")
        lines = [title, *paragraph(text, width, ink="" if row.descriptif else "dim", limit=_DESCRIPTIF_LINES - 1)]
        return [*lines, *[()] * (_DESCRIPTIF_LINES - len(lines))]

    def _under_cursor(self) -> ExpertRow | None:
        item = self.results.current if self.ready else None
        if item is None or self.view is None:
            return None
        rows = (*self.view.professionals, *self.view.services)
        return next((row for row in rows if row.account == item.key), None)

    # --- messages up

    def search(self, text: str) -> None:
        """Ask for the first page."""
        self._page = 1
        self._ask(text)

    def _ask(self, text: str) -> None:
        self.raise_intent(SearchDirectory(text, dict(self._filters), self._experts_only, self._page))

    def on_line_list_highlighted(self, event: LineList.Highlighted) -> None:
        """Show what the expert says."""
        event.stop()
        self.query_one("#descriptif", LinesView).refresh()

    def choose(self) -> None:
        """Return the expert; never a result of an older search."""
        if self.view is None or self.view.query != self.typed:
            self.choose_later()
            return
        item = self.results.current
        if item is not None and item.key == MORE_ITEM:
            self.action_more()
            return
        row = self._under_cursor()
        if row is None:
            self.refuse(_("Aucun résultat à choisir."))
        elif not row.reachable:
            self.refuse(_("Cette personne n'a pas encore ouvert Avicenne : la demande ne peut pas lui être chiffrée."))
        else:
            self.dismiss(row)

    def action_experts(self) -> None:
        """Experts only, or everybody."""
        self._experts_only = not self._experts_only
        self._redraw()
        self.search_now()

    def action_add_filter(self) -> None:
        """Choose among the filters that the results allow."""
        available = self.view.available if self.view else ()
        if not available:
            self.refuse(_("Aucun filtre à ajouter pour ces résultats."))
            return
        items = [Item(f"{chip.field}\0{chip.value}\0{chip.label}", chip.label) for chip in available]
        self.app.push_screen(MenuScreen(_("Ajouter un filtre"), items), self._filter_chosen)

    def _filter_chosen(self, key: str | None) -> None:
        if key is None:
            return
        field, value, label = key.split("\0", 2)
        self._filters[field] = value
        self._labels[field] = label
        self._redraw()
        self.search_now()

    def action_remove_filter(self) -> None:
        """Take the last filter off."""
        if self._filters:
            self._filters.popitem()
            self._redraw()
            self.search_now()

    def action_more(self) -> None:
        """Next page."""
        self._page += 1
        self._ask(self.typed)

    def action_back(self) -> None:
        """Close."""
        self.dismiss(None)
