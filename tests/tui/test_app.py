"""The App: intents go down, updates come up, the lock covers, failures say nothing they should not."""

from __future__ import annotations

import re
from typing import Any

import pytest
from rich.color import ColorSystem
from textual.color import Color

from client.intents import CloseCase, LockSession, OpenCase, SwitchCard
from client.updates import (
    CaseChanged,
    ExchangeSent,
    FileSaved,
    LoginChanged,
    Noticed,
    RequestStarted,
    SessionEnded,
    ShellChanged,
    TransferProgressed,
)
from screens.case import CaseScreen
from screens.ended import EndedScreen
from screens.mailbox import MailboxScreen
from screens.new_request import NewRequestScreen
from screens.unlock import UnlockScreen
from screens.widgets.key_footer import KeyFooter
from tests.support import sample_views as samples
from tests.support.fake_session import FakeSession
from tests.support.scenes import SCENES, play
from tests.support.screenshot import DESK_OPEN, ZONE, make_app, publish, screen_text
from tui.app import AvicenneApp
from tui.theme import THEMES

SENTINEL = "PATIENT-SENTINELLE"


async def test_door_opens_on_the_mailbox() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        assert isinstance(app.screen, UnlockScreen)
        await publish(pilot, session, *DESK_OPEN)
        assert isinstance(app.screen, MailboxScreen)


async def test_a_case_nobody_asked_for_opens_nothing() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await publish(pilot, session, *DESK_OPEN, CaseChanged(samples.case_view()))
        assert isinstance(app.screen, MailboxScreen)


async def test_a_card_pulled_out_covers_the_case() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-expert"])
        await publish(pilot, session, LoginChanged(samples.LOGINS["locked"]))
        assert isinstance(app.screen, UnlockScreen)
        assert "SPECIMEN" not in screen_text(app)
        await publish(pilot, session, LoginChanged(samples.LOGINS["open"]))
        assert isinstance(app.screen, CaseScreen)


async def test_an_update_reaches_the_open_case() -> None:
    app, session = make_app()
    async with app.run_test(size=(200, 50)) as pilot:
        await play(pilot, session, SCENES["case-expert"])
        await publish(pilot, session, CaseChanged(samples.case_view(objet="Autre objet")))
        assert "Autre objet" in screen_text(app)
        assert len([screen for screen in app.screen_stack if isinstance(screen, CaseScreen)]) == 1


async def test_request_started_closes_its_form() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["request-filled"])
        assert isinstance(app.screen, NewRequestScreen)
        await publish(pilot, session, RequestStarted("draft-1", "case-7"))
        assert isinstance(app.screen, MailboxScreen)
        assert "démarrée" in screen_text(app)


async def test_notices_last_until_the_next_key() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await publish(pilot, session, *DESK_OPEN, Noticed("Bonjour"), FileSaved("export.csv", "export", 3))
        assert "export.csv (3 lignes)" in screen_text(app)
        await pilot.press("down")
        assert app.screen.query_one(KeyFooter).notice is None


async def test_a_promise_to_send_ends_when_nothing_waits() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-answer"])
        case = samples.case_view().case
        await publish(pilot, session, ShellChanged(samples.shell(pending=1)), ExchangeSent(case))
        assert "Gardé. L'envoi part" in screen_text(app)
        await publish(pilot, session, ShellChanged(samples.shell(pending=1)))
        assert "Gardé. L'envoi part" in screen_text(app)
        await publish(pilot, session, ShellChanged(samples.shell(pending=0)))
        assert "Gardé" not in screen_text(app)
        assert "✓ Envoyé." in screen_text(app)
        await publish(pilot, session, Noticed("Autre chose"), ShellChanged(samples.shell(pending=0)))
        assert "Autre chose" in screen_text(app)


async def test_a_relay_faster_than_the_notice_is_believed() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-answer"])
        await publish(pilot, session, ExchangeSent(samples.case_view().case), ShellChanged(samples.shell(pending=0)))
        assert "✓ Envoyé." in screen_text(app)


async def test_transfers_are_said_by_quarters() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await publish(pilot, session, *DESK_OPEN, TransferProgressed("photo.jpg", 60, 100, upload=True))
        assert "↑ photo.jpg 50 %" in screen_text(app)


async def test_end_of_session_covers_everything() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-expert"])
        await publish(pilot, session, SessionEnded("Le magasin local n'est plus lisible."))
        assert isinstance(app.screen, EndedScreen)
        await pilot.press("q")
    assert app.return_code == 1


async def test_a_session_that_dies_is_seen_and_says_no_value() -> None:
    session = FakeSession()
    session.failure = ValueError(SENTINEL)
    app = AvicenneApp(session, clock=lambda: samples.NOW, zone=ZONE)
    async with app.run_test() as pilot:
        await pilot.pause()
        await pilot.pause()
        assert isinstance(app.screen, EndedScreen)
        text = screen_text(app)
        assert "incident" in text
        assert SENTINEL not in text


async def test_a_crash_prints_a_sealed_sentence_only(capsys: pytest.CaptureFixture[str]) -> None:
    app, session = make_app()

    def explode(*_anything: Any) -> None:
        patient = SENTINEL
        raise ValueError(patient)

    with pytest.raises(ValueError, match=SENTINEL):  # noqa: PT012 the pilot reraises on leaving its context
        async with app.run_test() as pilot:
            await publish(pilot, session, *DESK_OPEN)
            app.call_later(explode)
            await pilot.pause()
    printed = capsys.readouterr()
    everything = printed.out + printed.err + app.incident
    assert SENTINEL not in everything
    assert "Traceback" not in everything
    assert re.search(r"ValueError at test_app\.py:\d+", app.incident)
    assert re.search(r"incident [0-9A-F]{4}-[0-9A-F]{4}", printed.err)


async def test_lock_is_immediate_and_told_to_the_session() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-expert"])
        await pilot.press("ctrl+l")
        assert "SPECIMEN" not in screen_text(app)
        assert session.intents[-1] == LockSession()


async def test_quit_asks_only_when_something_waits() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await publish(pilot, session, *DESK_OPEN)
        await pilot.press("q")
    assert app.return_code == 0
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-answer"])
        await pilot.press("escape", "q")
        assert app.is_running
        await pilot.press("n", "q", "o")
    assert app.return_code == 0


async def test_leaving_a_case_by_its_key_tells_the_session() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-expert"])
        await pilot.press("escape")
        assert [intent for intent in session.intents if isinstance(intent, (OpenCase, CloseCase))] == [
            OpenCase("case-0"),
            CloseCase(),
        ]


async def test_resize_storm_leaves_a_whole_screen() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-expert"])
        for width in range(40, 200, 16):
            await pilot.resize_terminal(width, width // 4)
        await pilot.resize_terminal(80, 24)
        await pilot.pause()
        assert "Lucette SPECIMEN" in screen_text(app)


def _luminance(color: Color) -> float:
    """Relative luminance of WCAG 2.1."""
    parts = [part / 255 for part in color.rgb]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _ratio(first: Color, second: Color) -> float:
    """Contrast ratio of WCAG 2.1."""
    dark, light = sorted((_luminance(first), _luminance(second)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [theme for theme in THEMES if not theme.ansi], ids=lambda theme: theme.name)
def test_every_ink_stands_out(theme: Any) -> None:
    least = 7.0 if theme.name == "avicenne-contraste" else 4.5
    inks = {name: value for name, value in theme.variables.items() if name.startswith("ink-")}
    inks["text"] = theme.foreground
    for ground in (theme.background, theme.variables["field"]):
        weak = {name: value for name, value in inks.items() if _ratio(Color.parse(value), Color.parse(ground)) < least}
        assert weak == {}
    assert _ratio(Color.parse(theme.variables["banner-text"]), Color.parse(theme.variables["banner"])) >= least


@pytest.mark.parametrize("theme", [theme for theme in THEMES if not theme.ansi], ids=lambda theme: theme.name)
def test_sixteen_colours_keep_ink_apart_from_ground(theme: Any) -> None:
    def downgraded(value: str) -> int | None:
        return Color.parse(value).rich_color.downgrade(ColorSystem.STANDARD).number

    ground = downgraded(theme.background)
    same = {name for name, value in theme.variables.items() if name.startswith("ink-") and downgraded(value) == ground}
    assert same == set()
    assert downgraded(theme.variables["banner-text"]) != downgraded(theme.variables["banner"])


async def test_no_colour_says_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["mailbox"])
        coloured = screen_text(app)
    monkeypatch.setenv("NO_COLOR", "1")
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["mailbox"])
        assert screen_text(app) == coloured


async def test_another_card_leaves_nothing_of_the_first_desk_on_screen() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-expert"])
        await pilot.press("f4")
        assert isinstance(app.screen, UnlockScreen)
        assert SwitchCard() in session.intents
        await publish(pilot, session, LoginChanged(samples.LOGINS["open"]))
        assert isinstance(app.screen, MailboxScreen)
        assert "SPECIMEN" not in screen_text(app)
