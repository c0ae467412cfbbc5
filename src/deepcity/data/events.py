"""Events, one per row: counted by step, place and field.

Within the recorded span a step without events counts 0; outside it, values are missing. With
steps of a day, an event counts for its local date, whatever daylight saving does.

Shapes: R rows, T steps, N places, F fields, K distinct (step, place).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.city.clock import DAY_S, Clock
from deepcity.city.field import Resample
from deepcity.data.batches import Origin, needed_columns, see_columns, sheets
from deepcity.data.cells import GridSettings, number_cells
from deepcity.data.duration import duration_text
from deepcity.data.findings import Notebook
from deepcity.data.numbers import read_numbers
from deepcity.data.own_step import SPARSEST, Records, see_enough
from deepcity.data.settings import FieldSettings, PlaceSettings
from deepcity.data.settle import NO_TIME, wall_text
from deepcity.data.sheet import Sheet
from deepcity.data.times import utc_times
from deepcity.data.values import read_values, rows_of
from deepcity.data.wall_time import moments, standard_offset_s

UNLIKELY = 30.0  # a gap is reported if independent events leave it with probability < e^-30


class Tally:
    """Sparse sums by step and place."""

    def __init__(self, places: int, fields: int) -> None:
        self._places = places
        self._keys_K = np.empty(0, dtype=np.int64)
        self._sums_KF = np.empty((0, fields))

    def add(self, step_R: Ints, place_R: Ints, weight_RF: Doubles) -> None:
        """Add rows, each with its step (which may be negative) and place."""
        rows = np.concatenate([self._keys_K, step_R * self._places + place_R])
        keys_K, where = np.unique(rows, return_inverse=True)
        sums_KF = np.zeros((len(keys_K), weight_RF.shape[1]))
        np.add.at(sums_KF, where, np.concatenate([self._sums_KF, weight_RF]))
        self._keys_K, self._sums_KF = keys_K, sums_KF

    def over(self, first: int, last: int) -> Doubles:
        """Sums of the steps first..last (inclusive), (T, N, F); all rows must lie within them."""
        steps = last - first + 1
        sums_TNF = np.zeros((steps, self._places, self._sums_KF.shape[1]))
        step_K, place_K = np.divmod(self._keys_K, self._places)
        sums_TNF[step_K - first, place_K] = self._sums_KF
        return sums_TNF


class Steps:
    """Numbers the steps of a clock from 1970 and finds the step of each time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._standard_s: int | None = None
        self._dated = clock.step_s % DAY_S == 0

    def step(self, utc_R: Ints) -> Ints:
        """The step of each time; the zone's standard offset at the first one is used for all."""
        if self._standard_s is None and len(utc_R):
            self._standard_s = standard_offset_s(self.clock.time_zone, int(utc_R.min()))
        if self._dated:
            return self.clock.local_seconds(utc_R) // self.clock.step_s
        return (utc_R + (self._standard_s or 0)) // self.clock.step_s

    def starts(self, first: int, last: int) -> Ints:
        """UTC seconds at which the steps first..last begin, in standard time."""
        steps_T = np.arange(first, last + 1, dtype=np.int64)
        return steps_T * self.clock.step_s - (self._standard_s or 0)


@dataclass(frozen=True)
class _Kinds:
    """Which fields are counted, at which places, and on which clock."""

    fields: Sequence[FieldSettings]
    number: dict[str, int]
    grid: GridSettings | None
    clock: Clock


def read_events(
    origin: Origin,
    *,
    fields: Sequence[FieldSettings],
    places: Sequence[PlaceSettings],
    grid: GridSettings | None,
    clock: Clock,
    book: Notebook,
) -> Records | None:
    """Counts (or sums) of events by step, place and field; None where problems were found.

    Raises:
        ReadError: if the rows cannot be read.
    """
    _see_amounts(fields, book)
    needed = needed_columns(origin, fields)
    if see_columns(origin, needed, book) or book.problems:
        return None
    kinds = _Kinds(fields, {place.key: n for n, place in enumerate(places)}, grid, clock)
    tally, steps = Tally(len(places), len(fields)), Steps(clock)
    busy = np.empty(0, dtype=np.int64)
    for sheet in sheets(origin, list(needed), book):
        utc_R = utc_times(sheet)
        if utc_R is not None:
            busy = np.union1d(busy, _add(tally, sheet, utc_R, steps, kinds))
    if book.problems:
        return None
    first, last = _recorded(origin, steps, busy, book)
    if book.problems:
        return None
    _see_silence(busy, last - first + 1, steps, clock, book)
    starts_T = steps.starts(first, last)
    values_TNF = tally.over(first, last)
    return Records(starts_T, clock.step_s, values_TNF, clock.step_s, len(starts_T))


def _see_amounts(fields: Sequence[FieldSettings], book: Notebook) -> None:
    for field in fields:
        if field.kind.resample is not Resample.SUM:
            reason = "events are summed, and this kind is not additive"
            right = "choose kind = 'count', or another additive kind (energy, rain)"
            book.problem(f"{field.name}.kind", field.kind.value, reason, right)


def _add(tally: Tally, sheet: Sheet, utc_R: Ints, steps: Steps, kinds: _Kinds) -> Ints:
    """Count a batch; returns the steps of all its events, of any field and place."""
    inside_R = _inside(sheet, utc_R, kinds.clock)
    step_R = np.zeros(len(utc_R), dtype=np.int64)
    step_R[inside_R] = steps.step(utc_R[inside_R])
    place_R = _place(sheet, kinds)
    lost = int((inside_R & (place_R < 0)).sum())
    if lost:
        text = f"{lost:,} events left out: without a place, or outside the agency's places"
        sheet.book.note("other-places", "rows", lost, text)
    weight_RF = np.stack([_weight(sheet, field) for field in kinds.fields], axis=1)
    counted_R = inside_R & (place_R >= 0) & (weight_RF != 0).any(axis=1)
    tally.add(step_R[counted_R], place_R[counted_R], weight_RF[counted_R])
    return np.unique(step_R[inside_R])


def _inside(sheet: Sheet, utc_R: Ints, clock: Clock) -> Bools:
    """Events that have a time and lie within `recorded`, if that is stated."""
    known_R: Bools = utc_R != NO_TIME
    days = sheet.source.recorded
    if days is None:
        return known_R
    start_s, end_s = _midnight_s(days[0], clock), _midnight_s(days[1] + timedelta(days=1), clock)
    inside_R: Bools = known_R & (utc_R >= start_s) & (utc_R < end_s)
    left = int((known_R & ~inside_R).sum())
    if left:
        text = f"{left:,} events before {days[0]} or after {days[1]} left out"
        sheet.book.note("not-recorded", "time", left, text)
    return inside_R


def _place(sheet: Sheet, kinds: _Kinds) -> Ints:
    """Number of each event's place, -1 where it is none of the agency's."""
    source = sheet.source
    if source.place is not None:
        names = sheet.frame[source.place].cast(pl.String).str.strip_chars()
        placed = names.replace_strict(kinds.number, default=-1, return_dtype=pl.Int64)
        return placed.fill_null(-1).to_numpy()
    assert kinds.grid is not None
    lat_R, lon_R = positions(sheet)
    return number_cells(kinds.grid, kinds.number, lat_R, lon_R)


def positions(sheet: Sheet) -> tuple[Doubles, Doubles]:
    """Latitude and longitude of each event, NaN where missing; other text is a problem."""
    degrees = []
    for name in (sheet.source.lat or "", sheet.source.lon or ""):
        found = read_numbers(sheet.frame[name], sheet.source.missing, sheet.source.decimal)
        if len(found.bad):
            reason = f"not a number ({sheet.rows_text(found.bad)})"
            right = "correct these cells, or add the text to missing = [...] if it means unknown"
            sheet.book.problem(name, str(sheet.frame[name][int(found.bad[0])]), reason, right)
        degrees.append(found.values_R)
    return degrees[0], degrees[1]


def _weight(sheet: Sheet, field: FieldSettings) -> Doubles:
    """What each event adds to a field: 1, or its column's value; 0 if `where` does not match."""
    if field.column is None:
        return rows_of(sheet, field).astype(np.float64)
    return np.nan_to_num(read_values(sheet, field.column, field))


def _recorded(origin: Origin, steps: Steps, busy: Ints, book: Notebook) -> tuple[int, int]:
    """First and last recorded step: by `recorded`, else those of the first and last event."""
    days = origin.source.recorded
    if days is not None:
        start_s = _midnight_s(days[0], steps.clock)
        end_s = _midnight_s(days[1] + timedelta(days=1), steps.clock)
        first, last = steps.step(np.array([start_s, end_s - 1])).tolist()
        return first, last
    if not see_enough(len(busy), book):
        return 0, 0
    first, last = int(busy[0]), int(busy[-1])
    if last - first > SPARSEST * len(busy):
        span = " .. ".join(wall_text(time) for time in steps.starts(first, last)[[0, -1]])
        reason = f"only {len(busy):,} of {last - first + 1:,} steps have events"
        right = "look for a mistyped year, or state recorded = [first day, last day]"
        book.problem("time", f"{span} UTC", reason, right)
    return first, last


def _midnight_s(day: date, clock: Clock) -> int:
    """UTC seconds at which a local day begins."""
    wall_s = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return int(moments(np.array([wall_s]), clock.time_zone).earlier_R[0])


def _see_silence(busy: Ints, total: int, steps: Steps, clock: Clock, book: Notebook) -> None:
    """Warn of a stretch without events that is too long to be chance: rows may be missing."""
    if len(busy) < 2:
        return
    gaps = np.diff(busy) - 1
    longest = int(gaps.argmax())
    rate = -np.log1p(-min(len(busy) / total, 1 - 1 / (total + 1)))
    if gaps[longest] * rate > UNLIKELY:
        since = wall_text(
            clock.local_seconds(steps.starts(busy[longest] + 1, busy[longest] + 1))[0]
        )
        span = duration_text(int(gaps[longest]) * clock.step_s)
        text = f"no event for {span} from {since}: counted as 0, but rows may be missing"
        book.warn("silence", "time", int(gaps[longest]), text)
