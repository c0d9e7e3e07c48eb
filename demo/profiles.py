"""The persona profiles: what `--as PS01` means while a demonstration runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from demo.layout import Layout

PIN = "1234"
"""The code of every fictional card."""

WORKSTATION = "poste"
"""The profile of the shared machine: every card present may open a desk."""


def write_profiles(
    layout: Layout,
    relay_url: str,
    images: Mapping[str, Path],
    *,
    socket: str = "",
    readers: Mapping[str, str] | None = None,
) -> None:
    """Write one profile a persona, and the workstation's.

    Args:
        layout: the demonstration's paths.
        relay_url: where the relay listens.
        images: persona -> card image.
        socket: the private pcscd's socket; empty when it could not run.
        readers: persona -> name of the reader that holds its card; the others' cards answer in process.
    """
    layout.personas.mkdir(parents=True, exist_ok=True)
    readers = dict(readers or {}) if socket else {}
    for persona, image in images.items():
        card = _pcsc(socket, readers[persona]) if persona in readers else _virtual([image])
        _write(layout, persona, relay_url, card, pin=PIN)
    shown = [images[persona] for persona in ("PS01", "PS02")]
    _write(layout, WORKSTATION, relay_url, _pcsc(socket, "") if readers else _virtual(shown))


def _pcsc(socket: str, reader: str) -> dict[str, object]:
    return {"card": "pcsc", "pcsc_socket": socket, "reader": reader}


def _virtual(images: list[Path]) -> dict[str, object]:
    return {"card": "virtual", "card_images": [str(image) for image in images]}


def _write(layout: Layout, name: str, relay_url: str, card: dict[str, object], pin: str = "") -> None:
    values: dict[str, object] = {
        "relay_url": relay_url,
        "ca_file": str(layout.relay / "tls" / "ca.pem"),
        "roots": str(layout.roots),
        "data_dir": str(layout.workstation),
        "downloads_dir": str(layout.downloads),
        **card,
    }
    if pin:
        values["demo_pin"] = pin
    text = "".join(f"{key} = {_toml(value)}\n" for key, value in values.items())
    (layout.personas / f"{name}.toml").write_text(text, encoding="utf-8")


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
