"""Search as one types: prefixes first, forgiveness only when needed, no ranking of persons; and how it is filled."""

from __future__ import annotations

import pytest

from domain.identifiers import AccountId
from protocol.limits import PAGE_SIZE
from protocol.resources import DirectoryEntry, ExpertPreferences
from server.adapters.memory_store import MemoryLedger
from server.adapters.tantivy_directory import TantivyDirectory
from server.directory import Directory, fold, search_of, speciality_codes
from server.loading import BadLine, load, parse
from server.ports import Membership

SHOWN = ExpertPreferences(annuaire=True)
PEOPLE = [
    ("Dr Anne CHARLIER", "Dermatologie et vénéréologie", "SM15", "Saint-Étienne", "42000", SHOWN),
    ("Dr Paul CHARLES", "Cardiologie", "SM04", "Annecy", "74000", None),
    ("Dr Zoé SAINT-JUST", "Cardiologie", "SM73", "Lyon", "69003", ExpertPreferences(annuaire=False)),
    ("Dr Émile OEUVRARD", "Médecine générale", "SM54", "Saint-Galmier", "42330", SHOWN),
    ("Mme Léa L'HÉRITIER", "Sage-femme", "", "Thonon-les-Bains", "74200", None),
]


@pytest.fixture(scope="module")
def directory() -> Directory:
    directory = Directory(TantivyDirectory())
    entries = [
        DirectoryEntry(
            AccountId(f"ps:{number}"), name, is_service=False, speciality=speciality, speciality_code=code, town=town,
            postcode=postcode, departement=postcode[:2], preferences=preferences,
        )
        for number, (name, speciality, code, town, postcode, preferences) in enumerate(PEOPLE)
    ]  # fmt: skip
    service = DirectoryEntry(AccountId("sv:1"), "Avis Cardiologie CH Fictif", True, town="Annecy", departement="74")
    directory.rebuild(sorted([*entries, service], key=lambda entry: entry.name))
    return directory


def found(directory: Directory, q: str, *, services: bool = False, **filters: object) -> list[str]:
    """Names found, in order."""
    options = {"experts": False, "departement": "", "specialite": "", "page": 1, **filters}
    both = directory.find(search_of(q, **options))  # type: ignore[arg-type]
    group = both.services if services else both.professionals
    names = {f"ps:{number}": person[0] for number, person in enumerate(PEOPLE)} | {"sv:1": "Avis Cardiologie CH Fictif"}
    return [names[account] for account in group.accounts]


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("char", ["Dr Anne CHARLIER", "Dr Paul CHARLES"]),
        ("charl a", ["Dr Anne CHARLIER", "Dr Paul CHARLES"]),
        ("anne charlier", ["Dr Anne CHARLIER"]),
        ("CHÂRLIER", ["Dr Anne CHARLIER"]),
        ("saint etienne", ["Dr Anne CHARLIER"]),
        ("42", ["Dr Anne CHARLIER", "Dr Émile OEUVRARD"]),
        ("dermato", ["Dr Anne CHARLIER"]),
        ("cardiologue annecy", ["Dr Paul CHARLES"]),
        ("œuvrard", ["Dr Émile OEUVRARD"]),
        ("l'heritier", ["Mme Léa L'HÉRITIER"]),
        ("haute-savoie", ["Dr Paul CHARLES", "Mme Léa L'HÉRITIER"]),
        ("4299", []),
        ("xyzzy", []),
    ],
)
def test_words_are_found_as_one_types_them(directory: Directory, q: str, names: list[str]) -> None:
    """What has the words comes first; as few are found, what nearly has them may follow."""
    first = found(directory, q)
    assert sorted(first[: len(names)]) == sorted(names)
    assert names or not first


@pytest.mark.parametrize("q", ["charleir", "chralier", "charlierr", "ouvrard", "dermatologei"])
def test_typing_errors_are_forgiven_when_few_are_found(directory: Directory, q: str) -> None:
    assert found(directory, q)[0] in ("Dr Anne CHARLIER", "Dr Émile OEUVRARD", "Dr Paul CHARLES")


def test_a_name_comes_before_a_town_and_equals_in_order_of_name(directory: Directory) -> None:
    assert found(directory, "saint") == ["Dr Zoé SAINT-JUST", "Dr Anne CHARLIER", "Dr Émile OEUVRARD"]
    assert found(directory, "") == sorted(person[0] for person in PEOPLE)


def test_filters_restrict_and_services_are_their_own_group(directory: Directory) -> None:
    assert found(directory, "", experts=True) == ["Dr Anne CHARLIER", "Dr Émile OEUVRARD"]
    assert found(directory, "saint-just", experts=True) == []
    assert found(directory, "", specialite="SM04") == ["Dr Paul CHARLES", "Dr Zoé SAINT-JUST"]
    assert found(directory, "", departement="74") == ["Dr Paul CHARLES", "Mme Léa L'HÉRITIER"]
    assert found(directory, "cardio", services=True) == ["Avis Cardiologie CH Fictif"]


def test_pages_follow_each_other() -> None:
    directory = Directory(TantivyDirectory())
    entries = [DirectoryEntry(AccountId(f"ps:{n}"), f"NOM {n:03d}", is_service=False) for n in range(45)]
    directory.rebuild(entries)
    pages = [
        directory.find(search_of("nom", experts=False, departement="", specialite="", page=page))
        for page in (1, 2, 3, 4)
    ]
    assert [page.professionals.total for page in pages] == [45] * 4
    accounts = [account for page in pages for account in page.professionals.accounts]
    assert accounts == [entry.account for entry in entries]
    assert len(pages[0].professionals.accounts) == PAGE_SIZE


def test_nobody_is_found_before_the_index_is_built() -> None:
    assert not Directory(TantivyDirectory()).is_ready
    assert found(Directory(TantivyDirectory()), "x") == []


@pytest.mark.parametrize("q", ["\x00", "*", "a" * 10_000, "(((", "é" * 300, "AND OR NOT", "name:x", "\ud800"])
def test_no_query_is_an_error(directory: Directory, q: str) -> None:
    found(directory, q)


def test_folding_and_grouping() -> None:
    assert fold("Dr Anne-Laure L'ÉCUYER, 42000") == ("dr", "anne", "laure", "l", "ecuyer", "42000")
    assert speciality_codes("SM54") == ("SM26", "SM53", "SM54")
    assert speciality_codes("SM15") == ("SM15",)
    assert speciality_codes("") == ()


LINE = (
    b'{"entry": {"account": "sv:1", "name": "Avis", "is_service": true},'
    b' "members": [{"account": "ps:1", "rights": ["lire", "repondre"]}],'
    b' "delegations": [{"account": "ps:2", "rights": ["exporter"]}, {"account": "ps:1", "rights": ["finaliser"]}]}'
)


def test_loading_twice_changes_nothing() -> None:
    ledger = MemoryLedger()
    for _ in range(2):
        assert load(ledger, parse([LINE, b"\n"])) == 1
        service = AccountId("sv:1")
        assert ledger.memberships(AccountId("ps:1")) == (
            Membership(service, AccountId("ps:1"), ("lire", "repondre", "finaliser")),
        )
        assert ledger.memberships(AccountId("ps:2")) == (
            Membership(service, AccountId("ps:2"), ("exporter",), is_delegation=True),
        )


@pytest.mark.parametrize("line", [b"{}", b"nonsense", b"\xff", LINE.replace(b"lire", b"tout")])
def test_a_bad_line_is_named(line: bytes) -> None:
    with pytest.raises(BadLine, match="line 2"):
        list(parse([LINE, line]))
