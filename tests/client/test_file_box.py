"""Attachments on this machine: what may be sealed, what may be opened, and under which name."""

from __future__ import annotations

import hashlib
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.adapters import file_box
from client.adapters.file_box import FileBox, safe_name
from client.errors import AttachmentError
from domain.messages import MAX_ATTACHMENT_BYTES, Attachment
from tests.support.builders import CountedRandom


@pytest.fixture
def box(tmp_path: Path) -> FileBox:
    return FileBox(tmp_path / "blobs", tmp_path / "downloads", CountedRandom("files"))


def other_box(tmp_path: Path) -> FileBox:
    """The correspondent's machine."""
    return FileBox(tmp_path / "theirs", tmp_path / "their-downloads", CountedRandom("theirs"))


def refusal(box: FileBox, path: Path | str) -> str:
    with pytest.raises(AttachmentError) as caught:
        box.seal_file(str(path))
    return caught.value.reason


def sealed_bytes(box: FileBox, attachment: Attachment) -> bytes:
    path = box.sealed_path(attachment.blob)
    assert path is not None
    return path.read_bytes()


def leftovers(*folders: Path) -> list[str]:
    """Files with a temporary name."""
    return [each.name for folder in folders if folder.exists() for each in folder.iterdir() if ".part" in each.name]


# --- sealing


@pytest.mark.parametrize("size", [0, 1, 16 * 1024, 256 * 1024, 256 * 1024 + 1, 1_000_000])
def test_a_file_of_any_size_arrives_as_it_left(box: FileBox, tmp_path: Path, size: int) -> None:
    content = CountedRandom("content")(size)
    (tmp_path / "photo.jpg").write_bytes(content)
    attachment = box.seal_file(str(tmp_path / "photo.jpg"))
    theirs = other_box(tmp_path)
    theirs.store_sealed(attachment.blob, [sealed_bytes(box, attachment)])
    opened = theirs.open_to(attachment, "")
    assert (opened.name, opened.read_bytes(), opened.parent) == ("photo.jpg", content, tmp_path / "their-downloads")


def test_the_descriptor_tells_the_clear_file_and_the_blob_is_named_by_its_sealed_bytes(
    box: FileBox, tmp_path: Path
) -> None:
    (tmp_path / "lettre.pdf").write_bytes(b"%PDF secret")
    found = box.seal_file(str(tmp_path / "lettre.pdf"))
    sealed = sealed_bytes(box, found)
    assert (found.name, found.media_type, found.size_bytes) == ("lettre.pdf", "application/pdf", 11)
    assert found.sha256 == hashlib.sha256(b"%PDF secret").hexdigest()
    assert found.blob == hashlib.sha256(sealed).hexdigest()
    assert b"secret" not in sealed


def test_the_same_file_sealed_twice_shows_no_likeness(box: FileBox, tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"same")
    first, second = (box.seal_file(str(tmp_path / "a")) for _ in range(2))
    assert first.blob != second.blob


def test_a_file_of_200_mb_is_refused_in_french_without_being_read(
    box: FileBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    big = tmp_path / "irm.zip"
    with big.open("wb") as file:
        file.truncate(200_000_000)
    opened: list[Path] = []
    monkeypatch.setattr(Path, "open", lambda path, *_args: opened.append(path))
    assert refusal(box, big) == (
        "« irm.zip » pèse 200.0 Mo : la limite est de 67.1 Mo par pièce jointe. Réduisez-la ou partagez-la autrement."
    ).replace(".0 ", ",0 ").replace(".1 ", ",1 ")
    assert opened == []


def test_a_file_that_grows_while_it_is_read_is_refused_at_the_limit(
    box: FileBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_box, "MAX_ATTACHMENT_BYTES", 10)
    with pytest.raises(AttachmentError, match="la limite est"):
        box.seal_bytes("synthese.pdf", "application/pdf", bytes(11), "synthese")
    assert leftovers(tmp_path / "blobs") == []
    assert MAX_ATTACHMENT_BYTES > 10


def test_a_missing_file_is_refused(box: FileBox, tmp_path: Path) -> None:
    assert refusal(box, tmp_path / "absent.pdf") == "Le fichier « absent.pdf » n'existe pas."


def test_a_folder_is_refused_as_one(box: FileBox, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    assert refusal(box, tmp_path / "photos") == "« photos » est un dossier : joignez ses fichiers un à un."


def test_an_unreadable_file_is_refused(box: FileBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pdf").write_bytes(b"x")

    def denied(*_args: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)  # root reads whatever the mode says
    assert refusal(box, tmp_path / "a.pdf") == "Le fichier « a.pdf » n'est pas lisible (Permission denied)."


def test_a_pipe_is_no_file_and_does_not_hang(box: FileBox, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "tube")
    assert "n'existe pas" in refusal(box, tmp_path / "tube")


@pytest.mark.parametrize("path", ["", "~nobody-of-that-name/x", "a\0b", "/" + "x" * 5000])
def test_a_path_that_can_be_none_is_refused(box: FileBox, path: str) -> None:
    assert refusal(box, path)


def test_a_name_that_is_no_utf_8_can_still_be_written_in_a_letter(box: FileBox, tmp_path: Path) -> None:
    path = os.fsencode(tmp_path) + b"/r\xe9sultat.pdf"
    Path(os.fsdecode(path)).write_bytes(b"x")
    assert box.seal_file(os.fsdecode(path)).name == "r\ufffdsultat.pdf"


# --- fetching and opening


def test_a_fetched_blob_that_is_not_the_one_asked_for_is_not_kept(box: FileBox, tmp_path: Path) -> None:
    blob = hashlib.sha256(b"asked").hexdigest()
    with pytest.raises(AttachmentError, match="n'est pas celle qui a été envoyée"):
        box.store_sealed(blob, [b"as", b"kee"])
    assert box.sealed_path(blob) is None
    assert leftovers(tmp_path / "blobs") == []


@pytest.mark.parametrize("blob", ["../secret", "/etc/passwd", "", ".", "A" * 64, "0" * 63])
def test_a_blob_is_only_looked_for_under_a_digest(box: FileBox, tmp_path: Path, blob: str) -> None:
    (tmp_path / "secret").write_bytes(b"x")
    (tmp_path / "blobs").mkdir()
    (tmp_path / "blobs" / ("A" * 64)).write_bytes(b"x")
    assert box.sealed_path(blob) is None


def test_a_blob_that_is_not_here_is_not_opened(box: FileBox) -> None:
    absent = Attachment("00" * 32, "x", "text/plain", 1, "00" * 32, bytes(32))  # type: ignore[arg-type]
    with pytest.raises(AttachmentError, match="pas encore sur ce poste"):
        box.open_to(absent, "")


@pytest.mark.parametrize("where", [0, 7, 20, 40, 150, -1])
def test_an_altered_blob_is_not_opened_and_leaves_nothing(box: FileBox, tmp_path: Path, where: int) -> None:
    attachment = box.seal_bytes("a.txt", "text/plain", b"x" * 100, "piece-jointe")
    path = box.sealed_path(attachment.blob)
    assert path is not None
    altered = bytearray(path.read_bytes())
    altered[min(where, len(altered) - 1)] ^= 1
    path.write_bytes(altered)
    with pytest.raises(AttachmentError, match="altérée"):
        box.open_to(attachment, "")
    assert list((tmp_path / "downloads").iterdir()) == []


@pytest.mark.parametrize("kept", [0, 10, 300_000])
def test_a_truncated_blob_is_not_opened(box: FileBox, tmp_path: Path, kept: int) -> None:
    attachment = box.seal_bytes("a.txt", "text/plain", bytes(400_000), "piece-jointe")
    path = box.sealed_path(attachment.blob)
    assert path is not None
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(AttachmentError, match="altérée"):
        box.open_to(attachment, "")
    assert list((tmp_path / "downloads").iterdir()) == []


@pytest.mark.parametrize("changes", [{"sha256": "00" * 32}, {"key": bytes(32)}, {"key": b"short"}, {"key": b""}])
def test_a_descriptor_that_lies_opens_nothing(box: FileBox, tmp_path: Path, changes: dict[str, object]) -> None:
    attachment = box.seal_bytes("a.txt", "text/plain", b"x", "piece-jointe")
    with pytest.raises(AttachmentError, match="altérée"):
        box.open_to(replace(attachment, **changes), "")  # type: ignore[arg-type]
    assert leftovers(tmp_path / "downloads") == []
    assert [each.name for each in (tmp_path / "downloads").glob("*")] == []


def test_two_files_of_the_same_name_live_side_by_side(box: FileBox) -> None:
    first = box.seal_bytes("photo.jpg", "image/jpeg", b"one", "piece-jointe")
    second = box.seal_bytes("photo.jpg", "image/jpeg", b"two", "piece-jointe")
    opened = [box.open_to(each, "") for each in (first, second, first)]
    assert [path.name for path in opened] == ["photo.jpg", "photo-2.jpg", "photo-3.jpg"]
    assert [path.read_bytes() for path in opened] == [b"one", b"two", b"one"]


def test_nothing_is_replaced_where_hard_links_do_not_exist(box: FileBox, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_links(*_args: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", no_links)
    attachment = box.seal_bytes("a.txt", "text/plain", b"new", "piece-jointe")
    first, second = (box.open_to(attachment, "") for _ in range(2))
    assert (first.name, second.name, first.read_bytes(), second.read_bytes()) == ("a.txt", "a-2.txt", b"new", b"new")


def test_a_link_that_waits_under_the_name_is_not_followed(box: FileBox, tmp_path: Path) -> None:
    (tmp_path / "downloads").mkdir()
    (tmp_path / "precious").write_bytes(b"precious")
    (tmp_path / "downloads" / "a.txt").symlink_to(tmp_path / "precious")
    opened = box.open_to(box.seal_bytes("a.txt", "text/plain", b"x", "piece-jointe"), "")
    assert (opened.name, (tmp_path / "precious").read_bytes()) == ("a-2.txt", b"precious")


def test_only_the_user_may_read_what_is_written(box: FileBox, tmp_path: Path) -> None:
    attachment = box.seal_bytes("a.txt", "text/plain", b"x", "piece-jointe")
    opened = box.open_to(attachment, str(tmp_path / "elsewhere"))
    assert [stat.S_IMODE(each.stat().st_mode) for each in (opened, tmp_path / "blobs")] == [0o600, 0o700]


def test_a_folder_that_cannot_be_written_is_named(box: FileBox, tmp_path: Path) -> None:
    (tmp_path / "occupied").write_bytes(b"")
    attachment = box.seal_bytes("a.txt", "text/plain", b"x", "piece-jointe")
    with pytest.raises(AttachmentError, match=r"Impossible d'écrire dans .*occupied"):
        box.open_to(attachment, str(tmp_path / "occupied"))


# --- names


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd", "_._etc_passwd"),
        ("C:\\Windows\\a.dll", "C__Windows_a.dll"),
        (".bashrc", "bashrc"),
        ("-.bashrc", "bashrc"),
        ("-rf.pdf", "rf.pdf"),
        ("photo\u202egpj.exe", "photo_gpj.exe"),
        ("\x1b[31mrouge.pdf", "__31mrouge.pdf"),
        ("a\nb.pdf", "a_b.pdf"),
        ("", "piece-jointe"),
        ("..", "piece-jointe"),
        ("nul.pdf", "piece-jointe-nul.pdf"),
        ("CON.tar.gz", "piece-jointe-CON.tar.gz"),
        ("a." + "x" * 200, "a." + "x" * 117),
        ("Résultat d'analyse (2).pdf", "Résultat d'analyse (2).pdf"),
        ("e\u0301te\u0301.pdf", "été.pdf"),
    ],
)
def test_a_hostile_name_becomes_a_plain_one(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(st.characters(codec="utf-8")))
def test_every_name_stays_in_its_folder_and_fits_a_file_system(name: str) -> None:
    found = safe_name(name)
    assert found
    assert not found.startswith((".", "-"))
    assert not set(found) & set('/\\:*?"<>|\0\n\r')
    assert len(f"{found}-9999".encode()) <= 255
    assert len(found) <= file_box.MAX_NAME_CHARS


def test_a_name_of_many_wide_letters_can_be_written(box: FileBox) -> None:
    attachment = box.seal_bytes("日" * 150 + ".pdf", "application/pdf", b"x", "piece-jointe")
    assert box.open_to(attachment, "").read_bytes() == b"x"
