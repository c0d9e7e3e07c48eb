"""A private pcscd with virtual readers, for the demonstration and for tests: no root, no system service touched.

pcscd's socket has a fixed path, but it takes over a socket that systemd hands it; we play systemd (sd_listen_fds(3)).
Clients find it by `PCSCLITE_CSOCK_NAME`, which libpcsclite reads once per process: set it before the first call and
never change it. Restart a daemon on the same path instead.

vpcd listens on every network interface of the machine, and whoever connects is a card: demonstration and tests only.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Self

from crypto.card.virtual.process import control

SOCKET_VARIABLE = "PCSCLITE_CSOCK_NAME"
DRIVER = Path("pcsc/drivers/serial/libifdvpcd.so")
"""Where Debian's vsmartcard-vpcd puts the driver, below a library directory."""
LIBRARY_DIRECTORIES = (Path("/usr/lib"), Path("/usr/local/lib"), Path("/usr/lib64"))
STOP_TIMEOUT_S = 5.0
START_TIMEOUT_S = 5.0
POLL_S = 0.01
MAX_READERS = 8
"""pcscd has room for 16 slots."""
MAX_SOCKET_PATH = 107
"""sun_path of unix(7), without the final zero."""


def find_driver() -> Path | None:
    """Find the driver of the virtual reader."""
    return next((base / DRIVER for base in LIBRARY_DIRECTORIES if (base / DRIVER).exists()), None)


def find_pcscd() -> str | None:
    """Find the daemon, which Debian installs outside the path of ordinary users."""
    return shutil.which("pcscd") or shutil.which("pcscd", path="/usr/sbin:/usr/local/sbin")


def available() -> str | None:
    """Say in one line why a private pcscd cannot be used here; None when it can."""
    if sys.platform != "linux":
        return f"the virtual readers need Linux, not {sys.platform}"
    if find_pcscd() is None:
        return "pcscd is not installed (package pcscd)"
    if find_driver() is None:
        return "the virtual reader's driver is not installed (package vsmartcard-vpcd)"
    if importlib.util.find_spec("smartcard") is None:
        return "pyscard is not installed (extra pcsc)"
    return None


class PrivatePcscd:
    """One daemon with its readers and, in them, virtual cards; a context manager.

    Args:
        directory: for the socket and the configuration; its path must be short enough for a Unix socket.
        ports: one TCP port per reader, between 20000 and 30000 and two apart: vpcd puts a second slot on the next.
    """

    def __init__(self, directory: Path, ports: Sequence[int]) -> None:
        self.socket_path = directory / "pcscd.comm"
        self.environment: Mapping[str, str] = {SOCKET_VARIABLE: str(self.socket_path)}
        """What clients need in their environment."""
        if len(str(self.socket_path)) > MAX_SOCKET_PATH:
            raise ValueError(f"{self.socket_path} is too long for a Unix socket")
        if len(ports) > MAX_READERS:
            raise ValueError(f"pcscd has room for {MAX_READERS} virtual readers")
        self._directory = directory
        self.ports = tuple(ports)
        self._daemon: subprocess.Popen[bytes] | None = None
        self._cards: dict[int, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start the daemon; returns when its readers listen. It ends with the thread that started it.

        Raises:
            RuntimeError: `available` gives a reason, or the daemon did not come up.
        """
        reason = available()
        pcscd, driver = find_pcscd(), find_driver()
        if reason is not None or pcscd is None or driver is None:
            raise RuntimeError(reason)
        configuration = self._directory / "reader.conf.d"
        configuration.mkdir(mode=0o700, parents=True, exist_ok=True)
        (configuration / "avicenne").write_text(self._configuration(driver), encoding="utf-8")
        self._daemon = self._launch([pcscd, "-f", "-c", str(configuration)])
        self._wait_for_ports()

    def stop(self) -> None:
        """Stop the cards and the daemon; does nothing when stopped."""
        for port in tuple(self._cards):
            self.stop_card(port)
        if self._daemon is not None:
            _end(self._daemon)
            self._daemon = None
        self.socket_path.unlink(missing_ok=True)

    def kill(self) -> None:
        """End the daemon without warning, as a crash would."""
        if self._daemon is not None:
            self._daemon.kill()
            self._daemon.wait()
            self._daemon = None

    def start_card(self, port: int, image: Path, *, inserted: bool = True) -> None:
        """Start the process of a virtual card beside, or in, the reader on this port."""
        self.stop_card(port)
        command = [sys.executable, "-m", "crypto.card.virtual", "--image", str(image), "--port", str(port)]
        command += ["--control", str(self._control_path(port))]
        command += [] if inserted else ["--removed"]
        self._cards[port] = subprocess.Popen(command)
        _wait_until(self._control_path(port).exists, self._cards[port], "the virtual card")

    def stop_card(self, port: int) -> None:
        """Pull the card and end its process."""
        card = self._cards.pop(port, None)
        if card is not None:
            _end(card)
            self._control_path(port).unlink(missing_ok=True)

    def insert(self, port: int, image: Path | None = None) -> None:
        """Put the card of this port in, or another one. Raises OSError."""
        control(self._control_path(port), "insert" if image is None else f"insert {image}")

    def remove(self, port: int) -> None:
        """Pull the card of this port. Raises OSError."""
        control(self._control_path(port), "remove")

    @property
    def processes(self) -> Iterator[subprocess.Popen[bytes]]:
        """The processes that run now: the daemon's, then the cards'."""
        if self._daemon is not None:
            yield self._daemon
        yield from self._cards.values()

    def reader(self, port: int) -> str:
        """Name of the reader on this port, as PC/SC lists it (its second slot, ` 00 01`, stays empty)."""
        return f"Avicenne {port} 00 00"

    def _control_path(self, port: int) -> Path:
        return self._directory / f"card-{port}.sock"

    def _configuration(self, driver: Path) -> str:
        """Describe the readers, each with its own copy of the driver.

        vpcd keeps its slots in a table that all readers of one loaded library share: with a single copy, the last
        reader's card would show in all of them (measured with vpcd 3.3).
        """
        entries = []
        for port in self.ports:
            library = self._directory / f"vpcd-{port}.so"
            shutil.copyfile(driver, library)
            entries.append(
                f'FRIENDLYNAME "Avicenne {port}"\n'
                f"DEVICENAME /dev/null:0x{port:X}\n"
                f"LIBPATH {library}\n"
                f"CHANNELID 0x{port:X}\n"
            )
        return "\n".join(entries)

    def _launch(self, command: list[str]) -> subprocess.Popen[bytes]:
        self.socket_path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(self.socket_path))
            listener.listen()
            # The listening socket travels as standard input; `lifeline` moves it to where pcscd expects it.
            return subprocess.Popen(
                [sys.executable, "-m", "crypto.card.virtual.lifeline", *command],
                stdin=listener.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                env=dict(os.environ),
            )

    def _wait_for_ports(self) -> None:
        daemon = self._daemon
        if daemon is not None:
            for port in self.ports:
                _wait_until(partial(_is_listening, port), daemon, "pcscd")


def _is_listening(port: int) -> bool:
    """Look for the listener in /proc: connecting would put a card in."""
    wanted = f":{port:04X} "
    lines = Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]
    return any(wanted in line[:25] and line.split()[3] == "0A" for line in lines)


def _wait_until(condition: Callable[[], bool], process: subprocess.Popen[bytes], name: str) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while not condition():
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended with status {process.returncode}")
        if time.monotonic() > deadline:
            raise RuntimeError(f"{name} did not start within {START_TIMEOUT_S} s")
        time.sleep(POLL_S)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
