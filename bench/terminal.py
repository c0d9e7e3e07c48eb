"""A program on a pty, seen as its user's terminal sees it: when each byte came, and how many.

Nothing is rendered: a program shows something when the words come out of the pty once its control sequences are
taken away. An action is over when the pty has been quiet for a while; its time is that of its last byte.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

HOUSE = Path(__file__).parents[1]
QUIET_S = 0.08
"""Less than the pause after which a preview is drawn (0.15 s)."""
_SEQUENCES = re.compile(
    rb"\x1b\[[0-9;?<>=:]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_].*?\x1b\\|\x1b[@-_()].?"
)
_REPLIES = {b"\x1b[?2026$p": b"\x1b[?2026;2$y", b"\x1b[6n": b"\x1b[1;1R", b"\x1b[c": b"\x1b[?62;22c"}
"""What a terminal answers to the questions that programs ask at start."""


@dataclass(frozen=True, slots=True)
class Burst:
    """What came out after something was done."""

    first_s: float
    """Until the first byte; 0 when nothing came."""
    last_s: float
    size: int
    data: bytes

    @property
    def text(self) -> str:
        """The words, without control sequences."""
        return words(self.data)


def words(data: bytes) -> str:
    """Printable text of a stream of terminal output."""
    return _SEQUENCES.sub(b"", data).decode("utf-8", "replace")


class Terminal:
    """A child on a pty of a given size."""

    def __init__(
        self, command: Sequence[str], *, columns: int = 80, rows: int = 24, environment: Mapping[str, str] | None = None
    ) -> None:
        self.began = time.perf_counter()
        self.data = bytearray()
        self._ended = False
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(HOUSE)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.execvpe(command[0], list(command), dict(environment or os.environ))
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def leave(self, timeout_s: float = 15) -> None:
        """Ask with Ctrl-C, and wait until the program has put everything away."""
        os.write(self.fd, b"\x03")
        deadline = time.perf_counter() + timeout_s
        while not self._ended and time.perf_counter() < deadline:
            self._read(0.2)

    def close(self) -> None:
        """Hang up, then insist."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.kill(self.pid, how)
            except ProcessLookupError:
                break
            for _wait in range(40):
                if os.waitpid(self.pid, os.WNOHANG)[0]:
                    os.close(self.fd)
                    return
                self._read(0.05)
        os.close(self.fd)

    def _read(self, timeout_s: float) -> bytes:
        if not select.select([self.fd], [], [], max(timeout_s, 0))[0]:
            return b""
        try:
            chunk = os.read(self.fd, 65536)
        except OSError:  # the child is gone
            self._ended = True
            return b""
        for question, reply in _REPLIES.items():
            if question in chunk:
                os.write(self.fd, reply)
        self.data += chunk
        return chunk

    def until(self, text: str, *, after: int = 0, timeout_s: float = 60) -> float:
        """Read until `text` was written past the `after`-th byte; seconds since the program began.

        Raises:
            TimeoutError: it never came; the message ends with what did.
        """
        deadline = time.perf_counter() + timeout_s
        while text not in words(bytes(self.data[after:])):
            if self._ended or time.perf_counter() > deadline:
                raise TimeoutError(f"{text!r} never came: {words(bytes(self.data))[-1500:]}")
            self._read(0.5)
        return time.perf_counter() - self.began

    def quiet(self, for_s: float = 0.5, timeout_s: float = 20) -> None:
        """Read until nothing came for `for_s`."""
        deadline = time.perf_counter() + timeout_s
        while self._read(for_s) and time.perf_counter() < deadline:
            pass

    def send(self, keys: bytes, *, quiet_s: float = QUIET_S, most_s: float = 5) -> Burst:
        """Press keys and read until the answer is over; an answer must come within `most_s`."""
        return self._answer(lambda: os.write(self.fd, keys), quiet_s, most_s)

    def resize(self, columns: int, rows: int) -> Burst:
        """Give the terminal another size."""
        size = struct.pack("HHHH", rows, columns, 0, 0)
        return self._answer(lambda: fcntl.ioctl(self.fd, termios.TIOCSWINSZ, size), 0.3, 5)

    def _answer(self, act: object, quiet_s: float, most_s: float) -> Burst:
        start = len(self.data)
        began = time.perf_counter()
        assert callable(act)
        act()
        first = last = 0.0
        while True:
            now = time.perf_counter()
            wait = quiet_s - (now - began - last) if first else most_s - (now - began)
            if wait <= 0 or not (chunk := self._read(wait)):
                break
            last = time.perf_counter() - began
            first = first or last
            del chunk
        return Burst(first, last, len(self.data) - start, bytes(self.data[start:]))

    @property
    def rss_mb(self) -> float:
        """Memory of the child."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return round(int(status.split("VmRSS:")[1].split()[0]) / 1024, 1)
