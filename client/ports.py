"""What the desk needs of the world. Adapters stand behind these; fakes only in unit tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Protocol

from client.effects import Write
from client.model import Snapshot
from domain.activity import ActivityRow
from domain.events import Recorded
from domain.messages import Attachment
from domain.synthesis import SynthesisContent
from protocol.resources import (
    Challenge,
    DirectoryEntry,
    ExpertPreferences,
    KeyDocument,
    LoginRequest,
    SearchPage,
    Session,
)


class RelayUnreachable(Exception):
    """No answer from the relay; `reason` in French."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class RelayRefusal(Exception):
    """The relay answered no; `code` is `Problem.code`, `status` the HTTP status."""

    def __init__(self, status: int, code: str, detail: str = "") -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code
        self.detail = detail


class Store(Protocol):
    """The local database: sealed at rest, one transaction per `apply`. Calls block; the session calls in a thread."""

    def load(self) -> Snapshot:
        """Everything the machine keeps in memory."""

    def apply(self, writes: Sequence[Write]) -> None:
        """Durably apply all or nothing. Raises OSError when the disk is full or unwritable."""

    def case_events(self, case: str) -> list[Recorded]:
        """The delivered facts of a case, in stream order."""

    def close(self) -> None:
        """Release the file."""


class StreamConnection(Protocol):
    """An open websocket, or its stand-in."""

    async def send(self, data: bytes) -> None:
        """Send one frame. Raises RelayUnreachable."""

    async def receive(self) -> bytes:
        """Next frame. Raises RelayUnreachable when the connection ends."""

    async def close(self) -> None:
        """Close, harmless twice."""


class Relay(Protocol):
    """The relay's resources (protocol.resources). Every call may raise RelayUnreachable or RelayRefusal."""

    @property
    def audience(self) -> str:
        """The address this desk was told to speak to: what a login names, whatever the relay says of itself."""

    async def challenge(self) -> Challenge: ...

    async def open_session(self, request: LoginRequest) -> Session: ...

    async def close_session(self, token: str) -> None: ...

    async def search(
        self, token: str, *, query: str, filters: Mapping[str, str], experts: bool, page: int
    ) -> SearchPage: ...

    async def entry(self, token: str, account: str) -> DirectoryEntry: ...

    async def save_preferences(self, token: str, account: str, preferences: ExpertPreferences) -> None: ...

    async def keys(self, token: str, account: str) -> KeyDocument: ...

    async def publish_keys(self, token: str, document: KeyDocument) -> None: ...

    async def upload(self, token: str, blob: str, path: Path, progress: Callable[[int, int], None]) -> None: ...

    def download(self, token: str, blob: str) -> AsyncIterator[bytes]: ...

    async def connect(self) -> StreamConnection: ...

    async def close(self) -> None: ...


class FileBox(Protocol):
    """Attachments on this machine: sealed copies waiting to leave, clear copies the user asks for. Calls block."""

    def seal_file(self, path: str) -> Attachment:
        """Seal a file of the user's into the box. Raises client.errors.AttachmentError."""

    def seal_bytes(self, name: str, media_type: str, content: bytes, kind: str) -> Attachment:
        """Seal bytes made here (the synthesis)."""

    def sealed_path(self, blob: str) -> Path | None:
        """Where the sealed blob lies, if it is here."""

    def store_sealed(self, blob: str, chunks: Sequence[bytes]) -> Path:
        """Keep a fetched blob whose digest is `blob`. Raises client.errors.AttachmentError otherwise."""

    def open_to(self, attachment: Attachment, directory: str) -> Path:
        """Open a sealed blob into `directory` under a safe name, hash verified before the file appears."""


class Vault(Protocol):
    """Device secrets at rest."""

    kind: str
    """In French: where the secrets rest."""

    def public_part(self, account: str) -> bytes | None:
        """What may be read before unlocking (enrolment, salt), or None on a new machine."""

    def open(self, account: str, wrapping_key: bytes) -> bytes:
        """The secrets. Raises crypto.errors.DecryptionFailed."""

    def save(self, account: str, public_part: bytes, wrapping_key: bytes, secrets: bytes) -> None:
        """Replace atomically."""


class World(Protocol):
    """Clock and chance."""

    def now(self) -> datetime:
        """UTC."""

    def random(self, size: int) -> bytes:
        """Fresh bytes."""


class Documents(Protocol):
    """Files made for people. Calls block."""

    zone: tzinfo
    """Where civil dates are read."""

    def synthesis(self, content: SynthesisContent) -> bytes:
        """The PDF (F05)."""

    def export(self, rows: Sequence[ActivityRow], *, format: str, path: str) -> Path:  # noqa: A002 - the user's word
        """Write XLSX or CSV (G09); returns where."""
