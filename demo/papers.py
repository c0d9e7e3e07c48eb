"""One-page PDF papers: letters, laboratory results, traces and curves, each marked as fictional on its face."""

from __future__ import annotations

import io
import math
from random import Random

from reportlab.lib.colors import HexColor  # type: ignore[import-untyped]
from reportlab.lib.pagesizes import A4  # type: ignore[import-untyped]
from reportlab.lib.units import mm  # type: ignore[import-untyped]
from reportlab.lib.utils import simpleSplit  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.ttfonts import TTFont  # type: ignore[import-untyped]
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]

from demo.photographs import MARK, ecg_millivolts

_WIDTH, _HEIGHT = A4
_INK, _GREY, _RED, _GREEN = HexColor("#1D2733"), HexColor("#8A949E"), HexColor("#A01E1E"), HexColor("#0F6B4F")
_PINK, _ROSE = HexColor("#F6DAD8"), HexColor("#E9A9A6")

_PANELS = {
    "nfs": (
        ("Hémoglobine", 9.5, 16, "g/dL", "12,0 - 16,0"),
        ("Leucocytes", 2.8, 14, "G/L", "4,0 - 10,0"),
        ("Polynucléaires neutrophiles", 1.0, 9, "G/L", "1,5 - 7,0"),
        ("Plaquettes", 90, 420, "G/L", "150 - 400"),
        ("VGM", 78, 108, "fL", "80 - 100"),
    ),
    "iono": (
        ("Sodium", 128, 146, "mmol/L", "136 - 145"),
        ("Potassium", 3.2, 6.0, "mmol/L", "3,5 - 5,0"),
        ("Créatinine", 60, 180, "µmol/L", "49 - 90"),
        ("DFG (CKD-EPI)", 32, 95, "mL/min", "> 90"),
    ),
    "serologie": (
        ("IgG anti-Borrelia", 10, 80, "UA/mL", "< 10"),
        ("IgM anti-Borrelia", 0, 9, "UA/mL", "< 18"),
        ("CRP", 1, 12, "mg/L", "< 5"),
    ),
    "epp": (
        ("Albumine", 32, 45, "g/L", "37 - 50"),
        ("Gammaglobulines", 8, 22, "g/L", "7 - 14"),
        ("Pic monoclonal", 1, 9, "g/L", "absent"),
    ),
    "antibiogramme": (
        ("Amoxicilline (CMI)", 16, 64, "mg/L", "résistant"),
        ("Céfotaxime (CMI)", 4, 32, "mg/L", "résistant"),
        ("Témocilline (CMI)", 1, 8, "mg/L", "sensible"),
        ("Fosfomycine (CMI)", 1, 8, "mg/L", "sensible"),
    ),
    "dmo": (
        ("T-score rachis", -3.4, -1.2, "DS", "> -1"),
        ("T-score col fémoral", -3.0, -1.0, "DS", "> -1"),
    ),
    "carnet": (
        ("Glycémie à jeun", 1.1, 2.4, "g/L", "0,8 - 1,3"),
        ("Glycémie après repas", 1.4, 3.2, "g/L", "< 1,8"),
        ("HbA1c", 6.8, 10.4, "%", "< 7,0"),
    ),
    "biologie": (
        ("CRP", 1, 60, "mg/L", "< 5"),
        ("Créatinine", 60, 150, "µmol/L", "49 - 90"),
        ("ASAT", 15, 90, "UI/L", "< 35"),
        ("ALAT", 15, 110, "UI/L", "< 35"),
        ("TSH", 0.3, 6.0, "mUI/L", "0,4 - 4,0"),
        ("Ferritine", 15, 480, "µg/L", "20 - 200"),
    ),
}
"""By the first word of a file's name: analysis, lowest and highest drawn value, unit, usual values."""
_CURVES = {"agp": "Glycémie sur 24 heures (mg/dL)", "courbes": "Poids selon l'âge (kg)", "efr": "Débit-volume (L/s)"}


def paper(name: str, *, objet: str, patient: str, random: Random) -> bytes:
    """Return a one-page PDF for a file name such as `biologie_12_mois.pdf`.

    Args:
        name: the file's name; its first word chooses the kind of paper.
        objet: what the case is about, printed as the reason.
        patient: who it is about, as printed.
        random: where values come from.
    """
    _register()
    output = io.BytesIO()
    canvas = Canvas(output, pagesize=A4, invariant=1, lang="fr-FR")
    canvas.setTitle(MARK)
    kind = name.rpartition(".")[0].split("_")[0]
    _head(canvas, name, patient)
    if kind in {"ecg", "holter"}:
        _trace(canvas)
    elif kind in _CURVES:
        _curve(canvas, _CURVES[kind], kind, random)
    elif kind in _PANELS:
        _panel(canvas, kind, random)
    else:
        _letter(canvas, objet)
    canvas.showPage()
    canvas.save()
    return output.getvalue()


def _register() -> None:
    for name in ("Vera", "VeraBd"):
        pdfmetrics.registerFont(TTFont(name, f"{name}.ttf"))


def _write(canvas: Canvas, x: float, y: float, text: str, size: float = 10, *, bold: bool = False) -> None:
    canvas.setFont("VeraBd" if bold else "Vera", size)
    canvas.drawString(x, y, text)


def _head(canvas: Canvas, name: str, patient: str) -> None:
    canvas.saveState()
    canvas.translate(_WIDTH / 2, _HEIGHT / 2)
    canvas.rotate(52)
    canvas.setFillColor(HexColor("#F4ECEC"))
    canvas.setFont("VeraBd", 42)
    canvas.drawCentredString(0, 0, "DOCUMENT FICTIF")
    canvas.restoreState()
    canvas.setFillColor(_RED)
    _write(canvas, 20 * mm, _HEIGHT - 16 * mm, MARK, 11, bold=True)
    _write(canvas, 20 * mm, 12 * mm, MARK, 8)
    canvas.setFillColor(_GREEN)
    _write(canvas, 20 * mm, _HEIGHT - 30 * mm, name.rpartition(".")[0].replace("_", " ").capitalize(), 16, bold=True)
    canvas.setFillColor(_INK)
    _write(canvas, 20 * mm, _HEIGHT - 38 * mm, f"Patient : {patient}")
    canvas.setStrokeColor(_GREY)
    canvas.line(20 * mm, _HEIGHT - 42 * mm, _WIDTH - 20 * mm, _HEIGHT - 42 * mm)


def _letter(canvas: Canvas, objet: str) -> None:
    body = (
        "Cher confrère, chère consœur,",
        f"Je vous adresse ce document au sujet de : {objet}.",
        "L'examen clinique et les éléments utiles figurent dans la demande de téléexpertise.",
        "Les traitements en cours sont inchangés depuis trois mois et bien tolérés.",
        "Je vous remercie de votre avis et reste à votre disposition.",
        "Bien confraternellement.",
    )
    y = _HEIGHT - 60 * mm
    for text in body:
        for line in simpleSplit(text, "Vera", 10.5, _WIDTH - 40 * mm):
            _write(canvas, 20 * mm, y, line, 10.5)
            y -= 6 * mm
        y -= 4 * mm


def _panel(canvas: Canvas, kind: str, random: Random) -> None:
    columns, y = (20 * mm, 95 * mm, 120 * mm, 150 * mm), _HEIGHT - 54 * mm
    for x, head in zip(columns, ("Analyse", "Résultat", "Unité", "Valeurs usuelles"), strict=True):
        _write(canvas, x, y, head, 9, bold=True)
    for name, lowest, highest, unit, usual in _PANELS[kind]:
        y -= 9 * mm
        value = random.uniform(lowest, highest)
        shown = f"{value:.0f}" if highest > 40 else f"{value:.1f}".replace(".", ",")
        for x, text in zip(columns, (name, shown, unit, usual), strict=True):
            _write(canvas, x, y, text, 10)


def _trace(canvas: Canvas) -> None:
    """Four leads on millimetre paper: 25 mm/s, 10 mm/mV."""
    left, bottom, width, height = 20 * mm, 60 * mm, 170 * mm, 180 * mm
    canvas.setLineWidth(0.3)
    for step in range(181):
        canvas.setStrokeColor(_ROSE if step % 5 == 0 else _PINK)
        if step <= width / mm:
            canvas.line(left + step * mm, bottom, left + step * mm, bottom + height)
        canvas.line(left, bottom + step * mm, left + width, bottom + step * mm)
    canvas.setStrokeColor(_INK)
    canvas.setLineWidth(0.8)
    for row, lead in enumerate(("I", "II", "III", "V5")):
        base = bottom + height - (28 + row * 42) * mm
        _write(canvas, left + 2 * mm, base + 16 * mm, lead, 9, bold=True)
        _line(canvas, [(left + x * mm, base + 10 * mm * ecg_millivolts(x / 25 + row * 0.3))
                       for x in (step / 4 for step in range(4 * 170))])  # fmt: skip
    _write(canvas, left, bottom - 8 * mm, "25 mm/s - 10 mm/mV - tracé dessiné", 8)


def _curve(canvas: Canvas, title: str, kind: str, random: Random) -> None:
    left, bottom, width, height = 30 * mm, 110 * mm, 150 * mm, 110 * mm
    _write(canvas, left, bottom + height + 6 * mm, title, 10, bold=True)
    canvas.setStrokeColor(_GREY)
    canvas.rect(left, bottom, width, height)
    for offset in (-0.1, 0.0, 0.1) if kind != "efr" else (0.0,):
        canvas.setStrokeColor(_GREEN if offset == 0 else _ROSE)
        canvas.setLineWidth(1.6 if offset == 0 else 0.8)
        jitter = random.uniform(-0.02, 0.02)
        heights = [min(max(_shape(kind, step / 120) + offset + jitter, 0), 1) for step in range(121)]
        _line(canvas, [(left + width * at / 120, bottom + height * each) for at, each in enumerate(heights)])


def _shape(kind: str, x: float) -> float:
    """A curve of this kind, from 0 to 1 both ways."""
    if kind == "agp":
        return 0.45 + 0.18 * math.sin(9 * x) + 0.12 * math.sin(21 * x + 1)
    if kind == "courbes":
        return 0.15 + 0.7 * math.pow(x, 0.6) - 0.2 * math.pow(x, 3)
    return 0.9 * (x / 0.12 if x < 0.12 else (1 - x) / 0.88)


def _line(canvas: Canvas, points: list[tuple[float, float]]) -> None:
    path = canvas.beginPath()
    path.moveTo(*points[0])
    for point in points[1:]:
        path.lineTo(*point)
    canvas.drawPath(path, stroke=1, fill=0)
