"""A relay in this very process: the same requests through ASGI, the same frames through a pipe. For seeds and tests."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Protocol

from client.adapters.https_relay import HttpsRelay
from client.i18n import _
from client.ports import RelayUnreachable
from protocol.resources import LoginRequest, Session


class Pipe(Protocol):
    """The client's end of a local connection; raises ConnectionError once closed."""

    async def send(self, data: bytes) -> None: ...

    async def receive(self) -> bytes: ...

    async def close(self) -> None: ...


class LocalRelay(HttpsRelay):
    """See `client.ports.Relay`; `application` is ASGI, `open_pipe` gives the stream of a session's token."""

    def __init__(self, application: Any, open_pipe: Callable[[str], Awaitable[Pipe]]) -> None:
        import httpx

        super().__init__("https://relay.invalid", None, transport=httpx.ASGITransport(application))
        self._open_pipe = open_pipe
        self._token = ""

    async def open_session(self, request: LoginRequest) -> Session:
        """Open a session, and remember which for the stream."""
        session = await super().open_session(request)
        self._token = session.token
        return session

    async def connect(self) -> LocalConnection:  # type: ignore[override]
        """Open the stream."""
        try:
            return LocalConnection(await self._open_pipe(self._token))
        except ConnectionError as error:
            raise RelayUnreachable(_("serveur injoignable")) from error


class LocalConnection:
    """See `client.ports.StreamConnection`."""

    def __init__(self, pipe: Pipe) -> None:
        self._pipe = pipe

    async def send(self, data: bytes) -> None:
        """One frame."""
        try:
            await self._pipe.send(data)
        except ConnectionError as error:
            raise RelayUnreachable(_("connexion interrompue")) from error

    async def receive(self) -> bytes:
        """The next frame."""
        try:
            return await self._pipe.receive()
        except ConnectionError as error:
            raise RelayUnreachable(_("connexion interrompue")) from error

    async def close(self) -> None:
        """Harmless twice."""
        await self._pipe.close()
