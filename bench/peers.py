"""The same ten thousand rows in plain Textual, so that a benchmark compares like with like in one run.

`python bench/peers.py datatable 10000` or `optionlist`; a bare application of the library's own widgets and theme.
"""

from __future__ import annotations

import sys

from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.widgets import DataTable, Footer, Header, OptionList, Static

from bench.names import FIRST_NAMES, NAMES, OBJECTS

READY = "Boîte de réception"


def rows_of(count: int) -> list[tuple[str, str, str, str]]:
    """What a line says, most recent first."""
    return [
        (f"{FIRST_NAMES[n % 9]} {NAMES[n % 8]}", f"{OBJECTS[n % 6]} ({n})", "En cours", f"12:{n % 60:02}")
        for n in reversed(range(count))
    ]


class Peer(App[None]):
    """A list, a sidebar, a header and a footer."""

    CSS = "#side { width: 24; } DataTable, OptionList { height: 1fr; }"
    BINDINGS = [("q", "quit", "Quit"), ("slash", "help", "Search")]

    def __init__(self, kind: str, count: int) -> None:
        super().__init__()
        self._kind = kind
        self._rows = rows_of(count)

    def compose(self) -> ComposeResult:
        yield Header()
        with Horizontal():
            yield Static(READY, id="side")
            yield DataTable(cursor_type="row") if self._kind == "datatable" else OptionList()
        yield Footer()

    def on_mount(self) -> None:
        if self._kind == "datatable":
            table = self.query_one(DataTable)
            table.add_columns("Patient", "Objet", "Statut", "Date")
            table.add_rows(self._rows)
            table.focus()
        else:
            self.query_one(OptionList).add_options([f"{row[0]} · {row[1]}\n  {row[2]} {row[3]}" for row in self._rows])
            self.query_one(OptionList).focus()


if __name__ == "__main__":
    Peer(sys.argv[1], int(sys.argv[2])).run()
