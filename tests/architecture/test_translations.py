"""Words of the user interface are whole sentences that a translator can find."""

from __future__ import annotations

import ast

import pytest

from scripts.make_messages import KEYWORDS, ROOT, arguments, catalogue, modules, template

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
    "tui/arguments.py": {"french", "words"},
    "tui/oneshot.py": {"_MESSAGES[phase]", "words"},
    "tui/printing.py": {"_CONNECTIONS[view.connection]"},
    "tui/reference.py": {"meaning"},
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


_DEFERRED = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


def _early(source: str) -> list[str]:
    """The calls of `_` that run when the module is imported, before anyone has chosen a language."""
    found, left = [], list(ast.iter_child_nodes(ast.parse(source)))
    while left:
        node = left.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in KEYWORDS:
            found.append(ast.unparse(node))
        if isinstance(node, _DEFERRED):
            # What stands in the signature runs now, what stands in the body later.
            left += [node.args, *getattr(node, "decorator_list", ())]
        else:
            left += ast.iter_child_nodes(node)
    return found


def test_nothing_is_translated_when_a_module_is_imported() -> None:
    """A table holds the source words; they are translated where they are shown."""
    early = {
        path.relative_to(ROOT).as_posix(): found
        for path in modules()
        if (found := _early(path.read_text(encoding="utf-8")))
    }
    assert early == {}


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('WORDS = {"a": _("mot")}', 1),
        ('class A:\n    TITLE = _("mot")', 1),
        ('def f(x=_("mot")): pass', 1),
        ('if x:\n    y = ngettext("un", "des", 2)', 1),
        ('def f():\n    return _("mot")', 0),
        ('f = lambda: _("mot")', 0),
        ('class A:\n    def f(self):\n        return _("mot")', 0),
    ],
)
def test_the_guard_sees_what_runs_at_import(source: str, count: int) -> None:
    assert len(_early(source)) == count


def test_the_template_holds_the_words_of_the_code_and_of_the_tables() -> None:
    messages = catalogue()
    for words in (
        "Code incorrect.",
        "Rendre un avis",
        "Boîte de réception",
        "sept.",
        "La carte a été retirée.",
        "sans TERM",
        "le relais",
        "il manque : ",
        "interrompu par l'utilisateur",
        "carte inconnue",
        "la carte ne répond pas",
        "connexion en cours",
    ):
        assert any(str(each.id).startswith(words) for each in messages), words


def test_the_template_is_the_same_every_time() -> None:
    assert template() == template()
