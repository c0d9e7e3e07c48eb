"""From an empty reader to an open desk: every way to fail has a phase, a sentence, and a next step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta

import msgspec
import pytest

from client.door import Door, Opened
from client.ports import RelayRefusal, RelayUnreachable
from client.views import LoginPhase, LoginView
from crypto.card.errors import (
    CardBusy,
    CardDead,
    CardError,
    CardRemoved,
    CardReset,
    NoCard,
    NoReader,
    PinBlocked,
    ProtocolError,
    ServiceUnavailable,
    UnsupportedCard,
)
from crypto.card.port import CardSlot, SituationExercice, SituationFacturation
from crypto.sealing import AccountKey, wrap_service_key
from domain.identifiers import AccountId
from protocol.resources import ActingAccount, KeyDocument
from tests.support.builders import ANNE, LATER, MARIE, NOW, PAUL, CountedRandom, Practitioner, roots
from tests.support.fakes import (
    OTHER_READER,
    PIN,
    READER,
    Card,
    FakeCardPort,
    FakeRelay,
    FakeWorld,
    MemoryVault,
)

SERVICE = AccountId("sv:avis-dermato")
TWO_PLACES = (SituationExercice(1, "CABINET", "L"), SituationExercice(2, "HOPITAL", "S"))
TWO_BILLS = (
    SituationFacturation(1, "Cabinet", "421990029", "SM15", "421"),
    SituationFacturation(2, "Autre\x1b[2J", "421990030", "SM15", "421"),
)


@dataclass
class Entrance:
    """A door with fakes behind it, and everything it showed."""

    card: FakeCardPort
    relay: FakeRelay = field(default_factory=FakeRelay)
    vault: MemoryVault = field(default_factory=MemoryVault)
    world: FakeWorld = field(default_factory=FakeWorld)
    roots: tuple[bytes, ...] = field(default_factory=roots)
    only_reader: str = ""
    shown: list[LoginView] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.door = Door(
            card=self.card,
            relay=self.relay,  # type: ignore[arg-type]
            vault=self.vault,
            world=self.world,
            roots=self.roots,
            show=self.shown.append,
            only_reader=self.only_reader,
        )

    @property
    def phase(self) -> LoginPhase:
        return self.shown[-1].phase

    @property
    def message(self) -> str:
        return self.shown[-1].message

    async def arrive(self) -> Entrance:
        await self.door.slots_changed(self.card.slots())
        return self

    async def open(self, pin: str = PIN) -> Opened | None:
        await self.arrive()
        return await self.door.enter_pin(pin)


def with_card(card: Card | None = None, **parts: object) -> Entrance:
    return Entrance(FakeCardPort({READER: card or Card(ANNE)}), **parts)  # type: ignore[arg-type]


# --- before the code


async def test_a_card_is_read_then_the_code_is_asked() -> None:
    entrance = await with_card().arrive()
    assert [view.phase for view in entrance.shown] == [LoginPhase.READING, LoginPhase.ENTER_PIN]
    shown = entrance.shown[-1]
    assert (shown.holder, shown.card, shown.tries_left, shown.message) == ("Anne CHARLIER", "CPS 0000000001", 3, "")


@pytest.mark.parametrize(
    ("cards", "phase", "message"),
    [
        ({}, LoginPhase.NO_READER, "Branchez un lecteur de carte."),
        ({READER: None}, LoginPhase.NO_CARD, ""),
    ],
)
async def test_nothing_to_read(cards: dict[str, None], phase: LoginPhase, message: str) -> None:
    entrance = await Entrance(FakeCardPort(cards)).arrive()
    assert (entrance.phase, entrance.message) == (phase, message)


PROBLEMS = [
    (ServiceUnavailable(), LoginPhase.NO_SERVICE, "Vérifiez qu'il est démarré"),
    (NoReader(), LoginPhase.NO_READER, "Branchez un lecteur"),
    (NoCard(), LoginPhase.NO_CARD, ""),
    (CardRemoved(), LoginPhase.NO_CARD, "Insérez-la de nouveau"),
    (CardReset(), LoginPhase.NO_CARD, "Retirez-la puis insérez-la"),
    (CardBusy(), LoginPhase.NO_CARD, "Fermez-le, puis réinsérez"),
    (PinBlocked(), LoginPhase.BLOCKED, "avicenne card unblock"),
    (CardDead(), LoginPhase.DEAD, "Demandez-en une nouvelle"),
    (UnsupportedCard(b""), LoginPhase.UNSUPPORTED, "n'est pas une carte CPS ou CPE"),
    (ProtocolError(0x6F00), LoginPhase.UNSUPPORTED, "n'a pas répondu comme prévu"),
]


@pytest.mark.parametrize("method", ["identity", "tries_left", "sign"])
@pytest.mark.parametrize(("error", "phase", "step"), PROBLEMS, ids=lambda value: type(value).__name__)
async def test_every_card_error_has_a_phase_and_a_next_step(
    method: str, error: CardError, phase: LoginPhase, step: str
) -> None:
    entrance = with_card()
    entrance.card.failures[method] = error
    assert await entrance.open() is None
    assert entrance.phase is phase
    assert step in entrance.message


async def test_a_service_of_cards_that_stops_is_told() -> None:
    entrance = await with_card().arrive()
    await entrance.door.service_lost()
    assert (entrance.phase, entrance.shown[-1].holder) == (LoginPhase.NO_SERVICE, "")


async def test_a_blocked_card_is_never_asked_for_a_code() -> None:
    entrance = await with_card(Card(ANNE, tries=0)).arrive()
    assert entrance.phase is LoginPhase.BLOCKED
    assert await entrance.door.enter_pin(PIN) is None
    assert entrance.card.codes == []


async def test_several_cards_are_chosen_by_holder() -> None:
    entrance = Entrance(FakeCardPort({READER: Card(ANNE), OTHER_READER: Card(MARIE)}))
    await entrance.arrive()
    assert [(each.key, each.label) for each in entrance.shown[-1].choices] == [
        (READER, "Anne CHARLIER"),
        (OTHER_READER, "Marie TOURNEVENT"),
    ]
    await entrance.door.choose_reader(OTHER_READER)
    assert (entrance.phase, entrance.shown[-1].holder) == (LoginPhase.ENTER_PIN, "Marie TOURNEVENT")


async def test_only_the_reader_of_the_settings_is_looked_at() -> None:
    entrance = Entrance(FakeCardPort({READER: Card(ANNE), OTHER_READER: Card(MARIE)}), only_reader="2")
    await entrance.arrive()
    assert entrance.shown[-1].holder == "Marie TOURNEVENT"


async def test_other_readers_that_come_and_go_disturb_nobody() -> None:
    entrance = await with_card().arrive()
    shown = len(entrance.shown)
    await entrance.door.slots_changed((*entrance.card.slots(), CardSlot("Lecteur 3", None)))
    assert len(entrance.shown) == shown


async def test_a_situation_is_chosen_among_those_of_the_card() -> None:
    entrance = await with_card(Card(ANNE, TWO_PLACES)).arrive()
    assert [(each.key, each.label, each.detail) for each in entrance.shown[-1].choices] == [
        ("1", "CABINET", "libéral"),
        ("2", "HOPITAL", "salarié"),
    ]
    await entrance.door.choose_situation(7)
    assert entrance.phase is LoginPhase.CHOOSE_SITUATION
    await entrance.door.choose_situation(2)
    opened = await entrance.door.enter_pin(PIN)
    assert opened is not None
    assert (opened.me.situation, opened.me.mode) == ("HOPITAL (salarié)", "S")
    assert entrance.relay.logins[0].situation == 2


# --- the code


async def test_a_right_code_opens_with_one_signature_of_everything() -> None:
    entrance = with_card()
    opened = await entrance.open()
    assert opened is not None
    assert (opened.me.account, opened.me.numero_facturation, opened.token) == (ANNE.account, "421990029", "token-1")
    (statements,) = entrance.card.statements
    types = [msgspec.json.decode(each)["typ"] for each in statements]
    assert types == ["avicenne-vault+v1", "avicenne-device+v1", "avicenne-login+v1"]
    assert entrance.phase is LoginPhase.CHECKING


async def test_the_second_time_the_same_device_opens_without_a_new_enrolment() -> None:
    entrance = with_card()
    first = await entrance.open()
    again = with_card(vault=entrance.vault)
    second = await again.open()
    assert first is not None
    assert second is not None
    assert (first.ring.device_id, first.store_secret) == (second.ring.device_id, second.store_secret)
    types = [msgspec.json.decode(each)["typ"] for each in again.card.statements[0]]
    assert types == ["avicenne-vault+v1", "avicenne-login+v1"]


async def test_a_wrong_code_shows_what_is_left_and_is_tried_once() -> None:
    entrance = await with_card().arrive()
    assert await entrance.door.enter_pin("0000") is None
    shown = entrance.shown[-1]
    assert (shown.phase, shown.tries_left, shown.message) == (LoginPhase.ENTER_PIN, 2, "Code incorrect.")
    assert entrance.card.codes == ["0000"]


async def test_the_third_wrong_code_blocks_and_says_how_to_unblock() -> None:
    entrance = await with_card().arrive()
    for _try in range(4):
        await entrance.door.enter_pin("0000")
    assert (entrance.phase, entrance.card.codes) == (LoginPhase.BLOCKED, ["0000"] * 3)
    assert "card unblock" in entrance.message


@pytest.mark.parametrize("pin", ["", "123", "123456789", "12a4", "١٢٣٤", "²³⁴⁵", " 1234"])
async def test_what_can_be_no_code_costs_no_try(pin: str) -> None:
    entrance = await with_card().arrive()
    assert await entrance.door.enter_pin(pin) is None
    assert (entrance.card.codes, entrance.phase, entrance.shown[-1].tries_left) == ([], LoginPhase.ENTER_PIN, 3)
    assert entrance.message == "Le code porteur a de 4 à 8 chiffres."


async def test_a_code_entered_when_none_is_asked_is_not_tried() -> None:
    entrance = with_card()
    await entrance.door.enter_pin(PIN)
    await entrance.arrive()
    await entrance.door.enter_pin("0000")
    entrance.card.failures["tries_left"] = NoCard()
    await entrance.door.ask_again("")
    await entrance.door.enter_pin(PIN)
    assert entrance.card.codes == ["0000"]


async def test_a_billing_situation_is_chosen_when_there_are_several() -> None:
    entrance = with_card(Card(ANNE, billing=TWO_BILLS))
    assert await entrance.open() is None
    assert [(each.key, each.label, each.detail) for each in entrance.shown[-1].choices] == [
        ("1", "Cabinet", "421990029"),
        ("2", "Autre␛[2J", "421990030"),
    ]
    assert await entrance.door.choose_billing(9) is None
    opened = await entrance.door.choose_billing(2)
    assert opened is not None
    assert opened.me.numero_facturation == "421990030"
    assert await entrance.door.choose_billing(1) is None


async def test_locking_while_the_billing_situation_is_asked_asks_for_the_code_again() -> None:
    entrance = with_card(Card(ANNE, billing=TWO_BILLS))
    await entrance.open()
    await entrance.door.ask_again("")
    assert entrance.phase is LoginPhase.ENTER_PIN
    assert await entrance.door.choose_billing(1) is None


async def test_without_a_billing_situation_the_desk_opens_all_the_same() -> None:
    opened = await with_card(Card(ANNE, billing=())).open()
    assert opened is not None
    assert opened.me.numero_facturation == ""


# --- the relay


async def test_offline_the_desk_opens_on_what_it_holds() -> None:
    online = with_card()
    await online.open()
    entrance = with_card(vault=online.vault, relay=FakeRelay(away=True))
    opened = await entrance.open()
    assert opened is not None
    assert (opened.token, opened.accounts) == ("token-1", ())
    assert opened.notice == "Hors ligne : serveur injoignable. Vous travaillez sur ce que ce poste contient."


async def test_offline_a_new_machine_enrols_and_waits_for_the_relay() -> None:
    entrance = with_card(relay=FakeRelay(away=True))
    opened = await entrance.open()
    assert opened is not None
    assert (opened.token, entrance.card.codes) == ("", [PIN])


async def test_a_relay_that_leaves_after_its_challenge_is_offline_too() -> None:
    relay = FakeRelay(failures={"open_session": RelayUnreachable("connexion interrompue")})
    opened = await with_card(relay=relay).open()
    assert opened is not None
    assert opened.notice.startswith("Hors ligne : connexion interrompue.")


@pytest.mark.parametrize(
    ("code", "detail", "message"),
    [
        ("unknown-account", "", "Ce professionnel n'est pas dans l'annuaire de ce service."),
        ("clock-skew", "", "L'heure de ce poste est fausse : mettez-la à l'heure, puis recommencez."),
        ("too-many-requests", "", "Trop d'essais : attendez une minute, puis recommencez."),
        ("identity-refused", "certificate-revoked", "Le certificat de cette carte a été révoqué."),
        ("something-else", "", "Le serveur refuse la connexion (something-else)."),
    ],
)
async def test_a_relay_that_refuses_says_why(code: str, detail: str, message: str) -> None:
    entrance = with_card(relay=FakeRelay(failures={"open_session": RelayRefusal(403, code, detail)}))
    assert await entrance.open() is None
    assert (entrance.phase, entrance.message) == (LoginPhase.REFUSED, message)


@pytest.mark.parametrize(
    ("holder", "at", "message"),
    [
        (replace(ANNE, authority="foreign"), NOW, "ne vient pas d'une autorité reconnue"),
        (ANNE, LATER + timedelta(days=1), "est expiré : demandez une nouvelle carte"),
        (ANNE, NOW - timedelta(days=1), "vérifiez l'heure de ce poste"),
    ],
    ids=["foreign", "expired", "early"],
)
async def test_a_card_that_is_not_believed_opens_nothing_even_offline(
    holder: Practitioner, at: object, message: str
) -> None:
    entrance = with_card(Card(holder), relay=FakeRelay(away=True))
    entrance.world.instant = at  # type: ignore[assignment]
    assert await entrance.open() is None
    assert entrance.phase is LoginPhase.REFUSED
    assert message in entrance.message
    assert entrance.vault.kept == {}


async def test_a_vault_that_this_card_does_not_open_says_so() -> None:
    entrance = with_card()
    await entrance.open()
    public, sealed = entrance.vault.kept[ANNE.account]
    entrance.vault.kept[ANNE.account] = (public, sealed[:-1] + b"x")
    again = with_card(vault=entrance.vault)
    assert await again.open() is None
    assert (again.phase, "elle a peut-être été renouvelée" in again.message) == (LoginPhase.REFUSED, True)


# --- services


def member_of(relay: FakeRelay, service: AccountId = SERVICE) -> FakeRelay:
    relay.accounts = lambda _request: (ActingAccount(service, "Avis", is_service=True, rights=()),)
    return relay


def own_public_key(entrance: Entrance) -> bytes:
    """The account key that the machine enrolled."""
    statement = msgspec.json.decode(entrance.relay.logins[0].device.enrolment.statement)
    import base64

    return base64.b64decode(statement["account_key"])


async def second_visit(document_of: object, *, responsible: Practitioner = MARIE) -> Opened:
    """Open once to enrol, then again when the relay holds a document made for the enrolled key."""
    first = with_card()
    await first.open()
    relay = member_of(FakeRelay())
    relay.documents = {
        SERVICE: document_of(own_public_key(first)),  # type: ignore[operator]
        responsible.account: responsible.document,
    }
    opened = await with_card(vault=first.vault, relay=relay).open()
    assert opened is not None
    return opened


def vouched(by: Practitioner, key: AccountKey, sealed: AccountKey, **changes: object) -> object:
    def document(own: bytes) -> KeyDocument:
        made = by.service_document(SERVICE, key, ())
        assert made.service is not None
        wraps = {ANNE.account: wrap_service_key(own, sealed, account=SERVICE, member=ANNE.account)}
        return KeyDocument(SERVICE, service=msgspec.structs.replace(made.service, wraps=wraps, **changes))

    return document


SERVICE_KEY = AccountKey.generate(CountedRandom("service"))
RELAYS_KEY = AccountKey.generate(CountedRandom("the relay's own"))


async def test_a_member_receives_the_services_key() -> None:
    opened = await second_visit(vouched(MARIE, SERVICE_KEY, SERVICE_KEY))
    assert opened.ring.accounts[SERVICE].public_key == SERVICE_KEY.public_key


async def test_a_service_key_put_in_by_the_relay_is_not_taken() -> None:
    """Sealing to a member needs no secret; only the responsible person's signature makes a key the service's."""
    opened = await second_visit(vouched(MARIE, SERVICE_KEY, RELAYS_KEY))
    assert set(opened.ring.accounts) == {ANNE.account}


async def test_a_service_key_signed_by_somebody_else_is_not_taken() -> None:
    opened = await second_visit(vouched(PAUL, RELAYS_KEY, RELAYS_KEY, responsible=MARIE.account))
    assert set(opened.ring.accounts) == {ANNE.account}


@pytest.mark.parametrize("wrap", [b"", b"x" * 2000])
async def test_a_service_key_that_does_not_open_does_not_close_the_door(wrap: bytes) -> None:
    def document(_own: bytes) -> KeyDocument:
        made = MARIE.service_document(SERVICE, SERVICE_KEY, ())
        assert made.service is not None
        return KeyDocument(SERVICE, service=msgspec.structs.replace(made.service, wraps={ANNE.account: wrap}))

    assert set((await second_visit(document)).ring.accounts) == {ANNE.account}


# --- several users, one workstation


async def test_an_open_desk_is_resumed_by_its_own_card_only() -> None:
    entrance = with_card()
    await entrance.open()
    entrance.door.opened()
    assert (entrance.phase, entrance.shown[-1].locked) == (LoginPhase.OPEN, False)
    entrance.card.cards[READER] = None
    await entrance.arrive()
    assert (entrance.phase, entrance.shown[-1].locked) == (LoginPhase.NO_CARD, True)
    entrance.card.cards[READER] = Card(MARIE)
    await entrance.arrive()
    assert (entrance.phase, "Une autre session est ouverte" in entrance.message) == (LoginPhase.REFUSED, True)
    assert await entrance.door.enter_pin(PIN) is None
    entrance.card.cards[READER] = Card(ANNE)
    await entrance.door.slots_changed(())
    await entrance.arrive()
    assert entrance.phase is LoginPhase.ENTER_PIN


async def test_switching_cards_begins_again_for_anybody() -> None:
    entrance = with_card()
    await entrance.open()
    entrance.card.cards[READER] = Card(MARIE)
    await entrance.door.start_over()
    assert (entrance.phase, entrance.shown[-1].holder, entrance.shown[-1].locked) == (
        LoginPhase.ENTER_PIN,
        "Marie TOURNEVENT",
        False,
    )


async def test_the_code_is_in_nothing_that_is_shown() -> None:
    entrance = with_card(Card(ANNE, pin="8642"))
    await entrance.arrive()
    await entrance.door.enter_pin("9753")
    await entrance.door.enter_pin("8642")
    assert not any(code in repr(entrance.shown) for code in ("8642", "9753"))
