"""Resolves wall times that daylight saving makes ambiguous or nonexistent, and reports each.

Shapes: R rows of the sheet. A row that is masked has the time `NO_TIME`.
"""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from deepcity.city.arrays import Indices, Ints
from deepcity.data.config.time_settings import Ambiguous, Nonexistent
from deepcity.data.remedies import next_step, trials
from deepcity.data.remedies.clock_changes import RepeatedHour, SkippedHour
from deepcity.data.sheet import Sheet
from deepcity.data.timestamps.zones import UtcCandidates, utc_candidates

NO_TIME = np.iinfo(np.int64).min


def resolve_wall_times(wall_R: Ints, sheet: Sheet) -> Ints | None:
    """Wall-clock seconds of each row -> UTC seconds, or None where problems were found."""
    candidates = utc_candidates(wall_R, sheet.zone)
    before = len(sheet.issues.problems)
    utc_R = candidates.earlier_R.copy()
    skipped, doubled = (
        np.flatnonzero(candidates.nonexistent_R),
        np.flatnonzero(candidates.ambiguous_R),
    )
    if len(skipped):
        _resolve_nonexistent(utc_R, skipped, wall_text(wall_R[skipped[0]]), sheet)
    if len(doubled):
        _resolve_ambiguous(utc_R, doubled, candidates, wall_R, sheet)
    return utc_R if len(sheet.issues.problems) == before else None


def _resolve_nonexistent(utc_R: Ints, skipped: Indices, shown: str, sheet: Sheet) -> None:
    """Spring: times that do not exist. SHIFT uses the offset before, which `utc_R` already has."""
    count, zone, rows = len(skipped), sheet.zone, sheet.rows_text(skipped)
    match sheet.time.nonexistent:
        case Nonexistent.ERROR:
            reason = f"clocks in {zone} skipped this time ({rows})"
            hour = SkippedHour(count, _taken(utc_R, skipped, sheet.place_R))
            tried = trials(hour)
            right = next_step(tried, "correct time.zone")
            cause = sheet.cause("skipped-hour", skipped)
            sheet.issues.problem("time", shown, reason, right, tried, cause=cause)
        case Nonexistent.MASK:
            utc_R[skipped] = NO_TIME
            text = f"{_rows(count)} masked: clocks in {zone} skipped their time ({rows})"
            sheet.issues.note("nonexistent", "time", count, text)
        case Nonexistent.SHIFT:
            text = f"{_rows(count)} shifted past the time that clocks in {zone} skipped ({rows})"
            sheet.issues.note("nonexistent", "time", count, text)


def _resolve_ambiguous(
    utc_R: Ints, doubled: Indices, candidates: UtcCandidates, wall_R: Ints, sheet: Sheet
) -> None:
    """Autumn: times that clocks showed twice."""
    count, zone, rows = len(doubled), sheet.zone, sheet.rows_text(doubled)
    match sheet.time.ambiguous:
        case Ambiguous.ERROR:
            first = doubled[0]
            both = [
                moment_text(at[first], zone) for at in (candidates.earlier_R, candidates.later_R)
            ]
            reason = f"clocks in {zone} showed this time twice, {' and '.join(both)} ({rows})"
            tried = trials(_hour(doubled, candidates, wall_R, sheet))
            right = next_step(tried, "correct time.zone")
            shown, cause = wall_text(wall_R[doubled[0]]), sheet.cause("repeated-hour", doubled)
            sheet.issues.problem("time", shown, reason, right, tried, cause=cause)
        case Ambiguous.MASK:
            utc_R[doubled] = NO_TIME
            text = f"{_rows(count)} masked: clocks in {zone} showed their time twice ({rows})"
            sheet.issues.note("ambiguous", "time", count, text)
        case Ambiguous.EARLIER:
            text = f"{_rows(count)} of repeated autumn hours taken as the earlier ({rows})"
            sheet.issues.note("ambiguous", "time", count, text)
        case Ambiguous.LATER:
            utc_R[doubled] = candidates.later_R[doubled]
            text = f"{_rows(count)} of repeated autumn hours taken as the later ({rows})"
            sheet.issues.note("ambiguous", "time", count, text)
        case Ambiguous.INFER:
            _infer(utc_R, doubled, candidates, wall_R, sheet)


def _taken(utc_R: Ints, skipped: Indices, place_R: Ints) -> int:
    """How many rows of a skipped hour have, an hour later, the time of another row."""
    rows = np.stack([utc_R, place_R])
    others = {tuple(row) for row in np.delete(rows, skipped, axis=1).T.tolist()}
    return sum(tuple(row) in others for row in rows[:, skipped].T.tolist())


def _take_in_turn(
    utc_R: Ints, doubled: Indices, candidates: UtcCandidates, wall_R: Ints, sheet: Sheet
) -> pl.DataFrame:
    """Take the first row of a repeated time of a place as the earlier, others as the later.

    Returns:
        the wall time and place of each of these rows.
    """
    pair = pl.DataFrame({"wall": wall_R[doubled], "place": sheet.place_R[doubled]})
    nth = pair.select(pl.int_range(pl.len()).over("wall", "place")).to_series().to_numpy()
    utc_R[doubled] = np.where(nth == 0, candidates.earlier_R[doubled], candidates.later_R[doubled])
    return pair


def _hour(doubled: Indices, candidates: UtcCandidates, wall_R: Ints, sheet: Sheet) -> RepeatedHour:
    """Rows of repeated hours, and whether the first of each time is the earlier."""
    utc_R = candidates.earlier_R.copy()
    pair = _take_in_turn(utc_R, doubled, candidates, wall_R, sheet)
    in_order = not len(_out_of_order(utc_R, doubled, sheet.place_R))
    return RepeatedHour(len(doubled), pair.n_unique(), in_order)


def _infer(
    utc_R: Ints, doubled: Indices, candidates: UtcCandidates, wall_R: Ints, sheet: Sheet
) -> None:
    """Take the first row of a repeated time as the earlier, the next as the later, if sorted."""
    pair = _take_in_turn(utc_R, doubled, candidates, wall_R, sheet)
    times = pair.select(pl.len().over("wall", "place")).to_series().to_numpy()
    single, disorder = doubled[times == 1], _out_of_order(utc_R, doubled, sheet.place_R)
    _report(single, "only one row of a time that clocks showed twice", wall_R, sheet)
    _report(disorder, "rows of an hour that clocks showed twice are out of order", wall_R, sheet)


def _report(rows: Indices, reason: str, wall_R: Ints, sheet: Sheet) -> None:
    if len(rows):
        times = len(np.unique(np.stack([wall_R[rows], sheet.place_R[rows]]), axis=1).T)
        hour = RepeatedHour(len(rows), times, in_order=False)
        tried = trials(hour)
        right = next_step(tried, "complete or sort these rows: it cannot be inferred")
        shown = wall_text(wall_R[rows[0]])
        reason, cause = f"{reason} ({sheet.rows_text(rows)})", sheet.cause("repeated-hour", rows)
        sheet.issues.problem("time", shown, reason, right, tried, cause=cause)


def _out_of_order(utc_R: Ints, doubled: Indices, place_R: Ints) -> Indices:
    """Rows of a repeated hour next to which a place's times decrease."""
    order = np.argsort(place_R, kind="stable")
    falls = (np.diff(utc_R[order]) < 0) & (np.diff(place_R[order]) == 0)
    touching = np.union1d(order[1:][falls], order[:-1][falls])
    return np.intersect1d(touching, doubled)


def _rows(count: int) -> str:
    return f"{count:,} row{'s' if count != 1 else ''}"


def wall_text(seconds: int | np.int64) -> str:
    """Seconds since 1970 as a wall clock shows them.

    >>> wall_text(0)
    '1970-01-01 00:00'
    """
    return f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d %H:%M}"


def moment_text(utc_s: int | np.int64, zone: str) -> str:
    """A moment in a zone, with the UTC offset that distinguishes repeated hours.

    >>> moment_text(1_698_537_600, "Europe/Rome"), moment_text(1_698_541_200, "Europe/Rome")
    ('2023-10-29 02:00+02:00', '2023-10-29 02:00+01:00')
    """
    return datetime.fromtimestamp(int(utc_s), ZoneInfo(zone)).isoformat(" ", "minutes")
