"""Words of the user interface are whole sentences that a translator can find."""

from __future__ import annotations

import ast

import pytest

from scripts.make_messages import ROOT, arguments, catalogue, modules, template

TABLED = {
    "client/i18n.py": {"_MONTHS[local.month - 1]"},
    "client/door.py": {"message"},
    "client/finalising.py": {"label"},
    "client/lines.py": {"label"},
    "screens/help.py": {"action.label", "action.help", "ROOM_NAMES[room]", "words"},
    "screens/keymap.py": {"named"},
    "screens/palette.py": {"action.label", "action.help"},
    "screens/widgets/fields.py": {"NOT_GIVEN"},
    "screens/widgets/key_footer.py": {"row.short or row.label"},
}
"""What `_` may be given besides a constant: a label of a table that `make messages` knows (`tabled`)."""


def _wrong(source: str, allowed: set[str]) -> list[str]:
    """The arguments of `_` that are neither one constant string nor a known label."""
    given = (each for call in arguments(source) for each in call)
    return [
        ast.unparse(each)
        for each in given
        if not (isinstance(each, ast.Constant) and isinstance(each.value, str)) and ast.unparse(each) not in allowed
    ]


def test_what_is_translated_is_one_constant_or_a_label_of_a_table() -> None:
    """`_(f"...")` would look up a sentence that no catalogue holds; write `_("... {x}").format(x=x)`."""
    wrong = {
        path.relative_to(ROOT).as_posix(): found
        for path in modules()
        if (found := _wrong(path.read_text(encoding="utf-8"), TABLED.get(path.relative_to(ROOT).as_posix(), set())))
    }
    assert wrong == {}


@pytest.mark.parametrize("call", ['_(f"{x} dossiers")', '_("dossiers " + x)', '_("{x}".format(x=x))', "_(x)"])
def test_the_guard_sees_what_it_forbids(call: str) -> None:
    assert len(_wrong(call, set())) == 1


def test_the_template_holds_the_words_of_the_code_and_of_the_tables() -> None:
    messages = catalogue()
    for words in (
        "Code incorrect.",
        "Rendre un avis",
        "Boîte de réception",
        "sept.",
        "La carte a été retirée.",
        "sans TERM",
    ):
        assert any(str(each.id).startswith(words) for each in messages), words


def test_the_template_is_the_same_every_time() -> None:
    assert template() == template()
