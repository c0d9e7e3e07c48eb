"""The attachments that the demonstration's cases name: drawn photographs, one-page papers, a short film.

    python -m demo.files DIRECTORY

Each case gets a folder (`TLE001/photo_dos_regle.jpg`), since several cases attach a `biologie.pdf` of their own. The
same case and name give the same file.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from random import Random
from typing import Any

from demo.papers import paper
from demo.photographs import frames, photograph
from demo.supplied import read_csv, read_json
from demo.video import film

_FILM_PICTURES = 40
_PICTURES_PER_S = 8


def attachments() -> Iterator[tuple[str, str]]:
    """Yield the case's id and the file's name of every attachment."""
    for case in read_json("teleexpertises.json"):
        for name in case["pieces_jointes"]:
            yield case["id"], name


def attachment(case: str, name: str) -> bytes:
    """Return the bytes of an attachment, by case (`TLE009`) and name; its ending says what it is.

    Raises:
        KeyError: there is no such case.
    """
    about: dict[str, Any] = {each["id"]: each for each in read_json("teleexpertises.json")}[case]
    random = Random(f"{case}/{name}")
    match name.rpartition(".")[2]:
        case "jpg":
            return photograph(name, random)
        case "mp4":
            pictures = list(frames(random, _FILM_PICTURES))
            return film(pictures, width=640, height=480, pictures_per_s=_PICTURES_PER_S)
        case _:
            return paper(name, objet=about["objet"], patient=_patient(about["patient"]), random=random)


def _patient(code: str) -> str:
    found = {row["id"]: row for row in read_csv("patients.csv")}.get(code)
    if found is None:
        return "non renseigné"
    return f"{found['nom_naissance']} {found['prenoms']}, {date.fromisoformat(found['date_naissance']):%d/%m/%Y}"


def write_files(directory: Path) -> int:
    """Write every attachment under `directory`, one folder per case; return how many.

    Raises:
        OSError: a file cannot be written.
    """
    count = 0
    for case, name in attachments():
        folder = directory / case
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(attachment(case, name))
        count += 1
    return count


def main(arguments: Iterable[str] | None = None) -> int:
    """Write the files under the directory named on the command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.files", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("directory", type=Path)
    options = parser.parse_args(None if arguments is None else list(arguments))
    print(f"{write_files(options.directory)} files", file=sys.stderr)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
