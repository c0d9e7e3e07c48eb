"""Kill -9, at any instant: what was acknowledged is stored, what was kept arrives, and nothing arrives twice.

AVICENNE_SOAK=n asks for n kills instead of the few that fit into a run. The seed of the instants is printed.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import apsw

from client.intents import ExchangeKind, SendExchange
from client.views import CaseView
from server.bootstrap import audit_is_whole
from tests.support.practice import HOUSE, PATIENCE_S, Desk, Practice, RelayProcess
from tests.support.region import ANNE, MARIE, PIN

KILLS = int(os.environ.get("AVICENNE_SOAK", "8"))
SEED = int(os.environ.get("AVICENNE_SEED", "20261122"))
PER_ROUND = 16
"""Messages that each desk hands in between two kills."""


def acknowledged(desk: Desk, case: str) -> set[str]:
    """The texts that came back to their author with a place in the stream."""
    return {entry.text for entry in _entries(desk, case) if entry.mine and not entry.pending}


def _entries(desk: Desk, case: str) -> tuple:  # type: ignore[type-arg]
    view: CaseView | None = desk.cases.get(case)
    return view.timeline[1:] if view else ()


async def test_a_relay_killed_again_and_again_loses_nothing_and_doubles_nothing(practice: Practice) -> None:
    chance = random.Random(SEED)
    print(f"seed={SEED} kills={KILLS}")
    relay = await practice.start_process()
    marie, anne = await practice.desk(MARIE), await practice.desk(ANNE)
    case = await marie.request(ANNE)
    await marie.all_sent()
    for desk in (marie, anne):
        await desk.open(case)
    said: set[str] = set()
    believed: set[str] = set()
    in_flight = 0
    for kill in range(KILLS):
        target = len(acknowledged(marie, case)) + chance.randrange(1, PER_ROUND // 2)
        for number in range(PER_ROUND):
            for desk in (marie, anne):
                text = f"{desk.who.code} {kill}.{number}"
                said.add(text)
                desk.session.dispatch(SendExchange(case, ExchangeKind.MESSAGE, text))
        await marie.until(lambda target=target: len(acknowledged(marie, case)) >= target, "some answers")  # type: ignore[misc]
        relay.kill()
        in_flight += marie.session.pending + anne.session.pending
        for desk in (marie, anne):
            believed |= acknowledged(desk, case)
            await desk.offline()
        assert believed <= _stored_texts(relay, marie, anne, case)
        relay.start()
        for desk in (marie, anne):
            await desk.online()
    for desk in (marie, anne):
        await desk.all_sent()
    assert in_flight > 0, "at least one kill must fall in the middle of something"
    shown = []
    for desk in (marie, anne):
        await desk.until(lambda desk=desk: len(_entries(desk, case)) == len(said), "everything")  # type: ignore[misc]
        shown.append([entry.text for entry in (await desk.look(case)).timeline[1:]])
    assert shown[0] == shown[1], "one order for all"
    assert sorted(shown[0]) == sorted(said), "nothing lost, nothing twice, nothing made up"
    print(f"said={len(said)} believed at kills={len(believed)} in flight={in_flight} lost=0 twice=0")
    for desk in (marie, anne):
        mine = [text for text in shown[0] if text.startswith(desk.who.code)]
        assert mine == sorted(mine, key=_told), "each author's words in the order he said them"
    relay.stop()
    assert await audit_is_whole(relay.data) is None


def _told(text: str) -> tuple[int, int]:
    kill, number = text.partition(" ")[2].split(".")
    return int(kill), int(number)


def _stored_texts(relay: RelayProcess, marie: Desk, anne: Desk, case: str) -> set[str]:
    """The texts whose events a dead relay's database holds, by what their authors know of them."""
    database = apsw.Connection(str(relay.data / "relay.sqlite3"))
    try:
        assert database.pragma("integrity_check") == "ok"
        tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        assert "events" in tables
        stored = {str(event) for (event,) in database.execute("SELECT event_id FROM events")}
    finally:
        database.close()
    return {entry.text for desk in (marie, anne) for entry in _entries(desk, case) if entry.event in stored}


# --- the client's turn ----------------------------------------------------------------------------------------------

_DESK = """
import asyncio, sys, tomllib
from pathlib import Path
from client.bootstrap import build_session
from client.intents import EnterPin, ExchangeKind, OpenCase, SendExchange
from client.settings import ClientSettings
from client.updates import CaseChanged, LoginChanged, MailboxChanged

def settings(file):
    values = tomllib.loads(Path(file).read_text())
    paths = ("ca_file", "roots", "data_dir", "downloads_dir")
    values |= {name: Path(values[name]) for name in paths}
    return ClientSettings(**values | {"card_images": tuple(map(Path, values["card_images"]))})

async def main(file, pin, case, life, count):
    session, queued = build_session(settings(file)), set()
    def hear(update):
        if isinstance(update, LoginChanged) and update.view.phase == "enter-pin":
            session.dispatch(EnterPin(pin))
        if isinstance(update, LoginChanged) and update.view.phase == "open":
            session.dispatch(OpenCase(case))
            for number in range(count):
                session.dispatch(SendExchange(case, ExchangeKind.MESSAGE, f"life {life}.{number}"))
        if isinstance(update, CaseChanged):
            for entry in update.view.timeline:
                if entry.text.startswith("life ") and entry.text not in queued:
                    queued.add(entry.text)
                    print("queued", entry.text, flush=True)
    session.subscribe(hear)
    await session.run()

asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
"""
"""A desk without a screen, in a process of its own: it says « queued » when its own user would see « en file »."""


async def test_a_desk_killed_while_it_sends_delivers_everything_it_had_queued_exactly_once(
    practice: Practice, tmp_path: Path
) -> None:
    chance = random.Random(SEED)
    lives = max(3, KILLS // 2)
    print(f"seed={SEED} lives={lives}")
    await practice.start_process()
    marie, anne = await practice.desk(MARIE), await practice.desk(ANNE)
    case = await marie.request(ANNE)
    await marie.all_sent()
    await anne.open(case)
    profile = _profile(marie, tmp_path)
    await marie.close()
    queued: set[str] = set()
    for life in range(lives):
        wanted = chance.randrange(1, PER_ROUND)
        queued |= await asyncio.to_thread(_live_and_die, profile, case, life, wanted)
    marie = await practice.desk(MARIE)
    await marie.all_sent()
    view = await marie.look(case)
    texts = [entry.text for entry in view.timeline[1:]]
    assert queued <= set(texts), "what was shown as queued survives"
    assert len(texts) == len(set(texts)), "and arrives once"
    await anne.until(lambda: len(_entries(anne, case)) == len(texts), "the same at the other desk")
    assert [entry.text for entry in (await anne.look(case)).timeline[1:]] == texts
    print(f"queued={len(queued)} arrived={len(texts)} lost=0 twice=0")


def _profile(desk: Desk, place: Path) -> Path:
    settings = desk.settings
    names = ("relay_url", "ca_file", "roots", "data_dir", "downloads_dir", "card")
    lines = [f'{name} = "{getattr(settings, name)}"' for name in names]
    lines.append(f'card_images = ["{settings.card_images[0]}"]')
    profile = place / "marie.toml"
    profile.write_text("\n".join(lines))
    assert tomllib.loads(profile.read_text())["card"] == "virtual"
    return profile


def _live_and_die(profile: Path, case: str, life: int, wanted: int) -> set[str]:
    """Run a desk until it has shown `wanted` messages as queued, then kill it; what it had shown."""
    words = [sys.executable, "-c", _DESK, str(profile), PIN, case, str(life), str(PER_ROUND * 2)]
    queued: set[str] = set()
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=HOUSE) as desk:
        assert desk.stdout is not None
        for line in desk.stdout:
            word, _space, text = line.strip().partition(" ")
            if word == "queued":
                queued.add(text)
            if sum(each.startswith(f"life {life}.") for each in queued) >= wanted:
                break
        desk.send_signal(signal.SIGKILL)
        desk.wait(PATIENCE_S)
    assert any(each.startswith(f"life {life}.") for each in queued), "the desk lived at all"
    return queued
