"""THE table of keys: bindings, footers, help and palette all come from it; no key is written anywhere else.

An action belongs to one or more screens, may need a code of `CaseView.permitted` (domain.transitions, or one of the
local codes below), and says itself in French. Labels are source strings; they are translated when shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import cache

from textual.binding import Binding, BindingType

from client.i18n import _


class Room(StrEnum):
    """A screen, as the table names it."""

    APP = "app"
    UNLOCK = "unlock"
    MAILBOX = "mailbox"
    CASE = "case"
    FORM = "form"
    NEW_REQUEST = "new-request"
    DIRECTORY = "directory"
    PICKER = "picker"
    FINALISATION = "finalisation"
    EXPORT = "export"
    PREFERENCES = "preferences"
    MOTIVE = "motive"
    CONFIRM = "confirm"
    MENU = "menu"
    HELP = "help"
    PALETTE = "palette"
    ENDED = "ended"


ROOM_NAMES = {
    Room.APP: "Partout",
    Room.UNLOCK: "Ouverture par la carte",
    Room.MAILBOX: "Messagerie",
    Room.CASE: "Dossier",
    Room.FORM: "Formulaire du dossier",
    Room.NEW_REQUEST: "Nouvelle téléexpertise",
    Room.DIRECTORY: "Annuaire",
    Room.PICKER: "Recherche d'un patient ou d'un fichier",
    Room.FINALISATION: "Finalisation",
    Room.EXPORT: "Export facturation",
    Room.PREFERENCES: "Préférences d'expert",
    Room.MOTIVE: "Motif",
    Room.CONFIRM: "Confirmation",
    Room.MENU: "Menus",
    Room.HELP: "Aide",
    Room.PALETTE: "Palette de commandes",
    Room.ENDED: "Session interrompue",
}

DRAFT_ROW = "row:draft"
CASE_ROW = "row:case"
ANY_ROW = "row:any"
UNDO = "undo"
ATTACHMENT = "attachment"
SYNTHESIS = "synthesis"
COMPOSING = "composing"
TICKS = "ticks"
FILTERED = "filtered"
MORE = "more"
UNLOCKED = "unlocked"


@dataclass(frozen=True, slots=True)
class Action:
    """One thing a key does."""

    id: str
    """Stable, for the user's own keymap: `mailbox.archive`."""
    keys: str
    """Textual key names, comma separated; the first is the one shown."""
    label: str
    """French, short: footer and palette."""
    help: str
    """French, one sentence."""
    rooms: tuple[Room, ...]
    needs: str = ""
    """Code that must be permitted, or the key does nothing and is not shown."""
    footer: int = 0
    """Rank in the footer, 1 first; 0 stays out of it."""
    palette: bool = True
    short: str = ""
    """French, one word for the footer when the label is long."""
    words: str = ""
    """Other words by which the palette finds it."""
    per_key: bool = False
    """One binding per key, which receives its key as argument."""
    priority: bool = False
    """Heard before the focused widget."""

    @property
    def name(self) -> str:
        """`archive`: the method `action_archive` of the screen."""
        return self.id.split(".", 1)[1].replace("-", "_")

    def bindings(self) -> Iterator[Binding]:
        """What Textual needs to hear these keys."""
        if not self.per_key:
            yield Binding(self.keys, self.name, self.label, id=self.id, show=False, priority=self.priority)
            return
        for key in self.keys.split(","):
            yield Binding(key, f"{self.name}({key!r})", self.label, id=f"{self.id}.{key}", show=False)


_APP, _BOX, _CASE, _NEW = (Room.APP,), (Room.MAILBOX,), (Room.CASE,), (Room.NEW_REQUEST,)
_LISTED = (Room.MAILBOX, Room.CASE)

# One row per action, as a table is read.
# fmt: off
ACTIONS: tuple[Action, ...] = (
    # --- the mailbox
    Action("mailbox.open", "enter", "Ouvrir", "Ouvre le dossier choisi.", _BOX, ANY_ROW, 1, palette=False),
    Action("mailbox.plus", "+", "Nouveau", "Ouvre le menu des actions (démarrer une téléexpertise...).", _BOX, "", 2,
           words="creer nouvelle demande avis"),
    Action("mailbox.new-request", "ctrl+n", "Démarrer une Téléexpertise", "Ouvre le formulaire de demande.", _BOX,
           words="nouvelle demande avis dermatologue creer"),
    Action("mailbox.filter", "/", "Filtrer", "Cherche des mots dans le dossier affiché ; Échap efface.", _BOX, "", 5,
           words="recherche chercher trouver"),
    Action("mailbox.archive", "a", "Archiver", "Sort le dossier de la boîte de réception ; z annule.", _BOX, CASE_ROW,
           6, words="ranger classer"),
    Action("mailbox.undo", "z", "Annuler l'archivage", "Remet le dernier dossier archivé.", _BOX, UNDO, 3,
           short="Annuler"),
    Action("mailbox.favourite", "f", "Favori", "Marque ou démarque le dossier comme favori.", _BOX, CASE_ROW,
           words="etoile"),
    Action("mailbox.to-do", "t", "À traiter", "Marque ou démarque le dossier à traiter.", _BOX, CASE_ROW, 8,
           words="tache rappel"),
    Action("mailbox.unread", "m", "Marquer non lu", "Remet le dossier parmi les non lus.", _BOX, CASE_ROW),
    Action("mailbox.discard", "x", "Jeter le brouillon", "Supprime le brouillon choisi, après confirmation.", _BOX,
           DRAFT_ROW, 6, words="supprimer effacer", short="Jeter"),
    Action("mailbox.portal", "P", "Portail des applications", "Préférences d'expert, export de l'activité.", _BOX,
           words="menu reglages"),
    Action("mailbox.preferences", "ctrl+e", "Gérer mes préférences", "Votre fiche d'expert dans l'annuaire.", _BOX,
           words="expert declarer annuaire reglages"),
    Action("mailbox.export", "E", "Exporter mon activité", "Écrit le tableau des téléexpertises finalisées.", _BOX,
           words="facturation extraire xlsx csv tableur"),
    Action("mailbox.sidebar", "b", "Dossiers", "Montre ou cache la colonne des dossiers.", _BOX,
           words="barre laterale colonne"),
    Action("mailbox.folder", "1,2,3,4,5,6,7,8,9,0", "Aller au dossier", "Affiche le dossier de ce rang.", _BOX,
           palette=False, per_key=True),
    # --- a case
    Action("case.answer", "r", "Rendre un avis", "Écrit l'avis dans la zone de rédaction.", _CASE, "answered", 1,
           words="repondre reponse", short="Avis"),
    Action("case.message", "m", "Message", "Écrit un message.", _CASE, "message-sent", 3, words="ecrire repondre"),
    Action("case.give", "c", "Compléter", "Donne le complément demandé par l'expert.", _CASE, "information-given", 2,
           words="complement information reponse"),
    Action("case.ask", "d", "Demander un complément", "Demande une précision au requérant.", _CASE,
           "information-requested", 5, words="information question", short="Complément ?"),
    Action("case.take", "p", "Prendre en charge", "Dit que vous prenez ce dossier.", _CASE, "taken-in-charge", 2,
           short="Prendre"),
    Action("case.finalise", "F", "Finaliser", "Choisit ce qui entre dans la synthèse, puis finalise.", _CASE,
           "finalised", 4, words="terminer clore facturer synthese"),
    Action("case.synthesis", "s", "Synthèse", "Enregistre et ouvre la synthèse en PDF.", _CASE, SYNTHESIS, 2,
           words="pdf compte rendu document"),
    Action("case.attachments", "o", "Pièces jointes", "Ouvre ou enregistre une pièce jointe.", _CASE, ATTACHMENT, 6,
           words="document photo fichier enregistrer", short="Pièces"),
    Action("case.edit", "e", "Modifier le formulaire", "Modifie objet, histoire clinique et question.", _CASE,
           "form-edited", words="corriger"),
    Action("case.decline", "x", "Refuser", "Refuse la demande, avec un motif.", _CASE, "declined", words="decliner"),
    Action("case.cancel", "X", "Annuler la demande", "Retire votre demande, avec un motif.", _CASE, "cancelled",
           words="retirer"),
    Action("case.favourite", "f", "Favori", "Marque ou démarque le dossier comme favori.", _CASE),
    Action("case.to-do", "t", "À traiter", "Marque ou démarque le dossier à traiter.", _CASE),
    Action("case.archive", "a", "Archiver", "Archive le dossier et revient à la liste.", _CASE),
    Action("case.pane", "tab", "Formulaire/échanges", "Passe du formulaire à la conversation.", _CASE, "", 7,
           words="volet", short="Formulaire"),
    Action("case.send", "ctrl+s,ctrl+enter", "Envoyer",
           "Envoie le texte en cours (Ctrl+Entrée si le terminal le peut).", _CASE, COMPOSING, 1, words="valider"),
    Action("case.attach", "ctrl+o", "Joindre", "Joint un fichier au texte en cours.", _CASE, COMPOSING, 2,
           words="photo document fichier"),
    Action("case.detach", "ctrl+g", "Retirer la dernière pièce", "Retire le dernier fichier joint au texte.", _CASE,
           COMPOSING),
    Action("case.urgent", "!", "Marquer urgent", "Met ou retire la marque d'urgence du texte en cours.", _CASE,
           "message-sent"),
    Action("case.question", "ctrl+t", "Marquer question", "Met ou retire la marque de question du texte en cours.",
           _CASE, "message-sent"),
    Action("case.back", "escape", "Retour", "Quitte la saisie, puis revient à la liste.", _CASE, "", 8,
           palette=False),
    # --- the shared form
    Action("form.save", "ctrl+s,ctrl+enter", "Enregistrer", "Publie le formulaire modifié.", (Room.FORM,), "", 1),
    Action("form.back", "escape", "Abandonner", "Revient au dossier sans rien changer.", (Room.FORM,), "", 2),
    # --- a new request
    Action("request.start", "ctrl+s,ctrl+enter", "Démarrer", "Démarre la téléexpertise.", _NEW, "", 1,
           words="envoyer valider"),
    Action("request.attach", "ctrl+o", "Joindre", "Joint un fichier à la demande.", _NEW, "", 2,
           words="photo document fichier"),
    Action("request.detach", "ctrl+g", "Retirer la pièce", "Retire la dernière pièce jointe.", _NEW),
    Action("request.expert", "ctrl+e", "Choisir l'expert", "Ouvre l'annuaire.", _NEW, "", 4, words="annuaire",
           priority=True, short="Expert"),
    Action("request.patient", "ctrl+t", "Choisir le patient", "Cherche parmi les patients déjà rencontrés.", _NEW, "",
           5, short="Patient"),
    Action("request.back", "escape", "Quitter", "Garde le brouillon et revient à la liste.", _NEW, "", 3),
    # --- directory and pickers
    Action("directory.choose", "enter", "Choisir", "Prend l'expert choisi.", (Room.DIRECTORY,), "", 1),
    Action("directory.experts", "ctrl+x", "Experts seulement", "Montre les seuls experts, ou tout l'annuaire.",
           (Room.DIRECTORY,), "", 2, priority=True, short="Experts"),
    Action("directory.add-filter", "ctrl+f", "Ajouter un filtre", "Filtre par spécialité ou département.",
           (Room.DIRECTORY,), "", 3, priority=True, short="Filtrer"),
    Action("directory.remove-filter", "ctrl+g", "Retirer un filtre", "Retire le dernier filtre.", (Room.DIRECTORY,),
           FILTERED, 4, short="Ôter filtre"),
    Action("directory.more", "ctrl+n", "Plus de résultats", "VOIR PLUS DE RÉSULTATS.", (Room.DIRECTORY,), MORE, 5,
           short="Plus"),
    Action("directory.back", "escape", "Fermer", "Ferme l'annuaire sans choisir.", (Room.DIRECTORY,), "", 6),
    Action("picker.choose", "enter", "Choisir", "Prend la ligne choisie.", (Room.PICKER,), "", 1),
    Action("picker.complete", "tab", "Compléter", "Complète la saisie par la ligne choisie.", (Room.PICKER,), "", 2,
           priority=True),
    Action("picker.back", "escape", "Fermer", "Ferme sans choisir.", (Room.PICKER,), "", 3),
    # --- finalising and billing
    Action("finalisation.go-on", "ctrl+s,ctrl+enter", "Continuer", "Continue la finalisation, puis finalise.",
           (Room.FINALISATION,), "", 1),
    Action("finalisation.all", "ctrl+t", "Tout cocher", "Coche ou décoche tous les échanges.", (Room.FINALISATION,),
           TICKS, 2),
    Action("finalisation.back", "escape", "Annuler", "Revient à l'étape précédente, puis au dossier.",
           (Room.FINALISATION,), "", 3),
    Action("export.go", "ctrl+s,ctrl+enter", "Exporter", "Écrit le fichier.", (Room.EXPORT,), "", 1),
    Action("export.back", "escape", "Annuler", "Ferme sans exporter.", (Room.EXPORT,), "", 2),
    Action("preferences.save", "ctrl+s,ctrl+enter", "Enregistrer", "Publie vos préférences.", (Room.PREFERENCES,), "",
           1),
    Action("preferences.back", "escape", "Annuler", "Revient sans enregistrer.", (Room.PREFERENCES,), "", 2),
    Action("motive.go", "ctrl+s,ctrl+enter", "Valider", "Envoie le motif.", (Room.MOTIVE,), "", 1),
    Action("motive.back", "escape", "Annuler", "Revient au dossier sans rien faire.", (Room.MOTIVE,), "", 2),
    # --- small dialogs
    Action("confirm.yes", "o", "Oui", "Confirme.", (Room.CONFIRM,), "", 1),
    Action("confirm.no", "n,escape", "Non", "Ne fait rien.", (Room.CONFIRM,), "", 2),
    Action("menu.choose", "enter", "Choisir", "Prend la ligne choisie.", (Room.MENU,), "", 1, palette=False),
    Action("menu.other", "e", "Enregistrer seulement", "Enregistre la pièce sans l'ouvrir.", (Room.MENU,), ATTACHMENT,
           2, short="Enregistrer"),
    Action("menu.back", "escape", "Fermer", "Ferme le menu.", (Room.MENU,), "", 3),
    Action("help.back", "escape,q,?", "Fermer", "Ferme l'aide.", (Room.HELP,), "", 1),
    Action("palette.choose", "enter", "Exécuter", "Exécute la commande choisie.", (Room.PALETTE,), "", 1),
    Action("palette.back", "escape", "Fermer", "Ferme la palette.", (Room.PALETTE,), "", 2),
    Action("ended.quit", "q,escape,enter", "Quitter", "Ferme Avicenne.", (Room.ENDED,), "", 1),
    # --- everywhere
    Action("app.next-unread", "n", "Non lu suivant", "Va au prochain dossier non lu.", _LISTED, "", 4,
           words="prochain", short="Non lu"),
    Action("app.next-urgent", "u", "Urgent suivant", "Va au prochain dossier urgent.", _LISTED, "", 7,
           words="prochain", short="Urgent"),
    Action("app.reconnect", "ctrl+r", "Se reconnecter", "Essaie de joindre le relais maintenant.", _APP, UNLOCKED,
           words="connexion reseau"),
    Action("app.palette", "ctrl+p", "Commandes", "Cherche une commande par son nom.", _APP, UNLOCKED, palette=False,
           priority=True),
    Action("app.theme", "ctrl+b", "Changer de couleurs", "Sombre, clair, contrasté ou couleurs du terminal.", _APP,
           words="theme clair sombre contraste"),
    Action("app.lock", "ctrl+l", "Verrouiller", "Couvre l'écran et oublie les clés.", _APP, UNLOCKED, priority=True,
           words="fermer session carte"),
    Action("app.switch-card", "f4", "Changer de carte", "Ferme ce poste pour de bon et choisit parmi les cartes "
           "présentes.", _APP, UNLOCKED, words="utilisateur session autre", priority=True),
    Action("unlock.switch-card", "f4", "Changer de carte", "Choisit parmi les cartes présentes.", (Room.UNLOCK,), "", 3,
           palette=False),
    Action("app.help", "?,f1", "Aide", "Montre toutes les touches.", _APP, "", 9),
    Action("app.quit", "q,ctrl+q", "Quitter", "Ferme Avicenne ; demande si des envois attendent.", _APP, "", 0,
           words="sortir fermer"),
)
# fmt: on

FOOTER_MAX = 8
"""More keys than that are not read (reliability.md 3.3)."""

_KEY_NAMES = {
    "enter": "Entrée",
    "escape": "Échap",
    "tab": "Tab",
    "space": "Espace",
    "up": "↑",
    "down": "↓",
    "f1": "F1",
    "f4": "F4",
}


def key_words(key: str) -> str:
    """How a key is said: `ctrl+s` is `Ctrl+S`, `escape` is `Échap`."""
    modifier, plus, last = key.rpartition("+")
    if plus and modifier:
        named = _KEY_NAMES.get(last)
        return f"Ctrl+{_(named) if named else last.upper()}"
    named = _KEY_NAMES.get(key)
    return _(named) if named else key


def keys_words(action: Action) -> str:
    """All the keys of an action, for the help: `Ctrl+S, Ctrl+Entrée`."""
    keys = action.keys.split(",")
    if action.per_key:
        return f"{keys[0]}...{keys[-1]}"
    return ", ".join(key_words(key) for key in keys)


@cache
def actions_of(room: Room) -> tuple[Action, ...]:
    """The rows of the table that a room answers to by itself."""
    return tuple(action for action in ACTIONS if room in action.rooms)


def bindings_of(room: Room) -> list[BindingType]:
    """Textual bindings of a room, made from its rows."""
    return [binding for action in actions_of(room) for binding in action.bindings()]


def offered_in(room: Room, *, modal: bool) -> tuple[Action, ...]:
    """Rows that may be offered in a room: its own, and those of everywhere unless a dialog covers them."""
    own = actions_of(room)
    return own if modal else own + actions_of(Room.APP)


def action_named(identifier: str) -> Action:
    """The row with this id."""
    return next(action for action in ACTIONS if action.id == identifier)
