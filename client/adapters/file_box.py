"""Attachments on this machine: sealed copies wait here to leave, fetched ones to be opened; both in constant memory."""

from __future__ import annotations

import hashlib
import mimetypes
import os
import re
import secrets
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from client.errors import AttachmentError
from client.i18n import _, file_size
from client.untrusted import visible_line
from crypto.errors import DecryptionFailed
from crypto.sealing import FILE_KEY_BYTES, file_opener, file_sealer
from domain.identifiers import BlobId
from domain.messages import MAX_ATTACHMENT_BYTES, Attachment

_CHUNK = 256 * 1024
_UNSAFE = re.compile(r"[^\w .,()'@+=-]", re.UNICODE)
_RESERVED = frozenset(
    {"con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))}
)
_BLOB = re.compile("[0-9a-f]{64}")
MAX_NAME_CHARS = 120
MAX_SUFFIX_CHARS = 16
MAX_STEM_BYTES = 220


class FileBox:
    """See `client.ports.FileBox`."""

    def __init__(self, directory: Path, downloads: Path, random: Callable[[int], bytes]) -> None:
        self._directory = directory
        self._downloads = downloads
        self._random = random

    # --- sealing --------------------------------------------------------------------------------------------

    def seal_file(self, path: str) -> Attachment:
        """Seal a file of the user's; its own bytes are read once and never copied in clear."""
        source = _expanded(path)
        name = visible_line(source.name)
        try:
            if source.is_dir():
                raise AttachmentError(_("« {name} » est un dossier : joignez ses fichiers un à un.").format(name=name))
            if not source.is_file():
                raise AttachmentError(_("Le fichier « {name} » n'existe pas.").format(name=name))
            size = source.stat().st_size
            if size > MAX_ATTACHMENT_BYTES:
                raise AttachmentError(_too_large(name, size))
            with source.open("rb") as file:
                media_type = mimetypes.guess_type(source.name)[0] or "application/octet-stream"
                return self._seal(_text(source.name), media_type, iter(lambda: file.read(_CHUNK), b""), "piece-jointe")
        except OSError as error:
            raise AttachmentError(
                _("Le fichier « {name} » n'est pas lisible ({error}).").format(name=name, error=error.strerror)
            ) from error

    def seal_bytes(self, name: str, media_type: str, content: bytes, kind: str) -> Attachment:
        """Seal bytes made here (the synthesis)."""
        return self._seal(name, media_type, iter((content,)), kind)

    def _seal(self, name: str, media_type: str, chunks: Iterator[bytes], kind: str) -> Attachment:
        key = self._random(FILE_KEY_BYTES)
        clear_digest, sealed_digest = hashlib.sha256(), hashlib.sha256()
        size = 0
        sealer = file_sealer(key)

        def sealed() -> Iterator[bytes]:
            nonlocal size
            for chunk in chunks:
                size += len(chunk)
                if size > MAX_ATTACHMENT_BYTES:
                    raise AttachmentError(_too_large(visible_line(name), size))
                clear_digest.update(chunk)
                yield sealer.update(chunk)
            yield sealer.finish()

        def hashed() -> Iterator[bytes]:
            for chunk in sealed():
                sealed_digest.update(chunk)
                yield chunk

        temporary = self._write_temporary(hashed())
        blob = BlobId(sealed_digest.hexdigest())
        temporary.replace(self._directory / blob)
        return Attachment(blob, name, media_type, size, clear_digest.hexdigest(), key, kind)

    # --- keeping --------------------------------------------------------------------------------------------

    def sealed_path(self, blob: str) -> Path | None:
        """Where the sealed blob lies, if it is here."""
        path = self._directory / blob
        return path if _BLOB.fullmatch(blob) and path.is_file() else None

    def store_sealed(self, blob: str, chunks: Sequence[bytes]) -> Path:
        """Keep a fetched blob, if its digest is its name."""
        digest = hashlib.sha256()
        for chunk in chunks:
            digest.update(chunk)
        if digest.hexdigest() != blob:
            raise AttachmentError(
                _("La pièce jointe reçue n'est pas celle qui a été envoyée : elle n'est pas ouverte.")
            )
        temporary = self._write_temporary(chunks)
        return temporary.replace(self._directory / blob)

    def open_to(self, attachment: Attachment, directory: str) -> Path:
        """Open a sealed blob into a folder; the file appears only when its hash is right."""
        sealed = self.sealed_path(attachment.blob)
        if sealed is None:
            raise AttachmentError(_("La pièce jointe n'est pas encore sur ce poste."))
        target_dir = _expanded(directory) if directory else self._downloads
        try:
            opener = file_opener(attachment.key)
        except ValueError as error:  # the sender chose the key
            raise AttachmentError(_altered()) from error
        digest = hashlib.sha256()

        def clear() -> Iterator[bytes]:
            with sealed.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    opened = opener.update(chunk)
                    digest.update(opened)
                    yield opened
            last = opener.finish()
            digest.update(last)
            yield last

        try:
            temporary = self._write_temporary(clear(), target_dir)
        except DecryptionFailed as error:
            raise AttachmentError(_altered()) from error
        except OSError as error:
            raise AttachmentError(
                _("Impossible d'écrire dans {directory} ({error}).").format(directory=target_dir, error=error.strerror)
            ) from error
        if digest.hexdigest() != attachment.sha256:
            temporary.unlink()
            raise AttachmentError(_altered())
        try:
            return _place(temporary, target_dir, safe_name(attachment.name))
        finally:
            temporary.unlink(missing_ok=True)  # no clear text is left under a name nobody knows

    def _write_temporary(self, chunks: Iterable[bytes], directory: Path | None = None) -> Path:
        directory = directory or self._directory
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = directory / f".avicenne-{secrets.token_hex(8)}.part"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0), 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                for chunk in chunks:
                    file.write(chunk)
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        return temporary


def safe_name(name: str) -> str:
    """A file name that stays in its folder on every system (S6)."""
    flat = unicodedata.normalize("NFC", name).replace("/", "_").replace("\\", "_")
    cleaned = _UNSAFE.sub("_", flat).rstrip(" .").lstrip(" .-")
    stem, dot, suffix = cleaned.rpartition(".")
    if not dot or len(suffix) > MAX_SUFFIX_CHARS:
        stem, suffix = cleaned, ""
    if not stem or stem.partition(".")[0].strip().lower() in _RESERVED:
        stem = f"piece-jointe-{stem}".rstrip("-")
    kept = _shortened(stem, MAX_NAME_CHARS - len(suffix) - 1)
    return f"{kept}.{suffix}" if suffix else kept


def _shortened(stem: str, chars: int) -> str:
    """At most so many characters, and what a file system can hold: 255 bytes a name, room for a number kept."""
    return stem[:chars].encode()[:MAX_STEM_BYTES].decode(errors="ignore").rstrip(" .")


def _expanded(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # `~nobody`: no such user, so a plain name
        return Path(path)


def _text(name: str) -> str:
    """A file name as text: bytes that are no UTF-8 could not be written into a letter."""
    return os.fsencode(name).decode("utf-8", errors="replace")


def _altered() -> str:
    return _("La pièce jointe est altérée : elle n'est pas ouverte.")


def _place(temporary: Path, directory: Path, name: str) -> Path:
    """Give the file its name without replacing another."""
    stem, dot, suffix = name.rpartition(".")
    for attempt in range(1, 10_000):
        candidate = name if attempt == 1 else (f"{stem}-{attempt}.{suffix}" if dot else f"{name}-{attempt}")
        target = directory / candidate
        try:
            os.link(temporary, target)
        except FileExistsError:
            continue
        except OSError:  # a file system without hard links: take the name first, then put the file there
            if not _claimed(target):
                continue
            temporary.replace(target)
        return target
    raise AttachmentError(_("Trop de fichiers portent déjà ce nom dans {directory}.").format(directory=directory))


def _claimed(target: Path) -> bool:
    try:
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        return False
    return True


def _too_large(name: str, size: int) -> str:
    return _(
        "« {name} » pèse {size} : la limite est de {limit} par pièce jointe. Réduisez-la ou partagez-la autrement."
    ).format(name=name, size=file_size(size), limit=file_size(MAX_ATTACHMENT_BYTES))
