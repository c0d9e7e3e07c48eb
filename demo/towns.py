"""Real towns of Auvergne-Rhône-Alpes with their postcodes, the largest of each department first."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Town:
    """Where professionals practise."""

    name: str
    postcode: str
    departement: str
    """INSEE code, two characters."""
    rank: int
    """From 0, the largest of its department."""


SHARE_OF_DEPARTEMENT = {
    "01": 80,
    "03": 42,
    "07": 41,
    "15": 18,
    "26": 65,
    "38": 160,
    "42": 96,
    "43": 28,
    "63": 83,
    "69": 240,
    "73": 55,
    "74": 105,
}
"""Rough share of the region's professionals, in thousandths."""

_TOWNS = {
    "01": """Bourg-en-Bresse 01000, Oyonnax 01100, Ambérieu-en-Bugey 01500, Valserhône 01200, Gex 01170, Belley 01300,
        Miribel 01700, Meximieux 01800, Ferney-Voltaire 01210, Divonne-les-Bains 01220, Trévoux 01600, Montluel 01120,
        Lagnieu 01150, Châtillon-sur-Chalaronne 01400, Nantua 01130""",
    "03": """Montluçon 03100, Vichy 03200, Moulins 03000, Cusset 03300, Yzeure 03400, Bellerive-sur-Allier 03700,
        Commentry 03600, Gannat 03800, Saint-Pourçain-sur-Sioule 03500, Lapalisse 03120, Varennes-sur-Allier 03150,
        Dompierre-sur-Besbre 03290""",
    "07": """Annonay 07100, Aubenas 07200, Guilherand-Granges 07500, Tournon-sur-Rhône 07300, Le Teil 07400,
        Privas 07000, Bourg-Saint-Andéol 07700, La Voulte-sur-Rhône 07800, Viviers 07220, Le Cheylard 07160,
        Vallon-Pont-d'Arc 07150, Les Vans 07140, Lamastre 07270""",
    "15": """Aurillac 15000, Saint-Flour 15100, Arpajon-sur-Cère 15130, Mauriac 15200, Riom-ès-Montagnes 15400,
        Maurs 15600, Vic-sur-Cère 15800, Murat 15300, Massiac 15500, Ydes 15210""",
    "26": """Valence 26000, Montélimar 26200, Romans-sur-Isère 26100, Bourg-lès-Valence 26500, Pierrelatte 26700,
        Bourg-de-Péage 26300, Portes-lès-Valence 26800, Livron-sur-Drôme 26250, Crest 26400,
        Saint-Paul-Trois-Châteaux 26130, Nyons 26110, Tain-l'Hermitage 26600, Loriol-sur-Drôme 26270, Die 26150,
        Saint-Vallier 26240, Dieulefit 26220""",
    "38": """Grenoble 38000, Saint-Martin-d'Hères 38400, Échirolles 38130, Vienne 38200, Bourgoin-Jallieu 38300,
        Fontaine 38600, Voiron 38500, Villefontaine 38090, Meylan 38240, L'Isle-d'Abeau 38080, Saint-Égrève 38120,
        Seyssinet-Pariset 38170, Sassenage 38360, Le Pont-de-Claix 38800, Roussillon 38150, La Tour-du-Pin 38110,
        Saint-Marcellin 38160, La Mure 38350, Saint-Laurent-du-Pont 38380, Le Bourg-d'Oisans 38520""",
    "42": """Saint-Étienne 42000, Roanne 42300, Saint-Chamond 42400, Firminy 42700, Montbrison 42600,
        Saint-Just-Saint-Rambert 42170, Rive-de-Gier 42800, Le Chambon-Feugerolles 42500, Riorges 42153,
        Andrézieux-Bouthéon 42160, Veauche 42340, Unieux 42240, Feurs 42110, Saint-Galmier 42330, Charlieu 42190,
        Boën-sur-Lignon 42130, Bourg-Argental 42220, Saint-Bonnet-le-Château 42380""",
    "43": """Le Puy-en-Velay 43000, Monistrol-sur-Loire 43120, Yssingeaux 43200, Brioude 43100, Sainte-Sigolène 43600,
        Aurec-sur-Loire 43110, Langeac 43300, Brives-Charensac 43700, Saint-Just-Malmont 43240, Bas-en-Basset 43210,
        Tence 43190, Le Chambon-sur-Lignon 43400, Craponne-sur-Arzon 43500""",
    "63": """Clermont-Ferrand 63000, Cournon-d'Auvergne 63800, Riom 63200, Chamalières 63400, Issoire 63500,
        Thiers 63300, Beaumont 63110, Pont-du-Château 63430, Gerzat 63360, Aubière 63170, Lempdes 63370,
        Romagnat 63540, Ambert 63600, Billom 63160, Royat 63130, Vic-le-Comte 63270, Volvic 63530, Courpière 63120,
        La Bourboule 63150""",
    "69": """Lyon 69003, Lyon 69008, Lyon 69007, Villeurbanne 69100, Vénissieux 69200, Lyon 69006, Lyon 69002,
        Lyon 69004, Lyon 69005, Lyon 69009, Lyon 69001, Vaulx-en-Velin 69120, Saint-Priest 69800,
        Caluire-et-Cuire 69300, Bron 69500, Villefranche-sur-Saône 69400, Meyzieu 69330, Rillieux-la-Pape 69140,
        Décines-Charpieu 69150, Oullins-Pierre-Bénite 69600, Tassin-la-Demi-Lune 69160, Écully 69130,
        Saint-Genis-Laval 69230, Givors 69700, Francheville 69340, Brignais 69530, Genas 69740, Mions 69780,
        Belleville-en-Beaujolais 69220, Tarare 69170, L'Arbresle 69210""",
    "73": """Chambéry 73000, Aix-les-Bains 73100, Albertville 73200, La Motte-Servolex 73290, La Ravoire 73490,
        Saint-Jean-de-Maurienne 73300, Ugine 73400, Bourg-Saint-Maurice 73700, Cognin 73160, Montmélian 73800,
        Challes-les-Eaux 73190, Moûtiers 73600, Modane 73500, Les Échelles 73360""",
    "74": """Annecy 74000, Thonon-les-Bains 74200, Annemasse 74100, Cluses 74300, Sallanches 74700, Rumilly 74150,
        Saint-Julien-en-Genevois 74160, Bonneville 74130, La Roche-sur-Foron 74800, Passy 74190, Gaillard 74240,
        Évian-les-Bains 74500, Chamonix-Mont-Blanc 74400, Faverges-Seythenex 74210, Scionzier 74950, Thônes 74230,
        Saint-Gervais-les-Bains 74170""",
}


def towns_of(departement: str) -> tuple[Town, ...]:
    """Return the towns of a department, the largest first."""
    places = (" ".join(place.split()).rpartition(" ") for place in _TOWNS[departement].split(","))
    return tuple(Town(name, postcode, departement, rank) for rank, (name, _, postcode) in enumerate(places))
