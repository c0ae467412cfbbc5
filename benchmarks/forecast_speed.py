"""How long a forecast takes: one call for 100,000 places, and the start of `deepcity forecast`.

    python -m benchmarks.forecast_speed [--places 100000] [--run FOLDER]

The 100,000 places are one party's: a forecaster that was trained on a few places is stretched to
all of them (weights, scales and rows repeat), because what is timed is the forecast, not training.
Loading means the records in memory, inputs fitted to them, weights and bands up to the newest row
(`Forecaster.prepare`); then one call of `predict` with its table is timed. With `--run`, the whole
command `deepcity forecast FOLDER` of a finished run is timed as a process of its own.
"""

import argparse
import resource
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from benchmarks.peak_memory import peak_mb
from deepcity import Forecaster, Panel
from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.forecasting.table import PartyForecasts, forecast_table
from deepcity.learning.ensemble.bernstein import BOAState
from deepcity.learning.experts.expert import Arrays
from deepcity.runs.update.forecaster_bundle import BundleStore, ForecasterBundle, RowsChecksum

TRAINED, DAYS, HORIZON = 20, 21, 12
MIDNIGHT = 1_699_920_000
SETTINGS = {
    "horizon": HORIZON,
    "history": 12,
    "days": 3,
    "training": {"rounds": 2, "local_steps": 20},
    "span": {"validation_days": 3, "test_days": 2},
}


def main() -> None:
    """Print the times."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--places", type=int, default=100_000)
    words.add_argument("--run", type=Path, help="folder of a finished run")
    asked = words.parse_args()
    if asked.run is not None:
        whole_command(asked.run)
        return
    one_call(asked.places)


def one_call(places: int) -> None:
    """Time `predict` for so many places."""
    few = panel_of(TRAINED)
    trained = Forecaster(**SETTINGS).fit(few)
    with TemporaryDirectory() as name:
        trained.save(Path(name))
        bundle = BundleStore.of(Path(name)).load("forecast", "own/panel")
        assert bundle is not None
        many = panel_of(places)
        BundleStore.of(Path(name) / "many").save(stretched(bundle, many))
        forecaster = Forecaster.load(Path(name) / "many", "forecast", "own/panel")
    begun = time.perf_counter()
    forecaster.prepare(many)
    print(f"prepare: {time.perf_counter() - begun:.1f} s, {peak_mb() / 1000:.1f} GB at most")
    taken, processor = [], []
    for _ in range(5):
        begun, used = time.perf_counter(), time.process_time()
        found = forecaster.predict(many)
        taken.append(time.perf_counter() - begun)
        processor.append(time.process_time() - used)
    shape = " x ".join(map(str, found.forecast_BNH.shape[1:]))
    print(f"predict, {shape}: {min(taken):.2f} s, {min(processor):.2f} s of the processor")
    begun = time.perf_counter()
    rows = len(forecast_table([PartyForecasts("forecast", "own/panel", found)]))
    print(f"its table, {rows:,} rows: {time.perf_counter() - begun:.2f} s")


def whole_command(folder: Path) -> None:
    """Time `deepcity forecast` of a run as a process of its own, three times."""
    for _ in range(3):
        begun, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        command = [sys.executable, "-m", "deepcity", "forecast", str(folder)]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        places = len({tuple(row.split(",")[1:3]) for row in done.stdout.splitlines()[1:]})
        taken = time.perf_counter() - begun
        print(f"deepcity forecast, {places} places: {taken:.1f} s, {used:.1f} s of the processor")


def panel_of(places: int) -> Panel:
    """Hourly flows of so many places; those of a few repeat."""
    hours = np.arange(DAYS * 24)
    law_TN = 10 + 3 * np.sin(2 * np.pi * (hours[:, None] + np.arange(TRAINED)) / 24)
    law_TN = law_TN + np.random.default_rng(0).normal(size=law_TN.shape)
    values_TN = np.tile(law_TN.astype(np.float32), (1, -(-places // TRAINED)))[:, :places]
    clock = Clock("UTC", timedelta(hours=1))
    named = tuple(Place(f"p{number}") for number in range(places))
    fields = (Field("flow", Kind.FLOW, "L/s"),)
    return Panel(clock, MIDNIGHT + hours * 3600, named, fields, values_TN[..., None])


def stretched(bundle: ForecasterBundle, panel: Panel) -> ForecasterBundle:
    """The forecaster of a few places for many."""
    names = tuple(place.id for place in panel.places)
    times, first, step_s = bundle.times, int(panel.time_T[0]), panel.clock.step_s
    old = slice((times.train_from - first) // step_s, (times.aside_to - first) // step_s)
    kept, rows = bundle.ensemble, np.arange(len(names)) % TRAINED
    wider = BOAState.together([kept.whole, kept.place.groups(rows), kept.part])
    return replace(
        bundle,
        identity=bundle.identity.model_copy(update={"places": names}),
        experts=tuple(replace(one, arrays=_wider(one.arrays, rows)) for one in bundle.experts),
        ensemble=replace(kept, experts=wider),
        old_rows=RowsChecksum.of(panel.values_TNF[old, :, 0]),
    )


def _wider(arrays: Arrays, rows: np.ndarray) -> Arrays:
    return {name: part[rows] if name == "scale_N1" else part for name, part in arrays.items()}


if __name__ == "__main__":
    main()
