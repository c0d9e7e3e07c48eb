"""Who opens a session, and what it may do: challenge, login, session. Decisions only; the world comes as arguments.

Rule 1: a nonce is taken by the first login that proves anything; whoever comes second is refused.
Rule 2: the token is 32 random bytes shown once; the store keeps its SHA-256.
Rule 3: rights are read again whenever they may have changed, never kept in the token.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crypto.errors import UntrustedIdentity
from crypto.identity import VerifiedLogin
from crypto.ports import RandomSource
from domain.identifiers import AccountId, DeviceId
from protocol.limits import CHALLENGE_LIFE_S, MAX_CLOCK_SKEW_S, NONCE_BYTES, SESSION_LIFE_S
from protocol.resources import ActingAccount, Challenge, LoginRequest, Session
from server.errors import RequestRefused
from server.ports import AuditEntry, Ledger, Rights, SessionRecord, View
from server.service import ALL_RIGHTS, Principal
from server.times import iso, seconds

TOKEN_BYTES = 32
VerifyLogin = Callable[..., VerifiedLogin]
"""`crypto.identity.verify_login`, or a double that takes the same keywords."""


@dataclass(frozen=True, slots=True)
class Authentication:
    """The relay's rules of login."""

    audience: str
    """What a login statement must name: this relay."""
    roots: Sequence[bytes]
    """DER of the authorities trusted to issue cards."""
    verify_login: VerifyLogin
    random: RandomSource
    session_life_s: int = SESSION_LIFE_S

    def challenge(self, ledger: Ledger, now: datetime) -> Challenge:
        """Issue a nonce and remember it until it is used or expires."""
        nonce = self.random(NONCE_BYTES).hex()
        expiry = now + timedelta(seconds=CHALLENGE_LIFE_S)
        ledger.forget_expired(seconds(now))
        ledger.add_challenge(nonce, seconds(expiry))
        return Challenge(nonce=nonce, audience=self.audience, expires_at=iso(expiry))

    def check(self, request: LoginRequest, now: datetime) -> VerifiedLogin:
        """Verify certificate, enrolment and login statement; about 2 ms of arithmetic, nothing stored is needed.

        Raises:
            RequestRefused: `identity-refused`, its detail being the stable reason; or `clock-skew`.
        """
        try:
            login = self.verify_login(
                login=request.login.statement,
                login_signature=request.login.signature,
                enrolment=request.device.enrolment.statement,
                enrolment_signature=request.device.enrolment.signature,
                certificate=request.device.certificate,
                intermediates=request.device.intermediates,
                roots=self.roots,
                audience=self.audience,
                at=now,
            )
        except UntrustedIdentity as error:
            raise RequestRefused("identity-refused", error.reason) from error
        if abs(login.issued_at - seconds(now)) > MAX_CLOCK_SKEW_S:
            raise RequestRefused("clock-skew")
        return login

    def open(self, ledger: Ledger, login: VerifiedLogin, request: LoginRequest, now: datetime) -> Session:
        """Take the nonce, enrol the device, open the session.

        Raises:
            RequestRefused: `challenge-unknown` when the nonce was not ours, has expired or was used.
        """
        expiry = ledger.take_challenge(login.nonce)
        if expiry is None or expiry < seconds(now):
            raise RequestRefused("challenge-unknown")
        account, device = AccountId(login.account), DeviceId(login.device_id)
        ledger.add_device(account, device, login.device_key, request.device)
        token = base64.urlsafe_b64encode(self.random(TOKEN_BYTES)).rstrip(b"=").decode()
        expires_at = now + timedelta(seconds=self.session_life_s)
        record = SessionRecord(hash_token(token), account, device, request.situation, seconds(expires_at))
        ledger.open_session(record)
        ledger.audit(AuditEntry(at=iso(now), actor=account, action="login", subject=device))
        accounts = acting_accounts(ledger, account, f"{login.holder.prenom} {login.holder.nom}".strip())
        return Session(token=token, expires_at=iso(expires_at), account=account, accounts=accounts)

    def close(self, ledger: Ledger, session: SessionRecord, now: datetime) -> None:
        """End a session at its holder's wish."""
        ledger.end_session(session.token_hash)
        ledger.audit(AuditEntry(at=iso(now), actor=session.account, action="logout", subject=session.device))


def hash_token(token: str) -> bytes:
    """What is stored of a token: 32 bytes."""
    return hashlib.sha256(token.encode()).digest()


def live_session(view: View, token: str, now: datetime) -> SessionRecord:
    """The session this token opens now.

    Raises:
        RequestRefused: `unauthenticated`: unknown, ended or expired; which one is not said.
    """
    session = view.session(hash_token(token))
    if session is None or session.expires_at_s <= seconds(now):
        raise RequestRefused("unauthenticated")
    return session


def rights_of(view: View, person: AccountId) -> Rights:
    """What a person may do, by account: all for himself, and what services and delegations grant."""
    granted = {member.account: frozenset(member.rights) for member in view.memberships(person)}
    return {**granted, person: frozenset(ALL_RIGHTS)}


def principal_of(view: View, person: AccountId) -> Principal:
    """Whose events a session may hand in."""
    return Principal(person, view.device_keys(person), rights_of(view, person))


def acting_accounts(view: View, person: AccountId, name: str) -> tuple[ActingAccount, ...]:
    """The accounts of « Agir en tant que », one's own first; `name` serves when the directory has none."""
    entry = view.entry(person)
    own = ActingAccount(person, entry.name if entry else name, False, ALL_RIGHTS)
    return (own, *(_acting(view, member.account, member.rights) for member in view.memberships(person)))


def _acting(view: View, account: AccountId, rights: tuple[str, ...]) -> ActingAccount:
    entry = view.entry(account)
    return ActingAccount(account, entry.name if entry else account, account.startswith("sv:"), rights)
