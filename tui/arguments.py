"""The command line as data: every command, option, example and the function that does it, named but not imported.

`tui.cli` reads it to act, `tui.reference` to write the reference. Importing this must stay cheap: argparse and words.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from client.i18n import _
from tui.exit_codes import ExitCode

PROGRAM = "avicenne"
PROGRAMS = {
    "demo": ("demo", "lance une région de démonstration : relais, cartes, personnages"),
    "server": ("server", "le relais"),
    "vcard": ("crypto.card.virtual", "carte CPS virtuelle"),
}
"""Commands handed over, with the rest of the line, to `python -m`; their words are translated where they are shown."""

FOLDERS = (
    "inbox",
    "all",
    "unread",
    "favourites",
    "to-do",
    "teleexpertises",
    "conversations",
    "support",
    "mssante",
    "drafts",
)
"""client.intents.Folder, whose import would cost this module its cheapness; a test compares them."""

_ARGPARSE_FRENCH = (
    (r"unrecognized arguments: (.*)", r"arguments inconnus : \1"),
    (r"the following arguments are required: (.*)", r"il manque : \1"),
    (r"argument (.*): expected one argument", r"\1 : il manque une valeur"),
    (r"argument (.*): expected at least one argument", r"\1 : il manque au moins une valeur"),
    (r"argument (.*): invalid choice: (.*) \(choose from (.*)\)", r"\1 : \2 n'est pas parmi \3"),
    (r"argument (.*): invalid \w+ value: (.*)", r"\1 : valeur incorrecte \2"),
    (r"argument (.*): not allowed with argument (.*)", r"\1 ne va pas avec \2"),
)


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help in French."""

    def add_usage(self, usage, actions, groups, prefix=None):  # type: ignore[no-untyped-def]
        return super().add_usage(usage, actions, groups, _("Usage : ") if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """A parser whose help leads with examples and whose mistakes exit with 64."""

    def __init__(self, *, examples: Sequence[str] = (), **options: object) -> None:
        super().__init__(add_help=False, formatter_class=_Help, allow_abbrev=False, **options)  # type: ignore[arg-type]
        self.examples = tuple(examples)
        self._positionals.title = _("arguments")
        self._optionals.title = _("options")
        self.add_argument("-h", "--help", action="help", help=_("montre cette aide"))

    def format_help(self) -> str:
        """Examples, then what argparse says."""
        block = "".join(f"  {example}\n" for example in self.examples)
        return (_("Exemples :") + f"\n{block}\n" if block else "") + super().format_help()

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, where to read more, and exit with 64."""
        for english, french in _ARGPARSE_FRENCH:
            message = re.sub(f"^{english}$", _(french), message, flags=re.DOTALL)
        self.exit(ExitCode.USAGE, f"{self.prog} : {message}\n" + _("Voir {prog} --help.").format(prog=self.prog) + "\n")


def build_parser() -> Parser:
    """The whole command line."""
    parser = Parser(
        prog=PROGRAM,
        description=_("Téléexpertise chiffrée de bout en bout, dans un terminal."),
        examples=(
            "avicenne                                   # ouvre l'application",
            "avicenne --as PS01                         # la même, en personnage de la démonstration",
            "avicenne inbox --as PS01 --json            # la boîte, pour un script",
            "avicenne answer 0198f3 'Pas de biopsie.' --as PS02",
            "avicenne play tapes/first-request.tape --junit out.xml",
        ),
    )
    parser.add_argument("--version", action="store_true", help=_("montre la version"))
    parser.add_argument("--debug", action="store_true", help=_("montre la trace d'une erreur interne"))
    _persona(parser, default=None)
    parser.set_defaults(run="tui.front_ends:open_tui")
    commands = parser.add_subparsers(dest="command", metavar=_("COMMANDE"), title=_("commandes"), parser_class=Parser)
    for add in (_front_ends, _reading, _writing, _tools):
        add(commands)
    for name, (_module, words) in PROGRAMS.items():
        commands.add_parser(name, help=_(words))
    return parser


def _persona(parser: argparse.ArgumentParser, default: object = argparse.SUPPRESS) -> None:
    parser.add_argument(
        "--as",
        dest="persona",
        metavar="PERSONNAGE",
        default=default,
        help=_("profil de la démonstration, par exemple PS01"),
    )


def _command(commands: argparse._SubParsersAction[Parser], name: str, words: str, run: str, *examples: str) -> Parser:
    parser = commands.add_parser(name, help=words, description=words[0].upper() + words[1:] + ".", examples=examples)
    parser.set_defaults(run=run)
    parser.add_argument("--debug", action="store_true", default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    return parser


def _verb(commands: argparse._SubParsersAction[Parser], name: str, words: str, run: str, *examples: str) -> Parser:
    """A command that opens a session: whose, with which code, for how long."""
    parser = _command(commands, name, words, run, *examples)
    _session_options(parser)
    parser.add_argument("--json", action="store_true", help=_("un objet JSON sur la sortie"))
    return parser


def _session_options(parser: Parser) -> None:
    group = parser.add_argument_group(_("session"))
    _persona(group)  # type: ignore[arg-type]
    group.add_argument("--pin-fd", type=int, metavar="N", help=_("lit le code porteur sur ce descripteur"))
    group.add_argument("--pin-file", type=Path, metavar="F", help=_("lit le code porteur dans ce fichier"))
    group.add_argument("--reader", default="", metavar="NOM", help=_("lecteur à utiliser, s'il y en a plusieurs"))
    group.add_argument("--situation", type=int, default=0, metavar="N", help=_("situation d'exercice de la carte"))
    group.add_argument("--no-input", action="store_true", help=_("ne pose aucune question"))
    group.add_argument("--timeout", type=_seconds, default=30.0, metavar="S", help=_("attend au plus S secondes (30)"))


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def _on_off(text: str) -> bool:
    return {"on": True, "off": False}[text] if text in ("on", "off") else _bad(text)


def _bad(text: str) -> NoReturn:
    raise ValueError(text)


def _front_ends(commands: argparse._SubParsersAction[Parser]) -> None:
    tui = _command(commands, "tui", _("ouvre l'application"), "tui.front_ends:open_tui", "avicenne tui --as PS01")
    _persona(tui)
    session = _verb(
        commands,
        "session",
        _("une session par lignes JSON : intentions en entrée, annonces en sortie"),
        "tui.front_ends:run_session",
        """echo '{"intent": "SelectFolder", "folder": "inbox"}' | avicenne session --as PS01""",
        "avicenne session --schema",
    )
    session.add_argument("--rows", type=_count, default=100, metavar="N", help=_("au plus N lignes de boîte (100)"))
    session.add_argument("--no-wait", action="store_true", help=_("n'attend pas que tout soit envoyé"))
    session.add_argument("--no-login", action="store_true", help=_("laisse les lignes ouvrir la session (EnterPin...)"))
    session.add_argument("--schema", action="store_true", help=_("montre le schéma JSON des intentions"))
    play = _command(
        commands,
        "play",
        _("joue une bande sur l'application, sans terminal, et la juge"),
        "tui.front_ends:play",
        "avicenne play tapes/main-job.tape --check",
        "avicenne play tapes/first-request.tape --fast --junit out.xml --screenshots shots",
    )
    play.add_argument("tape", type=Path, metavar="FICHIER.tape", help=_("la bande (docs/reference/tapes.md)"))
    _persona(play)
    play.add_argument("--junit", type=Path, metavar="F", help=_("écrit le compte rendu JUnit"))
    play.add_argument(
        "--screenshots", type=Path, default=Path("screenshots"), metavar="D", help=_("où vont les captures")
    )
    play.add_argument("--fast", action="store_true", help=_("ne tient pas compte de Sleep ni des vitesses de frappe"))
    play.add_argument("--check", action="store_true", help=_("lit la bande sans la jouer"))


def _reading(commands: argparse._SubParsersAction[Parser]) -> None:
    inbox = _verb(
        commands, "inbox", _("liste un dossier"), "tui.verbs:inbox",
        "avicenne inbox --as PS01", "avicenne inbox --folder to-do --query nævus --json",
    )  # fmt: skip
    inbox.add_argument("--folder", choices=FOLDERS, default="inbox", help=_("le dossier (inbox)"))
    inbox.add_argument("--query", default="", metavar="MOTS", help=_("ne garde que ce qui contient ces mots"))
    inbox.add_argument("--rows", type=_count, default=100, metavar="N", help=_("au plus N lignes (100)"))
    search = _verb(
        commands, "search", _("cherche un expert"), "tui.verbs:search",
        "avicenne search dermatologue --departement 42",
    )  # fmt: skip
    search.add_argument("words", nargs="+", metavar="MOTS", help=_("nom, spécialité, ville"))
    search.add_argument("--departement", default="", metavar="D", help=_("code du département"))
    search.add_argument("--specialite", default="", metavar="S", help=_("code de la spécialité"))
    search.add_argument("--everyone", action="store_true", help=_("aussi ceux qui ne se disent pas experts"))
    search.add_argument("--page", type=_count, default=1, metavar="N", help=_("page de résultats (1)"))
    show = _verb(commands, "show", _("montre une téléexpertise"), "tui.verbs:show", "avicenne show 0198f3a2")
    _case(show)
    show.add_argument("--peek", action="store_true", help=_("sans la marquer comme lue"))
    save = _verb(
        commands, "save", _("enregistre les pièces jointes"), "tui.verbs:save",
        "avicenne save 0198f3a2 -o photos", "avicenne save 0198f3a2 lesion.jpg",
    )  # fmt: skip
    _case(save)
    save.add_argument(
        "attachment", nargs="?", default="", metavar="PIECE", help=_("nom ou début d'identifiant ; sinon toutes")
    )
    save.add_argument("-o", "--output", type=Path, metavar="DOSSIER", help=_("où écrire"))
    export = _verb(
        commands, "export", _("exporte l'activité"), "tui.verbs:export",
        "avicenne export --role requis --from 01/01/2026 --to 31/01/2026 -o janvier.xlsx",
    )  # fmt: skip
    export.add_argument("--role", choices=("requis", "requerant"), default="requis", help=_("à quel titre (requis)"))
    export.add_argument("--format", choices=("xlsx", "csv"), default="xlsx", help=_("forme du fichier (xlsx)"))
    export.add_argument("--from", dest="date_debut", default="", metavar="DATE", help=_("premier jour"))
    export.add_argument("--to", dest="date_fin", default="", metavar="DATE", help=_("dernier jour"))
    export.add_argument("-o", "--output", type=Path, metavar="FICHIER", help=_("fichier à écrire"))
    prefs = _verb(
        commands, "prefs", _("montre ou change sa fiche d'expert"), "tui.verbs:prefs",
        "avicenne prefs", "avicenne prefs --annuaire on --descriptif 'Dermatologie, nævus'",
    )  # fmt: skip
    for name in ("annuaire", "patient-obligatoire", "nir-obligatoire", "facturation-requerant-obligatoire"):
        prefs.add_argument(f"--{name}", type=_on_off, metavar="on|off", help=_("active ou non"))
    for name in ("descriptif", "prerequis", "numero-facturation"):
        prefs.add_argument(f"--{name}", metavar="TEXTE", help=_("nouvelle valeur"))
    _verb(
        commands,
        "sessions",
        _("dit qui l'on est et ce qui attend d'être envoyé"),
        "tui.verbs:sessions",
        "avicenne sessions",
    )


def _writing(commands: argparse._SubParsersAction[Parser]) -> None:
    _request(commands)
    for name, words, sample in (
        ("answer", _("rend l'avis"), "'Nævus bénin, pas de biopsie.'"),
        ("ask", _("demande une information au requérant"), "'Depuis quand ?'"),
        ("give", _("donne l'information demandée"), "'Depuis deux ans.'"),
        ("message", _("écrit un message"), "'Bien reçu, merci.'"),
    ):
        parser = _verb(
            commands, name, words, f"tui.acts:{name}",
            f"avicenne {name} 0198f3a2 {sample}", f"avicenne {name} 0198f3a2 - < texte.txt",
        )  # fmt: skip
        _case(parser)
        parser.add_argument("text", metavar="TEXTE", help=_("le texte, ou - pour l'entrée standard"))
        parser.add_argument("--attach", type=Path, nargs="+", default=[], metavar="F", help=_("pièces jointes"))
        parser.add_argument("--urgent", action="store_true", help=_("marque comme urgent"))
        if name == "message":
            parser.add_argument("--question", dest="as_question", action="store_true", help=_("marque comme question"))
    attach = _verb(
        commands, "attach", _("ajoute des pièces jointes"), "tui.acts:attach", "avicenne attach 0198f3a2 dos.jpg"
    )
    _case(attach)
    attach.add_argument("files", type=Path, nargs="+", metavar="F", help=_("les fichiers"))
    attach.add_argument("--text", default="", metavar="TEXTE", help=_("un mot avec, ou - pour l'entrée standard"))
    attach.add_argument("--urgent", action="store_true", help=_("marque comme urgent"))
    _case(_verb(commands, "take", _("prend en charge"), "tui.acts:take", "avicenne take 0198f3a2"))
    for name, words in (("decline", _("refuse, avec un motif")), ("cancel", _("annule sa demande, avec un motif"))):
        parser = _verb(
            commands, name, words, f"tui.acts:{name}", f"avicenne {name} 0198f3a2 --motif 'Hors de ma spécialité'"
        )
        _case(parser)
        parser.add_argument("--motif", required=True, metavar="TEXTE", help=_("le motif, porté au dossier"))
    flag = _verb(commands, "flag", _("marque pour soi"), "tui.acts:flag", "avicenne flag 0198f3a2 to-do")
    _case(flag)
    flag.add_argument("flag", choices=("archived", "favourite", "to-do"), help=_("la marque"))
    flag.add_argument("--off", action="store_true", help=_("ôte la marque"))
    finalise = _verb(
        commands, "finalise", _("finalise : synthèse et facturation"), "tui.acts:finalise",
        "avicenne finalise 0198f3a2", "avicenne finalise 0198f3a2 --niveau TE2 --exclude 0198f3b",
    )  # fmt: skip
    _case(finalise)
    finalise.add_argument("--niveau", metavar="N", help=_("niveau de l'acte ; sinon le premier possible"))
    finalise.add_argument("--numero-requerant", metavar="N", help=_("numéro de facturation du requérant"))
    finalise.add_argument("--numero-requis", metavar="N", help=_("numéro de facturation du requis"))
    finalise.add_argument(
        "--exclude",
        nargs="+",
        default=[],
        metavar="ECHANGE",
        help=_("débuts d'identifiants à laisser hors de la synthèse"),
    )


def _request(commands: argparse._SubParsersAction[Parser]) -> None:
    parser = _verb(
        commands, "request", _("demande un avis"), "tui.acts:request",
        "avicenne request --as PS01 --expert 'Dr Anne CHARLIER' --patient 'SPECIMEN, Lucette, 17/04/1958, F' \\",
        "    --nir 258046999200130 --objet 'Lésion du dos' --question 'Biopsie ?' --consent",
        "avicenne request --as PS01 --from demande.json --attach dos.jpg face.jpg --json",
    )  # fmt: skip
    parser.add_argument(
        "--from", dest="source", metavar="FICHIER", help=_("formulaire en JSON, ou - pour l'entrée standard")
    )
    parser.add_argument("--expert", metavar="COMPTE|NOM", help=_("compte (ps:..., sv:...) ou nom de l'annuaire"))
    parser.add_argument("--acting", metavar="COMPTE", help=_("agir pour ce compte"))
    parser.add_argument("--patient", metavar="P", help=_("« NOM, Prénoms, JJ/MM/AAAA, F ou M »"))
    parser.add_argument("--nir", metavar="N", help=_("matricule INS"))
    parser.add_argument("--objet", metavar="TEXTE", help=_("objet"))
    parser.add_argument("--histoire", metavar="TEXTE", help=_("histoire clinique"))
    parser.add_argument("--question", metavar="TEXTE", help=_("question posée"))
    parser.add_argument("--numero-facturation", metavar="N", help=_("numéro de facturation du requérant"))
    parser.add_argument("--consent", action="store_true", help=_("le consentement du patient a été recueilli"))
    parser.add_argument("--urgent", action="store_true", help=_("marque comme urgent"))
    parser.add_argument("--attach", type=Path, nargs="+", default=[], metavar="F", help=_("pièces jointes"))


def _tools(commands: argparse._SubParsersAction[Parser]) -> None:
    card = _verb(
        commands, "card", _("ce que dit la carte, et son code"), "tui.doctor:card",
        "avicenne card list", "avicenne card info --as PS01 --json", "avicenne card verify --pin-file code.txt",
        "avicenne card unblock                      # demande le code de déblocage et un nouveau code porteur",
        "avicenne card change-pin --pin-file ancien.txt --new-pin-file nouveau.txt --json",
    )  # fmt: skip
    card.add_argument(
        "what",
        choices=("list", "info", "verify", "unblock", "change-pin"),
        help=_("lecteurs, titulaire, essai du code, déblocage, ou changement du code"),
    )
    card.add_argument(
        "--puk-file",
        type=Path,
        metavar="F",
        help=_("unblock : lit le code de déblocage dans ce fichier (--pin-file donne alors le nouveau code)"),
    )
    card.add_argument(
        "--new-pin-file", type=Path, metavar="F", help=_("change-pin : lit le nouveau code dans ce fichier")
    )
    doctor = _command(
        commands, "doctor", _("vérifie ce poste"), "tui.doctor:doctor", "avicenne doctor --as PS01 --json"
    )
    _persona(doctor)
    doctor.add_argument("--json", action="store_true", help=_("un objet JSON sur la sortie"))


def _case(parser: Parser) -> None:
    parser.add_argument("case", metavar="CAS", help=_("identifiant de la téléexpertise, ou son début"))
