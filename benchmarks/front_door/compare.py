"""Whether what `deepcity init` wrote reads a file as it is read by hand.

Shapes: T steps.
"""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from benchmarks.front_door.files import CITIES, PLAIN, Tried
from deepcity.city.errors import DeepCityError
from deepcity.city.units import convert
from deepcity.data.city_file import CityFile, check_raw, load_city, load_panel
from deepcity.data.panel import Panel

MOST_MORE = 0.06  # share of steps known beyond those by hand: closed days, implausible values


def panels_of(city_file: CityFile) -> dict[str, Panel]:
    """Every agency's panel."""
    return {one.name: load_panel(city_file, one.name) for one in city_file.city.agencies}


def difference(tried: Tried, city: Path) -> str:
    """What differs from the right reading; empty where nothing does."""
    written = panels_of(load_city(city))
    if tried.right == PLAIN:
        return _from_columns(tried.path, written)
    right = _by_hand(tried) if tried.right is None else [(_panel(tried), "")]
    if not right:
        return "no city file by hand reads it"
    skipped = _of_texts()
    for panel, agency in right:
        for f, field in enumerate(panel.fields):
            if field.name in skipped:
                continue
            for n, place in enumerate(panel.places):
                if not _found(panel, f, n, written):
                    return f"{agency} {field.name} at {place.id}"
        if not any(len(one.places) >= len(panel.places) for one in written.values()):
            return f"{len(panel.places)} places by hand"
    return ""


def _panel(tried: Tried) -> Panel:
    """A case as its right reading gives it."""
    right = tried.right
    folder = tried.path.parent
    form = {".csv": "csv", ".parquet": "parquet", ".xlsx": "excel", "": "csv"}[tried.path.suffix]
    source = {"name": "s", "format": form, "path": tried.path.name} | right["source"]
    level = {"name": "x", "kind": "level", "unit": "1", "source": "s"}
    names = {"en": "x", "ko": "x"}
    daily = "daily" in tried.path.name or "firsttwelve" in tried.path.name
    raw: dict[str, Any] = {
        "name": "x",
        "title": names,
        "clock": {"time_zone": tried.zone, "step": "1d" if daily else "1h"},
        "source": [source],
        "agency": [
            {
                "name": "x",
                "title": names,
                "domain": "life",
                "fields": [level | one for one in right["fields"]],
                "places": right["places"],
            }
        ],
    }
    city_file, problems = check_raw(raw, folder / "x.toml")
    if city_file is None:
        raise ValueError(problems)
    return load_panel(city_file, "x")


def _by_hand(tried: Tried) -> list[tuple[Panel, str]]:
    """Agencies of city files that read this file, of its own rows alone."""
    found = []
    for path in sorted(CITIES.glob("*.toml")):
        city_file = load_city(path)
        mine = {
            name
            for name, one in city_file.sources.items()
            if isinstance(getattr(one, "path", None), str)
            and Path(one.path).name == tried.path.name  # type: ignore[attr-defined]
        }
        for agency in city_file.settings.agency:
            if mine and all(field.source in mine for field in agency.fields):
                found.append((load_panel(city_file, agency.name), agency.name))
    return found


def _of_texts() -> set[str]:
    """Fields that city files by hand make of texts, e.g. of the wind's direction."""
    return {
        field.name
        for path in CITIES.glob("*.toml")
        for agency in load_city(path).settings.agency
        for field in agency.fields
        if field.codes
    }


def _found(right: Panel, f: int, n: int, written: dict[str, Panel]) -> bool:
    """Whether a series stands in one of the panels, in its unit or as the number it is."""
    wanted_T = right.values_TNF[:, n, f].astype(float)
    for panel in written.values():
        if panel.clock.step != right.clock.step:
            continue
        _, at_T, of_T = np.intersect1d(right.time_T, panel.time_T, return_indices=True)
        left_T = np.setdiff1d(np.arange(len(wanted_T)), at_T)
        if np.isfinite(wanted_T[left_T]).any():
            continue
        for g, field in enumerate(panel.fields):
            known = field.unit not in ("1", "count")
            for m in range(len(panel.places)):
                values_T = panel.values_TNF[of_T, m, g].astype(float)
                if known:
                    try:
                        values_T = np.asarray(convert(values_T, field.unit, right.fields[f].unit))
                    except (DeepCityError, ValueError):
                        continue
                if _same(wanted_T[at_T], values_T, exactly=known):
                    return True
    return False


def _same(wanted_T: Any, values_T: Any, *, exactly: bool) -> bool:
    known_T = np.isfinite(wanted_T)
    if not known_T.any() or not np.isfinite(values_T[known_T]).all():
        return False
    more = np.isfinite(values_T[~known_T]).sum()
    if more > MOST_MORE * len(wanted_T):
        return False
    one, other = wanted_T[known_T], values_T[known_T]
    if not exactly and other.std() > 0:  # a number without a unit: up to the unit
        scale, offset = np.polyfit(other, one, 1)
        other = scale * other + offset
    size = max(np.abs(one).max(), 1e-9)
    return bool(np.abs(one - other).max() <= 2e-5 * size)


def _from_columns(path: Path, written: dict[str, Panel]) -> str:
    """Cells of numbers of a file, or of all files of a folder, against those of the panels."""
    files = sorted(path.glob("*.csv.gz")) if path.is_dir() else [path]
    cells, total, times = 0, 0.0, 0
    for file in files:
        frame = pl.read_csv(file, infer_schema_length=None, null_values=["NA"])
        named = [name for name in frame.columns[1:] if name.strip() and name != "time"]
        numbers = frame.select(named).select(pl.selectors.numeric())
        times = max(times, frame.height)
        cells += int(numbers.count().sum_horizontal()[0])
        total += float(numbers.sum().sum_horizontal()[0])
    seen = sum(int(np.isfinite(one.values_TNF).sum()) for one in written.values())
    added = sum(float(np.nansum(one.values_TNF.astype(float))) for one in written.values())
    steps = max(len(one.time_T) for one in written.values())
    if steps < times / len(files):
        return f"{steps} steps of {times} rows"
    if abs(seen - cells) > 0.002 * cells or abs(added - total) > 0.01 * abs(total):
        return f"{seen:,} of {cells:,} cells, total {added:,.6g} of {total:,.6g}"
    return ""
