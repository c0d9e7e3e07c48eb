"""A request before it leaves: the form as typed, what the expert asks for, what is missing, what is worth a warning."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import PurePath

from client import acts
from client.desk import Desk, party_of
from client.effects import (
    DropDraft,
    Effect,
    FetchEntry,
    Persist,
    Publish,
    PutDraft,
    PutEntry,
    SealFiles,
    Search,
)
from client.i18n import _
from client.identity_checks import billing_number_warnings, nir_warnings, normalise_nir
from client.inputs import DirectoryAnswered
from client.intents import (
    DiscardDraft,
    DraftEntry,
    NewDraft,
    OpenDraft,
    SaveDraft,
    SearchDirectory,
    SearchPatients,
    SendRequest,
)
from client.model import StoredDraft
from client.projections import fold_text
from client.untrusted import visible, visible_line
from client.updates import DirectoryFound, DraftChanged, IntentRefused, PatientsFound, RequestStarted
from client.views import DirectoryView, DraftView, ExpertRow, FilterChip, PatientRow
from domain.events import RequestSent
from domain.identifiers import AccountId, ConversationId
from domain.messages import MAX_ATTACHMENTS, MAX_TEXT_CHARS, Attachment, RequestForm
from domain.patients import Patient
from domain.practitioners import BillingNumber
from protocol.resources import DirectoryEntry, ExpertPreferences

PHOTO_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".heic", ".webp", ".tif", ".tiff"})


def handle_search(desk: Desk, intent: SearchDirectory) -> list[Effect]:
    """Ask the relay; offline, the answer comes from the sheets already met."""
    filters = tuple(sorted(intent.filters.items()))
    return [Search(intent.query, filters, intent.experts_only, intent.page)]


def directory_answered(desk: Desk, answer: DirectoryAnswered) -> list[Effect]:
    """Show a page of results, in its two groups (D03)."""
    page = answer.page
    if page is None:
        met = [
            entry for entry in desk.entries.values() if _met(entry, answer.query) and entry.account != desk.me.account
        ]
        people = [entry for entry in met if not entry.is_service]
        services = [entry for entry in met if entry.is_service]
        return [Publish(DirectoryFound(_directory_view(answer, people, services, len(people), len(services))))]
    desk.entries.update({entry.account: entry for entry in (*page.professionals, *page.services)})
    view = _directory_view(answer, page.professionals, page.services, page.professionals_total, page.services_total)
    return [Publish(DirectoryFound(view))]


def _met(entry: DirectoryEntry, query: str) -> bool:
    text = fold_text(
        f"{entry.name} {entry.speciality} {entry.profession} {entry.town} {entry.postcode} {entry.structure}"
    )
    return all(word in text for word in fold_text(query).split())


def _directory_view(
    answer: DirectoryAnswered,
    people: Sequence[DirectoryEntry],
    services: Sequence[DirectoryEntry],
    people_total: int,
    services_total: int,
) -> DirectoryView:
    facets = answer.page.facets if answer.page else ()
    return DirectoryView(
        query=answer.query,
        experts_only=answer.experts_only,
        chips=tuple(FilterChip(facet.field, facet.value, visible_line(facet.label)) for facet in facets),
        professionals=tuple(_expert_row(entry) for entry in people),
        services=tuple(_expert_row(entry) for entry in services),
        professionals_total=people_total,
        services_total=services_total,
        page=answer.page.page if answer.page else 1,
        error=answer.error,
        available=_filters_of((*people, *services)),
    )


def _filters_of(entries: Sequence[DirectoryEntry]) -> tuple[FilterChip, ...]:
    """Filters that would narrow these results: each speciality and department once, in order of appearance."""
    found: dict[tuple[str, str], FilterChip] = {}
    for entry in entries:
        if entry.speciality_code:
            key = ("specialite", entry.speciality_code)
            found.setdefault(key, FilterChip(*key, visible_line(entry.speciality)))
        if entry.departement:
            key = ("departement", entry.departement)
            found.setdefault(key, FilterChip(*key, visible_line(entry.departement)))
    return tuple(found.values())


def _expert_row(entry: DirectoryEntry) -> ExpertRow:
    detail = f"{entry.structure} · {entry.kind}" if entry.is_service else entry.speciality or entry.profession
    return ExpertRow(
        account=entry.account,
        name=visible_line(entry.name),
        detail=visible_line(detail),
        place=visible_line(f"{entry.postcode} {entry.town}".strip()),
        descriptif=visible(entry.preferences.descriptif) if entry.preferences else "",
        is_service=entry.is_service,
        reachable=entry.has_key,
    )


def search_patients(desk: Desk, intent: SearchPatients) -> list[Effect]:
    """Patients of the cases on this machine, the most recent first."""
    words = fold_text(intent.query).split()
    found: dict[tuple[str, str, str], PatientRow] = {}
    for summary in sorted(desk.summaries.values(), key=lambda each: each.last_at, reverse=True):
        patient = summary.identity
        if patient is None:
            continue
        name = f"{patient.nom_naissance} {patient.prenoms}"
        if all(word in fold_text(f"{name} {patient.nom_utilise} {patient.nir}") for word in words):
            typed = (patient.nom_naissance, patient.prenoms, patient.sexe, patient.date_naissance, patient.nir)
            row = PatientRow(visible_line(name), *map(visible_line, typed))
            found.setdefault((patient.nom_naissance, patient.prenoms, patient.date_naissance), row)
    return [Publish(PatientsFound(intent.query, tuple(list(found.values())[:50])))]


# --- the form -----------------------------------------------------------------------------------------------


def new_draft(desk: Desk, intent: NewDraft, at: datetime) -> list[Effect]:
    """An empty form, prefilled with what is known (D05, D08)."""
    draft = desk.fresh_id(at)
    entry = DraftEntry(draft, acting_account=desk.me.account, numero_facturation=desk.my_number().value)
    return [Publish(DraftChanged(draft_view(desk, StoredDraft(entry, ""))))]


def open_draft(desk: Desk, intent: OpenDraft) -> list[Effect]:
    """Go on with a draft."""
    stored = desk.drafts.get(intent.draft)
    if stored is None:
        return [Publish(IntentRefused("OpenDraft", _("Ce brouillon n'existe plus.")))]
    return [Publish(DraftChanged(draft_view(desk, stored))), *_sheet_of_expert(desk, stored.entry)]


def save_draft(desk: Desk, intent: SaveDraft, at: datetime) -> list[Effect]:
    """Keep the form as typed."""
    stored = StoredDraft(intent.entry, acts.timestamp(at))
    return [
        *_keep_draft(desk, stored),
        Publish(DraftChanged(draft_view(desk, stored))),
        *_sheet_of_expert(desk, intent.entry),
    ]


def _keep_draft(desk: Desk, stored: StoredDraft) -> list[Effect]:
    writes: list[PutDraft | PutEntry] = [PutDraft(stored)]
    expert = desk.entries.get(AccountId(stored.entry.expert))
    if expert is not None:
        writes.append(PutEntry(expert))
    desk.drafts[stored.entry.draft] = stored
    desk.refresh_draft(stored.entry.draft)
    return [Persist(tuple(writes))]


def discard_draft(desk: Desk, intent: DiscardDraft) -> list[Effect]:
    """Throw a draft away."""
    desk.drafts.pop(intent.draft, None)
    desk.refresh_draft(intent.draft)
    return [Persist((DropDraft(intent.draft),))]


def _sheet_of_expert(desk: Desk, entry: DraftEntry) -> list[Effect]:
    expert = AccountId(entry.expert)
    return [FetchEntry(expert)] if expert and expert not in desk.entries else []


def expert_sheet_arrived(desk: Desk, account: AccountId) -> list[Effect]:
    """Redraw the drafts that waited for this expert's sheet."""
    return [
        Publish(DraftChanged(draft_view(desk, stored)))
        for stored in desk.drafts.values()
        if stored.entry.expert == account
    ]


def draft_view(desk: Desk, stored: StoredDraft) -> DraftView:
    """The form with what the chosen expert asks (C06-C08, D07-D09)."""
    entry = stored.entry
    expert = desk.entries.get(AccountId(entry.expert))
    asks = (expert.preferences if expert else None) or ExpertPreferences()
    return DraftView(
        entry=entry,
        acting_choices=desk.acting_choices(),
        expert_name=visible_line(expert.name) if expert else entry.expert,
        expert_detail=_expert_row(expert).detail if expert else "",
        prerequis=visible(asks.prerequis),
        documents=tuple(visible_line(name) for name in asks.documents),
        patient_required=asks.patient_obligatoire,
        nir_required=asks.nir_obligatoire,
        billing_required=asks.facturation_requerant_obligatoire,
        min_photos=asks.min_photos,
        warnings=_warnings(entry, asks, desk),
        missing=_missing(entry, asks),
        saved_at=stored.saved_at,
    )


def _missing(entry: DraftEntry, asks: ExpertPreferences) -> tuple[str, ...]:
    """What blocks the start: only what the expert made mandatory, and the question itself."""
    rules = (
        (not entry.expert, _("Choisissez un expert.")),
        (
            asks.patient_obligatoire and not entry.patient.nom_naissance.strip(),
            _("Indiquez le patient : cet expert le demande."),
        ),
        (
            asks.nir_obligatoire and not entry.patient.nir.strip(),
            _("Indiquez le NIR du patient : cet expert le demande."),
        ),
        (
            asks.facturation_requerant_obligatoire and not entry.numero_facturation.strip(),
            _("Indiquez votre numéro de facturation : cet expert le demande."),
        ),
        (not entry.objet.strip(), _("Donnez un objet à la demande.")),
        (not (entry.question.strip() or entry.histoire_clinique.strip()), _("Écrivez votre question.")),
        (_too_long(entry), _("Un texte dépasse {limit} caractères.").format(limit=MAX_TEXT_CHARS)),
        (
            len(entry.attachments) > MAX_ATTACHMENTS,
            _("Joignez {limit} fichiers au plus.").format(limit=MAX_ATTACHMENTS),
        ),
    )
    return tuple(text for wrong, text in rules if wrong)


def _too_long(entry: DraftEntry) -> bool:
    return max(len(entry.question), len(entry.histoire_clinique), len(entry.objet)) > MAX_TEXT_CHARS


def _warnings(entry: DraftEntry, asks: ExpertPreferences, desk: Desk) -> tuple[str, ...]:
    """What is worth a look; never blocks (domain.md 0.1.7)."""
    found = list(nir_warnings(entry.patient.nir)) if entry.patient.nir.strip() else []
    if entry.numero_facturation.strip():
        found += billing_number_warnings(entry.numero_facturation, desk.my_number().nature)
    if not entry.consentement:
        found.append(_("L'accord du patient n'est pas coché."))
    photos = sum(PurePath(path).suffix.lower() in PHOTO_SUFFIXES for path in entry.attachments)
    if photos < asks.min_photos:
        found.append(
            _("{count} photo(s) jointe(s), l'expert en demande {wanted}.").format(count=photos, wanted=asks.min_photos)
        )
    if entry.patient.date_naissance and parse_date(entry.patient.date_naissance) is None:
        found.append(_("La date de naissance n'est pas comprise : écrivez-la JJ/MM/AAAA."))
    return tuple(found)


def parse_date(text: str) -> date | None:
    """A date as typed: `17/04/1958`, `17041958` or ISO."""
    text = text.strip()
    for form in ("%d/%m/%Y", "%Y-%m-%d", "%d%m%Y", "%d.%m.%Y", "%d %m %Y"):
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007 - a civil date has no zone
        except ValueError:
            continue
    return None


# --- the start (D10) ----------------------------------------------------------------------------------------


def send_request(desk: Desk, intent: SendRequest, at: datetime) -> list[Effect]:
    """Check, keep the draft, seal the files; the request itself follows in `request_sealed`."""
    entry = intent.entry
    if desk.summary(_case_of(entry)) is not None:
        return [Publish(RequestStarted(entry.draft, _case_of(entry)))]
    stored = StoredDraft(entry, acts.timestamp(at))
    kept = _keep_draft(desk, stored)
    expert = desk.entries.get(AccountId(entry.expert))
    asks = (expert.preferences if expert else None) or ExpertPreferences()
    missing = _missing(entry, asks)
    if expert is None or missing:
        reason = " ".join(missing) or _("La fiche de l'expert n'est pas encore là : réessayez une fois connecté.")
        return [*kept, Publish(IntentRefused("SendRequest", reason)), Publish(DraftChanged(draft_view(desk, stored)))]
    if entry.attachments:
        desk.jobs[entry.draft] = intent
        return [*kept, SealFiles(entry.draft, entry.attachments)]
    return [*kept, *request_sealed(desk, entry, (), at)]


def _case_of(entry: DraftEntry) -> ConversationId:
    """A draft becomes one request, however often it is started; a script may have named it as it liked."""
    name = entry.draft
    is_identifier = len(name) == 32 and all(char in "0123456789abcdef" for char in name)
    return ConversationId(name if is_identifier else hashlib.sha256(name.encode()).hexdigest()[:32])


def request_sealed(desk: Desk, entry: DraftEntry, attachments: tuple[Attachment, ...], at: datetime) -> list[Effect]:
    """The files are sealed: the request leaves."""
    expert = desk.entries[AccountId(entry.expert)]
    acting = AccountId(entry.acting_account or desk.me.account)
    if acting == expert.account:
        return [
            Publish(
                IntentRefused(
                    "SendRequest", _("On ne peut pas se demander un avis à soi-même : choisissez un autre expert.")
                )
            )
        ]
    fact = RequestSent(
        author=desk.my_party(),
        in_name_of=desk.party_for(acting),
        written_at=acts.timestamp(at),
        requis=party_of(expert),
        patient=_patient(entry),
        form=RequestForm(entry.objet.strip(), entry.histoire_clinique, entry.question, entry.consentement),
        requerant_number=BillingNumber(entry.numero_facturation.strip(), desk.my_number().nature),
        prerequis=expert.preferences.prerequis if expert.preferences else "",
        attachments=attachments,
        urgent=entry.urgent,
    )
    if acts.is_too_large(fact):
        return [Publish(IntentRefused("SendRequest", acts.too_large()))]
    case = _case_of(entry)
    gone = discard_draft(desk, DiscardDraft(entry.draft))
    effects = acts.open_case(desk, case, fact, at=at, blobs=[each.blob for each in attachments])
    return [*effects, *gone, Publish(RequestStarted(entry.draft, case))]


def _patient(entry: DraftEntry) -> Patient | None:
    typed = entry.patient
    if not (typed.nom_naissance.strip() or typed.nir.strip()):
        return None
    born = parse_date(typed.date_naissance)
    return Patient(
        nom_naissance=typed.nom_naissance.strip(),
        prenoms=typed.prenoms.strip(),
        sexe=typed.sexe,
        date_naissance=born.isoformat() if born else typed.date_naissance.strip(),
        nir=normalise_nir(typed.nir),
    )
