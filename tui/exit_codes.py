"""What each exit status means, in one table (sysexits.h): for scripts, for the reference, for `raise Stop`."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Documented statuses; 1 is kept for a tape that was not met."""

    OK = 0
    NOT_MET = 1
    USAGE = 64
    DATA = 65
    UNAVAILABLE = 69
    INTERNAL = 70
    CANNOT_CREATE = 73
    IO = 74
    QUEUED = 75
    PROTOCOL = 76
    PERMISSION = 77
    CONFIG = 78
    INTERRUPTED = 130


MEANINGS: dict[ExitCode, str] = {
    ExitCode.OK: "tout est fait et le relais l'a reçu",
    ExitCode.NOT_MET: "une attente de la bande n'a pas été satisfaite",
    ExitCode.USAGE: "la commande est mal écrite",
    ExitCode.DATA: "une donnée est fausse, ambiguë ou refusée par les règles de la téléexpertise",
    ExitCode.UNAVAILABLE: "le relais, le lecteur ou l'annuaire ne répond pas",
    ExitCode.INTERNAL: "erreur interne : la session s'est arrêtée",
    ExitCode.CANNOT_CREATE: "le fichier demandé ne peut pas être créé",
    ExitCode.IO: "un fichier ne peut pas être lu ou écrit",
    ExitCode.QUEUED: "gardé sur ce poste, partira dès que le relais répondra",
    ExitCode.PROTOCOL: "le relais et ce poste ne parlent pas la même version",
    ExitCode.PERMISSION: "carte absente, bloquée ou refusée, code porteur faux ou manquant",
    ExitCode.CONFIG: "la configuration n'a pas de sens",
    ExitCode.INTERRUPTED: "interrompu par l'utilisateur (Ctrl-C)",
}
"""Translated where they are shown."""


class Stop(Exception):
    """End the command with this status; the message, in French, goes to stderr."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
