"""Long tables, a row a time and place: read some rows at a time, brought to the clock's step.

Rows no coarser than the clock's step are merged here, block by block of time, so that a file
larger than memory needs little more than its panel.

Shapes: R rows, T times, N places, F fields of this source.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from deepcity.city.clock import Clock
from deepcity.city.field import Resample
from deepcity.data.batches import Origin, absorb, needed_columns, see_columns, sheets
from deepcity.data.findings import Notebook
from deepcity.data.own_step import (
    Records,
    kept_rows,
    rule_of,
    see_enough,
    see_off_step,
    see_span,
)
from deepcity.data.resample import Grid, grid_over, rows_onto_grid
from deepcity.data.settings import FieldSettings, PlaceSettings
from deepcity.data.settle import settle_wall_times
from deepcity.data.sheet import Sheet
from deepcity.data.spool import Rows, Spool, compact
from deepcity.data.time_settings import Stamp, TimeSettings
from deepcity.data.times import raw_times
from deepcity.data.toml_file import did_you_mean
from deepcity.data.values import read_values

Seconds = NDArray[np.int64]
Values = NDArray[np.float64]


@dataclass(frozen=True)
class _Settled:
    """Rows of which each has a time and place of its own; `time_R` in UTC seconds, rising."""

    time_R: Seconds
    place_R: Seconds
    values_RF: Values

    def __len__(self) -> int:
        return len(self.time_R)

    def take(self, keep: NDArray[np.bool_]) -> "_Settled":
        return _Settled(self.time_R[keep], self.place_R[keep], self.values_RF[keep])


def read_long(
    origin: Origin,
    *,
    fields: Sequence[FieldSettings],
    places: Sequence[PlaceSettings],
    clock: Clock,
    book: Notebook,
) -> Records | None:
    """A long table's values of some fields and places, or None where problems were found.

    Raises:
        ReadError: if the rows cannot be read.
    """
    needed = needed_columns(origin, fields)
    if not see_columns(origin, needed, book):
        return None
    number = {place.key: n for n, place in enumerate(places)}
    before = len(book.problems)
    with Spool() as spool:
        wall = _fill(spool, origin, list(needed), number, fields, book)
        if len(book.problems) > before:
            return None
        empty = np.empty(0, dtype=np.int64)
        sheet = Sheet(pl.DataFrame(), empty, empty, origin.source, origin.time, origin.zone, book)
        first, last = spool.span
        if not see_enough((first <= last) + (first < last), book):
            return None
        step_s = _step_s(spool, origin.time)
        settled = (_settled(rows, sheet, wall=wall) for rows in spool.blocks())
        rules = [rule_of(field, origin.source) for field in fields]
        records = _records(settled, sheet, step_s, rules, len(places), clock)
    if records is None and len(book.problems) == before:
        see_enough(0, book)
    return None if len(book.problems) > before else records


def _fill(
    spool: Spool,
    origin: Origin,
    columns: Sequence[str],
    number: dict[str, int],
    fields: Sequence[FieldSettings],
    book: Notebook,
) -> bool:
    """Read all rows of the wanted places; whether their times are those of a wall clock."""
    seen: set[str] = set()
    wall, before = False, len(book.problems)
    for sheet in sheets(origin, columns, book):
        names = sheet.frame[origin.source.place or ""].cast(pl.String).str.strip_chars()
        seen.update(name for name in names.unique().to_list() if name is not None)
        found = _compact(sheet, names, number, fields)
        if found is not None:
            wall = found[1]
            spool.add(found[0])
    for name in [name for name in number if name not in seen and len(book.problems) == before]:
        book.problem("places", name, "no row is of this place", did_you_mean(name, sorted(seen)))
    return wall


def _compact(
    sheet: Sheet, names: pl.Series, number: dict[str, int], fields: Sequence[FieldSettings]
) -> tuple[Rows, bool] | None:
    """A sheet's rows of the wanted places; other places' are no fault."""
    placed = names.replace_strict(number, default=-1, return_dtype=pl.Int64)
    place_R = placed.fill_null(-1).to_numpy()
    others = int((place_R < 0).sum())
    if others:
        sheet.book.note("other-places", "rows", others, f"{others:,} rows of other places left out")
    sheet = replace(sheet, place_R=place_R).keep(place_R >= 0)
    if not len(sheet.rows_R):
        return None
    raw = raw_times(sheet)
    values_RF = np.full((len(sheet.rows_R), len(fields)), np.nan)
    for f, field in enumerate(fields):
        values_RF[:, f] = read_values(sheet, field.column or field.name, field)
    if raw is None:
        return None
    return compact(raw.seconds_R, sheet.place_R, sheet.rows_R, values_RF), raw.wall


def _settled(rows: Rows, sheet: Sheet, *, wall: bool) -> _Settled:
    """Rows in UTC, each time and place once; none of them where that is a problem."""
    own = Notebook(sheet.book.file)
    sheet_ = replace(sheet, rows_R=rows["row"], place_R=rows["place"], book=own)
    utc_R = settle_wall_times(rows["time"], sheet_) if wall else rows["time"]
    values_RF = rows["values"].copy()
    kept = np.empty(0, dtype=np.intp) if utc_R is None else kept_rows(utc_R, values_RF, sheet_)
    utc_R = rows["time"] if utc_R is None else utc_R
    absorb(sheet.book, own)
    order = kept[np.argsort(utc_R[kept], kind="stable")]
    return _Settled(utc_R[order], rows["place"][order], values_RF[order])


def _step_s(spool: Spool, time: TimeSettings) -> int:
    """The stated step, or the most frequent time between two rows of a place."""
    if time.step is not None:
        return int(time.step.total_seconds())
    counts: Counter[int] = Counter()
    for rows in spool.blocks():
        gaps, times = np.unique(_gaps(rows), return_counts=True)
        counts.update(dict(zip(gaps.tolist(), times.tolist(), strict=True)))
    if not counts:  # no day has two rows
        return spool.span[1] - spool.span[0]
    return max(counts, key=lambda gap: (counts[gap], -gap))


def _gaps(rows: Rows) -> Seconds:
    """Time between rows of one place, or between all where no place has two."""
    order = np.lexsort((rows["time"], rows["place"]))
    gaps_S: Seconds = np.diff(rows["time"][order])
    own: Seconds = gaps_S[(np.diff(rows["place"][order]) == 0) & (gaps_S > 0)]
    if len(own):
        return own
    times_S: Seconds = np.unique(rows["time"])
    return times_S[1:] - times_S[:-1]


def _records(
    blocks: Iterator[_Settled],
    sheet: Sheet,
    step_s: int,
    rules: Sequence[Resample],
    places: int,
    clock: Clock,
) -> Records | None:
    """All blocks brought to the clock's step, or left on their own where that is coarser."""
    merged: list[tuple[Seconds, Values]] = []
    times, left = 0, None
    for rows in blocks:
        if not len(rows):
            continue
        times += len(np.unique(rows.time_R))
        _see_steps(rows, step_s, clock, sheet)
        known = _joined(left, _stamped(rows, step_s, sheet))
        cut_s = _last_step_s(known, step_s, clock)
        left, whole = known.take(known.time_R >= cut_s), known.take(known.time_R < cut_s)
        merged += [_merge(whole, step_s, rules, places, clock)] if len(whole) else []
    if left is None:
        return None
    merged.append(_merge(left, step_s, rules, places, clock))
    time_T = np.concatenate([time for time, _ in merged])
    see_span(int(time_T[0]), int(time_T[-1]), times, step_s, sheet.book)
    values_TNF = np.concatenate([values for _, values in merged])
    return Records(time_T, step_s, values_TNF, max(step_s, clock.step_s))


def _see_steps(rows: _Settled, step_s: int, clock: Clock, sheet: Sheet) -> None:
    own = Notebook(sheet.book.file)
    see_off_step(np.unique(rows.time_R), step_s, clock, own)
    absorb(sheet.book, own)


def _stamped(rows: _Settled, step_s: int, sheet: Sheet) -> _Settled:
    """Times at the start of each row's interval."""
    early_s = step_s if sheet.time.stamp is Stamp.END else 0
    return replace(rows, time_R=rows.time_R - early_s)


def _joined(left: _Settled | None, rows: _Settled) -> _Settled:
    if left is None:
        return rows
    return _Settled(
        np.concatenate([left.time_R, rows.time_R]),
        np.concatenate([left.place_R, rows.place_R]),
        np.concatenate([left.values_RF, rows.values_RF]),
    )


def _last_step_s(rows: _Settled, step_s: int, clock: Clock) -> int:
    """Where the last step of these rows begins: the next block may hold more of it."""
    return int((rows.time_R if step_s > clock.step_s else _grid(rows, clock).time_T)[-1])


def _grid(rows: _Settled, clock: Clock) -> Grid:
    return grid_over(clock, int(rows.time_R[0]), int(rows.time_R[-1]) + 1)


def _merge(
    rows: _Settled, step_s: int, rules: Sequence[Resample], places: int, clock: Clock
) -> tuple[Seconds, Values]:
    """Times and values (T, N, F) on the clock's step, or on the rows' own if that is coarser."""
    if step_s > clock.step_s:
        time_T, at_R = np.unique(rows.time_R, return_inverse=True)
        values_TNF = np.full((len(time_T), places, len(rules)), np.nan)
        values_TNF[at_R, rows.place_R] = rows.values_RF
        return time_T, values_TNF
    grid = _grid(rows, clock)
    expected = clock.step_s // step_s
    return grid.time_T, rows_onto_grid(
        rows.time_R, rows.place_R, rows.values_RF, places, expected, rules, grid
    )
