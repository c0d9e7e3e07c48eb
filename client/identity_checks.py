"""Warns about identifiers that look mistyped: NIR, RPPS, IdNat_PS, numéro de facturation, SIREN, SIRET.

Never refuses: real requests travel with numbers whose key is wrong (domain.md 0.1.7), and a medical opinion must not
wait for a digit. Arithmetic is python-stdnum's; ours are the rules it leaves out (first digit and month of the NIR)
and the words. Every check takes what a user pastes: spaces, dots, dashes and full-width digits are forgiven.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from itertools import pairwise

from stdnum import exceptions, luhn
from stdnum.fr import nir, siren, siret

from client.i18n import _
from domain.practitioners import NumberNature

NIR_CHARS = 15
"""13 characters and a key of 2 (domain.md 2.2)."""
_NIR_FIRST = frozenset("123478")
"""1 and 2: sex; 3 and 4: temporary registration; 7 and 8: waiting number (NIA)."""
_NIR_MONTHS = frozenset(range(1, 13)) | frozenset(range(20, 43)) | frozenset(range(50, 100))
"""Calendar months, and the codes of an incomplete civil status."""
_NIR_VISIBLE_CHARS = 5
"""Sex, year and month stay readable in a list; the rest and the key do not (domain.md 2.2)."""
_RPPS_DIGITS = 11
_BILLING_CHARS = 9
_MASK = "•"
_SEPARATORS = frozenset(".-_/")


def _compact(text: str, separators: frozenset[str] = _SEPARATORS) -> str:
    """Drop what a paste brings along: any space, any format character, the separators; upper-case the rest."""
    kept = (
        char
        for char in unicodedata.normalize("NFKC", text)
        if not char.isspace() and unicodedata.category(char) not in {"Cc", "Cf", "Pd"} and char not in separators
    )
    return "".join(kept).upper()


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


# --- NIR ----------------------------------------------------------------------------------------------------


def normalise_nir(text: str) -> str:
    """Return the NIR as stored: 15 characters without spaces when complete, whatever was typed otherwise.

    >>> normalise_nir(" 2 58.04.69 992 001-30 ")
    '258046999200130'
    """
    return _compact(text)


def display_nir(text: str) -> str:
    """Return the NIR in the groups people read, as far as it goes.

    >>> display_nir("258044299100707")
    '2 58 04 42 991 007 07'
    """
    return _grouped(normalise_nir(text))


def mask_nir(text: str) -> str:
    """Return the NIR for a list: sex, year and month, then nothing that identifies.

    >>> mask_nir("258044299100707")
    '2 58 04 •• ••• ••• ••'
    """
    number = normalise_nir(text)
    hidden = max(len(number) - _NIR_VISIBLE_CHARS, 0)
    return _grouped(number[:_NIR_VISIBLE_CHARS] + _MASK * hidden)


def _grouped(number: str) -> str:
    cuts = (0, 1, 3, 5, 7, 10, 13, max(len(number), 13))
    return " ".join(filter(None, (number[start:end] for start, end in pairwise(cuts))))


def nir_warnings(text: str) -> tuple[str, ...]:
    """Say, in French, what is odd about a NIR or NIA; nothing when it is empty or right."""
    number = normalise_nir(text)
    if not number:
        return ()
    if len(number) != NIR_CHARS:
        return (_nir_length_warning(len(number)),)
    try:
        nir.validate(number)
    except exceptions.InvalidChecksum:
        return (*_nir_rule_warnings(number), _("NIR : la clé ne correspond pas au numéro."))
    except exceptions.ValidationError:
        return (_("NIR : des chiffres sont attendus, sauf 2A ou 2B pour la Corse."),)
    return _nir_rule_warnings(number)


def _nir_length_warning(length: int) -> str:
    if length == NIR_CHARS - 2:
        return _("NIR : la clé (2 chiffres) manque.")
    return _("NIR : 15 caractères attendus, {length} saisis.").format(length=length)


def _nir_rule_warnings(number: str) -> tuple[str, ...]:
    """What python-stdnum does not look at (domain.md 2.2)."""
    warnings = []
    if number[0] not in _NIR_FIRST:
        warnings.append(_("NIR : le premier chiffre doit être 1, 2, 3, 4, 7 ou 8."))
    if int(number[3:5]) not in _NIR_MONTHS:
        warnings.append(_("NIR : le mois de naissance {month} n'existe pas.").format(month=number[3:5]))
    return tuple(warnings)


# --- professionals ------------------------------------------------------------------------------------------


def rpps_warnings(text: str) -> tuple[str, ...]:
    """Say what is odd about an RPPS: 11 digits, the last a Luhn key (domain.md 2.4)."""
    return _luhn_warnings(_("RPPS"), _compact(text), _RPPS_DIGITS)


def id_nat_warnings(text: str) -> tuple[str, ...]:
    """Say what is odd about an IdNat_PS: a type digit, then the identifier it announces (domain.md 2.5)."""
    number = _compact(text, _SEPARATORS - {"/"})
    if not number:
        return ()
    prefix, body = number[0], number[1:].partition("/")[0]
    check = _ID_NAT_BODIES.get(prefix)
    if check is None:
        return (_("Identifiant national : le préfixe {prefix} est inconnu.").format(prefix=prefix),)
    return check(body) or (() if body else (_("Identifiant national : le numéro manque."),))


def billing_number_warnings(value: str, nature: NumberNature) -> tuple[str, ...]:
    """Say what is odd about a numéro de facturation, AM or FINESS (domain.md 2.1, G02)."""
    number = _compact(value)
    if nature is NumberNature.FINESS:
        return _finess_warnings(number)
    return _luhn_warnings(_("Numéro d'Assurance Maladie"), number, _BILLING_CHARS)


def guess_nature(number: str, mode_exercice: str) -> NumberNature:
    """Guess what a numéro de facturation is, from how its owner practises (TRE_R23: `L`, `S`...) and its form.

    A salaried bills by the FINESS of the establishment, a libéral by the AM number (G02). Without a known mode, a
    Corsican letter or a third character that no AM category uses (domain.md 2.4) betrays a FINESS.
    """
    mode = mode_exercice.strip().upper()
    if mode == "S":
        return NumberNature.FINESS
    compact = _compact(number)
    looks_finess = compact[:2] in {"2A", "2B"} or compact[2:3] in {"0", "2", "3"}
    return NumberNature.FINESS if looks_finess and mode != "L" else NumberNature.AM


def _finess_warnings(number: str) -> tuple[str, ...]:
    if number[:2] in {"2A", "2B"} and len(number) == _BILLING_CHARS and _is_number(number[2:]):
        return ()  # The key rule with a letter was not found: the form alone is checked.
    return _luhn_warnings(_("FINESS"), number, _BILLING_CHARS)


def _luhn_warnings(label: str, number: str, digits: int) -> tuple[str, ...]:
    if not number:
        return ()
    if not _is_number(number):
        return (_("{label} : des chiffres sont attendus.").format(label=label),)
    if len(number) != digits:
        return (
            _("{label} : {digits} chiffres attendus, {length} saisis.").format(
                label=label, digits=digits, length=len(number)
            ),
        )
    return () if luhn.is_valid(number) else (_("{label} : la clé ne correspond pas au numéro.").format(label=label),)


def _adeli_warnings(number: str) -> tuple[str, ...]:
    return _luhn_warnings(_("ADELI"), number, _BILLING_CHARS)


# --- structures ---------------------------------------------------------------------------------------------


def siren_warnings(text: str) -> tuple[str, ...]:
    """Say what is odd about a SIREN: 9 digits, Luhn."""
    return _stdnum_warnings(_("SIREN"), _compact(text), siren.validate)


def siret_warnings(text: str) -> tuple[str, ...]:
    """Say what is odd about a SIRET: 14 digits, Luhn, La Poste's exception included (domain.md 2.1)."""
    return _stdnum_warnings(_("SIRET"), _compact(text), siret.validate)


def _stdnum_warnings(label: str, number: str, validate: Callable[[str], str]) -> tuple[str, ...]:
    if not number:
        return ()
    try:
        validate(number)
    except exceptions.InvalidLength:
        return (_("{label} : la longueur est inexacte.").format(label=label),)
    except exceptions.InvalidFormat:
        return (_("{label} : des chiffres sont attendus.").format(label=label),)
    except exceptions.ValidationError:
        return (_("{label} : la clé ne correspond pas au numéro.").format(label=label),)
    return ()


_ID_NAT_BODIES: dict[str, Callable[[str], tuple[str, ...]]] = {
    "0": _adeli_warnings,
    "1": _adeli_warnings,
    "3": _finess_warnings,
    "4": siren_warnings,
    "5": siret_warnings,
    "6": rpps_warnings,
    "8": rpps_warnings,
}
"""What follows the type digit, before the internal number if any (domain.md 2.5)."""
