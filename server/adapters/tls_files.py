"""The relay's TLS on disk: authority and server certificate made at first run, renewed when due; TLS 1.3 only."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from crypto.tls_authority import Certified, issue_server, new_authority, still_serves

RENEW_BEFORE = timedelta(days=30)


def server_context(directory: Path, *, hosts: Sequence[str], at: datetime) -> ssl.SSLContext:
    """A context whose certificate names `hosts`; `directory`/ca.pem is what clients must trust."""
    ensure(directory, hosts=hosts, at=at)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(directory / "server.pem", directory / "server.key")
    return context


def ensure(directory: Path, *, hosts: Sequence[str], at: datetime) -> None:
    """Make what is missing or soon too old; the authority, once made, stays."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = _load(directory, "ca") or _save(directory, "ca", new_authority("Avicenne (relais)", at=at))
    server = _load(directory, "server")
    if server is None or not still_serves(server.certificate, hosts=hosts, at=at, margin=RENEW_BEFORE):
        _save(directory, "server", issue_server(authority, hosts=hosts, at=at))


def _load(directory: Path, name: str) -> Certified | None:
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    if not (certificate.is_file() and key.is_file()):
        return None
    return Certified(certificate.read_bytes(), key.read_bytes())


def _save(directory: Path, name: str, certified: Certified) -> Certified:
    key = directory / f"{name}.key"
    key.unlink(missing_ok=True)
    key.touch(mode=0o600)
    key.write_bytes(certified.private_key)
    (directory / f"{name}.pem").write_bytes(certified.certificate)
    return certified
