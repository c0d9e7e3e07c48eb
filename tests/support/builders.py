"""People with real keys and certificates, and the events they write: for tests of the client's pure rooms.

One RSA key serves every card of an authority: making them is slow, and nothing here depends on their being different.
"""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, cached_property

from client.desk import Desk
from client.letters import KeyRing, seal_act, wrap_for
from client.machine import ClientMachine
from client.model import Me, PendingAct, Snapshot, TrustedKeys
from crypto.card.virtual import keys, pki
from crypto.certificates import CardType
from crypto.identity import (
    EnrolmentStatement,
    LoginStatement,
    ServiceKeyStatement,
    Statement,
    device_id,
    encode_statement,
)
from crypto.sealing import CONVERSATION_KEY_BYTES, AccountKey, wrap_service_key
from crypto.signing import SigningKey
from domain.events import (
    KIND_OF_CLASS,
    Answered,
    BillingRecap,
    Event,
    Finalised,
    Flagged,
    FormEdited,
    MessageSent,
    PersonalFlag,
    RequestSent,
    Seen,
)
from domain.identifiers import AccountId, BlobId, ConversationId, DeviceId, EventId, person_account
from domain.messages import Attachment, RequestForm
from domain.patients import Patient
from domain.practitioners import BillingNumber, Party
from domain.status import EventKind
from protocol.envelope import Envelope, Header, encode_header, signed_bytes
from protocol.frames import Deliver
from protocol.resources import ActingAccount, DirectoryEntry, EnrolledDevice, KeyDocument, ServiceKey, Signed

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
WRITTEN = "2026-11-22T09:00:00+00:00"
RECEIVED = "2026-11-22T09:00:01.000+00:00"
LATER = NOW + timedelta(days=700)

_ids = itertools.count(1)


def fresh_id() -> str:
    """32 hexadecimal characters never returned before in this process."""
    return f"{next(_ids):032x}"


class CountedRandom:
    """Bytes that look like chance and are the same at every run; `drawn` counts them."""

    def __init__(self, seed: str = "chance") -> None:
        self._seed = seed
        self.drawn = 0

    def __call__(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            self.drawn += 1
            found += hashlib.sha256(f"{self._seed}/{self.drawn}".encode()).digest()
        return found[:size]


@cache
def igc(name: str) -> pki.TestIgc:
    """An authority of cards; each name is another one."""
    assert name
    return pki.generate_igc(NOW)


def roots() -> tuple[bytes, ...]:
    """The roots that everybody trusts here."""
    return igc("ours").roots


@cache
def card_key() -> bytes:
    """The RSA key of every card."""
    return keys.generate_private_key()


@cache
def _certificate(authority: str, id_nat: str, surname: str, given: str) -> bytes:
    holder = pki.Holder(CardType.CPS, id_nat, surname, given, "Médecin", "10")
    return pki.issue_certificate(
        igc(authority).personnes, holder, card_key(), pki.Usage.AUTHENTICATION, not_before=NOW, not_after=LATER
    )


def card_signature(statement: bytes) -> bytes:
    """RSA PKCS#1 v1.5 with SHA-256, as a card gives it."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import padding

    return keys.load(card_key()).sign(statement, padding.PKCS1v15(), hashes.SHA256())


@dataclass(frozen=True)
class Practitioner:
    """A professional with a card, a device and an account key."""

    id_nat: str
    given: str
    surname: str
    profession: str = "Médecin généraliste"
    authority: str = "ours"
    machine: str = "first"
    """Another machine of the same person has another device and another account key."""

    @property
    def account(self) -> AccountId:
        return person_account(self.id_nat)

    @property
    def name(self) -> str:
        return f"Dr {self.given} {self.surname}"

    @cached_property
    def signing(self) -> SigningKey:
        return SigningKey.generate(CountedRandom(f"{self.id_nat}/{self.machine}/device"))

    @cached_property
    def account_key(self) -> AccountKey:
        return AccountKey.generate(CountedRandom(f"{self.id_nat}/{self.machine}/account"))

    @property
    def device(self) -> DeviceId:
        return DeviceId(device_id(self.signing.public_key))

    @property
    def ring(self) -> KeyRing:
        return KeyRing(self.device, self.signing, {self.account: self.account_key})

    @property
    def party(self) -> Party:
        return Party(self.account, self.name, self.id_nat, self.profession)

    @property
    def keys(self) -> TrustedKeys:
        return TrustedKeys(self.account, self.account_key.public_key, {self.device: self.signing.public_key})

    @property
    def me(self) -> Me:
        return Me(self.account, self.name, self.id_nat, self.device, "Cabinet (libéral)", "421990029")

    @property
    def certificate(self) -> bytes:
        return _certificate(self.authority, self.id_nat, self.surname, self.given)

    def entry(self, **changes: object) -> DirectoryEntry:
        """The directory's sheet."""
        values: dict[str, object] = {"profession": self.profession, "id_nat": self.id_nat, "has_key": True}
        return DirectoryEntry(self.account, self.name, is_service=False, **{**values, **changes})  # type: ignore[arg-type]

    @cached_property
    def enrolled(self) -> EnrolledDevice:
        statement = EnrolmentStatement(
            self.account, self.signing.public_key, self.account_key.public_key, int(NOW.timestamp())
        )
        return self.enrol(statement)

    def enrol(self, statement: Statement) -> EnrolledDevice:
        """A device certified by this card, whatever the statement says."""
        text = encode_statement(statement)
        intermediates = (igc(self.authority).personnes.certificate,)
        return EnrolledDevice(Signed(text, card_signature(text)), self.certificate, intermediates)

    def login(self, nonce: str, audience: str) -> Signed:
        """The card's answer to a challenge."""
        text = encode_statement(LoginStatement(audience, nonce, self.signing.public_key, int(NOW.timestamp())))
        return Signed(text, card_signature(text))

    @property
    def document(self) -> KeyDocument:
        """What an honest relay says of this account."""
        return KeyDocument(self.account, (self.enrolled,))

    def service_document(self, service: AccountId, key: AccountKey, members: tuple[Practitioner, ...]) -> KeyDocument:
        """A service's key vouched for by this person's device."""
        statement = encode_statement(ServiceKeyStatement(service, key.public_key, int(NOW.timestamp())))
        wraps = {
            each.account: wrap_service_key(each.account_key.public_key, key, account=service, member=each.account)
            for each in members
        }
        return KeyDocument(service, service=ServiceKey(statement, self.signing.sign(statement), self.account, wraps))


ANNE = Practitioner("899700001029", "Anne", "CHARLIER")
"""Asks."""
MARIE = Practitioner("899700001011", "Marie", "TOURNEVENT", "Dermatologie et vénéréologie")
"""Gives her opinion."""
PAUL = Practitioner("899700001037", "Paul", "MARTINET")
"""Has nothing to do with it."""

PATIENT = Patient("SPECIMEN", "Lucette", "F", "1958-04-17", nir="258047401234589")
FORM = RequestForm("Lésion du dos", "Apparue il y a trois mois.", "Faut-il une exérèse ?", consentement=True)


def attachment(name: str = "lesion.jpg", blob: str = "ab" * 32, **changes: object) -> Attachment:
    """A file's descriptor."""
    values: dict[str, object] = {"kind": "piece-jointe", "key": bytes(32), **changes}
    return Attachment(BlobId(blob), name, "image/jpeg", 3_400_000, "cd" * 32, **values)  # type: ignore[arg-type]


@dataclass
class Correspondence:
    """One tele-expertise as its two parties write it, with its key; makes facts and the envelopes around them."""

    asker: Practitioner = ANNE
    expert: Practitioner = MARIE
    requis: Party | None = None
    """The account asked, when it is not the expert's own (a service)."""
    requis_keys: TrustedKeys | None = None
    conversation: ConversationId = field(default_factory=lambda: ConversationId(fresh_id()))
    key: bytes = bytes(range(CONVERSATION_KEY_BYTES))

    @property
    def requis_party(self) -> Party:
        return self.requis or self.expert.party

    @property
    def recipients(self) -> tuple[AccountId, ...]:
        return (self.asker.account, self.requis_party.account)

    # --- facts

    def request(self, **changes: object) -> RequestSent:
        values: dict[str, object] = {
            "patient": PATIENT,
            "form": FORM,
            "requerant_number": BillingNumber("421990029"),
            "author": self.asker.party,
            "in_name_of": self.asker.party,
            "written_at": WRITTEN,
            "requis": self.requis_party,
            **changes,
        }
        return RequestSent(**values)  # type: ignore[arg-type]

    def message(self, text: str = "Bonjour", by: Practitioner | None = None, **changes: object) -> MessageSent:
        who = by or self.asker
        return MessageSent(who.party, self._name_of(who), WRITTEN, text, **changes)  # type: ignore[arg-type]

    def answer(self, text: str = "Exérèse sous un mois.", **changes: object) -> Answered:
        return Answered(self.expert.party, self.requis_party, WRITTEN, text, **changes)  # type: ignore[arg-type]

    def form_edited(self, form: RequestForm, by: Practitioner | None = None) -> FormEdited:
        who = by or self.asker
        return FormEdited(who.party, self._name_of(who), WRITTEN, form)

    def seen(self, event: str, by: Practitioner) -> Seen:
        return Seen(by.party, self._name_of(by), WRITTEN, EventId(event))

    def flagged(self, flag: PersonalFlag, on: bool, by: Practitioner) -> Flagged:
        return Flagged(by.party, self._name_of(by), WRITTEN, flag, on)

    def finalised(self, **changes: object) -> Finalised:
        recap = BillingRecap(
            "TE2", self.asker.party, BillingNumber("421990029"), self.expert.party, BillingNumber("741234567"), PATIENT
        )
        values: dict[str, object] = {
            "recap": recap,
            "included": (),
            "synthese": attachment("synthese.pdf", "ef" * 32, kind="synthese"),
            **changes,
        }
        return Finalised(self.expert.party, self.requis_party, WRITTEN, **values)  # type: ignore[arg-type]

    def _name_of(self, who: Practitioner) -> Party:
        return who.party if who == self.asker else self.requis_party

    # --- envelopes

    def seal(self, fact: Event, by: Practitioner | None = None, **header: object) -> Envelope:
        """A sealed, signed envelope; `header` replaces parts of the header before it is signed."""
        from protocol.payload import encode_event

        who = by or (self.asker if fact.author.account == self.asker.account else self.expert)
        kind = KIND_OF_CLASS[type(fact)]
        wraps: dict[AccountId, bytes] = {}
        if kind is EventKind.REQUEST_SENT:
            wraps = wrap_for([self.asker.keys, self.requis_keys or self.expert.keys], self.key, self.conversation)
        recipients = (fact.in_name_of.account,) if kind is EventKind.FLAGGED else self.recipients
        act = PendingAct(
            event_id=EventId(str(header.pop("event_id", fresh_id()))),
            conversation=self.conversation,
            kind=kind.value,
            letter=encode_event(fact),
            recipients=header.pop("recipients", recipients),  # type: ignore[arg-type]
            sender=AccountId(str(header.pop("sender", fact.in_name_of.account))),
            blobs=tuple(header.pop("blobs", _blobs(fact))),  # type: ignore[arg-type]
        )
        ring = KeyRing(who.device, who.signing, {})
        author = AccountId(str(header.pop("author", who.account)))
        assert not header, header
        sealed = seal_act(act, key=self.key, author=author, ring=ring, wraps=wraps, random=CountedRandom(act.event_id))
        return Envelope(*sealed)


def _blobs(fact: Event) -> tuple[BlobId, ...]:
    if isinstance(fact, Finalised):
        return (fact.synthese.blob,)
    return tuple(each.blob for each in getattr(fact, "attachments", ()))


def resign(envelope: Envelope, header: Header, by: Practitioner) -> Envelope:
    """The same body under another header, properly signed."""
    text = encode_header(header)
    return Envelope(text, envelope.body, by.signing.sign(signed_bytes(Envelope(text, envelope.body, b""))))


def deliver(envelope: Envelope, to: Practitioner | AccountId, position: int) -> Deliver:
    """What the relay sends."""
    account = to.account if isinstance(to, Practitioner) else to
    return Deliver(account, position, RECEIVED, envelope)


def machine_of(
    who: Practitioner, *knows: Practitioner, kept: Snapshot | None = None, ring: KeyRing | None = None
) -> ClientMachine:
    """An open desk that trusts the keys, and has the sheets, of the people it knows."""
    accounts = (ActingAccount(who.account, who.name, is_service=False, rights=()),)
    snapshot = kept or Snapshot(
        accounts=accounts,
        keys=tuple(each.keys for each in knows),
        entries=tuple(each.entry() for each in knows),
    )
    desk = Desk.opened(who.me, ring or who.ring, roots(), CountedRandom(who.id_nat), snapshot)
    return ClientMachine(desk)
