"""Parses the time columns of a sheet into UTC seconds; reports every row that cannot be parsed.

Shapes: R rows of the sheet.
"""

from dataclasses import dataclass
from datetime import UTC

import numpy as np
import polars as pl

from deepcity.city.arrays import Bools, Ints
from deepcity.city.clock import DAY_S
from deepcity.city.problem import Cause
from deepcity.data.config.time_settings import Stamp, TimeSettings, Weekday, seconds_of_day
from deepcity.data.config.toml_file import did_you_mean
from deepcity.data.sheet import Sheet
from deepcity.data.timestamps.detect import as_numbers, majority, number_format, read_as
from deepcity.data.timestamps.dst import resolve_wall_times
from deepcity.data.timestamps.formats import NUMBERS, joined_times, parse_with_late
from deepcity.data.timestamps.zones import utc_candidates

HOUR_S = 3600


@dataclass(frozen=True)
class RawTimes:
    """Times as recorded: seconds since 1970, in wall-clock time or in UTC."""

    seconds_R: Ints
    wall: bool


def utc_times(sheet: Sheet) -> Ints | None:
    """UTC seconds of each row's stamp, or None where problems were found.

    Masked rows have the time `NO_TIME`.
    """
    raw = raw_times(sheet)
    if raw is None or not raw.wall:
        return None if raw is None else raw.seconds_R
    return resolve_wall_times(raw.seconds_R, sheet)


def raw_times(sheet: Sheet) -> RawTimes | None:
    """Seconds of each row as recorded, or None where problems were found."""
    if sheet.time.start is not None:
        if sheet.time.skips:
            return RawTimes(_open_times(sheet.time, _numbers(sheet)), wall=True)
        return RawTimes(_counted(sheet), wall=False)
    columns = sheet.frame.columns
    absent = [name for name in sheet.time.names if name not in columns]
    for name in absent:
        sheet.issues.no_column("time", name, did_you_mean(name, columns))
    if absent:
        return None
    column = joined_times(sheet.frame, sheet.time)
    return _from_text(column, sheet) if column.dtype == pl.String else _from_typed(column, sheet)


def _counted(sheet: Sheet) -> Ints:
    """Times counted by row: elapsed time from the start, unaffected by daylight saving."""
    start, step = sheet.time.start, sheet.time.step
    assert start is not None
    assert step is not None
    if start.tzinfo is None:
        wall_s = int(start.replace(tzinfo=UTC).timestamp())
        start_s = int(utc_candidates(np.array([wall_s]), sheet.zone).earlier_R[0])
    else:
        start_s = int(start.timestamp())
    return start_s + _numbers(sheet) * int(step.total_seconds())


def _numbers(sheet: Sheet) -> Ints:
    """Each row's number, counted from the first of its source."""
    return sheet.rows_before + np.arange(len(sheet.rows_R), dtype=np.int64)


def _open_times(time: TimeSettings, number_R: Ints) -> Ints:
    """Times counted by row in wall-clock time, without closed hours and days."""
    assert time.start is not None
    assert time.step is not None
    step_s, (opens_s, closes_s) = int(time.step.total_seconds()), time.open_s
    a_day = (closes_s - opens_s) // step_s
    first = (seconds_of_day(time.start.time()) - opens_s) // step_s
    count_R = first + number_R
    mask = "".join(str(int(not time.weekdays or day in time.weekdays)) for day in Weekday)
    start = np.datetime64(time.start.date(), "D")
    days_R = np.busday_offset(start, count_R // a_day, weekmask=mask).astype(np.int64)
    slots_R: Ints = opens_s + count_R % a_day * step_s
    return days_R * DAY_S + slots_R


def _from_text(column: pl.Series, sheet: Sheet) -> RawTimes | None:
    if sheet.time.format in NUMBERS:
        numbers = column.cast(pl.Float64, strict=False)
        if not _all_known(numbers, column, f"not a number, as {sheet.time.format} needs", sheet):
            return None
        return _from_numbers(numbers, sheet)
    pattern = sheet.time.format or _pattern(column, sheet)
    if pattern is None:
        return None
    found = _by_pattern(column, pattern, sheet)
    return None if found is None else _from_datetimes(found[0], sheet, found[1].to_numpy())


def _by_pattern(
    column: pl.Series, pattern: str, sheet: Sheet
) -> tuple[pl.Series, pl.Series] | None:
    """Times and which are late, or None with what is wrong with the texts or the pattern."""
    try:
        times, late = parse_with_late(column, pattern)
    except pl.exceptions.PolarsError:
        right = "write e.g. '%d/%m/%Y %H:%M'"
        if "%p" in pattern.lower() and "%H" in pattern:
            right = f"write '{pattern.replace('%H', '%I')}': the hour of a half day is %I"
        sheet.issues.problem("time.format", pattern, "not a valid pattern", right)
        return None
    likely = number_format(column) if times.null_count() == len(times) else None
    if likely is not None:
        reason = f"not a time like {pattern}, but a number as {likely} has them"
        right = as_numbers(likely, float(column.drop_nulls()[0]))
        key, cause = " + ".join(sheet.time.names), Cause("not-a-time", len(column))
        sheet.issues.problem(key, column[0], reason, right, cause=cause)
        return None
    if not _all_known(times, column, f"not a time like {pattern}", sheet):
        return None
    return times, late


def _pattern(column: pl.Series, sheet: Sheet) -> str | None:
    """The pattern of all or most texts; reports if there is none, or if it is undecided."""
    key = " + ".join(sheet.time.names)
    found = read_as(column)
    if not found.patterns:
        found = majority(column)
    if found.undecided:
        reason, right = found.explained()
        sheet.issues.problem(key, None, reason, right)
    elif found.pattern is None:
        first = column.drop_nulls().head(1).to_list()
        name = number_format(column)
        reason = "the times follow none of the known patterns"
        right = "state theirs as time.format, e.g. '%d/%m/%Y %H:%M'"
        if name is not None:
            reason, right = f"a number, as {name} has them", as_numbers(name, float(first[0]))
        cause = Cause("not-a-time", len(column))
        sheet.issues.problem(key, first[0] if first else None, reason, right, cause=cause)
    return found.pattern


def _from_typed(column: pl.Series, sheet: Sheet) -> RawTimes | None:
    if not _all_known(column, column, "time missing", sheet):
        return None
    if column.dtype.is_numeric():
        if sheet.time.format not in (None, *NUMBERS):  # e.g. 202401031400
            whole = column.cast(pl.Int64, strict=False).cast(pl.String)
            return _from_text(whole, sheet)
        return _from_numbers(column, sheet)
    if column.dtype not in (pl.Date, pl.Datetime):  # a set would miss Datetime's units
        reason = f"of type {column.dtype}, not a time"
        sheet.issues.problem(sheet.time.names[0], str(column[0]), reason, "choose another column")
        return None
    return _from_datetimes(
        column.cast(pl.Datetime("us")) if column.dtype == pl.Date else column, sheet
    )


def _from_numbers(column: pl.Series, sheet: Sheet) -> RawTimes | None:
    number = NUMBERS.get(sheet.time.format or "")
    if number is None:
        likely = number_format(column)
        right = f"choose another column, or a format of numbers: {', '.join(NUMBERS)}"
        right = right if likely is None else as_numbers(likely, float(column.drop_nulls()[0]))
        key, cause = sheet.time.names[0], Cause("not-a-time", len(column))
        sheet.issues.problem(key, column[0], "a number, not a time", right, cause=cause)
        return None
    scaled_R = column.cast(pl.Float64).to_numpy() * number.unit_s
    if number.wall:  # a serial day is a fraction that seconds do not divide
        scaled_R = np.round(scaled_R)
    seconds_R = np.floor(scaled_R).astype(np.int64) + number.zero_s
    return _on_wall_clock(seconds_R, sheet) if number.wall else RawTimes(seconds_R, wall=False)


def _from_datetimes(times: pl.Series, sheet: Sheet, late_R: Bools | None = None) -> RawTimes:
    """Datetimes without an offset are wall times; `late_R`: written as an hour of 24 or later."""
    seconds_R = times.dt.epoch("s").to_numpy().astype(np.int64)
    if getattr(times.dtype, "time_zone", None) is not None:
        return RawTimes(seconds_R, wall=False)
    if late_R is not None:
        _count_hours(seconds_R, late_R, sheet)
    return _on_wall_clock(seconds_R, sheet, late_R)


def _count_hours(seconds_R: Ints, late_R: Bools, sheet: Sheet) -> None:
    """Count rows by their hour: 0, 24 and later."""
    hour_R = seconds_R // HOUR_S % 24
    tally = sheet.issues.hours
    tally.zero += int(((hour_R == 0) & ~late_R).sum())
    tally.last += int(((hour_R == 0) & late_R).sum())
    tally.later += int(((hour_R > 0) & late_R).sum())


def _on_wall_clock(seconds_R: Ints, sheet: Sheet, late_R: Bools | None = None) -> RawTimes:
    """Wall times of the starts of rows.

    Hours before `day_starts` belong to the date after the one they are written under, unless
    they are written as hours of 24 or later, which name the day after already.
    """
    if sheet.time.stamp is Stamp.WALL_END and sheet.time.step is not None:
        seconds_R = seconds_R - int(sheet.time.step.total_seconds())
    early_R = seconds_R % DAY_S < seconds_of_day(sheet.time.day_starts)
    if late_R is not None:
        early_R &= ~late_R
    return RawTimes(seconds_R + DAY_S * early_R, wall=True)


def _all_known(times: pl.Series, shown: pl.Series, reason: str, sheet: Sheet) -> bool:
    bad = np.flatnonzero(times.is_null().to_numpy())
    if len(bad):
        key = " + ".join(sheet.time.names)
        reason = f"{reason} ({sheet.rows_text(bad)})"
        right = "correct or remove these rows, or state the right time.format"
        cause = sheet.cause("not-a-time", bad)
        sheet.issues.problem(key, shown[int(bad[0])], reason, right, cause=cause)
    return len(bad) == 0
