"""The activity export as a file: XLSX with typed cells, CSV that French Excel opens (domain.md 1.G, G09, G16).

Names and subjects were typed by others, and a spreadsheet runs what looks like a formula: XLSX cells are written as
strings, CSV cells are guarded by an apostrophe. A file is complete or absent, and never replaces another one.
"""

from __future__ import annotations

import csv
import io
import os
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from client.i18n import _
from client.untrusted import visible
from domain.activity import ActivityRow, Professional
from domain.tariffs import YEARLY_LIMIT

if TYPE_CHECKING:
    from xlsxwriter import Workbook  # type: ignore[import-untyped]

Cell = str | date | Decimal | None
"""What a cell holds: text, a civil date, euros, or nothing."""

MAX_CELL_CHARS = 32_767
"""Excel's limit for the text of one cell ("Excel specifications and limits")."""

_FORMULA_STARTS = frozenset("=+-@＝＋－＠\t\r")
"""OWASP, "CSV injection", with the full-width forms that spreadsheets read alike."""
_SURROGATES = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the export: its head, what it takes from a row, and how wide it may grow."""

    head: str
    cell: Callable[[ActivityRow], Cell]
    widest_chars: int = 30


def columns() -> tuple[Column, ...]:
    """Return the columns of G15, heads in the user's language."""
    return (
        Column(_("Identifiant"), lambda row: row.id, 34),
        Column(_("Objet"), lambda row: row.objet, 40),
        Column(_("Date de la demande"), lambda row: row.date_demande),
        Column(_("Date de finalisation"), lambda row: row.date_finalisation),
        Column(_("Niveau"), lambda row: row.niveau),
        Column(_("Code acte"), lambda row: row.code_acte),
        Column(_("Montant (€)"), lambda row: row.montant),
        Column(_("Patient : nom"), lambda row: row.patient_nom),
        Column(_("Patient : prénoms"), lambda row: row.patient_prenoms),
        Column(_("Patient : date de naissance"), lambda row: _date(row.patient_naissance)),
        Column(_("Patient : NIR"), lambda row: row.patient_nir),
        *_professional_columns(_("Demandeur"), _("profession"), lambda row: row.demandeur),
        *_professional_columns(_("Expert"), _("spécialité"), lambda row: row.expert),
        Column(_("Compte"), lambda row: _("service") if row.compte_service else _("personnel")),
        Column(_("Rang dans l'année"), lambda row: "" if row.rang is None else f"{row.rang}/{YEARLY_LIMIT}"),
        Column(_("Hors plafond"), lambda row: _yes_no(yes=row.hors_plafond)),
        Column(_("Compte rendu déposé le"), lambda row: row.depose_le),
        Column(_("Consentement"), lambda row: _yes_no(yes=row.consentement)),
        Column(_("Tiers payant AMO"), lambda row: _yes_no(yes=row.tiers_payant_amo)),
    )


def _professional_columns(side: str, profession: str, of: Callable[[ActivityRow], Professional]) -> tuple[Column, ...]:
    return (
        Column(_("{side} : nom").format(side=side), lambda row: of(row).nom),
        Column(_("{side} : prénom").format(side=side), lambda row: of(row).prenom),
        Column(_("{side} : identifiant national").format(side=side), lambda row: of(row).id_nat),
        Column(f"{side} : {profession}", lambda row: of(row).profession),
        Column(_("{side} : numéro de facturation").format(side=side), lambda row: of(row).numero_facturation),
        Column(_("{side} : nature du numéro").format(side=side), lambda row: str(of(row).nature or "")),
    )


def _date(iso: str) -> Cell:
    """A real date where there is one; what was typed otherwise."""
    try:
        return date.fromisoformat(iso)
    except ValueError:
        return iso


def _yes_no(*, yes: bool) -> str:
    return _("oui") if yes else _("non")


def clean(text: str) -> str:
    """Return text fit for a cell: controls shown as signs, no lone surrogate, within Excel's length."""
    shown = visible(text).translate(_SURROGATES)
    return shown if len(shown) <= MAX_CELL_CHARS else shown[: MAX_CELL_CHARS - 1] + "…"


# --- CSV ----------------------------------------------------------------------------------------------------


def write_csv(path: Path, rows: Sequence[ActivityRow]) -> Path:
    """Write the export as CSV and return where it went: UTF-8 with BOM, `;`, CRLF, quoted after RFC 4180.

    Dates are ISO 8601, amounts have a decimal comma. Identifiers are given as they are: a spreadsheet may drop a
    leading zero on opening, which XLSX does not.

    Raises:
        OSError: the file cannot be written; nothing is left behind.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=";", lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    shown = columns()
    writer.writerow([column.head for column in shown])
    writer.writerows([_csv_cell(column.cell(row)) for column in shown] for row in rows)
    return write_new(path, text.getvalue().encode("utf-8-sig"))


def _csv_cell(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case Decimal():
            return f"{cell:.2f}".replace(".", ",")
        case date():
            return cell.isoformat()
        case text:
            return guard(clean(text))


def guard(text: str) -> str:
    """Prefix with an apostrophe what a spreadsheet could take for a formula, behind any blank or unseen character.

    >>> guard("=1+1")
    "'=1+1"
    """
    seen = (char for char in text if char in _FORMULA_STARTS or not _skipped(char))
    return f"'{text}" if next(seen, "") in _FORMULA_STARTS else text


def _skipped(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in {"Cc", "Cf", "Mn"}


# --- XLSX ---------------------------------------------------------------------------------------------------


def write_xlsx(path: Path, rows: Sequence[ActivityRow]) -> Path:
    """Write the export as an Excel workbook and return where it went.

    Sheet « Activité »: strings typed as such, real dates and amounts, head frozen and filtered. Sheet « Lisez-moi »:
    the rules of billing that a reader needs.

    Raises:
        OSError: the file cannot be written; nothing is left behind.
    """
    from xlsxwriter import Workbook

    content = io.BytesIO()
    with Workbook(content, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}) as book:
        _write_activity(book, rows)
        _write_read_me(book)
    return write_new(path, content.getvalue())


def _write_activity(book: Workbook, rows: Sequence[ActivityRow]) -> None:
    sheet = book.add_worksheet(_("Activité"))
    head = book.add_format(
        {"bold": True, "font_color": "#FFFFFF", "bg_color": "#0F6B4F", "text_wrap": True, "valign": "vcenter"}
    )
    formats = _Formats(
        text=book.add_format({"num_format": "@"}),
        date=book.add_format({"num_format": "dd/mm/yyyy", "align": "left"}),
        amount=book.add_format({"num_format": '#,##0.00 "€"'}),
    )
    shown = columns()
    for at, column in enumerate(shown):
        cells = [column.cell(row) for row in rows]
        sheet.write_string(0, at, column.head, head)
        for line, cell in enumerate(cells, start=1):
            _write_cell(sheet, line, at, cell, formats)
        sheet.set_column(at, at, _width(column, cells))
    sheet.set_row(0, 32)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, len(rows), len(shown) - 1)
    sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})  # Identifiers are text on purpose.


@dataclass(frozen=True, slots=True)
class _Formats:
    text: Any
    date: Any
    amount: Any


def _write_cell(sheet: Any, line: int, at: int, cell: Cell, formats: _Formats) -> None:
    match cell:
        case None:
            pass
        case Decimal():
            sheet.write_number(line, at, float(cell), formats.amount)
        case date() if cell.year >= _EXCEL_FIRST_YEAR:
            sheet.write_datetime(line, at, cell, formats.date)
        case date():
            sheet.write_string(line, at, f"{cell:%d/%m/}{cell.year:04d}", formats.text)
        case text:
            sheet.write_string(line, at, clean(text), formats.text)


_EXCEL_FIRST_YEAR = 1900
"""Excel's calendar begins here; an older birth date is written as text."""


def _width(column: Column, cells: Sequence[Cell]) -> float:
    """In characters: the longest line of the column, between a readable head and its own limit."""
    longest = max((len(line) for cell in cells if isinstance(cell, str) for line in cell.split("\n")), default=0)
    return float(min(max(longest + 2, 12), column.widest_chars))


def read_me() -> tuple[str, ...]:
    """Return the rules printed beside the export, one line each (domain.md 4.2)."""
    return (
        _("Activité de téléexpertise : seules les téléexpertises finalisées figurent dans ce classeur."),
        _("La période porte sur la date de finalisation, qui est la date de l'acte et fixe le tarif."),
        _("Tiers payant AMO : à cocher pour TE2 comme pour RQD ; sinon la caisse paie le patient, pas le praticien."),
        _("Prise en charge à 100 % par l'assurance maladie obligatoire, sans dépassement ni cumul avec un autre acte."),
        _("Feuille de soins électronique en mode dégradé ou « SESAM sans Vitale » : le patient n'est pas présent."),
        _(
            "Plafond : {limit} actes par année civile, par patient et par professionnel, TE2 et RQD comptés à part."
        ).format(limit=YEARLY_LIMIT),
        _("Hors plafond « oui » : l'acte reste tracé, n'est pas facturable, et son montant vaut 0."),
        _("Le compte rendu doit être déposé au dossier du patient avant de facturer."),
        _("Chacun facture son acte : le requis (expert) TE2, le requérant (demandeur) RQD."),
        _("Nature du numéro : AM (numéro d'Assurance Maladie) en libéral, FINESS géographique en salarié."),
        _("Une cellule vide signifie « non renseigné »."),
        _("Ce fichier contient des données de santé : le conserver et le transmettre comme telles."),
    )


def _write_read_me(book: Workbook) -> None:
    sheet = book.add_worksheet(_("Lisez-moi"))
    title = book.add_format({"bold": True, "font_size": 14, "font_color": "#0F6B4F"})
    body = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.set_column(0, 0, 110)
    sheet.write_string(0, 0, _("Export d'activité Avicenne"), title)
    for line, rule in enumerate(read_me(), start=2):
        sheet.write_string(line, 0, rule, body)


# --- the file -----------------------------------------------------------------------------------------------


def write_new(path: Path, content: bytes) -> Path:
    """Write `content` at `path`, or at `name-2`, `name-3`... when taken; readable by the owner only.

    The bytes reach the disk under a temporary name first: a crash leaves the whole file or none of it.
    """
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".avicenne-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        written = _claim(path)
        Path(temporary).replace(written)
    except BaseException:
        with suppress(FileNotFoundError):
            Path(temporary).unlink()
        raise
    _sync_directory(path.parent)
    return written


def _claim(path: Path) -> Path:
    """Take the first free name by creating it: two exports at once cannot choose the same."""
    number, candidate = 1, path
    while True:
        try:
            candidate.touch(mode=0o600, exist_ok=False)
        except FileExistsError:
            number += 1
            candidate = path.with_name(f"{path.stem}-{number}{path.suffix}")
        else:
            return candidate


def _sync_directory(directory: Path) -> None:
    """Make the new name last; systems that cannot open a directory do without."""
    with suppress(OSError):
        handle = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
