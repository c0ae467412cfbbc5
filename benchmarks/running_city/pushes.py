"""Kill -9 of an agency that sends rows and of the node that takes them, at random."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import towns
from node_process import NodeProcess

from benchmarks.running_city.killing import LIVES_S, SEED, kill_at_random
from deepcity.city.errors import ConfigError
from deepcity.data.city_file import check_city, empty_panel
from deepcity.live.node.records.agency_records import folded
from deepcity.store.events.event import EventKind, EventQuery
from deepcity.store.open_store import open_events

SECONDS, HOURS, HOUR = 120, 5_000, 3600
SOURCE = 'format = "push"\nplace = "station"'
AGENCY = """
import json, os, sys, time, httpx
address, done, rows = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3]))
position = int(open(done).read()) if os.path.exists(done) else 0
with httpx.Client(timeout=30) as client:
    while position < len(rows) and not os.path.exists(done + ".stop"):
        part = rows[position : position + 2]
        try:
            found = client.post(address, json=part)
        except httpx.TransportError:
            time.sleep(0.2)
            continue
        if found.status_code not in (200, 201):
            time.sleep(0.5)
            continue
        position += 2
        with open(done + ".new", "w") as file:
            file.write(str(position))
        os.replace(done + ".new", done)
"""


def pushes() -> str:
    """What was kept, counted."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        city = folder / "town.toml"
        city.write_text(towns.toml(source=SOURCE), encoding="utf-8")
        sent = _rows()
        (folder / "rows.json").write_text(json.dumps(sent), encoding="utf-8")
        state = folder / "state"
        node = NodeProcess(city, ("--look", "0.05", "--state", state))
        node.start()
        node.wait()
        try:
            killed = _kill_both(node, folder)
            position = int((folder / "done").read_text())
            newest = sent[position - 1]["time"]
            node.wait(lambda: _newest(node) >= _seconds(str(newest)) + HOUR)
            node.stop()
        finally:
            node.kill()
        found = _counted(f"duckdb:///{state / 'city.duckdb'}", city, sent[:position])
    lines = [
        "## A running city: rows pushed by an agency, both killed at random",
        f"One agency of two places sends an hour's rows with each request for {SECONDS} s, and",
        "again where it did not learn that they were taken; the agency was ended",
        f"{killed['agency']} times with kill -9, the node {killed['node']} times, seed 0.",
        "",
        "| | expected | kept |",
        "|---|---:|---:|",
        *(f"| {title} | {wanted:,} | {kept:,} |" for title, wanted, kept in found),
    ]
    return "\n".join(lines)


def _rows() -> list[dict[str, object]]:
    """Two places each hour, up to now."""
    dice, last = np.random.default_rng(SEED), int(time.time()) // HOUR * HOUR - HOUR
    times = range(last - (HOURS - 1) * HOUR, last + 1, HOUR)
    return [
        {
            "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(one)),
            "station": place,
            "flow": round(float(dice.uniform(0, 100)), 3),
        }
        for one in times
        for place in ("a", "b")
    ]


def _kill_both(node: NodeProcess, folder: Path) -> Counter[str]:
    agencies = [_agency(node, folder)]

    def node_again() -> None:
        node.kill()
        node.start()

    def agency_again() -> None:
        os.kill(agencies[-1].pid, signal.SIGKILL)
        agencies.pop().wait()
        agencies.append(_agency(node, folder))

    shortest_s, longest_s = LIVES_S
    victims = {"node": node_again, "agency": agency_again}
    killed = kill_at_random(victims, SECONDS, lives_s=(shortest_s / 2, longest_s / 2))
    node.wait()
    time.sleep(2)
    (folder / "done.stop").touch()
    agencies.pop().wait()
    return killed


def _agency(node: NodeProcess, folder: Path) -> "subprocess.Popen[bytes]":
    address = f"{node.address}/api/sources/office/records/rows"
    files = (str(folder / "done"), str(folder / "rows.json"))
    return subprocess.Popen([sys.executable, "-c", AGENCY, address, *files])


def _seconds(text: str) -> int:
    return int(np.datetime64(text.removesuffix("Z"), "s").astype(int))


def _newest(node: NodeProcess) -> int:
    found = node.ask("/api/sources")
    assert isinstance(found, list)
    return int(found[0]["newest_s"] or 0)


def _counted(url: str, city: Path, sent: list[dict[str, object]]) -> list[tuple[str, int, int]]:
    """(what, how many there should be, how many there are)."""
    with open_events(url) as events:
        rows = events.read(EventQuery((EventKind.ROWS,)))
    city_file, problems = check_city(city, later=True)
    if city_file is None:
        raise ConfigError(problems)
    panel = folded(rows, empty_panel(city_file, "office"))
    hours = len(sent) // 2
    wanted_TN = np.array([one["flow"] for one in sent], np.float32).reshape(hours, 2)
    same = int((panel.values_TNF[:, :, 0] == wanted_TN).sum()) if len(panel.time_T) == hours else 0
    return [
        ("hours", hours, sum(int(one.body["steps"]) for one in rows)),
        ("hours, each once", hours, len(panel.time_T)),
        ("values as they were sent", wanted_TN.size, same),
    ]
