"""Events, a row something that happened: counted by step, place and kind of event.

A step of the recorded span in which nothing happened counts none; outside the span nothing
is known. With steps of a day an event counts for the date on the wall, whatever clocks did.

Shapes: R rows, T steps, N places, F fields, K distinct (step, place).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

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

Seconds = NDArray[np.int64]
UNLIKELY = 30.0  # e^-30: so long a silence is no chance, if events come independently


class Tally:
    """Sums by step and place, kept only where something happened."""

    def __init__(self, places: int, fields: int) -> None:
        self._places = places
        self._keys_K = np.empty(0, dtype=np.int64)
        self._sums_KF = np.empty((0, fields))

    def add(self, step_R: Seconds, place_R: Seconds, weight_RF: NDArray[np.float64]) -> None:
        """Add rows, each of a step (of any sign) and a place."""
        rows = np.concatenate([self._keys_K, step_R * self._places + place_R])
        keys_K, where = np.unique(rows, return_inverse=True)
        sums_KF = np.zeros((len(keys_K), weight_RF.shape[1]))
        np.add.at(sums_KF, where, np.concatenate([self._sums_KF, weight_RF]))
        self._keys_K, self._sums_KF = keys_K, sums_KF

    def over(self, first: int, last: int) -> NDArray[np.float64]:
        """Sums of the steps first..last, both in, (T, N, F); nothing outside was added."""
        steps = last - first + 1
        sums_TNF = np.zeros((steps, self._places, self._sums_KF.shape[1]))
        step_K, place_K = np.divmod(self._keys_K, self._places)
        sums_TNF[step_K - first, place_K] = self._sums_KF
        return sums_TNF


class Steps:
    """Which step an event falls in, counted from 1970."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._standard_s: int | None = None
        self._dated = clock.step_s % DAY_S == 0

    def step(self, utc_R: Seconds) -> Seconds:
        """The step of each time; the zone's standard time at the first one settles the rest."""
        if self._standard_s is None and len(utc_R):
            self._standard_s = standard_offset_s(self.clock.time_zone, int(utc_R.min()))
        if self._dated:
            return self.clock.local_seconds(utc_R) // self.clock.step_s
        return (utc_R + (self._standard_s or 0)) // self.clock.step_s

    def starts(self, first: int, last: int) -> Seconds:
        """UTC seconds at which the steps first..last begin, by standard time."""
        steps_T = np.arange(first, last + 1, dtype=np.int64)
        return steps_T * self.clock.step_s - (self._standard_s or 0)


@dataclass(frozen=True)
class _Kinds:
    """What is counted, where, and by which clock."""

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
    """How many events of each field's kind fell in each step and place; None with problems.

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
            right = "choose kind = 'count', or a kind that adds up"
            book.problem(f"{field.name}.kind", field.kind.value, "events add up", right)


def _add(tally: Tally, sheet: Sheet, utc_R: Seconds, steps: Steps, kinds: _Kinds) -> Seconds:
    """Count a batch; the steps of all its events, of whatever kind and place."""
    inside_R = _inside(sheet, utc_R, kinds.clock)
    step_R = np.zeros(len(utc_R), dtype=np.int64)
    step_R[inside_R] = steps.step(utc_R[inside_R])
    place_R = _place(sheet, kinds)
    lost = int((inside_R & (place_R < 0)).sum())
    if lost:
        text = f"{lost:,} events left out: without a place, or of a place that is not among these"
        sheet.book.note("other-places", "rows", lost, text)
    weight_RF = np.stack([_weight(sheet, field) for field in kinds.fields], axis=1)
    counted_R = inside_R & (place_R >= 0) & (weight_RF != 0).any(axis=1)
    tally.add(step_R[counted_R], place_R[counted_R], weight_RF[counted_R])
    return np.unique(step_R[inside_R])


def _inside(sheet: Sheet, utc_R: Seconds, clock: Clock) -> NDArray[np.bool_]:
    """Events with a time, within the recorded days where these are stated."""
    known_R: NDArray[np.bool_] = utc_R != NO_TIME
    days = sheet.source.recorded
    if days is None:
        return known_R
    start_s, end_s = _midnight_s(days[0], clock), _midnight_s(days[1] + timedelta(days=1), clock)
    inside_R: NDArray[np.bool_] = known_R & (utc_R >= start_s) & (utc_R < end_s)
    left = int((known_R & ~inside_R).sum())
    if left:
        text = f"{left:,} events before {days[0]} or after {days[1]} left out"
        sheet.book.note("not-recorded", "time", left, text)
    return inside_R


def _place(sheet: Sheet, kinds: _Kinds) -> Seconds:
    """Number of each event's place, -1 where it has none of these."""
    source = sheet.source
    if source.place is not None:
        names = sheet.frame[source.place].cast(pl.String).str.strip_chars()
        placed = names.replace_strict(kinds.number, default=-1, return_dtype=pl.Int64)
        return placed.fill_null(-1).to_numpy()
    assert kinds.grid is not None
    lat_R, lon_R = positions(sheet)
    return number_cells(kinds.grid, kinds.number, lat_R, lon_R)


def positions(sheet: Sheet) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Latitude and longitude of each event; NaN where missing; other texts are told."""
    degrees = []
    for name in (sheet.source.lat or "", sheet.source.lon or ""):
        found = read_numbers(sheet.frame[name], sheet.source.missing, sheet.source.decimal)
        if len(found.bad):
            reason = f"not a number ({sheet.rows_text(found.bad)})"
            right = "mend these cells, or add the text to missing = [...]"
            sheet.book.problem(name, str(sheet.frame[name][int(found.bad[0])]), reason, right)
        degrees.append(found.values_R)
    return degrees[0], degrees[1]


def _weight(sheet: Sheet, field: FieldSettings) -> NDArray[np.float64]:
    """What each event adds to a field: 1, or what its column says; nothing of another kind."""
    if field.column is None:
        return rows_of(sheet, field).astype(np.float64)
    return np.nan_to_num(read_values(sheet, field.column, field))


def _recorded(origin: Origin, steps: Steps, busy: Seconds, book: Notebook) -> tuple[int, int]:
    """First and last step on record: as stated, else those of the first and last event."""
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
        reason = f"events in {len(busy):,} steps of {last - first + 1:,}"
        right = "look for a mistyped year, or state recorded = [first day, last day]"
        book.problem("time", f"{span} UTC", reason, right)
    return first, last


def _midnight_s(day: date, clock: Clock) -> int:
    """UTC seconds at which a local day begins."""
    wall_s = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return int(moments(np.array([wall_s]), clock.time_zone).earlier_R[0])


def _see_silence(busy: Seconds, total: int, steps: Steps, clock: Clock, book: Notebook) -> None:
    """A stretch without any event that is too long to be chance may be a gap of the records."""
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
        text = f"not one event for {span} from {since}: counted as none, but may be a gap"
        book.warn("silence", "time", int(gaps[longest]), text)
