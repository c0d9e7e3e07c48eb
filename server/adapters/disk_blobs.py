"""Sealed attachments as files named by their digest: written beside, hashed on the way, synced, then renamed.

A file under its final name is therefore always whole and always what its name says.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import itertools
import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

from domain.identifiers import BlobId
from protocol.limits import MAX_BLOB_BYTES
from server.errors import RequestRefused

WRITE_BYTES = 1024 * 1024
"""How much is gathered before a thread hashes and writes it: a hop a megabyte."""
RESERVE_BYTES = 64 * 1024 * 1024
"""Room that attachments leave to events, so that a full disk stops uploads before messages."""
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class DiskBlobs:
    """A directory of blobs, two levels deep."""

    def __init__(self, directory: Path, *, reserve_bytes: int = RESERVE_BYTES) -> None:
        self._directory = directory
        self._reserve_bytes = reserve_bytes
        self._incoming = directory / "incoming"
        self._numbers = itertools.count(1)
        shutil.rmtree(self._incoming, ignore_errors=True)
        self._incoming.mkdir(parents=True)

    def path(self, blob: BlobId) -> Path | None:
        """Where the bytes are, or None."""
        path = self._place(blob)
        return path if path.is_file() else None

    async def put(self, blob: BlobId, chunks: AsyncIterator[bytes]) -> int:
        """See `server.ports.Blobs`."""
        if shutil.disk_usage(self._directory).free < self._reserve_bytes:
            raise RequestRefused("storage-full")
        incoming = self._incoming / f"{next(self._numbers)}.part"
        try:
            return await self._write(incoming, blob, chunks)
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise RequestRefused("storage-full") from error
            raise
        finally:
            incoming.unlink(missing_ok=True)

    async def _write(self, incoming: Path, blob: BlobId, chunks: AsyncIterator[bytes]) -> int:
        digest, size = hashlib.sha256(), 0
        with incoming.open("xb") as file:
            async for piece in _gathered(chunks):
                size += len(piece)
                if size > MAX_BLOB_BYTES:
                    raise RequestRefused("too-large")
                await asyncio.to_thread(_absorb, file, digest, piece)
            if digest.hexdigest() != blob:
                raise RequestRefused("digest-mismatch")
            await asyncio.to_thread(_settle, file, incoming, self._place(blob))
        return size

    def _place(self, blob: BlobId) -> Path:
        return self._directory / blob[:2] / blob


async def _gathered(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same bytes in pieces of about WRITE_BYTES."""
    held: list[bytes] = []
    size = 0
    async for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= WRITE_BYTES:
            yield b"".join(held)
            held, size = [], 0
    if held:
        yield b"".join(held)


def _absorb(file: BinaryIO, digest: hashlib._Hash, piece: bytes) -> None:
    digest.update(piece)
    file.write(piece)


def _settle(file: BinaryIO, incoming: Path, place: Path) -> None:
    """Make the bytes durable, then the name."""
    file.flush()
    os.fsync(file.fileno())
    place.parent.mkdir(exist_ok=True)
    incoming.rename(place)
    for directory in (place.parent, place.parent.parent):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
