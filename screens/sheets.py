"""What is read of a case: sheet, conversation, billing recap, preview; pure layout from views to inked lines.

An empty value says « non renseigné » (F06). Nothing is hidden by colour: unread, urgent, question, pending and
refused each have a glyph and a word.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, tzinfo

from client.i18n import _, file_size, long_instant
from client.views import AttachmentLine, CaseRow, CaseView, LabelledValue, TimelineEntry
from screens.formatting import instant_words, status_words, visible
from screens.ink import Line, Piece, fit, pad, paragraph, spread, wrap

_LABEL, _LABEL_LEAST = 30, 18


def field_lines(label: str, value: str, width: int, *, ink: str = "") -> list[Line]:
    """`Label   value`, the value wrapped under itself; « non renseigné » when empty."""
    column = min(_LABEL, max(_LABEL_LEAST, width * 2 // 5), width)
    words = wrap(value, width - column) if value else [_("non renseigné")]
    value_ink = ink if value else "dim"
    first, *others = words
    lines: list[Line] = [((pad(visible(label), column - 1) + " ", "dim"), (first, value_ink))]
    return [*lines, *[((" " * column + other, value_ink),) for other in others]]


def block_lines(title: str, text: str, width: int, *, ink: str = "") -> list[Line]:
    """A titled paragraph; « non renseigné » when empty."""
    body = paragraph(text, width, ink=ink) if text else [((_("non renseigné"), "dim"),)]
    return [((title, "heading"),), *body, ()]


def attachment_line(attachment: AttachmentLine, width: int) -> Line:
    """`▤ photo.jpg  3,4 Mo`."""
    name = _("Synthèse · {name}").format(name=attachment.name) if attachment.is_synthese else attachment.name
    size = file_size(attachment.size_bytes)
    return (("▤ ", "info"), (fit(visible(name), width - len(size) - 4), "info"), (f"  {size}", "dim"))


def form_lines(view: CaseView, width: int) -> list[Line]:
    """The form (E03): patient, object, history, question, consent, prerequisites, files."""
    lines: list[Line] = [((_("Patient"), "heading"),)]
    if view.patient:
        lines.extend(paragraph(view.patient, width, ink="strong"))
    lines.extend(_values(view.patient_sheet, width))
    if not view.patient and not view.patient_sheet:
        lines.append(((_("non renseigné"), "dim"),))
    lines.append(())
    lines.extend(block_lines(_("Objet"), view.objet, width, ink="strong"))
    lines.extend(block_lines(_("Histoire clinique"), view.histoire_clinique, width))
    lines.extend(block_lines(_("Question"), view.question, width))
    consent = _("✓ Consentement du patient recueilli") if view.consentement else _("○ Consentement non renseigné")
    lines.extend([((consent, "good" if view.consentement else "warning"),), ()])
    if view.prerequis:
        lines.extend(block_lines(_("Prérequis de l'expert"), view.prerequis, width, ink="dim"))
    if view.form_attachments:
        lines.append(((_("Pièces jointes"), "heading"),))
        lines.extend(attachment_line(attachment, width) for attachment in view.form_attachments)
        lines.append(())
    lines.append(((_("Intervenants"), "heading"),))
    lines.extend(field_lines(_("Requérant"), view.requerant, width))
    lines.extend(field_lines(_("Requis"), view.requis, width))
    if view.taken_by:
        lines.extend(field_lines(_("Pris en charge par"), view.taken_by, width))
    return lines


def _values(values: Iterable[LabelledValue], width: int) -> list[Line]:
    return [line for value in values for line in field_lines(value.label, value.value, width)]


def recap_lines(view: CaseView, width: int, *, zone: tzinfo) -> list[Line]:
    """Banner and billing recap of a finalised case (F06); nothing otherwise."""
    if not view.finalised_at:
        return []
    lines: list[Line] = [((_finalised_words(view, zone), "good"),), ()]
    if view.recap:
        lines.append(((_("Récapitulatif des informations de facturation"), "heading"),))
        lines.extend(_values(view.recap, width))
        lines.append(())
    return lines


def _finalised_words(view: CaseView, zone: tzinfo) -> str:
    when = visible(long_instant(view.finalised_at, zone=zone))
    return _("✓ Finalisée le {when}").format(when=when)


def entry_lines(entry: TimelineEntry, width: int, *, now: datetime, zone: tzinfo) -> list[Line]:
    """One exchange (E05, E06): who, what, when; text; files; who saw it."""
    bar: Piece = ("▎ ", "accent" if entry.mine else "dim")
    inner = width - 2
    lines = [_entry_head(entry, inner, now=now, zone=zone)]
    if entry.text:
        lines.extend(paragraph(entry.text, inner))
    lines.extend(attachment_line(attachment, inner) for attachment in entry.attachments)
    foot = _entry_foot(entry, inner)
    if foot:
        lines.extend(foot)
    return [*[(bar, *line) for line in lines], ()]


def _entry_head(entry: TimelineEntry, width: int, *, now: datetime, zone: tzinfo) -> Line:
    left: list[Piece] = []
    if entry.unread:
        left.append((_("● nouveau "), "accent"))
    if entry.urgent:
        left.append((_("! urgent "), "error"))
    if entry.question:
        left.append((_("? question "), "info"))
    left.append((visible(entry.author), "strong"))
    if entry.title:
        left.append((f" · {visible(entry.title)}", "accent"))
    if entry.author_detail:
        left.append((f"  {visible(entry.author_detail)}", "dim"))
    return spread(left, ((instant_words(entry.at, now=now, zone=zone), "dim"),), width)


def _entry_foot(entry: TimelineEntry, width: int) -> list[Line]:
    lines: list[Line] = []
    if entry.refused:
        lines.extend(paragraph(_("✕ refusé : {why}").format(why=entry.refused), width, ink="error"))
    elif entry.pending:
        lines.append(((_("↑ en attente d'envoi"), "warning"),))
    if entry.seen_by:
        who = ", ".join(visible(initials) for initials in entry.seen_by)
        lines.extend(paragraph(_("Vu par {who}").format(who=who), width, ink="dim"))
    return lines


def conversation_lines(view: CaseView, width: int, *, now: datetime, zone: tzinfo) -> list[Line]:
    """The whole conversation, then the banner and recap of a finalised case."""
    lines: list[Line] = []
    for entry in view.timeline:
        lines.extend(entry_lines(entry, width, now=now, zone=zone))
    if not view.timeline:
        lines.extend([((_("Aucun échange encore."), "dim"),), ()])
    return [*lines, *recap_lines(view, width, zone=zone)]


def case_title(view: CaseView, width: int, *, zone: tzinfo) -> list[Line]:
    """Two lines at the top of a case: what and whose, where it stands and with whom."""
    words, ink = status_words(view.status, view.status_label)
    if view.finalised_at:
        words = _finalised_words(view, zone)
    title: list[Piece] = [("? ", "accent"), (visible(view.title), "heading")]
    if view.urgent:
        title.append((_(" ! urgent"), "error"))
    if view.patient:
        title.append((f"  {visible(view.patient)}", "strong"))
    marks = [
        (glyph + " " + word)
        for glyph, word, on in (
            ("★", _("favori"), view.favourite),
            ("⚑", _("à traiter"), view.to_do),
            ("▤", _("archivé"), view.archived),
        )
        if on
    ]
    with_whom = _("Demande de {name}") if view.as_requis else _("Demande à {name}")
    second: list[Piece] = [(f"  {with_whom.format(name=visible(view.counterpart))}", "dim")]
    if view.objet:
        second.append((f" : {visible(view.objet)}", ""))
    return [
        spread(title, ((words, ink),), width),
        spread(second, (("  ".join(marks), "warning"),), width),
    ]


def preview_lines(view: CaseView, width: int, *, now: datetime, zone: tzinfo) -> list[Line]:
    """The pane beside the list: title, then the last exchanges, then the form."""
    lines = [*case_title(view, width, zone=zone), ()]
    lines.extend(recap_lines(view, width, zone=zone))
    for entry in reversed(view.timeline[-_PREVIEWED:]):
        lines.extend(entry_lines(entry, width, now=now, zone=zone))
    return [*lines, *form_lines(view, width)]


_PREVIEWED = 3


def row_sheet(row: CaseRow, width: int, *, now: datetime, zone: tzinfo) -> list[Line]:
    """What the list alone knows of a case."""
    words, ink = status_words(row.status, row.status_label)
    lines: list[Line] = [
        spread((("? ", "accent"), (visible(row.title), "heading")), ((words, ink),), width),
        (),
    ]
    lines.extend(field_lines(_("Patient"), row.patient, width, ink="strong"))
    lines.extend(field_lines(_("Objet"), row.objet, width))
    lines.extend(field_lines(_("Avec"), row.counterpart, width))
    lines.extend(field_lines(_("Dernier événement"), row.last_line, width))
    lines.extend(field_lines(_("Le"), instant_words(row.at, now=now, zone=zone), width))
    return lines
