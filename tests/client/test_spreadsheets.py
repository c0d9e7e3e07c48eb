"""The exports byte by byte, read back by other libraries, with the names that people give to break spreadsheets."""

from __future__ import annotations

import csv
import io
import os
import stat
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl  # type: ignore[import-untyped]
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from client.adapters.spreadsheets import (
    MAX_CELL_CHARS,
    clean,
    columns,
    guard,
    read_me,
    write_csv,
    write_new,
    write_xlsx,
)
from domain.activity import ActivityRow, Professional
from domain.identifiers import ConversationId
from domain.practitioners import NumberNature

ROW = ActivityRow(
    id=ConversationId("0190f3c2a1b47c3e8d5f60718293a4b5"),
    objet="Lésion pigmentée du dos",
    date_demande=date(2026, 7, 10),
    date_finalisation=date(2026, 7, 12),
    niveau="TE2",
    code_acte="TE2",
    montant=Decimal("23.00"),
    patient_nom="SPECIMEN",
    patient_prenoms="LUCETTE",
    patient_naissance="1958-04-17",
    patient_nir="258046999200130",
    demandeur=Professional("TOURNEVENT", "Marie", "899700001011", "Médecine générale", "011990256", NumberNature.AM),
    expert=Professional("CHARLIER", "Anne", "899700001029", "Dermatologie", "429901044", NumberNature.FINESS),
    compte_service=False,
    rang=3,
    hors_plafond=False,
    depose_le=None,
    consentement=True,
)

HOSTILE = (
    "=cmd|' /C calc'!A0",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "\u200b=1+1",
    "＝1＋1",
    "＠SUM(A1)",
    '=HYPERLINK("https://x.example";"clic")',
    'a;b"c\nd',
    "\x1b]0;titre\x07\x1b[31mrouge",
    "_x0041_ &amp; <b>",
    "\u202ecod.exe",
    "NUL\x00NUL",
    "\ud800",
)


def read_csv(path: Path) -> list[list[str]]:
    return list(csv.reader(io.StringIO(path.read_bytes().decode("utf-8-sig"), newline=""), delimiter=";"))


def read_sheet(path: Path) -> list[list[Any]]:
    book = openpyxl.load_workbook(path)
    return [list(row) for row in book.worksheets[0].iter_rows()]


# --- CSV -----------------------------------------------------------------------------------------------------------


def test_the_csv_is_these_bytes(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "activite.csv", [replace(ROW, objet='Lésion "du dos" ; suite')])

    assert (
        path.read_bytes()
        == (
            "\ufeffIdentifiant;Objet;Date de la demande;Date de finalisation;Niveau;Code acte;Montant (€);"
            "Patient : nom;Patient : prénoms;Patient : date de naissance;Patient : NIR;"
            "Demandeur : nom;Demandeur : prénom;Demandeur : identifiant national;Demandeur : profession;"
            "Demandeur : numéro de facturation;"
            "Demandeur : nature du numéro;Expert : nom;Expert : prénom;Expert : identifiant national;"
            "Expert : spécialité;Expert : numéro de facturation;Expert : nature du numéro;Compte;"
            "Rang dans l'année;Hors plafond;Compte rendu déposé le;Consentement;Tiers payant AMO\r\n"
            '0190f3c2a1b47c3e8d5f60718293a4b5;"Lésion ""du dos"" ; suite";2026-07-10;2026-07-12;TE2;TE2;23,00;SPECIMEN;'
            "LUCETTE;1958-04-17;258046999200130;TOURNEVENT;Marie;899700001011;Médecine générale;011990256;AM;CHARLIER;"
            "Anne;899700001029;Dermatologie;429901044;FINESS;personnel;3/4;non;;oui;oui\r\n"
        ).encode()
    )


def test_absent_values_are_empty_cells(tmp_path: Path) -> None:
    bare = replace(
        ROW, montant=None, rang=None, depose_le=date(2026, 7, 13), patient_naissance="", compte_service=True,
        demandeur=Professional("", "", "", "", "", None), hors_plafond=True, consentement=False,
    )  # fmt: skip
    _head, line = read_csv(write_csv(tmp_path / "a.csv", [bare]))
    assert line[6] == line[9] == line[16] == line[24] == ""
    assert line[23:] == ["service", "", "oui", "2026-07-13", "non", "oui"]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_csv_cell_is_a_formula_or_an_escape_sequence(text: str, tmp_path: Path) -> None:
    row = replace(ROW, objet=text, patient_nom=text, patient_nir=text, expert=replace(ROW.expert, nom=text))
    path = write_csv(tmp_path / "a.csv", [row])
    lines = read_csv(path)
    assert len(lines) == 2
    assert lines[1][1] == lines[1][7] == lines[1][10] == lines[1][17] == guard(clean(text))
    for cell in lines[1]:
        assert cell.lstrip("\ufeff\u200b \t\r\n")[:1] not in set("=+-@＝＋－＠")
    assert not set(path.read_bytes().decode()) & set("\x00\x1b\x07\u202e")


@given(st.text(st.characters(codec=None), max_size=60))
def test_a_guarded_cell_never_starts_a_formula(text: str) -> None:
    guarded = guard(clean(text))
    assert guarded[:1] not in set("=+-@＝＋－＠\t\r")
    assert guarded in {clean(text), f"'{clean(text)}"}


@given(st.lists(st.tuples(st.text(max_size=30), st.text(st.sampled_from("=+;\"'\r\n\té"), max_size=8)), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50)
def test_csv_cells_come_back(tmp_path: Path, texts: list[tuple[str, str]]) -> None:
    rows = [replace(ROW, objet=objet, patient_nom=nom) for objet, nom in texts]
    lines = read_csv(write_csv(tmp_path / "a.csv", rows))[1:]
    assert [(line[1], line[7]) for line in lines] == [(guard(clean(objet)), guard(clean(nom))) for objet, nom in texts]


def test_ordinary_words_are_left_alone() -> None:
    for text in ("Éruption", "d'Arc", "1 = 1", "a-b", "", "'cité"):
        assert guard(text) == text


# --- XLSX ----------------------------------------------------------------------------------------------------------


def test_xlsx_cells_are_typed(tmp_path: Path) -> None:
    head, line = read_sheet(write_xlsx(tmp_path / "activite.xlsx", [ROW]))

    assert [cell.value for cell in head] == [column.head for column in columns()]
    assert [cell.value for cell in line] == [
        "0190f3c2a1b47c3e8d5f60718293a4b5", "Lésion pigmentée du dos", datetime(2026, 7, 10), datetime(2026, 7, 12),  # noqa: DTZ001
        "TE2", "TE2", 23, "SPECIMEN", "LUCETTE", datetime(1958, 4, 17), "258046999200130",  # noqa: DTZ001
        "TOURNEVENT", "Marie", "899700001011", "Médecine générale", "011990256", "AM",
        "CHARLIER", "Anne", "899700001029", "Dermatologie", "429901044", "FINESS",
        "personnel", "3/4", "non", None, "oui", "oui",
    ]  # fmt: skip
    by_head = {above.value: cell for above, cell in zip(head, line, strict=True)}
    assert by_head["Patient : NIR"].data_type == "s"
    assert by_head["Patient : NIR"].number_format == "@"
    assert by_head["Date de finalisation"].is_date
    assert by_head["Montant (€)"].data_type == "n"
    assert "€" in by_head["Montant (€)"].number_format


def test_the_sheet_is_ready_to_read(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_xlsx(tmp_path / "a.xlsx", [ROW, ROW]))
    sheet = book["Activité"]
    assert sheet.freeze_panes == "C2"
    assert sheet.auto_filter.ref == "A1:AC3"
    assert sheet.column_dimensions["A"].width > 30
    assert book.sheetnames == ["Activité", "Lisez-moi"]


def test_the_rules_are_printed_beside(tmp_path: Path) -> None:
    book = openpyxl.load_workbook(write_xlsx(tmp_path / "a.xlsx", []))
    said = [cell.value for (cell,) in book["Lisez-moi"].iter_rows(max_col=1) if cell.value]
    assert said[1:] == list(read_me())
    assert any("Tiers payant AMO : à cocher pour TE2 comme pour RQD" in line for line in said)


@pytest.mark.parametrize("text", HOSTILE)
def test_no_xlsx_cell_is_a_formula_or_a_link(text: str, tmp_path: Path) -> None:
    path = write_xlsx(tmp_path / "a.xlsx", [replace(ROW, objet=text, patient_nir=text)])
    (_head, line) = read_sheet(path)
    assert line[1].data_type == line[10].data_type == "s"
    assert line[1].value == line[10].value == clean(text)
    assert line[1].hyperlink is None


@given(st.text(st.characters(codec=None), min_size=1, max_size=60).filter(lambda text: clean(text) != ""))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
def test_xlsx_strings_come_back(tmp_path: Path, text: str) -> None:
    line = read_sheet(write_xlsx(tmp_path / "a.xlsx", [replace(ROW, objet=text)]))[1]
    assert line[1].value == clean(text)


def test_a_text_too_long_for_a_cell_is_cut_in_sight(tmp_path: Path) -> None:
    line = read_sheet(write_xlsx(tmp_path / "a.xlsx", [replace(ROW, objet="é" * 40_000)]))[1]
    assert line[1].value == "é" * (MAX_CELL_CHARS - 1) + "…"


def test_a_birth_before_the_calendar_of_excel_is_text(tmp_path: Path) -> None:
    line = read_sheet(write_xlsx(tmp_path / "a.xlsx", [replace(ROW, patient_naissance="1899-12-30")]))[1]
    assert line[9].value == "30/12/1899"


# --- the file ------------------------------------------------------------------------------------------------------


def test_an_existing_file_is_never_replaced(tmp_path: Path) -> None:
    path = tmp_path / "activite.csv"
    path.write_text("à garder")
    assert write_csv(path, [ROW]) == tmp_path / "activite-2.csv"
    assert write_csv(path, []) == tmp_path / "activite-3.csv"
    assert path.read_text() == "à garder"


def test_only_the_owner_reads_the_file_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = write_new(tmp_path / "a.bin", b"abc")
    assert path.read_bytes() == b"abc"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["a.bin"]


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_space(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(OSError, match="No space"):
        write_csv(tmp_path / "a.csv", [ROW])
    assert [each.name for each in tmp_path.iterdir()] == []
