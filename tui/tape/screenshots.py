"""Pictures of a screen: text, SVG as Rich draws it, PNG drawn from that SVG by resvg with a font of this machine.

Rich's SVG names a web font that no offline machine has; the PNG uses the first monospaced font found, and says so
clearly when there is none rather than give a picture without letters.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from client.i18n import _

FONT_FAMILIES = {"DejaVuSansMono.ttf": "DejaVu Sans Mono", "LiberationMono-Regular.ttf": "Liberation Mono",
    "NotoSansMono-Regular.ttf": "Noto Sans Mono", "UbuntuMono-R.ttf": "Ubuntu Mono", "Menlo.ttc": "Menlo",
    "consola.ttf": "Consolas", "cour.ttf": "Courier New", "FreeMono.ttf": "FreeMono"}  # fmt: skip
"""File name and family, the best first."""


class NoFont(Exception):
    """No monospaced font on this machine."""

    def __str__(self) -> str:
        return _("aucune police à chasse fixe sur cette machine : installez DejaVu Sans Mono, ou demandez .svg ou .txt")


def save(path: Path, *, text: Callable[[], str], svg: Callable[[], str]) -> None:
    """Write a screen to `path` in the form its suffix names; whole or not at all.

    Raises:
        OSError: the file cannot be written.
        NoFont: a PNG was asked and no font can draw it.
    """
    data = _bytes_for(path.suffix, text, svg)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(data)
    temporary.replace(path)


def _bytes_for(suffix: str, text: Callable[[], str], svg: Callable[[], str]) -> bytes:
    match suffix:
        case ".png":
            return png(svg())
        case ".svg":
            return svg().encode()
        case _:
            return f"{text()}\n".encode()


def png(svg: str, *, font: Path | None = None) -> bytes:
    """Draw an SVG as PNG bytes.

    Raises:
        NoFont: no monospaced font was given nor found.
    """
    import resvg_py

    chosen = font or find_font()
    if chosen is None:
        raise NoFont
    family = FONT_FAMILIES.get(chosen.name, "monospace")
    bold = chosen.with_name(chosen.name.replace("-Regular", "").replace(chosen.suffix, f"-Bold{chosen.suffix}"))
    files = [str(file) for file in (chosen, bold) if file.exists()]
    drawn: bytes = resvg_py.svg_to_bytes(
        svg_string=svg.replace("Fira Code", family),
        font_files=files,
        skip_system_fonts=True,
        font_family=family,
        monospace_family=family,
    )
    return bytes(drawn)


def find_font() -> Path | None:
    """The best monospaced font of this machine, or None."""
    found: dict[str, Path] = {}
    for folder in _font_folders():
        for root, _folders, files in os.walk(folder):
            for name in files:
                if name in FONT_FAMILIES:
                    found.setdefault(name, Path(root) / name)
    return next((found[name] for name in FONT_FAMILIES if name in found), None)


def _font_folders() -> list[Path]:
    """Where systems keep fonts, the user's first."""
    home = Path.home()
    data = [
        Path(folder) / "fonts" for folder in os.environ.get("XDG_DATA_DIRS", "/usr/local/share:/usr/share").split(":")
    ]
    mac = [home / "Library/Fonts", Path("/Library/Fonts"), Path("/System/Library/Fonts")]
    windows = [Path(os.environ["WINDIR"]) / "Fonts"] if "WINDIR" in os.environ else []
    return [home / ".local/share/fonts", *data, *mac, *windows]
