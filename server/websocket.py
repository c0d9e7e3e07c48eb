"""An ASGI websocket as the pump's transport: binary messages only, one frame each."""

from __future__ import annotations

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from server.relay import Relay


class WebSocketTransport:
    """A `server.relay.Transport`."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def receive(self) -> bytes | None:
        """See `server.relay.Transport`. A text message is no frame: it is handed on and refused by the codec."""
        message = await self._socket.receive()
        if message["type"] != "websocket.receive":
            return None
        data: bytes | None = message.get("bytes")
        return data if data is not None else b""

    async def send(self, data: bytes) -> None:
        """See `server.relay.Transport`."""
        try:
            await self._socket.send({"type": "websocket.send", "bytes": data})
        except (WebSocketDisconnect, RuntimeError, OSError) as error:
            raise ConnectionError("gone") from error

    async def close(self, reason: str) -> None:
        """See `server.relay.Transport`; the reason went before, in a Goodbye."""
        if self._socket.application_state is WebSocketState.CONNECTED:
            try:
                await self._socket.close(1000 if not reason else 1008)
            except (WebSocketDisconnect, RuntimeError, OSError) as error:
                raise ConnectionError("gone") from error


async def serve_stream(socket: WebSocket, relay: Relay) -> None:
    """Accept a websocket and pump it to the end.

    A browser's page may not use it (ASVS 4.4.2): no client of ours sends an Origin.
    """
    if "origin" in socket.headers:
        await socket.close(1008)
        return
    await socket.accept()
    await relay.serve(WebSocketTransport(socket))
