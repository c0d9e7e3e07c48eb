"""A key pressed is an intent raised: nothing more, nothing less."""

from __future__ import annotations

import pytest

from client.intents import (
    CancelRequest,
    ChooseBillingSituation,
    ChooseReader,
    ChooseSituation,
    CloseCase,
    DeclineRequest,
    DiscardDraft,
    EditForm,
    EnterPin,
    ExchangeKind,
    ExportActivity,
    Finalise,
    Folder,
    Intent,
    LockSession,
    MarkUnread,
    NewDraft,
    OpenCase,
    OpenDraft,
    OpenPreferences,
    PreviewCase,
    Reconnect,
    SaveAttachment,
    SaveComposer,
    SaveDraft,
    SavePreferences,
    SearchDirectory,
    SearchPatients,
    SelectFolder,
    SendExchange,
    SetFlag,
    TakeInCharge,
)
from client.updates import CaseChanged, ExchangeSent, LoginChanged, MailboxChanged, PreferencesChanged
from screens.case import CaseScreen
from screens.mailbox import MailboxScreen
from screens.preferences import PreferencesScreen
from screens.unlock import UnlockScreen
from tests.support import sample_views as samples
from tests.support.scenes import SCENES, Scene, play
from tests.support.screenshot import make_app, publish, screen_text

_ASIDE = (PreviewCase, SaveDraft, SaveComposer, SearchDirectory, SearchPatients)
"""Raised by pauses rather than by keys."""

CASE = "case-0"


async def raised_by(scene: str, *keys: str, aside: tuple[type[Intent], ...] = _ASIDE) -> list[Intent]:
    """The intents that these keys raise in a scene."""
    app, session = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await play(pilot, session, SCENES[scene])
        session.intents.clear()
        await pilot.press(*keys)
        await pilot.pause()
        return [intent for intent in session.intents if not isinstance(intent, aside)]


@pytest.mark.parametrize(
    ("scene", "keys", "expected"),
    [
        ("unlock-enter-pin", "1 2 3 4 enter", [EnterPin("1234")]),
        ("unlock-enter-pin", "enter", []),
        ("unlock-choose-reader", "down enter", [ChooseReader("r2")]),
        ("unlock-choose-situation", "enter", [ChooseSituation(1)]),
        ("unlock-choose-billing", "down enter", [ChooseBillingSituation(2)]),
        ("mailbox", "enter", [OpenCase("case-0")]),
        ("mailbox", "down down enter", [OpenCase("case-2")]),
        ("mailbox-draft", "enter", [OpenDraft("draft-1")]),
        ("mailbox-draft", "x o", [DiscardDraft("draft-1")]),
        ("mailbox-draft", "x n", []),
        ("mailbox-draft", "a", []),
        ("mailbox", "a", [SetFlag(CASE, "archived", on=True)]),
        ("mailbox", "a z", [SetFlag(CASE, "archived", on=True), SetFlag(CASE, "archived", on=False)]),
        ("mailbox", "z", []),
        ("mailbox", "f", [SetFlag(CASE, "favourite", on=True)]),
        ("mailbox", "t", [SetFlag(CASE, "to-do", on=True)]),
        ("mailbox", "m", [MarkUnread(CASE)]),
        ("mailbox", "6", [SelectFolder(Folder.TELEEXPERTISES)]),
        ("mailbox", "0", [SelectFolder(Folder.DRAFTS)]),
        ("mailbox", "/ d o s enter", [SelectFolder(Folder.INBOX, "dos")]),
        ("mailbox", "n enter", [OpenCase("case-2")]),
        ("mailbox", "u enter", [OpenCase("case-2")]),
        ("mailbox", "+ enter", [NewDraft()]),
        ("mailbox", "+ 2", [NewDraft()]),
        ("mailbox", "+ 1", []),
        ("mailbox", "ctrl+n", [NewDraft()]),
        ("mailbox", "P 1", [OpenPreferences()]),
        ("mailbox", "ctrl+l", [LockSession()]),
        ("mailbox", "ctrl+r", [Reconnect()]),
        ("mailbox", "E ctrl+s", [ExportActivity()]),
        (
            "mailbox",
            "P 2 0 1 / 0 1 / 2 0 2 6 enter enter right enter tab right ctrl+s",
            [ExportActivity(role="requerant", format="csv", date_debut="01/01/2026")],
        ),
        ("case-expert", "p", []),
        ("case-expert", "escape", [CloseCase()]),
        ("case-expert", "F", None),
        ("case-expert", "X", []),
        ("case-expert", "c", []),
        ("case-expert", "x ctrl+s", []),
        ("case-expert", "x n o n ctrl+s", [DeclineRequest(CASE, "non")]),
        ("case-requester", "X o k ctrl+s", [CancelRequest(CASE, "ok")]),
        ("case-expert", "o enter", [SaveAttachment(CASE, "att-1", open_after=True)]),
        ("case-expert", "o down e", [SaveAttachment(CASE, "att-2")]),
        ("case-finalised", "s", [SaveAttachment(CASE, "att-9", open_after=True)]),
        ("case-finalised", "r", []),
        ("case-expert", "f", [SetFlag(CASE, "favourite", on=True)]),
        ("case-expert", "a", [SetFlag(CASE, "archived", on=True), CloseCase()]),
        ("case-expert", "r o k ctrl+s", [SendExchange(CASE, ExchangeKind.ANSWER, "ok")]),
        ("case-expert", "d o k ctrl+enter", [SendExchange(CASE, ExchangeKind.ASK_MORE, "ok")]),
        ("case-requester", "c o k ctrl+s", [SendExchange(CASE, ExchangeKind.GIVE_MORE, "ok")]),
        ("case-expert", "! o k ctrl+t ctrl+s",
         [SendExchange(CASE, ExchangeKind.MESSAGE, "ok", urgent=True, question=True)]),
        ("case-expert", "m ctrl+s", []),
        ("case-expert", "m o k ctrl+s ctrl+s", [SendExchange(CASE, ExchangeKind.MESSAGE, "ok")]),
        ("preferences", "ctrl+s", None),
    ],
)  # fmt: skip
async def test_keys_raise_intents(scene: str, keys: str, expected: list[Intent] | None) -> None:
    intents = await raised_by(scene, *keys.split())
    if expected is not None:
        assert intents == expected
    else:
        assert [type(intent).__name__ for intent in intents] in (["PrepareFinalisation"], ["SavePreferences"])


async def test_taking_in_charge_needs_the_permission() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        view = samples.case_view(permitted=frozenset({"taken-in-charge"}))
        await play(pilot, session, Scene(["enter", CaseChanged(view)]))
        await pilot.press("p", "r", "F", "x")
        assert session.raised(TakeInCharge) == [TakeInCharge(CASE)]
        assert session.intents[-1] == TakeInCharge(CASE)


async def test_code_is_wiped_from_the_field_and_from_reprs() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["unlock-enter-pin"])
        await pilot.press("4", "2", "4", "2", "enter")
        assert "4242" not in repr(session.intents)
        assert app.screen.query_one("#pin").value == ""  # type: ignore[attr-defined]


async def test_composer_is_emptied_only_when_the_exchange_is_kept() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-answer"])
        await pilot.press("ctrl+s")
        screen = app.screen
        assert isinstance(screen, CaseScreen)
        assert screen.has_unsent_text
        await publish(pilot, session, ExchangeSent(CASE))
        assert not screen.has_unsent_text


async def test_text_is_kept_on_leaving() -> None:
    intents = await raised_by("case-answer", "escape", "escape", aside=(PreviewCase,))
    assert intents == [SaveComposer(CASE, "Bonjour"), CloseCase()]


async def test_form_edited_is_raised_whole() -> None:
    intents = await raised_by("case-edit", "end", "!", "ctrl+s")
    view = samples.case_view()
    assert intents == [EditForm(CASE, view.objet + "!", view.histoire_clinique, view.question)]


async def test_form_left_as_it_was_raises_nothing() -> None:
    assert await raised_by("case-edit", "ctrl+s") == []


async def test_finalisation_sends_what_is_ticked() -> None:
    intents = await raised_by("finalisation-2", "ctrl+s", "ctrl+s")
    assert intents == [Finalise(CASE, "TE2", "741111111", "marie", "741234567", ("e2", "e3", "e4"))]


async def test_changing_expert_changes_the_number() -> None:
    intents = await raised_by("finalisation-1", "shift+tab", "shift+tab", "right", "ctrl+s", "ctrl+s")
    assert isinstance(intents[0], Finalise)
    assert (intents[0].expert_name, intents[0].numero_requis) == ("claire", "747654321")


async def test_preferences_close_when_published() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["preferences"])
        await pilot.press("space", "ctrl+s")
        assert session.raised(SavePreferences)[0].annuaire is False
        assert isinstance(app.screen, PreferencesScreen)
        await publish(pilot, session, PreferencesChanged(samples.preferences(annuaire=False)))
        assert isinstance(app.screen, MailboxScreen)


async def test_lock_covers_at_once_and_gives_back_the_same_place() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-answer"])
        await pilot.press("ctrl+l")
        assert isinstance(app.screen, UnlockScreen)
        await pilot.press("ctrl+p", "ctrl+l", "ctrl+r")
        assert isinstance(app.screen, UnlockScreen)
        assert len(session.raised(LockSession)) == 1
        await publish(
            pilot, session, CaseChanged(samples.case_view(case="case-9")), LoginChanged(samples.LOGINS["open"])
        )
        assert isinstance(app.screen, CaseScreen)
        assert app.screen.case == CASE


async def test_list_keeps_its_case_when_it_changes() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["mailbox"])
        await pilot.press("down", "down")
        rows = tuple(samples.case_row(index) for index in (30, 31, 32, *range(12)))
        await publish(pilot, session, MailboxChanged(samples.mailbox(rows)))
        assert isinstance(app.screen, MailboxScreen)
        assert app.screen.current == samples.case_row(2)


async def test_next_unread_goes_from_case_to_case() -> None:
    app, session = make_app()
    async with app.run_test() as pilot:
        await play(pilot, session, SCENES["case-expert"])
        await pilot.press("n")
        assert session.intents[-1] == OpenCase("case-2")
        await publish(pilot, session, CaseChanged(samples.case_view(case="case-2")))
        assert isinstance(app.screen, CaseScreen)
        assert app.screen.case == "case-2"
        await pilot.press("escape")
        await pilot.pause()
        assert isinstance(app.screen, MailboxScreen)


async def test_the_preview_waits_for_the_cursor_to_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    app, session = make_app()
    async with app.run_test(size=(200, 50)) as pilot:
        await play(pilot, session, SCENES["mailbox"])
        monkeypatch.setattr(MailboxScreen, "PREVIEW_DELAY_S", 3600.0)
        session.intents.clear()
        preview, before = app.screen.query_one("#preview"), screen_text(app)
        drawn = [preview.render_line(y).text for y in range(preview.size.height)]
        await pilot.press("down", "down")
        assert screen_text(app) != before  # the cursor is painted at once
        assert [preview.render_line(y).text for y in range(preview.size.height)] == drawn
        assert session.intents == []
        assert isinstance(app.screen, MailboxScreen)
        app.screen.cursor_rested()
        assert session.raised(PreviewCase) == []
        await pilot.pause()
        assert session.raised(PreviewCase) == [PreviewCase("case-2")]
        assert [preview.render_line(y).text for y in range(preview.size.height)] != drawn


async def test_a_preview_held_back_by_a_case_is_drawn_on_coming_back(monkeypatch: pytest.MonkeyPatch) -> None:
    app, session = make_app()
    async with app.run_test(size=(200, 50)) as pilot:
        await play(pilot, session, SCENES["mailbox"])
        mailbox = app.screen
        assert isinstance(mailbox, MailboxScreen)
        monkeypatch.setattr(MailboxScreen, "PREVIEW_DELAY_S", 3600.0)
        await pilot.press("down", "enter")
        await publish(pilot, session, CaseChanged(samples.case_view(case="case-1")))
        assert isinstance(app.screen, CaseScreen)
        session.intents.clear()
        mailbox.cursor_rested()
        await pilot.pause()
        assert session.raised(PreviewCase) == []
        monkeypatch.setattr(MailboxScreen, "PREVIEW_DELAY_S", 0.0)
        await pilot.press("escape")
        await pilot.pause()
        assert session.raised(PreviewCase) == [PreviewCase("case-1")]


async def test_a_preview_that_comes_late_is_not_drawn_for_another_row() -> None:
    app, session = make_app()
    async with app.run_test(size=(200, 50)) as pilot:
        await play(pilot, session, SCENES["mailbox"])
        await pilot.press("down", "down")
        before = screen_text(app)
        await publish(pilot, session, CaseChanged(samples.case_view(case="case-1"), preview=True))
        assert screen_text(app) == before
