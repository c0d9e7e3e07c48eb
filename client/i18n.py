"""French, and the door to other languages: `_` marks and translates; dates and numbers take the locale's form.

Source strings are French (the users' language); a catalogue under `locale/` may give others.
"""

from __future__ import annotations

import gettext
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path

_DOMAIN = "avicenne"
_LOCALE_DIR = Path(__file__).parent / "locale"
_MONTHS = ("janv.", "févr.", "mars", "avr.", "mai", "juin", "juil.", "août", "sept.", "oct.", "nov.", "déc.")

_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def use_language(language: str) -> None:
    """Translate from now on into `language` (ISO 639-1); unknown languages stay in French."""
    global _catalogue
    _catalogue = gettext.translation(_DOMAIN, _LOCALE_DIR, [language], fallback=True)


def _(message: str) -> str:
    """The user's words for `message`."""
    return _catalogue.gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """The user's words for `count` things; French takes the singular for 0 and 1."""
    if isinstance(_catalogue, gettext.GNUTranslations):
        return _catalogue.ngettext(one, many, count)
    return one if abs(count) < 2 else many


def short_instant(iso: str, *, now: datetime, zone: tzinfo) -> str:
    """How a list says an instant (A06, E08): `à l'instant`, `12:38`, `10 sept.`, `mai 2024`."""
    instant = parse_instant(iso)
    if instant is None:
        return ""
    if timedelta(0) <= now - instant < timedelta(minutes=1):
        return _("à l'instant")
    local, today = instant.astimezone(zone), now.astimezone(zone)
    if local.date() == today.date():
        return f"{local:%H:%M}"
    if today.date() - local.date() < timedelta(days=330):
        return f"{local.day} {_(_MONTHS[local.month - 1])}"
    return f"{_(_MONTHS[local.month - 1])} {local.year}"


def long_instant(iso: str, *, zone: tzinfo) -> str:
    """`12/07/2024 à 13:07` (F06)."""
    instant = parse_instant(iso)
    if instant is None:
        return ""
    local = instant.astimezone(zone)
    return _("{date} à {time}").format(date=f"{local:%d/%m/%Y}", time=f"{local:%H:%M}")


def french_date(iso: str) -> str:
    """`17/04/1958` from `1958-04-17`; anything else is given back as it is."""
    try:
        return f"{date.fromisoformat(iso):%d/%m/%Y}"
    except ValueError:
        return iso


def file_size(size_bytes: int) -> str:
    """`3,4 Mo`, `12 Ko`, `870 o`."""
    if size_bytes >= 1_000_000:
        return f"{size_bytes / 1_000_000:.1f} Mo".replace(".", ",")
    if size_bytes >= 1_000:
        return f"{size_bytes // 1000} Ko"
    return f"{size_bytes} o"


def parse_instant(iso: str) -> datetime | None:
    """A UTC instant, or None when `iso` is none."""
    try:
        instant = datetime.fromisoformat(iso)
    except ValueError:
        return None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)
