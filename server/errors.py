"""What the relay refuses over HTTP: one table of stable codes, their status and the French sentence shown.

RelayError
├── RequestRefused      an HTTP request is answered by a `Problem`
├── StorageFull         nothing was stored: no room left on the device
└── SchemaTooNew        the database was written by a later version
"""

from __future__ import annotations

PROBLEMS: dict[str, tuple[int, str]] = {
    "malformed": (400, "Requête illisible."),
    "digest-mismatch": (400, "Le contenu ne correspond pas à son empreinte."),
    "unauthenticated": (401, "Session absente, expirée ou fermée."),
    "challenge-unknown": (401, "Défi inconnu, expiré ou déjà utilisé."),
    "clock-skew": (401, "L'horloge du poste est trop éloignée de celle du relais."),
    "identity-refused": (403, "La carte ou ses signatures sont refusées."),
    "not-permitted": (403, "Ce compte n'a pas ce droit."),
    "not-found": (404, "Inconnu."),
    "key-exists": (409, "Le service a déjà une autre clé."),
    "too-large": (413, "Contenu trop volumineux."),
    "range-invalid": (416, "Intervalle invalide."),
    "too-many-requests": (429, "Trop de demandes, réessayez dans un instant."),
    "internal": (500, "Erreur interne du relais."),
    "not-ready": (503, "Le relais démarre."),
    "storage-full": (507, "Le relais n'a plus de place."),
}
"""Code -> (HTTP status, sentence for the user)."""


class RelayError(Exception):
    """The relay cannot do what was asked."""


class RequestRefused(RelayError):
    """An HTTP request is refused; `code` is a key of PROBLEMS, `detail` replaces its sentence."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.detail = detail or PROBLEMS[code][1]

    @property
    def status(self) -> int:
        """The HTTP status of this code."""
        return PROBLEMS[self.code][0]


class StorageFull(RelayError):
    """No room left: nothing of the transaction was stored."""


class SchemaTooNew(RelayError):
    """The database was written by a later version of the relay: it is left alone."""
