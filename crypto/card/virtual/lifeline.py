"""Helpers for processes that must not outlive whoever started them (Linux; a no-op elsewhere).

    python -m crypto.card.virtual.lifeline COMMAND ARGUMENT...

ties itself to its parent and becomes COMMAND, handing over the listening socket it was given as standard input by
the protocol of systemd's socket activation (sd_listen_fds(3)). The tie holds to the *thread* that started it
(prctl(2), PR_SET_PDEATHSIG): start such processes from a thread that lives as long as they should.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
LISTEN_FDS_START = 3


def die_with_parent() -> None:
    """Ask the kernel for SIGTERM when the parent ends."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


def _become(command: list[str]) -> None:
    die_with_parent()
    os.dup2(sys.stdin.fileno(), LISTEN_FDS_START)
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    environment = os.environ | {"LISTEN_FDS": "1", "LISTEN_PID": str(os.getpid())}
    os.execvpe(command[0], command, environment)


if __name__ == "__main__":
    _become(sys.argv[1:])
