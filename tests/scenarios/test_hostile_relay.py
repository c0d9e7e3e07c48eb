"""A relay that lies, or whose line is twisted: each lie is noticed, said in French, and nothing of it is believed."""

from __future__ import annotations

import os
import random
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import msgspec
import pytest

from client.intents import ExchangeKind, PatientEntry, Reconnect, SaveAttachment
from client.ports import StreamConnection
from client.updates import Noticed, SessionEnded, Severity
from client.views import Connection
from protocol.codec import decode_server_frame, encode_frame
from protocol.envelope import Envelope
from protocol.frames import Deliver, Goodbye, Hello
from protocol.limits import MAX_BLOB_BYTES, MAX_FRAME_BYTES
from protocol.resources import KeyDocument
from tests.scenarios.test_bad_input import HOSTILE, dangers
from tests.support.practice import Desk, Line, Practice
from tests.support.region import ANNE, LUCIE, MARIE, PAUL

Twist = Callable[[bytes], list[bytes]]


class LyingLine(Line):
    """A way to the relay that changes what it carries."""

    twist: Twist | None = None
    """Applied to each frame that arrives; gives what is handed on instead."""
    keys_of: str = ""
    """Whose keys are handed out, whoever's were asked."""
    pieces: Callable[[bytes], list[bytes]] | None = None
    """Applied to each piece of a blob."""

    async def connect(self) -> StreamConnection:  # type: ignore[override]
        return _Twisted(self, await super().connect())

    async def keys(self, token: str, account: str) -> KeyDocument:
        if self.keys_of and account != self.keys_of:
            stolen = await super().keys(token, self.keys_of)
            return msgspec.structs.replace(stolen, account=account)
        return await super().keys(token, account)

    async def download(self, token: str, blob: str) -> AsyncIterator[bytes]:
        async for piece in super().download(token, blob):
            for each in self.pieces(piece) if self.pieces else [piece]:
                yield each


class _Twisted:
    def __init__(self, line: LyingLine, inner: StreamConnection) -> None:
        self._line = line
        self._inner = inner
        self._ready: list[bytes] = []

    async def send(self, data: bytes) -> None:
        await self._inner.send(data)

    async def receive(self) -> bytes:
        while not self._ready:
            data = await self._inner.receive()
            self._ready = self._line.twist(data) if self._line.twist else [data]
        return self._ready.pop(0)

    async def close(self) -> None:
        await self._inner.close()


async def _between(practice: Practice) -> tuple[Desk, Desk, LyingLine, str]:
    """Marie on an honest line, Anne behind a liar's, and a case that Anne has read."""
    app = await practice.start_local(in_memory=True)
    line = LyingLine(app)
    marie, anne = await practice.desk(MARIE), await practice.desk(ANNE, relay=line)
    case = await marie.request(ANNE)
    await marie.all_sent()
    await anne.open(case)
    await anne.all_sent()
    return marie, anne, line, case


def deliveries(change: Callable[[Deliver], list[Deliver]]) -> Twist:
    """A twist of delivered events alone."""

    def twist(data: bytes) -> list[bytes]:
        frame = decode_server_frame(data)
        return [encode_frame(each) for each in change(frame)] if isinstance(frame, Deliver) else [data]

    return twist


async def _warned(desk: Desk, after: int) -> str:
    """The French sentence about a lie."""
    told = await desk.hears(Noticed, lambda update: update.severity is Severity.ERROR, after=after)
    return told.text


async def _texts(desk: Desk, case: str) -> list[str]:
    return [entry.text for entry in (await desk.look(case)).timeline[1:]]


# --- order ----------------------------------------------------------------------------------------------------------


async def test_an_event_delivered_twice_counts_once(practice: Practice) -> None:
    """Replayed under a new position, « complément demandé » must not put the case on hold again."""
    marie, anne, _line, case = await _between(practice)
    await anne.say(case, "Une photo ?", ExchangeKind.ASK_MORE)
    liar = LyingLine(practice.app)  # type: ignore[arg-type]
    kept: list[Deliver] = []
    added = 0

    def replay(frame: Deliver) -> list[Deliver]:
        nonlocal added
        shifted = msgspec.structs.replace(frame, position=frame.position + added)
        kept.append(shifted)
        if len(kept) == 2:
            added += 1
            return [shifted, msgspec.structs.replace(kept[0], position=shifted.position + 1)]
        return [shifted]

    await marie.sees(case, "on-hold")
    await marie.close()
    marie = practice.sit(MARIE, relay=liar)
    await marie.sign_in()
    await anne.say(case, "Et une mesure.", ExchangeKind.ASK_MORE)
    liar.twist = deliveries(replay)
    after = len(marie.heard)
    await marie.until(lambda: (row := marie.row(case)) is not None and "mesure" in row.last_line)
    await anne.say(case, "Finalement, voici mon avis.", ExchangeKind.ANSWER)
    await anne.say(case, "Bien à vous.")
    assert "replayed" in await _warned(marie, after)
    await marie.until(lambda: (row := marie.row(case)) is not None and "Bien à vous" in row.last_line)
    assert (await marie.sees(case)).status == "in-progress"
    texts = ["Une photo ?", "Et une mesure.", "Finalement, voici mon avis.", "Bien à vous."]
    assert await _texts(marie, case) == texts


@pytest.mark.parametrize("lie", ["reorder", "gap"])
async def test_a_hole_in_the_stream_is_said_and_mended(practice: Practice, lie: str) -> None:
    marie, anne, line, case = await _between(practice)
    held: list[Deliver] = []

    def twisted(frame: Deliver) -> list[Deliver]:
        held.append(frame)
        if len(held) == 1:
            return []
        return [frame] if lie == "gap" else [frame, held[0]]

    line.twist = deliveries(twisted)
    after = len(anne.heard)
    await marie.say(case, "Le premier.")
    await marie.say(case, "Le second.")
    await anne.until(lambda: any("manque dans le flux" in text for text in _details(anne, after)), "the hole")
    assert "Le second." not in await _texts(anne, case)
    line.twist = None
    await anne.online()
    await anne.until(lambda: (row := anne.row(case)) is not None and "second" in row.last_line)
    assert await _texts(anne, case) == ["Le premier.", "Le second."]


def _details(desk: Desk, after: int) -> list[str]:
    from client.updates import ShellChanged

    shells = [update.view.connection_detail for update in desk.heard[after:] if isinstance(update, ShellChanged)]
    return [*shells, *desk.notices(after)]


# --- content --------------------------------------------------------------------------------------------------------


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _other_kind(header: bytes) -> bytes:
    """As long, and another verdict."""
    return header.replace(b"message-sent", b"answered-xyz").replace(b"answered-xyz", b"message-senT")


FORGERIES: dict[str, Callable[[Envelope], Envelope]] = {
    "altered body": lambda it: msgspec.structs.replace(it, body=_flip(it.body, len(it.body) // 2)),
    "cut body": lambda it: msgspec.structs.replace(it, body=it.body[:-1]),
    "no body": lambda it: msgspec.structs.replace(it, body=b""),
    "altered signature": lambda it: msgspec.structs.replace(it, signature=_flip(it.signature, 3)),
    "no signature": lambda it: msgspec.structs.replace(it, signature=b""),
    "another sender": lambda it: msgspec.structs.replace(
        it, header=it.header.replace(MARIE.account.encode(), LUCIE.account.encode())
    ),
    "another event": lambda it: msgspec.structs.replace(it, header=_flip(it.header, it.header.index(b"message") - 4)),
    "unknown kind": lambda it: msgspec.structs.replace(it, header=_other_kind(it.header)),
    "no header": lambda it: msgspec.structs.replace(it, header=b"\x90"),
    "deep header": lambda it: msgspec.structs.replace(it, header=b"\x91" * 5000),
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_event_is_set_aside_with_a_word(practice: Practice, forgery: str) -> None:
    marie, anne, line, case = await _between(practice)
    line.twist = deliveries(lambda frame: [msgspec.structs.replace(frame, envelope=FORGERIES[forgery](frame.envelope))])
    before, after = await anne.look(case), len(anne.heard)
    await marie.say(case, "Authentique au départ.")
    text = await _warned(anne, after)
    assert "n'est pas authentique ou pas lisible" in text
    assert "n'est pas montré" in text
    line.twist = None
    await marie.say(case, "Le suivant arrive.")
    await anne.until(lambda: (row := anne.row(case)) is not None and "suivant" in row.last_line)
    seen = await anne.look(case)
    assert [entry.text for entry in seen.timeline[1:]] == ["Le suivant arrive."]
    assert seen.status == before.status


async def test_two_bodies_exchanged_are_both_refused(practice: Practice) -> None:
    marie, anne, line, case = await _between(practice)
    held: list[Deliver] = []

    def exchange(frame: Deliver) -> list[Deliver]:
        held.append(frame)
        if len(held) < 2:
            return []
        one, two = held
        return [
            msgspec.structs.replace(one, envelope=msgspec.structs.replace(one.envelope, body=two.envelope.body)),
            msgspec.structs.replace(two, envelope=msgspec.structs.replace(two.envelope, body=one.envelope.body)),
        ]

    line.twist = deliveries(exchange)
    after = len(anne.heard)
    await marie.say(case, "5 mg")
    await marie.say(case, "50 mg")
    await anne.until(lambda: sum("pas authentique" in text for text in anne.notices(after)) == 2, "two warnings")
    assert await _texts(anne, case) == []


async def test_an_event_of_other_people_is_not_taken(practice: Practice) -> None:
    """Lucie writes to Paul; the relay slips it to Anne, under her own stream and under theirs."""
    marie, anne, line, case = await _between(practice)
    lucie, paul = await practice.desk(LUCIE), LyingLine(practice.app)  # type: ignore[arg-type]
    stolen: list[Deliver] = []
    paul.twist = deliveries(lambda frame: [stolen.append(frame) or frame])  # type: ignore[func-returns-value]
    at_paul = await practice.desk(PAUL, relay=paul)
    other = await lucie.request(PAUL)
    await at_paul.sees(other)

    def slip(frame: Deliver) -> list[Deliver]:
        mine = msgspec.structs.replace(stolen[0], account=frame.account, position=frame.position)
        return [mine, stolen[0], msgspec.structs.replace(frame, position=frame.position + 1)]

    line.twist = deliveries(slip)
    after = len(anne.heard)
    await marie.say(case, "À vous seule.")
    assert "not-addressed" in await _warned(anne, after)
    await anne.until(lambda: (row := anne.row(case)) is not None and "seule" in row.last_line)
    assert anne.row(other) is None
    assert anne.session._machine is not None
    assert set(anne.session._machine.desk.cursors) == {ANNE.account}


# --- keys and files -------------------------------------------------------------------------------------------------


async def test_nothing_is_sealed_to_a_key_that_the_relay_swapped(practice: Practice) -> None:
    app = await practice.start_local(in_memory=True)
    await practice.desk(PAUL)
    await practice.desk(ANNE)
    line = LyingLine(app)
    line.keys_of = PAUL.account
    marie = await practice.desk(MARIE, relay=line)
    after = len(marie.heard)
    await marie.request(ANNE, objet="Pour Anne et elle seule")
    assert "rien ne lui sera envoyé" in await _warned(marie, after)
    await marie.all_sent()
    assert marie.mailbox is not None
    assert marie.mailbox.rows == ()
    heads = await app.store.read(lambda view: view.heads([ANNE.account, PAUL.account]))
    assert set(heads.values()) == {0}


@pytest.mark.parametrize("lie", ["altered", "cut", "endless"])
async def test_an_altered_file_is_never_opened(practice: Practice, tmp_path: Path, lie: str) -> None:
    marie, anne, line, case = await _between(practice)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(os.urandom(300_000))
    await marie.say(case, "Voici.", attachments=(str(photo),))
    await anne.until(lambda: (row := anne.row(case)) is not None and "Voici" in row.last_line)
    lies: dict[str, Callable[[bytes], list[bytes]]] = {
        "altered": lambda piece: [_flip(piece, len(piece) // 2)],
        "cut": lambda piece: [piece[:-1]],
        "endless": lambda piece: [piece] * (MAX_BLOB_BYTES // len(piece) + 2),
    }
    line.pieces = lies[lie]
    (attached,) = (await anne.look(case)).timeline[-1].attachments
    reason = await anne.refused(SaveAttachment(case, attached.attachment))
    assert "pièce jointe" in reason
    assert "n'est pas ouverte" in reason
    assert list(anne.settings.downloads_dir.glob("*")) == []
    sealed = next(iter(anne.settings.data_dir.glob("*.blobs")), None)
    assert sealed is None or list(sealed.iterdir()) == []


# --- frames ---------------------------------------------------------------------------------------------------------

_CHANCE = random.Random(20_261_122)
NOISE: dict[str, bytes] = {
    "empty": b"",
    "a number": b"\x2a",
    "text": b"HTTP/1.1 200 OK\r\n\r\n",
    "a client's frame": encode_frame(Hello(1, "token", {})),
    "wrong types": msgspec.msgpack.encode(["deliver", 7, "x", None, []]),
    "too few": msgspec.msgpack.encode(["deliver"]),
    "unknown": msgspec.msgpack.encode(["obey", "rm -rf"]),
    "deep": b"\x91" * 100_000,
    "too large": bytes(MAX_FRAME_BYTES + 1),
    **{f"random {number}": _CHANCE.randbytes(_CHANCE.randrange(1, 400)) for number in range(20)},
}


async def test_noise_ends_the_connection_in_french_and_never_the_session(practice: Practice) -> None:
    marie, anne, line, case = await _between(practice)
    for name, noise in NOISE.items():
        line.twist = lambda _data, noise=noise: [noise]  # type: ignore[misc]
        after = len(anne.heard)
        anne.session.dispatch(Reconnect())
        await marie.say(case, name)
        await anne.until(lambda after=after: any("langue inconnue" in text for text in _details(anne, after)), name)  # type: ignore[misc]
        line.twist = None
        await anne.online()
    await anne.until(lambda: (row := anne.row(case)) is not None and row.last_line.endswith(list(NOISE)[-1]))
    assert await _texts(anne, case) == list(NOISE)
    assert not any(isinstance(update, SessionEnded) for update in anne.heard)


async def test_what_the_relay_says_of_itself_is_shown_as_plain_signs(practice: Practice) -> None:
    """Its farewell is a stranger's text like any other."""
    marie, anne, line, case = await _between(practice)
    line.twist = lambda _data: [encode_frame(Goodbye(HOSTILE))]
    after = len(anne.heard)
    await marie.say(case, "bonjour")
    await anne.until(lambda: any("␛[2J" in text for text in _details(anne, after)), "the farewell")
    await anne.until(lambda: anne.connection is not Connection.ONLINE)
    assert dangers(anne.heard) == []


async def test_a_patient_met_through_a_liar_changes_nothing_elsewhere(practice: Practice) -> None:
    """A relay cannot put words into a case it cannot open: what Anne reads is what Marie typed."""
    marie, anne, line, _case = await _between(practice)
    line.twist = deliveries(lambda frame: [msgspec.structs.replace(frame, received_at=HOSTILE)])
    second = await marie.request(ANNE, patient=PatientEntry("SPECIMEN", "Lucette"), objet="Daté par un menteur")
    await marie.all_sent()
    view = await anne.open(second)
    assert view.objet == "Daté par un menteur"
    assert dangers(anne.heard) == []
