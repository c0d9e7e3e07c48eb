"""Bytes that one action costs on the terminal's line, which is what a slow link makes the user wait for.

The real application on a pty with 10,000 cases, at 80x24 and 200x50; plain Textual's own lists do the same beside it.
The figures of the mail readers were measured once (80x24, 10,000 messages) and are quoted, not run.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
from collections import defaultdict

from bench.bench_start import FIRST_ROW, LOCK_SCREEN
from bench.mailbox import CASES, PIN, Home, home, warm
from bench.report import show_rows
from bench.terminal import Terminal

SIZES = ((80, 24), (200, 50))
UP, DOWN, PAGE_DOWN, ESCAPE = b"\x1b[A", b"\x1b[B", b"\x1b[6~", b"\x1b"
ACTIONS = (
    ("cursor down", DOWN),
    ("page down", PAGE_DOWN),
    ("open a case", b"\r"),
    ("back to the list", ESCAPE),
    ("open help", b"?"),
    ("close help", ESCAPE),
    ("open search", b"/"),
    ("type one letter", b"a"),
    ("close search", ESCAPE),
)
PEER_ACTIONS = ACTIONS[:2]
BUDGET = {80: 1500, 200: 2000}
"""Bytes a keystroke (reliability.md 3.3, at 80x24 and 120x40); 20,000 for a change of screen."""
QUOTED = {
    "cursor down": (44, 186, 354),
    "page down": (1312, 4691, 1939),
    "open a case": (1529, 4184, 1340),
    "back to the list": (1281, 3393, 2253),
    "open help": (1571, 4072, 2034),
    "open search": (30, 130, 346),
    "type one letter": (1, 81, 70),
    "resize": (2446, 5088, 2982),
    "start": (19700, 6154, 3147),
}
"""neomutt, aerc, alpine."""

Sizes = dict[str, list[int]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    asyncio.run(_run(options.rounds))


async def _run(rounds: int) -> None:
    async with home() as desk:
        for columns, rows in SIZES:
            await asyncio.to_thread(compare, desk, columns, rows, rounds)


def compare(desk: Home, columns: int, rows: int, rounds: int) -> None:
    """One table for one size of terminal."""
    ours = application(desk, columns, rows, rounds)
    theirs = [peer(kind, columns, rows, rounds) for kind in ("datatable", "optionlist")]
    head = ("action", "Avicenne, bytes", "DataTable", "OptionList", "neomutt (80x24)", "aerc (80x24)", "alpine (80x24)")
    table = [
        (name, *(_median(each, name) for each in (ours, *theirs)), *QUOTED.get(name, ("",) * 3))
        for name in ("start", *dict(ACTIONS), "resize", "lock")
    ]
    show_rows(f"bytes on the pty, {columns}x{rows}, {CASES:,} cases, median of {rounds}", head, table)
    print(f"\ntarget: {BUDGET[columns]:,} a keystroke, 20,000 a change of screen, nothing while idle")


def _median(sizes: Sizes, name: str) -> str:
    return f"{statistics.median(sizes[name]):,.0f}" if name in sizes else ""


def application(desk: Home, columns: int, rows: int, rounds: int) -> Sizes:
    """Every action, `rounds` times."""
    sizes: Sizes = defaultdict(list)
    with Terminal(desk.command, columns=columns, rows=rows, environment=desk.environment) as terminal:
        terminal.until(LOCK_SCREEN)
        terminal.quiet()
        sizes["lock"].append(len(terminal.data))
        before = len(terminal.data)
        os.write(terminal.fd, PIN.encode() + b"\r")
        terminal.until(FIRST_ROW, after=before)
        terminal.quiet(1)
        sizes["start"].append(len(terminal.data))
        for _round in range(rounds):
            for name, keys in ACTIONS:
                if name == "cursor down":
                    terminal.send(UP)  # so that the cursor has a row to move to without scrolling
                sizes[name].append(terminal.send(keys, quiet_s=0.3).size)
                terminal.quiet(0.3)
            sizes["resize"].append(terminal.resize(columns + 10, rows + 4).size)
            terminal.resize(columns, rows)
    return sizes


def peer(kind: str, columns: int, rows: int, rounds: int) -> Sizes:
    """What plain Textual can do too."""
    sizes: Sizes = defaultdict(list)
    command = [sys.executable, "bench/peers.py", kind, str(CASES)]
    with Terminal(command, columns=columns, rows=rows, environment=warm()) as terminal:
        terminal.until(FIRST_ROW)
        terminal.quiet(1)
        sizes["start"].append(len(terminal.data))
        for _round in range(rounds):
            for name, keys in PEER_ACTIONS:
                terminal.send(UP)
                sizes[name].append(terminal.send(keys, quiet_s=0.3).size)
            sizes["resize"].append(terminal.resize(columns + 10, rows + 4).size)
            terminal.resize(columns, rows)
    return sizes


if __name__ == "__main__":
    main()
