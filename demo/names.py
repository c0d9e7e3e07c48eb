"""Made-up people: family names put together from syllables of place names, and common first names.

Real lists of surnames would sooner or later print a real professional's name beside an invented number.
"""

from __future__ import annotations

from random import Random

_HEADS = """Aigue Beau Bois Bru Chan Char Clair Combe Cour Esper Font Grange Haute Lau Long Mal Mar Mont Mour Orge
    Pierre Pré Roche Saul Ser Tour Val Verne Ville Vive""".split()  # noqa: SIM905 - words
_TAILS = """baret beloin bessac brignon charnoz claviel colombet cornille dargent fleuret fournac gallet gravelin lanson
    manche marsac mézin naudin parent pertuis ravel rouvre salvy tarrin vannois verchère vialle vigneux""".split()  # noqa: SIM905 - words

FEMALE = """Adèle Agnès Alice Amélie Anaïs Anne-Laure Aurélie Béatrice Camille Catherine Cécile Céline Chloé Claire
    Clémence Coralie Delphine Diane Élise Élodie Emma Estelle Fanny Florence Françoise Gaëlle Hélène Isabelle Jeanne
    Julie Juliette Justine Laure Laurence Léa Lucie Manon Margaux Marie-Hélène Marion Mathilde Mélanie Myriam Nathalie
    Nora Océane Pauline Perrine Rachel Samia Sandrine Sarah Solène Sophie Sylvie Valérie Véronique Virginie Yasmine
    Zoé""".split()  # noqa: SIM905 - words
MALE = """Adrien Alain Alexandre Alexis Antoine Arnaud Aurélien Baptiste Benoît Bertrand Christophe Clément Damien David
    Denis Didier Édouard Emmanuel Étienne Fabien Florian François Frédéric Gaël Gauthier Guillaume Hervé Hugo Jean-Luc
    Jérôme Julien Kévin Laurent Loïc Louis Lucas Malik Marc Mathieu Maxime Mehdi Michel Nicolas Olivier Pascal Philippe
    Pierre-Yves Quentin Raphaël Régis Rémi Romain Samuel Sébastien Stéphane Thibault Thierry Valentin Vincent
    Xavier""".split()  # noqa: SIM905 - words


def family_name(random: Random) -> str:
    """Return a made-up family name, in capitals as the directory prints it."""
    return (random.choice(_HEADS) + random.choice(_TAILS)).upper()


def first_name(random: Random) -> str:
    """Return a first name."""
    return random.choice(FEMALE + MALE)
