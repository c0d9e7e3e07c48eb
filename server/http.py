"""The request/response resources of `protocol.resources`: parse, ask a decision, encode. No decision of its own."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from domain.identifiers import AccountId, BlobId
from protocol.limits import MAX_BLOB_BYTES
from protocol.resources import ExpertPreferences, Health, KeyDocument, LoginRequest
from server.authentication import Authentication, live_session, rights_of
from server.directory import Directory, search_of
from server.errors import RequestRefused
from server.keys import VerifyServiceKey, document_for, publish
from server.ports import AuditEntry, Blobs, Clock, Ledger, SessionRecord, Store
from server.relay import Relay
from server.service import ANSWER
from server.throttle import Throttle
from server.times import iso

T = TypeVar("T")

VERSION = "0.1.0"
MAX_BODY_BYTES = 256 * 1024
"""A JSON body: a login is about 10 kB, a service key with a hundred wraps about 200 kB."""

_HEX_64 = re.compile(r"[0-9a-f]{64}")
_encode = msgspec.json.Encoder().encode


class BlobResponse(FileResponse):
    """A blob, with Range; a thread reads a megabyte at a time."""

    chunk_size = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Http:
    """The handlers and what they ask."""

    store: Store
    clock: Clock
    authentication: Authentication
    verify_service_key: VerifyServiceKey
    directory: Directory
    blobs: Blobs
    relay: Relay
    throttle: Throttle

    # Authentication

    async def challenge(self, request: Request) -> Response:
        """POST /v1/auth/challenge."""
        self._throttle(request)
        return _json(await self.store.transact(partial(self.authentication.challenge, now=self.clock.now())), 201)

    async def open_session(self, request: Request) -> Response:
        """POST /v1/auth/session."""
        self._throttle(request)
        login = await _body(request, LoginRequest)
        now = self.clock.now()
        verified = await asyncio.to_thread(self.authentication.check, login, now)
        work = partial(self.authentication.open, login=verified, request=login, now=now)
        return _json(await self.store.transact(work), 201)

    async def close_session(self, request: Request) -> Response:
        """DELETE /v1/auth/session."""
        session = await self._session(request)
        work = partial(self.authentication.close, session=session, now=self.clock.now())
        await self.store.transact(work)
        self.relay.end_session(session.token_hash)
        return Response(status_code=204)

    # Directory

    async def search(self, request: Request) -> Response:
        """GET /v1/directory."""
        await self._session(request)
        if not self.directory.is_ready:
            raise RequestRefused("not-ready")
        query = request.query_params
        search = search_of(
            query.get("q", ""),
            experts=query.get("experts", "") in ("1", "true"),
            departement=query.get("departement", ""),
            specialite=query.get("specialite", ""),
            page=_page_number(query.get("page", "1")),
        )
        found = self.directory.find(search)
        return _json(await self.store.read(lambda view: self.directory.page(view, search, found)))

    async def entry(self, request: Request) -> Response:
        """GET /v1/directory/{account}."""
        await self._session(request)
        entry = await self.store.read(lambda view: view.entry(_account(request)))
        if entry is None:
            raise RequestRefused("not-found")
        return _json(entry)

    async def put_preferences(self, request: Request) -> Response:
        """PUT /v1/directory/{account}/preferences."""
        session = await self._session(request)
        preferences = await _body(request, ExpertPreferences)
        work = partial(_set_preferences, session=session, account=_account(request), preferences=preferences)
        await self.store.transact(partial(work, at=iso(self.clock.now())))
        return Response(status_code=204)

    # Keys

    async def key_document(self, request: Request) -> Response:
        """GET /v1/keys/{account}."""
        session = await self._session(request)
        return _json(await self.store.read(lambda view: document_for(view, _account(request), session.account)))

    async def put_key_document(self, request: Request) -> Response:
        """PUT /v1/keys/{account}: a service's; a person's devices are enrolled at login."""
        session = await self._session(request)
        document = await _body(request, KeyDocument)
        if document.account != _account(request):
            raise RequestRefused("malformed")
        work = partial(publish, document=document, session=session, verify=self.verify_service_key)
        await self.store.transact(partial(work, at=iso(self.clock.now())))
        return Response(status_code=204)

    # Blobs

    async def blob(self, request: Request) -> Response:
        """HEAD and GET /v1/blobs/{blob}."""
        await self._session(request)
        path = self.blobs.path(_blob(request))
        if path is None:
            raise RequestRefused("not-found")
        return BlobResponse(path, media_type="application/octet-stream")

    async def put_blob(self, request: Request) -> Response:
        """PUT /v1/blobs/{blob}: 201 when stored, 204 when it already was."""
        session = await self._session(request)
        blob = _blob(request)
        if int(request.headers.get("content-length", "0")) > MAX_BLOB_BYTES:
            raise RequestRefused("too-large")
        if await self.store.read(lambda view: view.has_blob(blob)):
            return Response(status_code=204)
        size = await self.blobs.put(blob, _chunks(request))
        entry = AuditEntry(at=iso(self.clock.now()), actor=session.account, action="blob", subject=blob)
        await self.store.transact(partial(_note_blob, blob=blob, size_bytes=size, entry=entry))
        return Response(status_code=201)

    # Health

    async def livez(self, request: Request) -> Response:
        """GET /v1/livez: the process answers."""
        return _json(Health("ok", VERSION))

    async def readyz(self, request: Request) -> Response:
        """GET /v1/readyz: the store answers and the directory is indexed."""
        await self.store.read(lambda view: view.generation())
        return _json(Health("ok", VERSION)) if self.directory.is_ready else _json(Health("starting", VERSION), 503)

    def _throttle(self, request: Request) -> None:
        address = request.client.host if request.client else ""
        if not self.throttle.admits(address, self.clock.now()):
            raise RequestRefused("too-many-requests")

    async def _session(self, request: Request) -> SessionRecord:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise RequestRefused("unauthenticated")
        now = self.clock.now()
        return await self.store.read(lambda view: live_session(view, token, now))


def problem(error: RequestRefused) -> Response:
    """An error's answer."""
    headers = {"Retry-After": "1"} if error.status in (429, 503) else None
    body = _encode({"code": error.code, "detail": error.detail})
    return Response(body, error.status, headers, "application/problem+json")


def _set_preferences(
    ledger: Ledger, *, session: SessionRecord, account: AccountId, preferences: ExpertPreferences, at: str
) -> None:
    if ANSWER not in rights_of(ledger, session.account).get(account, ()):
        raise RequestRefused("not-permitted")
    ledger.put_preferences(account, preferences)
    ledger.audit(AuditEntry(at=at, actor=session.account, action="preferences", subject=account))


def _note_blob(ledger: Ledger, *, blob: BlobId, size_bytes: int, entry: AuditEntry) -> None:
    ledger.add_blob(blob, size_bytes)
    ledger.audit(entry)


def _json(value: object, status: int = 200) -> Response:
    return Response(_encode(value), status, media_type="application/json")


async def _body(request: Request, kind: type[T]) -> T:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise RequestRefused("too-large")
    try:
        return msgspec.json.decode(bytes(body), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RequestRefused("malformed") from error


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        if chunk:
            yield chunk


def _account(request: Request) -> AccountId:
    return AccountId(request.path_params["account"])


def _blob(request: Request) -> BlobId:
    blob = request.path_params["blob"]
    if not _HEX_64.fullmatch(blob):
        raise RequestRefused("malformed")
    return BlobId(blob)


def _page_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 6):
        raise RequestRefused("malformed")
    return int(text)
