"""The door: from an empty reader to an open desk. Reads the card, asks for the code once, opens vault and session.

One PIN entry signs everything at once: the vault's statement, the relay's challenge when it can be reached and, the
first time on a machine, the enrolment of a new device. Without the relay the desk still opens, on what it holds.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from client.errors import StoreError
from client.i18n import _
from client.letters import KeyRing
from client.model import Me, TrustedKeys
from client.ports import Relay, RelayRefusal, RelayUnreachable, Vault, World
from client.trust import believe, verify_device
from client.untrusted import visible_line
from client.views import Choice, LoginPhase, LoginView
from crypto.card.errors import (
    CardBusy,
    CardDead,
    CardError,
    CardRemoved,
    CardReset,
    NoCard,
    NoReader,
    PinBlocked,
    PinIncorrect,
    ServiceUnavailable,
    UnsupportedCard,
)
from crypto.card.port import CardIdentity, CardPort, CardSlot, SignedStatements, SituationFacturation
from crypto.certificates import CardSubject, CertificateError, read_unverified_subject
from crypto.derivation import vault_key
from crypto.errors import DecryptionFailed, UntrustedIdentity
from crypto.identity import EnrolmentStatement, LoginStatement, Statement, VaultStatement, device_id, encode_statement
from crypto.sealing import AccountKey, unwrap_service_key
from crypto.signing import SigningKey
from domain.identifiers import AccountId, DeviceId, person_account
from protocol.resources import ActingAccount, EnrolledDevice, LoginRequest, Session, Signed

T = TypeVar("T")

SALT_BYTES = 32


class _PublicPart(msgspec.Struct, frozen=True):
    salt: bytes
    device: EnrolledDevice
    device_key: bytes


class _Secrets(msgspec.Struct, frozen=True):
    device_seed: bytes
    account_seed: bytes
    services: dict[str, bytes] = {}
    token: str = ""
    """Of the last session, so that a desk opened without network can still be reached for the rest of its life."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What lies behind the door."""

    me: Me
    ring: KeyRing
    store_secret: bytes
    """What the local store's key is derived from."""
    token: str
    accounts: tuple[ActingAccount, ...]
    """Empty when the relay was not reached: the store remembers the last ones."""
    notice: str = ""


class Door:
    """Phases of opening, one view at a time. `show` is told of every change."""

    def __init__(
        self,
        *,
        card: CardPort,
        relay: Relay,
        vault: Vault,
        world: World,
        roots: tuple[bytes, ...],
        show: Callable[[LoginView], None],
        only_reader: str = "",
    ) -> None:
        self._card = card
        self._relay = relay
        self._vault = vault
        self._world = world
        self._roots = roots
        self._show = show
        self._only_reader = only_reader
        self._slots: tuple[CardSlot, ...] = ()
        self.reader = ""
        """The reader in use; empty before a card was read."""
        self._identity: CardIdentity | None = None
        self._subject: CardSubject | None = None
        self._situation = 0
        self._unlocked: tuple[Opened, tuple[SituationFacturation, ...]] | None = None
        self.view = LoginView(LoginPhase.NO_CARD)
        self.locked_account: AccountId | None = None
        """Set while a desk waits behind the cover: only the same holder resumes it."""

    # --- readers and cards ----------------------------------------------------------------------------------

    async def service_lost(self) -> None:
        """Pcscd stopped answering."""
        self._forget()
        self._say(
            LoginPhase.NO_SERVICE, message=_("Le service de cartes (pcscd) ne répond pas. Vérifiez qu'il est démarré.")
        )

    async def slots_changed(self, slots: tuple[CardSlot, ...]) -> None:
        """Cards or readers came or went."""
        self._slots = tuple(slot for slot in slots if self._only_reader in slot.reader)
        present = [slot.reader for slot in self._slots if slot.atr is not None]
        if self.reader in present and self._identity is not None:
            return
        self._forget()
        if not self._slots:
            self._say(LoginPhase.NO_READER, message=_("Branchez un lecteur de carte."))
        elif not present:
            self._say(LoginPhase.NO_CARD)
        elif len(present) > 1:
            await self._offer_readers(present)
        else:
            await self.choose_reader(present[0])

    async def _offer_readers(self, readers: list[str]) -> None:
        """Several cards: let the user choose by holder, not by socket."""
        self._say(LoginPhase.READING)
        choices = []
        for reader in readers:
            try:
                identity = await asyncio.to_thread(self._card.identity, reader)
                subject = read_unverified_subject(identity.authentication_certificate)
            except (CardError, CertificateError):
                choices.append(Choice(reader, _("Carte illisible"), reader))
            else:
                choices.append(Choice(reader, _holder(subject), f"{identity.card_type} {identity.serial}"))
        self._say(LoginPhase.CHOOSE_READER, choices=tuple(choices))

    async def start_over(self) -> None:
        """Nobody's desk is open any more: begin with whatever cards are there."""
        self.locked_account = None
        self._forget()
        await self.slots_changed(self._slots)

    async def choose_reader(self, reader: str) -> None:
        """Read the card in `reader`."""
        self._say(LoginPhase.READING)
        try:
            identity = await asyncio.to_thread(self._card.identity, reader)
            subject = read_unverified_subject(identity.authentication_certificate)
        except CardError as error:
            self._card_problem(error)
            return
        except CertificateError:
            self._say(
                LoginPhase.UNSUPPORTED,
                message=_("Le certificat de cette carte n'est pas celui d'une CPS ou d'une CPE."),
            )
            return
        self.reader, self._identity, self._subject = reader, identity, subject
        await self.ask_again("")

    async def ask_again(self, message: str) -> None:
        """Begin again with the card at hand: situation, then code."""
        self._unlocked = None
        if self._identity is None or self._subject is None:
            return
        if self.locked_account not in (None, person_account(self._subject.id_nat)):
            self._say(
                LoginPhase.REFUSED,
                message=_("Une autre session est ouverte sur ce poste : insérez sa carte, ou quittez."),
            )
            return
        situations = self._identity.situations
        if len(situations) > 1 and not self._situation:
            choices = tuple(Choice(str(each.rang), each.structure, _mode(each.mode)) for each in situations)
            self._say(LoginPhase.CHOOSE_SITUATION, choices=choices, message=message)
            return
        self._situation = self._situation or (situations[0].rang if situations else 1)
        await self._ask_pin(message)

    async def choose_situation(self, rang: int) -> None:
        """Practise there."""
        if self.view.phase is not LoginPhase.CHOOSE_SITUATION or str(rang) not in {
            choice.key for choice in self.view.choices
        }:
            return
        self._situation = rang
        await self._ask_pin("")

    async def _ask_pin(self, message: str) -> None:
        try:
            left = await asyncio.to_thread(self._card.tries_left, self.reader)
        except CardError as error:
            self._card_problem(error)
            return
        if left == 0:
            self._card_problem(PinBlocked())
            return
        self._say(LoginPhase.ENTER_PIN, tries_left=left, message=message)

    # --- the code -------------------------------------------------------------------------------------------

    async def enter_pin(self, pin: str) -> Opened | None:
        """Try the code once. Returns the open desk, or None when something else is to be asked or said first."""
        identity, subject = self._identity, self._subject
        if self.view.phase is not LoginPhase.ENTER_PIN or identity is None or subject is None:
            return None
        if not (pin.isascii() and pin.isdigit() and 4 <= len(pin) <= 8):
            await self._ask_pin(_("Le code porteur a de 4 à 8 chiffres."))
            return None
        self._say(LoginPhase.CHECKING)
        try:
            return await self._unlock(pin, identity, subject)
        except PinIncorrect:
            await self._ask_pin(_("Code incorrect."))
        except CardError as error:
            self._card_problem(error)
        except UntrustedIdentity as error:
            self._say(LoginPhase.REFUSED, message=_certificate_problem(error.reason))
        except DecryptionFailed:
            self._say(
                LoginPhase.REFUSED,
                message=_("Le coffre de ce poste ne s'ouvre pas avec cette carte : elle a peut-être été renouvelée."),
            )
        except RelayRefusal as refusal:
            self._say(LoginPhase.REFUSED, message=_relay_problem(refusal))
        except StoreError as error:
            self._say(LoginPhase.REFUSED, message=error.reason)
        return None

    async def _unlock(self, pin: str, identity: CardIdentity, subject: CardSubject) -> Opened | None:
        account = person_account(subject.id_nat)
        stored = self._vault.public_part(account)
        public = msgspec.msgpack.decode(stored, type=_PublicPart) if stored else None
        nonce, notice = await self._challenge()
        fresh = None if public else self._new_device()
        salt = public.salt if public else self._world.random(SALT_BYTES)
        device_key = public.device_key if public else _known(fresh)[0].public_key
        now = int(self._world.now().timestamp())
        statements: list[Statement] = [VaultStatement(account, salt)]
        if fresh:
            statements.append(EnrolmentStatement(account, device_key, fresh[1].public_key, now))
        if nonce:
            statements.append(LoginStatement(self._relay.audience, nonce, device_key, now))
        texts = [encode_statement(statement) for statement in statements]
        signed = await asyncio.to_thread(self._card.sign, self.reader, texts, pin)
        device = public.device if public else _enrolled(texts[1], signed.signatures[1], identity)
        verify_device(device, roots=self._roots, at=self._world.now())
        session = None
        if nonce:
            try:
                session = await self._open_session(texts[-1], signed, device)
            except RelayUnreachable as error:  # it answered the challenge, then was gone
                notice = _offline(error)
        wrapping = vault_key(signed.signatures[0], salt)
        secrets = self._secrets(account, wrapping, fresh)
        secrets = await self._with_session(secrets, account, session)
        self._vault.save(
            account,
            msgspec.msgpack.encode(_PublicPart(salt, device, device_key)),
            wrapping,
            msgspec.msgpack.encode(secrets),
        )
        opened = self._opened(account, subject, secrets, session, notice)
        return self._after_code(opened, signed)

    async def _challenge(self) -> tuple[str, str]:
        try:
            challenge = await self._relay.challenge()
        except RelayUnreachable as error:
            return "", _offline(error)
        return challenge.nonce, ""

    def _new_device(self) -> tuple[SigningKey, AccountKey]:
        return SigningKey.generate(self._world.random), AccountKey.generate(self._world.random)

    async def _open_session(self, login: bytes, signed: SignedStatements, device: EnrolledDevice) -> Session:
        request = LoginRequest(Signed(login, signed.signatures[-1]), device, self._situation)
        return await self._relay.open_session(request)

    def _secrets(self, account: AccountId, wrapping: bytes, fresh: tuple[SigningKey, AccountKey] | None) -> _Secrets:
        if fresh:
            return _Secrets(fresh[0].seed, fresh[1].seed)
        return msgspec.msgpack.decode(self._vault.open(account, wrapping), type=_Secrets)

    async def _with_session(self, secrets: _Secrets, account: AccountId, session: Session | None) -> _Secrets:
        """Keep the token, and the keys of the services one has become a member of."""
        if session is None:
            return secrets
        services = dict(secrets.services)
        own = AccountKey.from_seed(secrets.account_seed)
        for acting in session.accounts:
            if acting.is_service and acting.account not in services:
                key = await self._service_key(session.token, acting.account, account, own)
                if key is not None:
                    services[acting.account] = key.seed
        return msgspec.structs.replace(secrets, services=services, token=session.token)

    async def _service_key(
        self, token: str, service: AccountId, member: AccountId, own: AccountKey
    ) -> AccountKey | None:
        """The service's private key, only if it is the one its responsible person's device vouches for.

        Anybody can seal bytes to a member: a key taken on the relay's word would let the relay read the service.
        """
        try:
            document = await self._relay.keys(token, service)
            if document.service is None or (wrapped := document.service.wraps.get(member)) is None:
                return None
            responsible = await self._relay.keys(token, document.service.responsible)
            now = self._world.now()
            person = believe(responsible, roots=self._roots, at=now, known={})
            if not isinstance(person, TrustedKeys) or document.account != service:
                return None
            vouched = believe(document, roots=self._roots, at=now, known={person.account: person})
            key = unwrap_service_key(own, wrapped, account=service, member=member)
        except (RelayRefusal, RelayUnreachable, UntrustedIdentity, DecryptionFailed):
            return None
        is_the_one = isinstance(vouched, TrustedKeys) and vouched.account_key == key.public_key
        return key if is_the_one else None

    def _opened(
        self, account: AccountId, subject: CardSubject, secrets: _Secrets, session: Session | None, notice: str
    ) -> Opened:
        device = SigningKey.from_seed(secrets.device_seed)
        keys = {account: AccountKey.from_seed(secrets.account_seed)}
        keys |= {AccountId(name): AccountKey.from_seed(seed) for name, seed in secrets.services.items()}
        ring = KeyRing(DeviceId(device_id(device.public_key)), device, keys)
        situation = next((each for each in _known(self._identity).situations if each.rang == self._situation), None)
        me = Me(
            account=account,
            name=_holder(subject),
            id_nat=subject.id_nat,
            device=ring.device_id,
            situation=visible_line(f"{situation.structure} ({_mode(situation.mode)})") if situation else "",
            mode=situation.mode if situation else "L",
        )
        accounts = session.accounts if session else ()
        return Opened(me, ring, secrets.device_seed, secrets.token, accounts, notice)

    # --- the billing situation ------------------------------------------------------------------------------

    def _after_code(self, opened: Opened, signed: SignedStatements) -> Opened | None:
        billing = signed.situations_facturation
        if len(billing) > 1:
            self._unlocked = (opened, billing)
            choices = tuple(
                Choice(str(each.rang), visible_line(each.libelle), each.numero_facturation) for each in billing
            )
            self._say(LoginPhase.CHOOSE_BILLING, choices=choices)
            return None
        return self._open_with(opened, billing[0].numero_facturation if billing else "")

    async def choose_billing(self, rang: int) -> Opened | None:
        """Bill from there (I04)."""
        if self._unlocked is None:
            return None
        opened, billing = self._unlocked
        chosen = next((each for each in billing if each.rang == rang), None)
        if chosen is None:
            return None
        self._unlocked = None
        return self._open_with(opened, chosen.numero_facturation)

    def _open_with(self, opened: Opened, numero: str) -> Opened:
        me = opened.me
        billed = Me(me.account, me.name, me.id_nat, me.device, me.situation, numero, me.mode)
        self.locked_account = me.account
        return Opened(billed, opened.ring, opened.store_secret, opened.token, opened.accounts, opened.notice)

    def opened(self) -> None:
        """The desk stands: say so."""
        self._say(LoginPhase.OPEN)

    # --- saying ---------------------------------------------------------------------------------------------

    def _forget(self) -> None:
        self.reader, self._identity, self._subject, self._situation = "", None, None, 0
        self._unlocked = None

    def _card_problem(self, error: CardError) -> None:
        phase, message = _PROBLEMS.get(type(error), (LoginPhase.UNSUPPORTED, "La carte n'a pas répondu comme prévu."))
        self._say(phase, message=_(message))

    def _say(
        self,
        phase: LoginPhase,
        *,
        choices: tuple[Choice, ...] = (),
        tries_left: int | None = None,
        message: str = "",
    ) -> None:
        identity = self._identity
        self.view = LoginView(
            phase=phase,
            holder=_holder(self._subject) if self._subject else "",
            card=f"{identity.card_type} {identity.serial}" if identity else "",
            choices=choices,
            tries_left=tries_left,
            message=message,
            locked=self.locked_account is not None and phase is not LoginPhase.OPEN,
        )
        self._show(self.view)


_PROBLEMS: dict[type[CardError], tuple[LoginPhase, str]] = {
    ServiceUnavailable: (
        LoginPhase.NO_SERVICE,
        "Le service de cartes (pcscd) ne répond pas. Vérifiez qu'il est démarré.",
    ),
    NoReader: (LoginPhase.NO_READER, "Branchez un lecteur de carte."),
    NoCard: (LoginPhase.NO_CARD, ""),
    CardRemoved: (LoginPhase.NO_CARD, "La carte a été retirée. Insérez-la de nouveau."),
    CardReset: (LoginPhase.NO_CARD, "Un autre logiciel a repris la carte. Retirez-la puis insérez-la de nouveau."),
    CardBusy: (LoginPhase.NO_CARD, "Un autre logiciel utilise la carte. Fermez-le, puis réinsérez la carte."),
    PinBlocked: (
        LoginPhase.BLOCKED,
        "Carte bloquée après trois codes faux. Débloquez-la avec son code de déblocage : avicenne card unblock.",
    ),
    CardDead: (LoginPhase.DEAD, "Cette carte est définitivement inutilisable. Demandez-en une nouvelle à l'ANS."),
    UnsupportedCard: (LoginPhase.UNSUPPORTED, "Cette carte n'est pas une carte CPS ou CPE."),
}


def _known(value: T | None) -> T:
    assert value is not None
    return value


def _offline(error: RelayUnreachable) -> str:
    return _("Hors ligne : {reason}. Vous travaillez sur ce que ce poste contient.").format(reason=error.reason)


def _mode(mode: str) -> str:
    return {"L": _("libéral"), "S": _("salarié"), "B": _("bénévole")}.get(mode, mode)


def _holder(subject: CardSubject) -> str:
    return visible_line(f"{subject.prenom} {subject.nom}".strip())


def _enrolled(statement: bytes, signature: bytes, identity: CardIdentity) -> EnrolledDevice:
    return EnrolledDevice(
        Signed(statement, signature), identity.authentication_certificate, identity.issuer_certificates
    )


def _certificate_problem(reason: str) -> str:
    return {
        "certificate-expired": _("Le certificat de cette carte est expiré : demandez une nouvelle carte à l'ANS."),
        "certificate-notyetvalid": _(
            "Le certificat de cette carte n'est pas encore valable : vérifiez l'heure de ce poste."
        ),
        "certificate-untrustedchain": _("Cette carte ne vient pas d'une autorité reconnue par ce service."),
        "certificate-revoked": _("Le certificat de cette carte a été révoqué."),
        "certificate-wrongusage": _("Le certificat de cette carte ne sert pas à s'authentifier."),
        "certificate-weakkey": _("La clé de cette carte est trop faible."),
        "account-mismatch": _("Le coffre de ce poste appartient à une autre carte."),
    }.get(reason, _("La carte n'a pas pu être vérifiée ({reason}).").format(reason=reason))


def _relay_problem(refusal: RelayRefusal) -> str:
    if refusal.code == "identity-refused":
        return _certificate_problem(refusal.detail)
    return {
        "unknown-account": _("Ce professionnel n'est pas dans l'annuaire de ce service."),
        "clock-skew": _("L'heure de ce poste est fausse : mettez-la à l'heure, puis recommencez."),
        "too-many-requests": _("Trop d'essais : attendez une minute, puis recommencez."),
    }.get(refusal.code, _("Le serveur refuse la connexion ({code}).").format(code=refusal.code))
