"""Looks for words where they must not be: in files and in the memory of a process, in every dress they may wear."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

_MAX_REGION_BYTES = 512 * 1024 * 1024


def dresses(secret: str | bytes) -> dict[str, bytes]:
    """Every form in which a secret could lie about, by name.

    Base64 depends on what stands before: each of the three alignments is cut to the characters that the secret alone
    decides.
    """
    if isinstance(secret, str):
        found: dict[str, bytes] = {}
        for name, text in {"": secret, "title ": secret.title(), "lower ": secret.lower()}.items():
            found |= {name + dress: needle for dress, needle in dresses(text.encode()).items()}
            found[f"{name}utf-16-le"] = text.encode("utf-16-le")
            found[f"{name}percent"] = quote(text, safe="").encode()
            found[f"{name}percent lower"] = quote(text, safe="").lower().encode()
            found[f"{name}json"] = text.encode("unicode-escape")
        return found
    found = {"raw": secret, "hex": secret.hex().encode(), "HEX": secret.hex().upper().encode()}
    for offset in range(3):
        padded = bytes(offset) + secret
        inner = slice(-(-offset * 8 // 6), len(padded) * 8 // 6)
        found[f"base64+{offset}"] = base64.b64encode(padded)[inner]
        found[f"base64url+{offset}"] = base64.urlsafe_b64encode(padded)[inner]
    return found


def traces(places: Iterable[tuple[str, bytes]], secrets: Iterable[str | bytes]) -> list[str]:
    """Where any of the secrets shows, in words for a failed assertion."""
    needles = {
        needle: f"{secret!r} as {dress}"
        for secret in dict.fromkeys(secrets)
        for dress, needle in dresses(secret).items()
    }
    return [
        f"{place}: {what} at {at}"
        for place, data in places
        for needle, what in needles.items()
        if (at := data.find(needle)) >= 0
    ]


def shown(places: Iterable[tuple[str, bytes]], secrets: Iterable[str | bytes]) -> Mapping[str | bytes, bool]:
    """Whether each secret shows anywhere, plainly."""
    all_data = [data for _place, data in places]
    raw = {secret: secret.encode() if isinstance(secret, str) else secret for secret in secrets}
    return {secret: any(needle in data for data in all_data) for secret, needle in raw.items()}


def files(*roots: Path) -> Iterator[tuple[str, bytes]]:
    """Every file under some directories, or the files themselves; names count as contents."""
    for root in roots:
        for path in sorted(root.rglob("*")) if root.is_dir() else [root]:
            yield f"name of {path}", str(path.relative_to(root.parent)).encode()
            if path.is_file():
                yield str(path), path.read_bytes()


def process_memory(pid: int) -> Iterator[tuple[str, bytes]]:
    """Every writable region of a running process (Linux): heaps, stacks, buffers, mapped files.

    What is mapped read-only was not written by the process, and is a file that `files` can read.
    """
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, permissions, *_rest = line.split()
            start, end = (int(part, 16) for part in span.split("-"))
            if not permissions.startswith("rw") or end - start > _MAX_REGION_BYTES:
                continue
            try:
                memory.seek(start)
                yield f"memory {span}", memory.read(end - start)
            except OSError:  # a guard page, or gone since
                continue
