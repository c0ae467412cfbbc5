"""Events, one per row: counted by step, place and field.

Within the recorded span a step without events counts 0; outside it, values are missing. With
steps of a day, an event counts for its local date, whatever daylight saving does.

Shapes: R rows, T steps, N places, F fields, K distinct (step, place).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.city.clock import DAY_S, Clock
from deepcity.city.field import Resample
from deepcity.data.config.duration import duration_text
from deepcity.data.config.grid_settings import GridSettings
from deepcity.data.config.settings import FieldSettings, PlaceSettings
from deepcity.data.findings import UNREVIEWED, IssueLog
from deepcity.data.places.cells import cell_numbers
from deepcity.data.places.place_ids import place_ids, place_numbers
from deepcity.data.sheet import Sheet
from deepcity.data.tables.batches import SourceContext, check_columns, needed_columns, sheets
from deepcity.data.tables.cell_tally import tally_cells
from deepcity.data.tables.numbers import read_numbers
from deepcity.data.tables.records import MAX_STEPS_PER_ROW, Records, check_enough_times
from deepcity.data.tables.values import read_values, rows_of
from deepcity.data.timestamps.dst import NO_TIME, wall_text
from deepcity.data.timestamps.parse import utc_times
from deepcity.data.timestamps.zones import standard_offset_s, utc_candidates

SILENCE_THRESHOLD = (
    30.0  # a gap is reported if independent events leave it with probability < e^-30
)


class EventCounts:
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

    def to_array(self, first: int, last: int) -> Doubles:
        """Sums of the steps first..last (inclusive), (T, N, F); all rows must lie within them."""
        steps = last - first + 1
        sums_TNF = np.zeros((steps, self._places, self._sums_KF.shape[1]))
        step_K, place_K = np.divmod(self._keys_K, self._places)
        sums_TNF[step_K - first, place_K] = self._sums_KF
        return sums_TNF


class StepIndex:
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
class _CountSpec:
    """Which fields are counted, at which places, and on which clock."""

    fields: Sequence[FieldSettings]
    number: dict[str, int]
    grid: GridSettings | None
    clock: Clock


def read_events(
    context: SourceContext,
    *,
    fields: Sequence[FieldSettings],
    places: Sequence[PlaceSettings],
    grid: GridSettings | None,
    clock: Clock,
    issues: IssueLog,
) -> Records | None:
    """Counts (or sums) of events by step, place and field; None where problems were found.

    Raises:
        ReadError: if the rows cannot be read.
    """
    _check_amounts(fields, issues)
    needed = needed_columns(context, fields)
    if check_columns(context, needed, issues) or issues.problems:
        return None
    spec = _CountSpec(fields, {place.key: n for n, place in enumerate(places)}, grid, clock)
    counts, steps = EventCounts(len(places), len(fields)), StepIndex(clock)
    event_steps = np.empty(0, dtype=np.int64)
    for sheet in sheets(context, list(needed), issues, read_past_problems=True):
        utc_R = utc_times(sheet)
        if utc_R is not None:
            event_steps = np.union1d(event_steps, _add(counts, sheet, utc_R, steps, spec))
    if issues.problems:
        return None
    first, last = _recorded_steps(context, steps, event_steps, issues)
    if issues.problems:
        return None
    _check_silence(event_steps, last - first + 1, steps, clock, issues)
    starts_T = steps.starts(first, last)
    values_TNF = counts.to_array(first, last)
    return Records(starts_T, clock.step_s, values_TNF, clock.step_s, len(starts_T))


def _check_amounts(fields: Sequence[FieldSettings], issues: IssueLog) -> None:
    for field in fields:
        if field.kind.resample is not Resample.SUM:
            reason = "events are summed, and this kind is not additive"
            right = "choose kind = 'count', or another additive kind (energy, rain)"
            issues.problem(f"{field.name}.kind", field.kind.value, reason, right)


def _add(
    counts: EventCounts, sheet: Sheet, utc_R: Ints, steps: StepIndex, spec: _CountSpec
) -> Ints:
    """Count a batch; returns the steps of all its events, of any field and place."""
    inside_R = _within_record(sheet, utc_R, spec.clock)
    step_R = np.zeros(len(utc_R), dtype=np.int64)
    step_R[inside_R] = steps.step(utc_R[inside_R])
    place_R = _place(sheet, spec)
    unplaced = int((inside_R & (place_R < 0)).sum())
    if unplaced:
        text = f"{unplaced:,} events left out: without a place, or outside the agency's places"
        sheet.issues.note("other-places", "rows", unplaced, text)
    weight_RF = np.stack([_weight(sheet, field) for field in spec.fields], axis=1)
    counted_R = inside_R & (place_R >= 0) & (weight_RF != 0).any(axis=1)
    counts.add(step_R[counted_R], place_R[counted_R], weight_RF[counted_R])
    return np.unique(step_R[inside_R])


def _within_record(sheet: Sheet, utc_R: Ints, clock: Clock) -> Bools:
    """Events that have a time and lie within `recorded`, if that is stated."""
    known_R: Bools = utc_R != NO_TIME
    days = sheet.source.recorded
    if days is None:
        return known_R
    start_s, end_s = _midnight_s(days[0], clock), _midnight_s(days[1] + timedelta(days=1), clock)
    inside_R: Bools = known_R & (utc_R >= start_s) & (utc_R < end_s)
    outside = int((known_R & ~inside_R).sum())
    if outside:
        text = f"{outside:,} events before {days[0]} or after {days[1]} left out"
        sheet.issues.note("not-recorded", "time", outside, text)
    return inside_R


def _place(sheet: Sheet, spec: _CountSpec) -> Ints:
    """Number of each event's place, -1 where it is none of the agency's."""
    source = sheet.source
    if source.place is not None:
        return place_numbers(place_ids(sheet.frame[source.place]), spec.number)
    assert spec.grid is not None
    lat_R, lon_R = positions(sheet)
    return cell_numbers(spec.grid, spec.number, lat_R, lon_R)


def positions(sheet: Sheet) -> tuple[Doubles, Doubles]:
    """Latitude and longitude of each event, NaN where missing; other text is a problem."""
    degrees = []
    for name in (sheet.source.lat or "", sheet.source.lon or ""):
        found = read_numbers(sheet.frame[name], sheet.source.numbers)
        if len(found.bad):
            reason = f"not a number ({sheet.rows_text(found.bad)})"
            shown = str(sheet.frame[name][int(found.bad[0])])
            cause = sheet.cause("not-a-number", found.bad)
            sheet.issues.problem(name, shown, reason, UNREVIEWED, cause=cause)
            tally_cells(sheet.frame[name], found, name, None, sheet)
        degrees.append(found.values_R)
    return degrees[0], degrees[1]


def _weight(sheet: Sheet, field: FieldSettings) -> Doubles:
    """What each event adds to a field: 1, or its column's value; 0 if `where` does not match."""
    if field.column is None:
        return rows_of(sheet, field).astype(np.float64)
    return np.nan_to_num(read_values(sheet, field.column, field))


def _recorded_steps(
    context: SourceContext, steps: StepIndex, event_steps: Ints, issues: IssueLog
) -> tuple[int, int]:
    """First and last recorded step: by `recorded`, else those of the first and last event."""
    days = context.source.recorded
    if days is not None:
        start_s = _midnight_s(days[0], steps.clock)
        end_s = _midnight_s(days[1] + timedelta(days=1), steps.clock)
        first, last = steps.step(np.array([start_s, end_s - 1])).tolist()
        return first, last
    if not check_enough_times(len(event_steps), issues):
        return 0, 0
    first, last = int(event_steps[0]), int(event_steps[-1])
    if last - first > MAX_STEPS_PER_ROW * len(event_steps):
        span = " .. ".join(wall_text(time) for time in steps.starts(first, last)[[0, -1]])
        reason = f"only {len(event_steps):,} of {last - first + 1:,} steps have events"
        right = "look for a mistyped year, or state recorded = [first day, last day]"
        issues.problem("time", f"{span} UTC", reason, right)
    return first, last


def _midnight_s(day: date, clock: Clock) -> int:
    """UTC seconds at which a local day begins."""
    wall_s = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())
    return int(utc_candidates(np.array([wall_s]), clock.time_zone).earlier_R[0])


def _check_silence(
    event_steps: Ints, total: int, steps: StepIndex, clock: Clock, issues: IssueLog
) -> None:
    """Warn of a stretch without events that is too long to be chance: rows may be missing."""
    if len(event_steps) < 2:
        return
    gaps = np.diff(event_steps) - 1
    longest = int(gaps.argmax())
    rate = -np.log1p(-min(len(event_steps) / total, 1 - 1 / (total + 1)))
    if gaps[longest] * rate > SILENCE_THRESHOLD:
        since = wall_text(
            clock.local_seconds(steps.starts(event_steps[longest] + 1, event_steps[longest] + 1))[0]
        )
        span = duration_text(int(gaps[longest]) * clock.step_s)
        text = f"no event for {span} from {since}: counted as 0, but rows may be missing"
        issues.warn("silence", "time", int(gaps[longest]), text)
