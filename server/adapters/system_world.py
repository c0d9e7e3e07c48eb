"""The only place of the relay that reads the wall clock, draws chance and starts tasks without an owner (R11, R12)."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Coroutine
from datetime import UTC, datetime

_log = logging.getLogger("server.world")
_tasks: set[asyncio.Task[object]] = set()


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        """The present instant, UTC."""
        return datetime.now(UTC)


def random_bytes(size: int) -> bytes:
    """Draw `size` unpredictable bytes from the operating system."""
    return os.urandom(size)


def spawn(work: Coroutine[object, object, object], *, name: str) -> asyncio.Task[object]:
    """Start `work` as a task that is kept alive and whose death is logged."""
    task = asyncio.get_running_loop().create_task(work, name=name)
    _tasks.add(task)
    task.add_done_callback(_buried)
    return task


def _buried(task: asyncio.Task[object]) -> None:
    _tasks.discard(task)
    if not task.cancelled() and task.exception() is not None:
        _log.error("task_died", extra={"fields": {"task": task.get_name()}}, exc_info=task.exception())
