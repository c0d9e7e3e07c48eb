"""The relay over HTTPS (httpx) and one websocket (websockets), TLS 1.3 only. Libraries load at first use.

Whatever happens on the network becomes RelayUnreachable (try later) or RelayRefusal (the relay said no).
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

import msgspec

from client.i18n import _
from client.ports import RelayRefusal, RelayUnreachable
from protocol.limits import MAX_FRAME_BYTES
from protocol.resources import (
    Challenge,
    DirectoryEntry,
    ExpertPreferences,
    KeyDocument,
    LoginRequest,
    Problem,
    SearchPage,
    Session,
)

if TYPE_CHECKING:
    import httpx
    from websockets.asyncio.client import ClientConnection

T = TypeVar("T")

CHUNK_BYTES = 256 * 1024
TIMEOUT_S = 10.0
TRANSFER_TIMEOUT_S = 60.0
_AWAY = frozenset({502, 503, 504})
"""Not a decision about this user: a relay that starts or is too busy must not keep a desk from opening offline."""


class HttpsRelay:
    """See `client.ports.Relay`."""

    def __init__(
        self,
        url: str,
        ca_file: Path | None,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """Speak to one relay.

        Args:
            url: `https://host:port`.
            ca_file: PEM of a private authority, None for the system's.
            transport: stands in for the network (a relay in this process).
        """
        self._url = url.rstrip("/")
        self._ca_file = ca_file
        self._transport = transport
        self._client: httpx.AsyncClient | None = None
        self._tls: ssl.SSLContext | None = None

    @property
    def audience(self) -> str:
        return self._url

    # --- resources ------------------------------------------------------------------------------------------

    async def challenge(self) -> Challenge:
        return await self._ask("POST", "/v1/auth/challenge", Challenge)

    async def open_session(self, request: LoginRequest) -> Session:
        return await self._ask("POST", "/v1/auth/session", Session, body=request)

    async def close_session(self, token: str) -> None:
        await self._call("DELETE", "/v1/auth/session", token=token)

    async def search(
        self, token: str, *, query: str, filters: Mapping[str, str], experts: bool, page: int
    ) -> SearchPage:
        params = {"q": query, "experts": "1" if experts else "0", "page": str(page), **filters}
        return await self._ask("GET", "/v1/directory", SearchPage, token=token, params=params)

    async def entry(self, token: str, account: str) -> DirectoryEntry:
        return await self._ask("GET", f"/v1/directory/{quote(account, safe='')}", DirectoryEntry, token=token)

    async def save_preferences(self, token: str, account: str, preferences: ExpertPreferences) -> None:
        await self._call("PUT", f"/v1/directory/{quote(account, safe='')}/preferences", token=token, body=preferences)

    async def keys(self, token: str, account: str) -> KeyDocument:
        return await self._ask("GET", f"/v1/keys/{quote(account, safe='')}", KeyDocument, token=token)

    async def publish_keys(self, token: str, document: KeyDocument) -> None:
        await self._call("PUT", f"/v1/keys/{quote(document.account, safe='')}", token=token, body=document)

    async def upload(self, token: str, blob: str, path: Path, progress: Callable[[int, int], None]) -> None:
        """Stream a sealed file up; a blob the relay already holds costs one question."""
        if await self._holds(token, blob):
            return
        size = path.stat().st_size  # noqa: ASYNC240 - one local stat

        async def chunks() -> AsyncIterator[bytes]:
            done = 0
            with path.open("rb") as file:
                while chunk := file.read(CHUNK_BYTES):
                    yield chunk
                    done += len(chunk)
                    progress(done, size)

        await self._call(
            "PUT", f"/v1/blobs/{blob}", token=token, content=chunks(), headers={"Content-Length": str(size)}
        )

    async def _holds(self, token: str, blob: str) -> bool:
        try:
            await self._call("HEAD", f"/v1/blobs/{blob}", token=token)
        except RelayRefusal as refusal:
            if refusal.status == 404:
                return False
            raise
        return True

    async def download(self, token: str, blob: str) -> AsyncIterator[bytes]:
        import httpx

        client = self._http()
        try:
            async with client.stream("GET", f"/v1/blobs/{blob}", headers=_bearer(token)) as response:
                if response.status_code >= 400:
                    raise _refusal(response.status_code, await response.aread())
                async for chunk in response.aiter_bytes(CHUNK_BYTES):
                    yield chunk
        except (httpx.RequestError, OSError) as error:
            raise RelayUnreachable(_reason(error)) from error

    # --- the stream -----------------------------------------------------------------------------------------

    async def connect(self) -> WebsocketConnection:
        """Open the stream; the first frame to send is Hello."""
        from websockets.asyncio.client import connect
        from websockets.exceptions import WebSocketException

        try:
            socket = await connect(
                self._url.replace("https://", "wss://", 1) + "/v1/stream",
                ssl=self._context(),
                max_size=MAX_FRAME_BYTES,
                compression=None,
                ping_interval=15,
                ping_timeout=15,
                open_timeout=TIMEOUT_S,
                proxy=None,
            )
        except (OSError, TimeoutError, WebSocketException) as error:
            raise RelayUnreachable(_reason(error)) from error
        return WebsocketConnection(socket)

    async def close(self) -> None:
        """Release the pool."""
        if self._client is not None:
            await self._client.aclose()

    # --- plumbing -------------------------------------------------------------------------------------------

    async def _ask(
        self,
        method: str,
        path: str,
        type_: type[T],
        *,
        token: str = "",
        body: object = None,
        params: Mapping[str, str] | None = None,
    ) -> T:
        answer = await self._call(method, path, token=token, body=body, params=params)
        try:
            return msgspec.json.decode(answer, type=type_)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise RelayUnreachable(_("le serveur a répondu autre chose que prévu (portail captif ?)")) from error

    async def _call(
        self,
        method: str,
        path: str,
        *,
        token: str = "",
        body: object = None,
        params: Mapping[str, str] | None = None,
        content: AsyncIterator[bytes] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> bytes:
        import httpx

        sent = msgspec.json.encode(body) if body is not None else content
        timeout = TRANSFER_TIMEOUT_S if content is not None else TIMEOUT_S
        try:
            response = await self._http().request(
                method,
                path,
                content=sent,
                params=params,
                headers={**_bearer(token), **(headers or {})},
                timeout=timeout,
            )
        except (httpx.RequestError, OSError) as error:
            raise RelayUnreachable(_reason(error)) from error
        if response.status_code >= 400:
            raise _refusal(response.status_code, response.content)
        return response.content

    def _http(self) -> httpx.AsyncClient:
        if self._client is None:
            import httpx

            verify = self._context() if self._transport is None else True
            self._client = httpx.AsyncClient(
                base_url=self._url, verify=verify, timeout=TIMEOUT_S, trust_env=False, transport=self._transport
            )
        return self._client

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            try:
                self._tls = ssl.create_default_context(cafile=self._ca_file)
            except OSError as error:
                raise RelayUnreachable(
                    _("le certificat de l'autorité ({path}) manque").format(path=self._ca_file)
                ) from error
            self._tls.minimum_version = ssl.TLSVersion.TLSv1_3
        return self._tls


class WebsocketConnection:
    """See `client.ports.StreamConnection`."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    async def send(self, data: bytes) -> None:
        """One binary frame."""
        from websockets.exceptions import ConnectionClosed

        try:
            await self._socket.send(data)
        except ConnectionClosed as error:
            raise RelayUnreachable(_("connexion interrompue")) from error

    async def receive(self) -> bytes:
        """The next binary frame."""
        from websockets.exceptions import ConnectionClosed

        try:
            data = await self._socket.recv(decode=False)
        except ConnectionClosed as error:
            raise RelayUnreachable(_("connexion interrompue")) from error
        return bytes(data)

    async def close(self) -> None:
        """Harmless twice."""
        await self._socket.close()


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"} if token else {}


def _refusal(status: int, body: bytes) -> RelayRefusal | RelayUnreachable:
    try:
        problem = msgspec.json.decode(body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if status == 404:
            return RelayRefusal(status, "not-found")
        return RelayUnreachable(_("le serveur a répondu une erreur {status}").format(status=status))
    if status in _AWAY:
        return RelayUnreachable(_("le serveur n'est pas prêt ({code})").format(code=problem.code))
    return RelayRefusal(status, problem.code, problem.detail)


def _reason(error: BaseException) -> str:
    text = str(error).lower()
    if (
        isinstance(error.__cause__, ssl.SSLError)
        or isinstance(error, ssl.SSLError)
        or "certificate" in text
        or "ssl" in text
    ):
        return _("le certificat du serveur n'est pas celui attendu")
    if isinstance(error, TimeoutError) or "timed out" in text or "timeout" in type(error).__name__.lower():
        return _("le serveur ne répond pas à temps")
    return _("serveur injoignable")
