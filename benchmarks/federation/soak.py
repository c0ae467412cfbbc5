"""Hours of training between machines, calm or with a part killed every few minutes: leaks?

A map of many equal services, so that a right result is known: all services end with the same
errors, to the digit. Where kills are asked for, at random moments one process is ended with kill
-9: a site, its worker, the hub's server, its job or the coordinator. Memory, open files and
processes are read all the time.
"""

import json
import random
import re
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.federation.fault_outcome import shown
from benchmarks.federation.fault_points import Points
from benchmarks.federation.fault_run import FaultyRun, provision
from benchmarks.federation.little import little_map
from benchmarks.federation.processes import SITES
from benchmarks.federation.soak_facts import Watched, different, lost_and_twice, rounds_kept
from deepcity.runs.machines.status import run_folder

ROUNDS, SERVICES = 100, 60
CALM_S = (60.0, 180.0)
"""Seconds between a first round after a kill and the next kill."""
SAMPLE_S = 5.0
_AFTER_STOP_S = 2.0
VICTIMS = {
    "a site": ("client_train",),
    "a site's worker": ("worker_process",),
    "the hub's server": ("server_train",),
    "the hub's job": ("runner_process",),
    "the coordinator": ("machines.lead",),
}


def soak(minutes=120, *, kills=True, seed=0):
    """What leaked, was lost or counted twice, as Markdown; without `kills` processes live long."""
    with TemporaryDirectory() as folder:
        map_file = _many_services(little_map(Path(folder) / "map", ROUNDS))
        run = FaultyRun(Path(folder) / "fed", Points(Path(folder) / "points", ()))
        provision(run.folder, map_file, "127.0.0.1")
        watched = Watched(run)
        try:
            for kit in (*run.hub, *(run.kit(site) for site in SITES)):
                run.start(kit)
            killed = _run(run, watched, minutes * 60, random.Random(seed) if kills else None)
            watched.sample()
        finally:
            run.stop()
        time.sleep(_AFTER_STOP_S)
        return _report(run, watched, killed, minutes)


def _many_services(map_file):
    """The same service again and again, each by a name of its own."""
    head, service = map_file.read_text(encoding="utf-8").split("[[service]]")
    again = [
        service.replace('name = "water"', f'name = "water-{number:03d}"', 1)
        for number in range(SERVICES)
    ]
    map_file.write_text("[[service]]".join([head, *again]), encoding="utf-8")
    return map_file


def _run(run, watched, seconds, rng):
    """Kill one part after another until the time is over, with `rng`; how often each."""
    kills, until = Counter(), time.monotonic() + seconds
    seen, due = _progress(run), None
    while time.monotonic() < until and not run.status().get("what", "").startswith("finished"):
        watched.sample()
        here = _progress(run)
        if rng is not None and due is None and here != seen:  # it trains again
            due = time.monotonic() + rng.uniform(*CALM_S)
        if due is not None and time.monotonic() >= due:
            part = rng.choice([*VICTIMS])
            kit = _kit(run, part, rng)
            found = run.of(kit, *VICTIMS[part])
            run.kill(kit, *VICTIMS[part])
            kills[part] += bool(found)
            print(f"  {(until - time.monotonic()) / 60:.0f} min left: killed {part}", flush=True)
            seen, due = here, None
        time.sleep(SAMPLE_S)
    return kills


def _progress(run):
    return sum(map(len, rounds_kept(run_folder(run.folder)).values()))


def _kit(run, part, rng):
    if "site" in part:
        return run.kit(rng.choice(SITES))
    return run.folder if "coordinator" in part else run.hub[0]


def _report(run, watched, kills, minutes):
    folder = run_folder(run.folder)
    kept = rounds_kept(folder)
    lost, twice = lost_and_twice(folder)
    lines = [
        f"## Between machines: {minutes:g} minutes {'with random kills' if kills else 'in peace'}",
        "",
        f"A hub, a coordinator, two members and a newcomer train one service after another, all "
        f"alike, {ROUNDS} rounds a training. {_kills_text(kills)}",
        "",
        f"{len(kept)} trainings, {sum(map(len, kept.values()))} rounds; {different(kept)} rounds "
        f"have other errors than the same round of the first service; {lost} of a party were lost "
        f"and {twice} counted twice. {len(run.left())} processes were left "
        f"{_AFTER_STOP_S:.0f} s after the stop.",
        "",
        *watched.table(),
    ]
    if failed := _failures(folder):
        lines += ["", "Named in the run:", ""]
        lines += [f"- {count} times: {text}" for text, count in failed.most_common(8)]
    return "\n".join(lines)


def _kills_text(kills):
    if not kills:
        return "No process was ended."
    parts = ", ".join(f"{part} {count}" for part, count in sorted(kills.items()))
    return (
        f"{sum(kills.values())} times one process was ended with kill -9, {CALM_S[0]:.0f} to "
        f"{CALM_S[1]:.0f} s after the first round that had followed the kill before: {parts}."
    )


def _failures(folder):
    """Failures by text, without numbers of leases and rounds."""
    with suppress(OSError, ValueError):
        found = json.loads((folder / "rounds.json").read_text())
        texts = [text for one in found.values() for failed in one["failures"] for text in failed]
        return Counter(re.sub(r"\d+", "N", shown(text))[:200] for text in texts)
    return Counter()
