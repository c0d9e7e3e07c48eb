"""The robot's notation for keys, `j<enter>a<ctrl+s>`, as one short pure function."""

from __future__ import annotations

import re

from client.i18n import _

_ALIASES = {
    "cr": "enter",
    "return": "enter",
    "esc": "escape",
    "bs": "backspace",
    "del": "delete",
    "pgup": "pageup",
    "pgdn": "pagedown",
}
_PLAIN = {
    "enter", "tab", "escape", "space", "backspace", "delete", "insert", "up", "down", "left", "right", "home", "end",
    "pageup", "pagedown", *(f"f{number}" for number in range(1, 13)),
}  # fmt: skip
_CHORD = re.compile(r"(?:(?:ctrl|alt|shift)\+)+(?P<key>.+)", re.DOTALL)
_STROKE = re.compile(r"<(?P<name>[^<>]+)>|(?P<character>.)", re.DOTALL)


def keystrokes(keys: str) -> tuple[str, ...]:
    """Split the notation into keys, characters or Textual's names.

    >>> keystrokes("j<enter>a<ctrl+s><lt>")
    ('j', 'enter', 'a', 'ctrl+s', '<')

    Raises:
        ValueError: a name between angle brackets is no key.
    """
    return tuple(_stroke(match) for match in _STROKE.finditer(keys))


def _stroke(match: re.Match[str]) -> str:
    character = match["character"]
    if character is not None:
        return "enter" if character == "\n" else str(character)
    name = str(match["name"]).lower()
    if name in ("lt", "gt"):
        return "<" if name == "lt" else ">"
    name = _ALIASES.get(name, name)
    chord = _CHORD.fullmatch(name)
    if name in _PLAIN or (chord is not None and (len(chord["key"]) == 1 or chord["key"] in _PLAIN)):
        return name
    raise ValueError(_("touche inconnue : <{name}>").format(name=match["name"]))
