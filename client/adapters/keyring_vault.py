"""The card's vault with a second lock: a secret of this machine's keyring is needed beside the card (ADR 0007).

A stolen card with its code then opens nothing elsewhere, and a stolen disk nothing without the session of the desktop.
Chosen by the setting `key_storage = "card+keyring"`; there is no silent fallback to one lock.
"""

from __future__ import annotations

from client.adapters.card_vault import CardVault
from client.errors import StoreError
from client.i18n import _
from crypto.derivation import doubled_key
from crypto.ports import RandomSource

SERVICE = "avicenne"
SECRET_BYTES = 32


class KeyringVault:
    """See `client.ports.Vault`; needs a usable backend of the `keyring` library."""

    def __init__(self, vault: CardVault, random: RandomSource) -> None:
        self._vault = vault
        self._random = random
        self.kind = _("fichier scellé par la carte et par le trousseau du système")

    def public_part(self, account: str) -> bytes | None:
        """What may be read before unlocking."""
        return self._vault.public_part(account)

    def open(self, account: str, wrapping_key: bytes) -> bytes:
        """The secrets. Raises DecryptionFailed, or StoreError without a keyring."""
        return self._vault.open(account, doubled_key(wrapping_key, self._secret(account)))

    def save(self, account: str, public_part: bytes, wrapping_key: bytes, secrets: bytes) -> None:
        """Replace atomically."""
        self._vault.save(account, public_part, doubled_key(wrapping_key, self._secret(account)), secrets)

    def _secret(self, account: str) -> bytes:
        import keyring
        from keyring.errors import KeyringError

        try:
            kept = keyring.get_password(SERVICE, account)
            if kept is None:
                kept = self._random(SECRET_BYTES).hex()
                keyring.set_password(SERVICE, account, kept)
            return bytes.fromhex(kept)
        except (KeyringError, RuntimeError, ValueError) as error:
            raise StoreError(
                _('Le trousseau du système ne répond pas : déverrouillez-le, ou réglez key_storage = "card".')
            ) from error
