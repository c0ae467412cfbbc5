"""Faults while an application and an agency train between machines: is the result as without one?

Each fault is made once, in a round of the joint training. The run must end by itself with the
errors of the same map in one process (or with the fault named in its failures), and leave no
process behind.
"""

import json
import os
import signal
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.federation.processes import free_port
from benchmarks.record import recorded
from deepcity.exchange.flare import kits, processes
from deepcity.maps.city_map import load_map
from deepcity.runs.machines.status import local_kits, run_folder, vertical_folder
from deepcity.vertical.run import load_vertical_results, run_vertical

SITES, ROUNDS, PATIENCE_S = ("north", "north_weather"), 8, 400
FAULT_STEP = ROUNDS + 3  # of the joint training, which follows learning alone
SOURCE = """
[[source]]
name = "{name}-records"
format = "csv"
path = "{name}.csv"
layout = "wide"
time = {{ column = "time" }}
[[agency]]
name = "{name}"
title = {{ en = "{name}", ko = "{name}" }}
domain = "resources"
fields = [{{ name = "{field}", kind = "flow", unit = "L/s", source = "{name}-records" }}]
places = ["p0"]
"""
CITY = """
name = "north"
title = { en = "North", ko = "북쪽" }
[clock]
time_zone = "UTC"
step = "1h"
"""
MAP = f"""
name = "little"
title = {{ en = "Little map", ko = "작은 지도" }}
cities = ["north.toml"]
seed = 1
[[service]]
name = "water"
application = "water"
parties = ["north/water"]
field = "flow"
levels = []
automatic = false
pooled = false
experts = ["network", "typical_day", "yesterday"]
[service.window]
history = 6
horizon = 6
days = 2
[service.training]
rounds = {ROUNDS}
local_steps = 20
batch_size = 32
[service.span]
validation_days = 5
test_days = 5
[service.vertical]
pretrain_steps = 100
[[service.vertical.agency]]
agency = "weather"
history = 4
ahead = 6
"""


@dataclass
class Outcome:
    """How a run ended.

    Attributes:
        worst: largest relative difference of an error from the run in one process.
        named: failures that the results name.
        leases: that it took.
    """

    ended: bool
    seconds: float
    worst: float = float("nan")
    named: list = field(default_factory=list)
    leases: int = 0
    orphans: int = 0


def vertical_map(folder):
    """Write a map in which half of what drives a flow is known to another agency; its file."""
    folder.mkdir(parents=True)
    rng, hours = np.random.default_rng(0), np.arange(40 * 24)
    weather = np.repeat(rng.normal(size=len(hours) // 6), 6)
    flow = 10 + 3 * np.sin(2 * np.pi * hours / 24) + 3 * weather + 0.1 * rng.normal(size=len(hours))
    start = datetime(2021, 2, 1)  # noqa: DTZ001 (the city's own wall time)
    text = CITY
    for name, measured, values in (("water", "flow", flow), ("weather", "warmth", weather + 10)):
        rows = [
            f"{start + timedelta(hours=int(hour)):%Y-%m-%d %H:%M},{value:.4f}"
            for hour, value in zip(hours, values, strict=True)
        ]
        (folder / f"{name}.csv").write_text("\n".join(["time,p0", *rows, ""]), encoding="utf-8")
        text += SOURCE.format(name=name, field=measured)
    (folder / "north.toml").write_text(text, encoding="utf-8")
    (folder / "map.toml").write_text(MAP, encoding="utf-8")
    return folder / "map.toml"


def vertical_faults():
    """A table of faults and how each run ended; FAULT=name|name makes those alone."""
    chosen = os.environ.get("FAULT", "").split("|")
    kept = recorded("federation-vertical-faults").splitlines()
    rows = {line.split("|")[1].strip(): line for line in kept if line.startswith("| ")}
    lines = [
        "## Between machines: faults in a vertical training",
        "",
        f"An application and one agency at two sites, {ROUNDS} rounds alone and {ROUNDS} jointly "
        f"of 20 steps, leases of 20 rounds; the fault comes after round {FAULT_STEP - ROUNDS} of "
        "the joint training. Difference: the largest of the error by any method from the same map "
        "in one process. Failures: those that the results name.",
        "",
        "| fault | run ended | seconds | leases | difference | failures | processes left |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    with TemporaryDirectory() as folder:
        map_file = vertical_map(Path(folder) / "map")
        [expected] = run_vertical(load_map(map_file), Path(folder) / "run").services[0].parties
        for number, (name, fault) in enumerate(FAULTS.items()):
            if chosen != [""] and name not in chosen:
                continue
            one = _run(Path(folder) / f"fault-{number}", map_file, fault, expected)
            print(name, one, flush=True)
            rows[name] = (
                f"| {name} | {'yes' if one.ended else 'no'} | {one.seconds:.0f} | {one.leases} "
                f"| {one.worst:.1e} | {len(one.named)} | {one.orphans} |"
            )
    return "\n".join([*lines, *(rows[name] for name in FAULTS if name in rows)])


def _run(folder, map_file, fault, expected):
    settings = {"name": "faults", "port": free_port(), "map": str(map_file)}
    kits.new_federation(folder, kits.federation_of(settings))
    kits.add_sites(folder, SITES, {"map": str(map_file)})
    begun, parts = time.monotonic(), local_kits(folder)
    try:
        for kit in parts:
            processes.start(kit)
        ended = _watch(folder, fault)
    finally:
        for kit in reversed(parts):
            processes.stop(kit)
    time.sleep(1.0)
    outcome = Outcome(ended, time.monotonic() - begun, orphans=len(processes_of(folder)))
    outcome.leases = status_of(folder).get("leases", 0)
    if ended:
        results = load_vertical_results(vertical_folder(run_folder(folder)))
        [found] = results.services[0].parties
        outcome.named = found.failures
        pairs = [(found.metric_errors[m], expected.metric_errors[m]) for m in found.metric_errors]
        outcome.worst = max(abs(one - other) / other for one, other in pairs)
    return outcome


def _watch(folder, fault):
    """Wait for the end; make the fault once its step is done."""
    until, made = time.monotonic() + PATIENCE_S, False
    while time.monotonic() < until:
        status = status_of(folder)
        if status.get("what") == "finished":
            return True
        vertical = str(status.get("what", "")).startswith("water.vertical")
        if vertical and status.get("round", 0) >= FAULT_STEP and not made:
            made = True
            fault(folder)
        time.sleep(0.02)
    print(json.dumps(status_of(folder)), flush=True)
    return False


def status_of(folder):
    """What the coordinator does now."""
    try:
        return json.loads((run_folder(folder) / "status.json").read_text())
    except (OSError, ValueError):
        return {}


def processes_of(folder, *words):
    """Processes that name this folder and these words in their command."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command and all(word in command for word in words):
            found.append(int(process.name))
    return found


def kill(folder, *words):
    """Kill these processes."""
    for process in processes_of(folder, *words):
        os.kill(process, signal.SIGKILL)


def _agency(folder):
    return kits.kit_folder(folder, "north_weather")


FAULTS = {
    "none": lambda _folder: None,
    "worker of the agency killed": lambda folder: kill(_agency(folder), "worker_process"),
    "the agency's site killed, all of it": lambda folder: kill(_agency(folder), "client_train"),
    "worker of the application killed": lambda folder: kill(
        kits.kit_folder(folder, "north"), "worker_process"
    ),
    "hub's server killed": lambda folder: kill(kits.hub_folder(folder), "server_train"),
    "coordinator killed": lambda folder: kill(folder, "machines.lead"),
}
