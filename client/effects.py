"""Everything the machine asks of the world. Within one step: persist, then transmit, then publish (R10)."""

from __future__ import annotations

from dataclasses import dataclass

from client.model import CaseSummary, PendingAct, StoredDraft, TrustedKeys
from client.updates import Update
from domain.events import Recorded
from domain.identifiers import AccountId, EventId
from domain.messages import Attachment
from domain.synthesis import SynthesisContent
from protocol.frames import ClientFrame
from protocol.resources import ActingAccount, DirectoryEntry, ExpertPreferences

# --- writes: rows of the local database ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PutFact:
    """A delivered fact, with the cursor it moves and the summary it makes."""

    stream: AccountId
    recorded: Recorded
    kind: str
    letter: bytes


@dataclass(frozen=True, slots=True)
class PutCursor:
    """The last position held of a stream."""

    stream: AccountId
    position: int


@dataclass(frozen=True, slots=True)
class PutSummary:
    """A case's line."""

    summary: CaseSummary


@dataclass(frozen=True, slots=True)
class PutPending:
    """An act on its way."""

    act: PendingAct


@dataclass(frozen=True, slots=True)
class DropPending:
    """It came back, or was refused."""

    event_id: EventId


@dataclass(frozen=True, slots=True)
class PutKeys:
    """Verified keys of an account."""

    keys: TrustedKeys


@dataclass(frozen=True, slots=True)
class PutEntry:
    """A directory sheet met."""

    entry: DirectoryEntry


@dataclass(frozen=True, slots=True)
class PutDraft:
    """A request being written."""

    draft: StoredDraft


@dataclass(frozen=True, slots=True)
class DropDraft:
    """Sent or thrown away."""

    draft: str


@dataclass(frozen=True, slots=True)
class PutComposer:
    """An unsent text; empty forgets it."""

    case: str
    text: str


@dataclass(frozen=True, slots=True)
class PutSetting:
    """A small fact of this machine."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class PutAccounts:
    """The acting accounts of the session."""

    accounts: tuple[ActingAccount, ...]


@dataclass(frozen=True, slots=True)
class PutQuarantine:
    """A delivered event that could not be believed: kept, never deleted, never shown as true."""

    stream: AccountId
    position: int
    frame: bytes
    reason: str


Write = (
    PutFact
    | PutCursor
    | PutSummary
    | PutPending
    | DropPending
    | PutKeys
    | PutEntry
    | PutDraft
    | DropDraft
    | PutComposer
    | PutSetting
    | PutAccounts
    | PutQuarantine
)

# --- effects ------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Persist:
    """Write durably, before anything is sent or shown."""

    writes: tuple[Write, ...]


@dataclass(frozen=True, slots=True)
class Transmit:
    """Send a frame if the stream is up; if not, it is in the outbox and goes at the next connection."""

    frame: ClientFrame


@dataclass(frozen=True, slots=True)
class Publish:
    """Tell the front end."""

    update: Update


@dataclass(frozen=True, slots=True)
class Disconnect:
    """The stream cannot be followed (a gap): connect again from the cursors."""

    reason: str


@dataclass(frozen=True, slots=True)
class LoadCase:
    """Read a case's facts; answered by CaseLoaded."""

    case: str


@dataclass(frozen=True, slots=True)
class FetchKeys:
    """Ask the relay for an account's keys; answered by KeysFetched."""

    account: AccountId


@dataclass(frozen=True, slots=True)
class FetchEntry:
    """Ask the relay for a directory sheet; answered by EntryFetched."""

    account: AccountId


@dataclass(frozen=True, slots=True)
class Search:
    """Ask the relay's directory; answered by DirectoryAnswered."""

    query: str
    filters: tuple[tuple[str, str], ...]
    experts_only: bool
    page: int


@dataclass(frozen=True, slots=True)
class SealFiles:
    """Seal the user's files; answered by FilesSealed or FilesFailed with the same token."""

    token: str
    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MakeSynthesis:
    """Make the PDF and seal it; answered by FilesSealed or FilesFailed."""

    token: str
    content: SynthesisContent
    name: str


@dataclass(frozen=True, slots=True)
class Upload:
    """Send a sealed blob; answered by Uploaded, or tried again at the next connection."""

    blob: str
    name: str = ""
    """What the user calls it."""


@dataclass(frozen=True, slots=True)
class DeliverFile:
    """Fetch, check and open an attachment for the user; publishes FileSaved by itself."""

    attachment: Attachment
    directory: str
    open_after: bool


@dataclass(frozen=True, slots=True)
class ExportActs:
    """Load finalised cases and write the export; publishes FileSaved by itself."""

    cases: tuple[CaseSummary, ...]
    role: str
    format: str
    date_debut: str
    date_fin: str
    path: str


@dataclass(frozen=True, slots=True)
class PublishPreferences:
    """Save one's expert sheet at the relay; answered by PreferencesSaved or WorldRefused."""

    account: AccountId
    preferences: ExpertPreferences


Effect = (
    Persist
    | Transmit
    | Publish
    | Disconnect
    | LoadCase
    | FetchKeys
    | FetchEntry
    | Search
    | SealFiles
    | MakeSynthesis
    | Upload
    | DeliverFile
    | ExportActs
    | PublishPreferences
)
