"""What only a real PC/SC service can show: other processes, a dying daemon, a card pulled under a sleeping watcher."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from crypto.card import scard
from crypto.card.daemon import PrivatePcscd, available
from crypto.card.errors import CardBusy, CardError, CardReset, NoReader, ServiceUnavailable, UnsupportedCard
from crypto.card.pcsc import PcscCardPort
from crypto.card.port import CardSlot
from crypto.card.profiles import CPS3
from crypto.card.scard import check, load_scard, open_context
from tests.crypto.card.desk import Desk, eventually, free_ports

SELECT_KEY = "002241A406840182800102"
AUTHENTICATE = "0088000001AA"
SHARE_EXCLUSIVE = 1
OTHER_PROCESS = """
import sys
from crypto.card.scard import load_scard, open_context, check
api = load_scard()
with open_context(api) as context:
    result, card, protocol = api.SCardConnect(context, sys.argv[1], 2, 3)
    check(result)
    for apdu in sys.argv[2:]:
        result, response = api.SCardTransmit(card, protocol, list(bytes.fromhex(apdu)))
        check(result)
    print(bytes(response).hex())
"""


def transmit_from_another_process(reader: str, *apdus: str) -> str:
    """Return the answer to the last command, as another process of the same user gets it."""
    command = [sys.executable, "-c", OTHER_PROCESS, reader, *apdus]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


@contextmanager
def raw_card(reader: str, share: int = scard.SHARE_SHARED) -> Iterator[Callable[[str], str]]:
    """Another application of this workstation, connected beside us."""
    api = load_scard()
    with open_context(api) as context:
        result, card, protocol = api.SCardConnect(context, reader, share, 3)
        check(result)

        def transmit(apdu: str) -> str:
            result, response = api.SCardTransmit(card, protocol, list(bytes.fromhex(apdu)))
            check(result)
            return bytes(response).hex()

        try:
            yield transmit
        finally:
            api.SCardDisconnect(card, scard.LEAVE_CARD)


def test_a_private_service_can_be_had_here() -> None:
    assert available() is None


def test_another_process_cannot_sign_after_us(pcsc_desk: Desk) -> None:
    pcsc_desk.port.sign(pcsc_desk.reader, [b"x"], "1234")
    assert transmit_from_another_process(pcsc_desk.reader, SELECT_KEY, AUTHENTICATE) == "6982"


def test_a_code_left_open_lets_another_process_sign(pcsc_desk: Desk) -> None:
    """The attack that the reset is against: without it, the answer is a signature."""
    with raw_card(pcsc_desk.reader) as transmit:
        transmit("002000010431323334")
        assert transmit_from_another_process(pcsc_desk.reader, SELECT_KEY, AUTHENTICATE) == "6100"


def test_an_application_that_was_connected_before_us_notices_the_reset(pcsc_desk: Desk) -> None:
    with raw_card(pcsc_desk.reader) as transmit:
        assert transmit(SELECT_KEY) == "9000"
        pcsc_desk.port.sign(pcsc_desk.reader, [b"x"], "1234")
        with pytest.raises(CardReset):
            transmit(AUTHENTICATE)


def test_a_card_held_exclusively_is_busy(pcsc_desk: Desk) -> None:
    with raw_card(pcsc_desk.reader, SHARE_EXCLUSIVE), pytest.raises(CardBusy):
        pcsc_desk.port.identity(pcsc_desk.reader)


def test_no_service_is_told_as_such(pcscd_directory: Path) -> None:
    assert not (pcscd_directory / "pcscd.comm").exists()
    port = PcscCardPort()
    for ask in (port.slots, lambda: port.identity("Lecteur"), lambda: port.sign("Lecteur", [], "1234")):
        with pytest.raises(ServiceUnavailable):
            ask()


def test_a_service_that_dies_under_a_signature_is_told_as_such(pcsc_desk: Desk, pcscd: PrivatePcscd) -> None:
    class Dying(list[bytes]):
        def __iter__(self) -> Iterator[bytes]:
            yield b"first"
            pcscd.kill()
            yield b"second"

    with pytest.raises(ServiceUnavailable):
        pcsc_desk.port.sign(pcsc_desk.reader, Dying(), "1234")


@pytest.mark.parametrize(
    ("code", "error"),
    [
        (0x8010001D, ServiceUnavailable),
        (0x80100013, ServiceUnavailable),
        (0x80100009, NoReader),
        (0x80100068, CardReset),
        (0x80100066, UnsupportedCard),
        (0x80100068 - (1 << 32), CardReset),
        (0x80100001, ServiceUnavailable),
    ],
)
def test_result_codes_have_their_meaning(code: int, error: type[CardError]) -> None:
    with pytest.raises(error):
        check(code)


def test_pyscard_that_is_not_installed_is_a_service_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "smartcard.scard", None)
    with pytest.raises(ServiceUnavailable):
        PcscCardPort().slots()


class Log:
    """`CardEvents` that writes down what it is told; a loss of the service is None."""

    def __init__(self) -> None:
        self.entries: list[tuple[CardSlot, ...] | None] = []
        self.threads: set[str] = set()

    def slots_changed(self, slots: tuple[CardSlot, ...]) -> None:
        self.threads.add(threading.current_thread().name)
        self.entries.append(slots)

    def service_lost(self) -> None:
        self.entries.append(None)

    def shows(self, reader: str, *, card: bool) -> bool:
        """Say whether the latest entry shows a card in this reader, or shows it empty."""
        latest = self.entries[-1] if self.entries else None
        wanted = CardSlot(reader, CPS3.atr if card else None)
        return latest is not None and wanted in latest


def test_the_watcher_tells_the_present_state_then_each_change(pcsc_desk: Desk, image: Path) -> None:
    log = Log()
    watch = pcsc_desk.port.watch(log)
    eventually(lambda: log.shows(pcsc_desk.reader, card=True))
    pcsc_desk.remove()
    eventually(lambda: log.shows(pcsc_desk.reader, card=False))
    pcsc_desk.insert(image)
    eventually(lambda: log.shows(pcsc_desk.reader, card=True))
    watch.stop()
    assert log.threads == {"card-watcher"}
    assert all(before != after for before, after in zip(log.entries, log.entries[1:], strict=False))


def test_the_watcher_is_not_disturbed_by_our_own_signatures(pcsc_desk: Desk) -> None:
    log = Log()
    watch = pcsc_desk.port.watch(log)
    eventually(lambda: log.shows(pcsc_desk.reader, card=True))
    pcsc_desk.port.sign(pcsc_desk.reader, [b"x"], "1234")
    watch.stop()
    assert len(log.entries) == 1


def test_a_stopped_watcher_is_silent_and_its_thread_gone(pcsc_desk: Desk) -> None:
    log = Log()
    watch = pcsc_desk.port.watch(log)
    eventually(lambda: bool(log.entries))
    watch.stop()
    pcsc_desk.remove()
    eventually(lambda: not pcsc_desk.has_card())
    assert len(log.entries) == 1
    assert "card-watcher" not in {thread.name for thread in threading.enumerate()}


def test_a_watcher_that_starts_before_the_service_finds_it_later(pcscd_directory: Path, image: Path) -> None:
    log = Log()
    watch = PcscCardPort().watch(log)
    eventually(lambda: log.entries == [None])
    port = free_ports(1)[0]
    daemon = PrivatePcscd(pcscd_directory, [port])
    with daemon:
        daemon.start_card(port, image)
        eventually(lambda: log.shows(daemon.reader(port), card=True))
    watch.stop()


def test_the_watcher_tells_a_dead_service_and_its_return(pcsc_desk: Desk, pcscd: PrivatePcscd, image: Path) -> None:
    log = Log()
    watch = pcsc_desk.port.watch(log)
    eventually(lambda: log.shows(pcsc_desk.reader, card=True))
    pcscd.kill()
    eventually(lambda: log.entries[-1] is None)
    pcscd.start()
    pcscd.start_card(pcscd.ports[0], image)
    eventually(lambda: log.shows(pcsc_desk.reader, card=True))
    watch.stop()
    assert log.entries.count(None) == 1


def test_the_processes_end_with_the_daemon(pcscd: PrivatePcscd, image: Path) -> None:
    pcscd.start_card(pcscd.ports[0], image)
    cards = tuple(pcscd.processes)
    pcscd.stop()
    assert len(cards) == 2
    assert all(process.poll() is not None for process in cards)


def test_a_socket_path_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too long"):
        PrivatePcscd(tmp_path / ("x" * 120), [])


def test_a_card_without_image_does_not_start(pcscd: PrivatePcscd, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="virtual card ended with status 1"):
        pcscd.start_card(pcscd.ports[0], tmp_path / "missing.json")
