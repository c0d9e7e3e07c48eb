"""Whose keys we believe: every key leads to a card's signature under a configured root, whatever the relay says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from client.model import TrustedKeys
from crypto.errors import DecryptionFailed, UntrustedIdentity
from crypto.identity import VerifiedDevice, enrolment_instant, verify_enrolment, verify_service_key
from crypto.sealing import wrap_conversation_key
from domain.identifiers import AccountId
from protocol.limits import MAX_CLOCK_SKEW_S
from protocol.resources import EnrolledDevice, KeyDocument


@dataclass(frozen=True, slots=True)
class NeedsResponsible:
    """A service's key is vouched for by someone whose keys are not known yet."""

    responsible: AccountId


def believe(
    document: KeyDocument,
    *,
    roots: Sequence[bytes],
    at: datetime,
    known: dict[AccountId, TrustedKeys],
) -> TrustedKeys | NeedsResponsible:
    """Turn what the relay says of an account into keys we trust.

    Raises:
        UntrustedIdentity: it does not lead to a root, or speaks of somebody else.
    """
    if document.service is None:
        return _usable(_person(document, roots, at))
    responsible = known.get(document.service.responsible)
    if responsible is None:
        return NeedsResponsible(document.service.responsible)
    return _usable(_service(document, responsible))


def verify_device(device: EnrolledDevice, *, roots: Sequence[bytes], at: datetime) -> VerifiedDevice:
    """Check one enrolled device, as of its enrolment: a card that expires later takes nothing back.

    Raises:
        UntrustedIdentity: it does not lead to a root, or was enrolled in the future.
    """
    enrolled = enrolment_instant(device.enrolment.statement)
    if enrolled > at + timedelta(seconds=MAX_CLOCK_SKEW_S):
        raise UntrustedIdentity("future-enrolment")
    return verify_enrolment(
        enrolment=device.enrolment.statement,
        signature=device.enrolment.signature,
        certificate=device.certificate,
        intermediates=device.intermediates,
        roots=roots,
        at=min(at, enrolled),
    )


def _usable(keys: TrustedKeys) -> TrustedKeys:
    """A key that its holder certified may still be none: better known now than when a request is to be sealed."""
    try:
        wrap_conversation_key(keys.account_key, b"", conversation="", recipient=keys.account)
    except DecryptionFailed as error:
        raise UntrustedIdentity("unusable-key") from error
    return keys


def _person(document: KeyDocument, roots: Sequence[bytes], at: datetime) -> TrustedKeys:
    devices = [verify_device(device, roots=roots, at=at) for device in document.devices]
    if not devices or any(device.account != document.account for device in devices):
        raise UntrustedIdentity("account-mismatch")
    return TrustedKeys(
        account=document.account,
        account_key=devices[-1].account_key,
        devices={device.device_id: device.device_key for device in devices},
    )


def _service(document: KeyDocument, responsible: TrustedKeys) -> TrustedKeys:
    assert document.service is not None
    for device_key in responsible.devices.values():
        try:
            account, key = verify_service_key(document.service.statement, document.service.signature, device_key)
        except UntrustedIdentity:
            continue
        if account == document.account:
            return TrustedKeys(account=document.account, account_key=key)
    raise UntrustedIdentity("bad-signature")
