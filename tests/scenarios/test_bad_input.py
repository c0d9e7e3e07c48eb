"""What goes wrong on an ordinary day: cards, codes, clocks, forms, files, a relay that is away.

Always a French sentence that says what to do, and never a lost word.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from client.adapters.system_world import SystemWorld
from client.intents import (
    EditForm,
    ExchangeKind,
    Folder,
    LockSession,
    NewDraft,
    OpenDraft,
    PatientEntry,
    PrepareFinalisation,
    SaveDraft,
    SearchPatients,
    SelectFolder,
    SendExchange,
    SendRequest,
)
from client.ports import RelayUnreachable
from client.updates import (
    DraftChanged,
    FinalisationPrepared,
    IntentRefused,
    MailboxChanged,
    PatientsFound,
    RequestStarted,
    SessionEnded,
    Update,
)
from client.views import CaseRow, Connection, LoginPhase
from crypto.card.virtual import pki
from crypto.card.virtual.image import load_image, save_image
from domain.messages import MAX_ATTACHMENT_BYTES
from protocol.resources import LoginRequest, Session
from tests.support.practice import Desk, Line, Practice
from tests.support.region import ANNE, LUCIE, MARIE, PAUL, WRONG_PIN, Region, issue_card

READER = "Lecteur virtuel 1"

# --- cards and codes ------------------------------------------------------------------------------------------------


async def test_without_a_reader_the_door_asks_for_one(practice: Practice) -> None:
    await practice.start_local(in_memory=True)
    view = await practice.sit(MARIE, card_images=()).at_door(LoginPhase.NO_READER)
    assert view.message == "Branchez un lecteur de carte."


async def test_a_card_that_is_pulled_locks_and_put_back_resumes(practice: Practice) -> None:
    await practice.start_local(in_memory=True)
    marie, anne = await practice.desk(MARIE), await practice.desk(ANNE)
    case = await marie.request(ANNE)
    await marie.all_sent()
    reader = marie.session._around.card
    reader.remove(READER)  # type: ignore[attr-defined]
    assert (await marie.at_door(LoginPhase.NO_CARD)).locked
    await anne.open(case)
    await anne.say(case, "Pendant votre absence.")
    reader.insert(READER, marie.settings.card_images[0])  # type: ignore[attr-defined]
    await marie.sign_in()
    await marie.until(lambda: (row := marie.row(case)) is not None and "absence" in row.last_line)


async def test_a_card_of_another_kind_is_named_so(practice: Practice, region: Region) -> None:
    await practice.start_local(in_memory=True)
    card = practice.settings(MARIE).card_images[0]
    save_image(card, dataclasses.replace(load_image(card), atr=b"\x3b\x00"))
    view = await practice.sit(MARIE).at_door(LoginPhase.UNSUPPORTED)
    assert view.message == "Cette carte n'est pas une carte CPS ou CPE."


def _expired(region: Region, place: Path) -> None:
    yesterday = datetime.now(UTC) - timedelta(days=2)
    issue_card(MARIE, region.igc, place, last_day=f"{yesterday:%Y-%m-%d}")


def _not_yet_valid(region: Region, place: Path) -> None:
    issue_card(MARIE, region.igc, place, not_before=datetime.now(UTC) + timedelta(days=2))


def _foreign(region: Region, place: Path) -> None:
    issue_card(MARIE, pki.generate_igc(datetime.now(UTC) - timedelta(days=30)), place)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_expired, "Le certificat de cette carte est expiré : demandez une nouvelle carte à l'ANS."),
        (_not_yet_valid, "Le certificat de cette carte n'est pas encore valable : vérifiez l'heure de ce poste."),
        (_foreign, "Cette carte ne vient pas d'une autorité reconnue par ce service."),
    ],
)
async def test_a_certificate_that_is_not_believed_says_why(
    practice: Practice, region: Region, make: Callable[[Region, Path], None], message: str
) -> None:
    await practice.start_local(in_memory=True)
    cards = practice.place / "cards"
    cards.mkdir()
    make(region, cards)
    desk = practice.sit(MARIE)
    view = await desk.enter()
    assert (view.phase, view.message) == (LoginPhase.REFUSED, message)
    assert list(desk.settings.data_dir.glob("*")) == []


async def test_a_card_that_only_the_relay_does_not_believe_says_the_same(
    practice: Practice, region: Region, tmp_path: Path
) -> None:
    """This machine trusts one more authority than the relay does."""
    await practice.start_local(in_memory=True)
    igc = pki.generate_igc(datetime.now(UTC) - timedelta(days=30))
    roots, cards = tmp_path / "more-roots", practice.place / "cards"
    roots.mkdir()
    cards.mkdir()
    (roots / "autre.der").write_bytes(igc.racine.certificate)
    issue_card(MARIE, igc, cards)
    view = await practice.sit(MARIE, roots=roots).enter()
    assert view.phase is LoginPhase.REFUSED
    assert view.message == "Cette carte ne vient pas d'une autorité reconnue par ce service."


async def test_three_wrong_codes_block_the_card_and_each_says_what_is_left(practice: Practice) -> None:
    await practice.start_local(in_memory=True)
    desk = practice.sit(MARIE)
    for left in (2, 1):
        view = await desk.enter(WRONG_PIN)
        assert (view.phase, view.tries_left, view.message) == (LoginPhase.ENTER_PIN, left, "Code incorrect.")
    assert "unblock" in (await desk.enter(WRONG_PIN)).message
    assert desk.login.phase is LoginPhase.BLOCKED


class _SlowClock(SystemWorld):
    def now(self) -> datetime:
        return super().now() - timedelta(minutes=10)


async def test_a_wrong_clock_is_named_as_the_cause(practice: Practice) -> None:
    await practice.start_local(in_memory=True)
    view = await practice.sit(MARIE, world=_SlowClock()).enter()
    assert view.phase is LoginPhase.REFUSED
    assert view.message == "L'heure de ce poste est fausse : mettez-la à l'heure, puis recommencez."


# --- a relay that is away -------------------------------------------------------------------------------------------


class _DiesAfterTheChallenge(Line):
    async def open_session(self, request: LoginRequest) -> Session:
        raise RelayUnreachable("serveur injoignable")


async def test_a_relay_that_dies_between_challenge_and_session_opens_an_offline_desk(practice: Practice) -> None:
    app = await practice.start_local(in_memory=True)
    desk = practice.sit(MARIE, relay=_DiesAfterTheChallenge(app))
    assert (await desk.enter()).phase is LoginPhase.OPEN
    assert any(notice.startswith("Hors ligne") for notice in desk.notices())
    assert not any(isinstance(update, SessionEnded) for update in desk.heard)


async def test_without_the_relay_the_desk_opens_writes_and_sends_later(practice: Practice) -> None:
    relay = await practice.start_process()
    marie, anne = await practice.desk(MARIE), await practice.desk(ANNE)
    case = await marie.request(ANNE)
    await marie.all_sent()
    await anne.sees(case)
    await marie.close()
    relay.kill()
    await anne.offline()

    again = practice.sit(MARIE)
    assert (await again.enter()).phase is LoginPhase.OPEN
    await again.until(lambda: bool(again.notices()))
    assert again.notices() == [
        "Hors ligne : serveur injoignable. Vous travaillez sur ce que ce poste contient."
    ]  # fmt: skip
    assert (await again.open(case)).objet == "Lésion pigmentée du dos"
    again.session.dispatch(SendExchange(case, ExchangeKind.MESSAGE, "Écrit hors ligne."))
    await again.until(lambda: again.shell is not None and again.shell.pending == 1, "a message waiting")
    assert (await again.sees(case)).pending
    entry = (await again.ask(NewDraft(), DraftChanged)).view.entry
    typed = dataclasses.replace(entry, expert=ANNE.account, objet="Deuxième avis", question="Hors ligne aussi ?")
    second = (await again.ask(SendRequest(typed), RequestStarted)).case

    relay.start()
    for desk in (again, anne):
        await desk.online()
    await again.all_sent()
    assert not (await again.sees(case)).pending
    await anne.sees(second, "requested")
    assert [entry.text for entry in (await anne.look(case)).timeline][1:] == ["Écrit hors ligne."]


async def test_a_relay_killed_in_the_middle_of_a_send_gets_the_request_exactly_once(
    practice: Practice, tmp_path: Path
) -> None:
    relay = await practice.start_process()
    marie, anne = await practice.desk(MARIE), await practice.desk(ANNE)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(bytes(8 * 1024 * 1024))
    await marie.find(ANNE)
    case = await marie.request(ANNE, files=[photo])
    relay.kill()
    await marie.offline()
    assert (await marie.sees(case, "requested")).pending
    relay.start()
    await marie.online()
    await anne.online()
    await marie.all_sent()
    await anne.sees(case, "requested")
    view = await anne.look(case)
    assert [entry.kind for entry in view.timeline] == ["request-sent"]
    assert [row.case for row in anne.mailbox.rows] == [case]  # type: ignore[union-attr]


# --- forms and files ------------------------------------------------------------------------------------------------


async def _drafts(desk: Desk) -> list[CaseRow]:
    found = await desk.ask(SelectFolder(Folder.DRAFTS), MailboxChanged, lambda update: update.view.folder == "drafts")
    await desk.ask(SelectFolder(Folder.INBOX), MailboxChanged, lambda update: update.view.folder == "inbox")
    return list(found.view.rows)


async def test_an_empty_form_says_all_that_is_missing_and_is_kept(practice: Practice) -> None:
    await practice.start_local(in_memory=True)
    marie = await practice.desk(MARIE)
    blank = await marie.blank()
    reason = await marie.refused(SendRequest(blank))
    assert reason == "Choisissez un expert. Donnez un objet à la demande. Écrivez votre question."
    assert marie.session.pending == 0
    assert [row.case for row in await _drafts(marie)] == [blank.draft]


async def test_a_nir_with_a_wrong_key_is_a_warning_and_travels(practice: Practice) -> None:
    await practice.start_local(in_memory=True)
    marie, anne = await practice.desk(MARIE), await practice.desk(ANNE)
    patient = PatientEntry("SPECIMEN", "Lucette", "F", "17/04/1958", "2 58 04 42 991 007 99")
    entry = dataclasses.replace(await marie.blank(), patient=patient)
    view = (await marie.ask(SaveDraft(entry), DraftChanged)).view
    assert "NIR : la clé ne correspond pas au numéro." in view.warnings
    case = await marie.request(ANNE, patient=patient)
    await marie.all_sent()
    sheet = {line.label: line.value for line in (await anne.open(case)).patient_sheet}
    assert sheet["NIR"] == "2 58 04 42 991 007 99"


def _huge(place: Path) -> Path:
    path = place / "scanner.dcm"
    with path.open("wb") as file:
        file.truncate(200 * 1024 * 1024)  # A hole: it costs no disk.
    return path


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_huge, ("« scanner.dcm » pèse", "la limite est de")),
        (lambda place: place / "absent.jpg", ("Le fichier « absent.jpg » n'existe pas.",)),
        (lambda place: place, ("est un dossier",)),
        (lambda _place: Path("/proc/self/mem"), ("Le fichier « mem » n'est pas lisible",)),
    ],
    ids=["200-mb", "absent", "directory", "unreadable"],
)
async def test_a_file_that_cannot_leave_stops_the_request_and_loses_nothing(
    practice: Practice, tmp_path: Path, make: Callable[[Path], Path], words: tuple[str, ...]
) -> None:
    """`/proc/self/mem` refuses its first byte even to root, as a failing disk would."""
    await practice.start_local(in_memory=True)
    marie = await practice.desk(MARIE)
    await marie.find(ANNE)
    entry = dataclasses.replace(
        await marie.blank(), expert=ANNE.account, objet="Avec image", question="?", attachments=(str(make(tmp_path)),)
    )
    reason = await marie.refused(SendRequest(entry))
    assert all(word in reason for word in words), reason
    assert marie.session.pending == 0
    assert [row.objet for row in await _drafts(marie)] == ["Avec image"]
    sealed = marie.settings.data_dir.glob("*.blobs/*")
    assert sum(path.stat().st_size for path in sealed) <= MAX_ATTACHMENT_BYTES


async def test_a_request_that_the_relay_refuses_is_a_draft_again(practice: Practice) -> None:
    """Paul never opened a desk: no key to seal to. What was typed must not be lost with the refusal."""
    await practice.start_local(in_memory=True)
    marie = await practice.desk(MARIE)
    await marie.find(PAUL)
    await marie.request(PAUL, objet="Trouble du rythme", histoire_clinique="Palpitations depuis un an.")
    await marie.all_sent()
    assert any("n'a pas encore de clé" in notice for notice in marie.notices())
    (draft,) = await _drafts(marie)
    assert draft.objet == "Trouble du rythme"
    entry = (await marie.ask(OpenDraft(draft.case), DraftChanged, lambda update: bool(update.view.saved_at))).view.entry
    assert (entry.expert, entry.histoire_clinique) == (PAUL.account, "Palpitations depuis un an.")
    assert entry.patient == PatientEntry("SPECIMEN", "Lucette", "F", "1958-04-17", "258044299100707")
    await practice.desk(PAUL)
    case = (await marie.ask(SendRequest(entry), RequestStarted)).case
    await marie.online()
    await marie.all_sent()
    assert (await marie.sees(case)).status == "requested"


# --- hostile text ---------------------------------------------------------------------------------------------------

HOSTILE = "A\x1b[2J\x1b]52;c;ZXZpbA==\x07\x9b31m [/] [@click=app.quit]go[/] \u202egnp.exe\u2066 \x00\r\x08 Z"
TOKENS = ("␛[2J␛]52;c;ZXZpbA==␇⟦U+009B⟧31m", "[/] [@click=app.quit]go[/]", "⟦U+202E⟧gnp.exe⟦U+2066⟧", "␀", "␈ Z")


def words_of(value: object) -> Iterator[str]:
    """Every string in an update, at any depth."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, tuple | list | frozenset | set):
        for each in value:
            yield from words_of(each)
    elif isinstance(value, dict):
        yield from words_of(list(value.items()))
    elif dataclasses.is_dataclass(value):
        for each in dataclasses.fields(value):
            yield from words_of(getattr(value, each.name))


def unsafe(text: str) -> list[str]:
    """Characters that a terminal or a reader's eye would obey."""
    bidi = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return [char for char in text if (ord(char) < 0x20 and char != "\n") or 0x7F <= ord(char) < 0xA0 or char in bidi]


def dangers(updates: list[Update]) -> list[tuple[str, str]]:
    """What of these updates must not reach a screen; what this user typed himself is his own."""
    return [
        (type(update).__name__, text)
        for update in updates
        if not isinstance(update, DraftChanged)
        for text in words_of(update)
        if unsafe(text)
    ]


async def test_hostile_text_arrives_as_visible_tokens_everywhere(practice: Practice, tmp_path: Path) -> None:
    await practice.start_local(in_memory=True)
    marie, anne = await practice.desk(MARIE), await practice.desk(ANNE)
    file = tmp_path / "\x1b]0;pwn\x07\u202egpj.jpg"
    file.write_bytes(b"x")
    case = await marie.request(
        ANNE,
        objet=HOSTILE,
        histoire_clinique=HOSTILE,
        question=HOSTILE,
        patient=PatientEntry(HOSTILE, HOSTILE, "F", HOSTILE, HOSTILE),
        numero_facturation=HOSTILE,
        files=[file],
    )
    await marie.all_sent()
    view = await anne.open(case)
    for shown in (view.objet, view.histoire_clinique, view.question):
        assert all(token in shown for token in TOKENS), shown
    assert view.form_attachments[0].name == "␛]0;pwn␇⟦U+202E⟧gpj.jpg"
    await anne.do(EditForm(case, HOSTILE, HOSTILE, HOSTILE))
    await marie.say(case, HOSTILE)
    await anne.say(case, HOSTILE, ExchangeKind.ANSWER)
    await anne.ask(PrepareFinalisation(case), FinalisationPrepared)
    await anne.ask(SearchPatients(""), PatientsFound)
    await anne.look(case)
    await marie.look(case)
    assert dangers(anne.heard) == []
    assert dangers(marie.heard) == []


async def test_a_locked_desk_refuses_quietly(practice: Practice) -> None:
    """What is asked while the desk is covered changes nothing and harms nothing."""
    await practice.start_local(in_memory=True)
    lucie = await practice.desk(LUCIE)
    lucie.session.dispatch(LockSession())
    await lucie.at_door(LoginPhase.ENTER_PIN)
    lucie.session.dispatch(NewDraft())
    await lucie.settled()
    await lucie.sign_in()
    assert lucie.connection is Connection.ONLINE
    assert not any(isinstance(update, IntentRefused | SessionEnded) for update in lucie.heard)
