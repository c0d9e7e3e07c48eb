"""Everything a user can see, ready to draw: plain frozen words, no logic, nothing to ask anybody.

Texts written by others are already cleaned of control characters (client.untrusted); they are still not markup and
must never be parsed as such. Times are UTC ISO 8601; front ends say them in French form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from client.intents import DraftEntry, Folder


class LoginPhase(StrEnum):
    """Where the door stands."""

    NO_SERVICE = "no-service"
    NO_READER = "no-reader"
    NO_CARD = "no-card"
    CHOOSE_READER = "choose-reader"
    READING = "reading"
    CHOOSE_SITUATION = "choose-situation"
    ENTER_PIN = "enter-pin"
    CHECKING = "checking"
    CHOOSE_BILLING = "choose-billing"
    BLOCKED = "blocked"
    DEAD = "dead"
    UNSUPPORTED = "unsupported"
    REFUSED = "refused"
    """The relay refused the card; `message` says why."""
    OPEN = "open"


@dataclass(frozen=True, slots=True)
class Choice:
    """One line to choose among."""

    key: str
    label: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class LoginView:
    """The lock screen."""

    phase: LoginPhase
    holder: str = ""
    """`Dr Marie TOURNEVENT`, once the card is read."""
    card: str = ""
    """`CPS 0000000001`."""
    choices: tuple[Choice, ...] = ()
    """Readers, practice situations or billing situations, according to the phase."""
    tries_left: int | None = None
    message: str = ""
    """What went wrong and what to do next, in French; empty when all is well."""
    locked: bool = False
    """A session is open behind the cover: the same card resumes it."""


class Connection(StrEnum):
    """The relay, as seen from here."""

    OFFLINE = "offline"
    CONNECTING = "connecting"
    ONLINE = "online"


@dataclass(frozen=True, slots=True)
class ActingChoice:
    """An account one may act for (A04, D05)."""

    account: str
    name: str
    is_service: bool


@dataclass(frozen=True, slots=True)
class ShellView:
    """Header and status line: who, where, how connected."""

    me: str
    account: str
    situation: str
    connection: Connection
    pending: int
    """Events waiting for the relay."""
    accounts: tuple[ActingChoice, ...]
    connection_detail: str = ""
    """In French, when not online: why, and when it will be tried again."""
    key_storage: str = ""
    """Where device secrets rest: `trousseau du système` or `fichier scellé par la carte`."""
    time_zone: str = ""
    """IANA name of the zone that dates are said in; empty for the machine's."""


@dataclass(frozen=True, slots=True)
class FolderEntry:
    """A line of the sidebar (A02, A03)."""

    folder: Folder
    label: str
    unread: int
    total: int
    available: bool = True
    """False: shown, but its content belongs to a later version (« non connecté »)."""


@dataclass(frozen=True, slots=True)
class CaseRow:
    """A line of the list (A06)."""

    case: str
    title: str
    """`Téléexpertise`."""
    at: str
    last_line: str
    """`Dernier auteur : objet ou dernier événement`."""
    unread: int
    patient: str
    status: str
    """Code of domain.status."""
    status_label: str
    objet: str
    counterpart: str
    """The other party's name."""
    as_requis: bool
    urgent: bool = False
    favourite: bool = False
    to_do: bool = False
    archived: bool = False
    pending: bool = False
    """Something of mine has not reached the relay yet."""
    draft: bool = False
    """A request being written: OpenDraft rather than OpenCase."""


@dataclass(frozen=True, slots=True)
class MailboxView:
    """Sidebar and list. `rows` may be long: draw only what shows."""

    folder: Folder
    folders: tuple[FolderEntry, ...]
    rows: Sequence[CaseRow]
    query: str = ""


@dataclass(frozen=True, slots=True)
class AttachmentLine:
    """A file in the conversation."""

    attachment: str
    name: str
    media_type: str
    size_bytes: int
    is_synthese: bool = False


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One line of the conversation (E05)."""

    event: str
    kind: str
    """Code of domain.status.EventKind."""
    title: str
    """`Avis rendu`, `Formulaire modifié`, `Document en pièce jointe`... in French; empty for a plain message."""
    author: str
    author_detail: str
    """Profession label (E05), or the account acted for."""
    mine: bool
    at: str
    text: str
    attachments: tuple[AttachmentLine, ...] = ()
    seen_by: tuple[str, ...] = ()
    """Initials (E06)."""
    urgent: bool = False
    question: bool = False
    pending: bool = False
    refused: str = ""
    """In French, when the relay would not take it."""
    unread: bool = False
    """Arrived since this user last looked."""


@dataclass(frozen=True, slots=True)
class LabelledValue:
    """A line of a sheet; an empty value prints « non renseigné »."""

    label: str
    value: str


@dataclass(frozen=True, slots=True)
class CaseView:
    """The detail (A11): form and conversation side by side."""

    case: str
    title: str
    status: str
    status_label: str
    as_requis: bool
    counterpart: str
    requerant: str
    requis: str
    taken_by: str
    """« Pris en charge par », or empty."""
    patient: str
    """`Lucette SPECIMEN ♀ - 17/04/1958`, or empty."""
    patient_sheet: tuple[LabelledValue, ...]
    objet: str
    histoire_clinique: str
    question: str
    consentement: bool
    prerequis: str
    urgent: bool
    form_attachments: tuple[AttachmentLine, ...]
    timeline: tuple[TimelineEntry, ...]
    permitted: frozenset[str]
    """Codes of the events one may cause now (domain.transitions), for the footer."""
    composer: str = ""
    """Text kept from before."""
    finalised_at: str = ""
    recap: tuple[LabelledValue, ...] = ()
    """« Récapitulatif des informations de facturation » (F06), after finalisation."""
    favourite: bool = False
    to_do: bool = False
    archived: bool = False


@dataclass(frozen=True, slots=True)
class ExpertRow:
    """One result of the directory (D03, D04)."""

    account: str
    name: str
    detail: str
    """Speciality, or establishment and kind."""
    place: str
    descriptif: str
    is_service: bool
    reachable: bool
    """False: no key published yet, a request cannot be sealed to it."""


@dataclass(frozen=True, slots=True)
class FilterChip:
    """A filter in force, removable."""

    field: str
    value: str
    label: str


@dataclass(frozen=True, slots=True)
class DirectoryView:
    """Results of the expert search, in two groups."""

    query: str
    experts_only: bool
    chips: tuple[FilterChip, ...]
    professionals: tuple[ExpertRow, ...]
    services: tuple[ExpertRow, ...]
    professionals_total: int
    services_total: int
    page: int
    available: tuple[FilterChip, ...] = ()
    """Filters one may add: specialities and departments of the results."""
    error: str = ""
    """In French, when the search could not be made (offline: only experts already met are listed)."""


@dataclass(frozen=True, slots=True)
class PatientRow:
    """A patient already met."""

    name: str
    nom_naissance: str
    prenoms: str
    sexe: str
    date_naissance: str
    nir: str


@dataclass(frozen=True, slots=True)
class DraftView:
    """The request form « Nouvelle téléexpertise », with what the expert asks and what is worth a warning."""

    entry: DraftEntry
    acting_choices: tuple[ActingChoice, ...]
    expert_name: str = ""
    expert_detail: str = ""
    prerequis: str = ""
    documents: tuple[str, ...] = ()
    patient_required: bool = False
    nir_required: bool = False
    billing_required: bool = False
    min_photos: int = 0
    warnings: tuple[str, ...] = ()
    """In French; never block (domain.md 0.1.7)."""
    missing: tuple[str, ...] = ()
    """In French; what the expert made mandatory and is not there: blocks the start (D07, D08)."""
    saved_at: str = ""


@dataclass(frozen=True, slots=True)
class FinalisationView:
    """The wizard (F03, F04)."""

    case: str
    niveaux: tuple[Choice, ...]
    requerant: str
    numero_requerant: str
    experts: tuple[Choice, ...]
    """Who may have given the opinion; `detail` is that person's billing number."""
    numero_requis: str
    patient: str
    exchanges: tuple[TimelineEntry, ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PreferencesView:
    """One's own sheet as an expert (C01-C09)."""

    account: str
    annuaire: bool
    descriptif: str
    prerequis: str
    patient_obligatoire: bool
    nir_obligatoire: bool
    facturation_requerant_obligatoire: bool
    numero_facturation: str
    lien_acces_rapide: str
