"""What happened when a tape was played: for a person on stderr, for a build server as JUnit XML."""

from __future__ import annotations

import re
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from client.i18n import _
from tui.tape.commands import Command, Screenshot, Wait

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Step:
    """One command, played or not."""

    command: Command
    persona: str
    seconds: float = 0.0
    failure: str = ""
    """Why it was not met, in French; empty when it was."""
    screen: str = ""
    """What was on screen then."""
    skipped: bool = False

    @property
    def is_case(self) -> bool:
        """Whether a build server counts it: every Wait and Screenshot, and whatever failed."""
        return isinstance(self.command, Wait | Screenshot) or bool(self.failure)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole tape."""

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    """Things to tell that change nothing."""

    @property
    def failed(self) -> Step | None:
        """The step at which the tape stopped."""
        return next((step for step in self.steps if step.failure), None)

    @property
    def cases(self) -> tuple[Step, ...]:
        """The steps a build server counts."""
        return tuple(step for step in self.steps if step.is_case)


def told(report: Report, tape: str) -> str:
    """The report for a person; the failed line, the reason, and the screen framed as text."""
    lines = [f"{tape}: {note}" for note in report.notes]
    step = report.failed
    if step is None:
        passed = _("{count} attentes et captures, toutes au rendez-vous").format(count=len(report.cases))
        return "\n".join([*lines, f"{tape}: {passed}"])
    place = step.command.place
    lines += [f"{place.tape}:{place.line}: {step.failure}", f"    {place.text}"]
    if step.screen:
        lines += framed(step.screen, _("écran de {persona}").format(persona=step.persona or _("l'application")))
    return "\n".join(lines)


def framed(screen: str, title: str) -> list[str]:
    """A screen in a frame, so that its own emptiness shows."""
    rows = screen.split("\n")
    width = max(len(title) + 3, *(len(row) for row in rows))
    top = f"┌─ {title} ".ljust(width + 1, "─") + "┐"
    return [top, *(f"│{row.ljust(width)}│" for row in rows), "└" + "─" * width + "┘"]


def junit(report: Report, tape: str) -> bytes:
    """JUnit XML, UTF-8: one suite a tape, one case a Wait or Screenshot."""
    cases = report.cases
    suite = ET.Element(
        "testsuite",
        name=_xml(tape),
        tests=str(len(cases)),
        failures=str(sum(bool(step.failure) for step in cases)),
        errors="0",
        skipped=str(sum(step.skipped for step in cases)),
        time=f"{sum(step.seconds for step in report.steps):.3f}",
    )
    for step in cases:
        _add_case(suite, step)
    root = ET.Element("testsuites")
    root.append(suite)
    data: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return data


def _add_case(suite: ET.Element, step: Step) -> None:
    place = step.command.place
    case = ET.SubElement(
        suite,
        "testcase",
        classname=_xml(step.persona or "client"),
        name=_xml(f"{place.line}: {place.text}"),
        file=_xml(place.tape),
        line=str(place.line),
        time=f"{step.seconds:.3f}",
    )
    if step.skipped:
        ET.SubElement(case, "skipped")
    if step.failure:
        failure = ET.SubElement(case, "failure", message=_xml(step.failure))
        failure.text = _xml(step.screen)


def _xml(text: str) -> str:
    """Without the characters XML 1.0 cannot carry."""
    return _NOT_XML.sub("\ufffd", text)
