"""What goes into the machine and what must come out, in order, after mitmproxy's playbooks.

    assert Playbook(machine) >> IntentSubmitted(TakeInCharge(case), NOW) << Persist << Transmit

An expected effect is a value (compared whole), a class (compared by kind), or a predicate with a name (`writes`,
`says`...). Nothing else may come out: a difference is printed as the two sequences side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from client.effects import Effect, Persist, Publish, Transmit
from client.inputs import FrameReceived, Input, IntentSubmitted
from client.intents import Intent
from client.machine import ClientMachine
from client.updates import CaseChanged, IntentRefused, MailboxChanged, Noticed, ShellChanged, Update
from client.views import CaseRow, CaseView, MailboxView, ShellView
from protocol.frames import Deliver, Refused, Submit, Welcome
from tests.support.builders import NOW


@dataclass(frozen=True)
class Like:
    """An effect described rather than written out."""

    name: str
    holds: Callable[[Effect], bool]

    def __repr__(self) -> str:
        return self.name


def writes(*kinds: type) -> Like:
    """A Persist of exactly these kinds of rows, in this order."""
    names = ", ".join(kind.__name__ for kind in kinds)
    return Like(
        f"writes({names})",
        lambda effect: isinstance(effect, Persist) and tuple(type(write) for write in effect.writes) == kinds,
    )


def says(text: str) -> Like:
    """A Noticed that contains these words."""
    return Like(
        f"says({text!r})",
        lambda effect: (
            isinstance(effect, Publish) and isinstance(effect.update, Noticed) and text in effect.update.text
        ),
    )


def refuses(intent: str, text: str = "") -> Like:
    """An IntentRefused for this intent, with these words in its reason."""
    return Like(
        f"refuses({intent}, {text!r})",
        lambda effect: (
            isinstance(effect, Publish)
            and isinstance(effect.update, IntentRefused)
            and effect.update.intent == intent
            and text in effect.update.reason
        ),
    )


def tells(kind: type[Update]) -> Like:
    """A Publish of this kind of update."""
    return Like(
        f"tells({kind.__name__})", lambda effect: isinstance(effect, Publish) and isinstance(effect.update, kind)
    )


Expected = Effect | type | Like
_Step = tuple[Any, list[Effect], list[Expected]]


class Playbook:
    """A machine, what it was told, what it did, and what it should have done."""

    def __init__(self, machine: ClientMachine) -> None:
        self.machine = machine
        self._steps: list[_Step] = []

    def __rshift__(self, happened: Input | Intent | Deliver | Refused | Welcome) -> Playbook:
        if isinstance(happened, Intent):
            happened = IntentSubmitted(happened, NOW)
        elif isinstance(happened, Deliver | Refused | Welcome):
            happened = FrameReceived(happened, NOW)
        self._steps.append((happened, self.machine.receive(happened), []))
        return self

    def __lshift__(self, expected: Expected) -> Playbook:
        self._steps[-1][2].append(expected)
        return self

    def __bool__(self) -> bool:
        if all(_agree(got, expected) for _happened, got, expected in self._steps):
            return True
        raise AssertionError("\n" + "\n".join(line for step in self._steps for line in _tell(step)))

    @property
    def last(self) -> list[Effect]:
        """What the last input led to."""
        return self._steps[-1][1]


def _agree(got: list[Effect], expected: list[Expected]) -> bool:
    return len(got) == len(expected) and all(map(_is_as, got, expected))


def _is_as(effect: Effect, expected: Expected) -> bool:
    if isinstance(expected, Like):
        return expected.holds(effect)
    if isinstance(expected, type):
        return isinstance(effect, expected)
    return effect == expected


def _tell(step: _Step) -> list[str]:
    happened, got, expected = step
    lines = [f"   >> {_short(happened)}"]
    for place in range(max(len(got), len(expected))):
        was = got[place] if place < len(got) else None
        wanted = expected[place] if place < len(expected) else None
        if was is not None and wanted is not None and _is_as(was, wanted):
            lines.append(f"   << {_short(was)}")
            continue
        if wanted is not None:
            lines.append(f" - << {_short(wanted)}")
        if was is not None:
            lines.append(f" + << {_short(was)}")
    return lines


def _short(value: object) -> str:
    if isinstance(value, Persist):
        return f"Persist({', '.join(type(write).__name__ for write in value.writes)})"
    text = repr(value) if not isinstance(value, type) else value.__name__
    return text if len(text) < 160 else text[:157] + "..."


def submitted(effects: list[Effect]) -> list[Submit]:
    """The events that left."""
    return [each.frame for each in effects if isinstance(each, Transmit) and isinstance(each.frame, Submit)]


def updates(machine: ClientMachine) -> list[Update]:
    """What the front end is told now."""
    return [effect.update for effect in machine.flush(NOW) if isinstance(effect, Publish)]


def mailbox(machine: ClientMachine) -> MailboxView:
    """The list as drawn now; redrawn even when nothing changed."""
    machine.desk.dirty_mailbox = True
    return next(each.view for each in updates(machine) if isinstance(each, MailboxChanged))


def line(machine: ClientMachine, case: str) -> CaseRow:
    """One case's line, wherever it is filed."""
    return machine.desk.lines[case]


def shell(machine: ClientMachine) -> ShellView:
    """The header as drawn now."""
    machine.desk.dirty_shell = True
    return next(each.view for each in updates(machine) if isinstance(each, ShellChanged))


def case(machine: ClientMachine, conversation: str) -> CaseView:
    """The open case as drawn now."""
    machine.desk.dirty_cases.add(conversation)
    return next(each.view for each in updates(machine) if isinstance(each, CaseChanged))
