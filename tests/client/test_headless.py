"""Every intent has its line, every update its own, and a bad line changes nothing."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import MISSING, fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.headless import (
    SCHEMA,
    BadIntent,
    Outcome,
    intent_types,
    intents_schema,
    read_intent,
    serve,
    write_update,
)
from client.intents import (
    DraftEntry,
    EnterPin,
    ExchangeKind,
    Folder,
    Intent,
    OpenCase,
    PatientEntry,
    SearchPatients,
    SelectFolder,
    SendExchange,
    SendRequest,
)
from client.updates import (
    ExchangeSent,
    IntentRefused,
    LoginChanged,
    MailboxChanged,
    PatientsFound,
    SessionEnded,
    ShellChanged,
    Update,
)
from client.views import CaseRow, CaseView, Connection, LoginPhase, LoginView, MailboxView, ShellView


def shell(pending: int = 0, connection: Connection = Connection.ONLINE) -> ShellView:
    """A shell view with only what matters here."""
    return ShellView("Dr X", "ps:1", "", connection, pending, ())


def row(number: int) -> CaseRow:
    """A line of the list."""
    return CaseRow(f"{number:032x}", "Téléexpertise", "", "", 0, "", "requested", "Publiée", "", "", as_requis=True)


class Toy:
    """An open session that answers from a function, in order, a loop turn later."""

    def __init__(self, answer: Callable[[Intent], Sequence[Update]] = lambda _intent: ()) -> None:
        self.intents: list[Intent] = []
        self._answer = answer
        self._subscribers: list[Callable[[Update], None]] = []

    def dispatch(self, intent: Intent) -> None:
        if isinstance(intent, SearchPatients) and intent.query.startswith("\x00"):
            asyncio.get_running_loop().call_soon(self.publish, PatientsFound(intent.query, ()))
            return
        self.intents.append(intent)
        asyncio.get_running_loop().call_soon(self.publish, *self._answer(intent))

    def subscribe(self, callback: Callable[[Update], None]) -> Callable[[], None]:
        self._subscribers.append(callback)
        return lambda: self._subscribers.remove(callback)

    def publish(self, *updates: Update) -> None:
        for update in updates:
            for subscriber in list(self._subscribers):
                subscriber(update)

    async def run(self) -> None:
        await asyncio.Event().wait()

    async def close(self) -> None: ...


async def feed(*lines: str) -> AsyncIterator[str]:
    """Lines, then the end."""
    for line in lines:
        yield line


def drive(toy: Toy, *lines: str, opened: bool = True, **options: object) -> tuple[list[dict[str, object]], Outcome]:
    """Serve a toy and give back what was written."""
    written: list[str] = []

    async def scenario() -> Outcome:
        def ready(_follower: object) -> None:
            if opened:
                toy.publish(LoginChanged(LoginView(LoginPhase.OPEN)))

        return await serve(toy, feed(*lines), written.append, ready=ready, **options)

    outcome = asyncio.run(scenario())
    return [json.loads(line) for line in written], outcome


def test_the_first_line_names_the_schema_and_the_intents() -> None:
    written, _outcome = drive(Toy())
    assert written[0]["schema"] == SCHEMA
    assert "OpenCase" in written[0]["intents"]


def test_every_intent_of_the_counter_can_be_written() -> None:
    """With only its required fields, each of a plain value of its type."""
    samples = {
        "str": "x",
        "int": 1,
        "bool": True,
        "Folder": "inbox",
        "ExchangeKind": "answered",
        "DraftEntry": {"draft": "d"},
    }
    for kind in intent_types():
        required = [each for each in fields(kind) if each.default is MISSING and each.default_factory is MISSING]
        document = {each.name: samples.get(str(each.type), ["x"]) for each in required}
        assert isinstance(read_intent(json.dumps({"intent": kind.__name__} | document)), kind)


def test_an_intent_is_read_whole_with_what_is_inside() -> None:
    line = json.dumps(
        {
            "intent": "SendRequest",
            "entry": {"draft": "d", "patient": {"nom_naissance": "SPECIMEN"}, "attachments": ["a.jpg"], "urgent": True},
        }
    )
    expected = SendRequest(
        DraftEntry("d", patient=PatientEntry(nom_naissance="SPECIMEN"), attachments=("a.jpg",), urgent=True)
    )
    assert read_intent(line) == expected
    exchange = '{"intent":"SendExchange","case":"c","kind":"answered","text":"t"}'
    assert read_intent(exchange) == SendExchange("c", ExchangeKind.ANSWER, "t")
    assert read_intent('{"intent":"SelectFolder","folder":"to-do"}') == SelectFolder(Folder.TO_DO)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "[]",
        "{}",
        '{"intent": "Explode"}',
        '{"intent": "Intent"}',
        '{"intent": "OpenCase"}',
        '{"intent": "OpenCase", "case": 3}',
        '{"intent": "OpenCase", "case": "c", "extra": 1}',
        '{"intent": "SendRequest", "entry": {"draft": "d", "extra": 1}}',
        '{"intent": "SelectFolder", "folder": "nowhere"}',
        "[" * 10_000,
        '{"intent": "OpenCase", "case": "\ud800"}',
    ],
)
def test_what_is_no_intent_is_refused(line: str) -> None:
    with pytest.raises(BadIntent):
        read_intent(line)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_no_line_does_worse_than_be_refused(line: str | bytes) -> None:
    with contextlib.suppress(BadIntent):
        read_intent(line)


def test_a_bad_line_is_an_error_line_and_the_next_one_is_heard() -> None:
    toy = Toy()
    written, outcome = drive(toy, '{"intent": "Nope"}', "", '{"intent": "OpenCase", "case": "c"}')
    assert toy.intents == [OpenCase("c")]
    assert outcome.errors == 1
    assert [line["error"] for line in written if "error" in line] == ["bad-intent"]


@pytest.mark.parametrize(
    "line",
    [
        '{"intent": "EnterPin", "pin": "314159"}',
        '{"intent": "EnterPin", "pin": 314159}',
        '{"intent": "EnterPin", "pin": "314159", "x": "314159"}',
        '{"intent": "EnterPin", "pin": "314159"',
    ],
)
def test_a_code_is_never_written_back(line: str) -> None:
    toy = Toy(lambda _intent: [IntentRefused("EnterPin", "Code faux.")])
    written, _outcome = drive(toy, line)
    assert "314159" not in json.dumps(written)
    assert all("314159" not in repr(intent) for intent in toy.intents)
    assert not any("EnterPin" in str(line) and "pin" in line for line in written)
    assert isinstance(read_intent('{"intent": "EnterPin", "pin": "1"}'), EnterPin)


def test_updates_are_written_in_order_under_their_names() -> None:
    toy = Toy(lambda _intent: [ExchangeSent("c"), ShellChanged(shell())])
    written, _outcome = drive(toy, '{"intent": "OpenCase", "case": "c"}')
    assert [line.get("update") for line in written] == [None, "LoginChanged", "ExchangeSent", "ShellChanged"]
    assert written[3]["view"]["connection"] == "online"


def test_a_long_mailbox_is_capped_and_says_how_long_it_is() -> None:
    class Lazy(Sequence[CaseRow]):
        """Rows that must not all be read."""

        def __len__(self) -> int:
            return 100_000

        def __getitem__(self, index: int) -> CaseRow:
            assert index < 50
            return row(index)

    line = json.loads(write_update(MailboxChanged(MailboxView(Folder.INBOX, (), Lazy())), rows=3))
    assert len(line["view"]["rows"]) == 3
    assert line["rows_total"] == 100_000


def test_sets_are_written_sorted() -> None:
    from client.updates import CaseChanged

    view = CaseView(
        "c", "", "", "", False, "", "", "", "", "", (), "", "", "", False, "", False, (), (), frozenset("cab")
    )
    assert json.loads(write_update(CaseChanged(view)))["view"]["permitted"] == ["a", "b", "c"]


def test_the_end_waits_for_the_outbox() -> None:
    toy = Toy()

    def answer(_intent: Intent) -> Sequence[Update]:
        asyncio.get_running_loop().call_later(0.02, toy.publish, ShellChanged(shell(0)))
        return [ShellChanged(shell(1))]

    toy._answer = answer
    written, outcome = drive(toy, '{"intent": "TakeInCharge", "case": "c"}')
    assert outcome == Outcome(errors=0, pending=0, died=False)
    assert [line["view"]["pending"] for line in written if line.get("update") == "ShellChanged"] == [1, 0]


def test_what_could_not_leave_is_counted() -> None:
    toy = Toy(lambda _intent: [ShellChanged(shell(2, Connection.OFFLINE))])
    _written, outcome = drive(toy, '{"intent": "TakeInCharge", "case": "c"}', timeout_s=0.02)
    assert outcome.pending == 2


def test_no_wait_ends_at_once() -> None:
    toy = Toy(lambda _intent: [ShellChanged(shell(2))])
    _written, outcome = drive(toy, '{"intent": "TakeInCharge", "case": "c"}', wait=False)
    assert not outcome.died


def test_a_dead_session_ends_the_lines() -> None:
    async def scenario() -> Outcome:
        toy = Toy(lambda _intent: [SessionEnded("Disque plein.")])

        async def endless() -> AsyncIterator[str]:
            yield '{"intent": "OpenCase", "case": "c"}'
            await asyncio.Event().wait()

        return await serve(toy, endless(), lambda _line: None)

    assert asyncio.run(scenario()).died


def test_the_schema_of_intents_is_complete() -> None:
    definitions = intents_schema()["$defs"]
    assert {kind.__name__ for kind in intent_types()} <= set(definitions)


def test_headless_imports_no_terminal_library() -> None:
    code = "import sys, client.headless; print([m for m in sys.modules if m.split('.')[0] in ('textual', 'rich')])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
