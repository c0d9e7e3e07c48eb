"""The process that holds a virtual card in a virtual reader: it speaks the protocol of vpcd, and obeys a hand.

vpcd (vsmartcard) listens on one TCP port per slot; a connection is a card put in. Every message has a two-byte
length; a message of one byte is a command to the reader's contacts, any other is an APDU. SIGTERM may end the process
at any time: the image is replaced whole, and pulling a card is what a real one survives too.

The hand is a Unix socket that takes one line and gives one line back: `insert [IMAGE]`, `remove`, `stop`.
"""

from __future__ import annotations

import argparse
import contextlib
import selectors
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from crypto.card.virtual.card import VirtualCard
from crypto.card.virtual.image import load_image, save_image
from crypto.card.virtual.lifeline import die_with_parent

POWER_OFF, POWER_ON, RESET, GET_ATR = 0, 1, 2, 4
"""Control bytes of vpcd's protocol."""

SETTLE_S = 0.5
"""Pause between a removal and the next insertion, in seconds: within 400 ms the reader's slot wedges (measured)."""
CONNECT_TIMEOUT_S = 5.0
CONNECT_RETRY_S = 0.05

_TCP_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class VirtualReaderSlot:
    """One slot of a virtual reader, with or without a card."""

    def __init__(self, port: int, image: Path) -> None:
        self._port = port
        self._image = image
        self._connection: socket.socket | None = None
        self._card: VirtualCard | None = None
        self._removed_at = -SETTLE_S

    @property
    def connection(self) -> socket.socket | None:
        """The socket to wait on while a card is in."""
        return self._connection

    def insert(self, image: Path | None = None) -> None:
        """Put a card in; does nothing when one is in already.

        Raises:
            OSError: the image cannot be read, or the reader does not answer.
        """
        if self._connection is not None:
            return
        self._image = image or self._image
        self._card = VirtualCard(load_image(self._image), partial(save_image, self._image))
        time.sleep(max(0.0, self._removed_at + SETTLE_S - time.monotonic()))
        self._connection = _connect(self._port)

    def remove(self) -> None:
        """Pull the card, whatever it is doing."""
        if self._connection is not None:
            self._connection.close()
            self._connection, self._card = None, None
            self._removed_at = time.monotonic()

    def serve_one(self) -> None:
        """Answer one message of the reader; a closed reader counts as a removal."""
        if self._connection is None or self._card is None:
            return
        try:
            message = _receive(self._connection)
            answer = _answer(self._card, message)
            if answer is not None:
                self._connection.sendall(len(answer).to_bytes(2) + answer)
        except OSError:
            self.remove()


def _answer(card: VirtualCard, message: bytes) -> bytes | None:
    """Answer a control byte or an APDU; power and reset have no answer."""
    if len(message) != 1:
        return card.process(message)
    if message[0] == GET_ATR:
        return card.atr
    card.reset()
    return None


def _connect(port: int) -> socket.socket:
    """Connect to the reader, which may still be starting."""
    deadline = time.monotonic() + CONNECT_TIMEOUT_S
    while True:
        try:
            connection = socket.create_connection(("127.0.0.1", port), CONNECT_TIMEOUT_S)
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
            time.sleep(CONNECT_RETRY_S)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return connection


def _receive(connection: socket.socket) -> bytes:
    return _receive_exactly(connection, int.from_bytes(_receive_exactly(connection, 2)))


def _receive_exactly(connection: socket.socket, size: int) -> bytes:
    received = b""
    while len(received) < size:
        if _TCP_QUICKACK is not None:
            # Without it each APDU waits 40 ms for the delayed acknowledgement. The kernel forgets it: set each time.
            connection.setsockopt(socket.IPPROTO_TCP, _TCP_QUICKACK, 1)
        chunk = connection.recv(size - len(received))
        if not chunk:
            raise ConnectionResetError("the reader is gone")
        received += chunk
    return received


class _Hand:
    """Turns lines of the control socket into actions on a slot."""

    def __init__(self, slot: VirtualReaderSlot) -> None:
        self._slot = slot
        self.stopped = False

    def obey(self, line: str) -> str:
        """Do what one line says; answer `ok` or `error: reason`."""
        verb, _, argument = line.strip().partition(" ")
        actions: dict[str, Callable[[], None]] = {
            "insert": lambda: self._slot.insert(Path(argument) if argument else None),
            "remove": self._slot.remove,
            "stop": self.stop,
        }
        if verb not in actions:
            return f"error: unknown command {verb!r}"
        try:
            actions[verb]()
        except (OSError, ValueError) as error:
            return f"error: {error}"
        return "ok"

    def stop(self) -> None:
        """End the process after this command."""
        self._slot.remove()
        self.stopped = True


def run(slot: VirtualReaderSlot, control: Path | None) -> None:
    """Serve a slot and its control socket until told to stop; without one, until the reader is gone."""
    hand = _Hand(slot)
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_control_server(control)) if control is not None else None
        while not hand.stopped and (server is not None or slot.connection is not None):
            _serve_once(slot, server, hand)


def _serve_once(slot: VirtualReaderSlot, server: socket.socket | None, hand: _Hand) -> None:
    with selectors.DefaultSelector() as selector:
        for waiting in (slot.connection, server):
            if waiting is not None:
                selector.register(waiting, selectors.EVENT_READ)
        for key, _ in selector.select():
            if key.fileobj is server and server is not None:
                _serve_control(server, hand)
            else:
                slot.serve_one()


def _serve_control(server: socket.socket, hand: _Hand) -> None:
    client, _ = server.accept()
    with client, client.makefile("rw", encoding="utf-8") as stream, contextlib.suppress(OSError):
        client.settimeout(1.0)
        stream.write(hand.obey(stream.readline()) + "\n")
        stream.flush()


@contextlib.contextmanager
def _control_server(path: Path) -> Iterator[socket.socket]:
    """Listen where only the owner of the directory can reach; the name is freed at the end."""
    unready = path.with_name(path.name + "~")
    unready.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(unready))
        unready.chmod(0o600)
        server.listen()
        # Under its own name only now: whoever sees the name may connect.
        unready.replace(path)
        try:
            yield server
        finally:
            path.unlink(missing_ok=True)


def control(path: Path, command: str) -> None:
    """Send one command to a virtual card's process and wait until it is done.

    Args:
        path: its control socket.
        command: `insert`, `insert IMAGE`, `remove` or `stop`.

    Raises:
        OSError: no process listens, or it could not do it.
    """
    with socket.socket(socket.AF_UNIX) as client, client.makefile("rw", encoding="utf-8") as stream:
        client.settimeout(2 * CONNECT_TIMEOUT_S)
        client.connect(str(path))
        stream.write(command + "\n")
        stream.flush()
        answer = stream.readline().strip()
    if answer != "ok":
        raise OSError(answer or "the virtual card gave no answer")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run `python -m crypto.card.virtual`."""
    parser = argparse.ArgumentParser(prog="python -m crypto.card.virtual", description="A virtual CPS card.")
    parser.add_argument("--image", type=Path, required=True, help="card image made by personalise")
    parser.add_argument("--port", type=int, required=True, help="TCP port of the virtual reader's slot")
    parser.add_argument("--control", type=Path, help="Unix socket for insert, remove and stop")
    parser.add_argument("--removed", action="store_true", help="start with the card beside the reader")
    options = parser.parse_args(arguments)
    die_with_parent()
    slot = VirtualReaderSlot(options.port, options.image)
    if not options.removed:
        slot.insert()
    run(slot, options.control)
    return 0
