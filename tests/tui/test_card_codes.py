"""A new code for a card, on a virtual card in this process: what is asked, what is said, what the card keeps."""

from __future__ import annotations

import getpass
import json
import sys
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.card.inprocess import InProcessCardPort
from crypto.card.port import CardPort
from crypto.card.virtual import pki
from crypto.card.virtual.image import CardImage, load_image, save_image
from crypto.card.virtual.personalise import personalise
from tests.crypto.card.desk import NOW, PHYSICIAN, ROWS
from tui import card_codes, cli
from tui.exit_codes import ExitCode

PUK = PHYSICIAN.code_deblocage


@pytest.fixture(scope="module")
def factory() -> CardImage:
    return personalise(PHYSICIAN, ROWS["PS02"], pki.generate_igc(NOW), not_before=NOW)


@pytest.fixture
def image(factory: CardImage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A card in the one reader that the commands see."""
    path = tmp_path / "card.json"
    save_image(path, factory)
    _readers(monkeypatch, {"Lecteur": path})
    return path


def _readers(monkeypatch: pytest.MonkeyPatch, held: Mapping[str, Path | None], demo_pin: str = "") -> None:
    real = card_codes.replace_code

    def opened(args: Namespace) -> tuple[CardPort, str, str]:
        return InProcessCardPort(list(held.items())), args.reader, demo_pin

    monkeypatch.setattr(card_codes, "replace_code", lambda args: real(args, opened))


def _state(image: Path) -> tuple[int, int]:
    memory = load_image(image)
    return memory.pin.tries_left, memory.puk.tries_left


def _wear(image: Path, *, pin: int | None = None, puk: int | None = None) -> None:
    memory = load_image(image)
    if pin is not None:
        memory = replace(memory, pin=replace(memory.pin, tries_left=pin))
    if puk is not None:
        memory = replace(memory, puk=replace(memory.puk, tries_left=puk))
    save_image(image, memory)


def _accepts(image: Path, pin: str) -> bool:
    port = InProcessCardPort([("Lecteur", image)])
    port.sign("Lecteur", [b"x"], pin)
    return True


def _file(tmp_path: Path, name: str, code: str) -> str:
    path = tmp_path / name
    path.write_text(f"{code}\n")
    return str(path)


def _typed(monkeypatch: pytest.MonkeyPatch, *codes: str) -> list[str]:
    """A terminal where these are typed; gives what was asked."""
    asked: list[str] = []
    rest = iter(codes)

    def typing(prompt: str, stream: object = None) -> str:
        asked.append(prompt)
        return next(rest)

    monkeypatch.setattr(getpass, "getpass", typing)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
    return asked


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = cli.main(["card", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_blocked_card_takes_a_new_code_from_files(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _wear(image, pin=0)
    files = ["--puk-file", _file(tmp_path, "puk", PUK), "--pin-file", _file(tmp_path, "new", "246810")]
    code, out, err = call(capsys, "unblock", *files, "--no-input", "--json")
    assert code == ExitCode.OK
    assert json.loads(out) == {
        "schema": "avicenne.card-code/1",
        "action": "unblock",
        "card": "CPS " + InProcessCardPort([("L", image)]).identity("L").serial,
        "reader": "Lecteur",
        "tries_left": 3,
    }
    assert PUK not in out + err
    assert "246810" not in out + err
    assert _accepts(image, "246810")


def test_codes_are_asked_on_the_terminal_the_new_one_twice(
    image: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = _typed(monkeypatch, PUK, "2468", "2468")
    code, out, _err = call(capsys, "unblock")
    assert (code, len(asked)) == (ExitCode.OK, 3)
    assert "il reste 3 essais" in out
    asked = _typed(monkeypatch, "2468", "1357", "1357")
    assert call(capsys, "change-pin")[0] == ExitCode.OK
    assert "il reste 3 essais" in asked[0]
    assert _accepts(image, "1357")


def test_two_different_new_codes_change_nothing(
    image: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for words, typed in ((["unblock"], (PUK, "2468", "2469")), (["change-pin"], ("1234", "2468", "2469"))):
        _typed(monkeypatch, *typed)
        code, out, err = call(capsys, *words)
        assert (code, out) == (ExitCode.DATA, "")
        assert "diffèrent" in err
    assert _accepts(image, "1234")


def test_a_code_that_cannot_be_one_never_reaches_the_card(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = _state(image)
    short = _file(tmp_path, "short", "123")
    for files in (
        ["unblock", "--puk-file", short],
        ["unblock", "--puk-file", _file(tmp_path, "puk", PUK), "--pin-file", short],
        ["change-pin", "--pin-file", short],
        ["change-pin", "--pin-file", _file(tmp_path, "pin", "9999"), "--new-pin-file", short],
    ):
        assert call(capsys, *files, "--no-input")[0] == ExitCode.DATA
    assert _state(image) == before


def test_the_wrong_present_code_says_the_tries_left_then_blocks(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = ["--pin-file", _file(tmp_path, "old", "9999"), "--new-pin-file", _file(tmp_path, "new", "2468")]
    for words in ("il reste 2 essais", "il reste 1 essai", "avicenne card unblock", "avicenne card unblock"):
        code, out, err = call(capsys, "change-pin", *files)
        assert (code, out) == (ExitCode.PERMISSION, "")
        assert words in err


def test_the_wrong_code_of_unblocking_says_the_tries_left_then_the_death_of_the_card(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _wear(image, pin=0, puk=2)
    files = ["--puk-file", _file(tmp_path, "puk", "00000000"), "--pin-file", _file(tmp_path, "new", "2468")]
    for words in ("il reste 1 essai avant", "définitivement inutilisable ; demandez", "définitivement inutilisable ;"):
        code, out, err = call(capsys, "unblock", *files)
        assert (code, out) == (ExitCode.PERMISSION, "")
        assert words in err


def test_a_fictional_persona_gives_the_present_code(
    image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    _readers(monkeypatch, {"Lecteur": image}, demo_pin="1234")
    new = _file(tmp_path, "new", "2468")
    code, _out, err = call(capsys, "change-pin", "--new-pin-file", new, "--no-input")
    assert code == ExitCode.OK
    assert "ancien code" in err


def test_nobody_to_ask(image: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["unblock"], ["change-pin"], ["unblock", "--puk-file", _file(tmp_path, "puk", PUK)]):
        assert call(capsys, *words, "--no-input")[0] == ExitCode.PERMISSION
    assert _state(image) == (3, 3)


def test_one_card_and_only_one(
    image: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for held, words, status in (
        ({}, "aucun lecteur", ExitCode.PERMISSION),
        ({"A": None}, "aucune carte", ExitCode.PERMISSION),
        ({"A": image, "B": image}, "--reader : A, B", ExitCode.USAGE),
    ):
        monkeypatch.undo()
        _readers(monkeypatch, held)
        code, out, err = call(capsys, "change-pin", "--no-input")
        assert (code, out) == (status, "")
        assert words in err


def test_no_flag_and_no_variable_carries_a_code(
    image: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVICENNE_PUK", PUK)
    monkeypatch.setenv("AVICENNE_PIN", "2468")
    assert call(capsys, "unblock", "--no-input")[0] == ExitCode.PERMISSION
    assert call(capsys, "unblock", "--puk", PUK)[0] == ExitCode.USAGE
