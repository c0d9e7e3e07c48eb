"""A case (A11, E03-E09): form and conversation, side by side where there is width; one key per permitted act.

What is typed is kept at every pause and on leaving, and wiped only when the session says that the exchange is kept.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.reactive import reactive
from textual.timer import Timer
from textual.widgets import TextArea

from client.i18n import _, file_size
from client.intents import (
    CancelRequest,
    CloseCase,
    DeclineRequest,
    EditForm,
    ExchangeKind,
    PrepareFinalisation,
    SaveAttachment,
    SaveComposer,
    SendExchange,
    SetFlag,
    TakeInCharge,
)
from client.views import AttachmentLine, CaseView
from screens.base import PracticeScreen
from screens.files import FilesScreen
from screens.form_edit import FormEditScreen
from screens.formatting import editable, visible
from screens.ink import Line, Piece, fit_line
from screens.keymap import ATTACHMENT, COMPOSING, SYNTHESIS, Room, bindings_of
from screens.menu import OTHER, MenuScreen
from screens.messages import CaseWanted
from screens.motive import MotiveScreen
from screens.sheets import case_title, conversation_lines, form_lines
from screens.widgets.document import Document
from screens.widgets.line_list import Item
from screens.widgets.lines_view import LinesView

PAUSE_S = 0.6
"""Rest of the keys before the text is kept."""


def kind_words(kind: ExchangeKind) -> str:
    """What the text being written is."""
    return {
        ExchangeKind.MESSAGE: _("Message"),
        ExchangeKind.ANSWER: _("Avis"),
        ExchangeKind.ASK_MORE: _("Demande de complément"),
        ExchangeKind.GIVE_MORE: _("Complément d'information"),
    }[kind]


class CaseScreen(PracticeScreen):
    """Draws CaseView; raises what `view.permitted` allows."""

    ROOM = Room.CASE
    BINDINGS: ClassVar[list[BindingType]] = bindings_of(Room.CASE)
    CSS_PATH = "case.tcss"

    view: reactive[CaseView | None] = reactive(None, repaint=False)

    def __init__(self, view: CaseView) -> None:
        super().__init__()
        self.case = view.case
        self._kind = ExchangeKind.MESSAGE
        self._files: tuple[str, ...] = ()
        self._urgent = False
        self._question = False
        self._sending = False
        self._kept = view.composer
        self._timer: Timer | None = None
        self.set_reactive(CaseScreen.view, view)

    def compose_body(self) -> ComposeResult:
        """Title, form, conversation, composer."""
        yield LinesView(id="title")
        with Horizontal(id="body"):
            yield Document(id="form")
            with Vertical(id="right"):
                yield Document(id="timeline", bottom=True)
                with Vertical(id="composer"):
                    yield LinesView(self._kind_lines, id="kind")
                    yield TextArea(
                        editable(self.view.composer) if self.view else "",
                        tab_behavior="focus",
                        placeholder=_("Rédiger un nouveau message (Ctrl+S ou Ctrl+Entrée pour envoyer)"),
                        highlight_cursor_line=False,
                    )

    def on_mount(self) -> None:
        """Draw; begin in the conversation."""
        self._text_area.cursor_blink = False
        self.watch_view()
        self.query_one("#timeline").focus()

    @property
    def _text_area(self) -> TextArea:
        return self.query_one(TextArea)

    @property
    def _composing(self) -> bool:
        return self.has_class("-composing")

    @property
    def permitted(self) -> frozenset[str]:
        """The view's codes, and what can be done with the files and the text at hand."""
        if self.view is None:
            return frozenset()
        codes = set(self.view.permitted)
        attachments = self._attachments()
        if attachments:
            codes.add(ATTACHMENT)
        if any(attachment.is_synthese for attachment in attachments):
            codes.add(SYNTHESIS)
        if self.ready and self._composing:
            codes.add(COMPOSING)
        return frozenset(codes)

    # --- attributes down

    def watch_view(self) -> None:
        """Hand the parts to their documents."""
        view = self.view
        if view is None or not self.ready:
            return
        self.query_one("#form", Document).show(lambda width: form_lines(view, width))
        now, zone = self.now, self.zone
        self.query_one("#title", LinesView).show(lambda width: case_title(view, width, zone=zone))
        self.query_one("#timeline", Document).show(lambda width: conversation_lines(view, width, now=now, zone=zone))
        if view.composer and not self._text_area.text and not self._sending:
            self._text_area.text = editable(view.composer)
        if self._text_area.text:
            self.add_class("-composing")
        self.refresh_bindings()

    def exchange_sent(self) -> None:
        """The session keeps the exchange: the composer may be emptied."""
        self._sending = False
        self._text_area.clear()
        self._kept = ""
        self._files, self._urgent, self._question = (), False, False
        self.remove_class("-composing")
        self.query_one("#timeline").focus()
        self.refresh_bindings()
        self.tell(_("✓ Gardé. L'envoi part dès que le relais répond."))

    def refused(self) -> None:
        """Nothing was sent; the text stays."""
        self._sending = False

    # --- the composer

    def _kind_lines(self, width: int) -> list[Line]:
        pieces: list[Piece] = [(kind_words(self._kind), "heading")]
        if self._urgent:
            pieces.append((_("  ! urgent"), "error"))
        if self._question:
            pieces.append((_("  ? question"), "info"))
        pieces.append((_("  pour {name}").format(name=visible(self.view.counterpart)) if self.view else "", "dim"))
        lines: list[Line] = [fit_line(pieces, width)]
        lines.extend(fit_line((("▤ ", "info"), (visible(path), "info")), width) for path in self._files)
        return lines

    def _write(self, kind: ExchangeKind) -> None:
        self._kind = kind
        self.add_class("-composing")
        self.remove_class("-form-shown")
        self._redraw_kind()
        self._text_area.focus()
        self.refresh_bindings()

    def _redraw_kind(self) -> None:
        self.query_one("#kind", LinesView).show(self._kind_lines)
        self.query_one("#kind").refresh(layout=True)

    def on_text_area_changed(self) -> None:
        """Keep the text at the next pause."""
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(PAUSE_S, self.keep_text)

    def keep_text(self) -> None:
        """Raise what is typed, if it changed since it was last kept."""
        text = self._text_area.text
        if text != self._kept and not self._sending:
            self._kept = text
            self.raise_intent(SaveComposer(self.case, text))

    @property
    def has_unsent_text(self) -> bool:
        """Whether something is being written."""
        return self.ready and bool(self._text_area.text.strip())

    def action_answer(self) -> None:
        """Write an opinion."""
        self._write(ExchangeKind.ANSWER)

    def action_message(self) -> None:
        """Write a message."""
        self._write(ExchangeKind.MESSAGE)

    def action_ask(self) -> None:
        """Ask the requester for more."""
        self._write(ExchangeKind.ASK_MORE)

    def action_give(self) -> None:
        """Give what the expert asked for."""
        self._write(ExchangeKind.GIVE_MORE)

    def action_urgent(self) -> None:
        """Toggle the urgency mark."""
        self._urgent = not self._urgent
        self._write(self._kind)

    def action_question(self) -> None:
        """Toggle the question mark."""
        self._question = not self._question
        self._write(self._kind)

    def action_send(self) -> None:
        """Send what the composer holds; it stays there until the session has kept it."""
        text = self._text_area.text
        if not text.strip() and not self._files:
            self.show_notice(_("! Rien à envoyer : le texte est vide."), "warning")
            return
        if self._sending:
            return
        self._sending = True
        self.raise_intent(
            SendExchange(
                self.case,
                self._kind,
                text,
                attachments=self._files,
                urgent=self._urgent,
                question=self._question,
            )
        )

    def action_attach(self) -> None:
        """Pick a file to send with the text."""
        self.app.push_screen(FilesScreen(), self._file_picked)

    def _file_picked(self, path: str | None) -> None:
        if path and path not in self._files:
            self._files = (*self._files, path)
            self._redraw_kind()

    def action_detach(self) -> None:
        """Forget the last file picked."""
        self._files = self._files[:-1]
        self._redraw_kind()

    # --- moving about

    def action_pane(self) -> None:
        """Form to conversation to composer, and round."""
        form, timeline = self.query_one("#form"), self.query_one("#timeline")
        if not self.has_class("-wide", "-huge") and not (self.has_class("-wide") or self.has_class("-huge")):
            self.toggle_class("-form-shown")
            (form if self.has_class("-form-shown") else timeline).focus()
            return
        order = [form, timeline, *([self._text_area] if self._composing else [])]
        at = order.index(self.focused) if self.focused in order else 0
        order[(at + 1) % len(order)].focus()

    def action_back(self) -> None:
        """Out of the composer, then out of the form, then out of the case."""
        if self.focused is self._text_area:
            self.keep_text()
            if not self._text_area.text and not self._files:
                self.remove_class("-composing")
            self.query_one("#timeline").focus()
            self.refresh_bindings()
        elif self.has_class("-form-shown"):
            self.action_pane()
        else:
            self.close_case()

    def close_case(self) -> None:
        """Leave, keeping what was typed."""
        self.keep_text()
        self.raise_intent(CloseCase())
        self.dismiss()

    def action_next_unread(self) -> None:
        """Ask for the next unread case."""
        self.keep_text()
        self.post_message(CaseWanted(urgent=False))

    def action_next_urgent(self) -> None:
        """Ask for the next urgent case."""
        self.keep_text()
        self.post_message(CaseWanted(urgent=True))

    # --- acts on the case

    def action_take(self) -> None:
        """Take in charge."""
        self.raise_intent(TakeInCharge(self.case))

    def action_finalise(self) -> None:
        """Open the wizard."""
        self.raise_intent(PrepareFinalisation(self.case))

    def action_decline(self) -> None:
        """Refuse, with a motive."""
        title, prompt = _("Refuser la demande"), _("Motif du refus, lu par le requérant et conservé au dossier")
        self.app.push_screen(MotiveScreen(title, prompt), self._declined)

    def _declined(self, motive: str | None) -> None:
        if motive:
            self.raise_intent(DeclineRequest(self.case, motive))

    def action_cancel(self) -> None:
        """Withdraw, with a motive."""
        title, prompt = _("Annuler la demande"), _("Motif de l'annulation, lu par l'expert et conservé au dossier")
        self.app.push_screen(MotiveScreen(title, prompt), self._cancelled)

    def _cancelled(self, motive: str | None) -> None:
        if motive:
            self.raise_intent(CancelRequest(self.case, motive))

    def action_edit(self) -> None:
        """Edit the shared form."""
        if self.view is not None:
            view = self.view
            self.app.push_screen(FormEditScreen(view.objet, view.histoire_clinique, view.question), self._edited)

    def _edited(self, form: tuple[str, str, str] | None) -> None:
        if form is not None:
            self.raise_intent(EditForm(self.case, *form))

    def action_favourite(self) -> None:
        """Toggle the star."""
        if self.view is not None:
            self.raise_intent(SetFlag(self.case, "favourite", not self.view.favourite))

    def action_to_do(self) -> None:
        """Toggle the flag."""
        if self.view is not None:
            self.raise_intent(SetFlag(self.case, "to-do", not self.view.to_do))

    def action_archive(self) -> None:
        """Archive and go back to the list."""
        if self.view is not None:
            self.raise_intent(SetFlag(self.case, "archived", not self.view.archived))
            self.close_case()

    # --- files

    def _attachments(self) -> list[AttachmentLine]:
        if self.view is None:
            return []
        seen: dict[str, AttachmentLine] = {line.attachment: line for line in self.view.form_attachments}
        for entry in self.view.timeline:
            seen.update({line.attachment: line for line in entry.attachments})
        return list(seen.values())

    def action_attachments(self) -> None:
        """Open or save one of the files."""
        attachments = self._attachments()
        if len(attachments) == 1:
            self._save(attachments[0].attachment, and_open=True)
            return
        items = [Item(line.attachment, line.name, file_size(line.size_bytes), "▤") for line in attachments]
        self.app.push_screen(MenuScreen(_("Pièces jointes"), items, other=True), self._attachment_chosen)

    def _attachment_chosen(self, key: str | None) -> None:
        if key is not None:
            self._save(key.removeprefix(OTHER), and_open=not key.startswith(OTHER))

    def action_synthesis(self) -> None:
        """Open the latest synthesis."""
        syntheses = [line for line in self._attachments() if line.is_synthese]
        self._save(syntheses[-1].attachment, and_open=True)

    def _save(self, attachment: str, *, and_open: bool) -> None:
        self.raise_intent(SaveAttachment(self.case, attachment, open_after=and_open))
        self.tell(_("Récupération du fichier en cours."))
