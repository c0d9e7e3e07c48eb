"""Fill the directory from JSON lines: entries, members of services, delegations. Loading twice changes nothing.

A line is {"entry": DirectoryEntry, "members": [{"account", "rights"}], "delegations": [{"account", "rights"}]}:
members act for a service, delegates for a person or a service; both get `rights` on the entry's account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from domain.identifiers import AccountId
from protocol.resources import DirectoryEntry
from server.ports import Ledger, Membership
from server.service import ALL_RIGHTS


class Grant(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who may do what."""

    account: AccountId
    rights: tuple[str, ...]


class Line(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the file."""

    entry: DirectoryEntry
    members: tuple[Grant, ...] = ()
    delegations: tuple[Grant, ...] = ()


class BadLine(ValueError):
    """A line is no entry; `number` counts from 1."""

    def __init__(self, number: int, cause: str) -> None:
        super().__init__(f"line {number}: {cause}")
        self.number = number


def parse(lines: Iterable[bytes]) -> Iterator[Line]:
    """Read lines, blank ones skipped. Raises BadLine."""
    decoder = msgspec.json.Decoder(Line)
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _checked(number, decoder, line)


def load(ledger: Ledger, lines: Iterable[Line]) -> int:
    """Write lines and return how many; all of them or, when one is bad, none."""
    count = 0
    for line in lines:
        ledger.put_entry(line.entry)
        ledger.put_memberships(line.entry.account, _memberships(line))
        count += 1
    return count


def _checked(number: int, decoder: msgspec.json.Decoder[Line], text: bytes) -> Line:
    try:
        line = decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadLine(number, str(error)) from error
    unknown = {right for grant in (*line.members, *line.delegations) for right in grant.rights} - set(ALL_RIGHTS)
    if unknown:
        raise BadLine(number, f"unknown right {min(unknown)!r}")
    return line


def _memberships(line: Line) -> list[Membership]:
    """One per person: who is member and delegate has the rights of both."""
    rights: dict[AccountId, set[str]] = {}
    for grant in (*line.delegations, *line.members):
        rights.setdefault(grant.account, set()).update(grant.rights)
    members = {grant.account for grant in line.members}
    return [
        Membership(line.entry.account, person, tuple(r for r in ALL_RIGHTS if r in granted), person not in members)
        for person, granted in rights.items()
        if person != line.entry.account
    ]
