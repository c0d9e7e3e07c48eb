"""Two desks and a relay agree, whatever the interleaving: a seeded walk over the table of transitions.

Each round lives one case with random acts, at random desks, with the lines cut and healed at random; then everything
heals and all must tell the same story. The walk prefers rows of the table that it has not seen, and is only over when
every row, a lost race and an offline send were really reached.
"""

from __future__ import annotations

import os
import random
from dataclasses import dataclass, field

import pytest

from client.intents import (
    CancelRequest,
    CloseCase,
    DeclineRequest,
    EditForm,
    ExchangeKind,
    Finalise,
    MarkUnread,
    OpenCase,
    PrepareFinalisation,
    SendExchange,
    SetFlag,
    TakeInCharge,
)
from client.updates import CaseFinalised, FinalisationPrepared, IntentRefused, Noticed, Severity
from client.views import Connection
from domain.events import KIND_OF_CLASS, Recorded
from domain.identifiers import ConversationId
from domain.status import EventKind, Role, Status
from domain.teleexpertise import Teleexpertise, decide, evolve
from domain.transitions import TRANSITIONS, NotPermitted, permitted
from protocol.envelope import unverified_header
from server.bootstrap import RelayApp
from tests.support.practice import Desk, Line, Practice
from tests.support.region import ANNE, MARIE

Row = tuple[Status, EventKind]

SEEDS = [int(os.environ["AVICENNE_SEED"])] if "AVICENNE_SEED" in os.environ else [1, 2]
MIN_ROUNDS = int(os.environ.get("AVICENNE_SOAK", "6"))
MAX_ROUNDS = MIN_ROUNDS + 300
STEPS = 9

_EXCHANGES = {
    EventKind.MESSAGE_SENT: ExchangeKind.MESSAGE,
    EventKind.ANSWERED: ExchangeKind.ANSWER,
    EventKind.INFORMATION_REQUESTED: ExchangeKind.ASK_MORE,
    EventKind.INFORMATION_GIVEN: ExchangeKind.GIVE_MORE,
}
_ENDS = frozenset({EventKind.DECLINED, EventKind.CANCELLED, EventKind.FINALISED})


@dataclass(slots=True)
class Player:
    """A desk, its line and its side of the case."""

    desk: Desk
    line: Line
    role: Role

    @property
    def is_cut(self) -> bool:
        """Whether its line is down."""
        return self.desk.connection is not Connection.ONLINE

    async def cut(self) -> None:
        """Go offline, and know it."""
        await self.line.cut()
        await self.desk.offline()

    async def heal(self) -> None:
        """Come back, and bring everything."""
        self.line.heal()
        await self.desk.online()
        await self.desk.all_sent()


@dataclass(slots=True)
class Walk:
    """The walk so far, and the corners it reached."""

    app: RelayApp
    marie: Player
    anne: Player
    chance: random.Random
    rows: set[Row] = field(default_factory=set)
    offline_sends: int = 0
    acts: int = 0

    @property
    def players(self) -> tuple[Player, Player]:
        """Both."""
        return self.marie, self.anne

    @property
    def lost_races(self) -> int:
        """How often a desk heard that somebody was faster."""
        return sum(
            isinstance(update, Noticed) and update.severity is Severity.ERROR and "plus rapide" in update.text
            for player in self.players
            for update in player.desk.heard
        )

    async def round(self) -> None:
        """Live one case and check that all agree on it."""
        case = await self.marie.desk.request(ANNE)
        await self.marie.desk.all_sent()
        await self.anne.desk.sees(case, "requested")
        if self.chance.random() < 0.35:
            await self._conflict(case)
        for _step in range(STEPS):
            await self._step(case)
        for player in self.players:
            await player.heal()
        await self._agree(case)

    async def _step(self, case: str) -> None:
        player = self.chance.choice(self.players)
        if self.chance.random() < 0.25:
            await (player.heal() if player.is_cut else player.cut())
            return
        await self._act(player, case, self._choose(player, case))
        if self.chance.random() < 0.7:
            await player.desk.settled()

    def _choose(self, player: Player, case: str) -> EventKind:
        """An act that this desk believes possible; one that leads to an unseen row if there is."""
        row = player.desk.row(case)
        status = Status(row.status) if row else Status.REQUESTED
        kinds = sorted(permitted(status, player.role) - {EventKind.REQUEST_SENT})
        fresh = [kind for kind in kinds if (status, kind) not in self.rows]
        calm = [kind for kind in kinds if kind not in _ENDS]
        return self.chance.choice((fresh if self.chance.random() < 0.8 else calm) or kinds)

    async def _conflict(self, case: str) -> None:
        """Both out of reach, both decide: the first to come back wins."""
        for player in self.players:
            await player.cut()
        await self._act(self.marie, case, EventKind.CANCELLED)
        await self._act(self.anne, case, self.chance.choice([EventKind.DECLINED, EventKind.ANSWERED]))
        for player in self.chance.sample(self.players, 2):
            await player.heal()

    async def _act(self, player: Player, case: str, kind: EventKind) -> None:
        self.acts += 1
        self.offline_sends += player.is_cut
        text = f"{player.desk.who.code} {self.acts}"
        dispatch = player.desk.session.dispatch
        match kind:
            case EventKind.TAKEN_IN_CHARGE:
                dispatch(TakeInCharge(case))
            case EventKind.FORM_EDITED:
                dispatch(EditForm(case, f"Objet {text}", "", text))
            case EventKind.DECLINED:
                dispatch(DeclineRequest(case, text))
            case EventKind.CANCELLED:
                dispatch(CancelRequest(case, text))
            case EventKind.FLAGGED:
                dispatch(SetFlag(case, "favourite", self.chance.random() < 0.5))
            case EventKind.SEEN:
                dispatch(CloseCase())
                dispatch(MarkUnread(case))
                dispatch(OpenCase(case))
                await player.desk.settled()
                dispatch(CloseCase())
            case EventKind.FINALISED:
                await self._finalise(player.desk, case)
            case _:
                dispatch(SendExchange(case, _EXCHANGES[kind], text))

    async def _finalise(self, desk: Desk, case: str) -> None:
        after = len(desk.heard)
        desk.session.dispatch(PrepareFinalisation(case))
        await desk.until(lambda: _answer(desk, after, FinalisationPrepared, IntentRefused) is not None, "the wizard")
        prepared = _answer(desk, after, FinalisationPrepared, IntentRefused)
        if not isinstance(prepared, FinalisationPrepared):
            return
        wizard, after = prepared.view, len(desk.heard)
        desk.session.dispatch(Finalise(case, "TE2", "", wizard.experts[0].key, wizard.numero_requis, ()))
        await desk.until(lambda: _answer(desk, after, CaseFinalised, IntentRefused) is not None, "the end")

    async def _agree(self, case: str) -> None:
        conversation = ConversationId(case)
        stored = await self.app.store.transact(lambda ledger: ledger.conversation(conversation))
        assert stored is not None
        for player in self.players:
            desk = player.desk
            stream = await self._stream(desk, conversation)
            await desk.look(case)
            await desk.until(
                lambda desk=desk, stream=stream: [each.event_id for each in _held(desk, case)] == stream,  # type: ignore[misc]
                "the relay's own order",
            )
            state = _replayed(case, _held(desk, case), self.rows)
            assert state.status is stored.status, f"{desk.who.code} believes {state.status}, the relay {stored.status}"
            assert (await desk.sees(case)).status == stored.status.value
            assert not (await desk.sees(case)).pending
        shared = [[entry.event for entry in (await player.desk.look(case)).timeline] for player in self.players]
        assert shared[0] == shared[1], "one timeline for both"

    async def _stream(self, desk: Desk, case: ConversationId) -> list[str]:
        """What the relay has for this desk in this case, in its order."""
        page = await self.app.store.read(lambda view: view.page(desk.who.account, after=0, limit_bytes=1 << 30))
        headers = [unverified_header(deliver.envelope) for deliver in page]
        return [header.event_id for header in headers if header.conversation == case]


def _answer(desk: Desk, after: int, *kinds: type) -> object | None:
    return next((update for update in desk.heard[after:] if isinstance(update, kinds)), None)


def _held(desk: Desk, case: str) -> tuple[Recorded, ...]:
    machine = desk.session._machine
    assert machine is not None
    return machine.desk.loaded[case].history


def _replayed(case: str, facts: tuple[Recorded, ...], rows: set[Row]) -> Teleexpertise:
    """Fold a history, noting the rows of the table it went through; what the relay took, the table allows."""
    state = Teleexpertise(ConversationId(case))
    for recorded in facts:
        try:
            decide(state, recorded.fact)
        except NotPermitted as refused:
            raise AssertionError(f"the relay took what the table forbids: {refused}") from refused
        rows.add((state.status, KIND_OF_CLASS[type(recorded.fact)]))
        state = evolve(state, recorded)
    return state


@pytest.mark.parametrize("seed", SEEDS)
async def test_whatever_the_interleaving_all_agree_in_the_end(practice: Practice, seed: int) -> None:
    app = await practice.start_local(in_memory=True)
    lines = Line(app), Line(app)
    marie = Player(await practice.desk(MARIE, relay=lines[0]), lines[0], Role.REQUERANT)
    anne = Player(await practice.desk(ANNE, relay=lines[1]), lines[1], Role.REQUIS)
    walk = Walk(app, marie, anne, random.Random(seed))
    done = 0
    while done < MIN_ROUNDS or (not _all_corners(walk) and done < MAX_ROUNDS):
        await walk.round()
        done += 1
    print(
        f"seed={seed} rounds={done} acts={walk.acts} rows={len(walk.rows)}/{len(TRANSITIONS)} "
        f"lost races={walk.lost_races} offline sends={walk.offline_sends}"
    )
    assert set(TRANSITIONS) - walk.rows == set(), "every row of the table"
    assert walk.lost_races > 0, "a lost race"
    assert walk.offline_sends > 0, "an offline send"


def _all_corners(walk: Walk) -> bool:
    return walk.rows >= set(TRANSITIONS) and walk.lost_races > 0 and walk.offline_sends > 0


async def test_a_case_left_before_it_was_read_counts_as_not_looked_at(practice: Practice) -> None:
    """Found by the walk: the answer of the store opened again what the user had closed, and sent receipts for it."""
    await practice.start_local()
    marie, anne = await practice.desk(MARIE), await practice.desk(ANNE)
    case = await marie.request(ANNE)
    await marie.all_sent()
    await anne.sees(case)
    await anne.close()
    anne = await practice.desk(ANNE)
    anne.session.dispatch(OpenCase(case))
    anne.session.dispatch(CloseCase())
    await anne.all_sent()
    await marie.say(case, "Vous êtes là ?")
    await anne.until(lambda: (row := anne.row(case)) is not None and "là ?" in row.last_line)
    await anne.all_sent()
    assert (await anne.sees(case)).unread == 2
    assert all(entry.seen_by == () for entry in (await marie.look(case)).timeline)
