"""Every screen in every state worth looking at: what is announced, which keys are pressed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.pilot import Pilot

from client.updates import (
    CaseChanged,
    DirectoryFound,
    DraftChanged,
    FinalisationPrepared,
    IntentRefused,
    LoginChanged,
    MailboxChanged,
    Noticed,
    PatientsFound,
    PreferencesChanged,
    SessionEnded,
    Severity,
    ShellChanged,
    Update,
)
from client.views import Connection
from tests.support import sample_views as samples
from tests.support.fake_session import FakeSession
from tests.support.screenshot import DESK_OPEN, publish

Step = str | Update


@dataclass(frozen=True, slots=True)
class Scene:
    """Keys and updates, in order, after the desk opened (unless it is about the door)."""

    steps: Sequence[Step]
    door: bool = False


def _keys(text: str) -> list[str]:
    return ["space" if character == " " else character for character in text]


_OPEN_CASE: list[Step] = ["enter", CaseChanged(samples.case_view())]
_NEW: list[Step] = ["ctrl+n", DraftChanged(samples.draft())]
_OFFLINE = ShellChanged(
    samples.shell(
        connection=Connection.OFFLINE, pending=2, connection_detail="relais injoignable, nouvel essai dans 30 s"
    )
)

_DOORS = {name: view for name, view in samples.LOGINS.items() if name != "open"}

SCENES: dict[str, Scene] = {
    **{
        f"unlock-{name}": Scene([LoginChanged(view)], door=True)
        for name, view in samples.LOGINS.items()
        if name != "open"
    },
    "mailbox": Scene([CaseChanged(samples.case_view(), preview=True)]),
    "mailbox-empty": Scene([MailboxChanged(samples.mailbox(()))]),
    "mailbox-offline": Scene([_OFFLINE]),
    "mailbox-draft": Scene([MailboxChanged(samples.mailbox((samples.draft_row(), samples.case_row(1))))]),
    "mailbox-filter": Scene([MailboxChanged(samples.mailbox(query="lésion")), "/", *_keys("dos")]),
    "mailbox-archived": Scene(["a"]),
    "mailbox-notice": Scene(
        [Noticed("La carte de Jean RIVOIRE a changé depuis son dernier message.", Severity.WARNING)]
    ),
    "menu-plus": Scene(["+"]),
    "menu-portal": Scene(["P"]),
    "case-expert": Scene(_OPEN_CASE),
    "case-form": Scene([*_OPEN_CASE, "tab"]),
    "case-answer": Scene([*_OPEN_CASE, "r", *_keys("Bonjour")]),
    "case-refused": Scene([*_OPEN_CASE, "p", IntentRefused("TakeInCharge", "Ce dossier est déjà pris en charge.")]),
    "case-requester": Scene(["enter", CaseChanged(samples.requester_case())]),
    "case-finalised": Scene(["enter", CaseChanged(samples.finalised_case())]),
    "case-attachments": Scene([*_OPEN_CASE, "o"]),
    "case-edit": Scene([*_OPEN_CASE, "e"]),
    "case-decline": Scene([*_OPEN_CASE, "x"]),
    "request-new": Scene(_NEW),
    "request-filled": Scene(["ctrl+n", DraftChanged(samples.filled_draft())]),
    "directory": Scene([*_NEW, "d", DirectoryFound(samples.directory("d"))]),
    "directory-nobody": Scene(
        [*_NEW, "d", DirectoryFound(samples.directory("d", professionals=(), professionals_total=0))]
    ),
    "patients": Scene([*_NEW, "ctrl+t", "s", PatientsFound("s", samples.PATIENTS)]),
    "finalisation-1": Scene([*_OPEN_CASE, "F", FinalisationPrepared(samples.finalisation())]),
    "finalisation-2": Scene([*_OPEN_CASE, "F", FinalisationPrepared(samples.finalisation()), "enter", "space"]),
    "export": Scene(["E"]),
    "preferences": Scene(["ctrl+e", PreferencesChanged(samples.preferences())]),
    "help": Scene(["?"]),
    "palette": Scene(["ctrl+p", *_keys("expo")]),
    "quit": Scene([ShellChanged(samples.shell(pending=2)), "q"]),
    "locked": Scene([*_OPEN_CASE, "ctrl+l"]),
    "ended": Scene([SessionEnded("Le magasin local n'est plus lisible.")]),
}


async def play(pilot: Pilot[None], session: FakeSession, scene: Scene) -> None:
    """Open the desk, then press and announce."""
    await publish(pilot, session, *opening(scene))
    for step in scene.steps:
        if isinstance(step, str):
            await pilot.press(step)
        else:
            await publish(pilot, session, step)
    await pilot.pause()


def opening(scene: Scene) -> tuple[Update, ...]:
    """What comes before the steps."""
    return () if scene.door else DESK_OPEN
