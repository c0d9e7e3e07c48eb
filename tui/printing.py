"""What verbs print for a person: views as plain text, in French form, one pure function a view."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, tzinfo

from client.i18n import _, file_size, long_instant, short_instant
from client.views import (
    AttachmentLine,
    CaseRow,
    CaseView,
    Connection,
    DirectoryView,
    ExpertRow,
    LabelledValue,
    PreferencesView,
    ShellView,
    TimelineEntry,
)

_CONNECTIONS = {
    Connection.ONLINE: "en ligne",
    Connection.CONNECTING: "connexion en cours",
    Connection.OFFLINE: "hors ligne",
}
SHORT_ID = 12
"""A case's first characters: UUIDv7, so this tells apart cases begun in different milliseconds."""


def table(rows: Iterable[Sequence[str]]) -> str:
    """Columns of equal width, two spaces between, nothing trailing."""
    kept = [tuple(_one_line(cell) for cell in row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*kept, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in kept)
    return "\n".join(line.rstrip() for line in lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())


def mailbox(rows: Sequence[CaseRow], total: int, *, now: datetime, zone: tzinfo) -> str:
    """The list: identifier, time, status, marks, patient, subject, counterpart."""
    if not rows:
        return _("Aucune téléexpertise.")
    lines = table(
        (
            row.case[:SHORT_ID],
            short_instant(row.at, now=now, zone=zone),
            row.status_label,
            _marks(row),
            row.patient or "-",
            row.objet or "-",
            row.counterpart,
        )
        for row in rows
    )
    more = total - len(rows)
    return lines + ("\n" + _("… et {more} de plus (--rows)").format(more=more) if more > 0 else "")


def _marks(row: CaseRow) -> str:
    marks = [
        str(row.unread) if row.unread else "",
        "!" if row.urgent else "",
        "★" if row.favourite else "",
        "…" if row.pending else "",
        _("brouillon") if row.draft else "",
    ]
    return " ".join(mark for mark in marks if mark) or "-"


def case(view: CaseView, *, zone: tzinfo) -> str:
    """A case whole: sheet, form, conversation, recapitulation."""
    head = [f"{view.title} {view.case}", f"{view.requerant} → {view.requis} — {view.status_label}"]
    form = [
        LabelledValue(_("Patient"), view.patient),
        *view.patient_sheet,
        LabelledValue(_("Objet"), view.objet),
        LabelledValue(_("Histoire clinique"), view.histoire_clinique),
        LabelledValue(_("Question"), view.question),
        LabelledValue(_("Consentement"), _("recueilli") if view.consentement else ""),
    ]
    parts = ["\n".join(head), labelled(form), *_attachments(view.form_attachments)]
    parts += [_entry(entry, zone) for entry in view.timeline]
    if view.recap:
        parts.append(labelled(view.recap))
    return "\n\n".join(part for part in parts if part)


def _entry(entry: TimelineEntry, zone: tzinfo) -> str:
    title = f"[{long_instant(entry.at, zone=zone)}] {entry.author}" + (f" — {entry.title}" if entry.title else "")
    if entry.pending:
        title += " " + _("(en attente d'envoi)")
    if entry.refused:
        title += f" ({entry.refused})"
    return "\n".join([title, *([entry.text] if entry.text else []), *_attachments(entry.attachments)])


def _attachments(lines: Sequence[AttachmentLine]) -> list[str]:
    return [f"  + {line.name} ({file_size(line.size_bytes)}) {line.attachment[:SHORT_ID]}" for line in lines]


def labelled(values: Iterable[LabelledValue]) -> str:
    """`Label : value`, one a line; an empty value prints « non renseigné »."""
    return "\n".join(f"{each.label} : {each.value or _('non renseigné')}" for each in values)


def directory(view: DirectoryView) -> str:
    """Both groups of the expert search."""
    groups = (
        (_("Professionnels"), view.professionals, view.professionals_total),
        (_("Services"), view.services, view.services_total),
    )
    parts = [f"{title} ({total})\n{table(map(_expert, rows))}" for title, rows, total in groups if rows]
    return "\n\n".join(parts) or _("Aucun expert trouvé.")


def _expert(row: ExpertRow) -> tuple[str, ...]:
    return row.account, row.name, row.detail, row.place, "" if row.reachable else _("(pas encore de clé)")


def preferences(view: PreferencesView) -> str:
    """One's sheet as an expert."""
    yes, no = _("oui"), _("non")
    return labelled(
        [
            LabelledValue(_("Compte"), view.account),
            LabelledValue(_("Présent dans l'annuaire des experts"), yes if view.annuaire else no),
            LabelledValue(_("Descriptif"), view.descriptif),
            LabelledValue(_("Prérequis"), view.prerequis),
            LabelledValue(_("Patient obligatoire"), yes if view.patient_obligatoire else no),
            LabelledValue(_("NIR obligatoire"), yes if view.nir_obligatoire else no),
            LabelledValue(
                _("Facturation du requérant obligatoire"), yes if view.facturation_requerant_obligatoire else no
            ),
            LabelledValue(_("Numéro de facturation"), view.numero_facturation),
            LabelledValue(_("Lien d'accès rapide"), view.lien_acces_rapide),
        ]
    )


def shell(view: ShellView) -> str:
    """Who one is, where, and what is on its way."""
    accounts = ", ".join(choice.name for choice in view.accounts)
    return labelled(
        [
            LabelledValue(_("Utilisateur"), view.me),
            LabelledValue(_("Compte"), view.account),
            LabelledValue(_("Situation"), view.situation),
            LabelledValue(_("Relais"), f"{_(_CONNECTIONS[view.connection])} {view.connection_detail}".strip()),
            LabelledValue(_("En attente d'envoi"), str(view.pending)),
            LabelledValue(_("Agir en tant que"), accounts),
            LabelledValue(_("Secrets"), view.key_storage),
        ]
    )
