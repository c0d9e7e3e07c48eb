"""Typed settings: flags > environment > `config.toml`, nearest wins; a persona is a profile written by the demo.

Files follow XDG: `config.toml` in the configuration directory, the sealed store in the data directory. No secret is
ever read from a flag or the environment.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from client.errors import SettingsError
from client.i18n import _

APPLICATION = "avicenne"
ENVIRONMENT_PREFIX = "AVICENNE_"


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Everything a desk needs to open."""

    relay_url: str
    """`https://host:port`."""
    ca_file: Path | None
    """PEM of the authority that signs the relay's certificate; None for the system's."""
    roots: Path
    """Directory of DER or PEM roots of IGC-Santé that cards must lead to."""
    data_dir: Path
    """Sealed store, sealed blobs and vault; 0700."""
    downloads_dir: Path
    """Where opened attachments and exports go by default."""
    card: str = "pcsc"
    """`pcsc`, or `virtual` for a card image answered in this process."""
    pcsc_socket: str = ""
    """Path for PCSCLITE_CSOCK_NAME; empty for the system's pcscd."""
    reader: str = ""
    """Use only this reader (a part of its name); empty for any."""
    card_images: tuple[Path, ...] = ()
    """For `virtual`: one reader an image."""
    key_storage: str = "card"
    """`card`: the card opens the vault; `card+keyring`: a secret of the system's keyring is needed too."""
    demo_pin: str = ""
    """Only in demo profiles: the code of a fictional card, so that tapes and scripts need no prompt."""
    language: str = "fr"
    time_zone: str = "Europe/Paris"
    idle_lock_s: int = 900
    """Lock after so long without a key; 0 for never."""


_FROM_ENVIRONMENT = frozenset(ClientSettings.__dataclass_fields__) - {"demo_pin", "card_images"}
"""Secrets never come from there, and lists have no form there."""
_PATHS = ("ca_file", "roots", "data_dir", "downloads_dir")


def config_dir() -> Path:
    """Where `config.toml` lies."""
    return Path(platformdirs.user_config_dir(APPLICATION))


def demo_dir() -> Path:
    """Where the demonstration keeps its region: relay, cards and one profile a persona."""
    override = os.environ.get(ENVIRONMENT_PREFIX + "DEMO_DIR")
    return Path(override) if override else Path(platformdirs.user_data_dir(APPLICATION)) / "demo"


def for_persona(persona: str) -> ClientSettings:
    """The profile that the demo wrote for a persona, e.g. `PS01`.

    Raises:
        SettingsError: there is no such persona, or the demo was never started.
    """
    profile = demo_dir() / "personas" / f"{persona}.toml"
    if not persona.isalnum() or not profile.is_file():
        raise SettingsError(_("Persona « {persona} » inconnu : lancez d'abord « make demo ».").format(persona=persona))
    return _build(_read(profile), profile)


def load(profile: str | None = None, flags: Mapping[str, str] | None = None) -> ClientSettings:
    """Settings of a persona (`profile`), or of this user's `config.toml`; `flags` win over the environment.

    Raises:
        SettingsError: a needed value is missing or wrong.
    """
    if profile:
        return for_persona(profile)
    file = config_dir() / "config.toml"
    values = _defaults() | (_read(file) if file.is_file() else {})
    values |= {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): value
        for name, value in os.environ.items()
        if name.removeprefix(ENVIRONMENT_PREFIX).lower() in _FROM_ENVIRONMENT and name.startswith(ENVIRONMENT_PREFIX)
    }
    return _build(values | dict(flags or {}), file)


def _defaults() -> dict[str, object]:
    data = Path(platformdirs.user_data_dir(APPLICATION))
    return {
        "data_dir": str(data),
        "downloads_dir": str(Path(platformdirs.user_downloads_dir())),
        "roots": str(config_dir() / "roots"),
    }


def _read(file: Path) -> dict[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SettingsError(
            _("Le fichier {file} n'est pas lisible : {error}").format(file=file, error=error)
        ) from error


def _build(values: Mapping[str, object], source: Path) -> ClientSettings:
    known = set(ClientSettings.__dataclass_fields__)
    if unknown := sorted(set(values) - known - {"pin"}):
        raise SettingsError(_("Réglage inconnu dans {file} : {names}").format(file=source, names=", ".join(unknown)))
    if "relay_url" not in values:
        raise SettingsError(
            _("Aucun serveur n'est configuré : ajoutez « relay_url » à {file}, ou essayez « make demo ».").format(
                file=source
            )
        )
    prepared = {name: Path(str(value)) if name in _PATHS and value else value for name, value in values.items()}
    prepared.setdefault("ca_file", None)
    images = prepared.get("card_images", ())
    prepared["card_images"] = tuple(Path(str(each)) for each in images) if isinstance(images, list) else ()
    try:
        settings = ClientSettings(**prepared)  # type: ignore[arg-type]
        return replace(settings, idle_lock_s=int(settings.idle_lock_s))
    except (TypeError, ValueError) as error:
        raise SettingsError(_("Réglages incomplets dans {file} : {error}").format(file=source, error=error)) from error
