"""Logs as JSON lines, with an allow-list: what is not listed is not written, so neither content nor token can be."""

from __future__ import annotations

import logging
from typing import TextIO

import msgspec

ALLOWED = frozenset(
    {"method", "route", "status", "event_id", "code", "reason", "task", "address", "entries", "milliseconds", "count"}
)
"""Fields of `extra={"fields": {...}}` that are written; all are ours, none quotes a peer's bytes."""


class JsonLines(logging.Formatter):
    """One JSON object a line: instant (s since 1970), level, logger, event, allowed fields, type of the exception."""

    def format(self, record: logging.LogRecord) -> str:
        """See `logging.Formatter`. An exception gives its type and place, never its text: it may quote data."""
        fields = getattr(record, "fields", {})
        line = {"at": round(record.created, 3), "level": record.levelname.lower(), "logger": record.name}
        line["event"] = record.msg if record.name.startswith("server") else record.getMessage()
        line |= {key: value for key, value in fields.items() if key in ALLOWED}
        if record.exc_info and record.exc_info[0]:
            line["exception"] = record.exc_info[0].__name__
            line["where"] = _where(record)
        return msgspec.json.encode(line).decode()


def configure(stream: TextIO) -> None:
    """Send everything to `stream`; uvicorn's own access line is not wanted, it quotes the query."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logging.getLogger(name).handlers.clear()
        logging.getLogger(name).propagate = True
        logging.getLogger(name).setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)


def _where(record: logging.LogRecord) -> list[str]:
    """Module and line of each frame, innermost last."""
    places = []
    trace = record.exc_info[2] if record.exc_info else None
    while trace is not None:
        places.append(f"{trace.tb_frame.f_globals.get('__name__', '?')}:{trace.tb_lineno}")
        trace = trace.tb_next
    return places[-8:]
