"""What we do with a card, as a conversation of commands and responses; whatever carries them is given.

Pure: no reader, no thread, no clock. One `CardSession` lives as long as one transaction on the card. It never
retries a code, and never sends one that could not be right, so that no try is spent by us.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import Protocol

from crypto.card import pkcs15
from crypto.card.apdu import (
    MAX_SHORT_LE,
    MORE_DATA,
    TRIES_LEFT,
    WRONG_LE,
    Command,
    Ins,
    MalformedData,
    Response,
    Sw,
    iter_tlv,
)
from crypto.card.errors import CardDead, PinBlocked, PinIncorrect, PinRequired, ProtocolError, PukIncorrect
from crypto.card.port import CardIdentity, SignedStatements, SituationExercice, SituationFacturation
from crypto.card.profiles import (
    MASTER_FILE,
    MAX_PIN,
    MIN_PIN,
    PUK_DIGITS,
    SERIAL_PREFIX,
    SHA256_DIGEST_INFO,
    CardProfile,
)
from crypto.card.situations import decode_exercice, decode_facturation
from crypto.certificates import read_unverified_subject

MAX_GET_RESPONSES = 128
"""Pieces of one response: a card that offers more is broken or hostile."""
MAX_FILE_BYTES = 0x7FFF
"""READ BINARY has 15 bits of offset (ISO 7816-4, 11.2.3)."""
NO_DIAGNOSIS = 0x6F00
"""Status word of ISO 7816-4 for what cannot be told; ours for data that cannot be read."""

_SELECT_PATH, _RETURN_FCP = 0x09, 0x04
_SELECT_AID, _NO_ANSWER = 0x04, 0x0C
_SET_FOR_COMPUTATION, _AUTHENTICATION_TEMPLATE = 0x41, 0xA4
_NEW_REFERENCE_DATA_ONLY = 0x02
_FCP, _FILE_SIZE = 0x62, 0x80


class Transport(Protocol):
    """Something that carries one APDU to a card and its response back."""

    def transmit(self, apdu: bytes) -> bytes:
        """Send a command and return data and status word. Raises CardError."""


def exchange(transport: Transport, command: Command) -> Response:
    """Send a command as T=0 wants it: without Le after data, `61xx` fetched, `6Cxx` asked again.

    Raises:
        CardError: from the transport.
        MalformedData: the response has no status word, or no end.
    """
    if command.data and command.le is not None:
        command = Command(command.ins, command.p1, command.p2, command.data, None, command.cla)
    response = _send(transport, command)
    if response.sw & 0xFF00 == WRONG_LE:
        exact = (response.sw & 0xFF) or MAX_SHORT_LE
        response = _send(transport, Command(command.ins, command.p1, command.p2, command.data, exact, command.cla))
    data = response.data
    for _ in range(MAX_GET_RESPONSES):
        if response.sw & 0xFF00 != MORE_DATA:
            return Response(data, response.sw)
        response = _send(transport, Command(Ins.GET_RESPONSE, le=(response.sw & 0xFF) or MAX_SHORT_LE))
        data += response.data
    raise MalformedData("the card never ends its response")


def _send(transport: Transport, command: Command) -> Response:
    return Response.parse(transport.transmit(bytes(command)))


class CardSession:
    """One transaction with one card.

    Every method raises `CardError`; data of the card that cannot be read raises `MalformedData`.
    """

    def __init__(self, transport: Transport, profile: CardProfile) -> None:
        self._transport = transport
        self._profile = profile

    def identity(self) -> CardIdentity:
        """Read what the card says without a code: nothing of it is verified yet."""
        self._select_application()
        directories = pkcs15.parse_odf(self.read_file(self._profile.odf_file))
        entries = pkcs15.parse_certificates(self.read_file(directories.certificates))
        leaf = self.read_file(self._authentication_path(directories, entries))
        issuers = tuple(self.read_file(entry.path) for entry in entries if entry.is_authority)
        return CardIdentity(
            serial=self.serial(),
            card_type=read_unverified_subject(leaf).card_type.value,
            authentication_certificate=leaf,
            issuer_certificates=issuers,
            situations=self.situations_exercice(),
        )

    def serial(self) -> str:
        """Read the card number: the decimal digits after the issuer identification."""
        for entry in iter_tlv(self.read_file(self._profile.serial_file)):
            return entry.value.removeprefix(SERIAL_PREFIX).hex()
        raise MalformedData("no serial number")

    def situations_exercice(self) -> tuple[SituationExercice, ...]:
        """Read the practice situations; needs no code."""
        return tuple(map(decode_exercice, self._read_present(self._profile.exercice_files)))

    def situations_facturation(self) -> tuple[SituationFacturation, ...]:
        """Read the billing situations. Raises PinRequired before `verify_pin`."""
        return tuple(map(decode_facturation, self._read_present(self._profile.facturation_files)))

    def tries_left(self) -> int:
        """Ask the PIN counter; spends no try."""
        return self._tries_left(self._profile.pin_reference)

    def verify_pin(self, pin: str) -> None:
        """Present the code porteur.

        Raises:
            PinIncorrect: with the tries left.
            PinBlocked: it is, or has just become, blocked.
            CardDead: blocked, and the code de déblocage is spent too.
            ValueError: not 4 to 8 digits; nothing was sent.
        """
        data = _digits(pin, MIN_PIN, MAX_PIN)
        self._check_pin(self._exchange(Command(Ins.VERIFY, p2=self._profile.pin_reference, data=data)))

    def sign(self, statements: Sequence[bytes], pin: str) -> SignedStatements:
        """Present the code porteur and sign each statement with the authentication key."""
        self._select_application()
        self.verify_pin(pin)
        situations = self.situations_facturation()
        key = self._profile.authentication
        template = bytes([0x84, 0x01, key.reference, 0x80, 0x01, key.algorithm])
        self._expect(Command(Ins.MANAGE_SECURITY_ENVIRONMENT, _SET_FOR_COMPUTATION, _AUTHENTICATION_TEMPLATE, template))
        return SignedStatements(tuple(map(self._sign_one, statements)), situations)

    def change_pin(self, old: str, new: str) -> None:
        """Replace the code porteur. Raises as `verify_pin` does; `new` is checked before anything is sent."""
        new_data = _digits(new, MIN_PIN, MAX_PIN)
        old_data = _digits(old, MIN_PIN, MAX_PIN)
        # Verified first: CHANGE takes both codes in one string, and only the card knows where the old one ends.
        self.verify_pin(old)
        command = Command(Ins.CHANGE_REFERENCE_DATA, p2=self._profile.pin_reference, data=old_data + new_data)
        self._check_pin(self._exchange(command))

    def unblock(self, puk: str, new: str) -> None:
        """Present the code de déblocage and set a new code porteur.

        Raises:
            PukIncorrect: with the tries left.
            CardDead: the code de déblocage is, or has just become, spent.
            ValueError: a code that could not be right; nothing was sent.
        """
        new_data = _digits(new, MIN_PIN, MAX_PIN)
        puk_data = _digits(puk, PUK_DIGITS, PUK_DIGITS)
        self._check_puk(self._exchange(Command(Ins.VERIFY, p2=self._profile.puk_reference, data=puk_data)))
        reference = self._profile.pin_reference
        self._expect(Command(Ins.RESET_RETRY_COUNTER, _NEW_REFERENCE_DATA_ONLY, reference, new_data))

    def read_file(self, path: bytes) -> bytes:
        """Read a whole transparent file by its path from the master file.

        Raises:
            PinRequired: the file opens after the code porteur.
            ProtocolError: no such file, or any other refusal.
        """
        response = self._exchange(Command(Ins.SELECT, _SELECT_PATH, _RETURN_FCP, _absolute(path), MAX_SHORT_LE))
        _check(response)
        return self._read_selected(_file_size(response.data))

    def _read_selected(self, size: int) -> bytes:
        content = b""
        while len(content) < size:
            offset, le = len(content), min(size - len(content), MAX_SHORT_LE)
            response = self._exchange(Command(Ins.READ_BINARY, offset >> 8, offset & 0xFF, le=le))
            _check(response)
            if not response.data:
                break
            content += response.data
        return content

    def _read_present(self, paths: Sequence[bytes]) -> list[bytes]:
        """Read files until one is missing: situations are numbered without holes."""
        contents: list[bytes] = []
        for path in paths:
            try:
                contents.append(self.read_file(path))
            except ProtocolError as error:
                if error.status_word != Sw.FILE_NOT_FOUND:
                    raise
                break
        return contents

    def _authentication_path(
        self, directories: pkcs15.Directories, entries: tuple[pkcs15.CertificateEntry, ...]
    ) -> bytes:
        """Find the certificate that shares its identifier with the authentication key."""
        if directories.private_keys is None:
            raise ProtocolError(Sw.FILE_NOT_FOUND)
        keys = pkcs15.parse_private_keys(self.read_file(directories.private_keys))
        wanted = {key.identifier for key in keys if key.reference == self._profile.authentication.reference}
        for entry in entries:
            if entry.identifier in wanted and not entry.is_authority:
                return entry.path
        raise ProtocolError(Sw.REFERENCE_NOT_FOUND)

    def _select_application(self) -> None:
        self._expect(Command(Ins.SELECT, _SELECT_AID, _NO_ANSWER, self._profile.application_aid))

    def _sign_one(self, statement: bytes) -> bytes:
        digest_info = SHA256_DIGEST_INFO + hashlib.sha256(statement).digest()
        return self._expect(Command(Ins.INTERNAL_AUTHENTICATE, data=digest_info, le=MAX_SHORT_LE))

    def _tries_left(self, reference: int) -> int:
        response = self._exchange(Command(Ins.VERIFY, p2=reference))
        if response.sw & 0xFFF0 == TRIES_LEFT:
            return response.sw & 0x0F
        if response.sw == Sw.AUTHENTICATION_BLOCKED:
            return 0
        # Already verified in this transaction: the counter is hidden, but a right code has just refilled it.
        _check(response)
        return self._profile.tries_max

    def _check_pin(self, response: Response) -> None:
        self._check_code(response, PinIncorrect, self._blocked)

    def _check_puk(self, response: Response) -> None:
        self._check_code(response, PukIncorrect, CardDead)

    def _check_code(
        self, response: Response, incorrect: Callable[[int], Exception], spent: Callable[[], Exception]
    ) -> None:
        """Map the answer to a code; `63C0` and `6983` both mean that no try is left."""
        if response.sw in (Sw.AUTHENTICATION_BLOCKED, TRIES_LEFT):
            raise spent()
        if response.sw & 0xFFF0 == TRIES_LEFT:
            raise incorrect(response.sw & 0x0F)
        _check(response)

    def _blocked(self) -> Exception:
        """Tell a blocked card from a dead one, which only the other counter knows."""
        return PinBlocked() if self._tries_left(self._profile.puk_reference) else CardDead()

    def _exchange(self, command: Command) -> Response:
        return exchange(self._transport, command)

    def _expect(self, command: Command) -> bytes:
        response = self._exchange(command)
        _check(response)
        return response.data


def _check(response: Response) -> None:
    if response.sw == Sw.SECURITY_STATUS_NOT_SATISFIED:
        raise PinRequired
    if response.sw not in (Sw.OK, Sw.END_OF_FILE):
        raise ProtocolError(response.sw)


def _digits(code: str, shortest: int, longest: int) -> bytes:
    if not (code.isascii() and code.isdigit() and shortest <= len(code) <= longest):
        raise ValueError(f"a code of {shortest} to {longest} digits was expected")
    return code.encode("ascii")


def _absolute(path: bytes) -> bytes:
    return path if path.startswith(MASTER_FILE) else MASTER_FILE + path


def _file_size(fcp: bytes) -> int:
    """Read the size from file control parameters. Raises MalformedData when they do not tell a possible one."""
    for template in iter_tlv(fcp):
        size = template.child(_FILE_SIZE) if template.tag == _FCP else None
        if size is not None and int.from_bytes(size.value) <= MAX_FILE_BYTES:
            return int.from_bytes(size.value)
    raise MalformedData("no file size")
