"""Device secrets in a file that only the holder's card opens (ADR 0007): no plaintext, no passphrase to type.

The wrapping key comes from the card's deterministic signature over a statement that names this vault's salt; the
signature never leaves the process. A renewed card means a new enrolment.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import msgspec

from client.errors import StoreError
from client.i18n import _
from crypto.at_rest import open_secrets, seal_secrets
from crypto.ports import RandomSource


class _VaultFile(msgspec.Struct, frozen=True):
    public_part: bytes
    sealed: bytes


class CardVault:
    """See `client.ports.Vault`."""

    def __init__(self, directory: Path, random: RandomSource) -> None:
        self._directory = directory
        self._random = random
        self.kind = _("fichier scellé par la carte")

    def public_part(self, account: str) -> bytes | None:
        """What may be read before unlocking."""
        file = self._read(account)
        return file.public_part if file else None

    def open(self, account: str, wrapping_key: bytes) -> bytes:
        """The secrets. Raises DecryptionFailed."""
        file = self._read(account)
        if file is None:
            raise StoreError(_("Le coffre de ce poste a disparu."))
        return open_secrets(wrapping_key, file.sealed)

    def save(self, account: str, public_part: bytes, wrapping_key: bytes, secrets: bytes) -> None:
        """Replace atomically."""
        sealed = seal_secrets(wrapping_key, secrets, random=self._random)
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = self._path(account)
        temporary = path.with_suffix(".part")
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.msgpack.encode(_VaultFile(public_part, sealed)))
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)

    def _read(self, account: str) -> _VaultFile | None:
        try:
            return msgspec.msgpack.decode(self._path(account).read_bytes(), type=_VaultFile)
        except FileNotFoundError:
            return None
        except (OSError, msgspec.DecodeError) as error:
            raise StoreError(_("Le coffre de ce poste est illisible ({error}).").format(error=error)) from error

    def _path(self, account: str) -> Path:
        return self._directory / f"{hashlib.sha256(account.encode()).hexdigest()[:16]}.vault"
