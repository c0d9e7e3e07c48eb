"""Writes what can be generated inside the pages of docs/: `make docs`, checked by tests/architecture.

A page is prose with blocks between `<!-- begin NAME -->` and `<!-- end -->`. Only blocks are written here, each from
the code that decides: the table of transitions, the table of keys, the frames, the settings. Prose is edited in the
page.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGES = {
    "README.md": ("ten-keys",),
    "docs/reference/state-machine.md": ("statuses", "state-diagram", "transitions"),
    "docs/reference/keys.md": ("keys",),
    "docs/reference/protocol.md": (
        "envelope", "header", "frames", "refusals", "resources", "resource-shapes", "problems", "limits",
    ),
    "docs/reference/settings.md": ("settings",),
    "docs/adr/0005-what-the-relay-may-know.md": ("header", "stored"),
}  # fmt: skip
"""Page -> the blocks it must hold."""

_BLOCK = re.compile(r"(<!-- begin ([a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


# --- what the code says of itself -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """An attribute of a class: its annotation, default and the string under it, as written."""

    name: str
    type: str
    default: str
    words: str


def fields_of(cls: type) -> list[Field]:
    """The annotated attributes of a class, in order, read from its source."""
    tree = ast.parse(inspect.getsource(cls))
    return list(_attributes(tree.body[0].body))  # type: ignore[attr-defined]


def members_of(module: str) -> dict[str, ast.stmt]:
    """The assignments of a module, by name."""
    tree = ast.parse(inspect.getsource(importlib.import_module(module)))
    return {ast.unparse(each.targets[0]): each for each in tree.body if isinstance(each, ast.Assign)}


def words_of(cls: type) -> str:
    """The first sentence or sentences of a class's docstring, on one line."""
    return " ".join((inspect.getdoc(cls) or "").split())


def _attributes(body: Sequence[ast.stmt]) -> Iterator[Field]:
    for statement, after in zip(body, [*body[1:], None], strict=True):
        if isinstance(statement, ast.AnnAssign):
            default = ast.unparse(statement.value) if statement.value else ""
            yield Field(ast.unparse(statement.target), ast.unparse(statement.annotation), default, _string(after))
        elif isinstance(statement, ast.Assign):
            yield Field(ast.unparse(statement.targets[0]), "", ast.unparse(statement.value), _string(after))


def _string(statement: ast.stmt | None) -> str:
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return " ".join(str(statement.value.value).split())
    return ""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def code(text: str) -> str:
    """Inline code, or nothing."""
    return f"`{text}`" if text else ""


# --- the life of a tele-expertise -----------------------------------------------------------------------------------


def statuses() -> str:
    """Every status with its French word."""
    from client.projections import status_label
    from domain.status import Status

    meanings = {each.name: each.words for each in fields_of(Status)}
    return table(
        ("status", "shown as", "meaning"),
        ((code(each), status_label(each), meanings[each.name]) for each in Status),
    )


def transitions() -> str:
    """Event by status: where it leads, and who may cause it; an empty cell is refused."""
    from domain.status import EventKind, Status
    from domain.transitions import TRANSITIONS

    def cell(status: Status, kind: EventKind) -> str:
        row = TRANSITIONS.get((status, kind))
        return f"{row.to} ({_who(row.by)})" if row else ""

    head = ("event", *(f"in {each}" for each in Status))
    return table(head, ((code(kind), *(cell(status, kind) for status in Status)) for kind in EventKind))


def state_diagram() -> str:
    """The same as a picture; what changes nothing anywhere is said under it instead."""
    from domain.status import EventKind, Status
    from domain.transitions import TRANSITIONS

    everywhere = [
        kind
        for kind in EventKind
        if all(
            (row := TRANSITIONS.get((status, kind))) is not None and row.to is status
            for status in Status
            if status is not Status.DRAFT
        )
    ]
    arrows: dict[tuple[Status, Status], list[str]] = {}
    for (status, kind), row in TRANSITIONS.items():
        if kind not in everywhere:
            arrows.setdefault((status, row.to), []).append(f"{kind} ({_who(row.by)})")
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {_node(Status.DRAFT)}"]
    lines += [f"    {_node(each)} : {each}" for each in Status]
    lines += [f"    {_node(a)} --> {_node(b)} : {'<br/>'.join(words)}" for (a, b), words in arrows.items()]
    said = ", ".join(code(kind) for kind in everywhere)
    return "\n".join(
        [*lines, "```", "", f"Not drawn, since they change no status once a request was sent: {said}.", ""]
    )


def _node(status: str) -> str:
    return status.replace("-", "_")


def _who(roles: Iterable[str]) -> str:
    return " or ".join(sorted(roles))


# --- keys -----------------------------------------------------------------------------------------------------------


def keys() -> str:
    """Every room with its actions."""
    from screens.keymap import ROOM_NAMES, Room, actions_of, keys_words

    parts = []
    for room in Room:
        rows = [
            (code(keys_words(each)), each.label, each.help, code(each.needs), code(each.id))
            for each in actions_of(room)
        ]
        if rows:
            parts.append(f"## {ROOM_NAMES[room]}\n\n{table(('key', 'action', 'what it does', 'when', 'id'), rows)}")
    return "\n" + "\n".join(parts)


TEN = {
    "requester, in the mailbox": ("mailbox.new-request",),
    "requester, in the form": ("request.expert", "request.patient", "request.attach", "request.start"),
    "expert, in the mailbox": ("mailbox.open",),
    "expert, in the case": ("case.ask", "case.answer", "case.finalise"),
    "both, in the case": ("case.synthesis",),
}
"""The main job, in the order of `tapes/main-job.tape`."""


def ten_keys() -> str:
    """The keys of the main job."""
    from screens.keymap import action_named, key_words

    rows = (
        (where, code(key_words(action.keys.split(",")[0])), action.label, action.help)
        for where, names in TEN.items()
        for action in map(action_named, names)
    )
    return table(("who and where", "key", "action", "what it does"), rows)


# --- the wire -------------------------------------------------------------------------------------------------------


def _shape(cls: type) -> str:
    rows = [(code(each.name), code(each.type), each.words) for each in fields_of(cls)]
    return table(("field", "type", "meaning"), rows) if rows else "No field.\n"


def header() -> str:
    """The header of an envelope."""
    from protocol.envelope import Header

    return _shape(Header)


def envelope() -> str:
    """The envelope."""
    from protocol.envelope import Envelope

    return f"{words_of(Envelope)}\n\n{_shape(Envelope)}"


def frames() -> str:
    """Every frame, by who sends it."""
    from protocol.frames import ClientFrame, ServerFrame

    parts = []
    for title, union in (("Client to relay", ClientFrame), ("Relay to client", ServerFrame)):
        parts.append(f"### {title}\n")
        parts += [f"**{each.__name__}**\n\n{words_of(each)}\n\n{_shape(each)}" for each in union.__args__]
    return "\n" + "\n".join(parts)


def refusals() -> str:
    """Why the relay refuses an event."""
    from protocol.frames import RefusalCode

    rows = ((code(str(RefusalCode[each.name])), each.words) for each in fields_of(RefusalCode))
    return table(("code", "meaning"), rows)


def resources() -> str:
    """The resources, from the table in the module itself."""
    text = inspect.getdoc(importlib.import_module("protocol.resources")) or ""
    return "\n".join(line.rstrip() for line in text.splitlines() if line.startswith("|")) + "\n"


def resource_shapes() -> str:
    """The JSON bodies."""
    import msgspec

    module = importlib.import_module("protocol.resources")
    classes = [
        each
        for each in vars(module).values()
        if isinstance(each, type) and issubclass(each, msgspec.Struct) and each.__module__ == module.__name__
    ]
    return "\n" + "\n".join(f"### {each.__name__}\n\n{words_of(each)}\n\n{_shape(each)}" for each in classes)


def problems() -> str:
    """Codes of HTTP errors."""
    from server.errors import PROBLEMS

    rows = ((code(name), str(status), sentence) for name, (status, sentence) in PROBLEMS.items())
    return table(("code", "status", "sentence shown"), rows)


def limits() -> str:
    """Sizes and counts."""
    module = importlib.import_module("protocol.limits")
    fields = _attributes(ast.parse(inspect.getsource(module)).body)
    return table(
        ("limit", "value", "why"),
        ((code(each.name), f"{getattr(module, each.name):,}", each.words) for each in fields if each.name.isupper()),
    )


def stored() -> str:
    """The columns of the relay's database, from its migrations."""
    from server.adapters.migrations import MIGRATIONS

    rows = []
    for name, columns in re.findall(
        r"CREATE TABLE (\w+) \((.*?)\)(?: WITHOUT ROWID)?;", "".join(MIGRATIONS), re.DOTALL
    ):
        named = [part.split()[0] for part in re.sub(r"\([^)]*\)", "", columns).split(",") if part.split()]
        rows.append((code(name), ", ".join(code(each) for each in named if not each.isupper())))
    return table(("table", "columns"), rows)


# --- settings -------------------------------------------------------------------------------------------------------


def settings() -> str:
    """The keys of config.toml."""
    from client.settings import ENVIRONMENT_PREFIX, ClientSettings

    rows = (
        (
            code(each.name),
            code(f"{ENVIRONMENT_PREFIX}{each.name.upper()}"),
            code(each.type),
            code(each.default),
            each.words,
        )
        for each in fields_of(ClientSettings)
    )
    return table(("key", "environment", "type", "default", "meaning"), rows)


BLOCKS: dict[str, Callable[[], str]] = {
    "statuses": statuses,
    "state-diagram": state_diagram,
    "transitions": transitions,
    "keys": keys,
    "ten-keys": ten_keys,
    "header": header,
    "envelope": envelope,
    "frames": frames,
    "refusals": refusals,
    "resources": resources,
    "resource-shapes": resource_shapes,
    "problems": problems,
    "limits": limits,
    "stored": stored,
    "settings": settings,
}


def blocks_in(text: str) -> list[str]:
    """The names of a page's blocks."""
    return [match[2] for match in _BLOCK.finditer(text)]


def refreshed(text: str) -> str:
    """A page with its blocks written again."""
    return _BLOCK.sub(lambda match: f"{match[1]}\n{BLOCKS[match[2]]().strip()}\n\n{match[3]}", text)


def main() -> int:
    """Write every page again."""
    for name in PAGES:
        page = ROOT / name
        before = page.read_text(encoding="utf-8")
        after = refreshed(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            sys.stderr.write(f"{name}\n")
    (ROOT / "docs/reference/cli.md").write_text(_command_line(), encoding="utf-8")
    return 0


def _command_line() -> str:
    from tui.reference import reference

    return reference()


if __name__ == "__main__":
    raise SystemExit(main())
