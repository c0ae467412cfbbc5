"""Several rows for one time and place: reported, or resolved as `time.duplicates` states.

Shapes: R rows of the sheet.
"""

from collections.abc import Sequence

import numpy as np

from deepcity.city.arrays import Doubles, Indices, Ints
from deepcity.data.config.time_settings import Duplicates
from deepcity.data.findings import UNREVIEWED
from deepcity.data.observations import ROWS_KEPT, RepeatedRows
from deepcity.data.sheet import Sheet
from deepcity.data.timestamps.dst import NO_TIME, moment_text

TIMES_SHOWN = 3
MANY_EQUAL, MOST_EQUAL = 5, 0.9  # so many and such a share of equal rows look like copies
MAX_CORRECTED = 0.25  # of all times: more rows than these that differ are no corrections
_RULE_TEXT = {
    Duplicates.MASK: "where they differ, their values were masked",
    Duplicates.FIRST: "the first was kept",
    Duplicates.LAST: "the last was kept",
    Duplicates.SUM: "their values were added up",
}
Groups = Sequence[Indices]


def resolve_duplicates(utc_R: Ints, values: Doubles, sheet: Sheet) -> Indices:
    """Positions of the rows to keep, in the sheet's order; rows without a time are dropped.

    `values` has shape (R, ...); where rows of one time differ, it is masked, or summed, in place.
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
        cause = sheet.cause("repeated-time", np.concatenate(groups))
        sheet.issues.problem("time", times, reason, UNREVIEWED, cause=cause)
        sheet.issues.repeated.merge(_evidence(utc_R, groups, values))
        return known
    text = (
        f"more than one row for one time, {len(groups)} times; {_RULE_TEXT[rule]} ({times}; {rows})"
    )
    sheet.issues.note("duplicate", "time", len(groups), text)
    if rule is Duplicates.SUM:
        _check_sums(groups, values, len(starts), sheet)
    if rule in (Duplicates.FIRST, Duplicates.LAST):
        _warn_of_loss(_evidence(utc_R, groups, values), len(starts), sheet)
    return np.setdiff1d(
        known, np.concatenate([_rows_to_drop(group, values, rule) for group in groups])
    )


def _evidence(utc_R: Ints, groups: Groups, values: Doubles) -> RepeatedRows:
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
        first_s=[int(utc_R[group[0]]) for group in groups[:ROWS_KEPT]],
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
    sheet.issues.dropped.merge(seen)


def _times_text(utc_R: Ints, groups: Groups, zone: str) -> str:
    """The first times with several rows, in the records' zone, with UTC offset."""
    times = dict.fromkeys(int(utc_R[group[0]]) for group in groups)
    shown = ", ".join(moment_text(time, zone) for time in list(times)[:TIMES_SHOWN])
    return f"{shown} and {len(times) - TIMES_SHOWN:,} more" if len(times) > TIMES_SHOWN else shown


def _equal(values: Doubles) -> bool:
    first, others = values[0], values[1:]
    return bool(((others == first) | (np.isnan(others) & np.isnan(first))).all())


def _check_sums(groups: Groups, values: Doubles, times: int, sheet: Sheet) -> None:
    """Warn where rows that were added up look like one row delivered twice."""
    filled = [group for group in groups if np.nansum(np.abs(values[group])) > 0]
    equal = [group for group in filled if _equal(values[group])]
    if len(equal) >= MANY_EQUAL and len(equal) >= MOST_EQUAL * len(filled):
        text = (
            f"{len(equal)} of {len(filled)} times with several rows have equal values in them: if "
            "they are one row delivered twice, their sum is double; remove the second ones"
        )
        sheet.issues.warn("equal-summed", "time", len(equal), text)
    sizes = np.array([len(group) for group in groups] + [1] * (times - len(groups)))
    usual = int(np.bincount(sizes).argmax())
    more = int((sizes > usual).sum())
    if more and usual > 1:
        text = (
            f"{more} times have more than the usual {usual} rows, which were all added up: if "
            "some were delivered twice, remove them"
        )
        sheet.issues.warn("uneven-sums", "time", more, text)


def _rows_to_drop(group: Indices, values: Doubles, rule: Duplicates) -> Indices:
    """Which rows of one time to drop; the one left holds NaN or the sum where the rule says so."""
    if rule is Duplicates.LAST:
        return group[:-1]
    if rule is Duplicates.MASK and not _equal(values[group]):
        values[group[0]] = np.nan
    if rule is Duplicates.SUM:
        values[group[0]] = values[group].sum(axis=0)  # NaN where a part is missing
    return group[1:]
