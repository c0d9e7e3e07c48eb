"""Files made for people: the synthesis in PDF, the activity in XLSX or CSV. The libraries load at first use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, tzinfo
from pathlib import Path

from domain.activity import ActivityRow
from domain.synthesis import SynthesisContent


class Documents:
    """See `client.ports.Documents`."""

    def __init__(self, downloads: Path, zone: tzinfo) -> None:
        self._downloads = downloads
        self.zone = zone

    def synthesis(self, content: SynthesisContent) -> bytes:
        """The PDF (F05)."""
        from client.adapters.synthesis_pdf import render

        return render(content)

    def export(self, rows: Sequence[ActivityRow], *, format: str, path: str) -> Path:  # noqa: A002 - the user's word
        """Write XLSX or CSV (G09) under a name that replaces nothing; returns where."""
        from client.adapters.spreadsheets import write_csv, write_xlsx

        target = (
            Path(path).expanduser() if path else self._downloads / f"activite-{datetime.now(self.zone):%Y%m%d}.{format}"
        )
        target.parent.mkdir(parents=True, exist_ok=True)
        return write_xlsx(target, rows) if format == "xlsx" else write_csv(target, rows)
