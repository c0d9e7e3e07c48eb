"""The state of one open desk, and the small changes to it that several rooms of the machine share."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo

from client import projections
from client.i18n import _
from client.intents import DraftEntry, Folder, Intent
from client.letters import KeyRing, new_event_id
from client.lines import Lines
from client.model import CaseSummary, Me, PendingAct, Snapshot, StoredDraft, TrustedKeys
from client.views import ActingChoice, CaseRow, Connection
from crypto.ports import RandomSource
from domain.events import Recorded
from domain.identifiers import AccountId, EventId
from domain.practitioners import BillingNumber, NumberNature, Party
from domain.status import Role
from domain.teleexpertise import Teleexpertise, evolve
from protocol.frames import Deliver
from protocol.resources import ActingAccount, DirectoryEntry, KeyDocument

MAX_LOADED = 8
"""Whole cases kept in memory; the others are a line each."""


@dataclass(slots=True)
class Desk:
    """What the machine knows. Mutable, and touched by the machine alone."""

    me: Me
    ring: KeyRing
    roots: tuple[bytes, ...]
    random: RandomSource
    accounts: dict[AccountId, ActingAccount] = field(default_factory=dict)
    cursors: dict[AccountId, int] = field(default_factory=dict)
    summaries: dict[str, CaseSummary] = field(default_factory=dict)
    pending: dict[EventId, PendingAct] = field(default_factory=dict)
    keys: dict[AccountId, TrustedKeys] = field(default_factory=dict)
    entries: dict[AccountId, DirectoryEntry] = field(default_factory=dict)
    drafts: dict[str, StoredDraft] = field(default_factory=dict)
    composers: dict[str, str] = field(default_factory=dict)
    settings: dict[str, str] = field(default_factory=dict)
    delivered: set[EventId] = field(default_factory=set)
    """Every fact held, so that one replayed under a new position changes nothing."""
    key_storage: str = ""
    zone: tzinfo = UTC
    """Where civil dates are read."""

    connection: Connection = Connection.OFFLINE
    connection_detail: str = ""
    sent: set[EventId] = field(default_factory=set)
    """Submitted on this very connection."""
    mended: set[EventId] = field(default_factory=set)
    """Acts whose blobs were sent again once already."""
    uploaded: set[str] = field(default_factory=set)
    uploading: set[str] = field(default_factory=set)
    waiting: deque[Deliver] = field(default_factory=deque)
    """Delivered events that wait for their author's keys; order is kept."""
    asked: set[AccountId] = field(default_factory=set)
    tried: set[tuple[AccountId, str]] = field(default_factory=set)
    """Unknown devices whose owner's keys were fetched again on this connection."""
    documents: dict[AccountId, KeyDocument] = field(default_factory=dict)
    """Key documents that wait for a responsible person's keys."""
    denied: set[AccountId] = field(default_factory=set)
    """Accounts whose keys the relay does not have, or that we do not believe."""

    folder: Folder = Folder.INBOX
    query: str = ""
    open_case: str = ""
    preview_case: str = ""
    loaded: dict[str, Teleexpertise] = field(default_factory=dict)
    after_load: dict[str, list[Intent]] = field(default_factory=dict)
    since_load: dict[str, list[Recorded]] = field(default_factory=dict)
    """Facts delivered while the store reads their case: its answer may be older than they are."""
    jobs: dict[str, Intent] = field(default_factory=dict)
    """Intents that wait for sealed files, by token."""
    unread_at_open: frozenset[EventId] = frozenset()

    lines: Lines = field(default_factory=Lines)
    dirty_mailbox: bool = True
    dirty_shell: bool = True
    dirty_cases: set[str] = field(default_factory=set)

    @classmethod
    def opened(cls, me: Me, ring: KeyRing, roots: Sequence[bytes], random: RandomSource, kept: Snapshot) -> Desk:
        """A desk as its store remembers it."""
        desk = cls(
            me,
            ring,
            tuple(roots),
            random,
            accounts={each.account: each for each in kept.accounts},
            cursors=dict(kept.cursors),
            summaries={each.conversation: each for each in kept.summaries},
            pending={each.event_id: each for each in kept.pending},
            keys={each.account: each for each in kept.keys},
            entries={each.account: each for each in kept.entries},
            drafts={each.entry.draft: each for each in kept.drafts},
            composers=dict(kept.composers),
            settings=dict(kept.settings),
            delivered=set(kept.delivered),
        )
        own = desk.keys.get(me.account)
        devices = {**(own.devices if own else {}), ring.device_id: ring.device.public_key}
        desk.keys[me.account] = TrustedKeys(me.account, ring.accounts[me.account].public_key, devices)
        for account, key in ring.accounts.items():
            desk.keys.setdefault(account, TrustedKeys(account, key.public_key))
        for case in {*desk.summaries, *(act.conversation for act in desk.pending.values())}:
            desk.refresh_line(case)
        for draft in desk.drafts:
            desk.refresh_draft(draft)
        return desk

    # --- what is known of a case ----------------------------------------------------------------------------

    def acts_of(self, case: str) -> list[PendingAct]:
        """What is on its way for a case, oldest first."""
        return [act for act in self.pending.values() if act.conversation == case]

    def summary(self, case: str) -> CaseSummary | None:
        """A case's line as it will be once everything on its way has arrived."""
        acts = self.acts_of(case) if self.pending else []
        return projections.overlay(self.summaries.get(case), acts, self.me.account)

    def mine(self) -> set[AccountId]:
        """The accounts this desk reads for."""
        return set(self.ring.accounts)

    def refresh_line(self, case: str) -> None:
        """Redraw one case's line."""
        self.dirty_mailbox = True
        self.dirty_cases.add(case)
        acts = self.acts_of(case) if self.pending else []
        summary = projections.overlay(self.summaries.get(case), acts, self.me.account)
        if summary is None:
            self._forget_case(case)
            return
        role = projections.my_role(summary, self.ring.accounts)
        self.lines.put(projections.row(summary, as_requis=role is Role.REQUIS, pending=bool(acts)))

    def refresh_draft(self, draft: str) -> None:
        """Redraw one draft's line, or forget it."""
        self.dirty_mailbox = True
        stored = self.drafts.get(draft)
        if stored is None:
            self.lines.drop(draft)
            return
        expert = self.entries.get(AccountId(stored.entry.expert))
        self.lines.put(draft_line(stored, expert.name if expert else ""))

    def _forget_case(self, case: str) -> None:
        """A request that never left is no case: nothing of it may be drawn any more."""
        self.lines.drop(case)
        self.loaded.pop(case, None)
        self.open_case = "" if self.open_case == case else self.open_case
        self.preview_case = "" if self.preview_case == case else self.preview_case

    def took(self, recorded: Recorded) -> None:
        """Fold a delivered fact into its case if it is in memory, or will be in a moment."""
        case = recorded.conversation
        if (state := self.loaded.get(case)) is not None:
            self.keep_loaded(evolve(state, recorded))
        elif case in self.since_load:
            self.since_load[case].append(recorded)

    def keep_loaded(self, state: Teleexpertise) -> None:
        """Keep a whole case; the oldest but the open one leaves."""
        self.loaded.pop(state.conversation, None)
        self.loaded[state.conversation] = state
        while len(self.loaded) > MAX_LOADED:
            self.loaded.pop(next(case for case in self.loaded if case not in (self.open_case, self.preview_case)))

    def fresh_id(self, at: datetime) -> EventId:
        """A new identifier, of this instant."""
        return new_event_id(int(at.timestamp() * 1000), self.random)

    # --- who ------------------------------------------------------------------------------------------------

    def my_party(self) -> Party:
        """This person, as written into events."""
        entry = self.entries.get(self.me.account)
        if entry is None:
            return Party(self.me.account, self.me.name, self.me.id_nat)
        return party_of(entry, id_nat=self.me.id_nat)

    def party_for(self, account: AccountId) -> Party:
        """An acting account, as written into events."""
        if account == self.me.account:
            return self.my_party()
        entry = self.entries.get(account)
        if entry is not None:
            return party_of(entry)
        acting = self.accounts.get(account)
        return Party(account, acting.name if acting else account, is_service=True)

    def my_number(self) -> BillingNumber:
        """One's own numéro de facturation: from preferences, else the card, else the directory's FINESS (G02)."""
        entry = self.entries.get(self.me.account)
        published = entry.numero_facturation if entry else ""
        value = self.settings.get("numero_facturation") or self.me.numero_facturation or published
        return BillingNumber(value, NumberNature.FINESS if self.me.mode == "S" else NumberNature.AM)

    def acting_choices(self) -> tuple[ActingChoice, ...]:
        """« Agir en tant que »."""
        return tuple(ActingChoice(each.account, each.name, each.is_service) for each in self.accounts.values())


def party_of(entry: DirectoryEntry, id_nat: str = "") -> Party:
    """A participant from a directory sheet."""
    return Party(
        account=entry.account,
        name=entry.name,
        id_nat=id_nat or entry.id_nat,
        profession=entry.speciality or entry.profession,
        place=entry.structure or f"{entry.postcode} {entry.town}".strip(),
        is_service=entry.is_service,
    )


def draft_line(stored: StoredDraft, expert: str) -> CaseRow:
    """A draft in the list."""
    entry: DraftEntry = stored.entry
    patient = f"{entry.patient.prenoms.split(' ')[0].title()} {entry.patient.nom_naissance}".strip()
    return CaseRow(
        case=entry.draft,
        title=_("Brouillon"),
        at=stored.saved_at,
        last_line=entry.objet or _("(sans objet)"),
        unread=0,
        patient=patient,
        status="draft",
        status_label=_("Brouillon"),
        objet=entry.objet,
        counterpart=expert,
        as_requis=False,
        urgent=entry.urgent,
        draft=True,
    )
