"""Composition root: settings -> a session ready to run. The only module of the client that names adapters."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from zoneinfo import ZoneInfo

from client.adapters.card_vault import CardVault
from client.adapters.documents import Documents
from client.adapters.file_box import FileBox
from client.adapters.https_relay import HttpsRelay
from client.adapters.keyring_vault import KeyringVault
from client.adapters.local_relay import LocalRelay, Pipe
from client.adapters.sqlite_store import SqliteStore
from client.adapters.system_world import SystemWorld
from client.errors import SettingsError
from client.i18n import _, use_language
from client.ports import Relay, Vault, World
from client.session import ClientSession, Surroundings
from client.settings import ClientSettings
from crypto.card.port import CardPort
from crypto.derivation import store_key


def build_session(settings: ClientSettings, *, world: World | None = None, relay: Relay | None = None) -> ClientSession:
    """Put a session together; `run` it inside a loop.

    Args:
        settings: whose desk, which relay, which card.
        world: clock and chance; the machine's when None (the demonstration's seed gives its own).
        relay: the network; HTTPS when None.

    Raises:
        SettingsError: roots are missing or unreadable.
    """
    use_language(settings.language)
    world = world or SystemWorld()
    card, watch = open_card(settings)
    data = settings.data_dir
    return ClientSession(
        Surroundings(
            card=card,
            watch=watch,
            relay=relay or HttpsRelay(settings.relay_url, settings.ca_file),
            vault=_vault(settings, world),
            world=world,
            open_store=lambda account, secret: SqliteStore(data / f"{_short(account)}.db", store_key(secret)),
            open_files=lambda account: FileBox(data / f"{_short(account)}.blobs", settings.downloads_dir, world.random),
            documents=Documents(settings.downloads_dir, ZoneInfo(settings.time_zone)),
            roots=read_roots(settings.roots),
            open_file=_open_file,
            only_reader=settings.reader,
            idle_lock_s=settings.idle_lock_s,
        )
    )


def _vault(settings: ClientSettings, world: World) -> Vault:
    vault = CardVault(settings.data_dir, world.random)
    match settings.key_storage:
        case "card":
            return vault
        case "card+keyring":
            return KeyringVault(vault, world.random)
        case other:
            raise SettingsError(_("key_storage = « {value} » n'existe pas : card ou card+keyring.").format(value=other))


def open_card(settings: ClientSettings) -> tuple[CardPort, Callable[[object], object]]:
    """The readers that the settings choose, and how to watch them."""
    if settings.card == "virtual":
        from crypto.card.inprocess import InProcessCardPort

        images = enumerate(settings.card_images, start=1)
        virtual = InProcessCardPort(
            [(_("Lecteur virtuel {number}").format(number=number), image) for number, image in images]
        )
        return virtual, virtual.watch  # type: ignore[return-value]
    if settings.pcsc_socket:
        os.environ["PCSCLITE_CSOCK_NAME"] = settings.pcsc_socket
    from crypto.card.pcsc import PcscCardPort

    pcsc = PcscCardPort()
    return pcsc, pcsc.watch  # type: ignore[return-value]


def local_relay(application: object, open_pipe: Callable[[str], Awaitable[Pipe]]) -> Relay:
    """A relay that lives in this process: the demonstration's seed and tests speak to it without sockets."""
    return LocalRelay(application, open_pipe)


def read_roots(directory: Path) -> tuple[bytes, ...]:
    """The DER of every root in a directory (`.der`, `.crt`, `.pem`). Raises SettingsError."""
    from crypto.roots import read_certificates

    try:
        files = sorted(path for path in directory.iterdir() if path.suffix in (".der", ".crt", ".cer", ".pem"))
        roots = [der for path in files for der in read_certificates(path.read_bytes())]
    except (OSError, ValueError) as error:
        raise SettingsError(
            _("Les racines de confiance de {directory} ne sont pas lisibles.").format(directory=directory)
        ) from error
    if not roots:
        raise SettingsError(_("Aucune racine de confiance dans {directory}.").format(directory=directory))
    return tuple(roots)


def _short(account: str) -> str:
    return hashlib.sha256(account.encode()).hexdigest()[:16]


def _open_file(path: str) -> None:
    """Hand a file to the desktop, when there is one."""
    command = "open" if sys.platform == "darwin" else "xdg-open"
    if sys.platform != "darwin" and not os.environ.get("DISPLAY") and not os.environ.get("WAYLAND_DISPLAY"):
        return
    subprocess.Popen([command, path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
