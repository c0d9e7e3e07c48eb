"""`python -m demo`: prepare the region if needed, bring it to life, and open a client, play a tape, or just serve."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from client.settings import demo_dir
from demo.layout import Layout
from demo.profiles import WORKSTATION

_EXAMPLES = """examples:
  python -m demo                          open the client; choose a card, code 1234
  python -m demo --as PS02                the dermatologist's desk (in a second terminal: both live together)
  python -m demo --play tapes/main-job.tape --screenshots out
  python -m demo --serve                  relay and cards only, until Ctrl-C
  python -m demo --reset                  make the region again first
"""


def main(words: Sequence[str] | None = None) -> int:
    """Run the demonstration; returns the client's or the tape's exit code."""
    options = _parser().parse_args(words)
    with _directory(options) as root:
        layout = Layout(root)
        if options.reset:
            shutil.rmtree(layout.root, ignore_errors=True)
        return _run(layout, options)


def _parser() -> argparse.ArgumentParser:
    form = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(prog="avicenne demo", description=__doc__, epilog=_EXAMPLES, formatter_class=form)
    parser.add_argument("--as", dest="persona", default=WORKSTATION, help="open this persona's desk")
    parser.add_argument("--play", type=Path, metavar="FILE", help="play a tape on a fresh demonstration")
    parser.add_argument("--junit", type=Path, help="with --play: report of its steps")
    parser.add_argument("--screenshots", type=Path, help="with --play: where its screenshots go")
    parser.add_argument("--serve", action="store_true", help="no client: relay and cards until Ctrl-C")
    parser.add_argument("--prepare", action="store_true", help="make the region if needed, then stop")
    parser.add_argument("--reset", action="store_true", help="throw the region away first")
    parser.add_argument("--no-pcsc", action="store_true", help="cards answer in process, even where pcscd could run")
    parser.add_argument("--dir", type=Path, help="where the region lives; the user's data directory by default")
    return parser


@contextlib.contextmanager
def _directory(options: argparse.Namespace) -> Iterator[Path]:
    """The region's directory; a tape plays on a copy, so that it always starts from the same past."""
    home = options.dir or demo_dir()
    if options.play is None:
        os.environ["AVICENNE_DEMO_DIR"] = str(home)
        yield home
        return
    _ensure(Layout(home), reset=options.reset)
    options.reset = False
    with tempfile.TemporaryDirectory(prefix="avicenne-") as fresh:
        root = Path(fresh) / "demo"
        shutil.copytree(home, root, ignore=shutil.ignore_patterns("pcsc", "running.json", "personas"))
        os.environ["AVICENNE_DEMO_DIR"] = str(root)
        yield root


def _ensure(layout: Layout, *, reset: bool = False) -> None:
    from demo.prepare import is_ready, prepare

    if reset or not is_ready(layout):
        asyncio.run(prepare(layout, _tell))
        _tell("")


def _run(layout: Layout, options: argparse.Namespace) -> int:
    from demo.running import NotStarted, running

    _ensure(layout)
    if options.prepare:
        return 0
    try:
        with running(layout, use_pcsc=not options.no_pcsc) as state:
            if state.no_pcsc:
                print(f"Cartes virtuelles dans le programme : {state.no_pcsc}.", file=sys.stderr)
            if options.serve:
                return _serve(layout, state.relay_url)
            return subprocess.call(_client(options), cwd=layout.root)
    except NotStarted as error:
        print(error.reason, file=sys.stderr)
        return 69


def _client(options: argparse.Namespace) -> list[str]:
    command = [sys.executable, "-m", "tui"]
    if options.play is None:
        return [*command, "tui", "--as", options.persona]
    command += ["play", str(options.play.absolute())]
    command += ["--junit", str(options.junit.absolute())] if options.junit else []
    command += ["--screenshots", str(options.screenshots.absolute())] if options.screenshots else []
    return command


def _serve(layout: Layout, url: str) -> int:
    print(f"Relais : {url}\nPersonas : {layout.personas}\nCtrl-C pour arrêter.", file=sys.stderr)
    with contextlib.suppress(KeyboardInterrupt):
        signal.pause()
    return 0


_told = ""


def _tell(stage: str) -> None:
    """One line of progress, redrawn on a terminal, one line a stage elsewhere."""
    global _told
    if sys.stderr.isatty():
        print(f"\r\x1b[K{stage}", end="" if stage else "\r", file=sys.stderr, flush=True)
    elif stage and stage.split()[:2] != _told.split()[:2]:
        print(stage, file=sys.stderr)
    _told = stage


if __name__ == "__main__":
    raise SystemExit(main())
