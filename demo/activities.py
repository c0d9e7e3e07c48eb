"""What experts say of their activity, by speciality code: descriptif (C05) and prérequis (C07). Fictional."""

from __future__ import annotations

EXPERT_TEXTS: dict[str, tuple[str, str]] = {
    "SM02": ("Évaluation préopératoire, douleur postopératoire.", "Traitements, allergies, acte prévu."),
    "SM04": (
        "Cardiologie générale : HTA, rythme, insuffisance cardiaque stable. Douleur thoracique aiguë : composer le 15.",
        "ECG 12 dérivations, TA, traitements, antécédents.",
    ),
    "SM15": (
        "Dermatologie de l'adulte et de l'enfant : lésion pigmentée, éruption, plaie. Pas d'urgence.",
        "Ancienneté, évolution, traitements essayés, photos nettes avec repère de taille.",
    ),
    "SM18": ("Gériatrie : polymédication, chutes, troubles cognitifs.", "Traitements, poids, DFG, autonomie."),
    "SM20": ("Gynécologie-obstétrique : saignements, contraception, suivi de grossesse.", "Date des dernières règles."),
    "SM21": ("Hématologie : cytopénies, hyperleucocytose, pic monoclonal.", "NFS récentes avec frottis."),
    "SM24": ("Hépato-gastro-entérologie : cytolyse, dyspepsie, MICI connues.", "Bilan hépatique, imagerie."),
    "SM27": ("Médecine interne : fièvre au long cours, maladies systémiques.", "Examen, biologie, imagerie."),
    "SM30": ("Néphrologie : maladie rénale chronique, protéinurie.", "Créatinine et DFG sur 12 mois, ionogramme, RAC."),
    "SM32": (
        "Neurologie : céphalées, tremblement, épilepsie connue. Déficit brutal : composer le 15.",
        "Examen, imagerie.",
    ),
    "SM34": ("ORL : vertige, surdité, dysphonie.", "Audiogramme si disponible."),
    "SM36": ("Oncologie médicale : orientation, tolérance des traitements.", "Compte rendu anatomopathologique."),
    "SM38": ("Ophtalmologie : œil rouge sans baisse d'acuité, chalazion, fond d'œil.", "Acuité, photo de l'œil."),
    "SM40": ("Pédiatrie générale : croissance, éruptions, alimentation.", "Courbes, carnet de santé, poids."),
    "SM41": ("Pneumologie : toux chronique, BPCO, nodule.", "EFR, imagerie, tabagisme."),
    "SM42": (
        "Psychiatrie de l'adulte : adaptation de traitement, orientation. Crise suicidaire : composer le 3114.",
        "",
    ),
    "SM44": ("Imagerie : choix de l'examen, relecture de compte rendu.", "Question posée, examens antérieurs."),
    "SM48": ("Rhumatologie : arthrites, ostéoporose, lombalgies complexes.", "Biologie, radiographies, DMO."),
    "SM54": ("Médecine générale : avis entre confrères.", ""),
    "SM57": ("Allergologie : urticaire, allergie alimentaire ou médicamenteuse.", "Chronologie précise, photos."),
    "SM58": ("Infectiologie : antibiothérapie, retour de voyage.", "Poids, DFG, allergies, antibiogramme."),
    "SM61": ("Médecine vasculaire : ulcère, thrombose, insuffisance veineuse.", "IPS si connu, photo de la plaie."),
    "SM62": ("Endocrinologie, diabète, nutrition. Réponse sous 72 h ouvrées.", "HbA1c, IMC, DFG, traitements."),
    "DEC12": ("Soins palliatifs : symptômes, anticipation, soutien des équipes.", "Traitements, projet de soins."),
    "Sage-Femme": ("suivi de grossesse et post-partum, allaitement.", "Terme, antécédents obstétricaux."),
}
"""By speciality code of TRE_R38, or by profession when there is none."""


def expert_texts(code: str, label: str) -> tuple[str, str]:
    """Return descriptif and prérequis for a code, plausible for any."""
    return EXPERT_TEXTS.get(code, (f"{label} : avis programmé.", "Motif, antécédents, traitements en cours."))
