"""The pages of the synthesis, drawn with reportlab; the only module of the client that imports it.

Order of reading, not of writing: identities, question and opinion come on the first page, then the exchanges that
led there, the files that prove it, and the billing recap. Every text passes through `printable` and is escaped:
reportlab's paragraphs read a mini-markup, and nobody's message may write in it.
"""

from __future__ import annotations

import io
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from itertools import zip_longest
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor, white  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.styles import ParagraphStyle  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]
from reportlab.platypus import (  # type: ignore[import-untyped]
    BaseDocTemplate,
    CondPageBreak,
    Flowable,
    Frame,
    KeepTogether,
    PageTemplate,
    Paragraph,
    Spacer,
    Table,
    TableStyle,
)

from client.adapters.printable import printable
from client.i18n import _, file_size, french_date, long_instant
from client.identity_checks import display_nir
from client.projections import event_title
from domain.events import Cancelled, Declined, FormEdited, RequestSent, TakenInCharge
from domain.patients import INS_NIR_TEST_OID, Patient
from domain.practitioners import BillingNumber, Party
from domain.status import Role
from domain.synthesis import AttachedFile, LateDelivery, SynthesisContent, SynthesisExchange
from domain.tariffs import CODE_OF_ROLE, NoTariffError, is_drom, price

GREEN = HexColor("#0F6B4F")
_TINT = HexColor("#EEF5F1")
_RULE = HexColor("#C9DDD3")
_INK = HexColor("#1D2733")
_GREY = HexColor("#66727F")

_WIDTH, _HEIGHT = A4
_MARGIN = 18 * mm
_TOP = 24 * mm
_BOTTOM = 20 * mm
_BODY_WIDTH = _WIDTH - 2 * _MARGIN
_GUTTER = 5 * mm

_LONGEST_LINE_CHARS = 4_000
"""A line is laid out as one paragraph; longer ones are cut, because reportlab's layout grows with the square."""
_LONGEST_CELL_CHARS = 240
"""A name, a number, a label: a table's cell cannot run over the page."""
_LONGEST_BOX_CHARS = 1_500
"""An opinion up to here stands in a tinted box, which cannot run over the page; beyond, in plain paragraphs."""


@cache
def _glyphs() -> frozenset[int]:
    """Register reportlab's own Vera faces, once, and return the code points that all of them draw."""
    faces = {"Vera": "Vera.ttf", "VeraBd": "VeraBd.ttf", "VeraIt": "VeraIt.ttf"}
    fonts = [TTFont(name, file) for name, file in faces.items()]
    for font in fonts:
        pdfmetrics.registerFont(font)
    return frozenset.intersection(*(frozenset(font.face.charToGlyph) for font in fonts))


def _style(name: str, size: float, **other: Any) -> ParagraphStyle:
    values = {"fontName": "Vera", "leading": size * 1.42, "textColor": _INK, "splitLongWords": 1} | other
    return ParagraphStyle(name, fontSize=size, **values)


_TITLE = _style("title", 17, fontName="VeraBd", textColor=GREEN, leading=21)
_SUBTITLE = _style("subtitle", 9.5, textColor=_GREY, spaceBefore=1)
_HEADING = _style("heading", 10.5, fontName="VeraBd", textColor=GREEN, spaceBefore=11, spaceAfter=3.5)
_BODY = _style("body", 9)
_OPINION = _style("opinion", 9.5, leftIndent=8, rightIndent=8)
_LABEL = _style("label", 7, textColor=_GREY, leading=9)
_VALUE = _style("value", 9, leading=12)
_STRONG = _style("strong", 9.5, fontName="VeraBd", leading=13)
_ABSENT = _style("absent", 9, fontName="VeraIt", textColor=_GREY, leading=12)
_CARD = _style("card", 8, fontName="VeraBd", textColor=GREEN, leading=10)
_SMALL = _style("small", 7.5, textColor=_GREY, leading=10)
_CELL = _style("cell", 8, leading=10.5)
_CELL_HEAD = _style("cell-head", 7.5, fontName="VeraBd", textColor=white, leading=10)
_HASH = _style("hash", 6.5, textColor=_GREY, leading=8.5)


_Lines = list[tuple[str, str]]
"""Labels and values; an empty label marks a value that stands by itself."""


# --- text ---------------------------------------------------------------------------------------------------


def _markup(text: str, longest: int) -> str:
    """Somebody's words on one line, as markup that says just that."""
    line = _typeset(re.sub(r"[ \n]+", " ", printable(text, _glyphs())).strip())
    return escape(line if len(line) <= longest else line[: longest - 1] + "…")


def _paragraph(text: str, style: ParagraphStyle) -> Flowable:
    return Paragraph(_markup(text, _LONGEST_LINE_CHARS), style)


def _cell(text: str, style: ParagraphStyle = _CELL) -> Flowable:
    return Paragraph(_markup(text, _LONGEST_CELL_CHARS), style)


def _value(text: str, style: ParagraphStyle = _VALUE) -> Flowable:
    """A value, or the words that say it is missing (F06)."""
    return _cell(text, style) if text.strip() else _cell(_("non renseigné"), _ABSENT)


_UNBREAKABLE = re.compile(
    r"(?<=[^ ]) (?=[;:!?»%€])|(?<=«) |(?<=[0-9]) (?=(?:h|min|mg|g|kg|m[lL]|mm|cm|°C|ans?|mois|jours?)\b)"
)


def _typeset(text: str) -> str:
    """French spacing: the space before `;:!?»%€` and a unit, or after `«`, does not break."""
    return _UNBREAKABLE.sub("\u00a0", text)


def _text(text: str, style: ParagraphStyle = _BODY) -> Iterator[Flowable]:
    """A text of several lines: one paragraph each, a small gap for any number of empty ones."""
    gap = False
    for line in printable(text, _glyphs()).strip().split("\n"):
        if not line.strip():
            gap = True
            continue
        if gap:
            yield Spacer(1, style.leading / 2)
        gap = False
        for start in range(0, len(line), _LONGEST_LINE_CHARS):
            yield Paragraph(escape(_typeset(line[start : start + _LONGEST_LINE_CHARS])), style)


def _moment(instant: datetime | None) -> str:
    if instant is None or instant.tzinfo is None:
        return _("heure inconnue")
    return long_instant(instant.isoformat(), zone=instant.tzinfo)


def _euros(amount: Decimal) -> str:
    return f"{amount:.2f}\u00a0€".replace(".", ",")


# --- parts of the first page --------------------------------------------------------------------------------


def _head(content: SynthesisContent) -> Iterator[Flowable]:
    yield _paragraph(_("Synthèse de téléexpertise"), _TITLE)
    finalised = _("Finalisée le {instant}").format(instant=_moment(content.finalised_at))
    asked = _("demandée le {instant}").format(instant=_moment(content.requested_at)) if content.requested_at else ""
    version = _("version {number}").format(number=content.version)
    yield _paragraph(" · ".join(filter(None, (finalised, asked, version))), _SUBTITLE)
    yield Spacer(1, 4 * mm)


def _identities(content: SynthesisContent) -> Iterator[Flowable]:
    patient, request, recap = content.patient, content.request, content.recap
    test = " · " + _("identité de test") if patient and patient.ins_oid == INS_NIR_TEST_OID else ""
    yield _card(_("Patient") + test, _patient_lines(patient), columns=3)
    yield Spacer(1, 3 * mm)
    yield _parties(_party_lines(recap.requerant, request.in_name_of), _party_lines(recap.requis, request.requis))


def _parties(requerant: _Lines, requis: _Lines) -> Table:
    """Two boxes side by side, of one height."""
    rows = [
        [_labelled(*left), "", _labelled(*right)] for left, right in zip_longest(requerant, requis, fillvalue=("", ""))
    ]
    half = (_BODY_WIDTH - _GUTTER) / 2
    return Table(
        [[_cell(_("Demandeur (requérant)"), _CARD), "", _cell(_("Expert (requis)"), _CARD)], *rows],
        colWidths=[half, _GUTTER, half],
        style=[*_tint(0, 0), *_tint(2, 2)],
    )


def _patient_lines(patient: Patient | None) -> _Lines:
    if patient is None:
        return [(_("Patient"), "")]
    lines = [
        (_("Nom de naissance"), patient.nom_naissance),
        (_("Prénoms"), patient.prenoms),
        (_("Nom utilisé"), patient.nom_utilise),
        (_("Date de naissance"), french_date(patient.date_naissance)),
        (_("Sexe"), {"F": _("Féminin"), "M": _("Masculin")}.get(patient.sexe, patient.sexe)),
        (_("Lieu de naissance (code INSEE)"), patient.lieu_naissance_cog),
        (_("Matricule INS"), display_nir(patient.nir)),
        (_("OID du matricule"), patient.ins_oid if patient.nir else ""),
    ]
    return [line for line in lines if line[1] or line[0] != _("Nom utilisé")]


def _party_lines(person: Party, account: Party) -> _Lines:
    lines = [
        ("", person.name),
        (_("Profession"), person.profession),
        (_("Lieu d'exercice"), person.place),
        (_("Identifiant national"), person.id_nat),
    ]
    if account.account != person.account:
        lines.append((_("Au nom de"), account.name))
    return lines


def _card(title: str, lines: _Lines, *, columns: int) -> Table:
    """A tinted box: its title, then labelled values side by side in `columns`."""
    cells: list[Any] = [_labelled(label, value) for label, value in lines]
    cells += [""] * (-len(cells) % columns)
    rows = [cells[start : start + columns] for start in range(0, len(cells), columns)]
    return Table(
        [[_cell(title, _CARD)] + [""] * (columns - 1), *rows],
        colWidths=[_BODY_WIDTH / columns] * columns,
        style=[("SPAN", (0, 0), (-1, 0)), *_tint(0, -1)],
    )


def _labelled(label: str, value: str) -> list[Flowable]:
    """A small label above its value; without a label, a value that matters."""
    if label:
        return [_cell(label, _LABEL), _value(value)]
    return [_value(value, _STRONG)] if value else []


def _tint(first: int, last: int) -> list[tuple[Any, ...]]:
    """Style commands of a tinted box with a green edge, over the columns `first` to `last`."""
    start, end = (first, 0), (last, -1)
    return [
        ("BACKGROUND", start, end, _TINT),
        ("LINEBEFORE", start, (first, -1), 2.2, GREEN),
        ("VALIGN", start, end, "TOP"),
        ("LEFTPADDING", start, end, 8),
        ("RIGHTPADDING", start, end, 5),
        ("TOPPADDING", start, end, 2.5),
        ("BOTTOMPADDING", start, end, 1.5),
        ("TOPPADDING", start, (last, 0), 6),
        ("BOTTOMPADDING", (first, -1), end, 7),
    ]


# --- parts that may run over pages --------------------------------------------------------------------------


def _section(title: str, *body: Flowable) -> Iterator[Flowable]:
    """A heading that never stands alone at the foot of a page."""
    yield CondPageBreak(26 * mm)
    yield _paragraph(title, _HEADING)
    yield from body


def _request(content: SynthesisContent) -> Iterator[Flowable]:
    form = content.form
    yield from _section(_("Demande"), _paragraph(form.objet or _("Sans objet"), _STRONG))
    consent = _("recueilli") if form.consentement else _("non renseigné")
    urgent = " · " + _("demande signalée urgente") if content.request.urgent else ""
    yield _paragraph(_("Consentement du patient : {consent}").format(consent=consent) + urgent, _SUBTITLE)
    for label, text in ((_("Histoire clinique"), form.histoire_clinique), (_("Question"), form.question)):
        if text.strip():
            yield Spacer(1, 4)
            yield _paragraph(label, _LABEL)
            yield from _text(text)


def _conclusion(content: SynthesisContent) -> Iterator[Flowable]:
    yield from _section(_("Avis rendu"))
    text = content.conclusion
    if not text.strip():
        yield _paragraph(_("Aucun avis parmi les échanges retenus."), _ABSENT)
    elif len(text) > _LONGEST_BOX_CHARS or text.count("\n") > _LONGEST_BOX_CHARS // 60:
        yield from _text(text, _OPINION)
    else:
        yield _box(list(_text(text, _style("boxed", 9.5))))


def _box(body: list[Flowable]) -> Table:
    return Table([[body]], colWidths=[_BODY_WIDTH], style=_tint(0, 0))


def _exchanges(exchanges: tuple[SynthesisExchange, ...]) -> Iterator[Flowable]:
    yield from _section(_("Échanges retenus ({count})").format(count=len(exchanges)))
    if not exchanges:
        yield _paragraph(_("Aucun échange retenu."), _ABSENT)
    for exchange in exchanges:
        yield from _exchange(exchange)


def _exchange(exchange: SynthesisExchange) -> Iterator[Flowable]:
    fact = exchange.fact
    author = ", ".join(filter(None, (fact.author.name, fact.author.profession)))
    if fact.in_name_of.account != fact.author.account:
        author = _("{author}, au nom de « {account} »").format(author=author, account=fact.in_name_of.name)
    said = list(_text(_said(exchange), _EXCHANGE_TEXT))
    said += [_paragraph(_("Pièce jointe : {name}").format(name=file.name), _EXCHANGE_FILE) for file in exchange.files]
    title = _markup(event_title(fact) or _("Message"), _LONGEST_CELL_CHARS)
    yield Paragraph(
        f'<font name="VeraBd" color="#0F6B4F">{title}</font> · {_markup(author, _LONGEST_LINE_CHARS)}<br/>'
        f'<font size="7.5" color="#66727F">{_markup(_moment(exchange.at), _LONGEST_CELL_CHARS)}</font>',
        _EXCHANGE_HEAD if said else _EXCHANGE_ALONE,
    )
    yield from said


_EXCHANGE_ALONE = _style("exchange-alone", 8.5, spaceBefore=6, spaceAfter=1.5)
_EXCHANGE_HEAD = _style("exchange-head", 8.5, spaceBefore=6, spaceAfter=1.5, keepWithNext=1)
_EXCHANGE_TEXT = _style("exchange-text", 9, leftIndent=8)
_EXCHANGE_FILE = _style("exchange-file", 8, leftIndent=8, textColor=_GREY)


def _said(exchange: SynthesisExchange) -> str:
    match exchange.fact:
        case RequestSent(prerequis=prerequis):
            return _("Prérequis de l'expert : {text}").format(text=prerequis) if prerequis.strip() else ""
        case FormEdited(form=form):
            return "\n".join(filter(None, (form.objet, form.histoire_clinique, form.question)))
        case Declined(motif=motif) | Cancelled(motif=motif):
            return motif
        case TakenInCharge():
            return ""
        case spoken:
            return spoken.text


def _files(files: tuple[AttachedFile, ...]) -> Iterator[Flowable]:
    if not files:
        return
    yield from _section(_("Pièces jointes ({count})").format(count=len(files)))
    rows = [
        [
            [_cell(file.name), _cell(_("SHA-256 {digest}").format(digest=file.sha256), _HASH)],
            _cell(file.media_type),
            _cell(file_size(file.size_bytes)),
        ]
        for file in files
    ]
    yield _grid([_("Fichier et empreinte"), _("Type"), _("Taille")], rows, widths=(0.68, 0.18, 0.14))


# --- billing and end ----------------------------------------------------------------------------------------


def _billing(content: SynthesisContent) -> Iterator[Flowable]:
    recap, on = content.recap, content.finalised_at
    lines = (
        (
            _("Acte"),
            _act(recap.niveau, recap.requis_number, on),
            _act(CODE_OF_ROLE[Role.REQUERANT], recap.requerant_number, on),
        ),
        (_("Professionnel"), recap.requis.name, recap.requerant.name),
        (_("Identifiant national"), recap.requis.id_nat, recap.requerant.id_nat),
        (_("Numéro de facturation"), _number(recap.requis_number), _number(recap.requerant_number)),
    )
    rows = [
        [_cell(label), _value(of_requis, _CELL), _value(of_requerant, _CELL)]
        for label, of_requis, of_requerant in lines
    ]
    nir = display_nir(content.patient.nir) if content.patient else ""
    yield KeepTogether(
        [
            *_section(_("Récapitulatif des informations de facturation")),
            _grid(["", _("Expert (requis)"), _("Demandeur (requérant)")], rows, widths=(0.26, 0.37, 0.37)),
            Spacer(1, 3),
            _cell(_("NIR du patient : {nir}").format(nir=nir or _("non renseigné")), _SMALL),
            _paragraph(_billing_rules(), _SMALL),
        ]
    )


def _billing_rules() -> str:
    return _(
        "Tiers payant AMO à cocher pour les deux actes, 100 % assurance maladie ; "
        "quatre actes au plus par an, par patient et par professionnel."
    )


def _act(code: str, number: BillingNumber, on: datetime) -> str:
    """`TE2 · 23,00 €` at the tariff of the day, or the code alone."""
    try:
        return f"{code} · {_euros(price(code, on.date(), drom=is_drom(number)))}"
    except NoTariffError:
        return code


def _number(number: BillingNumber) -> str:
    return f"{number.value} ({number.nature})" if number.value else ""


def _incidents(content: SynthesisContent) -> Iterator[Flowable]:
    yield from _section(_("Incidents techniques"))
    lines = [*map(_late, content.late_deliveries), *content.incidents]
    for line in lines or [_("Aucun incident technique signalé.")]:
        yield _paragraph(line, _BODY)


def _late(late: LateDelivery) -> str:
    return _("Transmission différée : écrit par {author} le {written}, reçu le {received}.").format(
        author=late.author.name, written=_moment(late.written_at), received=_moment(late.received_at)
    )


def _mention(content: SynthesisContent) -> Iterator[Flowable]:
    yield Spacer(1, 5 * mm)
    yield _paragraph(
        _(
            "Document produit par Avicenne, téléexpertise sécurisée : échanges chiffrés de bout en bout et signés. "
            "À verser au dossier du patient (art. R. 6316-4 du code de la santé publique)."
        ),
        _SMALL,
    )
    yield _paragraph(_("Conversation {id}").format(id=content.conversation), _SMALL)


def _grid(heads: list[str], rows: list[list[Any]], *, widths: tuple[float, ...]) -> Table:
    return Table(
        [[_cell(head, _CELL_HEAD) for head in heads], *rows],
        colWidths=[_BODY_WIDTH * share for share in widths],
        repeatRows=1,
        style=TableStyle(
            [
                ("BACKGROUND", (0, 0), (-1, 0), GREEN),
                ("ROWBACKGROUNDS", (0, 1), (-1, -1), [white, _TINT]),
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _RULE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 3),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 3.5),
            ]
        ),
    )


# --- pages --------------------------------------------------------------------------------------------------


class _NumberedCanvas(Canvas):  # type: ignore[misc]
    """A canvas that knows, when it draws the foot of a page, how many there are: it draws them all at the end."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._pages: list[dict[str, Any]] = []

    def showPage(self) -> None:  # noqa: N802 - reportlab's name
        """Keep the page for later."""
        self._pages.append(dict(self.__dict__))
        self._startPage()

    def save(self) -> None:
        """Draw every foot, then write the document."""
        for number, page in enumerate(self._pages, start=1):
            self.__dict__.update(page)
            self.setFont("Vera", 7.5)
            self.setFillColor(_GREY)
            foot = _("page {number}/{total}").format(number=number, total=len(self._pages))
            self.drawRightString(_WIDTH - _MARGIN, 11 * mm, foot)
            super().showPage()
        super().save()


@dataclass(frozen=True, slots=True)
class _Furniture:
    """What every page carries besides its number."""

    patient: str
    finalised: str

    def draw(self, canvas: Canvas, _document: BaseDocTemplate) -> None:
        canvas.saveState()
        top = _HEIGHT - 14 * mm
        canvas.setFillColor(GREEN)
        canvas.rect(0, _HEIGHT - 4 * mm, _WIDTH, 4 * mm, stroke=0, fill=1)
        canvas.setFont("VeraBd", 11)
        canvas.drawString(_MARGIN, top, "Avicenne")
        canvas.setFillColor(_GREY)
        canvas.setFont("Vera", 7.5)
        canvas.drawRightString(_WIDTH - _MARGIN, top, self.patient)
        canvas.drawString(_MARGIN, 11 * mm, self.finalised)
        canvas.setStrokeColor(_RULE)
        canvas.setLineWidth(0.6)
        canvas.line(_MARGIN, top - 3 * mm, _WIDTH - _MARGIN, top - 3 * mm)
        canvas.line(_MARGIN, 15 * mm, _WIDTH - _MARGIN, 15 * mm)
        canvas.restoreState()


def _furniture(content: SynthesisContent, glyphs: Container[int]) -> _Furniture:
    patient = content.patient
    known = (f"{patient.nom_naissance} {patient.prenoms}", french_date(patient.date_naissance)) if patient else ()
    who = " · ".join(filter(None, known)) or _("Patient non renseigné")
    finalised = _("Synthèse de téléexpertise · finalisée le {instant}").format(instant=_moment(content.finalised_at))
    return _Furniture(*(printable(" ".join(text.split()), glyphs)[:60] for text in (who, finalised)))


def _story(content: SynthesisContent) -> Iterable[Flowable]:
    yield from _head(content)
    yield from _identities(content)
    yield from _request(content)
    yield from _conclusion(content)
    yield from _exchanges(content.exchanges)
    yield from _files(content.files)
    yield from _billing(content)
    yield from _incidents(content)
    yield from _mention(content)


def render(content: SynthesisContent) -> bytes:
    """Return the PDF of a synthesis; see `synthesis_pdf.render`."""
    furniture = _furniture(content, _glyphs())
    page = PageTemplate(
        frames=[Frame(_MARGIN, _BOTTOM, _BODY_WIDTH, _HEIGHT - _TOP - _BOTTOM, 0, 0, 0, 0)], onPage=furniture.draw
    )
    output = io.BytesIO()
    document = BaseDocTemplate(
        output,
        pagesize=A4,
        pageTemplates=[page],
        title=_("Synthèse de téléexpertise"),
        author="Avicenne",
        subject=content.conversation,
        creator="Avicenne",
        lang="fr-FR",
        invariant=1,
    )
    document.build(list(_story(content)), canvasmaker=_NumberedCanvas)
    return output.getvalue()
