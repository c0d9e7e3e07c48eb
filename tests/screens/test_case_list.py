"""Ten thousand cases cost what ten do: rows are looked at only when they show."""

from __future__ import annotations

from client.updates import LoginChanged, MailboxChanged, ShellChanged
from screens.ink import width_of
from screens.mailbox import MailboxScreen
from screens.widgets.case_list import CaseList, find_case, next_where, three_lines, two_lines
from tests.support import sample_views as samples
from tests.support.screenshot import ZONE, make_app, publish

MANY = 10_000


async def test_ten_thousand_rows_build_no_widgets_and_few_rows() -> None:
    rows = samples.CountedRows(MANY)
    app, session = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await publish(pilot, session, LoginChanged(samples.LOGINS["open"]), ShellChanged(samples.shell()))
        await publish(pilot, session, MailboxChanged(samples.mailbox(())))
        widgets = len(list(app.screen.walk_children()))
        await publish(pilot, session, MailboxChanged(samples.mailbox(rows)))
        assert len(list(app.screen.query_one(CaseList).walk_children())) == 0
        assert len(list(app.screen.walk_children())) == widgets
        assert rows.looks < 1_000
        before = rows.looks
        await pilot.press("end")
        assert isinstance(app.screen, MailboxScreen)
        assert app.screen.current == samples.case_row(MANY - 1)
        assert rows.looks - before < 1_000


def test_a_case_is_found_near_where_it_was_first() -> None:
    rows = samples.CountedRows(MANY)
    assert find_case(rows, "case-5003", around=5_000) == 5_003
    assert rows.looks < 1_000
    assert find_case(rows, "nowhere", around=0) is None


def test_next_unread_and_urgent_go_round() -> None:
    rows = [samples.case_row(index) for index in range(12)]
    assert next_where(rows, 0, urgent=False) == 2
    assert next_where(rows, 9, urgent=False) == 0
    assert next_where(rows, 2, urgent=True) == 2
    assert next_where([], 0, urgent=True) is None


def test_rows_fill_their_width_and_keep_the_unread_count() -> None:
    for index in range(12):
        row = samples.case_row(index)
        for width in (24, 40, 57, 120):
            for draw in (two_lines, three_lines):
                lines = draw(row, width, now=samples.NOW, zone=ZONE)
                assert all(width_of(line) <= width for line in lines)
                assert not row.unread or width < 48 or f"({row.unread})" in "".join(text for text, _ink in lines[1])
