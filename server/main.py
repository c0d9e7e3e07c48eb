"""Run a relay under uvicorn, fill its directory, check its audit: `python -m server --help`.

Exit codes: 0 done, 1 the audit is broken, 64 usage, 65 bad data, 74 the disk or the network refused.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import socket
import ssl
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

import uvicorn

from protocol.limits import MAX_FRAME_BYTES
from server.bootstrap import RelayApp, audit_is_whole, build, load_directory, tls_context
from server.loading import BadLine
from server.logs import configure
from server.settings import Settings, read_roots

PING_EVERY_S = 20.0
DRAIN_S = 10
_SWITCH_INTERVAL_S = 0.001
"""A committed batch waits so long at most for the interpreter; Python's 5 ms showed in the slowest deliveries."""

_USAGE = 64
"""EX_USAGE of sysexits.h, as the client's commands answer."""

_EXAMPLES = """examples:
  python -m server --data ./relay --roots ./roots --port 8443
  python -m server load-directory directory.jsonl --data ./relay
  python -m server verify-audit --data ./relay"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        match words[:1]:
            case ["load-directory"]:
                return _load(words[1:])
            case ["verify-audit"]:
                return _verify(words[1:])
            case _:
                return _serve(words)
    except (BadLine, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 65
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return 74


def _serve(words: list[str]) -> int:
    parser = _parser("python -m server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8443, help="0 takes any free one")
    parser.add_argument("--roots", type=Path, required=True, help="card authorities: a file or directory, PEM or DER")
    parser.add_argument("--audience", default="", help="the address clients use; https://HOST:PORT by default")
    parser.add_argument("--log", type=Path, help="JSON lines; standard error by default")
    options = parser.parse_args(words)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    configure(options.log.open("a", buffering=1, encoding="utf-8") if options.log else sys.stderr)
    roots = read_roots(options.roots)
    listener = listen(options.host, options.port)
    address = f"https://{options.host}:{listener.getsockname()[1]}"
    settings = Settings(data=options.data, roots=roots, audience=options.audience or address)
    app = build(settings)
    context = tls_context(settings, host=options.host)
    RelayServer(app, context, on_ready=lambda: _announce(address)).run(sockets=[listener])
    return 0


def _load(words: list[str]) -> int:
    parser = _parser("python -m server load-directory")
    parser.add_argument("file", type=Path, help="JSON lines: entry, members, delegations")
    options = parser.parse_args(words)
    with options.file.open("rb") as lines:
        sys.stdout.write(f"{asyncio.run(load_directory(options.data, lines))}\n")
    return 0


def _verify(words: list[str]) -> int:
    options = _parser("python -m server verify-audit").parse_args(words)
    broken = asyncio.run(audit_is_whole(options.data))
    sys.stdout.write("ok\n" if broken is None else f"broken at {broken}\n")
    return 0 if broken is None else 1


class _Parser(argparse.ArgumentParser):
    """A parser whose mistakes exit with 64; argparse's own 2 means nothing in the table of statuses."""

    def error(self, message: str) -> NoReturn:
        """Say how it is used and what is wrong."""
        self.print_usage(sys.stderr)
        self.exit(_USAGE, f"{self.prog}: {message}\n")


def _parser(program: str) -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = _Parser(prog=program, epilog=_EXAMPLES, formatter_class=form)
    parser.add_argument("--data", type=Path, required=True, help="directory of database, blobs and TLS keys")
    return parser


def listen(host: str, port: int) -> socket.socket:
    """Open the relay's port (0 takes any free one).

    Connections inherit TCP_NODELAY: asyncio forgets it for listeners made by hand, which costs 40 ms an answer.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.create_server((host, port), family=family, backlog=2048)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def _config(app: RelayApp, context: ssl.SSLContext) -> uvicorn.Config:
    return uvicorn.Config(
        app.asgi,
        loop="uvloop",
        http="auto",
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME_BYTES,
        ws_ping_interval=PING_EVERY_S,
        ws_ping_timeout=PING_EVERY_S,
        ws_per_message_deflate=False,
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_graceful_shutdown=DRAIN_S,
        ssl_context_factory=lambda _config, _default: context,
    )


class RelayServer(uvicorn.Server):
    """Uvicorn, with the relay started before it listens and stopped before it hangs up."""

    def __init__(self, app: RelayApp, context: ssl.SSLContext, *, on_ready: Callable[[], None]) -> None:
        super().__init__(_config(app, context))
        self._app = app
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self._app.start()
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for listener in self.servers:
            listener.close()
        await self._app.stop()
        await super().shutdown(sockets)


def _announce(address: str) -> None:
    """Say that it listens, once what start-up made is out of the collector's way.

    Full passes over it were the slowest requests (decisions.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    sys.stderr.write(f"ready {address}\n")
    sys.stderr.flush()
