"""Everything a user can ask for, from any front end. Imperatives; plain words only; answered by updates."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Folder(StrEnum):
    """The sidebar of A02, in its order."""

    INBOX = "inbox"
    ALL = "all"
    UNREAD = "unread"
    FAVOURITES = "favourites"
    TO_DO = "to-do"
    TELEEXPERTISES = "teleexpertises"
    CONVERSATIONS = "conversations"
    SUPPORT = "support"
    MSSANTE = "mssante"
    DRAFTS = "drafts"
    """Ours: requests being written (not in A02; shown last, only when there are any)."""


@dataclass(frozen=True, slots=True)
class Intent:
    """Something a user asks."""


# --- opening the session ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ChooseReader(Intent):
    """Use the card in this reader, when several hold one."""

    reader: str


@dataclass(frozen=True, slots=True)
class ChooseSituation(Intent):
    """Practise in this situation (rank on the card)."""

    rang: int


@dataclass(frozen=True, slots=True)
class EnterPin(Intent):
    """Try this code porteur, once."""

    pin: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChooseBillingSituation(Intent):
    """Bill from this situation (I04), when the card holds several."""

    rang: int


@dataclass(frozen=True, slots=True)
class LockSession(Intent):
    """Cover the screen and forget the keys."""


@dataclass(frozen=True, slots=True)
class SwitchCard(Intent):
    """Close this desk for good and choose among the cards present (several users, one workstation)."""


@dataclass(frozen=True, slots=True)
class Reconnect(Intent):
    """Try the relay again now."""


# --- the mailbox --------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SelectFolder(Intent):
    """Show this folder, optionally narrowed by words found in it."""

    folder: Folder
    query: str = ""


@dataclass(frozen=True, slots=True)
class OpenCase(Intent):
    """Show a case; what it holds becomes seen."""

    case: str


@dataclass(frozen=True, slots=True)
class PreviewCase(Intent):
    """Show a case beside the list without marking anything as seen; answered by `CaseChanged(view, preview=True)`."""

    case: str


@dataclass(frozen=True, slots=True)
class CloseCase(Intent):
    """Leave the case for the list."""


@dataclass(frozen=True, slots=True)
class SetFlag(Intent):
    """Mark for oneself: `archived`, `favourite` or `to-do`, on or off."""

    case: str
    flag: str
    on: bool


@dataclass(frozen=True, slots=True)
class MarkUnread(Intent):
    """Show the case as unread again, to oneself."""

    case: str


# --- asking -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class SearchDirectory(Intent):
    """Find experts (D03). Filters: `{"specialite": code, "departement": code}`."""

    query: str
    filters: dict[str, str] = field(default_factory=dict)
    experts_only: bool = True
    page: int = 1


@dataclass(frozen=True, slots=True)
class SearchPatients(Intent):
    """Find patients among those already met on this machine."""

    query: str


@dataclass(frozen=True, slots=True)
class NewDraft(Intent):
    """Begin a tele-expertise; the session answers with a DraftView, prefilled."""


@dataclass(frozen=True, slots=True)
class OpenDraft(Intent):
    """Go on with a draft."""

    draft: str


@dataclass(frozen=True, slots=True)
class PatientEntry:
    """A patient as typed; all but the name may be empty."""

    nom_naissance: str = ""
    prenoms: str = ""
    sexe: str = ""
    date_naissance: str = ""
    """As typed: `17/04/1958` or ISO."""
    nir: str = ""


@dataclass(frozen=True, slots=True)
class DraftEntry:
    """The request form as it stands on screen."""

    draft: str
    acting_account: str = ""
    expert: str = ""
    """Account of the chosen expert, or empty."""
    patient: PatientEntry = PatientEntry()
    numero_facturation: str = ""
    objet: str = ""
    histoire_clinique: str = ""
    question: str = ""
    consentement: bool = False
    urgent: bool = False
    attachments: tuple[str, ...] = ()
    """Paths of files on this machine."""


@dataclass(frozen=True, slots=True)
class SaveDraft(Intent):
    """Keep the form as typed; sent at every pause of typing."""

    entry: DraftEntry


@dataclass(frozen=True, slots=True)
class DiscardDraft(Intent):
    """Throw a draft away."""

    draft: str


@dataclass(frozen=True, slots=True)
class SendRequest(Intent):
    """DÉMARRER LA TÉLÉEXPERTISE (D10)."""

    entry: DraftEntry


# --- exchanging ---------------------------------------------------------------------------------------------


class ExchangeKind(StrEnum):
    """What a composed text is; permitted kinds come in `CaseView.permitted`."""

    MESSAGE = "message-sent"
    ANSWER = "answered"
    ASK_MORE = "information-requested"
    GIVE_MORE = "information-given"


@dataclass(frozen=True, slots=True)
class SendExchange(Intent):
    """Send what the composer holds."""

    case: str
    kind: ExchangeKind
    text: str
    attachments: tuple[str, ...] = ()
    urgent: bool = False
    question: bool = False


@dataclass(frozen=True, slots=True)
class SaveComposer(Intent):
    """Keep an unsent text of a case; empty forgets it."""

    case: str
    text: str


@dataclass(frozen=True, slots=True)
class TakeInCharge(Intent):
    """Say that one takes the case."""

    case: str


@dataclass(frozen=True, slots=True)
class EditForm(Intent):
    """Replace the shared form (E04)."""

    case: str
    objet: str
    histoire_clinique: str
    question: str


@dataclass(frozen=True, slots=True)
class DeclineRequest(Intent):
    """Refuse, with the motive that goes on record."""

    case: str
    motif: str


@dataclass(frozen=True, slots=True)
class CancelRequest(Intent):
    """Withdraw one's request."""

    case: str
    motif: str


@dataclass(frozen=True, slots=True)
class SaveAttachment(Intent):
    """Fetch, check and write an attachment; empty `directory` means the default downloads folder."""

    case: str
    attachment: str
    directory: str = ""
    open_after: bool = False
    """Also hand the file to the desktop's viewer."""


# --- finalising and billing ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PrepareFinalisation(Intent):
    """Open the wizard (F03); answered by a FinalisationView."""

    case: str


@dataclass(frozen=True, slots=True)
class Finalise(Intent):
    """FINALISER (F05)."""

    case: str
    niveau: str
    numero_requerant: str
    expert_name: str
    """Key of the chosen entry of `FinalisationView.experts`."""
    numero_requis: str
    included: tuple[str, ...]
    """Event ids ticked (F04)."""


@dataclass(frozen=True, slots=True)
class ExportActivity(Intent):
    """EXPORTER (G06-G09); dates as typed or empty; empty `path` means the default folder."""

    role: str = "requis"
    format: str = "xlsx"
    date_debut: str = ""
    date_fin: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class OpenPreferences(Intent):
    """Show one's sheet as an expert."""


@dataclass(frozen=True, slots=True)
class SavePreferences(Intent):
    """Publish one's expert preferences (C01-C08)."""

    annuaire: bool
    descriptif: str
    prerequis: str
    patient_obligatoire: bool
    nir_obligatoire: bool
    facturation_requerant_obligatoire: bool
    numero_facturation: str
