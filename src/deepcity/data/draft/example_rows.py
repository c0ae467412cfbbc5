"""Rows of records as they are, and as they are read: what shows at a glance whether it is right."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from deepcity.data.config.time_settings import TimeSettings
from deepcity.data.config.toml_file import Raw
from deepcity.data.panel import Panel
from deepcity.data.timestamps.dst import moment_text
from deepcity.data.timestamps.formats import NUMBERS, joined_times, parse_with_late

ROWS, CELLS = 3, 6


@dataclass(frozen=True)
class ExampleRow:
    """One row.

    Attributes:
        cells: header -> cell, as the file has it; the first few.
        time: on the city's clock, with its zone.
        value: what is read of it, with its unit; "missing" where nothing is.
    """

    cells: Mapping[str, str]
    time: str
    place: str
    field: str
    value: str


def example_rows(
    frame: pl.DataFrame, source: Raw, agency: Raw, panels: Mapping[str, Panel]
) -> list[ExampleRow]:
    """The first rows, before and after."""
    panel = panels[agency["name"]]
    return [
        row
        for index in range(min(ROWS, frame.height))
        if (row := _row(frame, source, agency, panel, index)) is not None
    ]


def _row(
    frame: pl.DataFrame, source: Raw, agency: Raw, panel: Panel, index: int
) -> ExampleRow | None:
    names = [place.id for place in panel.places]
    column = source.get("place")
    raw_place = str(frame[column][index]).strip() if column in frame.columns else names[0]
    place = raw_place if raw_place in names else names[0]
    step = _step_of(frame, source, panel, index)
    value = panel.values_TNF[step, names.index(place), 0]
    number = f"{float(value):,.6g} {panel.fields[0].unit}" if np.isfinite(value) else "missing"
    keys = _shown(frame, source, agency)
    cells = {name: str(frame[name][index]) for name in keys}
    time = moment_text(panel.time_T[step], panel.clock.time_zone)
    return ExampleRow(cells, time, place, panel.fields[0].name, number)


def _shown(frame: pl.DataFrame, source: Raw, agency: Raw) -> list[str]:
    time = source["time"]
    keys = [*time.get("columns", [time.get("column")]), source.get("place")]
    value = [one.get("column") for one in agency["fields"]]
    found = [name for name in (*keys, *value) if name in frame.columns]
    return list(dict.fromkeys([*found, *frame.columns]))[:CELLS]


def _step_of(frame: pl.DataFrame, source: Raw, panel: Panel, index: int) -> int:
    """The step that a row is in; that of its number where its time alone does not tell."""
    settings = TimeSettings.model_validate(source["time"])
    if not settings.names:
        return index
    times = joined_times(frame.head(ROWS), settings)
    pattern = settings.format
    if times.dtype == pl.String and pattern is not None and pattern not in NUMBERS:
        times = parse_with_late(times, pattern)[0]
    if times.dtype != pl.Datetime or times[index] is None or settings.stamp != "start":
        return min(index, len(panel.time_T) - 1)
    aware = times.dtype.time_zone is not None  # type: ignore[attr-defined]
    wanted = times.dt.epoch("s")[index]
    known = panel.time_T if aware or settings.zone else panel.clock.local_seconds(panel.time_T)
    return int(np.clip(np.searchsorted(known, wanted, side="right") - 1, 0, len(known) - 1))
