"""Stand-ins behind the client's ports: a card, a relay, a vault, a clock. They keep the word of the port, and count."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from client.ports import RelayRefusal, RelayUnreachable
from crypto.at_rest import open_secrets, seal_secrets
from crypto.card.errors import NoCard, PinBlocked, PinIncorrect
from crypto.card.port import (
    CardIdentity,
    CardSlot,
    SignedStatements,
    SituationExercice,
    SituationFacturation,
)
from domain.identifiers import AccountId
from protocol.resources import (
    ActingAccount,
    Challenge,
    DirectoryEntry,
    ExpertPreferences,
    KeyDocument,
    LoginRequest,
    SearchPage,
    Session,
)
from tests.support.builders import NOW, CountedRandom, Practitioner, card_signature, igc

READER = "Lecteur 1"
OTHER_READER = "Lecteur 2"
PIN = "1234"
AUDIENCE = "https://relay.example"


class FakeWorld:
    """A clock that stands still, and counted chance."""

    def __init__(self, seed: str = "world") -> None:
        self.instant = NOW
        self._random = CountedRandom(seed)

    def now(self) -> datetime:
        return self.instant

    def forward(self, **delta: float) -> None:
        self.instant += timedelta(**delta)

    def random(self, size: int) -> bytes:
        return self._random(size)


@dataclass
class Card:
    """A card in a reader."""

    holder: Practitioner
    situations: tuple[SituationExercice, ...] = (SituationExercice(1, "CABINET CHARLIER", "L"),)
    billing: tuple[SituationFacturation, ...] = (SituationFacturation(1, "Cabinet", "421990029", "SM15", "421"),)
    pin: str = PIN
    tries: int = 3


class FakeCardPort:
    """Readers with cards; `failure` is raised by the named method, `signed` counts the codes tried."""

    def __init__(self, cards: Mapping[str, Card | None]) -> None:
        self.cards = dict(cards)
        self.failures: dict[str, Exception] = {}
        self.codes: list[str] = []
        self.statements: list[tuple[bytes, ...]] = []

    def slots(self) -> tuple[CardSlot, ...]:
        return tuple(CardSlot(name, b"atr" if card else None) for name, card in self.cards.items())

    def identity(self, reader: str) -> CardIdentity:
        card = self._card(reader, "identity")
        return CardIdentity(
            "0000000001",
            "CPS",
            card.holder.certificate,
            (igc(card.holder.authority).personnes.certificate,),
            card.situations,
        )

    def tries_left(self, reader: str) -> int:
        return self._card(reader, "tries_left").tries

    def sign(self, reader: str, statements: Sequence[bytes], pin: str) -> SignedStatements:
        self.codes.append(pin)
        card = self._card(reader, "sign")
        if card.tries == 0:
            raise PinBlocked
        if pin != card.pin:
            card.tries -= 1
            raise PinIncorrect(card.tries) if card.tries else PinBlocked()
        card.tries = 3
        self.statements.append(tuple(statements))
        return SignedStatements(tuple(card_signature(each) for each in statements), card.billing)

    def change_pin(self, reader: str, old: str, new: str) -> None:
        raise NotImplementedError

    def unblock(self, reader: str, puk: str, new: str) -> None:
        raise NotImplementedError

    def _card(self, reader: str, method: str) -> Card:
        if method in self.failures:
            raise self.failures[method]
        card = self.cards.get(reader)
        if card is None:
            raise NoCard
        return card


class MemoryVault:
    """Device secrets in memory, sealed all the same."""

    kind = "mémoire"

    def __init__(self) -> None:
        self.kept: dict[str, tuple[bytes, bytes]] = {}
        self._random = CountedRandom("vault")

    def public_part(self, account: str) -> bytes | None:
        return self.kept[account][0] if account in self.kept else None

    def open(self, account: str, wrapping_key: bytes) -> bytes:
        return open_secrets(wrapping_key, self.kept[account][1])

    def save(self, account: str, public_part: bytes, wrapping_key: bytes, secrets: bytes) -> None:
        self.kept[account] = (public_part, seal_secrets(wrapping_key, secrets, random=self._random))


@dataclass
class FakeRelay:
    """A relay of a few answers; `away` makes every call unreachable, `failures` one of them."""

    away: bool = False
    failures: dict[str, Exception] = field(default_factory=dict)
    documents: dict[str, KeyDocument] = field(default_factory=dict)
    accounts: Callable[[LoginRequest], tuple[ActingAccount, ...]] = lambda _request: ()
    logins: list[LoginRequest] = field(default_factory=list)

    audience: str = AUDIENCE

    def _ask(self, method: str) -> None:
        if self.away:
            raise RelayUnreachable("serveur injoignable")
        if method in self.failures:
            raise self.failures[method]

    async def challenge(self) -> Challenge:
        self._ask("challenge")
        return Challenge("ab" * 32, AUDIENCE, "")

    async def open_session(self, request: LoginRequest) -> Session:
        self._ask("open_session")
        self.logins.append(request)
        return Session(f"token-{len(self.logins)}", "", AccountId(""), self.accounts(request))

    async def close_session(self, token: str) -> None:
        self._ask("close_session")

    async def keys(self, token: str, account: str) -> KeyDocument:
        self._ask("keys")
        if account not in self.documents:
            raise RelayRefusal(404, "not-found")
        return self.documents[account]

    async def search(
        self, token: str, *, query: str, filters: Mapping[str, str], experts: bool, page: int
    ) -> SearchPage:
        raise NotImplementedError

    async def entry(self, token: str, account: str) -> DirectoryEntry:
        raise RelayRefusal(404, "not-found")

    async def save_preferences(self, token: str, account: str, preferences: ExpertPreferences) -> None:
        raise NotImplementedError

    async def publish_keys(self, token: str, document: KeyDocument) -> None:
        raise NotImplementedError

    async def upload(self, token: str, blob: str, path: Path, progress: Callable[[int, int], None]) -> None:
        raise NotImplementedError

    async def download(self, token: str, blob: str) -> AsyncIterator[bytes]:
        raise NotImplementedError
        yield b""

    async def connect(self) -> object:
        raise RelayUnreachable("serveur injoignable")

    async def close(self) -> None: ...
