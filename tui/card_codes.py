"""`card unblock` and `card change-pin`: give a card a new code porteur, with its code de déblocage or its present one.

They speak to the card alone: no desk opens, no relay is asked. The card in question is named before any code is typed,
because every wrong code costs it a try; nothing is ever tried twice.
"""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Callable

from client.headless import to_json
from client.i18n import _, ngettext
from crypto.card import errors
from crypto.card.port import CardPort
from crypto.card.profiles import MAX_PIN, MIN_PIN, PUK_DIGITS
from tui.exit_codes import ExitCode, Stop
from tui.oneshot import settings_of
from tui.output import give, say
from tui.pins import code_in_file, given_pin, prompted

Open = Callable[[Namespace], tuple[CardPort, str, str]]
"""Gives the readers, the one that the settings want (a part of its name) and the code of a fictional card."""


def open_real(args: Namespace) -> tuple[CardPort, str, str]:
    """The readers of the settings.

    Raises:
        Stop: a card image cannot be read.
    """
    from client.bootstrap import open_card

    settings = settings_of(args)
    try:
        port, _watch = open_card(settings)
    except (OSError, ValueError, errors.CardError) as error:
        raise Stop(ExitCode.UNAVAILABLE, str(error) or _("le service de cartes ne répond pas")) from None
    return port, args.reader or settings.reader, settings.demo_pin


def replace_code(args: Namespace, open_port: Open = open_real) -> int:
    """Do what the command line says, and say on which card.

    Raises:
        Stop: no card or several, a code that is wrong or cannot be one, a card that is blocked or spent.
    """
    port, wanted, demo_pin = open_port(args)
    try:
        reader = _reader(port, wanted)
        identity = port.identity(reader)
        card = f"{identity.card_type} {identity.serial}"
        say(_("{card}, dans le lecteur {reader}").format(card=card, reader=reader))
        if args.what == "unblock":
            _unblock(port, reader, args)
        else:
            _change(port, reader, args, demo_pin)
        tries = port.tries_left(reader)
    except errors.CardError as error:
        raise _stopped(error) from None
    if args.json:
        document = {"action": args.what, "card": card, "reader": reader, "tries_left": tries}
        give(to_json({"schema": "avicenne.card-code/1"} | document))
    else:
        give(_("{card} : nouveau code porteur en place, {tries}").format(card=card, tries=_tries(tries)))
    return ExitCode.OK


def _reader(port: CardPort, wanted: str) -> str:
    """The one reader that holds a card: a code must not reach a card by chance."""
    slots = port.slots()
    held = [slot.reader for slot in slots if slot.atr is not None and wanted in slot.reader]
    if len(held) > 1:
        names = ", ".join(held)
        raise Stop(ExitCode.USAGE, _("plusieurs lecteurs, choisissez avec --reader : {names}").format(names=names))
    if not held:
        raise errors.NoCard if slots else errors.NoReader
    return held[0]


def _unblock(port: CardPort, reader: str, args: Namespace) -> None:
    missing = _("code de déblocage nécessaire : donnez --puk-file")
    if args.puk_file is not None:
        puk = code_in_file(args.puk_file)
    else:
        puk = prompted(_("Code de déblocage : "), no_input=args.no_input, missing=missing)
    _check_digits(puk, PUK_DIGITS, PUK_DIGITS, _("le code de déblocage"))
    missing = _("nouveau code porteur nécessaire : donnez --pin-file ou --pin-fd")
    port.unblock(reader, puk, _new_code(given_pin(args), args, missing))


def _change(port: CardPort, reader: str, args: Namespace, demo_pin: str) -> None:
    tries = port.tries_left(reader)
    if not tries:
        raise errors.PinBlocked
    old = given_pin(args) or demo_pin
    if not old:
        words = _("Code porteur actuel ({tries}) : ").format(tries=_tries(tries))
        missing = _("code porteur nécessaire : donnez --pin-file ou --pin-fd")
        old = prompted(words, no_input=args.no_input, missing=missing)
    _check_digits(old, MIN_PIN, MAX_PIN, _("le code porteur"))
    given = code_in_file(args.new_pin_file) if args.new_pin_file is not None else ""
    new = _new_code(given, args, _("nouveau code porteur nécessaire : donnez --new-pin-file"))
    port.change_pin(reader, old, new)
    if demo_pin:
        say(_("le profil de la démonstration garde l'ancien code : donnez désormais --pin-file"))


def _new_code(given: str, args: Namespace, missing: str) -> str:
    """The code to come, typed twice when it is typed. Raises Stop."""
    code = given or prompted(_("Nouveau code porteur : "), no_input=args.no_input, missing=missing)
    _check_digits(code, MIN_PIN, MAX_PIN, _("le nouveau code porteur"))
    if not given:
        again = prompted(_("Nouveau code porteur, encore : "), no_input=args.no_input, missing=missing)
        if again != code:
            raise Stop(ExitCode.DATA, _("les deux saisies diffèrent : rien n'a été changé"))
    return code


def _check_digits(code: str, shortest: int, longest: int, what: str) -> None:
    """A code that could not be right never reaches the card. Raises Stop."""
    if not (code.isascii() and code.isdigit() and shortest <= len(code) <= longest):
        how_many = str(longest) if shortest == longest else _("{a} à {b}").format(a=shortest, b=longest)
        words = _("{what} a {n} chiffres : rien n'a été présenté à la carte")
        raise Stop(ExitCode.DATA, words.format(what=what, n=how_many))


def _tries(left: int) -> str:
    return ngettext("il reste {n} essai", "il reste {n} essais", left).format(n=left)


def _stopped(error: errors.CardError) -> Stop:
    """The status and the words of what the card, or its reader, answered."""
    match error:
        case errors.PinIncorrect(tries_left=left):
            return Stop(ExitCode.PERMISSION, _("code porteur faux, {tries}").format(tries=_tries(left)))
        case errors.PukIncorrect(tries_left=left):
            words = _("code de déblocage faux, {tries} avant que la carte soit définitivement inutilisable")
            return Stop(ExitCode.PERMISSION, words.format(tries=_tries(left)))
        case errors.PinBlocked():
            words = _("carte bloquée après trois codes faux ; débloquez-la : avicenne card unblock")
            return Stop(ExitCode.PERMISSION, words)
        case errors.CardDead():
            words = _("cette carte est définitivement inutilisable ; demandez-en une nouvelle à l'ANS")
            return Stop(ExitCode.PERMISSION, words)
        case errors.ServiceUnavailable():
            return Stop(ExitCode.UNAVAILABLE, _("le service de cartes ne répond pas"))
        case errors.NoReader():
            return Stop(ExitCode.PERMISSION, _("aucun lecteur de carte"))
        case errors.NoCard() | errors.CardRemoved():
            return Stop(ExitCode.PERMISSION, _("aucune carte dans le lecteur"))
        case errors.CardBusy() | errors.CardReset():
            return Stop(ExitCode.UNAVAILABLE, _("un autre logiciel utilise la carte"))
        case errors.UnsupportedCard():
            return Stop(ExitCode.PERMISSION, _("cette carte n'est pas une carte CPS ou CPE"))
        case _:
            words = _("la carte a répondu autre chose que prévu ({error})")
            return Stop(ExitCode.PERMISSION, words.format(error=f"{type(error).__name__} {error}".strip()))
