"""Words for a human: remote text made harmless, statuses and connections as glyph and word, instants in French.

Pure: no clock is read here, the instant comes as an argument. `visible` is the only door through which text written
by somebody else reaches a screen (reliability.md 0.1, 0.2).
"""

from __future__ import annotations

import unicodedata
from datetime import datetime, tzinfo

from client.i18n import _, short_instant
from client.untrusted import visible_line, without_dangers
from client.views import Connection


def visible(text: str) -> str:
    r"""Replace what a terminal could obey by something one can see; line ends become spaces.

    >>> visible("a\x1b[2Jb\nc")
    'a␛[2Jb c'
    """
    return visible_line(text)


def visible_lines(text: str) -> list[str]:
    """`visible`, keeping the author's line breaks."""
    return [visible(line) for line in text.replace("\r\n", "\n").split("\n")]


def editable(text: str) -> str:
    """Drop what a terminal could obey, keeping line breaks: for text put back into a field to be edited."""
    return without_dangers(text)


def editable_line(text: str) -> str:
    """`editable`, on one line."""
    return " ".join(editable(text).split("\n"))


def fold(text: str) -> str:
    """Lower case without accents, to find `Téléexpertise` by `teleex`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))


STATUS_GLYPHS = {
    "draft": "✎",
    "requested": "○",
    "in-progress": "◐",
    "on-hold": "◇",
    "rejected": "✕",
    "cancelled": "⊘",
    "completed": "✓",
}
"""One shape per status, so that colour is never needed to tell them apart."""

STATUS_INKS = {
    "draft": "dim",
    "requested": "info",
    "in-progress": "good",
    "on-hold": "warning",
    "rejected": "dim",
    "cancelled": "dim",
    "completed": "good",
}


def status_words(status: str, label: str) -> tuple[str, str]:
    """`◐ En cours` and the ink it is written with."""
    return f"{STATUS_GLYPHS.get(status, '·')} {visible(label)}", STATUS_INKS.get(status, "dim")


def connection_words(connection: Connection) -> str:
    """`● en ligne`: a glyph and a word."""
    return {
        Connection.ONLINE: _("● en ligne"),
        Connection.CONNECTING: _("◌ connexion"),
        Connection.OFFLINE: _("○ hors ligne"),
    }[connection]


def instant_words(iso: str, *, now: datetime, zone: tzinfo) -> str:
    """`short_instant`, made harmless."""
    return visible(short_instant(iso, now=now, zone=zone))
