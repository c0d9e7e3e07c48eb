"""A session by JSON lines: intents in, updates out, for scripts, agents and tests.

The first line out names the schema. Then one JSON object a line: in, `{"intent": "OpenCase", "case": "..."}`; out,
`{"update": "CaseChanged", "view": {...}}`, or `{"error": ...}` for a line that is no intent, which changes nothing.
What was read is never written back, since a line may hold a code porteur.

The shapes are those of `client.intents` and `client.updates`: nothing is declared twice.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import itertools
import operator
import typing
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, fields, is_dataclass
from functools import cache
from typing import Any, Protocol

import msgspec

from client import intents as intents_module
from client.intents import Intent, SearchPatients
from client.updates import (
    LoginChanged,
    MailboxChanged,
    PatientsFound,
    SessionEnded,
    ShellChanged,
    TransferProgressed,
    Update,
)
from client.views import LoginPhase

SCHEMA = "avicenne.session/1"
"""Grows when a field disappears or changes its meaning; new fields do not count."""
MAX_LINE_CHARS = 1_000_000
DEFAULT_ROWS = 100
_BARRIER = "\x00headless-barrier-"
_BARRIER_S = 5.0


class Session(Protocol):
    """What a front end needs of a session."""

    def dispatch(self, intent: Intent) -> None:
        """Ask; never blocks."""

    def subscribe(self, callback: Callable[[Update], None]) -> Callable[[], None]:
        """Be told of updates; call the result to stop."""

    async def run(self) -> None:
        """Live until cancelled."""

    async def close(self) -> None:
        """Forget the keys."""


class BadIntent(Exception):
    """A line that is no intent; the message names the fault and never quotes the line."""


# --- intents in ---


@cache
def intent_types() -> tuple[type[Intent], ...]:
    """Every intent of the counter, in its order."""
    members = vars(intents_module).values()
    return tuple(kind for kind in members if isinstance(kind, type) and issubclass(kind, Intent) and kind is not Intent)


def _mirror(kind: type, made: dict[type, type[msgspec.Struct]]) -> type[msgspec.Struct]:
    """A strict Struct with the fields of a dataclass: msgspec refuses unknown fields on Structs only."""
    if kind not in made:
        hints = typing.get_type_hints(kind)
        columns = [_column(each, hints[each.name], made) for each in fields(kind)]
        tag = kind.__name__ if issubclass(kind, Intent) else None
        made[kind] = msgspec.defstruct(
            kind.__name__,
            columns,
            tag_field="intent" if tag else None,
            tag=tag,
            forbid_unknown_fields=True,
            frozen=True,
        )
    return made[kind]


def _column(each: dataclasses.Field[Any], hint: Any, made: dict[type, type[msgspec.Struct]]) -> tuple[Any, ...]:
    if is_dataclass(hint) and isinstance(hint, type):
        struct = _mirror(hint, made)
        optional = each.default is not dataclasses.MISSING
        return (each.name, struct, msgspec.field(default_factory=struct)) if optional else (each.name, struct)
    if each.default is not dataclasses.MISSING:
        return each.name, hint, each.default
    if each.default_factory is not dataclasses.MISSING:
        return each.name, hint, msgspec.field(default_factory=each.default_factory)
    return each.name, hint


@cache
def _union() -> Any:
    """One Struct an intent, told apart by the field `intent`."""
    made: dict[type, type[msgspec.Struct]] = {}
    return functools.reduce(operator.or_, (_mirror(kind, made) for kind in intent_types()))


@cache
def _decoder() -> msgspec.json.Decoder[msgspec.Struct]:
    return msgspec.json.Decoder(_union())


def read_intent(line: str | bytes) -> Intent:
    """The intent of a line.

    >>> read_intent('{"intent": "OpenCase", "case": "0198"}')
    OpenCase(case='0198')

    Raises:
        BadIntent: not JSON, an unknown intent, an unknown, missing or ill-typed field.
    """
    try:
        struct = _decoder().decode(line)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as error:
        raise BadIntent(str(error) or "unreadable") from None
    kind = next(each for each in intent_types() if each.__name__ == type(struct).__name__)
    return typing.cast("Intent", _as_dataclass(kind, struct))


def _as_dataclass(kind: type, struct: msgspec.Struct) -> object:
    hints = typing.get_type_hints(kind)
    values = {name: getattr(struct, name) for name in hints if not name.startswith("_")}
    return kind(
        **{
            name: _as_dataclass(hints[name], value) if isinstance(value, msgspec.Struct) else value
            for name, value in values.items()
        }
    )


def intents_schema() -> dict[str, Any]:
    """JSON Schema of the lines one may send."""
    return msgspec.json.schema(_union())


# --- updates out ---


def write_update(update: Update, *, rows: int = DEFAULT_ROWS) -> str:
    """The line of an update, without its line end; a mailbox shows its first `rows` rows and how many there are."""
    document: dict[str, Any] = {"update": type(update).__name__}
    if isinstance(update, MailboxChanged):
        shown = tuple(itertools.islice(update.view.rows, rows))
        document["view"] = dataclasses.replace(update.view, rows=shown)
        document["rows_total"] = len(update.view.rows)
    else:
        document |= {each.name: getattr(update, each.name) for each in fields(update)}
    return to_json(document)


def to_json(document: object) -> str:
    """JSON on one line; sets come sorted, so that equal things are written alike."""
    return msgspec.json.encode(_sorted_sets(document)).decode()


def _sorted_sets(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _sorted_sets(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, dict):
        return {key: _sorted_sets(each) for key, each in value.items()}
    if isinstance(value, set | frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [_sorted_sets(each) for each in value]
    return value


# --- following a session ---


class Follower:
    """Keeps what a one-way listener needs to know of a session: is it open, what is still on its way, did it die."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changed = asyncio.Event()
        self._barriers = itertools.count(1)
        self._passed: set[str] = set()
        self.phase: LoginPhase | None = None
        self.pending = 0
        self.transfers: set[str] = set()
        self.ended: SessionEnded | None = None
        self.listeners: list[Callable[[Update], None]] = []
        """Told of everything but the answers to barriers."""
        self.stop = session.subscribe(self._hear)

    def _hear(self, update: Update) -> None:
        match update:
            case PatientsFound(query=query) if query.startswith(_BARRIER):
                self._passed.add(query)
                self._changed.set()
                return
            case LoginChanged(view=view):
                self.phase = view.phase
            case ShellChanged(view=shell):
                self.pending = shell.pending
            case TransferProgressed(name=name, done=done, total=total):
                (self.transfers.discard if done >= total else self.transfers.add)(name)
            case SessionEnded():
                self.ended = update
        for listener in list(self.listeners):
            listener(update)
        self._changed.set()

    async def until(self, satisfied: Callable[[], bool], timeout_s: float) -> bool:
        """Wait for a condition over updates; False when `timeout_s` passed or the session died first."""
        try:
            async with asyncio.timeout(timeout_s):
                while not satisfied():
                    if self.ended is not None:
                        return False
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return satisfied()
        return True

    async def handled(self) -> None:
        """Return when every intent dispatched so far was decided and its updates announced.

        A session has no such word, but answers in order: a harmless local question, asked twice because the second
        answer also proves that what the first step changed was drawn.
        """
        for _round in range(2):
            if self.phase is not LoginPhase.OPEN:
                return
            query = f"{_BARRIER}{next(self._barriers)}"
            self._session.dispatch(SearchPatients(query))
            await self.until(lambda query=query: query in self._passed, _BARRIER_S)  # type: ignore[misc]

    async def drained(self, timeout_s: float) -> bool:
        """Return when the relay has everything; False when it is still waiting after `timeout_s`."""
        await self.handled()
        return await self.until(lambda: self.pending == 0 and not self.transfers, timeout_s)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a headless session ended."""

    errors: int
    """Lines that were no intent."""
    pending: int
    """Events the relay does not have yet."""
    died: bool


async def serve(
    session: Session,
    lines: AsyncIterator[str],
    write: Callable[[str], None],
    *,
    rows: int = DEFAULT_ROWS,
    wait: bool = True,
    timeout_s: float = 30.0,
    ready: Callable[[Follower], object] | None = None,
) -> Outcome:
    """Feed a running session from `lines` and announce its updates to `write`, until the lines end.

    Args:
        session: already running; the caller cancels and closes it.
        lines: one JSON object each; blank lines are skipped.
        write: takes one line without its end.
        rows: most rows of a mailbox.
        wait: at the end, wait until the outbox is empty.
        timeout_s: for how long.
        ready: awaited, if it gives an awaitable, before the first line is read: the place to log in.
    """
    write(to_json({"schema": SCHEMA, "intents": [kind.__name__ for kind in intent_types()]}))
    follower = Follower(session)
    follower.listeners.append(lambda update: write(write_update(update, rows=rows)))
    errors = 0
    try:
        if ready is not None:
            awaitable = ready(follower)
            if asyncio.iscoroutine(awaitable):
                await awaitable
        async for line in _until_the_end(lines, follower):
            errors += not _take(session, line, write)
        if wait and follower.ended is None:
            await follower.drained(timeout_s)
        return Outcome(errors, follower.pending, follower.ended is not None)
    finally:
        follower.stop()


def _take(session: Session, line: str, write: Callable[[str], None]) -> bool:
    if not line.strip():
        return True
    try:
        if len(line) > MAX_LINE_CHARS:
            raise BadIntent("line too long")
        session.dispatch(read_intent(line))
    except BadIntent as error:
        write(to_json({"error": "bad-intent", "detail": str(error)}))
        return False
    return True


async def _until_the_end(lines: AsyncIterator[str], follower: Follower) -> AsyncIterator[str]:
    """The lines, until they end or the session does."""
    died = asyncio.ensure_future(follower.until(lambda: False, float("inf")))
    try:
        while True:
            line = asyncio.ensure_future(anext(lines, None))
            await asyncio.wait({died, line}, return_when=asyncio.FIRST_COMPLETED)
            if not line.done():
                line.cancel()
                return
            text = line.result()
            if text is None:
                return
            yield text
    finally:
        died.cancel()
