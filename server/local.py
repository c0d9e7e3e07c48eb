"""Two ends of one connection in one process: what a websocket does, without sockets. Speaks through the same pump."""

from __future__ import annotations

import asyncio
from collections import deque

PIPE_FRAMES = 64
"""Frames that wait on either way; then the sender waits, as it would for TCP."""


class _Pipe:
    """A bounded queue that can be closed; what was sent before is still received."""

    def __init__(self) -> None:
        self._frames: deque[bytes] = deque()
        self._changed = asyncio.Condition()
        self._is_open = True

    async def put(self, data: bytes) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._is_open or len(self._frames) < PIPE_FRAMES)
            if not self._is_open:
                raise ConnectionError("closed")
            self._frames.append(data)
            self._changed.notify_all()

    async def get(self) -> bytes:
        async with self._changed:
            await self._changed.wait_for(lambda: not self._is_open or len(self._frames) > 0)
            if not self._frames:
                raise ConnectionError("closed")
            data = self._frames.popleft()
            self._changed.notify_all()
            return data

    async def close(self) -> None:
        async with self._changed:
            self._is_open = False
            self._changed.notify_all()


class LocalConnection:
    """The client's end: whole frames out and in."""

    def __init__(self) -> None:
        self._to_relay = _Pipe()
        self._to_client = _Pipe()

    async def send(self, data: bytes) -> None:
        """Hand a frame to the relay. Raises ConnectionError once closed."""
        await self._to_relay.put(data)

    async def receive(self) -> bytes:
        """The next frame from the relay. Raises ConnectionError once closed and empty."""
        return await self._to_client.get()

    async def close(self) -> None:
        """Hang up; again is harmless."""
        await self._to_relay.close()
        await self._to_client.close()

    def relay_end(self) -> LocalTransport:
        """The other end, for `Relay.serve`."""
        return LocalTransport(self, self._to_relay, self._to_client)


class LocalTransport:
    """The relay's end, a `server.relay.Transport`."""

    def __init__(self, client: LocalConnection, incoming: _Pipe, outgoing: _Pipe) -> None:
        self._client = client
        self._incoming = incoming
        self._outgoing = outgoing

    async def receive(self) -> bytes | None:
        """See `server.relay.Transport`."""
        try:
            return await self._incoming.get()
        except ConnectionError:
            return None

    async def send(self, data: bytes) -> None:
        """See `server.relay.Transport`."""
        await self._outgoing.put(data)

    async def close(self, reason: str) -> None:
        """See `server.relay.Transport`; the reason went before, in a Goodbye."""
        await self._client.close()
