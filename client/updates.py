"""What a session announces. Past participles; a front end folds them into what it shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from client.views import (
    CaseView,
    DirectoryView,
    DraftView,
    FinalisationView,
    LoginView,
    MailboxView,
    PatientRow,
    PreferencesView,
    ShellView,
)


class Severity(StrEnum):
    """How loudly to say it."""

    INFORMATION = "information"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Update:
    """Something a session announces."""


@dataclass(frozen=True, slots=True)
class LoginChanged(Update):
    """The door moved. `view.phase` OPEN means the desk is usable."""

    view: LoginView


@dataclass(frozen=True, slots=True)
class ShellChanged(Update):
    """Connection, pending count or identity changed."""

    view: ShellView


@dataclass(frozen=True, slots=True)
class MailboxChanged(Update):
    """The list or the counters changed."""

    view: MailboxView


@dataclass(frozen=True, slots=True)
class CaseChanged(Update):
    """A case to show, or the open one with something new."""

    view: CaseView
    preview: bool = False
    """The answer to PreviewCase: beside the list only, nothing was marked as seen."""


@dataclass(frozen=True, slots=True)
class DirectoryFound(Update):
    """The answer to SearchDirectory."""

    view: DirectoryView


@dataclass(frozen=True, slots=True)
class PatientsFound(Update):
    """The answer to SearchPatients."""

    query: str
    rows: tuple[PatientRow, ...]


@dataclass(frozen=True, slots=True)
class DraftChanged(Update):
    """A draft was opened, or its warnings changed."""

    view: DraftView


@dataclass(frozen=True, slots=True)
class RequestStarted(Update):
    """The request left the form: it is kept, and goes as soon as the relay answers."""

    draft: str
    case: str


@dataclass(frozen=True, slots=True)
class FinalisationPrepared(Update):
    """The answer to PrepareFinalisation."""

    view: FinalisationView


@dataclass(frozen=True, slots=True)
class CaseFinalised(Update):
    """The synthesis is made and the event is on its way."""

    case: str


@dataclass(frozen=True, slots=True)
class FileSaved(Update):
    """A file was written: attachment, synthesis or export."""

    path: str
    what: str
    """`attachment`, `synthese` or `export`."""
    rows: int = 0
    """Of an export."""


@dataclass(frozen=True, slots=True)
class PreferencesChanged(Update):
    """One's sheet as an expert."""

    view: PreferencesView


@dataclass(frozen=True, slots=True)
class TransferProgressed(Update):
    """A file is on its way; `done` of `total` bytes."""

    name: str
    done: int
    total: int
    upload: bool


@dataclass(frozen=True, slots=True)
class IntentRefused(Update):
    """The session will not do it; nothing changed and nothing typed is lost. `reason` in French, says what to do."""

    intent: str
    reason: str


@dataclass(frozen=True, slots=True)
class Noticed(Update):
    """Something to tell, in French."""

    text: str
    severity: Severity = Severity.INFORMATION
    case: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeSent(Update):
    """The composer's text is kept in the outbox: the composer may be emptied."""

    case: str


@dataclass(frozen=True, slots=True)
class SessionEnded(Update):
    """The session died; `reason` in French. What was typed is kept in drafts."""

    reason: str
