"""The public key documents: who may publish a service's key, and who sees which wrap of it."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from crypto.errors import UntrustedIdentity
from domain.identifiers import AccountId
from protocol.resources import KeyDocument, ServiceKey
from server.authentication import rights_of
from server.errors import RequestRefused
from server.ports import AuditEntry, Ledger, SessionRecord, View
from server.service import ANSWER

VerifyServiceKey = Callable[[bytes, bytes, bytes], tuple[str, bytes]]
"""`crypto.identity.verify_service_key`: (statement, signature, device key) -> (account, account key)."""


def document_for(view: View, account: AccountId, reader: AccountId) -> KeyDocument:
    """An account's public keys as `reader` may see them: of a service's wraps, only his own.

    Raises:
        RequestRefused: `not-found`.
    """
    document = view.key_document(account)
    if document is None:
        raise RequestRefused("not-found")
    if document.service is None:
        return document
    wrap = document.service.wraps.get(reader)
    wraps = {reader: wrap} if wrap is not None and account in rights_of(view, reader) else {}
    return msgspec.structs.replace(document, service=msgspec.structs.replace(document.service, wraps=wraps))


def publish(
    ledger: Ledger, document: KeyDocument, *, session: SessionRecord, verify: VerifyServiceKey, at: str
) -> None:
    """Publish a service's key, vouched for by a device of a member; new wraps are added to those already there.

    Args:
        ledger: the writer's transaction.
        document: its `service` part is what is published; a person's devices are enrolled at login only.
        session: whose hand it comes from.
        verify: the check of the responsible person's statement.
        at: UTC, ISO 8601, for the audit.

    Raises:
        RequestRefused: `malformed`, `not-permitted`, `identity-refused`, or `key-exists` for another key.
    """
    key = document.service
    if key is None or document.devices:
        raise RequestRefused("malformed")
    _check_hand(ledger, document.account, key, session)
    published = _verified_key(key, document.account, ledger.device_keys(session.account)[session.device], verify)
    stored = ledger.key_document(document.account)
    if stored is not None and stored.service is not None:
        if published != msgspec.json.decode(stored.service.statement, type=_Published).account_key:
            raise RequestRefused("key-exists")
        key = msgspec.structs.replace(key, wraps={**stored.service.wraps, **key.wraps})
    ledger.put_service_key(document.account, key)
    ledger.audit(AuditEntry(at=at, actor=session.account, action="service-key", subject=document.account))


class _Published(msgspec.Struct):
    """What the relay reads again of a statement it verified when it was published."""

    account_key: bytes


def _check_hand(view: View, account: AccountId, key: ServiceKey, session: SessionRecord) -> None:
    """Only a member with the right to answer publishes, in his own name."""
    if account == session.account or ANSWER not in rights_of(view, session.account).get(account, ()):
        raise RequestRefused("not-permitted")
    if key.responsible != session.account:
        raise RequestRefused("not-permitted")


def _verified_key(key: ServiceKey, account: AccountId, device_key: bytes, verify: VerifyServiceKey) -> bytes:
    try:
        named, account_key = verify(key.statement, key.signature, device_key)
    except UntrustedIdentity as error:
        raise RequestRefused("identity-refused", error.reason) from error
    if named != account:
        raise RequestRefused("identity-refused", "account-mismatch")
    return account_key
