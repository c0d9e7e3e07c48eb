"""The messages of the user interface, as `make messages` extracts them: a template of translations (gettext POT).

Two sources: what stands between `_(` and `)`, and the labels of the tables below, which are translated when they are
shown. Written without dates nor line numbers, so that equal words make equal files.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.pofile import write_po

ROOT = Path(__file__).parents[1]
ROOMS = ("client", "screens", "tui")
TEMPLATE = ROOT / "client" / "locale" / "avicenne.pot"
KEYWORDS = {"_": 1, "ngettext": 2}
"""How many of the first arguments are words."""


def arguments(source: str) -> Iterator[list[ast.expr]]:
    """What each call of `_` and `ngettext` gives to translate, inside f-strings too (Babel's own reader skips them)."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            yield node.args[: KEYWORDS[node.func.id]]


def called() -> Iterator[tuple[str, tuple[str, ...]]]:
    """Every constant given to `_`, or pair of constants given to `ngettext`, with its file."""
    for path in modules():
        for given in arguments(path.read_text(encoding="utf-8")):
            words = tuple(str(each.value) for each in given if isinstance(each, ast.Constant))
            if len(words) == len(given):
                yield path.relative_to(ROOT).as_posix(), words


def modules() -> Iterator[Path]:
    """The modules that speak to users."""
    for room in ROOMS:
        yield from sorted((ROOT / room).rglob("*.py"))


def tabled() -> Iterator[tuple[str, str]]:
    """Every label of a table that is translated when it is shown, with its file."""
    from client.door import _PROBLEMS
    from client.finalising import NIVEAUX
    from client.i18n import _MONTHS
    from client.lines import FOLDERS
    from screens.help import _MOVES
    from screens.keymap import _KEY_NAMES, ACTIONS, ROOM_NAMES
    from screens.widgets.fields import NOT_GIVEN
    from tui.arguments import _ARGPARSE_FRENCH, PROGRAMS
    from tui.exit_codes import MEANINGS
    from tui.oneshot import _MESSAGES, _SILENT
    from tui.printing import _CONNECTIONS

    yield from (("client/i18n.py", month) for month in _MONTHS)
    yield from (("client/door.py", words) for _phase, words in _PROBLEMS.values())
    yield from (("client/finalising.py", label) for _code, label in NIVEAUX)
    yield from (("client/lines.py", label) for _folder, label, _available in FOLDERS)
    yield from (("screens/help.py", words) for _keys, words in _MOVES)
    yield "screens/widgets/fields.py", NOT_GIVEN
    yield from (("tui/arguments.py", words) for _module, words in PROGRAMS.values())
    yield from (("tui/arguments.py", words) for _english, words in _ARGPARSE_FRENCH)
    yield from (("tui/exit_codes.py", words) for words in MEANINGS.values())
    yield from (("tui/oneshot.py", words) for words in (*_MESSAGES.values(), _SILENT))
    yield from (("tui/printing.py", words) for words in _CONNECTIONS.values())
    for words in (*ROOM_NAMES.values(), *_KEY_NAMES.values()):
        yield "screens/keymap.py", words
    for action in ACTIONS:
        yield from (("screens/keymap.py", words) for words in (action.label, action.help, action.short))


def catalogue() -> Catalog:
    """All of them, each once."""
    messages = Catalog(project="avicenne", charset="utf-8")
    for file, words in (*called(), *((file, (label,)) for file, label in tabled() if label)):
        messages.add(words[0] if len(words) == 1 else words, locations=[(file, 0)])
    return messages


def template() -> bytes:
    """The POT file."""
    out = BytesIO()
    write_po(out, catalogue(), omit_header=True, sort_output=True, include_lineno=False)
    return out.getvalue()


def main() -> None:
    """Write the template."""
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_bytes(template())
    sys.stderr.write(f"{len(catalogue())} messages: {TEMPLATE.relative_to(ROOT)}\n")


if __name__ == "__main__":
    main()
