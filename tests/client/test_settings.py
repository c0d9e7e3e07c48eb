"""Where settings come from, which wins, and what is said when they make no sense."""

from __future__ import annotations

from pathlib import Path

import pytest

from client import settings
from client.errors import SettingsError
from client.settings import for_persona, load


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This user's configuration file; it does not exist yet."""
    for name in [name for name in settings.os.environ if name.startswith("AVICENNE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setattr(settings, "config_dir", lambda: tmp_path)
    return tmp_path / "config.toml"


def refusal(**flags: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load(flags=flags)
    return caught.value.reason


def test_without_a_relay_one_is_told_what_to_write_and_where(config: Path) -> None:
    assert f"ajoutez « relay_url » à {config}" in refusal()


def test_the_file_is_read_and_the_rest_has_defaults(config: Path) -> None:
    config.write_text('relay_url = "https://relay.example"\nidle_lock_s = 60\n')
    found = load()
    assert (found.relay_url, found.idle_lock_s, found.ca_file, found.time_zone) == (
        "https://relay.example",
        60,
        None,
        "Europe/Paris",
    )
    assert found.roots == config.parent / "roots"


def test_flags_win_over_the_environment_and_the_environment_over_the_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text('relay_url = "https://file"\nreader = "file"\nlanguage = "file"\n')
    monkeypatch.setenv("AVICENNE_READER", "environment")
    monkeypatch.setenv("AVICENNE_LANGUAGE", "environment")
    found = load(flags={"language": "flag"})
    assert (found.relay_url, found.reader, found.language) == ("https://file", "environment", "flag")


def test_a_word_that_is_no_setting_is_named(config: Path) -> None:
    config.write_text('relay_url = "https://relay"\nrelais = "x"\n')
    assert refusal() == f"Réglage inconnu dans {config} : relais"


def test_a_file_that_is_no_toml_is_named(config: Path) -> None:
    config.write_text("relay_url = ")
    assert refusal().startswith(f"Le fichier {config} n'est pas lisible")


def test_a_file_that_is_no_text_is_named(config: Path) -> None:
    config.write_bytes(b"\xff\xfe")
    assert refusal().startswith(f"Le fichier {config} n'est pas lisible")


def test_a_number_that_is_none_is_refused(config: Path) -> None:
    assert config
    assert "Réglages incomplets" in refusal(relay_url="https://relay", idle_lock_s="soon")


def test_a_code_is_no_setting(config: Path) -> None:
    """No secret is read from a flag or the environment."""
    assert config
    assert "pin" in refusal(relay_url="https://relay", pin="1234")


def test_a_personas_profile_is_read_from_the_demonstration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AVICENNE_DEMO_DIR", str(tmp_path))
    profile = tmp_path / "personas" / "PS01.toml"
    profile.parent.mkdir()
    profile.write_text(
        'relay_url = "https://localhost"\nroots = "r"\ndata_dir = "d"\ndownloads_dir = "t"\n'
        'card = "virtual"\ncard_images = ["a.json", "b.json"]\n'
    )
    found = load("PS01")
    assert (found.card, found.card_images) == ("virtual", (Path("a.json"), Path("b.json")))


@pytest.mark.parametrize("persona", ["PS99", "../PS01", "", "a/b"])
def test_an_unknown_persona_is_told_to_start_the_demonstration(
    persona: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVICENNE_DEMO_DIR", str(tmp_path))
    with pytest.raises(SettingsError, match="make demo"):
        for_persona(persona)
