"""A desk with a long past: a real enrolled session whose local store holds as many synthetic cases as asked.

The cases are written through the store's own writes and folded by the client's own projections: what a benchmark
opens is what years of work would have left. The relay knows nothing of them, so none of those opened here is unread.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bench.names import FIRST_NAMES, NAMES, OBJECTS
from client.effects import PutFact, PutSummary, Write
from client.model import CaseSummary
from client.projections import summarise
from client.settings import ClientSettings
from domain.events import Answered, Event, MessageSent, Recorded, RequestSent, TakenInCharge
from domain.identifiers import ConversationId, EventId
from domain.messages import RequestForm
from domain.patients import Patient
from domain.practitioners import BillingNumber, Party
from protocol.payload import encode_event, kind_of
from tests.support.practice import Practice, practice_in
from tests.support.region import ANNE, MARIE, Professional, make_region

CASES = 10_000
PERSONA = "PS01"
PIN = "1234"


@dataclass(frozen=True, slots=True)
class Home:
    """A desk that was used for years, closed."""

    practice: Practice
    settings: ClientSettings
    profiles: Path
    """AVICENNE_DEMO_DIR: its `PS01` is this desk."""

    @property
    def command(self) -> list[str]:
        """The application, on this desk."""
        return [sys.executable, "-m", "tui", "tui", "--as", PERSONA]

    @property
    def environment(self) -> dict[str, str]:
        """What a client process needs to open it."""
        return {
            **os.environ,
            "AVICENNE_DEMO_DIR": str(self.profiles),
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }


def warm() -> dict[str, str]:
    """An environment in which a second start finds its bytecode, on a terminal of today."""
    without = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return without | {"TERM": "xterm-256color", "COLORTERM": "truecolor"}


@contextlib.asynccontextmanager
async def home(cases: int = CASES, *, online: bool = True) -> AsyncIterator[Home]:
    """A desk with `cases` cases, and its relay over TLS while the block lasts."""
    with tempfile.TemporaryDirectory(prefix="avicenne-bench-") as directory:
        place = Path(directory)
        async with practice_in(make_region(place / "region"), place) as practice:
            relay = await practice.start_process()
            desk = await practice.desk(MARIE)
            store, disk = desk.session._store, desk.session._on_disk
            assert store is not None
            for writes in _batches(cases):
                await disk(lambda batch=writes: store.apply(batch))
            await desk.close()
            if not online:
                relay.stop()
            settings = practice.settings(MARIE)
            _write_profile(place / "profiles", settings)
            yield Home(practice, settings, place / "profiles")


def _write_profile(profiles: Path, settings: ClientSettings) -> None:
    (profiles / "personas").mkdir(parents=True)
    values = {
        "relay_url": settings.relay_url,
        "ca_file": str(settings.ca_file),
        "roots": str(settings.roots),
        "data_dir": str(settings.data_dir),
        "downloads_dir": str(settings.downloads_dir),
        "card": "virtual",
    }
    text = "".join(f'{name} = "{value}"\n' for name, value in values.items())
    text += f"card_images = [{', '.join(f'{str(image)!r}' for image in settings.card_images)}]\n"
    (profiles / "personas" / f"{PERSONA}.toml").write_text(text, encoding="utf-8")


# --- the cases ---


def _batches(cases: int, size: int = 500) -> Iterator[list[Write]]:
    """The writes of all cases, a transaction at a time."""
    now = datetime.now(UTC)
    for start in range(0, cases, size):
        yield [write for number in range(start, min(start + size, cases)) for write in case_writes(number, cases, now)]


def case_writes(number: int, cases: int, now: datetime) -> list[Write]:
    """The facts of one case and the line they make; the highest number is the most recent case."""
    writes: list[Write] = []
    summary: CaseSummary | None = None
    at = now - timedelta(minutes=40 * (cases - number))
    case = ConversationId(f"{number:032x}")
    for step, fact in enumerate(_facts(number, at)):
        event = EventId(f"{number * 10 + step:031x}f")
        recorded = Recorded(event, case, fact, fact.written_at, 1_000_000 + number * 10 + step)
        summary = summarise(summary, recorded, me=MARIE.account, stream=MARIE.account, key=number.to_bytes(32, "big"))
        writes.append(PutFact(MARIE.account, recorded, kind_of(fact).value, encode_event(fact)))
    assert summary is not None
    return [*writes, PutSummary(_as_read(summary, number))]


def _as_read(summary: CaseSummary, number: int) -> CaseSummary:
    """One in twelve stays unread, none among those that every twelfth row down from the top would open."""
    return summary if number % 12 == 5 else msgspec.structs.replace(summary, unread=())


def _facts(number: int, at: datetime) -> Iterator[Event]:
    asks, answers = _party(MARIE), _party(ANNE)
    if number % 3 == 0:
        asks, answers = answers, asks
    form = RequestForm(
        f"{OBJECTS[number % len(OBJECTS)]} ({number})", "Apparue il y a six mois. " * 8, "Faut-il l'exciser ?", True
    )
    patient = Patient(NAMES[number % len(NAMES)], FIRST_NAMES[number % len(FIRST_NAMES)], "F", "1958-04-17")
    yield RequestSent(asks, asks, _iso(at), answers, patient, form, BillingNumber("421990011"), urgent=number % 17 == 0)
    if number % 4:
        yield TakenInCharge(answers, answers, _iso(at + timedelta(minutes=5)))
        yield MessageSent(asks, asks, _iso(at + timedelta(minutes=8)), "Une photographie plus nette suit. " * 3)
    if number % 4 > 1:
        yield Answered(answers, answers, _iso(at + timedelta(minutes=20)), "Aspect bénin, revoir dans un an. " * 5)


def _party(who: Professional) -> Party:
    return Party(who.account, who.name, who.id_nat, who.speciality, f"42000 {who.town}")


def _iso(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def main() -> None:
    """Make a desk and say where, until Enter: to look at it by hand."""

    async def keep() -> None:
        async with home() as made:
            print(f"AVICENNE_DEMO_DIR={made.profiles} python -m tui tui --as {PERSONA}   (code {PIN}; Enter ends)")
            await asyncio.to_thread(input)

    asyncio.run(keep())


if __name__ == "__main__":
    main()
