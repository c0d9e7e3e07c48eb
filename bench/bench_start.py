"""How long until a first usable screen: the lock screen, the inbox behind it, and the demonstration's second run.

Everything is timed from outside, on a pty, from the start of the process to the words on the screen, with bytecode on
disk as on any second start. `--demo DIR` keeps the region, which takes half a minute to make.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.mailbox import CASES, PIN, Home, home, warm
from bench.report import Measure, show, show_rows
from bench.terminal import HOUSE, Terminal

LOCK_SCREEN = "code porteur"
INBOX = "Boîte de réception"
FIRST_ROW = "Lucette MOLLARDY"
"""The patient of the most recent case of `bench.mailbox`."""
CHOICE = "Plusieurs lecteurs"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    parser.add_argument("--demo", type=Path, help="a prepared region; a temporary one by default, slow to make")
    parser.add_argument("--no-demo", action="store_true")
    options = parser.parse_args()
    asyncio.run(_client(options.runs))
    imports()
    if not options.no_demo:
        demo(options.demo, options.runs)


async def _client(runs: int) -> None:
    async with home() as desk:
        await asyncio.to_thread(client, desk, runs)


def client(desk: Home, runs: int) -> None:
    """Application and peers in turn, so that the machine's moods are shared."""
    locks, inboxes, memory = [], [], []
    peers: dict[str, list[float]] = {"DataTable": [], "OptionList": []}
    bare: list[float] = []
    start(desk)  # the first run writes bytecode
    for _run in range(runs):
        lock, inbox, rss = start(desk)
        locks.append(lock * 1000)
        inboxes.append(inbox * 1000)
        memory.append(rss)
        bare.append(_timed([sys.executable, "-c", "import textual.app, textual.widgets"]) * 1000)
        for name, samples in peers.items():
            command = [sys.executable, "bench/peers.py", name.lower(), str(CASES)]
            with Terminal(command, environment=warm()) as terminal:
                samples.append(terminal.until(FIRST_ROW) * 1000)
    show(
        f"start, warm, {CASES:,} cases",
        [
            Measure("process to lock screen", locks, target=1000, of="p50"),
            Measure("code typed to inbox drawn", inboxes, target=1500, of="p50"),
            Measure("memory with the inbox open", memory, unit="MB"),
            Measure("peer: `import textual` alone", bare),
            *(Measure(f"peer: process to {name} drawn, rows made in memory", each) for name, each in peers.items()),
        ],
    )


def start(desk: Home) -> tuple[float, float, float]:
    """Seconds to the lock screen, then from the code to the first row of the inbox; memory in MB."""
    with Terminal(desk.command, environment=desk.environment) as terminal:
        lock = terminal.until(LOCK_SCREEN)
        terminal.quiet(0.3)
        before = len(terminal.data)
        began = time.perf_counter() - terminal.began
        os.write(terminal.fd, PIN.encode() + b"\r")
        inbox = terminal.until(FIRST_ROW, after=before) - began
        terminal.quiet(0.5)
        return lock, inbox, terminal.rss_mb


def _timed(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, env=warm(), cwd=HOUSE)
    return time.perf_counter() - began


def imports() -> None:
    """The slowest modules on the way to the lock screen, and what must not be among them."""
    loaded = "import tui.cli, tui.front_ends, tui.oneshot, client.bootstrap, tui.app"
    said = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", loaded], check=True, env=warm(), cwd=HOUSE, stderr=subprocess.PIPE
    ).stderr.decode()
    rows = [line.split(":", 1)[1].split("|") for line in said.splitlines()[1:] if line.startswith("import time:")]
    times = sorted(((int(own), name.strip()) for own, _both, name in rows), reverse=True)
    show_rows("the 15 slowest imports", ("ms", "module"), [(own / 1000, name) for own, name in times[:15]])
    late = ("httpx", "websockets", "babel", "reportlab", "xlsxwriter", "resvg_py")
    here = sorted({name for _own, name in times} & set(late))
    total = sum(own for own, _name in times) / 1000
    print(f"\n{len(times)} modules, {total:.0f} ms; too early: {', '.join(here) or 'none'}")


def demo(region: Path | None, runs: int) -> None:
    """`python -m demo` once the region is made: relay, readers and client."""
    with tempfile.TemporaryDirectory(prefix="avicenne-bench-") as fresh:
        place = str(region or fresh)
        command = [sys.executable, "-m", "demo", "--dir", place]
        subprocess.run([*command, "--prepare"], check=True, env=warm(), cwd=HOUSE, stderr=subprocess.DEVNULL)
        times = []
        for _run in range(runs + 1):
            with Terminal(command, environment=warm()) as terminal:
                times.append(terminal.until(CHOICE) * 1000)
                terminal.leave()
    show("demonstration", [Measure("`python -m demo`, not the first time", times[1:], target=3000, of="p50")])


if __name__ == "__main__":
    main()
