"""Everything that can happen to the machine. Past participles, with instant and chance already inside."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from client.intents import Intent
from domain.events import Recorded
from domain.identifiers import AccountId
from domain.messages import Attachment
from protocol.frames import ServerFrame
from protocol.resources import DirectoryEntry, ExpertPreferences, KeyDocument, SearchPage


@dataclass(frozen=True, slots=True)
class IntentSubmitted:
    """A user asked."""

    intent: Intent
    at: datetime


@dataclass(frozen=True, slots=True)
class TransportConnecting:
    """The shell is trying."""


@dataclass(frozen=True, slots=True)
class TransportLost:
    """The stream is down; `reason` in French."""

    reason: str


@dataclass(frozen=True, slots=True)
class FrameReceived:
    """The relay said something; Welcome means the stream is up."""

    frame: ServerFrame
    at: datetime


@dataclass(frozen=True, slots=True)
class CaseLoaded:
    """The facts of a case, from the store."""

    case: str
    facts: tuple[Recorded, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class KeysFetched:
    """The relay's answer; `document` None means unknown account (`definitive`) or no answer now."""

    account: AccountId
    document: KeyDocument | None
    definitive: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class EntryFetched:
    """A directory sheet, or None."""

    account: AccountId
    entry: DirectoryEntry | None


@dataclass(frozen=True, slots=True)
class DirectoryAnswered:
    """A page of results, or why there is none (French)."""

    query: str
    filters: tuple[tuple[str, str], ...]
    experts_only: bool
    page: SearchPage | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class FilesSealed:
    """Files are sealed and wait in the box."""

    token: str
    attachments: tuple[Attachment, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class FilesFailed:
    """One could not be; `reason` in French."""

    token: str
    reason: str


@dataclass(frozen=True, slots=True)
class Uploaded:
    """The relay holds the blob durably."""

    blob: str


@dataclass(frozen=True, slots=True)
class UploadFailed:
    """The relay does not hold the blob; `reason` in French, `definitive` when trying again is useless."""

    blob: str
    reason: str
    definitive: bool


@dataclass(frozen=True, slots=True)
class Ticked:
    """Some time passed with acts still waiting."""

    at: datetime


@dataclass(frozen=True, slots=True)
class PreferencesSaved:
    """The relay holds the sheet."""

    account: AccountId
    preferences: ExpertPreferences


@dataclass(frozen=True, slots=True)
class WorldRefused:
    """Something asked of the world did not happen; `reason` in French."""

    intent: str
    reason: str


Input = (
    IntentSubmitted
    | TransportConnecting
    | TransportLost
    | FrameReceived
    | CaseLoaded
    | KeysFetched
    | EntryFetched
    | DirectoryAnswered
    | FilesSealed
    | FilesFailed
    | Uploaded
    | UploadFailed
    | Ticked
    | PreferencesSaved
    | WorldRefused
)
