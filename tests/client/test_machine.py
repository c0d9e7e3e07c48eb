"""The client's decisions, one input at a time: what comes in, what must come out, in which order."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from client.effects import (
    Disconnect,
    DropDraft,
    DropPending,
    Effect,
    FetchKeys,
    LoadCase,
    MakeSynthesis,
    Persist,
    Publish,
    PutComposer,
    PutCursor,
    PutDraft,
    PutEntry,
    PutFact,
    PutKeys,
    PutPending,
    PutQuarantine,
    PutSummary,
    SealFiles,
    Transmit,
    Upload,
)
from client.inputs import (
    CaseLoaded,
    FilesFailed,
    FilesSealed,
    FrameReceived,
    KeysFetched,
    Ticked,
    TransportConnecting,
    TransportLost,
    Uploaded,
    UploadFailed,
)
from client.intents import (
    CancelRequest,
    DeclineRequest,
    DiscardDraft,
    DraftEntry,
    EditForm,
    ExchangeKind,
    Finalise,
    Folder,
    Intent,
    MarkUnread,
    NewDraft,
    OpenCase,
    OpenDraft,
    PatientEntry,
    PrepareFinalisation,
    PreviewCase,
    SaveAttachment,
    SaveComposer,
    SaveDraft,
    SearchPatients,
    SelectFolder,
    SendExchange,
    SendRequest,
    SetFlag,
    TakeInCharge,
)
from client.machine import ClientMachine
from client.model import Snapshot, TrustedKeys
from client.updates import (
    CaseFinalised,
    DraftChanged,
    ExchangeSent,
    FinalisationPrepared,
    IntentRefused,
    PatientsFound,
    RequestStarted,
)
from client.views import Connection, DraftView
from crypto.sealing import AccountKey
from domain.events import FormEdited, PersonalFlag, Recorded
from domain.identifiers import EventId
from domain.messages import MAX_ATTACHMENTS, MAX_TEXT_CHARS, RequestForm
from domain.status import EventKind, Status
from protocol.envelope import Envelope, unverified_header
from protocol.frames import Goodbye, RefusalCode, Refused, Submit, Welcome
from protocol.payload import decode_event
from protocol.resources import ExpertPreferences
from tests.support.builders import (
    ANNE,
    MARIE,
    NOW,
    PATIENT,
    PAUL,
    WRITTEN,
    Correspondence,
    CountedRandom,
    Practitioner,
    attachment,
    deliver,
    machine_of,
    resign,
)
from tests.support.playbook import (
    Playbook,
    case,
    line,
    mailbox,
    refuses,
    says,
    shell,
    submitted,
    tells,
    updates,
    writes,
)

WELCOME = Welcome(WRITTEN, {})
TAKEN = writes(PutFact, PutCursor, PutSummary)
CAME_BACK = writes(PutFact, PutCursor, PutSummary, DropPending)


class Room:
    """A desk with one case open to it, connected; `book` plays on, `hear` delivers what others write."""

    def __init__(self, who: Practitioner = MARIE, *, online: bool = True, talk: Correspondence | None = None) -> None:
        self.who = who
        self.talk = talk or Correspondence()
        other = ANNE if who == MARIE else MARIE
        self.machine = machine_of(who, other)
        self.position = 0
        if online:
            self.connect()

    @property
    def case(self) -> str:
        return self.talk.conversation

    @property
    def book(self) -> Playbook:
        return Playbook(self.machine)

    def connect(self) -> list[Effect]:
        self.machine.receive(TransportConnecting())
        return (self.book >> WELCOME).last

    def hear(self, envelope: Envelope) -> list[Effect]:
        """The relay delivers the next event of one's own stream."""
        self.position += 1
        return (self.book >> deliver(envelope, self.who, self.position)).last

    def with_request(self, **changes: object) -> Room:
        self.hear(self.talk.seal(self.talk.request(**changes)))
        return self

    def open(self) -> Room:
        """Look at the case; what is in the store is what was heard."""
        assert self.book >> OpenCase(self.case) << LoadCase(self.case)
        summary = self.machine.desk.summaries[self.case]
        fact = self.talk.request()
        recorded = Recorded(summary.last_event, self.talk.conversation, fact, WRITTEN, 1)
        self.machine.receive(CaseLoaded(self.case, (recorded,), NOW))
        return self

    def do(self, intent: Intent) -> Submit:
        """Act, and give back the event that left: at once, or when what flew before it has come back."""
        left = submitted((self.book >> intent).last)
        while not left:
            left = submitted(self.hear(self.flying()))
        (event,) = left
        return event

    def flying(self) -> Envelope:
        """The act of this case that is between the desk and the relay."""
        desk = self.machine.desk
        act = next(each for each in desk.acts_of(self.case) if each.event_id in desk.sent)
        assert act.envelope is not None
        return Envelope(*act.envelope)

    def status(self) -> str:
        return line(self.machine, self.case).status


DRAFT = "01" * 16

# --- R10 and the outbox


def test_an_act_is_kept_then_sent_and_shown_as_pending() -> None:
    room = Room().with_request()
    assert room.book >> TakeInCharge(room.case) << writes(PutPending) << Transmit
    assert (line(room.machine, room.case).pending, shell(room.machine).pending) == (True, 1)


def test_a_text_is_kept_before_it_is_sent_and_sent_before_the_composer_empties() -> None:
    room = Room().with_request()
    exchange = SendExchange(room.case, ExchangeKind.ANSWER, "Exérèse.")
    assert room.book >> exchange << writes(PutPending) << Transmit << writes(PutComposer) << tells(ExchangeSent)


def test_a_refused_intent_changes_nothing() -> None:
    room = Room(ANNE).with_request()
    before = (room.machine.desk.pending.copy(), mailbox(room.machine))
    drawn = updates(room.machine)
    assert room.book >> TakeInCharge(room.case) << refuses("TakeInCharge", "« Prise en charge » n'est pas possible")
    assert (room.machine.desk.pending, mailbox(room.machine), drawn) == (*before, [])


@pytest.mark.parametrize(
    "intent",
    [
        TakeInCharge("unknown"),
        SendExchange("unknown", ExchangeKind.MESSAGE, "Bonjour"),
        OpenCase("unknown"),
        SetFlag("unknown", "archived", on=True),
        SaveAttachment("unknown", "ab" * 32),
        PrepareFinalisation("unknown"),
        OpenDraft("unknown"),
    ],
    ids=lambda intent: type(intent).__name__,
)
def test_what_is_not_on_this_machine_is_refused(intent: Intent) -> None:
    assert Room().book >> intent << refuses(type(intent).__name__)


def test_a_flag_that_does_not_exist_is_refused() -> None:
    room = Room().with_request()
    assert room.book >> SetFlag(room.case, "starred", on=True) << refuses("SetFlag")


def test_offline_an_act_is_kept_and_nothing_is_sent() -> None:
    room = Room(online=False).with_request()
    assert room.book >> TakeInCharge(room.case) << writes(PutPending)


def test_after_a_reconnection_the_same_bytes_leave_again() -> None:
    room = Room().with_request()
    first = room.do(TakeInCharge(room.case))
    assert room.book >> TransportLost("coupure")
    assert submitted(room.connect()) == [first]


def test_what_was_kept_by_an_earlier_run_leaves_with_the_same_bytes() -> None:
    room = Room().with_request()
    first = room.do(TakeInCharge(room.case))
    desk = room.machine.desk
    kept = Snapshot(desk.cursors, tuple(desk.summaries.values()), tuple(desk.pending.values()), (ANNE.keys,))
    again = machine_of(MARIE, kept=kept)
    assert submitted((Playbook(again) >> WELCOME).last) == [first]


def test_an_act_is_sent_once_on_a_connection() -> None:
    room = Room().with_request()
    room.do(TakeInCharge(room.case))
    assert room.book >> Ticked(NOW)


def test_an_act_leaves_the_outbox_only_when_it_is_delivered() -> None:
    room = Room().with_request()
    event = room.do(TakeInCharge(room.case))
    room.hear(room.talk.seal(room.talk.message("Un mot")))
    assert shell(room.machine).pending == 1
    assert room.book >> deliver(event.envelope, MARIE, 3) << CAME_BACK
    assert (shell(room.machine).pending, line(room.machine, room.case).pending) == (0, False)


def test_an_act_delivered_after_a_reconnection_is_not_sent_again() -> None:
    room = Room().with_request()
    event = room.do(TakeInCharge(room.case))
    room.machine.receive(TransportLost("coupure"))
    room.hear(event.envelope)
    assert submitted(room.connect()) == []


def test_acts_of_one_case_leave_in_order_while_a_file_is_on_its_way() -> None:
    room = Room().with_request()
    photo = attachment()
    sending = SendExchange(room.case, ExchangeKind.ANSWER, "Voici.", ("photo.jpg",))
    (sealing,) = (room.book >> sending).last
    assert isinstance(sealing, SealFiles)
    assert (
        room.book
        >> FilesSealed(sealing.token, (photo,), NOW)
        << writes(PutPending)
        << Upload(photo.blob, photo.name)
        << writes(PutComposer)
        << tells(ExchangeSent)
        >> SendExchange(room.case, ExchangeKind.MESSAGE, "Et encore.")
        << writes(PutPending)
        << writes(PutComposer)
        << tells(ExchangeSent)
    )
    (answer,) = submitted((room.book >> Uploaded(photo.blob)).last)
    (message,) = submitted(room.hear(answer.envelope))
    kinds = [unverified_header(each.envelope).kind for each in (answer, message)]
    assert kinds == [EventKind.ANSWERED, EventKind.MESSAGE_SENT]


def test_another_case_does_not_wait_for_a_file() -> None:
    room = Room().with_request()
    other = Correspondence()
    room.hear(other.seal(other.request()))
    (sealing,) = (room.book >> SendExchange(room.case, ExchangeKind.ANSWER, "Voici.", ("photo.jpg",))).last
    assert isinstance(sealing, SealFiles)
    room.machine.receive(FilesSealed(sealing.token, (attachment(),), NOW))
    assert room.book >> TakeInCharge(other.conversation) << writes(PutPending) << Transmit


def test_a_failed_upload_is_tried_again_later_and_asked_for_once() -> None:
    room = Room().with_request()
    photo = attachment()
    (sealing,) = (room.book >> SendExchange(room.case, ExchangeKind.ANSWER, "Voici.", ("photo.jpg",))).last
    assert isinstance(sealing, SealFiles)
    room.machine.receive(FilesSealed(sealing.token, (photo,), NOW))
    assert (
        room.book
        >> Ticked(NOW)
        >> UploadFailed(photo.blob, "coupure", definitive=False)
        >> Ticked(NOW)
        << Upload(photo.blob, photo.name)
    )


def test_a_file_that_can_never_be_sent_gives_the_text_back() -> None:
    room = Room().with_request()
    photo = attachment()
    (sealing,) = (room.book >> SendExchange(room.case, ExchangeKind.ANSWER, "Voici.", ("photo.jpg",))).last
    assert isinstance(sealing, SealFiles)
    room.machine.receive(FilesSealed(sealing.token, (photo,), NOW))
    assert (
        room.book
        >> UploadFailed(photo.blob, "Le serveur refuse la pièce jointe.", definitive=True)
        << writes(DropPending, PutComposer)
        << says("Le serveur refuse la pièce jointe.")
    )
    assert room.machine.desk.composers == {room.case: "Voici."}


def test_files_that_cannot_be_sealed_refuse_the_intent() -> None:
    room = Room().with_request()
    (sealing,) = (room.book >> SendExchange(room.case, ExchangeKind.ANSWER, "Voici.", ("photo.jpg",))).last
    assert isinstance(sealing, SealFiles)
    assert room.book >> FilesFailed(sealing.token, "illisible") << Publish(IntentRefused("SendExchange", "illisible"))
    assert room.book >> FilesSealed(sealing.token, (attachment(),), NOW)


@pytest.mark.parametrize(
    ("exchange", "why"),
    [
        (("   ",), "Écrivez un texte"),
        (("x" * (MAX_TEXT_CHARS + 1),), "dépasse 20000 caractères"),
        (("Voici", ("f.pdf",) * (MAX_ATTACHMENTS + 1)), "20 fichiers au plus"),
        (("\ud800",), "octets illisibles"),
    ],
    ids=["empty", "long", "files", "surrogate"],
)
def test_an_exchange_that_could_not_travel_is_refused(exchange: tuple[object, ...], why: str) -> None:
    room = Room().with_request()
    intent = SendExchange(room.case, ExchangeKind.MESSAGE, *exchange)  # type: ignore[arg-type]
    assert room.book >> intent << refuses("SendExchange", why)


def test_a_form_or_motive_that_no_frame_could_carry_is_refused() -> None:
    """Otherwise it would wait in the outbox for ever: a frame that is too large is never sent."""
    room = Room().with_request()
    assert room.book >> EditForm(room.case, "x" * 300_000, "", "") << refuses("EditForm", "trop long")
    assert room.book >> DeclineRequest(room.case, "x" * 300_000) << refuses("DeclineRequest", "trop long")


# --- asking


def filled(**changes: object) -> DraftEntry:
    values: dict[str, object] = {
        "acting_account": ANNE.account,
        "expert": MARIE.account,
        "patient": PatientEntry("SPECIMEN", "Lucette", "F", "17/04/1958", "2 58 04 74 012 345 89"),
        "numero_facturation": "421990029",
        "objet": "Lésion du dos",
        "histoire_clinique": "Apparue il y a trois mois.",
        "question": "Faut-il une exérèse ?",
        "consentement": True,
        **changes,
    }
    return DraftEntry(DRAFT, **values)  # type: ignore[arg-type]


def test_a_request_is_sealed_to_both_parties_and_leaves() -> None:
    room = Room(ANNE)
    (event,) = submitted((room.book >> SendRequest(filled())).last)
    header = unverified_header(event.envelope)
    assert set(header.wraps) == {ANNE.account, MARIE.account} == set(header.recipients)
    there = Room(MARIE)
    there.hear(event.envelope)
    (summary,) = there.machine.desk.summaries.values()
    assert (summary.objet, summary.identity) == (
        "Lésion du dos",
        replace(PATIENT, nir="258047401234589"),
    )


def test_a_request_is_kept_as_a_draft_until_it_is_in_the_outbox() -> None:
    room = Room(ANNE)
    assert (
        room.book
        >> SendRequest(filled())
        << writes(PutDraft, PutEntry)
        << writes(PutPending)
        << Transmit
        << writes(DropDraft)
        << tells(RequestStarted)
    )


def test_a_request_is_sealed_only_once_the_experts_keys_are_known() -> None:
    machine = machine_of(ANNE)
    machine.desk.entries[MARIE.account] = MARIE.entry()
    book = Playbook(machine)
    book = book >> WELCOME >> SendRequest(filled())
    kept = [each for each in book.last if isinstance(each, Persist)]
    (act,) = [write.act for each in kept for write in each.writes if isinstance(write, PutPending)]
    assert act.envelope is None
    assert [each for each in book.last if isinstance(each, FetchKeys)] == [FetchKeys(MARIE.account)]
    assert submitted(book.last) == []
    answer = Playbook(machine) >> KeysFetched(MARIE.account, MARIE.document, True, NOW)
    assert answer << writes(PutKeys) << writes(PutPending) << Transmit


def test_keys_are_asked_again_at_the_next_tick_when_the_relay_did_not_answer() -> None:
    machine = machine_of(ANNE)
    machine.desk.entries[MARIE.account] = MARIE.entry()
    book = Playbook(machine) >> WELCOME >> SendRequest(filled()) >> KeysFetched(MARIE.account, None, False, NOW)
    assert book.last == []
    assert (Playbook(machine) >> Ticked(NOW)).last == [FetchKeys(MARIE.account)]


def test_a_correspondent_without_keys_gives_the_request_back_as_a_draft() -> None:
    machine = machine_of(ANNE)
    machine.desk.entries[MARIE.account] = MARIE.entry()
    Playbook(machine) >> WELCOME >> SendRequest(filled(attachments=()))
    answer = Playbook(machine) >> KeysFetched(MARIE.account, None, True, NOW)
    assert answer << writes(DropPending, PutDraft) << says("gardée dans les brouillons")
    (stored,) = machine.desk.drafts.values()
    expected = filled(
        patient=PatientEntry("SPECIMEN", "Lucette", "F", "1958-04-17", "258047401234589"),
    )
    assert replace(stored.entry, draft=DRAFT) == expected
    assert [row.draft for row in mailbox(machine).rows] == []
    Playbook(machine) >> SelectFolder(Folder.DRAFTS)
    assert [row.draft for row in mailbox(machine).rows] == [True]


def test_a_refused_request_that_is_being_looked_at_leaves_the_desk_alive() -> None:
    room = Room(ANNE)
    book = room.book >> SendRequest(filled())
    (event,) = submitted(book.last)
    header = unverified_header(event.envelope)
    assert room.book >> OpenCase(header.conversation) << LoadCase(header.conversation)
    room.machine.receive(CaseLoaded(header.conversation, (), NOW))
    assert case(room.machine, header.conversation).timeline[0].pending
    room.book >> Refused(header.event_id, RefusalCode.UNKNOWN_RECIPIENT)
    assert [type(each).__name__ for each in updates(room.machine)] == ["ShellChanged", "MailboxChanged"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"expert": ""}, "Choisissez un expert."),
        ({"objet": "  "}, "Donnez un objet"),
        ({"question": "", "histoire_clinique": " "}, "Écrivez votre question."),
        ({"question": "x" * (MAX_TEXT_CHARS + 1)}, "dépasse"),
        ({"attachments": ("f.pdf",) * (MAX_ATTACHMENTS + 1)}, "20 fichiers au plus"),
        ({"expert": ANNE.account}, "soi-même"),
    ],
    ids=["expert", "objet", "question", "long", "files", "oneself"],
)
def test_a_form_that_is_not_complete_is_kept_and_does_not_leave(changes: dict[str, object], why: str) -> None:
    machine = machine_of(ANNE, MARIE)
    machine.desk.entries[ANNE.account] = ANNE.entry()
    book = Playbook(machine) >> WELCOME >> SendRequest(filled(**changes))
    refusals = [each.update for each in book.last if isinstance(each, Publish)]
    assert any(isinstance(each, IntentRefused) and why in each.reason for each in refusals)
    assert DRAFT in machine.desk.drafts
    assert not machine.desk.pending


def test_what_the_expert_made_mandatory_is_missing_until_it_is_there() -> None:
    machine = machine_of(ANNE, MARIE)
    asks = ExpertPreferences(patient_obligatoire=True, nir_obligatoire=True, facturation_requerant_obligatoire=True)
    machine.desk.entries[MARIE.account] = MARIE.entry(preferences=asks)
    bare = filled(patient=PatientEntry(), numero_facturation="")
    assert _draft_shown(machine, bare).missing == (
        "Indiquez le patient : cet expert le demande.",
        "Indiquez le NIR du patient : cet expert le demande.",
        "Indiquez votre numéro de facturation : cet expert le demande.",
    )
    assert _draft_shown(machine, filled()).missing == ()


def test_what_looks_wrong_is_a_warning_and_never_blocks() -> None:
    machine = machine_of(ANNE, MARIE)
    machine.desk.entries[MARIE.account] = MARIE.entry(preferences=ExpertPreferences(min_photos=2))
    doubtful = filled(
        patient=PatientEntry("X", "Y", "F", "31/02/1958", "258047401234500"),
        numero_facturation="421990020",
        consentement=False,
        attachments=("a.JPG", "b.pdf"),
    )
    shown = _draft_shown(machine, doubtful)
    assert shown.missing == ()
    assert shown.warnings == (
        "NIR : la clé ne correspond pas au numéro.",
        "Numéro d'Assurance Maladie : la clé ne correspond pas au numéro.",
        "L'accord du patient n'est pas coché.",
        "1 photo(s) jointe(s), l'expert en demande 2.",
        "La date de naissance n'est pas comprise : écrivez-la JJ/MM/AAAA.",
    )


def _draft_shown(machine: ClientMachine, entry: DraftEntry) -> DraftView:
    book = Playbook(machine) >> SaveDraft(entry)
    return next(
        each.update.view for each in book.last if isinstance(each, Publish) and isinstance(each.update, DraftChanged)
    )


def test_a_new_form_is_prefilled_and_not_kept_before_something_is_typed() -> None:
    room = Room(ANNE)
    book = room.book >> NewDraft()
    assert book << tells(DraftChanged)
    (shown,) = [each.update.view for each in book.last if isinstance(each, Publish)]  # type: ignore[attr-defined]
    assert (shown.entry.acting_account, shown.entry.numero_facturation) == (ANNE.account, "421990029")
    assert room.machine.desk.drafts == {}


def test_a_draft_is_kept_listed_opened_again_and_thrown_away() -> None:
    room = Room(ANNE)
    assert room.book >> SaveDraft(filled()) << writes(PutDraft, PutEntry) << tells(DraftChanged)
    assert [entry.total for entry in mailbox(room.machine).folders if entry.folder is Folder.DRAFTS] == [1]
    assert room.book >> OpenDraft(DRAFT) << tells(DraftChanged)
    assert room.book >> DiscardDraft(DRAFT) << Persist((DropDraft(DRAFT),))
    assert [entry.folder for entry in mailbox(room.machine).folders if entry.folder is Folder.DRAFTS] == []


def test_starting_twice_with_files_sends_one_request() -> None:
    room = Room(ANNE)
    entry = filled(attachments=("photo.jpg",))
    room.book >> SendRequest(entry) >> SendRequest(entry)
    first = room.book >> FilesSealed(DRAFT, (), NOW)
    second = room.book >> FilesSealed(DRAFT, (), NOW)
    assert (len(submitted(first.last)), second.last) == (1, [])


def test_starting_twice_without_files_sends_one_request() -> None:
    room = Room(ANNE)
    first = room.book >> SendRequest(filled())
    again = room.book >> SendRequest(filled())
    assert (len(submitted(first.last)), submitted(again.last)) == (1, [])
    assert again << tells(RequestStarted)
    assert len(room.machine.desk.pending) == 1


def test_patients_already_met_are_found_whatever_the_accents() -> None:
    room = Room(MARIE).with_request(patient=replace(PATIENT, nom_naissance="SPÉCIMEN"))
    (effect,) = (room.book >> SearchPatients("specimen luc")).last
    assert isinstance(effect, Publish)
    assert isinstance(effect.update, PatientsFound)
    assert [each.name for each in effect.update.rows] == ["SPÉCIMEN Lucette"]


# --- what is delivered


def test_a_delivered_event_is_kept_with_its_cursor_then_told() -> None:
    room = Room()
    envelope = room.talk.seal(room.talk.request())
    assert room.book >> deliver(envelope, MARIE, 1) << TAKEN << says("Dr Anne CHARLIER : Demande de téléexpertise")


def test_an_event_delivered_twice_counts_once() -> None:
    room = Room().with_request()
    again = room.talk.seal(room.talk.message("Un mot"))
    room.hear(again)
    before = room.machine.desk.summaries[room.case]
    assert room.book >> deliver(again, MARIE, 2)
    assert room.machine.desk.summaries[room.case] == before


def test_a_gap_ends_the_connection_and_moves_nothing() -> None:
    room = Room().with_request()
    third = room.talk.seal(room.talk.message("Trop tôt"))
    assert room.book >> deliver(third, MARIE, 3) << Disconnect("un message manque dans le flux")
    assert room.machine.desk.cursors == {MARIE.account: 1}


def test_after_a_gap_the_missing_events_are_taken_in_order() -> None:
    room = Room().with_request()
    second, third = (room.talk.seal(room.talk.message(text)) for text in ("deux", "trois"))
    room.book >> deliver(third, MARIE, 3) >> TransportLost("") >> WELCOME
    assert room.book >> deliver(second, MARIE, 2) << TAKEN << says("nouveau message")
    assert room.book >> deliver(third, MARIE, 3) << TAKEN << says("nouveau message")
    assert room.machine.desk.summaries[room.case].last_line == "trois"


def test_an_unknown_author_is_asked_for_once_and_the_order_is_kept() -> None:
    machine = machine_of(MARIE)
    talk = Correspondence()
    first, second = talk.seal(talk.request()), talk.seal(talk.message("ensuite"))
    assert (
        Playbook(machine)
        >> deliver(first, MARIE, 1)
        << FetchKeys(ANNE.account)
        >> deliver(second, MARIE, 2)
        >> KeysFetched(ANNE.account, ANNE.document, True, NOW)
        << writes(PutKeys)
        << TAKEN
        << says("Demande de téléexpertise")
        << TAKEN
        << says("nouveau message")
    )
    assert machine.desk.cursors == {MARIE.account: 2}


def test_an_author_whose_keys_cannot_be_read_now_ends_the_connection() -> None:
    machine = machine_of(MARIE)
    talk = Correspondence()
    assert (
        Playbook(machine)
        >> deliver(talk.seal(talk.request()), MARIE, 1)
        << FetchKeys(ANNE.account)
        >> KeysFetched(ANNE.account, None, False, NOW)
        << Disconnect
    )
    assert machine.desk.cursors == {}


def test_an_author_without_believable_keys_is_set_aside() -> None:
    machine = machine_of(MARIE)
    talk = Correspondence()
    foreign = replace(ANNE, authority="foreign")
    assert (
        Playbook(machine)
        >> deliver(talk.seal(talk.request()), MARIE, 1)
        << FetchKeys(ANNE.account)
        >> KeysFetched(ANNE.account, foreign.document, True, NOW)
        << says("ne mènent pas à une carte reconnue")
        << writes(PutQuarantine, PutCursor)
        << says("unknown-author")
    )


def test_a_new_device_of_a_known_author_is_learned() -> None:
    room = Room().with_request()
    laptop = replace(ANNE, machine="laptop")
    said = room.talk.seal(room.talk.message("D'un autre poste"), by=laptop)
    document = msgspec.structs.replace(ANNE.document, devices=(ANNE.enrolled, laptop.enrolled))
    assert (
        room.book
        >> deliver(said, MARIE, 2)
        << FetchKeys(ANNE.account)
        >> KeysFetched(ANNE.account, document, True, NOW)
        << writes(PutKeys)
        << TAKEN
        << says("nouveau message")
    )


def test_what_the_relay_says_of_ones_own_account_never_replaces_ones_own_keys() -> None:
    """A request sealed to another machine's key would come back unreadable here, and stay in the outbox for ever."""
    room = Room(ANNE)
    laptop = replace(ANNE, machine="laptop")
    said = room.talk.seal(room.talk.request(), by=laptop)
    room.book >> deliver(said, ANNE, 1) >> KeysFetched(ANNE.account, laptop.document, True, NOW)
    keys = room.machine.desk.keys[ANNE.account]
    assert keys.account_key == ANNE.account_key.public_key
    assert set(keys.devices) == {ANNE.device, laptop.device}


def lie(reason: str, envelope: Envelope, room: Room, position: int = 2) -> None:
    """The event must be set aside under this reason, and the stream go on."""
    assert room.book >> deliver(envelope, MARIE, position) << writes(PutQuarantine, PutCursor) << says(reason)
    assert room.machine.desk.cursors == {MARIE.account: position}
    after = room.talk.seal(room.talk.message("La suite"))
    assert room.book >> deliver(after, MARIE, position + 1) << TAKEN << says("nouveau message")


def test_a_forged_signature_is_set_aside() -> None:
    room = Room().with_request()
    said = room.talk.seal(room.talk.message())
    lie("unreadable", Envelope(said.header, said.body, bytes(64)), room)


def test_an_event_signed_by_another_device_is_set_aside() -> None:
    room = Room().with_request()
    room.machine.desk.keys[PAUL.account] = PAUL.keys
    said = room.talk.seal(room.talk.message(), by=PAUL, author=ANNE.account)
    room.machine.desk.tried.add((ANNE.account, PAUL.device))
    lie("unknown-device", said, room)


def test_an_author_who_is_not_the_one_of_the_letter_is_set_aside() -> None:
    room = Room().with_request()
    room.machine.desk.keys[PAUL.account] = PAUL.keys
    lie("author-mismatch", room.talk.seal(room.talk.message(), by=PAUL), room)


def test_a_body_moved_under_another_header_is_set_aside() -> None:
    room = Room().with_request()
    said = room.talk.seal(room.talk.message())
    header = msgspec.structs.replace(unverified_header(said), event_id=EventId("f" * 32))
    lie("unreadable", resign(said, header, ANNE), room)


def test_a_letter_announced_as_another_kind_is_set_aside() -> None:
    room = Room().with_request()
    said = room.talk.seal(room.talk.message())
    header = msgspec.structs.replace(unverified_header(said), kind=EventKind.DECLINED)
    lie("unreadable", resign(said, header, ANNE), room)


def test_an_event_for_somebody_else_is_set_aside() -> None:
    room = Room().with_request()
    lie("not-addressed", room.talk.seal(room.talk.message(), recipients=(ANNE.account, PAUL.account)), room)


def test_an_event_hidden_from_the_other_party_is_set_aside() -> None:
    room = Room().with_request()
    lie("parties-mismatch", room.talk.seal(room.talk.message(), recipients=(MARIE.account,)), room)


def test_an_event_in_the_name_of_a_stranger_is_set_aside() -> None:
    """Without this rule whoever is not the requerant would count as the expert."""
    room = Room().with_request()
    room.machine.desk.keys[PAUL.account] = PAUL.keys
    fact = replace(room.talk.finalised(), author=PAUL.party, in_name_of=PAUL.party)
    lie("parties-mismatch", room.talk.seal(fact, by=PAUL), room)
    assert room.status() == Status.REQUESTED


def test_a_personal_mark_by_somebody_else_is_set_aside() -> None:
    """Otherwise a correspondent could archive a case on this desk."""
    room = Room().with_request()
    flag = room.talk.flagged(PersonalFlag.ARCHIVED, on=True, by=ANNE)
    lie("parties-mismatch", room.talk.seal(flag, recipients=(MARIE.account,)), room)
    assert not line(room.machine, room.case).archived


def test_a_second_request_in_the_same_conversation_is_set_aside() -> None:
    room = Room().with_request()
    lie("parties-mismatch", room.talk.seal(room.talk.request(form=RequestForm("Autre"))), room)
    assert line(room.machine, room.case).objet == "Lésion du dos"


def test_a_request_whose_letter_names_another_expert_is_set_aside() -> None:
    room = Room()
    envelope = room.talk.seal(room.talk.request(requis=PAUL.party))
    assert room.book >> deliver(envelope, MARIE, 1) << writes(PutQuarantine, PutCursor) << says("parties-mismatch")


def test_a_file_that_the_header_does_not_announce_is_set_aside() -> None:
    room = Room().with_request()
    lie("attachments-mismatch", room.talk.seal(room.talk.message(attachments=(attachment(),)), blobs=()), room)


def test_an_event_before_its_request_is_set_aside() -> None:
    room = Room()
    envelope = room.talk.seal(room.talk.message())
    assert room.book >> deliver(envelope, MARIE, 1) << writes(PutQuarantine, PutCursor) << says("no-key")


def test_a_request_sealed_to_another_key_is_set_aside() -> None:
    stale = TrustedKeys(MARIE.account, AccountKey.generate(CountedRandom("stale")).public_key)
    room = Room(talk=Correspondence(requis_keys=stale))
    envelope = room.talk.seal(room.talk.request())
    assert room.book >> deliver(envelope, MARIE, 1) << writes(PutQuarantine, PutCursor) << says("no-key")


@pytest.mark.parametrize("header", [b"", b"\xc1", b"\x91\xa1\xff", b"\x90", b"\x9a" + b"\xa1\xff" * 10])
def test_a_header_that_is_none_is_set_aside(header: bytes) -> None:
    room = Room()
    envelope = Envelope(header, b"", bytes(64))
    assert room.book >> deliver(envelope, MARIE, 1) << writes(PutQuarantine, PutCursor) << says("en-tête illisible")


def test_a_fact_the_table_forbids_is_told_and_changes_no_status() -> None:
    room = Room().with_request()
    room.hear(room.talk.seal(room.talk.finalised()))
    room.hear(room.talk.seal(room.talk.answer("Trop tard")))
    assert room.status() == Status.COMPLETED


# --- refusals


LOSING = [code for code in RefusalCode if code not in (RefusalCode.BLOB_MISSING, RefusalCode.STORAGE_FULL)]


@pytest.mark.parametrize("code", LOSING)
def test_a_refused_text_goes_back_to_the_composer_with_a_reason(code: RefusalCode) -> None:
    room = Room().with_request()
    event = room.do(SendExchange(room.case, ExchangeKind.ANSWER, "Exérèse."))
    refused = Refused(unverified_header(event.envelope).event_id, code)
    assert (
        room.book
        >> refused
        << writes(DropPending, PutComposer)
        << says("« Avis rendu » n'a pas été accepté")
        >> refused
    )
    assert room.machine.desk.composers == {room.case: "Exérèse."}
    assert (room.status(), shell(room.machine).pending) == (Status.REQUESTED, 0)


def test_a_refused_text_does_not_replace_what_was_typed_since() -> None:
    room = Room().with_request()
    event = room.do(SendExchange(room.case, ExchangeKind.ANSWER, "Exérèse."))
    room.book >> SaveComposer(room.case, "Autre chose")
    room.book >> Refused(unverified_header(event.envelope).event_id, RefusalCode.NOT_PERMITTED)
    assert room.machine.desk.composers == {room.case: "Exérèse.\n\nAutre chose"}


@pytest.mark.parametrize(
    ("intent", "text"),
    [
        (DeclineRequest("", "Hors de ma spécialité"), "Hors de ma spécialité"),
        (EditForm("", "Objet", "Histoire", "Question"), "Objet\n\nHistoire\n\nQuestion"),
    ],
    ids=["motive", "form"],
)
def test_a_refused_motive_or_form_is_not_lost_either(intent: Intent, text: str) -> None:
    room = Room().with_request()
    event = room.do(replace(intent, case=room.case))  # type: ignore[call-arg]
    room.book >> Refused(unverified_header(event.envelope).event_id, RefusalCode.NOT_PERMITTED)
    assert room.machine.desk.composers == {room.case: text}


def test_a_refusal_of_what_has_no_text_promises_none() -> None:
    room = Room().with_request()
    event = room.do(TakeInCharge(room.case))
    book = room.book >> Refused(unverified_header(event.envelope).event_id, RefusalCode.NOT_PERMITTED)
    assert book << writes(DropPending) << says("quelqu'un a été plus rapide")
    assert not any("Votre texte" in repr(effect) for effect in book.last)


def test_a_missing_file_is_uploaded_again_before_the_event() -> None:
    room = Room().with_request()
    photo = attachment()
    (sealing,) = (room.book >> SendExchange(room.case, ExchangeKind.ANSWER, "Voici.", ("photo.jpg",))).last
    assert isinstance(sealing, SealFiles)
    room.book >> FilesSealed(sealing.token, (photo,), NOW)
    (event,) = submitted((room.book >> Uploaded(photo.blob)).last)
    refused = Refused(unverified_header(event.envelope).event_id, RefusalCode.BLOB_MISSING)
    assert room.book >> refused << Upload(photo.blob, photo.name) >> Uploaded(photo.blob) << Transmit(event)


def test_a_relay_that_never_finds_a_file_is_not_asked_for_ever() -> None:
    room = Room().with_request()
    photo = attachment()
    (sealing,) = (room.book >> SendExchange(room.case, ExchangeKind.ANSWER, "Voici.", ("photo.jpg",))).last
    assert isinstance(sealing, SealFiles)
    room.book >> FilesSealed(sealing.token, (photo,), NOW)
    (event,) = submitted((room.book >> Uploaded(photo.blob)).last)
    refused = Refused(unverified_header(event.envelope).event_id, RefusalCode.BLOB_MISSING)
    room.book >> refused >> Uploaded(photo.blob) >> refused
    assert room.machine.desk.pending == {}
    assert room.machine.desk.composers == {room.case: "Voici."}


def test_an_act_that_comes_back_altered_is_given_back_to_its_author() -> None:
    room = Room().with_request()
    event = room.do(SendExchange(room.case, ExchangeKind.ANSWER, "Exérèse."))
    room.hear(Envelope(event.envelope.header, bytes(len(event.envelope.body)), event.envelope.signature))
    assert room.machine.desk.pending == {}
    assert room.machine.desk.composers == {room.case: "Exérèse."}
    assert room.status() == "requested"


def test_a_full_relay_is_told_and_tried_again_later() -> None:
    room = Room().with_request()
    event = room.do(TakeInCharge(room.case))
    refused = Refused(unverified_header(event.envelope).event_id, RefusalCode.STORAGE_FULL)
    assert room.book >> refused << says("n'a plus de place") >> Ticked(NOW) << Transmit(event)


# --- finalising


def finalising(room: Room) -> Finalise:
    return Finalise(room.case, "TE2", "421990029", room.who.name, "741234567", ())


def test_an_act_is_finalised_once() -> None:
    room = Room().with_request().open()
    room.hear(room.do(SendExchange(room.case, ExchangeKind.ANSWER, "Exérèse.")).envelope)
    first, second = ((room.book >> finalising(room)).last[0] for _ in range(2))
    assert isinstance(first, MakeSynthesis)
    assert isinstance(second, MakeSynthesis)
    synthesis = attachment("synthese.pdf", "ef" * 32, kind="synthese")
    assert (
        room.book
        >> FilesSealed(first.token, (synthesis,), NOW)
        << writes(PutPending)
        << Upload(synthesis.blob, synthesis.name)
        << tells(CaseFinalised)
        >> FilesSealed(second.token, (synthesis,), NOW)
        << refuses("Finalise", "finalisée")
        >> finalising(room)
        << refuses("Finalise", "déjà finalisée")
    )


def test_a_synthesis_that_arrives_when_the_case_left_memory_is_not_lost() -> None:
    room = Room().with_request().open()
    (made,) = (room.book >> finalising(room)).last
    assert isinstance(made, MakeSynthesis)
    del room.machine.desk.loaded[room.case]
    assert room.book >> FilesSealed(made.token, (attachment(),), NOW) << LoadCase(room.case)


def test_the_requester_cannot_finalise() -> None:
    room = Room(ANNE).with_request().open()
    assert room.book >> PrepareFinalisation(room.case) << refuses("PrepareFinalisation", "Seul l'expert")
    assert room.book >> finalising(room) << refuses("Finalise", "Seul l'expert")


def test_the_wizard_is_prefilled() -> None:
    room = Room().with_request().open()
    book = room.book >> PrepareFinalisation(room.case)
    assert book << tells(FinalisationPrepared)
    (shown,) = [each.update.view for each in book.last if isinstance(each, Publish)]  # type: ignore[attr-defined]
    assert (shown.requerant, shown.numero_requerant, shown.patient, shown.warnings) == (
        "Dr Anne CHARLIER",
        "421990029",
        "Lucette SPECIMEN ♀ - 17/04/1958",
        (),
    )
    assert [each.kind for each in shown.exchanges] == ["request-sent"]


# --- looking


def test_looking_at_a_case_says_so_once() -> None:
    room = Room().with_request()
    assert line(room.machine, room.case).unread == 1
    room.open()
    (seen,) = room.machine.desk.pending.values()
    assert (seen.kind, line(room.machine, room.case).unread) == (EventKind.SEEN.value, 0)
    assert room.book >> OpenCase(room.case)


def test_a_message_that_comes_while_the_receipt_travels_stays_unread() -> None:
    room = Room().with_request().open()
    (seen,) = room.machine.desk.pending.values()
    room.hear(room.talk.seal(room.talk.message("Au fait")))
    assert seen.envelope is not None
    room.hear(Envelope(*seen.envelope))
    assert (line(room.machine, room.case).unread, room.machine.desk.pending) == (1, {})


def test_a_preview_marks_nothing_as_seen() -> None:
    room = Room().with_request()
    assert (
        room.book
        >> PreviewCase(room.case)
        << LoadCase(room.case)
        >> CaseLoaded(
            room.case, (Recorded(EventId("1" * 32), room.talk.conversation, room.talk.request(), WRITTEN, 1),), NOW
        )
    )
    assert (room.machine.desk.pending, line(room.machine, room.case).unread) == ({}, 1)


def test_what_is_marked_unread_shows_again_until_the_next_look() -> None:
    room = Room().with_request().open()
    for act in list(room.machine.desk.pending.values()):
        assert act.envelope is not None
        room.hear(Envelope(*act.envelope))
    room.hear(room.do(MarkUnread(room.case)).envelope)
    assert line(room.machine, room.case).unread == 1
    room.hear(room.do(OpenCase(room.case)).envelope)
    assert line(room.machine, room.case).unread == 0


def test_an_event_delivered_while_the_case_is_read_from_disk_is_not_missed() -> None:
    room = Room().with_request()
    asked = Recorded(
        room.machine.desk.summaries[room.case].last_event, room.talk.conversation, room.talk.request(), WRITTEN, 1
    )
    assert room.book >> OpenCase(room.case) << LoadCase(room.case)
    room.hear(room.talk.seal(room.talk.message("Arrivé entre-temps")))
    room.machine.receive(CaseLoaded(room.case, (asked,), NOW))
    assert [entry.text for entry in case(room.machine, room.case).timeline][-1] == "Arrivé entre-temps"


def test_an_old_reading_of_a_case_does_not_replace_a_newer_one() -> None:
    room = Room().with_request().open()
    asked = room.machine.desk.loaded[room.case].history
    room.hear(room.talk.seal(room.talk.message("Plus tard")))
    room.machine.receive(CaseLoaded(room.case, asked, NOW))
    assert len(room.machine.desk.loaded[room.case].history) == 2


# --- marks


@pytest.mark.parametrize("flag", ["archived", "favourite", "to-do"])
def test_a_mark_shows_at_once_and_can_be_taken_away(flag: str) -> None:
    room = Room().with_request()
    name = flag.replace("-", "_")
    header = unverified_header(room.do(SetFlag(room.case, flag, on=True)).envelope)
    assert header.recipients == (MARIE.account,)
    assert getattr(line(room.machine, room.case), name)
    room.do(SetFlag(room.case, flag, on=False))
    assert not getattr(line(room.machine, room.case), name)


def test_an_archived_case_leaves_the_inbox_and_a_new_message_brings_it_back() -> None:
    room = Room().with_request()
    room.hear(room.do(SetFlag(room.case, "archived", on=True)).envelope)
    assert [row.case for row in mailbox(room.machine).rows] == []
    room.hear(room.talk.seal(room.talk.message("Une nouvelle")))
    assert [row.case for row in mailbox(room.machine).rows] == [room.case]


def test_ones_own_message_does_not_unarchive() -> None:
    room = Room().with_request()
    room.hear(room.do(SetFlag(room.case, "archived", on=True)).envelope)
    room.hear(room.do(SendExchange(room.case, ExchangeKind.MESSAGE, "Pour mémoire")).envelope)
    assert line(room.machine, room.case).archived


def test_the_list_is_searched_without_accents() -> None:
    room = Room().with_request()
    room.book >> SelectFolder(Folder.INBOX, "lesion SPECIMEN")
    assert len(mailbox(room.machine).rows) == 1
    room.book >> SelectFolder(Folder.INBOX, "lesion genou")
    assert mailbox(room.machine).rows == ()


# --- composers and texts


def test_an_unsent_text_is_kept_and_shown_again() -> None:
    room = Room().with_request().open()
    assert room.book >> SaveComposer(room.case, "À suivre") << Persist((PutComposer(room.case, "À suivre"),))
    assert case(room.machine, room.case).composer == "À suivre"


HOSTILE = "\x1b]0;pwned\x07\x1b[2J[red]gras[/red]\u202eexe.\r\x9b31m"
SHOWN = "␛]0;pwned␇␛[2J[red]gras[/red]⟦U+202E⟧exe.␍⟦U+009B⟧31m"


def test_escape_sequences_become_visible_in_every_text_of_a_case() -> None:
    """Each text of a letter is hostile here: none of its controls may reach a view."""
    bad = replace(ANNE, given=HOSTILE, surname=HOSTILE, profession=HOSTILE)
    room = Room()
    parties = {"author": replace(bad.party, account=ANNE.account), "in_name_of": bad.party}
    request = room.talk.request(
        **parties,
        requis=replace(MARIE.party, name=HOSTILE),
        patient=replace(PATIENT, nom_naissance=HOSTILE, prenoms=HOSTILE, date_naissance=HOSTILE, nir=HOSTILE),
        form=RequestForm(HOSTILE, HOSTILE, HOSTILE),
        prerequis=HOSTILE,
        attachments=(replace(attachment(HOSTILE), media_type=HOSTILE),),
    )
    room.hear(room.talk.seal(request, by=ANNE))
    facts = [
        room.talk.message(HOSTILE),
        room.talk.form_edited(RequestForm(HOSTILE, HOSTILE, HOSTILE)),
        room.talk.finalised(),
    ]
    notices = [effect for fact in facts for effect in room.hear(room.talk.seal(fact))]
    summary = room.machine.desk.summaries[room.case]
    history = tuple(
        Recorded(EventId(f"{n:032x}"), room.talk.conversation, fact, WRITTEN, n)
        for n, fact in enumerate([request, *facts], start=1)
    )
    room.book >> OpenCase(room.case)
    room.machine.receive(CaseLoaded(room.case, history, NOW))
    shown = repr_of(
        [case(room.machine, room.case), mailbox(room.machine), *[e for e in notices if isinstance(e, Publish)]]
    )
    assert summary.requerant.name.count("\x1b")
    assert not [char for char in shown if (ord(char) < 0x20 and char != "\n") or 0x7F <= ord(char) < 0xA0]
    assert "\u202e" not in shown
    assert SHOWN in shown


def repr_of(views: list[object]) -> str:
    """Every text of the views, as it is."""
    found: list[str] = []
    todo = [msgspec.to_builtins(view) for view in views]
    while todo:
        value = todo.pop()
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            todo += list(value.values())
        elif isinstance(value, list | tuple | set | frozenset):
            todo += list(value)
    return "\n".join(found)


# --- the connection


def test_the_connection_is_shown_with_its_reason() -> None:
    room = Room()
    assert shell(room.machine).connection is Connection.ONLINE
    room.machine.receive(TransportLost("serveur injoignable"))
    shown = shell(room.machine)
    assert (shown.connection, shown.connection_detail) == (Connection.OFFLINE, "serveur injoignable")


def test_a_goodbye_is_told() -> None:
    room = Room()
    (effect,) = room.machine.receive(FrameReceived(Goodbye("arrêt"), NOW))
    assert says("arrêt").holds(effect)


def test_a_batch_of_changes_is_drawn_once() -> None:
    room = Room().with_request()
    for number in range(5):
        room.hear(room.talk.seal(room.talk.message(str(number))))
    assert len([each for each in updates(room.machine) if type(each).__name__ == "MailboxChanged"]) == 1
    assert updates(room.machine) == []


def test_cancelling_and_declining_are_for_the_right_party() -> None:
    asker, expert = Room(ANNE).with_request(), Room(MARIE).with_request()
    assert expert.book >> CancelRequest(expert.case, "non") << refuses("CancelRequest")
    assert asker.book >> DeclineRequest(asker.case, "non") << refuses("DeclineRequest")
    asker.do(CancelRequest(asker.case, "Patient décédé"))
    expert.do(DeclineRequest(expert.case, "Hors champ"))
    assert (asker.status(), expert.status()) == (Status.CANCELLED, Status.REJECTED)


def test_the_form_keeps_its_consent_when_edited() -> None:
    room = Room().with_request().open()
    event = room.do(EditForm(room.case, "Objet", "Histoire", "Question"))
    act = room.machine.desk.pending[unverified_header(event.envelope).event_id]
    fact = decode_event(EventKind(act.kind), act.letter)
    assert isinstance(fact, FormEdited)
    assert fact.form == RequestForm("Objet", "Histoire", "Question", consentement=True)


def test_a_file_of_the_case_is_delivered_and_no_other() -> None:
    room = Room().with_request()
    photo = attachment()
    fact = room.talk.message("Voici", attachments=(photo,))
    history = (
        Recorded(EventId("1" * 32), room.talk.conversation, room.talk.request(), WRITTEN, 1),
        Recorded(EventId("2" * 32), room.talk.conversation, fact, WRITTEN, 2),
    )
    room.book >> OpenCase(room.case)
    room.machine.receive(CaseLoaded(room.case, history, NOW))
    (found,) = (room.book >> SaveAttachment(room.case, photo.blob)).last
    assert getattr(found, "attachment", None) == photo
    assert room.book >> SaveAttachment(room.case, "00" * 32) << refuses("SaveAttachment")
