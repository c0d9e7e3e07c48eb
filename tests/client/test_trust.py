"""Whose keys are believed: only those that lead to a card of a configured root, whatever the relay says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import msgspec
import pytest

from client.model import TrustedKeys
from client.trust import NeedsResponsible, believe
from crypto.errors import UntrustedIdentity
from crypto.identity import EnrolmentStatement, LoginStatement
from crypto.sealing import AccountKey
from domain.identifiers import AccountId
from protocol.resources import KeyDocument, ServiceKey
from tests.support.builders import ANNE, LATER, MARIE, NOW, PAUL, CountedRandom, roots

ISSUED = int(NOW.timestamp())
SERVICE = AccountId("sv:avis-dermato")
SERVICE_KEY = AccountKey.generate(CountedRandom("service"))


def judge(document: KeyDocument, *known: TrustedKeys, at: object = NOW) -> TrustedKeys | NeedsResponsible:
    return believe(document, roots=roots(), at=at, known={each.account: each for each in known})  # type: ignore[arg-type]


def refusal(document: KeyDocument, *known: TrustedKeys, at: object = NOW) -> str:
    with pytest.raises(UntrustedIdentity) as caught:
        judge(document, *known, at=at)
    return caught.value.reason


def test_a_person_is_believed_on_the_word_of_a_card() -> None:
    assert judge(ANNE.document) == ANNE.keys


def test_all_devices_are_kept_and_the_newest_says_the_account_key() -> None:
    laptop = replace(ANNE, machine="laptop")
    document = KeyDocument(ANNE.account, (ANNE.enrolled, laptop.enrolled))
    devices = {ANNE.device: ANNE.signing.public_key, laptop.device: laptop.signing.public_key}
    assert judge(document) == TrustedKeys(ANNE.account, laptop.account_key.public_key, devices)


def test_the_relay_cannot_give_somebody_elses_keys() -> None:
    assert refusal(KeyDocument(ANNE.account, (PAUL.enrolled,))) == "account-mismatch"


def test_one_stranger_among_the_devices_spoils_them_all() -> None:
    assert refusal(KeyDocument(ANNE.account, (ANNE.enrolled, PAUL.enrolled))) == "account-mismatch"


def test_the_relay_cannot_swap_a_key() -> None:
    swapped = EnrolmentStatement(ANNE.account, PAUL.signing.public_key, PAUL.account_key.public_key, ISSUED)
    genuine = ANNE.enrolled
    forged = msgspec.structs.replace(
        genuine,
        enrolment=msgspec.structs.replace(genuine.enrolment, statement=msgspec.json.encode(swapped)),
    )
    assert refusal(KeyDocument(ANNE.account, (forged,))) == "bad-signature"


def test_a_card_cannot_enrol_for_another_account() -> None:
    statement = EnrolmentStatement(ANNE.account, PAUL.signing.public_key, PAUL.account_key.public_key, ISSUED)
    assert refusal(KeyDocument(ANNE.account, (PAUL.enrol(statement),))) == "account-mismatch"


def test_a_card_of_another_root_is_not_believed() -> None:
    assert refusal(replace(ANNE, authority="foreign").document) == "certificate-untrustedchain"


@pytest.mark.parametrize(
    ("enrolled", "reason"),
    [
        (NOW - timedelta(seconds=1), "certificate-notyetvalid"),
        (LATER + timedelta(seconds=1), "certificate-expired"),
    ],
)
def test_an_enrolment_out_of_the_certificates_time_is_not_believed(enrolled: datetime, reason: str) -> None:
    keys = (ANNE.signing.public_key, ANNE.account_key.public_key)
    device = ANNE.enrol(EnrolmentStatement(ANNE.account, *keys, int(enrolled.timestamp())))
    assert refusal(KeyDocument(ANNE.account, (device,)), at=max(enrolled, NOW)) == reason


def test_a_card_that_expires_later_takes_nothing_back() -> None:
    """What was written under it must stay readable on a new machine, years later."""
    assert judge(ANNE.document, at=LATER + timedelta(days=4000)) == ANNE.keys


def test_an_enrolment_of_the_future_is_not_believed() -> None:
    assert refusal(ANNE.document, at=NOW - timedelta(days=1)) == "future-enrolment"


def test_a_login_is_no_enrolment() -> None:
    statement = LoginStatement("https://relay", "00" * 32, ANNE.signing.public_key, 0)
    assert refusal(KeyDocument(ANNE.account, (ANNE.enrol(statement),))) == "malformed-statement"


@pytest.mark.parametrize("keys", [(b"", ANNE.account_key.public_key), (ANNE.signing.public_key, b"short")])
def test_keys_of_the_wrong_size_are_not_believed(keys: tuple[bytes, bytes]) -> None:
    statement = EnrolmentStatement(ANNE.account, *keys, ISSUED)
    assert refusal(KeyDocument(ANNE.account, (ANNE.enrol(statement),))) == "malformed-statement"


@pytest.mark.parametrize("end", [bytes(32), b"\x01" + bytes(31)])
def test_a_key_to_which_nothing_can_be_sealed_is_not_believed(end: bytes) -> None:
    """A point of low order, certified by its own holder: whoever asked this person would lose the session."""
    weak = ANNE.account_key.public_key[:-32] + end
    device = ANNE.enrol(EnrolmentStatement(ANNE.account, ANNE.signing.public_key, weak, ISSUED))
    assert refusal(KeyDocument(ANNE.account, (device,))) == "unusable-key"


def test_a_person_without_devices_has_no_keys() -> None:
    assert refusal(KeyDocument(ANNE.account)) == "account-mismatch"


# --- services


def test_a_service_waits_for_its_responsible_persons_keys() -> None:
    document = MARIE.service_document(SERVICE, SERVICE_KEY, (MARIE,))
    assert judge(document) == NeedsResponsible(MARIE.account)


def test_a_service_is_believed_on_the_word_of_its_responsible_persons_device() -> None:
    document = MARIE.service_document(SERVICE, SERVICE_KEY, (MARIE,))
    assert judge(document, MARIE.keys) == TrustedKeys(SERVICE, SERVICE_KEY.public_key)


def test_a_service_key_signed_by_another_device_is_not_believed() -> None:
    forged = PAUL.service_document(SERVICE, SERVICE_KEY, (PAUL,)).service
    assert isinstance(forged, ServiceKey)
    document = KeyDocument(SERVICE, service=msgspec.structs.replace(forged, responsible=MARIE.account))
    assert refusal(document, MARIE.keys, PAUL.keys) == "bad-signature"


def test_the_key_of_one_service_is_not_that_of_another() -> None:
    other = MARIE.service_document(AccountId("sv:autre"), SERVICE_KEY, (MARIE,)).service
    assert refusal(KeyDocument(SERVICE, service=other), MARIE.keys) == "bad-signature"


def test_an_enrolment_signed_by_a_device_is_no_service_key() -> None:
    statement = msgspec.json.encode(EnrolmentStatement(SERVICE, bytes(32), SERVICE_KEY.public_key, 0))
    service = ServiceKey(statement, MARIE.signing.sign(statement), MARIE.account)
    with pytest.raises(UntrustedIdentity):
        judge(KeyDocument(SERVICE, service=service), MARIE.keys)
