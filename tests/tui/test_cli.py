"""The command line: statuses, streams, French, and how little it loads."""

from __future__ import annotations

import argparse
import gettext
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

import client.intents as intents
from client import i18n
from client.intents import Folder
from client.views import Connection, LoginPhase, LoginView
from tests.tui.desks import CASE, OTHER, DeskSession, a_row, an_expert, building
from tui import arguments, cli, doctor, oneshot, verbs
from tui.exit_codes import MEANINGS, ExitCode

ROOT = Path(__file__).parents[2]


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> DeskSession:
    """A session that stands where the real one would."""
    session = DeskSession()
    monkeypatch.setattr(oneshot, "build_real", building(session))
    monkeypatch.setattr(oneshot, "QUIET_S", 0.0)
    monkeypatch.setattr(oneshot, "CARD_GRACE_S", 0.02)
    monkeypatch.setattr(oneshot, "OFFLINE_GRACE_S", 0.02)
    real_run = verbs.run
    monkeypatch.setattr(verbs, "run", lambda verb, args: real_run(verb, args, build=building(session)))
    real_card = doctor.card
    monkeypatch.setattr(doctor, "card", lambda args: real_card(args, build=building(session)))
    return session


@pytest.fixture
def pin(tmp_path: Path) -> list[str]:
    """The option that gives the right code."""
    file = tmp_path / "pin"
    file.write_text("1234\n")
    return ["--pin-file", str(file), "--no-input"]


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    """Run a command; status, stdout, stderr."""
    code = cli.main(words)
    captured = capsys.readouterr()
    return code, captured.out, captured.err


# --- reading ---


def test_inbox_for_a_person_and_for_a_script(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = call(capsys, "inbox", *pin)
    assert (code, err) == (0, "")
    assert out.startswith("0198f3a20000  ")
    assert "Nævus du dos" in out
    code, out, _err = call(capsys, "inbox", "--json", "--folder", "to-do", "--query", "x", *pin)
    document = json.loads(out)
    assert document["schema"] == "avicenne.inbox/1"
    assert (document["folder"], document["query"], document["rows_total"]) == ("to-do", "x", 1)
    assert desk.closed == 2


def test_show_opens_and_peek_does_not(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _err = call(capsys, "show", "0198f3", *pin)
    assert code == 0
    assert "Biopsie ?" in out
    assert "dos.jpg (3,4 Mo)" in out
    assert intents.OpenCase(CASE) in desk.intents
    desk.intents.clear()
    assert call(capsys, "show", CASE, "--peek", *pin)[0] == 0
    assert not any(isinstance(intent, intents.OpenCase) for intent in desk.intents)


def test_a_case_prefix_must_name_one_case(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    desk.rows = [a_row(CASE), a_row(OTHER, "Autre")]
    code, out, err = call(capsys, "show", "0198f3", *pin)
    assert (code, out) == (ExitCode.DATA, "")
    assert CASE in err
    assert OTHER in err
    assert call(capsys, "show", "ffff", *pin)[0] == ExitCode.DATA
    assert call(capsys, "show", OTHER[:9], *pin)[0] == 0


def test_search_save_export_prefs_sessions(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert "ps:8001" in call(capsys, "search", "dermato", "Lyon", "--departement", "69", *pin)[1]
    assert intents.SearchDirectory("dermato Lyon", {"departement": "69"}) in desk.intents
    assert call(capsys, "save", CASE, "dos.jpg", "-o", str(tmp_path / "in"), *pin)[1] == f"{tmp_path}/in/dos.jpg\n"
    saved = [intent for intent in desk.intents if isinstance(intent, intents.SaveAttachment)]
    assert len(saved) == 1
    assert call(capsys, "save", CASE, "face.jpg", *pin)[0] == ExitCode.DATA
    out = call(capsys, "export", "-o", str(tmp_path / "x.xlsx"), "--from", "01/01/2026", "--json", *pin)[1]
    assert json.loads(out)["rows"] == 3
    assert call(capsys, "prefs", "--annuaire", "off", "--descriptif", "Peau", *pin)[0] == 0
    assert isinstance(desk.intents[-1], intents.SavePreferences)
    assert (desk.intents[-1].annuaire, desk.intents[-1].descriptif) == (False, "Peau")
    assert "Dr Anne CHARLIER" in call(capsys, "sessions", *pin)[1]


# --- writing ---


def test_a_request_from_options(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    photo = tmp_path / "dos.jpg"
    photo.write_bytes(b"x")
    form = ["--expert", "dr anne charlier", "--patient", "SPECIMEN, Lucette, 17/04/1958, f", "--nir", "2"]
    form += ["--objet", "o", "--question", "q", "--consent", "--urgent", "--attach", str(photo)]
    code, out, _err = call(capsys, "request", *form, "--json", *pin)
    assert code == 0
    assert json.loads(out) == {"schema": "avicenne.sent/1", "case": CASE, "state": "delivered", "pending": 0}
    (sent,) = [intent.entry for intent in desk.intents if isinstance(intent, intents.SendRequest)]
    assert sent == intents.DraftEntry(
        "d1", "ps:8001", "ps:8001", intents.PatientEntry("SPECIMEN", "Lucette", "F", "17/04/1958", "2"), "99",
        "o", "", "q", consentement=True, urgent=True, attachments=(str(photo),),
    )  # fmt: skip


def test_a_request_from_a_file(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    form = tmp_path / "form.json"
    form.write_text('{"expert": "ps:7", "objet": "o", "patient": {"nom_naissance": "SPECIMEN"}, "consentement": true}')
    assert call(capsys, "request", "--from", str(form), "--objet", "autre", *pin)[0] == 0
    (sent,) = [intent.entry for intent in desk.intents if isinstance(intent, intents.SendRequest)]
    assert (sent.expert, sent.objet, sent.patient.nom_naissance) == ("ps:7", "autre", "SPECIMEN")
    form.write_text('{"expert": "ps:7", "nom": "typo"}')
    code, _out, err = call(capsys, "request", "--from", str(form), *pin)
    assert code == ExitCode.DATA
    assert "nom" in err


def test_a_refused_request_leaves_no_draft_behind(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    desk.refuse[intents.SendRequest] = "Le NIR est obligatoire."
    code, _out, err = call(capsys, "request", "--expert", "ps:8001", *pin)
    assert (code, err) == (ExitCode.DATA, "avicenne : Le NIR est obligatoire.\n")
    assert desk.intents[-1] == intents.DiscardDraft("d1")


def test_an_ambiguous_expert_is_listed(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    desk.experts = (an_expert(), an_expert("ps:8002", "Dr Paul CHARLIER"))
    code, _out, err = call(capsys, "request", "--expert", "charlier", *pin)
    assert code == ExitCode.DATA
    assert "ps:8002" in err


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["answer"], "answered"),
        (["ask"], "information-requested"),
        (["give"], "information-given"),
        (["message", "--question"], "message-sent"),
    ],
)
def test_exchanges(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str], words: list[str], kind: str
) -> None:
    code, out, _err = call(capsys, words[0], "0198f3", "Bénin.", *words[1:], *pin)
    assert code == 0
    assert out.startswith(CASE)
    assert isinstance(desk.intents[-1], intents.SendExchange)
    assert (desk.intents[-1].kind, desk.intents[-1].text) == (kind, "Bénin.")


@pytest.mark.parametrize(
    ("words", "intent"),
    [
        (["take", CASE], intents.TakeInCharge(CASE)),
        (["decline", CASE, "--motif", "m"], intents.DeclineRequest(CASE, "m")),
        (["cancel", CASE, "--motif", "m"], intents.CancelRequest(CASE, "m")),
        (["flag", CASE, "to-do"], intents.SetFlag(CASE, "to-do", on=True)),
        (["flag", CASE, "archived", "--off"], intents.SetFlag(CASE, "archived", on=False)),
        (
            ["finalise", CASE, "--exclude", "ev2", "--numero-requerant", "33"],
            intents.Finalise(CASE, "TE2", "33", "ps:8001", "22", ("ev1",)),
        ),
    ],
)
def test_acts(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str], words: list[str], intent: intents.Intent
) -> None:
    assert call(capsys, *words, *pin)[0] == 0
    assert desk.intents[-1] == intent


# --- statuses ---


def test_offline_an_act_is_kept_and_says_so(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str]
) -> None:
    desk.connection = Connection.OFFLINE
    code, out, err = call(capsys, "answer", CASE, "Bénin.", "--json", *pin)
    assert code == ExitCode.QUEUED
    assert json.loads(out)["state"] == "queued"
    assert "partira" in err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["nope"], ExitCode.USAGE),
        (["inbox", "--folder", "x"], ExitCode.USAGE),
        (["show"], ExitCode.USAGE),
        (["inbox", "--timeout", "0"], ExitCode.USAGE),
        (["inbox", "--timeout", "nan"], ExitCode.USAGE),
        (["request", "--no-input"], ExitCode.USAGE),
        (["answer", CASE, "  "], ExitCode.DATA),
        (["attach", CASE, "/nowhere/x.jpg"], ExitCode.IO),
        (["request", "--from", "/nowhere/x.json"], ExitCode.IO),
        (["finalise", CASE, "--niveau", "TE9"], ExitCode.DATA),
        (["finalise", CASE, "--exclude", "zz"], ExitCode.DATA),
        (["export", "-o", "/dev/null/x.xlsx"], ExitCode.CANNOT_CREATE),
        (["play", "/nowhere/x.tape"], ExitCode.IO),
    ],
)
def test_statuses(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str], words: list[str], code: int
) -> None:
    options = pin if words[0] in ("answer", "attach", "request", "finalise", "export") else []
    status, out, err = call(capsys, *words, *options)
    assert (status, out) == (code, "")
    assert err


def test_codes_and_cards(desk: DeskSession, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("9999")
    code, _out, err = call(capsys, "inbox", "--pin-file", str(wrong))
    assert (code, err) == (ExitCode.PERMISSION, "avicenne : Code faux, il reste 2 essais.\n")
    assert [intent for intent in desk.intents if isinstance(intent, intents.EnterPin)] == [intents.EnterPin("9999")]
    wrong.write_text("not digits")
    assert call(capsys, "inbox", "--pin-file", str(wrong))[0] == ExitCode.PERMISSION
    assert call(capsys, "inbox", "--pin-file", str(tmp_path / "none"))[0] == ExitCode.IO
    assert call(capsys, "inbox", "--no-input")[0] == ExitCode.PERMISSION
    for phase, status in (
        (LoginPhase.BLOCKED, ExitCode.PERMISSION),
        (LoginPhase.REFUSED, ExitCode.PERMISSION),
        (LoginPhase.NO_CARD, ExitCode.PERMISSION),
        (LoginPhase.NO_SERVICE, ExitCode.UNAVAILABLE),
    ):
        desk.door = LoginView(phase)
        assert call(capsys, "inbox", "--no-input")[0] == status


def test_a_code_from_a_descriptor(desk: DeskSession, capsys: pytest.CaptureFixture[str]) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"1234\n")
    os.close(writing)
    try:
        assert call(capsys, "inbox", "--pin-fd", str(reading))[0] == 0
    finally:
        os.close(reading)


def test_card_verbs(desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert json.loads(call(capsys, "card", "info", "--json")[1])["card"] == "CPS 1"
    assert not desk.intents
    assert call(capsys, "card", "verify", *pin)[1].strip().endswith("code accepté")


def test_an_internal_error_is_a_sentence(
    desk: DeskSession, pin: Sequence[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_args: object) -> int:
        raise RuntimeError("secret")

    monkeypatch.setattr(doctor, "card", broken)
    code, out, err = call(capsys, "card", "info")
    assert (code, out) == (ExitCode.INTERNAL, "")
    assert "secret" not in err
    assert "RuntimeError" in err


def test_interruption(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_args: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "doctor", interrupted)
    assert call(capsys, "doctor")[0] == ExitCode.INTERRUPTED


def test_every_status_has_its_meaning() -> None:
    assert set(MEANINGS) == set(ExitCode)


# --- the shape of the command line ---


def test_help_leads_with_examples_and_is_french(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _err = call(capsys, "--help")
    assert code == 0
    assert out.startswith("Exemples :\n  avicenne")
    for name in ("inbox", "request", "play", "session"):
        _code, out, _err = call(capsys, name, "--help")
        assert out.startswith("Exemples :\n  ")
        assert "show this help" not in out


def test_tables_speak_the_language_chosen_after_they_were_imported(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Marked(gettext.NullTranslations):
        def gettext(self, message: str) -> str:
            return f"EN {message}"

    monkeypatch.setattr(i18n, "_catalogue", Marked())
    assert "EN arguments inconnus" in call(capsys, "inbox", "--nonsense")[2]
    assert "EN le relais\n" in call(capsys, "--help")[1]


def _examples() -> list[str]:
    """Every command line that a help shows, on one line each."""
    whole = arguments.build_parser()
    (commands,) = (each for each in whole._actions if isinstance(each, argparse._SubParsersAction))
    parsers = [whole, *(each for each in (commands.choices or {}).values() if isinstance(each, arguments.Parser))]
    return [
        line for each in parsers for line in "\n".join(each.examples).replace("\\\n", " ").splitlines() if line.strip()
    ]


@pytest.mark.parametrize("example", _examples())
def test_an_example_of_the_help_is_a_command_line(example: str) -> None:
    words = shlex.split(example, comments=True)
    words = words[words.index("avicenne") + 1 :]
    words = words[: words.index("<")] if "<" in words else words
    arguments.build_parser().parse_args(words)
    assert [word for word in words if word.endswith(".tape") and not (ROOT / word).is_file()] == []


def test_no_secret_has_a_flag() -> None:
    words = json.dumps([vars(action)["option_strings"] for action in arguments.build_parser()._actions])
    assert "--pin " not in words
    assert cli.main(["inbox", "--pin", "1234"]) == ExitCode.USAGE


def test_folders_are_those_of_the_counter() -> None:
    assert tuple(Folder) == arguments.FOLDERS


def test_every_command_names_a_function_that_exists() -> None:
    parser = arguments.build_parser()
    (commands,) = [action for action in parser._actions if hasattr(action, "choices") and action.choices]
    for name, sub in commands.choices.items():
        if name not in arguments.PROGRAMS:
            assert callable(cli.command(sub.get_default("run")))


def test_without_a_terminal_the_application_says_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    code, _out, err = call(capsys)
    assert code == ExitCode.USAGE
    assert "--help" in err


def test_other_programs_are_become_not_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    became: list[list[str]] = []

    def become(_path: str, words: list[str]) -> None:
        became.append(words[1:])

    monkeypatch.setattr(cli.os, "execv", become)
    cli.main(["demo", "--play", "x.tape"])
    cli.main(["vcard", "--help"])
    assert became == [["-m", "demo", "--play", "x.tape"], ["-m", "crypto.card.virtual", "--help"]]


def loaded(code: str) -> set[str]:
    """The modules that a fresh interpreter loads more than an empty program does."""
    report = "print('\\n'.join(set(sys.modules) - before), file=sys.__stderr__)"
    script = f"import sys; before = set(sys.modules); {code}; {report}"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


def test_help_loads_words_and_argparse_only() -> None:
    modules = loaded("from tui.cli import main; main(['--help'])")
    assert not {
        name for name in modules if name.split(".")[0] in ("textual", "rich", "asyncio", "httpx", "msgspec", "apsw")
    }
    assert len(modules) < 60


def test_verbs_load_no_terminal_library() -> None:
    modules = loaded("from tui.cli import command; command('tui.acts:request'); command('tui.doctor:card')")
    assert "client.headless" in modules
    assert not {name for name in modules if name.split(".")[0] in ("textual", "rich", "screens", "httpx", "websockets")}
