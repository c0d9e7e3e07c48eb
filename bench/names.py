"""Words of the synthetic cases, alone in a module so that a peer application loads nothing else of the house."""

NAMES = ("SPECIMEN", "BARATIER", "CHAMPALE", "DUFOURNET", "FONTVIEILLE", "GRANJON", "LAMBERTIN", "MOLLARDY")
FIRST_NAMES = ("Lucette", "Aimé", "Germaine", "Octave", "Pauline", "Rémi", "Solange", "Théophile", "Zoé")
OBJECTS = (
    "Lésion pigmentée du dos",
    "Plaque érythémateuse du coude",
    "Dyspnée d'effort récente",
    "Ulcère de jambe qui ne cicatrise pas",
    "Fibrillation auriculaire : faut-il anticoaguler ?",
    "Naevus atypique chez un enfant",
)
