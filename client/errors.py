"""What can go wrong at the desk, and the exit code each thing deserves (sysexits; docs/reference/cli.md).

ClientError
├── AttachmentError(reason)   a file cannot be sealed, fetched or opened
├── SettingsError(reason)     the configuration does not make sense
└── StoreError(reason)        the local database cannot be opened
"""

from __future__ import annotations


class ClientError(Exception):
    """`reason` is in French and says what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class AttachmentError(ClientError):
    """The file stays where it was; nothing half-made is left."""


class SettingsError(ClientError):
    """The configuration is wrong."""


class StoreError(ClientError):
    """The local database cannot be opened or written."""
