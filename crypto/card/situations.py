"""How the practice and billing situations lie in files D120 to D12F.

The real layout of these files is in the ANS and SESAM-Vitale specifications, which are licensed; this one is our
own for the virtual cards, and the only thing to replace for real ones: SEQUENCE { INTEGER rang, UTF8String ... }.
"""

from __future__ import annotations

from crypto.card.apdu import MalformedData, Tlv, iter_tlv, tlv
from crypto.card.port import SituationExercice, SituationFacturation

UTF8_STRING = 0x0C
INTEGER = 0x02
SEQUENCE = 0x30


def encode_exercice(situation: SituationExercice) -> bytes:
    """Encode one practice situation for its file."""
    return _encode(situation.rang, situation.structure, situation.mode)


def encode_facturation(situation: SituationFacturation) -> bytes:
    """Encode one billing situation for its file."""
    return _encode(
        situation.rang,
        situation.libelle,
        situation.numero_facturation,
        situation.specialite,
        situation.code_caisse,
    )


def decode_exercice(content: bytes) -> SituationExercice:
    """Read one practice situation. Raises MalformedData."""
    rang, (structure, mode) = _decode(content, 2)
    return SituationExercice(rang, structure, mode)


def decode_facturation(content: bytes) -> SituationFacturation:
    """Read one billing situation. Raises MalformedData."""
    rang, (libelle, numero_facturation, specialite, code_caisse) = _decode(content, 4)
    return SituationFacturation(rang, libelle, numero_facturation, specialite, code_caisse)


def _encode(rang: int, *texts: str) -> bytes:
    strings = [tlv(UTF8_STRING, text.encode()) for text in texts]
    return tlv(SEQUENCE, tlv(INTEGER, bytes([rang])), *strings)


def _decode(content: bytes, count: int) -> tuple[int, list[str]]:
    parts = next((entry.children for entry in iter_tlv(content) if entry.tag == SEQUENCE), ())
    if [part.tag for part in parts] != [INTEGER] + [UTF8_STRING] * count:
        raise MalformedData("not a situation")
    return int.from_bytes(parts[0].value), [_text(part) for part in parts[1:]]


def _text(part: Tlv) -> str:
    try:
        return part.value.decode()
    except UnicodeDecodeError as error:
        raise MalformedData("not UTF-8") from error
