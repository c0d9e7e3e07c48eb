"""Brings a prepared region to life: relay, readers with their cards, profiles. One running demo at a time."""

from __future__ import annotations

import contextlib
import json
import os
import random
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from crypto.card.daemon import PrivatePcscd, available
from crypto.card.virtual.lifeline import die_with_parent
from demo.layout import EXPERT, REQUERANT, Layout
from demo.prepare import card_images
from demo.profiles import write_profiles

START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 10.0
_READY = "ready "


class NotStarted(Exception):
    """The demonstration could not start; `reason` in French."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Running:
    """A demonstration that runs."""

    relay_url: str
    no_pcsc: str
    """Why the cards answer in process; empty when pcscd holds them."""


@contextlib.contextmanager
def running(layout: Layout, *, use_pcsc: bool = True) -> Iterator[Running]:
    """Start everything, and stop it at the end; a demonstration that already runs is joined and left alone.

    Raises:
        NotStarted: the relay did not come up.
    """
    if (already := _already_running(layout)) is not None:
        yield already
        return
    relay = _start_relay(layout)
    daemon: PrivatePcscd | None = None
    try:
        daemon, readers, no_pcsc = _start_readers(layout) if use_pcsc else (None, {}, "demandé ainsi")
        url = _wait_ready(relay)
        write_profiles(
            layout, url, card_images(layout), socket=str(daemon.socket_path) if daemon else "", readers=readers
        )
        state = Running(url, no_pcsc)
        _write_state(layout, state, relay.pid)
        yield state
    finally:
        (layout.root / "running.json").unlink(missing_ok=True)
        if daemon is not None:
            daemon.stop()
        _end(relay)


def _start_relay(layout: Layout) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "server", "--data", str(layout.relay), "--roots", str(layout.roots)]
    return subprocess.Popen(
        [*command, "--port", "0", "--log", str(layout.log)],
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        text=True,
        cwd=Path(__file__).parents[1],
        preexec_fn=die_with_parent,
        start_new_session=True,
    )


def _wait_ready(relay: subprocess.Popen[str]) -> str:
    assert relay.stderr is not None
    deadline = time.monotonic() + START_TIMEOUT_S
    heard: list[str] = []
    with selectors.DefaultSelector() as selector:
        selector.register(relay.stderr, selectors.EVENT_READ)
        while time.monotonic() < deadline and relay.poll() is None:
            if selector.select(timeout=0.2):
                line = relay.stderr.readline()
                heard.append(line)
                if line.startswith(_READY):
                    return line.removeprefix(_READY).strip()
    raise NotStarted("Le serveur de démonstration n'a pas démarré : " + " ".join(heard)[-400:])


def _start_readers(layout: Layout) -> tuple[PrivatePcscd | None, dict[str, str], str]:
    """A private pcscd with the two main characters' cards; without it, why."""
    if reason := available():
        return None, {}, reason
    ports = _free_ports()
    images = card_images(layout)
    try:
        layout.pcsc.mkdir(mode=0o700, parents=True, exist_ok=True)
        daemon = PrivatePcscd(layout.pcsc, ports)
    except ValueError as error:
        return None, {}, str(error)
    try:
        daemon.start()
        for port, persona in zip(ports, (REQUERANT, EXPERT), strict=True):
            daemon.start_card(port, images[persona])
    except (RuntimeError, OSError) as error:
        daemon.stop()
        return None, {}, str(error).splitlines()[0]
    return daemon, {REQUERANT: daemon.reader(ports[0]), EXPERT: daemon.reader(ports[1])}, ""


def _free_ports() -> tuple[int, int]:
    """Two ports, two apart, that nobody listens on now."""
    for _attempt in range(50):
        first = random.randrange(20_000, 29_990, 4)
        if all(_is_free(first + offset) for offset in range(4)):
            return first, first + 2
    raise OSError("no free port")


def _is_free(port: int) -> bool:
    with contextlib.closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def _already_running(layout: Layout) -> Running | None:
    try:
        state = json.loads((layout.root / "running.json").read_text(encoding="utf-8"))
        os.kill(state["pid"], 0)
    except (OSError, ValueError, KeyError):
        return None
    return Running(state["relay_url"], state["no_pcsc"])


def _write_state(layout: Layout, state: Running, pid: int) -> None:
    text = json.dumps({"relay_url": state.relay_url, "no_pcsc": state.no_pcsc, "pid": pid})
    (layout.root / "running.json").write_text(text, encoding="utf-8")


def _end(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
