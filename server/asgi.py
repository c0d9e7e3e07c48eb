"""The relay as an ASGI application: routes, one place where errors become answers, one access line per request."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from server.errors import RequestRefused, StorageFull
from server.http import Http, problem
from server.relay import Relay
from server.websocket import serve_stream

Handler = Callable[[Request], Awaitable[Response]]

_log = logging.getLogger("server.http")


def create_app(http: Http, relay: Relay) -> Starlette:
    """The application; whoever runs it starts and stops the relay itself (`server.bootstrap.RelayApp`)."""

    async def stream(socket: WebSocket) -> None:
        await serve_stream(socket, relay)

    def route(path: str, method: str, handler: Handler) -> Route:
        return Route(path, _guarded(handler, path), methods=[method])

    return Starlette(
        routes=[
            route("/v1/auth/challenge", "POST", http.challenge),
            route("/v1/auth/session", "POST", http.open_session),
            route("/v1/auth/session", "DELETE", http.close_session),
            route("/v1/directory", "GET", http.search),
            route("/v1/directory/{account:path}/preferences", "PUT", http.put_preferences),
            route("/v1/directory/{account:path}", "GET", http.entry),
            route("/v1/keys/{account:path}", "GET", http.key_document),
            route("/v1/keys/{account:path}", "PUT", http.put_key_document),
            route("/v1/blobs/{blob}", "GET", http.blob),
            route("/v1/blobs/{blob}", "PUT", http.put_blob),
            route("/v1/livez", "GET", http.livez),
            route("/v1/readyz", "GET", http.readyz),
            WebSocketRoute("/v1/stream", stream),
        ],
        exception_handlers={404: _not_found, 405: _not_found},
    )


def _guarded(handler: Handler, path: str) -> Handler:
    """Answer every failure with a `Problem` and log the route, never the query nor the account."""

    async def guarded(request: Request) -> Response:
        response = await _answer(handler, request)
        fields = {"method": request.method, "route": path, "status": response.status_code}
        _log.info("request", extra={"fields": fields})
        return response

    return guarded


async def _answer(handler: Handler, request: Request) -> Response:
    try:
        return await handler(request)
    except RequestRefused as error:
        return problem(error)
    except StorageFull:
        return problem(RequestRefused("storage-full"))
    except ClientDisconnect:
        return problem(RequestRefused("malformed"))
    except Exception:  # noqa: BLE001 - the last net: logged, answered, and the relay stays up
        _log.exception("request_failed")
        return problem(RequestRefused("internal"))


async def _not_found(request: Request, error: Exception) -> Response:
    return problem(RequestRefused("not-found"))
