"""The chip: an interpreter of the commands that a CPS3 answers over T=0. Pure, but for the callback that persists.

Rule 1: a try is taken from the counter, and persisted, before the code is compared. Pulling the card between the two
loses a try and never gains one.
Rule 2: what a code opened is forgotten at every reset, and nothing of it is in the image.
Rule 3: once the counter of the code de déblocage is spent, no code is ever right again.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

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
    tlv,
)
from crypto.card.profiles import CPS3, MASTER_FILE, MAX_PIN, MIN_PIN, ROOT_AID, SHA256_DIGEST_INFO
from crypto.card.virtual import keys
from crypto.card.virtual.image import CardImage, CodeState, ImageFile, ImageKey

CodeName = Literal["pin", "puk"]

MAX_DIGEST_INFO = 102
"""40 % of a 2048-bit modulus (IAS-ECC)."""

_APPLICATION = CPS3.application
_DEDICATED_FILES = {MASTER_FILE: ROOT_AID, _APPLICATION: CPS3.application_aid}
_CODES: dict[int, CodeName] = {CPS3.pin_reference: "pin", CPS3.puk_reference: "puk"}
_AUTHENTICATION_TEMPLATE, _SIGNATURE_TEMPLATE, _HASH_TEMPLATE = 0xA4, 0xB6, 0xAA
_KEY_REFERENCE = 0x84
_SDO_CHV, _SDO_RSA_PRIVATE, _SDO_SECURITY_ENVIRONMENT = 0x01, 0x10, 0x7B
_DOCP = 0xA0
_USER_AUTHENTICATION = 0x10
"""Security condition byte: user authentication by the code named in security environment n (low half)."""


class Refusal(Exception):
    """The command is answered by a status word alone."""

    def __init__(self, sw: int) -> None:
        super().__init__(f"{sw:04X}")
        self.sw = sw


@dataclass(slots=True)
class _Volatile:
    """What is lost at reset."""

    directory: bytes = MASTER_FILE
    file: ImageFile | None = None
    pin_verified: bool = False
    puk_verified: bool = False
    authentication_key: int | None = None
    signature_key: int | None = None
    digest: bytes | None = None
    pending: bytes = b""


class VirtualCard:
    """One card with its memory.

    Args:
        image: the memory to start from.
        persist: called with the new memory each time it changes, before the response is given.
    """

    def __init__(self, image: CardImage, persist: Callable[[CardImage], None]) -> None:
        self.image = image
        self._persist = persist
        self._state = _Volatile()
        self._handlers: dict[int, Callable[[Command], bytes]] = {
            Ins.SELECT: self._select,
            Ins.READ_BINARY: self._read_binary,
            Ins.GET_DATA: self._get_data,
            Ins.VERIFY: self._verify,
            Ins.CHANGE_REFERENCE_DATA: self._change_reference_data,
            Ins.RESET_RETRY_COUNTER: self._reset_retry_counter,
            Ins.MANAGE_SECURITY_ENVIRONMENT: self._manage_security_environment,
            Ins.INTERNAL_AUTHENTICATE: self._internal_authenticate,
            Ins.PERFORM_SECURITY_OPERATION: self._perform_security_operation,
        }

    @property
    def atr(self) -> bytes:
        """Answer to reset."""
        return self.image.atr

    def reset(self) -> None:
        """Forget everything volatile: power on, power off and warm reset alike."""
        self._state = _Volatile()

    def process(self, apdu: bytes) -> bytes:
        """Answer one command; never raises for what the host sent."""
        try:
            command = Command.parse(apdu)
        except MalformedData:
            return bytes(Response(b"", Sw.WRONG_LENGTH))
        return bytes(self._answer(command))

    def _answer(self, command: Command) -> Response:
        if command.cla != 0:
            return Response(b"", Sw.CLA_NOT_SUPPORTED)
        if command.ins == Ins.GET_RESPONSE:
            return self._get_response(command)
        self._state.pending = b""
        handler = self._handlers.get(command.ins)
        if handler is None:
            return Response(b"", Sw.INS_NOT_SUPPORTED)
        try:
            return self._deliver(command, handler(command))
        except Refusal as refusal:
            return Response(b"", refusal.sw)
        except MalformedData:
            return Response(b"", Sw.WRONG_DATA)

    def _deliver(self, command: Command, data: bytes) -> Response:
        """Hand out a response as T=0 does: at once when no data came in, by GET RESPONSE otherwise."""
        if not data:
            return Response(b"", Sw.OK)
        if command.data or command.le is None:
            self._state.pending = data
            return Response(b"", MORE_DATA | _length_byte(data))
        if command.le > len(data) and command.le != MAX_SHORT_LE:
            return Response(b"", WRONG_LE | _length_byte(data))
        return Response(data[: command.le], Sw.OK)

    def _get_response(self, command: Command) -> Response:
        pending, le = self._state.pending, command.le or MAX_SHORT_LE
        if not pending:
            return Response(b"", Sw.CONDITIONS_NOT_SATISFIED)
        if le > len(pending) and le != MAX_SHORT_LE:
            return Response(b"", WRONG_LE | _length_byte(pending))
        self._state.pending = pending[le:]
        sw = MORE_DATA | _length_byte(self._state.pending) if self._state.pending else Sw.OK
        return Response(pending[:le], sw)

    # Files

    def _select(self, command: Command) -> bytes:
        path = self._resolve(command)
        if path in _DEDICATED_FILES:
            self._state.directory, self._state.file = path, None
            fcp = _directory_parameters(path)
        else:
            self._state.file = self._file(path)
            self._state.directory = path[:-2]
            fcp = _file_parameters(self._state.file)
        return b"" if command.p2 & 0x0C == 0x0C else fcp

    def _resolve(self, command: Command) -> bytes:
        """Turn the five ways of naming a file into its path from the master file."""
        name, here = command.data, self._state.directory
        match command.p1:
            case 0x04:
                return _find_application(name)
            case 0x03:
                return MASTER_FILE
            case 0x00 | 0x02 | 0x09 if name[:2] != MASTER_FILE and name:
                return here + name
            case 0x08 if name[:2] != MASTER_FILE:
                return MASTER_FILE + name
            case 0x00 | 0x02 | 0x08 | 0x09:
                return name or MASTER_FILE
            case _:
                raise Refusal(Sw.INCORRECT_P1_P2)

    def _file(self, path: bytes) -> ImageFile:
        wanted = path.hex().upper()
        for file in self.image.files:
            if file.path == wanted:
                return file
        raise Refusal(Sw.FILE_NOT_FOUND)

    def _read_binary(self, command: Command) -> bytes:
        offset = command.p1 << 8 | command.p2
        if command.p1 & 0x80:
            self._state.file, offset = self._by_short_identifier(command.p1 & 0x1F), command.p2
        file = self._state.file
        if file is None:
            raise Refusal(Sw.CONDITIONS_NOT_SATISFIED)
        if file.needs_pin and not self._state.pin_verified:
            raise Refusal(Sw.SECURITY_STATUS_NOT_SATISFIED)
        if offset >= len(file.content):
            raise Refusal(Sw.WRONG_OFFSET)
        return file.content[offset : offset + (command.le or MAX_SHORT_LE)]

    def _by_short_identifier(self, identifier: int) -> ImageFile:
        for file in self.image.files:
            if file.short_identifier == identifier:
                return file
        raise Refusal(Sw.FILE_NOT_FOUND)

    def _get_data(self, command: Command) -> bytes:
        """Answer for a security data object: `4D { 70 { BF class reference { tag 80 } } }` (IAS-ECC)."""
        request = command.data
        well_formed = len(request) >= 10 and request[0] == 0x4D and request[2] == 0x70 and request[4] == 0xBF
        if (command.p1, command.p2) != (0x3F, 0xFF) or not well_formed:
            raise Refusal(Sw.WRONG_DATA)
        sdo_class, reference, tag = request[5], request[6], int.from_bytes(request[8:-1])
        content = self._security_object(sdo_class & 0x7F, reference, tag)
        body = bytes([0xBF, sdo_class, reference]) + tlv(0x04, content)[1:]
        return tlv(0x70, body)

    def _security_object(self, sdo_class: int, reference: int, tag: int) -> bytes:
        if sdo_class == _SDO_SECURITY_ENVIRONMENT and reference in _CODES:
            # Environment n asks for code n.
            return tlv(0x7B, tlv(_AUTHENTICATION_TEMPLATE, bytes([0x95, 0x01, 0x08, 0x83, 0x01, reference])))
        if sdo_class == _SDO_CHV and reference in _CODES:
            return self._code_object(_CODES[reference]) if tag == _DOCP else tlv(tag, b"\x80\x01\x08\x81\x01\x04")
        if sdo_class == _SDO_RSA_PRIVATE:
            key = self._key(reference | 0x80)
            return _key_object(key) if tag == _DOCP else tlv(tag, b"\x80\x01\x01")
        raise Refusal(Sw.REFERENCE_NOT_FOUND)

    def _code_object(self, name: CodeName) -> bytes:
        """Control parameters of a code: its counter, and that code 2 resets code 1."""
        state = self._code(name)
        counters = tlv(0x9A, bytes([state.tries_max])) + tlv(0x9B, bytes([state.tries_left]))
        reset_by_puk = _USER_AUTHENTICATION | CPS3.puk_reference
        conditions = bytes([0x71, 0x00, 0x00, reset_by_puk, 0x00])
        return tlv(_DOCP, counters, tlv(0x80, b"\x00\x08"), tlv(0xA1, tlv(0x8C, conditions)))

    # Codes

    def _verify(self, command: Command) -> bytes:
        name = _code_name(command)
        if command.data:
            self._present(name, command.data)
        elif not self._is_verified(name):
            left = self._code(name).tries_left
            raise Refusal(TRIES_LEFT | left if left else Sw.AUTHENTICATION_BLOCKED)
        return b""

    def _change_reference_data(self, command: Command) -> bytes:
        name = _code_name(command)
        if command.p1 != 0 or name != "pin":
            raise Refusal(Sw.INCORRECT_P1_P2)
        old_length = len(self.image.pin.code)
        self._present("pin", command.data[:old_length])
        self._set_pin(command.data[old_length:])
        return b""

    def _reset_retry_counter(self, command: Command) -> bytes:
        """Set a new code porteur, after VERIFY of the code de déblocage (P1 = 02) or with it in front (P1 = 00)."""
        new = command.data
        if command.p1 not in (0x00, 0x02) or _code_name(command) != "pin":
            raise Refusal(Sw.INCORRECT_P1_P2)
        if command.p1 == 0x00:
            length = len(self.image.puk.code)
            self._present("puk", new[:length])
            new = new[length:]
        if not self._state.puk_verified:
            raise Refusal(Sw.SECURITY_STATUS_NOT_SATISFIED)
        self._set_pin(new)
        self._state.puk_verified = False
        return b""

    def _set_pin(self, new: bytes) -> None:
        if not (new.isdigit() and MIN_PIN <= len(new) <= MAX_PIN):
            raise Refusal(Sw.WRONG_DATA)
        self._store("pin", CodeState(new.decode("ascii"), self.image.pin.tries_max, self.image.pin.tries_max))

    def _present(self, name: CodeName, code: bytes) -> None:
        state = self._code(name)
        self._set_verified(name, verified=False)
        if state.tries_left == 0:
            raise Refusal(Sw.AUTHENTICATION_BLOCKED)
        self._store(name, replace(state, tries_left=state.tries_left - 1))
        if not hmac.compare_digest(state.code.encode("ascii"), code):
            self._refuse_code(name, state.tries_left - 1)
        self._store(name, replace(state, tries_left=state.tries_max))
        self._set_verified(name, verified=True)

    def _refuse_code(self, name: CodeName, left: int) -> None:
        if name == "puk" and left == 0:
            self._store("pin", replace(self.image.pin, tries_left=0))
        raise Refusal(TRIES_LEFT | left)

    def _code(self, name: CodeName) -> CodeState:
        return self.image.pin if name == "pin" else self.image.puk

    def _store(self, name: CodeName, state: CodeState) -> None:
        image = replace(self.image, pin=state) if name == "pin" else replace(self.image, puk=state)
        self._persist(image)
        self.image = image

    def _is_verified(self, name: CodeName) -> bool:
        return self._state.pin_verified if name == "pin" else self._state.puk_verified

    def _set_verified(self, name: CodeName, *, verified: bool) -> None:
        if name == "pin":
            self._state.pin_verified = verified
        else:
            self._state.puk_verified = verified

    # Keys

    def _manage_security_environment(self, command: Command) -> bytes:
        if command.p1 != 0x41:
            raise Refusal(Sw.INCORRECT_P1_P2)
        if command.p2 == _HASH_TEMPLATE:
            return b""
        reference = next((part.value for part in iter_tlv(command.data) if part.tag == _KEY_REFERENCE), b"")
        key = self._key(int.from_bytes(reference))
        if command.p2 == _AUTHENTICATION_TEMPLATE and key.authenticates:
            self._state.authentication_key = key.reference
        elif command.p2 == _SIGNATURE_TEMPLATE and not key.authenticates:
            self._state.signature_key = key.reference
        else:
            raise Refusal(Sw.CONDITIONS_NOT_SATISFIED)
        return b""

    def _internal_authenticate(self, command: Command) -> bytes:
        key = self._ready_key(self._state.authentication_key)
        if not 0 < len(command.data) <= MAX_DIGEST_INFO:
            raise Refusal(Sw.WRONG_LENGTH)
        return keys.sign_raw(key.private_key, command.data)

    def _perform_security_operation(self, command: Command) -> bytes:
        match command.p1, command.p2:
            case 0x90, 0xA0:
                self._state.digest = _hash(command.data)
                return b""
            case 0x9E, 0x9A:
                return self._compute_signature()
            case _:
                raise Refusal(Sw.INCORRECT_P1_P2)

    def _compute_signature(self) -> bytes:
        key = self._ready_key(self._state.signature_key)
        digest, self._state.digest = self._state.digest, None
        if digest is None:
            raise Refusal(Sw.CONDITIONS_NOT_SATISFIED)
        return keys.sign_raw(key.private_key, SHA256_DIGEST_INFO + digest)

    def _ready_key(self, reference: int | None) -> ImageKey:
        if reference is None:
            raise Refusal(Sw.CONDITIONS_NOT_SATISFIED)
        if not self._state.pin_verified:
            raise Refusal(Sw.SECURITY_STATUS_NOT_SATISFIED)
        return self._key(reference)

    def _key(self, reference: int) -> ImageKey:
        for key in self.image.keys:
            if key.reference == reference:
                return key
        raise Refusal(Sw.REFERENCE_NOT_FOUND)


def _length_byte(data: bytes) -> int:
    return len(data) if len(data) < MAX_SHORT_LE else 0


def _code_name(command: Command) -> CodeName:
    if command.p2 not in _CODES:
        raise Refusal(Sw.REFERENCE_NOT_FOUND)
    return _CODES[command.p2]


def _find_application(name: bytes) -> bytes:
    for path, aid in _DEDICATED_FILES.items():
        if name and aid.startswith(name):
            return path
    raise Refusal(Sw.FILE_NOT_FOUND)


def _directory_parameters(path: bytes) -> bytes:
    """FCP of a dedicated file: its name, and no condition for reading below it."""
    name = tlv(0x84, _DEDICATED_FILES[path])
    conditions = tlv(0xA1, tlv(0x8C, b"\x02\x00"))
    return tlv(0x62, tlv(0x82, b"\x38"), tlv(0x83, path[-2:]), name, tlv(0x8A, b"\x05"), conditions)


def _file_parameters(file: ImageFile) -> bytes:
    """FCP of a transparent file: its size, and whether reading needs the code of environment 1."""
    reading = _USER_AUTHENTICATION | CPS3.pin_reference if file.needs_pin else 0x00
    return tlv(
        0x62,
        tlv(0x80, len(file.content).to_bytes(2)),
        tlv(0x82, b"\x01"),
        tlv(0x83, bytes.fromhex(file.path[-4:])),
        tlv(0x8A, b"\x05"),
        tlv(0xA1, tlv(0x8C, bytes([0x01, reading]))),
    )


def _key_object(key: ImageKey) -> bytes:
    """Control parameters of a private key: its size, and the one operation the code porteur opens."""
    operation = 0x20 if key.authenticates else 0x40
    conditions = bytes([operation, _USER_AUTHENTICATION | CPS3.pin_reference])
    size = keys.modulus_bytes(key.private_key).to_bytes(2)
    return tlv(_DOCP, tlv(0x80, size), tlv(0xA1, tlv(0x8C, conditions)))


def _hash(data: bytes) -> bytes:
    """PSO HASH: a whole digest (tag 90) or a whole message (tag 80). A half-computed one is not resumed here."""
    parts = {part.tag: part.value for part in iter_tlv(data)}
    if len(parts.get(0x90, b"")) == hashlib.sha256().digest_size and not parts.get(0x80):
        return parts[0x90]
    if parts.get(0x90) or 0x80 not in parts:
        raise Refusal(Sw.WRONG_DATA)
    return hashlib.sha256(parts[0x80]).digest()
