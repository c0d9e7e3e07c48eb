"""How many keys besides the text itself (reliability.md 3.3), counted by replaying them."""

from __future__ import annotations

from pathlib import Path

import pytest

from client.intents import (
    Finalise,
    Intent,
    NewDraft,
    OpenCase,
    PrepareFinalisation,
    SearchDirectory,
    SearchPatients,
    SendExchange,
    SendRequest,
)
from client.updates import (
    CaseChanged,
    DirectoryFound,
    DraftChanged,
    FinalisationPrepared,
    PatientsFound,
    Update,
)
from screens.files import FilesScreen
from screens.picker import PickerScreen
from tests.support import sample_views as samples
from tests.support.screenshot import DESK_OPEN, make_app, press, publish

REQUEST_BUDGET, ANSWER_BUDGET, FINALISATION_BUDGET = 25, 6, 6


def desk(intent: Intent) -> list[Update]:
    """A desk that answers at once."""
    match intent:
        case NewDraft():
            return [DraftChanged(samples.draft())]
        case SearchDirectory(query=query):
            return [DirectoryFound(samples.directory(query))]
        case SearchPatients(query=query):
            return [PatientsFound(query, samples.PATIENTS[:1])]
        case OpenCase(case=case):
            return [CaseChanged(samples.case_view(case=case))]
        case PrepareFinalisation():
            return [FinalisationPrepared(samples.finalisation())]
        case _:
            return []


class Typist:
    """Types `words` freely, counts the other keys."""

    def __init__(self) -> None:
        self.count = 0
        self.script: list[str] = []

    def key(self, *keys: str) -> Typist:
        self.count += len(keys)
        self.script += keys
        return self

    def words(self, text: str) -> Typist:
        self.script += ["space" if character == " " else character for character in text]
        return self


async def replay(typist: Typist, monkeypatch: pytest.MonkeyPatch) -> list[Intent]:
    monkeypatch.setattr(PickerScreen, "DELAY_S", 0.0)
    app, session = make_app(desk)
    async with app.run_test(size=(80, 24)) as pilot:
        await publish(pilot, session, *DESK_OPEN)
        await press(pilot, typist.script)
        return session.intents


async def test_new_request(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("lesion.jpg", "lesion_loin.jpg"):
        (tmp_path / name).write_bytes(b"x" * 2000)
    monkeypatch.setattr(FilesScreen, "last_folder", str(tmp_path))
    typist = (
        Typist()
        .key("+", "enter")
        .words("duv").key("enter")
        .words("luc").key("enter")
        .words("Dos").key("tab")
        .words("Ancien").key("tab")
        .words("Que faire").key("tab")
        .key("space")
        .key("ctrl+o").words("lesion.").key("enter")
        .key("ctrl+o").words("loin").key("enter")
        .key("ctrl+s")
    )  # fmt: skip
    sent = [intent for intent in await replay(typist, monkeypatch) if isinstance(intent, SendRequest)]
    entry = sent[0].entry
    assert (entry.expert, entry.patient.nom_naissance, entry.objet) == ("acc-claire", "SPECIMEN", "Dos")
    assert (entry.histoire_clinique, entry.question, entry.consentement) == ("Ancien", "Que faire", True)
    assert [Path(path).name for path in entry.attachments] == ["lesion.jpg", "lesion_loin.jpg"]
    assert typist.count == 13
    assert typist.count <= REQUEST_BUDGET


async def test_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    typist = Typist().key("n", "enter", "r").words("Avis").key("ctrl+s")
    sent = [intent for intent in await replay(typist, monkeypatch) if isinstance(intent, SendExchange)]
    assert sent[0].text == "Avis"
    assert typist.count == 4
    assert typist.count <= ANSWER_BUDGET


async def test_finalisation(monkeypatch: pytest.MonkeyPatch) -> None:
    typist = Typist().key("enter", "F", "enter", "ctrl+s")
    sent = [intent for intent in await replay(typist, monkeypatch) if isinstance(intent, Finalise)]
    assert sent[0].included == ("e1", "e2", "e3", "e4")
    assert typist.count == 4
    assert typist.count <= FINALISATION_BUDGET
