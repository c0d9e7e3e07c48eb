"""Certificates as files hold them."""

from __future__ import annotations

import base64
import textwrap

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.roots import read_certificates
from tests.support.builders import ANNE, roots

DER = roots()[0]


def pem(der: bytes, newline: str = "\n") -> bytes:
    body = newline.join(textwrap.wrap(base64.b64encode(der).decode(), 64))
    return f"-----BEGIN CERTIFICATE-----{newline}{body}{newline}-----END CERTIFICATE-----{newline}".encode()


def test_der_is_given_back() -> None:
    assert read_certificates(DER) == (DER,)


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_pem_is_decoded_whatever_surrounds_it(newline: str) -> None:
    assert read_certificates(b"Subject: AC\n" + pem(DER, newline) + b"trailer") == (DER,)


def test_several_certificates_keep_their_order() -> None:
    assert read_certificates(pem(DER) + pem(ANNE.certificate)) == (DER, ANNE.certificate)


@pytest.mark.parametrize("data", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA"])
def test_a_file_without_certificates_holds_none(data: bytes) -> None:
    assert read_certificates(data) == ()


@pytest.mark.parametrize("body", ["é", "A", "AA=A", "!!!!"])
def test_a_block_that_is_no_base64_is_an_error(body: str) -> None:
    with pytest.raises(ValueError):
        read_certificates(f"-----BEGIN CERTIFICATE-----{body}-----END CERTIFICATE-----".encode())


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_but_a_value_error(data: bytes) -> None:
    for content in (data, b"-----BEGIN CERTIFICATE-----" + data + b"-----END CERTIFICATE-----"):
        try:
            read_certificates(content)
        except ValueError:
            continue
