"""Makes the fictional region once: authorities and cards, directory, attachments, and a past lived by real sessions."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from crypto.card.virtual.personalise import load_demo, personalise_demo
from demo.cases import Case, Moment, read_cases, script
from demo.clock import SettableClock
from demo.files import write_files
from demo.layout import DATA, SEED_VERSION, Layout
from demo.region import write_directory
from demo.seed import Seeder
from demo.supplied import ADMINISTRATOR, account_of, read_json
from server.bootstrap import build, load_directory
from server.settings import Settings, read_roots

CARDS_AGE = timedelta(days=700)
"""Cards were issued before the oldest case."""
SEED_SESSION_S = 3 * 365 * 24 * 3600
"""Sessions of the past last as long as the past; they are all closed at the end."""

Tell = Callable[[str], None]


def is_ready(layout: Layout) -> bool:
    """Whether a whole region of this version is there."""
    return layout.stamp.is_file() and layout.stamp.read_text(encoding="utf-8") == SEED_VERSION


def card_images(layout: Layout) -> Mapping[str, Path]:
    """Persona -> card image."""
    return load_demo(layout.cards).images


async def prepare(layout: Layout, tell: Tell) -> None:
    """Make everything again from nothing; `tell` hears each stage, in French."""
    for old in (layout.relay, layout.workstation, layout.personas, layout.stamp):
        if old.is_dir():
            shutil.rmtree(old)
        old.unlink(missing_ok=True)
    layout.root.mkdir(mode=0o700, parents=True, exist_ok=True)
    now = datetime.now(UTC)
    tell("Fabrication des cartes CPS de démonstration")
    cards = personalise_demo(
        DATA / "cartes_cps_virtuelles.json", DATA / "professionnels.csv", layout.cards, now=now - CARDS_AGE
    )
    layout.roots.mkdir(exist_ok=True)
    for number, root in enumerate(cards.roots):
        (layout.roots / f"racine-{number}.der").write_bytes(root)
    tell("Annuaire de la région")
    directory = layout.root / "annuaire.jsonl"
    write_directory(directory)
    with directory.open("rb") as lines:
        await load_directory(layout.relay, lines)
    cases = read_cases()
    tell("Photos et courriers fictifs")
    write_files(layout.files)
    await _live(layout, cards.images, cases, now, tell)
    layout.stamp.write_text(SEED_VERSION, encoding="utf-8")


async def _live(layout: Layout, images: Mapping[str, Path], cases: tuple[Case, ...], now: datetime, tell: Tell) -> None:
    clock = SettableClock()
    moments = script(cases, acting_people(), now)
    clock.set(moments[0].at - timedelta(days=1))
    settings = Settings(
        data=layout.relay,
        roots=read_roots(layout.roots),
        audience="https://relay.invalid",
        session_life_s=SEED_SESSION_S,
    )
    relay = build(settings, clock=clock)
    await relay.start()
    try:
        seeder = Seeder(layout, relay, clock, images)
        personas = _personas(moments)
        tell("Ouverture des sessions")
        services = _services()
        async with seeder.desks(personas):
            await seeder.found_services(services)
        async with seeder.desks(personas):
            await seeder.live(moments, lambda done, total: tell(f"Téléexpertises passées {done}/{total}"))
    finally:
        await relay.stop()


def _personas(moments: list[Moment]) -> list[str]:
    """Everyone who has a card: a request can then be sealed to any of them."""
    actors = {moment.actor for moment in moments}
    cards = [card["porteur"] for card in read_json("cartes_cps_virtuelles.json")]
    assert actors <= set(cards)
    return cards


def acting_people() -> dict[str, str]:
    """Account code -> the persona who answers for it; unmanned services are absent."""
    people = {card["porteur"]: card["porteur"] for card in read_json("cartes_cps_virtuelles.json")}
    services = {row["id"]: row["membres"][0] for row in read_json("comptes_service.json") if row["membres"]}
    return people | services


def _services() -> dict[str, tuple[str, tuple[str, ...]]]:
    """Service account -> (responsible persona, member accounts)."""
    return {
        account_of(row["id"]): (
            (row["membres"] or [ADMINISTRATOR])[0],
            tuple(account_of(member) for member in row["membres"] or [ADMINISTRATOR]),
        )
        for row in read_json("comptes_service.json")
    }
