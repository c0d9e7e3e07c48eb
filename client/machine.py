"""The heart of the client: `receive(input) -> effects`. Decides everything, touches nothing, waits for nobody.

Views are drawn once per batch of inputs (`flush`), because a batch may fold a thousand events and a screen shows one
state.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from client import acts, drafting, finalising, incoming
from client.desk import Desk
from client.effects import (
    DeliverFile,
    Effect,
    FetchEntry,
    LoadCase,
    Persist,
    Publish,
    PublishPreferences,
    PutComposer,
    PutEntry,
    PutSetting,
    SealFiles,
)
from client.i18n import _
from client.inputs import (
    CaseLoaded,
    DirectoryAnswered,
    EntryFetched,
    FilesFailed,
    FilesSealed,
    FrameReceived,
    Input,
    IntentSubmitted,
    KeysFetched,
    PreferencesSaved,
    Ticked,
    TransportConnecting,
    TransportLost,
    Uploaded,
    UploadFailed,
    WorldRefused,
)
from client.intents import (
    CancelRequest,
    CloseCase,
    DeclineRequest,
    DiscardDraft,
    EditForm,
    ExchangeKind,
    ExportActivity,
    Finalise,
    Intent,
    MarkUnread,
    NewDraft,
    OpenCase,
    OpenDraft,
    OpenPreferences,
    PrepareFinalisation,
    PreviewCase,
    SaveAttachment,
    SaveComposer,
    SaveDraft,
    SavePreferences,
    SearchDirectory,
    SearchPatients,
    SelectFolder,
    SendExchange,
    SendRequest,
    SetFlag,
    TakeInCharge,
)
from client.model import CaseSummary
from client.projections import case_view, find_attachment, my_role, on_its_way
from client.updates import (
    CaseChanged,
    ExchangeSent,
    IntentRefused,
    MailboxChanged,
    Noticed,
    PreferencesChanged,
    Severity,
    ShellChanged,
)
from client.views import CaseView, Connection, MailboxView, PreferencesView, ShellView
from domain.events import (
    Answered,
    Cancelled,
    Declined,
    Event,
    Flagged,
    FormEdited,
    InformationGiven,
    InformationRequested,
    MessageSent,
    PersonalFlag,
    Seen,
    TakenInCharge,
)
from domain.identifiers import AccountId, ConversationId, EventId
from domain.messages import MAX_ATTACHMENTS, MAX_TEXT_CHARS, Attachment, RequestForm
from domain.practitioners import Party
from domain.teleexpertise import Teleexpertise, replay
from protocol.frames import Deliver, Goodbye, Refused, Welcome
from protocol.resources import ExpertPreferences

_EXCHANGES: dict[ExchangeKind, type[MessageSent | Answered | InformationRequested | InformationGiven]] = {
    ExchangeKind.MESSAGE: MessageSent,
    ExchangeKind.ANSWER: Answered,
    ExchangeKind.ASK_MORE: InformationRequested,
    ExchangeKind.GIVE_MORE: InformationGiven,
}


class ClientMachine:
    """One open desk. Not thread-safe, not asynchronous: inputs in, effects out."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    # --- inputs ---------------------------------------------------------------------------------------------

    def receive(self, happened: Input) -> list[Effect]:
        """Decide what follows from one thing that happened."""
        desk = self.desk
        match happened:
            case IntentSubmitted(intent=intent, at=at):
                return self._intent(intent, at)
            case FrameReceived(frame=frame, at=at):
                return self._frame(frame, at)
            case TransportConnecting():
                return self._connection(Connection.CONNECTING, "")
            case TransportLost(reason=reason):
                return self._lost(reason)
            case CaseLoaded():
                return self._case_loaded(happened)
            case KeysFetched():
                return incoming.keys_fetched(desk, happened)
            case EntryFetched(account=account, entry=entry):
                if entry is None:
                    return []
                desk.entries[account] = entry
                desk.dirty_shell = True
                return [Persist((PutEntry(entry),)), *drafting.expert_sheet_arrived(desk, account)]
            case DirectoryAnswered():
                return drafting.directory_answered(desk, happened)
            case FilesSealed(token=token, attachments=attachments, at=at):
                return self._files_sealed(token, attachments, at)
            case FilesFailed(token=token, reason=reason):
                failed = desk.jobs.pop(token, None)
                return [Publish(IntentRefused(type(failed).__name__ if failed else "", reason))]
            case Uploaded(blob=blob):
                desk.uploaded.add(blob)
                desk.uploading.discard(blob)
                return acts.release(desk)
            case UploadFailed():
                return self._upload_failed(happened)
            case Ticked():
                return acts.seal_waiting(desk) if desk.connection == Connection.ONLINE else []
            case PreferencesSaved(account=account, preferences=preferences):
                return self._preferences_saved(account, preferences)
            case WorldRefused(intent=intent_name, reason=reason):
                return [Publish(IntentRefused(intent_name, reason))]

    def flush(self, at: datetime) -> list[Effect]:
        """Draw what changed since the last time; what arrived in the open case is seen as it is drawn (E06)."""
        desk = self.desk
        effects = self._look_again(at) if desk.open_case in desk.dirty_cases else []
        if desk.dirty_shell:
            effects.append(Publish(ShellChanged(self._shell())))
        if desk.open_case in desk.dirty_cases and desk.open_case in desk.loaded:
            effects.append(Publish(CaseChanged(self._case(desk.open_case))))
        elif desk.preview_case in desk.dirty_cases and desk.preview_case in desk.loaded:
            effects.append(Publish(CaseChanged(self._case(desk.preview_case), preview=True)))
        if desk.dirty_mailbox:
            effects.append(Publish(MailboxChanged(self._mailbox())))
        desk.dirty_shell = desk.dirty_mailbox = False
        desk.dirty_cases.clear()
        return effects

    # --- the relay ------------------------------------------------------------------------------------------

    def _frame(self, frame: Welcome | Deliver | Refused | Goodbye, at: datetime) -> list[Effect]:
        desk = self.desk
        match frame:
            case Deliver():
                return incoming.delivered(desk, frame)
            case Refused():
                return acts.refused(desk, frame)
            case Goodbye(reason=reason):
                return [
                    Publish(
                        Noticed(
                            _("Le serveur a fermé la connexion : {reason}.").format(reason=reason), Severity.WARNING
                        )
                    )
                ]
            case Welcome(heads=heads):
                changed = [*self._connection(Connection.ONLINE, ""), *self._check_heads(heads)]
                unknown = [
                    account for act in desk.pending.values() if act.envelope is None for account in act.recipients
                ]
                wanted = [account for account in unknown if account not in desk.keys]
                sheet: list[Effect] = [FetchEntry(account) for account in desk.accounts]
                return [*changed, *sheet, *acts.ask_keys(desk, wanted), *acts.seal_waiting(desk)]

    def _check_heads(self, heads: dict[AccountId, int]) -> list[Effect]:
        """A relay that holds less than this desk was restored from an old backup, or lies: say so, lose nothing."""
        if all(heads.get(account, position) >= position for account, position in self.desk.cursors.items()):
            return []
        text = _(
            "Le serveur a oublié des messages que ce poste possède (sauvegarde restaurée ?). "
            "Ils restent lisibles ici ; prévenez votre support."
        )
        return [Publish(Noticed(text, Severity.ERROR))]

    def _connection(self, state: Connection, detail: str) -> list[Effect]:
        self.desk.connection = state
        self.desk.connection_detail = detail
        self.desk.dirty_shell = True
        return []

    def _lost(self, reason: str) -> list[Effect]:
        desk = self.desk
        for gone in (desk.sent, desk.uploading, desk.waiting, desk.asked, desk.tried, desk.denied, desk.documents):
            gone.clear()
        return self._connection(Connection.OFFLINE, reason)

    def _upload_failed(self, failed: UploadFailed) -> list[Effect]:
        desk = self.desk
        desk.uploading.discard(failed.blob)
        if not failed.definitive:
            return []
        effects: list[Effect] = []
        for act in [each for each in desk.pending.values() if failed.blob in each.blobs]:
            effects += acts.drop(desk, act, failed.reason)
        return effects

    # --- intents --------------------------------------------------------------------------------------------

    def _intent(self, intent: Intent, at: datetime) -> list[Effect]:
        desk = self.desk
        if not _is_writable(intent):
            return [Publish(IntentRefused(type(intent).__name__, _unreadable()))]
        match intent:
            case SelectFolder(folder=folder, query=query):
                desk.folder, desk.query, desk.dirty_mailbox = folder, query, True
                return []
            case OpenCase(case=case):
                return self._open(intent, case, at)
            case CloseCase():
                desk.open_case = ""
                return []
            case PreviewCase(case=case):
                return self._preview(intent, case)
            case NewDraft():
                return drafting.new_draft(desk, intent, at)
            case OpenDraft():
                return drafting.open_draft(desk, intent)
            case SaveDraft():
                return drafting.save_draft(desk, intent, at)
            case DiscardDraft():
                return drafting.discard_draft(desk, intent)
            case SendRequest():
                return drafting.send_request(desk, intent, at)
            case SearchDirectory():
                return drafting.handle_search(desk, intent)
            case SearchPatients():
                return drafting.search_patients(desk, intent)
            case SaveComposer(case=case, text=text):
                desk.composers[case] = text
                return [Persist((PutComposer(case, text),))]
            case ExportActivity():
                return finalising.export(desk, intent)
            case OpenPreferences():
                return self._open_preferences()
            case SavePreferences():
                return self._save_preferences(intent)
            case PrepareFinalisation(case=case) | Finalise(case=case) | SaveAttachment(case=case):
                return self._with_case(intent, case, at)
            case _:
                return self._on_case(intent, at)

    def _on_case(self, intent: Intent, at: datetime) -> list[Effect]:
        """Intents that add a fact to a case."""
        summary = self.desk.summary(getattr(intent, "case", ""))
        if summary is None:
            return [Publish(IntentRefused(type(intent).__name__, _("Cette téléexpertise n'est pas sur ce poste.")))]
        match intent:
            case SendExchange():
                return self._exchange(summary, intent, at)
            case SetFlag(flag=flag, on=on) if flag in set(PersonalFlag):
                return self._flag(summary, PersonalFlag(flag), on, at)
            case MarkUnread():
                return self._flag(summary, PersonalFlag.UNREAD, True, at)
            case TakeInCharge():
                return self._act(summary, TakenInCharge(*self._signed(summary, at)), intent, at)
            case DeclineRequest(motif=motif):
                return self._act(summary, Declined(*self._signed(summary, at), motif), intent, at)
            case CancelRequest(motif=motif):
                return self._act(summary, Cancelled(*self._signed(summary, at), motif), intent, at)
            case EditForm():
                return self._edit_form(summary, intent, at)
            case _:
                return [Publish(IntentRefused(type(intent).__name__, _("Cette action n'existe pas ici.")))]

    def _signed(self, summary: CaseSummary, at: datetime) -> tuple[Party, Party, str]:
        desk = self.desk
        return desk.my_party(), desk.party_for(summary.stream), acts.timestamp(at)

    def _act(self, summary: CaseSummary, fact: Event, intent: Intent, at: datetime) -> list[Effect]:
        return acts.act_on(self.desk, summary, fact, at=at, intent=type(intent).__name__)

    def _flag(self, summary: CaseSummary, flag: PersonalFlag, on: bool, at: datetime) -> list[Effect]:
        return acts.act_on(self.desk, summary, Flagged(*self._signed(summary, at), flag, on), at=at, intent="SetFlag")

    def _edit_form(self, summary: CaseSummary, intent: EditForm, at: datetime) -> list[Effect]:
        consent = False
        if (state := self.desk.loaded.get(summary.conversation)) is not None:
            consent = state.form.consentement
        form = RequestForm(intent.objet, intent.histoire_clinique, intent.question, consent)
        return self._act(summary, FormEdited(*self._signed(summary, at), form), intent, at)

    # --- exchanges ------------------------------------------------------------------------------------------

    def _exchange(self, summary: CaseSummary, intent: SendExchange, at: datetime) -> list[Effect]:
        if not intent.text.strip() and not intent.attachments:
            return [Publish(IntentRefused("SendExchange", _("Écrivez un texte ou joignez un fichier.")))]
        if len(intent.text) > MAX_TEXT_CHARS:
            reason = _("Le texte dépasse {limit} caractères : raccourcissez-le ou joignez un document.")
            return [Publish(IntentRefused("SendExchange", reason.format(limit=MAX_TEXT_CHARS)))]
        if len(intent.attachments) > MAX_ATTACHMENTS:
            reason = _("Joignez {limit} fichiers au plus.").format(limit=MAX_ATTACHMENTS)
            return [Publish(IntentRefused("SendExchange", reason))]
        if intent.attachments:
            from_token = f"{summary.conversation}:{acts.timestamp(at)}:{len(self.desk.jobs)}"
            self.desk.jobs[from_token] = intent
            return [SealFiles(from_token, intent.attachments)]
        return self._exchange_sealed(intent, (), at)

    def _exchange_sealed(self, intent: SendExchange, attachments: tuple[Attachment, ...], at: datetime) -> list[Effect]:
        summary = self.desk.summary(intent.case)
        if summary is None:
            return []
        fact = _EXCHANGES[intent.kind](
            *self._signed(summary, at), intent.text, attachments, intent.urgent, intent.question
        )
        blobs = [each.blob for each in attachments]
        effects = acts.act_on(self.desk, summary, fact, at=at, blobs=blobs, intent="SendExchange")
        if not any(isinstance(effect, Persist) for effect in effects):
            return effects
        self.desk.composers.pop(intent.case, None)
        return [*effects, Persist((PutComposer(intent.case, ""),)), Publish(ExchangeSent(intent.case))]

    def _files_sealed(self, token: str, attachments: tuple[Attachment, ...], at: datetime) -> list[Effect]:
        intent = self.desk.jobs.pop(token, None)
        match intent:
            case SendRequest(entry=entry):
                return drafting.request_sealed(self.desk, entry, attachments, at)
            case SendExchange():
                return self._exchange_sealed(intent, attachments, at)
            case Finalise(case=case) if case in self.desk.loaded:
                return finalising.synthesis_sealed(self.desk, self.desk.loaded[case], intent, attachments[0], at)
            case Finalise(case=case):  # nine other cases were opened meanwhile: read this one and begin again
                return self._load(case, intent)
            case _:
                return []

    # --- reading a case -------------------------------------------------------------------------------------

    def _open(self, intent: OpenCase, case: str, at: datetime) -> list[Effect]:
        desk = self.desk
        summary = desk.summary(case)
        if summary is None:
            return [Publish(IntentRefused("OpenCase", _("Cette téléexpertise n'est pas sur ce poste.")))]
        desk.open_case = case
        if case not in desk.loaded:
            return self._load(case, intent)
        desk.unread_at_open = frozenset(summary.unread)
        desk.dirty_cases.add(case)
        return self._see(summary, at)

    def _look_again(self, at: datetime) -> list[Effect]:
        """What came into the open case while it is before the user's eyes."""
        summary = self.desk.summary(self.desk.open_case)
        if summary is None or not summary.unread or self.desk.open_case not in self.desk.loaded:
            return []
        self.desk.unread_at_open |= frozenset(summary.unread)
        return self._see(summary, at)

    def _see(self, summary: CaseSummary, at: datetime) -> list[Effect]:
        if not summary.unread and PersonalFlag.UNREAD not in summary.flags:
            return []
        desk = self.desk
        last = summary.unread[-1] if summary.unread else summary.last_event
        return acts.act_on(desk, summary, Seen(*self._signed(summary, at), EventId(last)), at=at, intent="OpenCase")

    def _preview(self, intent: PreviewCase, case: str) -> list[Effect]:
        desk = self.desk
        if desk.summary(case) is None:
            return []
        desk.preview_case = case
        if case not in desk.loaded:
            return self._load(case, intent)
        desk.dirty_cases.add(case)
        return []

    def _with_case(
        self, intent: PrepareFinalisation | Finalise | SaveAttachment, case: str, at: datetime
    ) -> list[Effect]:
        desk = self.desk
        if desk.summary(case) is None:
            return [Publish(IntentRefused(type(intent).__name__, _("Cette téléexpertise n'est pas sur ce poste.")))]
        state = desk.loaded.get(case)
        if state is None:
            return self._load(case, intent)
        match intent:
            case PrepareFinalisation():
                return finalising.prepare(desk, state, intent)
            case Finalise():
                return finalising.finalise(desk, state, intent, at)
            case SaveAttachment():
                return self._save_attachment(state, intent)

    def _save_attachment(self, state: Teleexpertise, intent: SaveAttachment) -> list[Effect]:
        waiting = self.desk.acts_of(state.conversation)
        attachment = find_attachment(state.history, intent.attachment) or find_attachment(
            [on_its_way(act) for act in waiting], intent.attachment
        )
        if attachment is None:
            return [Publish(IntentRefused("SaveAttachment", _("Cette pièce jointe n'est pas dans la conversation.")))]
        return [DeliverFile(attachment, intent.directory, intent.open_after)]

    def _load(self, case: str, intent: Intent) -> list[Effect]:
        """Read a case, then do what was asked of it."""
        self.desk.after_load.setdefault(case, []).append(intent)
        self.desk.since_load.setdefault(case, [])
        return [LoadCase(case)]

    def _case_loaded(self, loaded: CaseLoaded) -> list[Effect]:
        desk = self.desk
        read = {fact.event_id for fact in loaded.facts}
        newer = [fact for fact in desk.since_load.pop(loaded.case, []) if fact.event_id not in read]
        if loaded.case not in desk.loaded:  # else it is newer than what was read
            desk.keep_loaded(replay(ConversationId(loaded.case), (*loaded.facts, *newer)))
        effects: list[Effect] = []
        for intent in desk.after_load.pop(loaded.case, []):
            if not (isinstance(intent, OpenCase) and desk.open_case != loaded.case):  # else left before it was there
                effects += self._intent(intent, loaded.at)
        return effects

    # --- preferences ----------------------------------------------------------------------------------------

    def _open_preferences(self) -> list[Effect]:
        return [Publish(PreferencesChanged(self._preferences())), FetchEntry(self.desk.me.account)]

    def _preferences(self) -> PreferencesView:
        desk = self.desk
        entry = desk.entries.get(desk.me.account)
        own = (entry.preferences if entry else None) or ExpertPreferences()
        return PreferencesView(
            account=desk.me.account,
            annuaire=own.annuaire,
            descriptif=own.descriptif,
            prerequis=own.prerequis,
            patient_obligatoire=own.patient_obligatoire,
            nir_obligatoire=own.nir_obligatoire,
            facturation_requerant_obligatoire=own.facturation_requerant_obligatoire,
            numero_facturation=desk.my_number().value,
            lien_acces_rapide=own.lien_acces_rapide,
        )

    def _save_preferences(self, intent: SavePreferences) -> list[Effect]:
        desk = self.desk
        desk.settings["numero_facturation"] = intent.numero_facturation.strip()
        entry = desk.entries.get(desk.me.account)
        own = (entry.preferences if entry else None) or ExpertPreferences()
        wanted = ExpertPreferences(
            annuaire=intent.annuaire,
            descriptif=intent.descriptif,
            prerequis=intent.prerequis,
            documents=own.documents,
            patient_obligatoire=intent.patient_obligatoire,
            nir_obligatoire=intent.nir_obligatoire,
            facturation_requerant_obligatoire=intent.facturation_requerant_obligatoire,
            min_photos=own.min_photos,
            lien_acces_rapide=own.lien_acces_rapide,
        )
        number = PutSetting("numero_facturation", intent.numero_facturation.strip())
        return [Persist((number,)), PublishPreferences(desk.me.account, wanted)]

    def _preferences_saved(self, account: AccountId, preferences: ExpertPreferences) -> list[Effect]:
        self.desk.dirty_shell = True
        return [
            FetchEntry(account),
            Publish(Noticed(_("Vos préférences d'expert sont enregistrées."))),
        ]

    # --- views ----------------------------------------------------------------------------------------------

    def _shell(self) -> ShellView:
        desk = self.desk
        return ShellView(
            me=desk.my_party().name,
            account=desk.me.account,
            situation=desk.me.situation,
            connection=desk.connection,
            pending=len(desk.pending),
            accounts=desk.acting_choices(),
            connection_detail=desk.connection_detail,
            key_storage=desk.key_storage,
            time_zone=str(desk.zone),
        )

    def _case(self, case: str) -> CaseView:
        desk = self.desk
        state, summary = desk.loaded[case], desk.summary(case)
        assert summary is not None
        return case_view(
            state,
            summary,
            me=desk.me.account,
            role=my_role(summary, desk.mine()),
            pending=desk.acts_of(case),
            unread=desk.unread_at_open,
            composer=desk.composers.get(case, ""),
        )

    def _mailbox(self) -> MailboxView:
        desk = self.desk
        return MailboxView(
            folder=desk.folder,
            folders=desk.lines.sidebar(),
            rows=desk.lines.shown(desk.folder, desk.query),
            query=desk.query,
        )


def _is_writable(intent: Intent) -> bool:
    """Whether its texts can be kept and sent: bytes that are no UTF-8 come in by command lines and file names."""
    try:
        msgspec.msgpack.encode(intent)
    except UnicodeEncodeError:
        return False
    return True


def _unreadable() -> str:
    return _("Un texte ou un nom de fichier contient des octets illisibles : retapez-le, ou renommez le fichier.")
