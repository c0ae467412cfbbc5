"""Several rows for one time and place: reported, or resolved as `time.duplicates` states.

Shapes: R rows of the sheet.
"""

import numpy as np

from deepcity.city.arrays import Doubles, Indices, Ints
from deepcity.data.config.time_settings import Duplicates
from deepcity.data.findings import UNREVIEWED
from deepcity.data.observations import RepeatedRows
from deepcity.data.sheet import Sheet
from deepcity.data.timestamps.dst import NO_TIME, moment_text

TIMES_SHOWN = 3
MAX_CORRECTED = 0.25  # of all times: more rows than these that differ are no corrections
_RULE_TEXT = {
    Duplicates.MASK: "where they differ, their values were masked",
    Duplicates.FIRST: "the first was kept",
    Duplicates.LAST: "the last was kept",
}


def resolve_duplicates(utc_R: Ints, values: Doubles, sheet: Sheet) -> Indices:
    """Positions of the rows to keep, in the sheet's order; rows without a time are dropped.

    `values` has shape (R, ...) and is masked in place where rows of one time differ.
    """
    known = np.flatnonzero(utc_R != NO_TIME)
    order = known[np.lexsort((known, sheet.place_R[known], utc_R[known]))]
    same = (np.diff(utc_R[order]) == 0) & (np.diff(sheet.place_R[order]) == 0)
    if not same.any():
        return known
    starts = np.flatnonzero(np.concatenate(([True], ~same)))
    groups = [group for group in np.split(order, starts[1:]) if len(group) > 1]
    rows = sheet.rows_text(np.concatenate(groups))
    rule, times = sheet.time.duplicates, _times_text(utc_R, groups, sheet.zone)
    if rule is Duplicates.ERROR:
        reason = f"more than one row for one time, {len(groups)} times ({rows})"
        sheet.issues.problem("time", times, reason, UNREVIEWED)
        sheet.issues.repeated.merge(_evidence(groups, values))
        return known
    text = (
        f"more than one row for one time, {len(groups)} times; {_RULE_TEXT[rule]} ({times}; {rows})"
    )
    sheet.issues.note("duplicate", "time", len(groups), text)
    if rule in (Duplicates.FIRST, Duplicates.LAST):
        _warn_of_loss(_evidence(groups, values), len(starts), sheet)
    return np.setdiff1d(
        known, np.concatenate([_rows_to_drop(group, values, rule) for group in groups])
    )


def _evidence(groups: list[Indices], values: Doubles) -> RepeatedRows:
    """How the rows of one time differ, for the remedies that are tried on them."""
    agreeing = sum(
        bool(np.array_equal(values[group[:-1]], values[group[1:]], equal_nan=True))
        for group in groups
    )
    first, last = (np.array([group[n] for group in groups]) for n in (0, -1))
    return RepeatedRows(
        times=len(groups),
        rows=sum(map(len, groups)),
        agreeing=agreeing,
        total=float(np.nansum(values[np.concatenate(groups)])),
        first=float(np.nansum(values[first])),
        last=float(np.nansum(values[last])),
    )


def _warn_of_loss(seen: RepeatedRows, times: int, sheet: Sheet) -> None:
    """Warn if rows that differ are dropped at so many times that they are no corrections."""
    if seen.times - seen.agreeing <= MAX_CORRECTED * times:
        return
    kept = seen.first if sheet.time.duplicates is Duplicates.FIRST else seen.last
    text = (
        f"{seen.rows - seen.times:,} of {seen.rows:,} rows that share a time were dropped, with "
        f"other values than those kept: {kept:,.6g} of a total of {seen.total:,.6g} is left; "
        f"look for a column that tells them apart, such as an id or a direction"
    )
    sheet.issues.warn("duplicate-loss", "time", seen.rows - seen.times, text)


def _times_text(utc_R: Ints, groups: list[Indices], zone: str) -> str:
    """The first times with several rows, in the records' zone, with UTC offset."""
    times = dict.fromkeys(int(utc_R[group[0]]) for group in groups)
    shown = ", ".join(moment_text(time, zone) for time in list(times)[:TIMES_SHOWN])
    return f"{shown} and {len(times) - TIMES_SHOWN:,} more" if len(times) > TIMES_SHOWN else shown


def _rows_to_drop(group: Indices, values: Doubles, rule: Duplicates) -> Indices:
    """Which rows of one time to drop; with `mask`, values that differ first become NaN."""
    if rule is Duplicates.LAST:
        return group[:-1]
    if rule is Duplicates.MASK:
        first, others = values[group[0]], values[group[1:]]
        agree_all = ((others == first) | (np.isnan(others) & np.isnan(first))).all()
        if not agree_all:
            values[group[0]] = np.nan
    return group[1:]
