"""What is said when the App fails: a short French sentence and an id, never a value (reliability.md 0.3).

The id is made from the kind of error and the places it went through, so that support can match two reports without
anybody having read a patient's name in a traceback.
"""

from __future__ import annotations

import hashlib
from pathlib import PurePath
from traceback import walk_tb

from client.i18n import _


def incident_id(error: BaseException) -> str:
    """Eight characters, the same for the same failure at the same place."""
    places = [f"{PurePath(frame.f_code.co_filename).name}:{line}" for frame, line in walk_tb(error.__traceback__)]
    digest = hashlib.sha256("|".join([type(error).__name__, *places]).encode()).hexdigest().upper()
    return f"{digest[:4]}-{digest[4:8]}"


def incident_place(error: BaseException) -> str:
    """`ValueError at case.py:120`: kind and place, for a local diagnostic; no value."""
    places = [f"{PurePath(frame.f_code.co_filename).name}:{line}" for frame, line in walk_tb(error.__traceback__)]
    return f"{type(error).__name__} at {places[-1] if places else '?'}"


def sealed_message(error: BaseException) -> str:
    """What the user reads on the way out."""
    return _(
        "Avicenne s'est arrêtée à la suite d'une erreur interne (incident {id}).\n"
        "Ce qui était écrit est gardé dans les brouillons. Relancez-la, et donnez ce numéro au support."
    ).format(id=incident_id(error))
