"""A service account's key: made once by its responsible person, sealed to each member (C11)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from client.letters import KeyRing
from client.model import TrustedKeys
from crypto.identity import ServiceKeyStatement, encode_statement
from crypto.ports import RandomSource
from crypto.sealing import AccountKey, wrap_service_key
from domain.identifiers import AccountId
from protocol.resources import KeyDocument, ServiceKey


def make_service_key(
    service: AccountId,
    members: Sequence[TrustedKeys],
    *,
    responsible: AccountId,
    ring: KeyRing,
    at: datetime,
    random: RandomSource,
) -> KeyDocument:
    """A fresh key for `service`, vouched for by the responsible person's device and sealed to every member."""
    key = AccountKey.generate(random)
    statement = encode_statement(ServiceKeyStatement(service, key.public_key, int(at.timestamp())))
    wraps = {
        member.account: wrap_service_key(member.account_key, key, account=service, member=member.account)
        for member in members
    }
    return KeyDocument(service, service=ServiceKey(statement, ring.device.sign(statement), responsible, wraps))
