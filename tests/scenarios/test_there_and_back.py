"""A whole tele-expertise between two desks, over real TLS, from the cards to the export: what the product is for."""

from __future__ import annotations

import csv
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pypdf
from openpyxl import load_workbook

from client.intents import (
    EditForm,
    ExchangeKind,
    ExportActivity,
    Finalise,
    Folder,
    PatientEntry,
    PrepareFinalisation,
    SaveAttachment,
    SelectFolder,
    TakeInCharge,
)
from client.updates import CaseChanged, FileSaved, FinalisationPrepared, MailboxChanged, RequestStarted
from client.views import CaseView, LoginPhase, TimelineEntry
from domain.tariffs import price
from tests.support.practice import Desk, Practice
from tests.support.region import ANNE, MARIE, PREREQUIS

QUESTION = "Faut-il adresser cette patiente au dermatologue ?"
HISTOIRE = "Lésion apparue il y a six mois, prurit nocturne."
MORE = "Depuis quand la lésion saigne-t-elle ?"
GIVEN = "Elle saigne depuis trois semaines."
ASIDE = "Je suis joignable au cabinet jusqu'à 19 heures."
OPINION = "Exérèse complète sous deux semaines, avec analyse anatomopathologique."
PHOTO = b"\xff\xd8\xff\xe0 not a real photograph " + bytes(range(256)) * 700


async def test_a_request_is_answered_finalised_and_billed(practice: Practice, tmp_path: Path) -> None:
    await practice.start_process()
    marie, anne = practice.sit(MARIE), practice.sit(ANNE)
    for desk in (marie, anne):
        assert (await desk.at_door(LoginPhase.ENTER_PIN)).holder == f"{desk.who.prenom} {desk.who.nom}"
        await desk.sign_in()

    case = await _ask(marie, tmp_path)
    await _is_read(anne, case, tmp_path)
    await _is_discussed(marie, anne, case, tmp_path)
    await _is_finalised(marie, anne, case)
    await _is_billed(marie, anne, case)


async def _ask(marie: Desk, tmp_path: Path) -> str:
    photo, letter = tmp_path / "épaule gauche.jpg", tmp_path / "courrier.txt"
    photo.write_bytes(PHOTO)
    letter.write_text("Chère consœur,\n", encoding="utf-8")
    case = await marie.request(
        ANNE,
        files=[photo, letter],
        objet="Lésion de l'épaule",
        histoire_clinique=HISTOIRE,
        question=QUESTION,
        patient=PatientEntry("SPECIMEN", "Lucette", "F", "17/04/1958", "258044299100707"),
        numero_facturation="",
        urgent=True,
    )
    await marie.all_sent()
    assert (await marie.sees(case, "requested")).urgent
    started = [update for update in marie.heard if isinstance(update, RequestStarted)]
    assert [update.case for update in started] == [case]
    return case


async def _is_read(anne: Desk, case: str, tmp_path: Path) -> None:
    row = await anne.sees(case, "requested")
    assert (row.unread, row.as_requis, row.objet, row.patient) == (1, True, "Lésion de l'épaule", "Lucette SPECIMEN")
    unread = await anne.ask(SelectFolder(Folder.UNREAD), MailboxChanged)
    assert [each.case for each in unread.view.rows] == [case]
    await anne.ask(SelectFolder(Folder.INBOX), MailboxChanged)
    view = await anne.open(case)
    assert (view.histoire_clinique, view.question, view.prerequis) == (HISTOIRE, QUESTION, PREREQUIS)
    assert view.consentement
    assert {line.label: line.value for line in view.patient_sheet}["NIR"] == "2 58 04 42 991 007 07"
    assert [line.name for line in view.form_attachments] == ["épaule gauche.jpg", "courrier.txt"]
    assert await _saved(anne, view, "épaule gauche.jpg", tmp_path / "chez-anne") == PHOTO


async def _saved(desk: Desk, view: CaseView, name: str, directory: Path) -> bytes:
    lines = (*view.form_attachments, *(line for entry in view.timeline for line in entry.attachments))
    line = next(line for line in lines if line.name == name)
    answer = await desk.ask(SaveAttachment(view.case, line.attachment, str(directory)), FileSaved)
    return Path(answer.path).read_bytes()


async def _is_discussed(marie: Desk, anne: Desk, case: str, tmp_path: Path) -> None:
    await anne.do(TakeInCharge(case))
    await anne.say(case, MORE, ExchangeKind.ASK_MORE, question=True)
    await marie.sees(case, "on-hold")
    await marie.open(case)
    photo = tmp_path / "détail.jpg"
    photo.write_bytes(PHOTO[::-1])
    await marie.say(case, GIVEN, ExchangeKind.GIVE_MORE, attachments=(str(photo),))
    await marie.say(case, ASIDE)
    await anne.sees(case, "in-progress")
    await anne.do(EditForm(case, "Mélanome suspecté de l'épaule", HISTOIRE, QUESTION))
    await marie.until(lambda: (row := marie.row(case)) is not None and "Mélanome" in row.objet, "the edited form")
    view = await anne.open(case)
    assert await _saved(anne, view, "détail.jpg", tmp_path / "chez-anne") == PHOTO[::-1]
    await anne.say(case, OPINION, ExchangeKind.ANSWER)

    await marie.open(case)
    await marie.all_sent()
    seen = await anne.hears(CaseChanged, lambda update: _entry(update.view, OPINION).seen_by == ("MT",))
    assert _entry(seen.view, MORE).seen_by == ("MT",)
    assert _entry(seen.view, GIVEN).seen_by == ()
    assert seen.view.taken_by == ANNE.name


def _entry(view: CaseView, text: str) -> TimelineEntry:
    nothing = TimelineEntry("", "", "", "", "", False, "", "")
    return next((entry for entry in view.timeline if entry.text == text), nothing)


async def _is_finalised(marie: Desk, anne: Desk, case: str) -> None:
    wizard = (await anne.ask(PrepareFinalisation(case), FinalisationPrepared)).view
    assert (wizard.numero_requis, wizard.numero_requerant) == (ANNE.numero, "")
    assert any("non renseigné" in warning for warning in wizard.warnings)
    ticked = tuple(entry.event for entry in wizard.exchanges if entry.text != ASIDE)
    assert len(ticked) == len(wizard.exchanges) - 1
    await anne.do(Finalise(case, "TE2", "", wizard.experts[0].key, wizard.numero_requis, ticked))
    await anne.sees(case, "completed")
    await marie.sees(case, "completed")
    texts = [await _synthesis(desk, case) for desk in (marie, anne)]
    assert texts[0] == texts[1]
    for words in (QUESTION, HISTOIRE, MORE, GIVEN, OPINION, ANNE.id_nat, MARIE.id_nat, "SPECIMEN", "non renseigné"):
        assert _flat(words) in texts[0], words
    assert _flat(ASIDE) not in texts[0]


def _flat(text: str) -> str:
    return "".join(text.split())


async def _synthesis(desk: Desk, case: str) -> str:
    """The words of the PDF as this desk opens it; line breaks are the page's, not the author's."""
    view = await desk.open(case)
    assert view.finalised_at
    numbers = {line.label: line.value for line in view.recap if line.label.startswith("N°")}
    assert list(numbers.values()) == [f"{ANNE.numero} (AM)", ""]
    line = next(line for entry in view.timeline for line in entry.attachments if line.is_synthese)
    saved = await desk.ask(SaveAttachment(case, line.attachment), FileSaved)
    assert saved.what == "synthese"
    assert Path(saved.path).parent == desk.settings.downloads_dir
    return _flat("".join(page.extract_text() for page in pypdf.PdfReader(saved.path).pages))


async def _is_billed(marie: Desk, anne: Desk, case: str) -> None:
    today = datetime.now(ZoneInfo("Europe/Paris")).date()
    for desk, role, code in ((marie, "requerant", "RQD"), (anne, "requis", "TE2")):
        sheets = [await _exported(desk, role, kind) for kind in ("xlsx", "csv")]
        for row in sheets:
            assert row["Identifiant"] == case
            assert row["Objet"] == "Mélanome suspecté de l'épaule"
            assert row["Code acte"] == code
            assert Decimal(row["Montant (€)"].replace(",", ".")) == price(code, today)
            assert row["Patient : nom"] == "SPECIMEN"
            assert row["Patient : NIR"].replace(" ", "") == "258044299100707"
            assert row["Expert : numéro de facturation"] == ANNE.numero
            assert row["Demandeur : numéro de facturation"] == ""
            assert row["Demandeur : identifiant national"] == MARIE.id_nat
            assert row["Consentement"] == "oui"
        other = "requis" if role == "requerant" else "requerant"
        nothing = await desk.ask(ExportActivity(other, "csv"), FileSaved, lambda update: update.what == "export")
        assert nothing.rows == 0


async def _exported(desk: Desk, role: str, kind: str) -> dict[str, str]:
    saved = await desk.ask(ExportActivity(role, kind), FileSaved, lambda update: update.what == "export")
    assert saved.rows == 1
    if kind == "csv":
        with open(saved.path, encoding="utf-8-sig", newline="") as file:  # noqa: PTH123 - newline matters to csv
            (row,) = csv.DictReader(file, delimiter=";")
        return row
    sheet = load_workbook(saved.path)["Activité"]
    head, cells = list(sheet.iter_rows(values_only=True))[:2]
    return {str(name): "" if cell is None else str(cell) for name, cell in zip(head, cells, strict=True)}
