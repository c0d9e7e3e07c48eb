"""Virtual cards for tests: one hierarchy and one set of images per session, a copy of an image per test.

libpcsclite reads the name of the service's socket once per process. So the path is chosen once per session, and each
test that needs readers starts its own daemon on that path.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from crypto.card.daemon import PrivatePcscd, available
from crypto.card.inprocess import InProcessCardPort
from crypto.card.pcsc import PcscCardPort
from crypto.card.virtual import pki
from crypto.card.virtual.image import CardImage, load_image, save_image
from crypto.card.virtual.personalise import personalise
from tests.crypto.card.desk import NOW, PHYSICIAN, ROWS, SECRETARY, Desk, eventually, free_ports


@pytest.fixture(scope="session")
def igc() -> pki.TestIgc:
    return pki.generate_igc(NOW)


@pytest.fixture(scope="session")
def factory_images(igc: pki.TestIgc) -> Mapping[str, CardImage]:
    return {
        entry.porteur: personalise(entry, ROWS[entry.porteur], igc, not_before=NOW) for entry in (PHYSICIAN, SECRETARY)
    }


@pytest.fixture
def image(factory_images: Mapping[str, CardImage], tmp_path: Path) -> Path:
    """A physician's card fresh from the factory, this test's own."""
    path = tmp_path / "PS02.card.json"
    save_image(path, factory_images["PS02"])
    return path


@pytest.fixture
def secretary_image(factory_images: Mapping[str, CardImage], tmp_path: Path) -> Path:
    path = tmp_path / "PS38.card.json"
    save_image(path, factory_images["PS38"])
    return path


@pytest.fixture(scope="session")
def pcscd_directory() -> Iterator[Path]:
    """A short path, chosen once, in the environment before libpcsclite is loaded."""
    reason = available()
    if reason is not None:
        pytest.fail(f"the card tests need a private pcscd: {reason}")
    directory = Path(tempfile.mkdtemp(prefix="cps"))
    os.environ.update(PrivatePcscd(directory, []).environment)
    yield directory
    shutil.rmtree(directory)


@pytest.fixture
def pcscd(pcscd_directory: Path) -> Iterator[PrivatePcscd]:
    with PrivatePcscd(pcscd_directory, free_ports(2)) as daemon:
        yield daemon


@pytest.fixture
def pcsc_desk(pcscd: PrivatePcscd, image: Path) -> Desk:
    first, second = pcscd.ports
    pcscd.start_card(first, image)
    desk = Desk(
        port=PcscCardPort(),
        reader=pcscd.reader(first),
        other_reader=pcscd.reader(second),
        insert=lambda path: pcscd.insert(first, path),
        remove=lambda: pcscd.remove(first),
    )
    eventually(desk.has_card)
    return desk


@pytest.fixture
def inprocess_desk(image: Path) -> Desk:
    port = InProcessCardPort([("Lecteur 1", image), ("Lecteur 2", None)])
    return Desk(
        port=port,
        reader="Lecteur 1",
        other_reader="Lecteur 2",
        insert=lambda path: port.insert("Lecteur 1", path),
        remove=lambda: port.remove("Lecteur 1"),
    )


@pytest.fixture(params=["inprocess", "pcsc"])
def desk(request: pytest.FixtureRequest) -> Desk:
    """Every test that takes this runs over both ways of reaching a card."""
    found = request.getfixturevalue(f"{request.param}_desk")
    assert isinstance(found, Desk)
    return found


@pytest.fixture
def tries(image: Path) -> Callable[[], tuple[int, int]]:
    """What the card itself remembers: tries of the code porteur and of the code de déblocage."""

    def read() -> tuple[int, int]:
        memory = load_image(image)
        return memory.pin.tries_left, memory.puk.tries_left

    return read
