"""Whose fault a broken exchange is (after h11): ours or theirs.

ProtocolError
├── LocalProtocolError    we tried to send something the protocol forbids
└── RemoteProtocolError   the peer did
"""

from __future__ import annotations


class ProtocolError(Exception):
    """The exchange cannot go on."""


class LocalProtocolError(ProtocolError):
    """This side broke a rule; nothing was sent."""


class RemoteProtocolError(ProtocolError):
    """The peer broke a rule; `reason` is safe to show and to log (it never quotes the peer's bytes)."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
