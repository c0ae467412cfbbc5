"""Faults while a map is trained between machines: does the run end as one without a fault?

Each fault is made at named points of a run (`benchmarks.federation.fault_points`). The run must end
by itself, with levels and errors of the same run in one process or with the fault named, lose or
count no round twice, and leave no process behind.

Every run is kept as soon as it has ended, in fault_runs.jsonl beside this file; a command that was
broken off goes on where it stood, on another machine too. Remove the file to begin anew.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.federation.fault_cases import CASES
from benchmarks.federation.fault_outcome import ROUNDING, Outcome, compared, shown
from benchmarks.federation.fault_points import ROOT, Points
from benchmarks.federation.fault_run import FaultyRun, provision, provision_earlier
from benchmarks.federation.little import little_map
from benchmarks.federation.processes import SITES

KEPT = Path(__file__).with_name("fault_runs.jsonl")
_AFTER_STOP_S = 1.0
_SHOWN = 250  # characters of a reason


def faults(repeats=5, only=()):
    """A table of faults and how their runs ended.

    Args:
        repeats: runs of each fault.
        only: faults, in the order to run them; empty: all.
    """
    chosen = list(only or CASES)
    done = load()
    skipped = {name: why for name in chosen if (why := CASES[name].why_not())}
    for name, why in skipped.items():
        print(f"{name}: skipped, {why}", flush=True)
    with TemporaryDirectory() as folder:
        map_file = little_map(Path(folder) / "map")
        runs = [
            name
            for repeat, name in product(range(repeats), chosen)
            if name not in skipped and sum(one.name == name for one in done) <= repeat
        ]
        reference = in_one_process(map_file, Path(folder) / "reference") if runs else None
        for number, name in enumerate(runs):
            print(f"{number + 1} of {len(runs)} runs: {name}", flush=True)
            one = run_case(name, Path(folder) / f"run-{number}", map_file, reference)
            keep(one)
            done.append(one)
            print(f"  {'as it must' if one.good else 'NOT AS IT MUST'}: {one}", flush=True)
    return table(done, skipped)


def load():
    """Runs that have ended, of faults that there are."""
    lines = KEPT.read_text().splitlines() if KEPT.exists() else []
    found = [Outcome(**json.loads(line)) for line in lines]
    return [one for one in found if one.name in CASES]


def keep(one):
    """Add a run to those that have ended."""
    with KEPT.open("a") as file:
        file.write(json.dumps(asdict(one)) + "\n")


def in_one_process(map_file, folder):
    """The run without machines, with which all others are compared."""
    command = [sys.executable, "-m", "deepcity", "run", str(map_file), "--out", str(folder)]
    paths = [str(ROOT / "src"), os.environ.get("PYTHONPATH", "")]
    subprocess.run(
        command,
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
    )
    return folder


def run_case(name, folder, map_file, reference):
    """One run with a fault; nothing of it is left running."""
    case = CASES[name]
    folder.mkdir()
    points = Points(folder / "points", case.points)
    run = FaultyRun(folder / "fed", points)
    make_kits = provision_earlier if case.older_kits else provision
    make_kits(run.folder, map_file, case.host)
    begun = time.monotonic()
    with case.around(run):
        try:
            for kit in (*run.hub, *(run.kit(site) for site in SITES)):
                run.start(kit)
            what = run.watch(lambda number: _make(case, run, number, begun))
            seconds = time.monotonic() - begun
        finally:
            run.stop()
    time.sleep(_AFTER_STOP_S)
    facts = {
        "name": name,
        "ended": bool(what),
        "seconds": seconds,
        "made": [len(points.made()), len(points.points)],
        "leases": run.status().get("leases", 0),
        "orphans": len(run.left()),
    }
    if what == "finished":
        return Outcome(**facts, **compared(run.folder / "run", reference))
    return Outcome(**facts, stopped=what.partition(": ")[2])


def _make(case, run, number, begun):
    where = case.points[number].point
    print(f"  {time.monotonic() - begun:.0f} s: fault {number + 1}, {where}", flush=True)
    case.make(run, number)


def table(done, skipped):
    """The runs as Markdown."""
    lines = [
        "## Between machines: faults in a run",
        "",
        "A hub, a coordinator, two members and a newcomer in processes of their own; trainings "
        "alone, at levels 2 and 6, of the newcomer and on episodes, then every site chooses its "
        "level and writes its forecaster. *In a round*: four faults in one run, in the training at "
        "level 6, each in another round: a site was asked and has not trained; it has trained and "
        "saved, and not answered; the coordinator has fused and not saved; it has saved. "
        "*Afterwards*: four in one run: while the newcomer trains, in episodic training, before a "
        "site chooses its level, and when its forecaster is written and its answer is not.",
        "",
        "*As without*: runs whose chosen levels are those of the same map run in one process, and "
        f"whose errors, in every round and at the end, differ by less than {ROUNDING:g} of them. "
        "*Named*: runs that are not, and name who was left out, or why they stopped. *Lost*: "
        "rounds of a party that no failure names, in that round or the next; *twice*: rounds whose "
        "bytes the ledger holds more than once; *left*: processes a second after all were stopped.",
        "",
        "| fault | ended | as without | named | largest difference | lost | twice | left "
        "| leases | seconds |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    by_name = {name: [one for one in done if one.name == name] for name in CASES}
    lines[4:4] = [_durations(by_name), ""]
    lines += [_row(name, found) for name, found in by_name.items() if found]
    lines += [f"| {name} | not run: {why} |" for name, why in skipped.items()]
    bad = [f"{one.name} (run {n + 1} of all)" for n, one in enumerate(done) if not one.good]
    if bad:
        lines += ["", f"Neither as without nor named, or not whole: {', '.join(bad)}."]
    reasons = [text for name, found in by_name.items() if found for text in _reasons(name, found)]
    if reasons:
        lines += ["", "What was named:", "", *reasons]
    return "\n".join(lines)


def _durations(by_name):
    """How many runs these are, and how long five of each fault take."""
    runs = [one.seconds for found in by_name.values() for one in found]
    mean = statistics.mean(runs) if runs else 0.0
    rest = [name for name, found in by_name.items() if not found]
    return (
        f"{len(runs)} runs of {sum(runs) / 60:.0f} min in all, kept as they ended; five of each of "
        f"the {len(CASES)} faults take about {5 * len(CASES) * mean / 3600:.1f} hours on a machine "
        f"so busy." + (f" Without a run so far: {'; '.join(rest)}." if rest else "")
    )


def _row(name, found):
    same = [one for one in found if one.same]
    named = [one for one in found if not one.same and (one.named or one.stopped)]
    worst = max((one.worst for one in found if one.worst == one.worst), default=None)
    sums = [sum(getattr(one, key) for one in found) for key in ("lost", "twice", "orphans")]
    leases, seconds = (
        statistics.median(getattr(one, key) for one in found) for key in ("leases", "seconds")
    )
    return (
        f"| {name} | {sum(one.ended for one in found)} of {len(found)} | {len(same)} "
        f"| {len(named)} | {'' if worst is None else f'{worst:.1e}'} "
        f"| {' | '.join(map(str, sums))} | {leases:g} | {seconds:.0f} |"
    )


def _reasons(name, found):
    """What runs of a fault named, each once."""
    last = next((one for one in reversed(found) if one.named or one.stopped), None)
    if last is None:
        return []
    texts = [last.stopped] if last.stopped else []
    texts += [text for reasons in last.named.values() for text in reasons]
    return [f"- {name}: {'; '.join(shown(text)[:_SHOWN] for text in texts[:2])}"]
