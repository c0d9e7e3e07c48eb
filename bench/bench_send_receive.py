"""From one doctor's « send » to another's screen: two whole client sessions in two processes, across the relay.

Everything is on: virtual cards, TLS 1.3, sealing, signatures, both local stores and the relay's at synchronous=FULL.
Sender and receiver share a monotonic clock, so that a difference is a duration. Loaded, fifty other practitioners send
through the same relay, ten messages a second each. The relay is pinned to one core, everybody else to the other.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import uvloop

from bench.bench_relay import PAIRS, Desk, _listen, _message, _open_desks, _rss_mb
from bench.mailbox import home
from bench.report import Measure, show
from client.effects import Persist, Publish, Transmit
from client.intents import ExchangeKind, SendExchange
from client.updates import Noticed, Update
from domain.identifiers import AccountId
from protocol.resources import DirectoryEntry
from tests.server.people import root
from tests.support.practice import Desk as ClientDesk
from tests.support.practice import Practice
from tests.support.region import ANNE, MARIE, Professional, Region

PER_SECOND = 50
LOAD_EACH_PER_S = 10
TEXT = "Aspect évocateur d'une lésion bénigne ; contrôle dans trois mois avec de nouvelles photographies. "
STAGES = ("dispatch", "transmit", "received", "published")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=12.0, help="length of each measure")
    parser.add_argument("--cases", type=int, default=10_000, help="cases already in the sender's mailbox")
    parser.add_argument("--role", choices=("sender", "receiver"), help=argparse.SUPPRESS)
    parser.add_argument("--plan", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        asyncio.run(_child(options.role, json.loads(options.plan)))
        return
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {1})
    uvloop.run(_run(options.seconds, options.cases))


# --- the conductor ---


async def _run(seconds: float, cases: int) -> None:
    async with home(cases) as made:
        practice = made.practice
        case = await _first_case(practice)
        process = practice.process
        assert process is not None
        _welcome_strangers(practice)
        if (os.cpu_count() or 1) > 1:
            subprocess.run(["taskset", "-acp", "0", str(process.pid)], check=True, stdout=subprocess.DEVNULL)
        quiet = await _measure(practice, case, seconds)
        async with _load(practice) as sent:
            loaded = await _measure(practice, case, seconds)
        rss = _rss_mb(process.pid)
    load = f"{PAIRS} other senders, {len(sent) / seconds:.0f} messages/s or more"
    _show(f"send to receive, {PER_SECOND}/s, {cases:,} cases at the sender's", quiet)
    _show(f"the same, with {load}", loaded)
    show("relay afterwards", [Measure("RSS", [rss], unit="MB", target=200, of="p50")])


def _show(title: str, stages: list[list[float]]) -> None:
    whole = [row[-1] - row[0] for row in stages]
    measures = [Measure("send to receive", whole, target=5, of="p50"), Measure("the same", whole, target=15, of="p99")]
    for number, name in enumerate(("sender: seal and store", "line, relay, line", "receiver: believe, store, show")):
        measures.append(Measure(name, [row[number + 1] - row[number] for row in stages]))
    show(title, measures)


async def _first_case(practice: Practice) -> str:
    """A case that both have."""
    asker, expert = await practice.desk(MARIE), await practice.desk(ANNE)
    case = await asker.request(ANNE)
    await asker.all_sent()
    await expert.sees(case)
    for desk in (asker, expert):
        await desk.close()
    return case


def _welcome_strangers(practice: Practice) -> None:
    """The load's practitioners are in the directory and their cards are believed: the relay starts again with them."""
    process, region = practice.process, practice.region
    assert process is not None
    process.stop()
    (region.roots / "charge.der").write_bytes(root())
    lines = [msgspec.json.encode({"entry": _stranger(number)}) + b"\n" for number in range(PAIRS * 2)]
    added = practice.place / "charge.jsonl"
    added.write_bytes(region.directory.read_bytes() + b"".join(lines))
    command = [sys.executable, "-m", "server", "load-directory", str(added), "--data", str(process.data)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    process.start()


def _stranger(number: int) -> DirectoryEntry:
    id_nat = f"8997{number:08d}"
    return DirectoryEntry(AccountId(f"ps:{id_nat}"), f"Dr Charge {number}", is_service=False, id_nat=id_nat)


async def _measure(practice: Practice, case: str, seconds: float) -> list[list[float]]:
    """Milliseconds at each stage, one row a message."""
    plan = {"place": str(practice.place), "region": str(practice.region.root), "case": case, "seconds": seconds}
    assert practice.process is not None
    plan["port"] = practice.process.port
    receiver = await _start("receiver", plan)
    sender = await _start("sender", plan)
    assert sender.stdin is not None
    sender.stdin.write(b"go\n")
    sent = json.loads((await sender.communicate())[0])
    got = json.loads((await receiver.communicate(b"enough\n"))[0])
    count = min(len(sent["dispatch"]), len(got["published"]))
    columns = [(sent | got)[stage][:count] for stage in STAGES]
    return [[value * 1000 for value in row] for row in zip(*columns, strict=True)]


async def _start(role: str, plan: dict[str, object]) -> asyncio.subprocess.Process:
    command = [sys.executable, __file__, "--role", role, "--plan", json.dumps(plan)]
    process = await asyncio.create_subprocess_exec(
        *command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24
    )
    assert process.stdout is not None
    if (await process.stdout.readline()) != b"ready\n":
        raise RuntimeError(f"the {role} did not open")
    return process


@contextlib.asynccontextmanager
async def _load(practice: Practice) -> AsyncIterator[list[float]]:
    """Fifty pairs, each sender at its own pace; what they sent, while the block lasts."""
    import ssl

    process = practice.process
    assert process is not None
    senders, receivers = await _open_desks(ssl.create_default_context(cafile=process.ca_file), process.url)
    sent: list[float] = []
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(_listen(desk), name="listener") for desk in (*senders, *receivers)]
        tasks += [group.create_task(_keep_sending(desk, sent), name="load") for desk in senders]
        try:
            yield sent
        finally:
            for task in tasks:
                task.cancel()


async def _keep_sending(desk: Desk, sent: list[float]) -> None:
    while True:
        await asyncio.sleep(1 / LOAD_EACH_PER_S)
        await desk.socket.send(_message(desk, os.urandom(600)).frame)
        sent.append(time.perf_counter())


# --- one side ---


async def _child(role: str, plan: dict[str, object]) -> None:
    who: Professional = MARIE if role == "sender" else ANNE
    desk = await _same_practice(plan).desk(who)
    await desk.session.idle()
    gc.collect()
    gc.freeze()  # as `tui.front_ends.open_tui` does
    gc.set_threshold(50_000, 20, 100)
    times: dict[str, list[float]] = {stage: [] for stage in STAGES}
    _watch(desk, role, times)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    if role == "sender":
        await _send(desk, str(plan["case"]), float(str(plan["seconds"])), times["dispatch"])
        await desk.all_sent()
    mine = ("dispatch", "transmit") if role == "sender" else ("received", "published")
    print(json.dumps({stage: times[stage] for stage in mine}), flush=True)
    await desk.close()


def _same_practice(plan: dict[str, object]) -> Practice:
    """The conductor's practice: the same place, cards and relay."""
    from tests.support.practice import RelayProcess

    practice = Practice(Region(Path(str(plan["region"])), None), Path(str(plan["place"])))  # type: ignore[arg-type]
    process = RelayProcess(practice.place, practice.region.roots)
    process.port = int(str(plan["port"]))
    practice.process = process
    return practice


def _watch(desk: ClientDesk, role: str, times: dict[str, list[float]]) -> None:
    """Note when the session transmits (sender), takes in and announces (receiver) each message."""
    session = desk.session
    transmit, receive = session._transmit, session._machine.receive  # type: ignore[union-attr]

    async def transmitted(effect: Transmit) -> None:
        await transmit(effect)
        times["transmit"].append(time.perf_counter())

    def received(happened: object) -> list[object]:
        began = time.perf_counter()
        effects = receive(happened)  # type: ignore[arg-type]
        if any(isinstance(each, Publish) and isinstance(each.update, Noticed) for each in effects) and any(
            isinstance(each, Persist) for each in effects
        ):
            times["received"].append(began)
        return list(effects)

    def announced(update: Update) -> None:
        if isinstance(update, Noticed) and update.case:
            times["published"].append(time.perf_counter())

    if role == "sender":
        session._transmit = transmitted  # type: ignore[method-assign]
    else:
        session._machine.receive = received  # type: ignore[union-attr, method-assign, assignment]
        session.subscribe(announced)


async def _send(desk: ClientDesk, case: str, seconds: float, times: list[float]) -> None:
    began = time.perf_counter()
    for number in range(int(seconds * PER_SECOND)):
        await asyncio.sleep(max(0.0, began + number / PER_SECOND - time.perf_counter()))
        times.append(time.perf_counter())
        desk.session.dispatch(SendExchange(case, ExchangeKind.MESSAGE, f"{TEXT}{number}"))


if __name__ == "__main__":
    main()
