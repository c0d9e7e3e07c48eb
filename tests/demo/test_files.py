"""The demonstration's attachments: readable, of a realistic size, marked as fictional, the same every time."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader

from demo import files
from demo.files import attachment, attachments, main
from demo.photographs import MARK, ecg_millivolts

PHOTOGRAPHS = [(case, name) for case, name in attachments() if name.endswith(".jpg")]
PAPERS = [(case, name) for case, name in attachments() if name.endswith(".pdf")]


def test_every_ending_is_known() -> None:
    assert {name.rpartition(".")[2] for _case, name in attachments()} == {"jpg", "pdf", "mp4"}
    assert len(set(attachments())) == len(list(attachments())) >= 52


@pytest.mark.parametrize(("case", "name"), PHOTOGRAPHS)
def test_a_photograph_has_the_size_of_one(case: str, name: str) -> None:
    content = attachment(case, name)
    assert 200_000 < len(content) < 700_000
    image = Image.open(io.BytesIO(content))
    assert (image.format, image.size) == ("JPEG", (1600, 1200))
    white, ink = image.getpixel((1500, 1160)), image.crop((40, 1140, 600, 1190)).getcolors(1 << 20)
    assert white == (255, 255, 255)
    assert ink is not None
    assert len(ink) > 2, "the mark is written on the white band"


@pytest.mark.parametrize(("case", "name"), PAPERS)
def test_a_paper_is_one_page_and_says_that_it_is_fictional(case: str, name: str) -> None:
    reader = PdfReader(io.BytesIO(attachment(case, name)))
    (page,) = reader.pages
    text = page.extract_text()
    assert text.count(MARK) == 2
    assert "Patient : " in text


@pytest.mark.parametrize("name", ["photo_dos_regle.jpg", "biologie.pdf", "video_ecriture.mp4"])
def test_the_same_case_and_name_give_the_same_bytes(name: str) -> None:
    assert attachment("TLE001", name) == attachment("TLE001", name)
    assert attachment("TLE001", name) != attachment("TLE002", name)


def test_the_film_is_made_of_pictures_that_can_be_found() -> None:
    content = attachment("TLE021", "video_ecriture.mp4")
    top = dict(boxes(content))
    assert list(top) == [b"ftyp", b"mdat", b"moov"]
    table = content.index(b"stsz") + 4
    _flags, _size, count = struct.unpack_from(">3I", content, table)
    sizes = struct.unpack_from(f">{count}I", content, table + 12)
    (at,) = struct.unpack_from(">I", content, content.index(b"stco") + 12)
    assert sum(sizes) == len(top[b"mdat"])
    for size in sizes:
        assert Image.open(io.BytesIO(content[at : at + size])).size == (640, 480)
        at += size


def boxes(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = 0
    while at < len(content):
        (size,) = struct.unpack_from(">I", content, at)
        yield content[at + 4 : at + 8], content[at + 8 : at + size]
        at += size


def test_nested_boxes_of_the_film_fill_their_parents() -> None:
    def walk(content: bytes) -> None:
        for kind, body in boxes(content):
            if kind in {b"moov", b"trak", b"mdia", b"minf", b"stbl", b"dinf"}:
                walk(body)

    walk(attachment("TLE021", "video_ecriture.mp4"))


def test_each_case_gets_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(files, "attachments", lambda: iter([("TLE005", "courrier.pdf"), ("TLE006", "biologie.pdf")]))
    assert main([str(tmp_path)]) == 0
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.pdf")) == [
        "TLE005/courrier.pdf",
        "TLE006/biologie.pdf",
    ]
    assert capsys.readouterr().err == "2 files\n"


def test_a_case_that_is_not_there_has_no_file() -> None:
    with pytest.raises(KeyError):
        attachment("TLE999", "biologie.pdf")


def test_the_trace_beats() -> None:
    assert ecg_millivolts(0.21) == pytest.approx(ecg_millivolts(0.21 + 0.86))
    assert ecg_millivolts(0.21) > 0.9 > abs(ecg_millivolts(0.7))
