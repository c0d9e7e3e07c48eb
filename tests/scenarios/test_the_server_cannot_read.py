"""The relay learns nothing it need not know: sentinels in every field of every event, then a search of all it has.

Files, logs, standard error and the memory of the process, in every encoding. Which fields there are is read from the
events' own classes, so a field added tomorrow must be sown or be listed here with a reason. The search itself is
proven by the same run with the seal broken: then it must find everything.
"""

from __future__ import annotations

import dataclasses
import fnmatch
import secrets
import types
import typing
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path

import pytest

from client.intents import (
    CancelRequest,
    DeclineRequest,
    DraftEntry,
    EditForm,
    ExchangeKind,
    Finalise,
    PatientEntry,
    PrepareFinalisation,
    SaveAttachment,
    SaveComposer,
    SaveDraft,
    SetFlag,
    TakeInCharge,
)
from client.updates import DraftChanged, FileSaved, FinalisationPrepared
from domain.events import CLASS_OF_KIND, PersonalFlag
from tests.support.memory import dresses, files, process_memory, shown, traces
from tests.support.practice import Desk, Practice
from tests.support.region import ANNE, MARIE, PREREQUIS

KNOWN_TO_THE_RELAY = {
    "*.author.*": "the directory publishes who everyone is",
    "*.in_name_of.*": "the directory",
    "RequestSent.requis.*": "the directory",
    "Finalised.recap.requerant.*": "the directory",
    "Finalised.recap.requis.*": "the directory",
    "RequestSent.prerequis": "the expert publishes it in the directory",
    "*.written_at": "the relay stamps every event itself",
    "*.blob": "names the ciphertext that the relay stores",
    "Seen.event": "an event's identifier, in every header",
    "Finalised.included[]": "events' identifiers",
}
"""What the header or the directory tells anyway (ADR 0005)."""
WORDS_OF_A_VOCABULARY = {
    "*.media_type": "`image/jpeg`: too common to be a sentinel",
    "*attachments[].kind": "`piece-jointe` or `synthese`",
    "*.synthese.kind": "`piece-jointe` or `synthese`",
    "*.synthese.name": "made of the date",
    "*.patient.sexe": "one letter",
    "*.patient.ins_oid": "a constant of the domain",
    "Finalised.recap.niveau": "`TE2`",
}
"""Sealed as well, but nothing in them is unique enough to be searched for."""
NOT_TYPED_YET = ("*.patient.nom_utilise", "*.patient.lieu_naissance_cog")
"""No form asks for them; they must be empty, and sown on the day they no longer are."""
MADE_BY_CHANCE_OR_HASH = ("*.sha256", "*.key")
"""Not typed, and just as secret: searched for by the value they took."""


# --- sowing ---------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Sowing:
    """One run's sentinels; all begin with the same words that exist nowhere else in the world."""

    prefix: str = field(default_factory=lambda: f"SENTINELLÉ{secrets.token_hex(5).upper()}Q")
    all: list[str] = field(default_factory=list)

    def __call__(self, name: str) -> str:
        """A sentinel for a field: capitals and digits only, so that no normalisation changes it."""
        self.all.append(f"{self.prefix}{name.upper()}")
        return self.all[-1]

    def file(self, directory: Path, name: str) -> Path:
        """A file with sentinels for name and contents."""
        path = directory / f"{self(name + 'NAME')}.jpg"
        path.write_text(f"{self(name + 'BYTES')} " * 200, encoding="utf-8")
        return path


@dataclass(slots=True)
class Lived:
    """What a whole run left."""

    sown: Sowing
    marie: Desk
    anne: Desk
    cases: tuple[str, ...]
    sent: tuple[str, ...]
    """The sentinels that left for the relay; the others wait in a draft and a composer."""


async def live(practice: Practice, place: Path) -> Lived:
    """Everything that can happen to a tele-expertise, every word of it a sentinel."""
    sow = Sowing()
    marie, anne = await practice.desk(MARIE), await practice.desk(ANNE)
    place.mkdir()
    asked = await marie.request(ANNE, **_typed(sow, place, "A"))
    await marie.all_sent()
    await _converse(sow, marie, anne, asked, place)
    await _finish(sow, anne, asked)
    await marie.sees(asked, "completed")
    declined = await marie.request(ANNE, **_typed(sow, place, "B"))
    await anne.sees(declined)
    await anne.do(DeclineRequest(declined, sow("motifdecline")))
    cancelled = await marie.request(ANNE, **_typed(sow, place, "C"))
    await marie.do(CancelRequest(cancelled, sow("motifcancel")))
    await anne.sees(cancelled, "cancelled")
    sent = tuple(sow.all)
    await _leave_unsent(sow, marie, asked, place)
    return Lived(sow, marie, anne, (asked, declined, cancelled), sent)


def _typed(sow: Sowing, place: Path, tag: str) -> dict[str, typing.Any]:
    return {
        "objet": sow(f"objet{tag}"),
        "histoire_clinique": sow(f"histoire{tag}"),
        "question": sow(f"question{tag}"),
        "patient": PatientEntry(sow(f"nom{tag}"), sow(f"prenoms{tag}"), "F", sow(f"naissance{tag}"), sow(f"nir{tag}")),
        "numero_facturation": sow(f"numero{tag}"),
        "files": [sow.file(place, f"request{tag}")],
    }


async def _converse(sow: Sowing, marie: Desk, anne: Desk, case: str, place: Path) -> None:
    await anne.open(case)
    await anne.do(TakeInCharge(case))
    turns = (
        (anne, ExchangeKind.ASK_MORE),
        (marie, ExchangeKind.GIVE_MORE),
        (marie, ExchangeKind.MESSAGE),
        (anne, ExchangeKind.ANSWER),
    )
    for desk, kind in turns:
        expected = "on-hold" if kind is ExchangeKind.GIVE_MORE else "in-progress"
        await desk.sees(case, expected)
        attached = (str(sow.file(place, kind.name.replace("_", ""))),)
        await desk.say(case, sow(f"text{kind.name}".replace("_", "")), kind, attachments=attached)
    await anne.do(EditForm(case, sow("objetedited"), sow("histoireedited"), sow("questionedited")))
    await marie.open(case)
    await marie.do(SetFlag(case, PersonalFlag.FAVOURITE.value, True))


async def _finish(sow: Sowing, anne: Desk, case: str) -> None:
    wizard = (await anne.ask(PrepareFinalisation(case), FinalisationPrepared)).view
    ticked = tuple(entry.event for entry in wizard.exchanges)
    chosen = wizard.experts[0].key
    await anne.do(Finalise(case, "TE2", sow("numerorequerant"), chosen, sow("numerorequis"), ticked))
    await anne.sees(case, "completed")


async def _leave_unsent(sow: Sowing, desk: Desk, case: str, place: Path) -> None:
    """What is typed and not sent stays on the machine, sealed."""
    typed = _typed(sow, place, "D")
    attached = tuple(str(path) for path in typed.pop("files"))
    draft = replace(await desk.blank(), expert=ANNE.account, attachments=attached, **typed)
    unsown = {path for path, value in walk(DraftEntry, draft, "DraftEntry") if sow.prefix not in str(value)}
    assert {path.rpartition(".")[2] for path in unsown} == {"draft", "acting_account", "expert", "sexe"}
    await desk.ask(SaveDraft(draft), DraftChanged)
    desk.session.dispatch(SaveComposer(case, sow("composer")))
    await desk.settled()


# --- reading the classes --------------------------------------------------------------------------------------------


def leaves(kind: typing.Any, path: str) -> Iterator[str]:
    """Every field that holds words or bytes, at any depth, as the classes declare them."""
    origin = typing.get_origin(kind)
    if isinstance(kind, typing.NewType):
        yield from leaves(kind.__supertype__, path)
    elif origin is tuple:
        yield from leaves(typing.get_args(kind)[0], f"{path}[]")
    elif origin in (typing.Union, types.UnionType):
        for each in typing.get_args(kind):
            yield from leaves(each, path)
    elif dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        for each in dataclasses.fields(kind):
            yield from leaves(hints[each.name], f"{path}.{each.name}")
    elif kind in (str, bytes):
        yield path
    elif not (kind in (bool, int, types.NoneType) or issubclass(kind, Enum)):
        raise AssertionError(f"{path}: teach this test what {kind} holds")


def walk(kind: typing.Any, value: object, path: str) -> Iterator[tuple[str, str | bytes]]:
    """The values that an object has at its leaves."""
    if isinstance(value, tuple):
        for each in value:
            yield from walk(type(each), each, f"{path}[]")
    elif dataclasses.is_dataclass(kind) and value is not None:
        for each in dataclasses.fields(kind):
            part = getattr(value, each.name)
            yield from walk(type(part), part, f"{path}.{each.name}")
    elif isinstance(value, str | bytes) and not isinstance(value, Enum):
        yield path, value


def _matches(path: str, patterns: Iterable[str]) -> list[str]:
    return [pattern for pattern in patterns if fnmatch.fnmatchcase(path, pattern.replace("[]", "[[]]"))]


def facts_of(lived: Lived) -> dict[str, set[str | bytes]]:
    """The values that every leaf of every event took, as the desks hold them now."""
    found: dict[str, set[str | bytes]] = {}
    for desk in (lived.marie, lived.anne):
        machine = desk.session._machine
        assert machine is not None
        for case in lived.cases:
            for recorded in machine.desk.loaded[case].history:
                for path, value in walk(type(recorded.fact), recorded.fact, type(recorded.fact).__name__):
                    found.setdefault(path, set()).add(value)
    return found


async def _loaded(lived: Lived) -> dict[str, set[str | bytes]]:
    for desk in (lived.marie, lived.anne):
        for case in lived.cases:
            await desk.look(case)
    return facts_of(lived)


# --- the tests ------------------------------------------------------------------------------------------------------


async def test_the_relay_holds_no_word_of_it(practice: Practice, tmp_path: Path) -> None:
    relay = await practice.start_process()
    lived = await live(practice, tmp_path / "typed")
    facts = await _loaded(lived)
    _everything_is_sown(lived.sown, facts)

    made = [value for path, values in facts.items() if _matches(path, MADE_BY_CHANCE_OR_HASH) for value in values]
    assert len(made) >= 2 * 8
    sought = [lived.sown.prefix, *made]
    held = [*files(relay.data, relay.log), ("stderr", "".join(relay.said).encode())]
    assert {Path(name).name for name, _data in held} >= {"relay.sqlite3", "relay.sqlite3-wal", "relay.log"}
    assert traces(held, sought) == []
    memory = list(process_memory(relay.pid))
    assert sum(len(data) for _region, data in memory) > 10_000_000
    assert traces(memory, sought) == []
    known = shown([*held, *memory], [MARIE.name, ANNE.account, PREREQUIS, lived.cases[0]])
    assert all(known.values()), "what the relay may know was found by the very same search"

    await _the_machine_of_a_desk_holds_no_word_of_it(lived, made)
    relay.stop()
    assert traces(files(relay.data, relay.log), sought) == []


async def _the_machine_of_a_desk_holds_no_word_of_it(lived: Lived, made: list[str | bytes]) -> None:
    """Database, its WAL, blobs and vault; what a user asked to have in clear is elsewhere, and is found there."""
    view = await lived.anne.open(lived.cases[0])
    await lived.anne.ask(SaveAttachment(view.case, view.form_attachments[0].attachment), FileSaved)
    assert traces(files(lived.anne.settings.downloads_dir), [lived.sown.prefix]) != []
    for desk in (lived.marie, lived.anne):
        kept = list(files(desk.settings.data_dir))
        assert {Path(name).suffix for name, _data in kept} >= {".db", ".db-wal", ".vault"}
        assert traces(kept, [lived.sown.prefix, *made]) == []
        await desk.close()
        assert traces(files(desk.settings.data_dir), [lived.sown.prefix, *made]) == []


def _everything_is_sown(sow: Sowing, facts: dict[str, set[str | bytes]]) -> None:
    excused = (*KNOWN_TO_THE_RELAY, *WORDS_OF_A_VOCABULARY, *MADE_BY_CHANCE_OR_HASH)
    used: set[str] = set()
    for cls in CLASS_OF_KIND.values():
        for path in leaves(cls, cls.__name__):
            values = facts.get(path, set())
            if matched := _matches(path, excused):
                used.update(matched)
                assert values, f"{path} never occurred"
            elif matched := _matches(path, NOT_TYPED_YET):
                used.update(matched)
                assert values == {""}, f"{path} is typed now: sow it"
            else:
                assert any(sow.prefix in str(value) for value in values), f"{path} has no sentinel: sow it or say why"
    assert used == {*excused, *NOT_TYPED_YET}, "an excuse that no field needs"


async def test_the_search_finds_everything_when_nothing_is_sealed(
    practice: Practice, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The oracle: the same flow, the same relay, the same search; only the seal is broken, in the clients alone."""
    _break_the_seal(monkeypatch)
    relay = await practice.start_process()
    lived = await live(practice, tmp_path / "typed")
    facts = await _loaded(lived)
    assert len(lived.sent) > 40
    assert [word for word, found in shown(files(relay.data), lived.sent).items() if not found] == []
    made = [value for path, values in facts.items() if _matches(path, MADE_BY_CHANCE_OR_HASH) for value in values]
    assert all(shown(files(relay.data), made).values())
    assert traces(process_memory(relay.pid), [lived.sown.prefix]) != []
    unsent = lived.sown.all[len(lived.sent) :]
    assert not any(shown([*files(relay.data), *process_memory(relay.pid)], unsent).values())


class _NoSeal:
    def update(self, data: bytes) -> bytes:
        return data

    def finish(self) -> bytes:
        return b""


def _break_the_seal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("client.letters.seal", lambda _key, clear, **_more: clear)
    monkeypatch.setattr("client.letters.open_sealed", lambda _key, sealed, **_more: sealed)
    monkeypatch.setattr("client.adapters.file_box.file_sealer", lambda _key: _NoSeal())
    monkeypatch.setattr("client.adapters.file_box.file_opener", lambda _key: _NoSeal())


@pytest.mark.parametrize("before", [b"", b"x", b"xy", b"xyz"])
def test_the_search_knows_every_dress(before: bytes) -> None:
    """Whatever stands around the secret, each encoding of the whole contains the needle for it."""
    import base64
    from urllib.parse import quote

    secret = "SENTINELLÉ0123Q"
    whole = before + secret.encode() + b" and after"
    worn = {
        "raw": whole,
        "hex": whole.hex().encode(),
        "HEX": whole.hex().upper().encode(),
        "utf-16-le": f"{before.decode()}{secret} and after".encode("utf-16-le"),
        "percent": quote(whole).encode(),
        "json": (before.decode() + secret).encode("unicode-escape"),
        f"base64+{len(before) % 3}": base64.b64encode(whole),
        f"base64url+{len(before) % 3}": base64.urlsafe_b64encode(whole),
    }
    needles = dresses(secret)
    for dress, data in worn.items():
        assert needles[dress] in data, dress
        assert traces([("here", data)], [secret]), dress
    assert traces([("here", b"SENTINELL\xc3\xa90123Q nothing")], ["SENTINELLÉ9999Q"]) == []
