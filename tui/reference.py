"""Write the reference of the command line from the parser itself: `python -m tui.reference > docs/reference/cli.md`.

Only what argparse holds as data is used, not its formatted help, so that the text does not change with Python.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from client.i18n import _
from tui.arguments import PROGRAMS, Parser, build_parser
from tui.exit_codes import MEANINGS
from tui.output import give

_HEAD = """# Command line

Written by `python -m tui.reference`; change the words in `tui/arguments.py`.

`avicenne` alone opens the application.
Every other command does one thing and ends: stdout is data, stderr is talk, the status says how it went.
`--json` gives one JSON object whose `schema` names its shape (`avicenne.inbox/1`); a shape only ever grows.
A case (`CAS`) may be given by the beginning of its identifier, as long as it names one case.

A code porteur is never a flag nor an environment variable.
It comes from `--pin-fd N`, else `--pin-file F`, else the profile of a fictional persona, else a prompt on a terminal.
`avicenne card unblock` takes the code de déblocage from `--puk-file F`, or asks.
The new code porteur comes from `--pin-fd` or `--pin-file`, or is asked twice.
`avicenne card change-pin` takes the present code as any command does.
The new one comes from `--new-pin-file F`, or is asked twice.
A wrong code exits with 77 and says how many tries are left.
A code that cannot be one exits with 65 and never reaches the card.

`avicenne session` drives a session by JSON lines: intents in, updates out.
The first line names the schema (`avicenne.session/1`).
A line that is no intent gives an `error` line and changes nothing.
The end of input waits for the outbox, unless `--no-wait`.
`avicenne session --schema` prints the JSON Schema of the lines.

Tapes are described in [tapes.md](tapes.md).
"""


def reference() -> str:
    """The whole document."""
    parser = build_parser()
    parts = [_HEAD, _exit_codes(), _options_of("avicenne", parser)]
    for name, words, command in _commands(parser):
        parts.append(f"## avicenne {name}\n\n{_sentence(words)}\n")
        if name in PROGRAMS:
            parts.append(
                f"The rest of the line goes to `python -m {PROGRAMS[name][0]}`; see `avicenne {name} --help`.\n"
            )
            continue
        examples = "\n".join(command.examples)
        parts.append(f"```\n{examples}\n```\n")
        parts.append(_table(_actions(command)))
    return "\n".join(parts).rstrip() + "\n"


def _exit_codes() -> str:
    rows = [f"| {int(code)} | {_(meaning)} |" for code, meaning in MEANINGS.items()]
    return "\n".join(["## Exit statuses", "", "| status | meaning |", "| ---: | --- |", *rows, ""])


def _options_of(title: str, parser: Parser) -> str:
    return f"## {title}\n\n{_table(_actions(parser))}"


def _commands(parser: Parser) -> Iterator[tuple[str, str, Parser]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            words = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, command in action.choices.items():
                yield name, words[name], command


def _actions(parser: Parser) -> list[argparse.Action]:
    hidden = (argparse._SubParsersAction,)
    return [each for each in parser._actions if not isinstance(each, hidden) and each.help != argparse.SUPPRESS]


def _table(actions: list[argparse.Action]) -> str:
    rows = [f"| {_form(action)} | {_cell(action.help or '')} |" for action in actions]
    return "\n".join(["| argument | what it does |", "| --- | --- |", *rows, ""])


def _form(action: argparse.Action) -> str:
    value = str(action.metavar or "") or ("\\|".join(map(str, action.choices)) if action.choices else "")
    if not action.option_strings:
        value = value or action.dest
        return _code(f"[{value}]" if action.nargs == "?" else f"{value}..." if action.nargs == "+" else value)
    flags = ", ".join(action.option_strings)
    many = "..." if action.nargs == "+" else ""
    return _code(flags if action.nargs == 0 else f"{flags} {value or action.dest.upper()}{many}")


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _cell(text: str) -> str:
    return text.replace("\\|", "|").replace("|", "\\|")


def _sentence(words: str) -> str:
    return words[0].upper() + words[1:] + "."


if __name__ == "__main__":
    give(reference().rstrip("\n"))
