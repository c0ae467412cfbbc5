"""The same between machines: real processes of a hub and three sites, one slowed to a twentieth.

The site is slowed once it is asked for the first round of the joint training; where a process is
killed, that is in the same training.
"""

import json
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.federation.fault_points import JOINED, Point, Points
from benchmarks.federation.fault_run import VICTIM, FaultyRun, provision
from benchmarks.federation.fault_slow import brake
from benchmarks.federation.little import little_map
from benchmarks.federation.processes import SITES
from deepcity.exchange.party import TRAIN
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.run_folder import coordinator_folder

ROUNDS, LOCAL_STEPS = 8, 20
ASKED = Point("asked", VICTIM, JOINED, 0)
SYNCHRONOUS = "synchronous"
KILLS = {
    SYNCHRONOUS: None,
    "asynchronous": None,
    "asynchronous, no site slowed, kill -9 of a worker that has trained and not answered": (
        Point("trained", VICTIM, JOINED, 2),
        lambda run: run.kill(run.kit(), "worker_process"),
    ),
}
NEWCOMER = 'newcomers = ["south/water"]\n'
SCARCE = 'scarce = { "south/water" = 10 }\n'


@dataclass(frozen=True)
class Course:
    """One run.

    Attributes:
        ended: whether the run ended by itself.
        seconds: of the joint training's rounds.
        errors: party -> validation error after the last one.
        updates: of the slow site, of `rounds`.
        twice: updates that were asked for and counted more than once.
    """

    ended: bool
    seconds: float
    errors: dict
    updates: int
    rounds: int
    twice: int
    leases: int


def asynchronous_machines():
    """Seconds of the joint training, and its errors, with and without kills."""
    with TemporaryDirectory() as folder:
        found = {way: _run(Path(folder) / str(n), way) for n, way in enumerate(KILLS)}
    expected = found[SYNCHRONOUS].errors
    lines = [
        "## Asynchronous fusion between machines: one site of three runs a twentieth of the time",
        "",
        f"A hub, a coordinator and three members in processes of their own; {ROUNDS} rounds of "
        f"{LOCAL_STEPS} steps at level 6 with the stem, one run each. The worker of one site is "
        "stopped 19 of 20 moments from the first round on. *Seconds*: of the joint training, a "
        "lease that had to be taken anew included. *Error*: of the fused layers on validation "
        "days after the last round, mean over sites, over that of the synchronous run. *Updates*: "
        "of the slow site, of as many fusions. *Twice*: updates counted more than once.",
        "",
        "| fusion | ended | seconds | error | updates | fusions | twice | leases |",
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    for way, one in found.items():
        error = float(np.mean([one.errors[name] / expected[name] for name in expected]))
        lines.append(
            f"| {way} | {'yes' if one.ended else 'no'} | {one.seconds:.0f} | {error:.3f} "
            f"| {one.updates} | {one.rounds} | {one.twice} | {one.leases} |"
        )
    return "\n".join(lines)


def _map(folder, *, asynchronous):
    """The little map with three members and one joint training."""
    path = little_map(folder, ROUNDS)
    text = path.read_text(encoding="utf-8").replace(NEWCOMER, "").replace(SCARCE, "")
    text = text.replace("levels = [2, 6]", "levels = [6]")
    text = text.replace("local_steps = 4", f"local_steps = {LOCAL_STEPS}")
    if asynchronous:
        text += '\n[service.strategy]\nschedule = "asynchronous"\n'
    path.write_text(text, encoding="utf-8")
    return path


def _run(folder, way):
    kill = KILLS[way]
    folder.mkdir()
    map_file = _map(folder / "map", asynchronous=way != SYNCHRONOUS)
    points = Points(folder / "points", [kill[0] if kill else ASKED])
    run = FaultyRun(folder / "fed", points)
    provision(run.folder, map_file, "localhost")

    def make(number):
        print(f"  {time.monotonic() - begun:.0f} s: {points.points[number].point}", flush=True)
        if kill:
            kill[1](run)
        else:
            run.slow()

    begun = time.monotonic()
    with brake(lambda: run.of(run.kit(), "worker_process")) as run.slow:
        try:
            for kit in (*run.hub, *(run.kit(site) for site in SITES)):
                run.start(kit)
            what = run.watch(make)
        finally:
            run.stop()
    found = _course(run, what == "finished")
    print(f"  {way}: {time.monotonic() - begun:.0f} s in all, {what}: {found}", flush=True)
    return found


def _course(run, ended):
    records = json.loads((run.folder / "run" / "rounds.json").read_text())
    record = records[JOINED]
    newest = CheckpointStore(coordinator_folder(run.folder / "run")).load_latest(JOINED)
    party = f"{VICTIM}/water"
    rounds = newest.round
    return Course(
        ended=ended,
        seconds=record["ended"][-1] - _begun(records),
        errors=record["errors"][-1],
        updates=sum(party in one for one in record["errors"][:rounds]),
        rounds=rounds,
        twice=_twice(newest.values["ledger"]),
        leases=run.status().get("leases", 0),
    )


def _begun(records):
    """When learning alone, the training before the joint one, had ended."""
    return records["water.alone"]["ended"][-1]


def _twice(ledger):
    """Updates of which more bytes came than of others of the same layer."""
    sizes = {}
    for number, verb, sender, _, layer, size in ledger:
        if verb == TRAIN and layer == "h1" and sender != "coordinator":
            sizes[number, sender] = size
    least = min(sizes.values(), default=0)
    return sum(size > least for size in sizes.values())
