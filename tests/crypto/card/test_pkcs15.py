"""Directory files: what personalisation wrote is what the profile finds; anything else is malformed, never a crash."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.card.apdu import MalformedData
from crypto.card.pkcs15 import (
    CertificateEntry,
    Directories,
    PrivateKeyEntry,
    parse_certificates,
    parse_odf,
    parse_private_keys,
)
from crypto.card.port import SituationExercice, SituationFacturation
from crypto.card.situations import decode_exercice, decode_facturation, encode_exercice, encode_facturation
from crypto.card.virtual.image import CardImage


def content(images: Mapping[str, CardImage], path: str) -> bytes:
    return next(file.content for file in images["PS02"].files if file.path == path)


def test_the_object_directory_names_the_other_directories(factory_images: Mapping[str, CardImage]) -> None:
    expected = Directories(
        private_keys=bytes.fromhex("3F0000017002"),
        certificates=bytes.fromhex("3F0000017005"),
        authentication_objects=bytes.fromhex("3F0000017001"),
    )
    assert parse_odf(content(factory_images, "3F0000015031")) == expected


def test_certificates_share_an_identifier_with_their_keys(factory_images: Mapping[str, CardImage]) -> None:
    expected_certificates = (
        CertificateEntry(b"\x01", bytes.fromhex("3F000001A001"), is_authority=False),
        CertificateEntry(b"\x02", bytes.fromhex("3F000001A002"), is_authority=False),
        CertificateEntry(b"\x11", bytes.fromhex("3F000001A003"), is_authority=True),
    )
    expected_keys = (PrivateKeyEntry(b"\x01", 0x81), PrivateKeyEntry(b"\x02", 0x82))
    assert parse_certificates(content(factory_images, "3F0000017005")) == expected_certificates
    assert parse_private_keys(content(factory_images, "3F0000017002")) == expected_keys


def test_an_object_directory_without_certificates_is_malformed() -> None:
    with pytest.raises(MalformedData):
        parse_odf(b"")


@pytest.mark.parametrize("parse", [parse_odf, parse_certificates, parse_private_keys, decode_exercice])
@given(data=st.binary(max_size=80))
def test_any_bytes_parse_or_are_malformed(parse: object, data: bytes) -> None:
    assert callable(parse)
    try:
        parse(data)
    except MalformedData:
        return


def test_situations_come_back_as_they_went() -> None:
    exercice = SituationExercice(1, "Cabinet de l'Hôpital", "L")
    facturation = SituationFacturation(2, "Cabinet Saint-Étienne", "421990029", "SM15", "421")
    assert decode_exercice(encode_exercice(exercice)) == exercice
    assert decode_facturation(encode_facturation(facturation)) == facturation


def test_a_practice_situation_is_no_billing_situation() -> None:
    with pytest.raises(MalformedData):
        decode_facturation(encode_exercice(SituationExercice(1, "X", "L")))
