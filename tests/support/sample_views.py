"""Views written by hand, as a desk would give them: fictional people, a frozen day, one keyword to vary."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from client.intents import DraftEntry, Folder, PatientEntry
from client.views import (
    ActingChoice,
    AttachmentLine,
    CaseRow,
    CaseView,
    Choice,
    Connection,
    DirectoryView,
    DraftView,
    ExpertRow,
    FilterChip,
    FinalisationView,
    FolderEntry,
    LabelledValue,
    LoginPhase,
    LoginView,
    MailboxView,
    PatientRow,
    PreferencesView,
    ShellView,
    TimelineEntry,
)

NOW = datetime(2026, 9, 10, 12, 40, tzinfo=UTC)
"""The day of every sample."""


def ago(**elapsed: float) -> str:
    """UTC instant before NOW."""
    return (NOW - timedelta(**elapsed)).isoformat()


# --- the door

READERS = (Choice("r1", "Lecteur 1", "intégré au clavier"), Choice("r2", "Lecteur 2", "USB"))
SITUATIONS = (
    Choice("1", "Cabinet du Lac", "Libéral · 74000 Annecy"),
    Choice("2", "Centre hospitalier Annecy Genevois", "Salarié · FINESS 740000237"),
)
LOGINS = {
    "no-service": LoginView(LoginPhase.NO_SERVICE),
    "no-reader": LoginView(LoginPhase.NO_READER),
    "no-card": LoginView(LoginPhase.NO_CARD),
    "reading": LoginView(LoginPhase.READING),
    "choose-reader": LoginView(LoginPhase.CHOOSE_READER, choices=READERS),
    "choose-situation": LoginView(
        LoginPhase.CHOOSE_SITUATION, holder="Dr Marie TOURNEVENT", card="CPS 0000000001", choices=SITUATIONS
    ),
    "enter-pin": LoginView(LoginPhase.ENTER_PIN, holder="Dr Marie TOURNEVENT", card="CPS 0000000001", tries_left=3),
    "wrong-pin": LoginView(
        LoginPhase.ENTER_PIN,
        holder="Dr Marie TOURNEVENT",
        card="CPS 0000000001",
        tries_left=1,
        message="Code porteur incorrect. Encore un essai : au prochain échec la carte se bloque.",
    ),
    "checking": LoginView(LoginPhase.CHECKING, holder="Dr Marie TOURNEVENT", card="CPS 0000000001"),
    "choose-billing": LoginView(
        LoginPhase.CHOOSE_BILLING, holder="Dr Marie TOURNEVENT", card="CPS 0000000001", choices=SITUATIONS
    ),
    "blocked": LoginView(LoginPhase.BLOCKED, holder="Dr Marie TOURNEVENT", card="CPS 0000000001", tries_left=0),
    "refused": LoginView(
        LoginPhase.REFUSED,
        holder="Dr Marie TOURNEVENT",
        card="CPS 0000000001",
        message="Le relais ne connaît pas cette carte. Contactez votre animateur territorial.",
    ),
    "locked": LoginView(
        LoginPhase.ENTER_PIN, holder="Dr Marie TOURNEVENT", card="CPS 0000000001", tries_left=3, locked=True
    ),
    "open": LoginView(LoginPhase.OPEN, holder="Dr Marie TOURNEVENT", card="CPS 0000000001"),
}
"""One view per state of the door."""


def shell(**changes: object) -> ShellView:
    """The header of Dr Tournevent."""
    view = ShellView(
        me="Dr Marie TOURNEVENT",
        account="acc-marie",
        situation="Cabinet du Lac, Annecy",
        connection=Connection.ONLINE,
        pending=0,
        accounts=(ActingChoice("acc-marie", "Dr Marie TOURNEVENT", is_service=False),),
    )
    return replace(view, **changes)  # type: ignore[arg-type]


# --- the mailbox

_PATIENTS = (
    "Simon SPECIMEN CARTE",
    "Hector BONSCHEVAUX",
    "Coeur JOLI",
    "David SPECIMEN CARTE",
    "Lavinie ESTBELLE",
    "Cecilia SPECIMEN TESTA",
    "Gladys SPECIMEN CARTE",
)
_STATUSES = (
    ("requested", "Publiée"),
    ("in-progress", "En cours"),
    ("on-hold", "Information demandée"),
    ("completed", "Finalisée"),
    ("rejected", "Refusée"),
    ("cancelled", "Annulée"),
)
_LAST_LINES = (
    "Paul MARTINET : Lésion pigmentée du dos, évolution rapide sur trois mois",
    "Claire DUVALLON : Réponse",
    "Claire DUVALLON : Demande de complément",
    "Vous : Envoi doc",
    "Jean RIVOIRE : Éruption prurigineuse des avant-bras",
    "Claire DUVALLON : Synthèse de la conversation « Téléexpertise »",
    "Paul MARTINET : Plaie chronique de jambe",
)


def case_row(index: int = 0, **changes: object) -> CaseRow:
    """The row of this rank; ranks repeat people, never case ids."""
    status, label = _STATUSES[index % len(_STATUSES)]
    row = CaseRow(
        case=f"case-{index}",
        title="Téléexpertise",
        at=ago(hours=index * 7, seconds=30),
        last_line=_LAST_LINES[index % len(_LAST_LINES)],
        unread=(2, 0, 1, 0, 0, 0, 0)[index % 7],
        patient=_PATIENTS[index % len(_PATIENTS)],
        status=status,
        status_label=label,
        objet=_LAST_LINES[index % len(_LAST_LINES)].partition(" : ")[2],
        counterpart=_LAST_LINES[index % len(_LAST_LINES)].partition(" : ")[0],
        as_requis=bool(index % 2),
        urgent=index % 9 == 2,
        favourite=index % 6 == 1,
        to_do=index % 8 == 4,
        pending=index == 3,
    )
    return replace(row, **changes)  # type: ignore[arg-type]


class CountedRows(Sequence[CaseRow]):
    """Ten thousand rows that exist only when they are looked at, and count the looks."""

    def __init__(self, count: int) -> None:
        self._count = count
        self.looks = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: int) -> CaseRow:  # type: ignore[override]
        if not 0 <= index < self._count:
            raise IndexError(index)
        self.looks += 1
        return case_row(index)

    def __iter__(self) -> Iterator[CaseRow]:
        return (self[index] for index in range(self._count))


FOLDERS = (
    FolderEntry(Folder.INBOX, "Boîte de réception", 3, 12),
    FolderEntry(Folder.ALL, "Tous les messages", 3, 38),
    FolderEntry(Folder.UNREAD, "Non lus", 3, 3),
    FolderEntry(Folder.FAVOURITES, "Favoris", 0, 2),
    FolderEntry(Folder.TO_DO, "A traiter", 1, 2),
    FolderEntry(Folder.TELEEXPERTISES, "Téléexpertises", 3, 38),
    FolderEntry(Folder.CONVERSATIONS, "Conversations", 0, 0, available=False),
    FolderEntry(Folder.SUPPORT, "Demandes d'appui", 0, 0, available=False),
    FolderEntry(Folder.MSSANTE, "MSSanté", 0, 0, available=False),
    FolderEntry(Folder.DRAFTS, "Brouillons", 0, 1),
)


def mailbox(rows: Sequence[CaseRow] | None = None, **changes: object) -> MailboxView:
    """The inbox, twelve cases."""
    listed = rows if rows is not None else tuple(case_row(index) for index in range(12))
    return replace(MailboxView(Folder.INBOX, FOLDERS, listed), **changes)  # type: ignore[arg-type]


def draft_row() -> CaseRow:
    """A request being written."""
    return case_row(
        0,
        case="draft-1",
        title="Brouillon",
        status="draft",
        status_label="Brouillon",
        last_line="Vous : Lésion du cuir chevelu",
        unread=0,
        draft=True,
    )


# --- a case

PHOTO = AttachmentLine("att-1", "lesion_dos.jpg", "image/jpeg", 3_400_000)
LETTER = AttachmentLine("att-2", "CR_UnPatientTEST.pdf", "application/pdf", 120_000)
SYNTHESIS = AttachmentLine("att-9", "synthese.pdf", "application/pdf", 48_000, is_synthese=True)

TIMELINE = (
    TimelineEntry(
        event="e1",
        kind="request-sent",
        title="Demande envoyée",
        author="Paul MARTINET",
        author_detail="Médecin généraliste",
        mine=False,
        at=ago(days=2, hours=3),
        text="Bonjour, que pensez-vous de cette lésion ? Faut-il une exérèse rapide ?",
        attachments=(PHOTO, LETTER),
        seen_by=("MT",),
        urgent=True,
        question=True,
    ),
    TimelineEntry(
        event="e2",
        kind="information-requested",
        title="Complément demandé",
        author="Marie TOURNEVENT",
        author_detail="Dermatologue",
        mine=True,
        at=ago(days=1),
        text="Merci. Pouvez-vous préciser le diamètre, et l'ancienneté exacte de la lésion ?",
        seen_by=("PM", "CD"),
    ),
    TimelineEntry(
        event="e3",
        kind="information-given",
        title="Complément apporté",
        author="Paul MARTINET",
        author_detail="Médecin généraliste",
        mine=False,
        at=ago(hours=2),
        text="8 mm de grand axe.\nApparue il y a trois mois environ, pas de saignement.",
        unread=True,
    ),
    TimelineEntry(
        event="e4",
        kind="message-sent",
        title="",
        author="Marie TOURNEVENT",
        author_detail="Dermatologue",
        mine=True,
        at=ago(seconds=20),
        text="Bien reçu, je vous réponds ce soir.",
        pending=True,
    ),
)


def case_view(**changes: object) -> CaseView:
    """A case that the expert may answer."""
    view = CaseView(
        case="case-0",
        title="Téléexpertise",
        status="in-progress",
        status_label="En cours",
        as_requis=True,
        counterpart="Paul MARTINET",
        requerant="Dr Paul MARTINET, Médecin généraliste, 74300 Cluses",
        requis="Dr Marie TOURNEVENT, Dermatologue, 74000 Annecy",
        taken_by="Dr Marie TOURNEVENT",
        patient="Lucette SPECIMEN ♀ - 17/04/1958",
        patient_sheet=(
            LabelledValue("Nom de naissance", "SPECIMEN"),
            LabelledValue("Prénoms", "Lucette"),
            LabelledValue("NIR", "2 58 04 74 012 345 89"),
            LabelledValue("Téléphone", ""),
        ),
        objet="Lésion pigmentée du dos",
        histoire_clinique=(
            "Patiente de 68 ans, phototype II, sans antécédent personnel de mélanome. Lésion pigmentée asymétrique "
            "du dos, bords irréguliers, remarquée par son mari il y a trois mois.\n"
            "Traitements : bisoprolol, apixaban."
        ),
        question="Cette lésion impose-t-elle une exérèse rapide ? Dans quel délai ?",
        consentement=True,
        prerequis="Indiquer les traitements en cours et joindre une photo de près et une photo de loin.",
        urgent=True,
        form_attachments=(PHOTO, LETTER),
        timeline=TIMELINE,
        permitted=frozenset(
            {"answered", "information-requested", "message-sent", "form-edited", "declined", "finalised"}
        ),
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def requester_case() -> CaseView:
    """The same case on the requester's side, waiting for a complement."""
    return case_view(
        as_requis=False,
        counterpart="Marie TOURNEVENT",
        status="on-hold",
        status_label="Information demandée",
        permitted=frozenset({"information-given", "message-sent", "form-edited", "cancelled"}),
    )


def finalised_case() -> CaseView:
    """The same case, finalised."""
    posted = TimelineEntry(
        event="e5",
        kind="finalised",
        title="Synthèse de la conversation « Téléexpertise »",
        author="Marie TOURNEVENT",
        author_detail="Dermatologue",
        mine=True,
        at=ago(seconds=10),
        text="",
        attachments=(SYNTHESIS,),
        seen_by=("PM",),
    )
    return case_view(
        status="completed",
        status_label="Finalisée",
        timeline=(*TIMELINE[:3], posted),
        permitted=frozenset({"message-sent"}),
        finalised_at="2024-07-12T11:07:00+00:00",
        recap=(
            LabelledValue("Expert", "Dr Marie TOURNEVENT"),
            LabelledValue("N° de facturation expert", "741234567"),
            LabelledValue("RPPS expert", "10000000001"),
            LabelledValue("N° de facturation demandeur", ""),
            LabelledValue("RPPS demandeur", "10000000002"),
            LabelledValue("NIR du patient", "2 58 04 74 012 345 89"),
        ),
    )


# --- asking

EXPERTS = (
    ExpertRow(
        "acc-claire",
        "Dr Claire DUVALLON",
        "Dermatologie et vénéréologie",
        "74000 Annecy",
        "Lésions pigmentées, dermatoses inflammatoires de l'adulte. Réponse sous 48 h ouvrées.",
        is_service=False,
        reachable=True,
    ),
    ExpertRow(
        "acc-jean",
        "Dr Jean RIVOIRE",
        "Dermatologie et vénéréologie",
        "74100 Annemasse",
        "",
        is_service=False,
        reachable=False,
    ),
)
SERVICES = (
    ExpertRow(
        "acc-service",
        "Avis Dermatologie CHANGE",
        "Centre hospitalier Annecy Genevois · Service hospitalier",
        "74370 Epagny Metz-Tessy",
        "Avis de dermatologie hospitalière, plaies et cicatrisation.",
        is_service=True,
        reachable=True,
    ),
)


def directory(query: str = "", **changes: object) -> DirectoryView:
    """Two people, one service, more to come."""
    view = DirectoryView(
        query,
        experts_only=True,
        chips=(),
        professionals=EXPERTS,
        services=SERVICES,
        professionals_total=14,
        services_total=1,
        page=1,
        available=(
            FilterChip("specialite", "SM15", "Dermatologie et vénéréologie"),
            FilterChip("departement", "74", "HAUTE-SAVOIE"),
        ),
    )
    return replace(view, **changes)  # type: ignore[arg-type]


PATIENTS = (
    PatientRow("Lucette SPECIMEN", "SPECIMEN", "Lucette", "F", "1958-04-17", "258047401234589"),
    PatientRow("Simon SPECIMEN CARTE", "SPECIMEN CARTE", "Simon", "M", "1971-02-03", ""),
)


def draft(**changes: object) -> DraftView:
    """A new request, prefilled with what is known of the requester."""
    view = DraftView(
        entry=DraftEntry("draft-1", acting_account="acc-marie", numero_facturation="690000002"),
        acting_choices=(
            ActingChoice("acc-marie", "Dr Marie TOURNEVENT", is_service=False),
            ActingChoice("acc-maison", "Maison de santé du Lac", is_service=True),
        ),
        missing=("expert", "objet", "question"),
        saved_at=ago(minutes=2),
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def filled_draft() -> DraftView:
    """A request nearly ready."""
    return draft(
        entry=DraftEntry(
            "draft-1",
            acting_account="acc-marie",
            expert="acc-claire",
            patient=PatientEntry("SPECIMEN", "Lucette", "F", "1958-04-17", "258047401234500"),
            numero_facturation="690000002",
            objet="Lésion pigmentée du dos",
            histoire_clinique="Patiente de 68 ans, phototype II.\nLésion asymétrique apparue il y a trois mois.",
            question="Faut-il une exérèse rapide ?",
            consentement=True,
            attachments=("photos/lesion_dos.jpg", "photos/lesion_dos_loin.jpg"),
        ),
        expert_name="Dr Claire DUVALLON",
        expert_detail="Dermatologie et vénéréologie, 74000 Annecy",
        prerequis="Indiquer les traitements en cours et joindre une photo de près et une photo de loin.",
        documents=("Questionnaire lésion pigmentée (PDF)",),
        patient_required=True,
        nir_required=True,
        min_photos=2,
        warnings=("la clé du numéro de sécurité sociale ne correspond pas (attendu 89).",),
        missing=(),
    )


# --- finalising and preferences


def finalisation(**changes: object) -> FinalisationView:
    """The wizard, everything prefilled."""
    view = FinalisationView(
        case="case-0",
        niveaux=(Choice("TE2", "TE2 · 23,00 €"),),
        requerant="Dr Paul MARTINET",
        numero_requerant="741111111",
        experts=(
            Choice("marie", "Dr Marie TOURNEVENT", "741234567"),
            Choice("claire", "Dr Claire DUVALLON", "747654321"),
        ),
        numero_requis="741234567",
        patient="Unpatient TEST ♀ - 10/09/1997",
        exchanges=TIMELINE,
        warnings=("3e téléexpertise sur 4 cette année pour ce patient et cet expert.",),
    )
    return replace(view, **changes)  # type: ignore[arg-type]


def preferences(**changes: object) -> PreferencesView:
    """The sheet of Dr Tournevent."""
    view = PreferencesView(
        account="Dr Marie TOURNEVENT",
        annuaire=True,
        descriptif="Lésions pigmentées, dermatoses inflammatoires. Réponse sous 48 h ouvrées.",
        prerequis="Indiquer les traitements en cours et joindre deux photos.",
        patient_obligatoire=True,
        nir_obligatoire=False,
        facturation_requerant_obligatoire=False,
        numero_facturation="741234567",
        lien_acces_rapide="avicenne:demande/acc-marie",
    )
    return replace(view, **changes)  # type: ignore[arg-type]
