"""Files without a city file by hand: every column of numbers, cell by cell at its own time.

Shapes: R rows; 2 for a time that clocks showed twice.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import polars as pl

from deepcity.city.arrays import Doubles, Ints
from deepcity.data.draft.rows_of_one_time import slug
from deepcity.data.panel import Panel

TIMES = ("time", "Date", "")


def plain_difference(path: Path, zone: str, written: list[Panel]) -> str:
    """Columns of a file, or of all files of a folder, that no series of the panels is, or more."""
    open_ = [
        (panel, n, f)
        for panel in written
        for f in range(len(panel.fields))
        for n in range(len(panel.places))
    ]
    for file in sorted(path.glob("*.csv.gz")) if path.is_dir() else [path]:
        for column, time_R, values_R in _columns(file, zone):
            name = file.name.split(".")[0] if path.is_dir() else column
            tries = (at for at, one in enumerate(open_) if _is(*one, name, time_R, values_R))
            found = next(tries, None)
            if found is None:
                return f"column {column!r} of {file.name} is no series of the panels"
            del open_[found]
    panel, n, f = open_[0] if open_ else (None, 0, 0)
    return f"{panel.fields[f].name} at {panel.places[n].id} is no column" if panel else ""


def _columns(file: Path, zone: str) -> Iterator[tuple[str, Ints, Doubles]]:
    """Name, times (UTC seconds, as the earlier and the later of two) and numbers of columns."""
    frame = pl.read_csv(file, infer_schema_length=None, null_values=["NA"])
    time = next(name for name in TIMES if name in frame.columns)
    local = frame[time].str.to_datetime()
    time_2R = np.stack(
        [
            local.dt.replace_time_zone(zone, ambiguous=which).dt.epoch("s").to_numpy()
            for which in ("earliest", "latest")
        ]
    )
    for name in frame.columns:
        if name and name != time and frame[name].dtype.is_numeric():
            yield name, time_2R, frame[name].cast(pl.Float64).fill_null(np.nan).to_numpy()


def _is(panel: Panel, n: int, f: int, name: str, time_2R: Ints, values_R: Doubles) -> bool:
    """Whether a series is a column: its name, each of its cells, and no others."""
    if not {slug(panel.places[n].id), panel.fields[f].name} & {slug(name), name[len("level_") :]}:
        return False
    known_R, series_T = np.isfinite(values_R), panel.values_TNF[:, n, f]
    if np.isfinite(series_T).sum() != known_R.sum():
        return False
    at_2R = np.searchsorted(panel.time_T, time_2R[:, known_R])
    if at_2R.max(initial=-1) >= len(panel.time_T):
        return False
    stands_2R = panel.time_T[at_2R] == time_2R[:, known_R]
    same_2R = series_T[at_2R] == values_R[known_R].astype(np.float32)
    return bool((stands_2R & same_2R).any(axis=0).all())
