"""Readings of a running total (a meter, an odometer) -> the amount used between two readings.

A reading counts at its time, and the amount between two consecutive readings belongs to the
interval between them. What cannot be known is masked, never guessed:

    reset       the total starts anew: the amount of that interval
    rollover    the register runs over (at a power of ten, 2^16 or 2^32): added up exactly
    wrong       readings that fall and return (a single 0, a dip), or rise and return: left out
    jump        the total is far higher from then on (another meter): the amount of that interval
    gap         readings are absent: the amount over the gap, or, with `spread`, divided over it

Rows come in blocks of time; two weeks of them are kept, so that a return is seen. Differences
are taken of the numbers as recorded, in float64, and converted afterwards.

Shapes: R rows, S readings of one series in order of time.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Indices, Ints
from deepcity.city.clock import DAY_S
from deepcity.city.field import Resample
from deepcity.city.units import convert
from deepcity.data.config.settings import FieldSettings
from deepcity.data.findings import IssueLog
from deepcity.data.tables.unique_rows import UniqueRows

HOLD_S = 14 * DAY_S  # how long a return is waited for, and the longest gap that is spread
MODULI = np.array(sorted([10.0**k for k in range(3, 13)] + [2.0**16, 2.0**32]))
JUMP = 100.0  # least ratio of an impossible amount to the largest usual one (99 %)
RETURN_JUMP = 5.0  # the same where the total also falls
RESET_SHARE = 0.1  # of a total: a fall to less may be to the start
MIN_AMOUNTS = 20  # amounts above 0 that tell what is usual
BRIEF = 3  # readings that a dip lasts at most where nothing else tells it from a reset
ROLLOVER = 3.0  # largest ratio of a rollover's amount to the largest usual one
MAX_FALLS = 0.2  # share of falls beyond which nothing of it is a running total


@dataclass
class TotalsLog:
    """What differencing met, by kind: counts over all places of a field."""

    resets: int = 0
    rollovers: int = 0
    wrong: int = 0
    jumps: int = 0
    gaps: int = 0
    outside: int = 0
    falls: int = 0
    readings: int = 0


@dataclass(frozen=True)
class TotalColumn:
    """A column of rows that holds running totals of a field."""

    column: int
    settings: FieldSettings
    log: TotalsLog = field(default_factory=TotalsLog)


def difference_rows(
    blocks: Iterable[UniqueRows],
    columns: Sequence[TotalColumn],
    step_s: int,
    *,
    ends: bool,
) -> Iterator[UniqueRows]:
    """The same rows with amounts instead of totals, in later blocks.

    Args:
        blocks: rows ordered by time, block after block.
        columns: which columns hold totals.
        step_s: of the rows; a longer time between two readings is a gap.
        ends: rows are stamped with the end of their interval, so that a row holds the amount
            since the reading before; else the amount until the next one.
    """
    hold_s = HOLD_S + 2 * step_s
    held: UniqueRows | None = None
    done_s = np.iinfo(np.int64).min
    for block in blocks:
        held = block if held is None else held.joined(block)
        if not len(held):
            continue
        until_s = int(held.time_R[-1]) - hold_s
        if until_s > done_s:
            yield _between(held, columns, step_s, done_s, until_s, ends=ends)
            held = held.take(held.time_R >= until_s - hold_s)
            done_s = until_s
    if held is not None:
        yield _between(held, columns, step_s, done_s, np.iinfo(np.int64).max, ends=ends)


def _between(
    held: UniqueRows,
    columns: Sequence[TotalColumn],
    step_s: int,
    start_s: int,
    end_s: int,
    *,
    ends: bool,
) -> UniqueRows:
    """The rows of [start_s, end_s), differenced with what is known around them."""
    rows = held
    if any(one.settings.spread for one in columns):
        rows = _filled_up(held, columns, step_s)
    values_RF = rows.values_RF.copy()
    for one in columns:
        values_RF[:, one.column] = np.nan
        for at_S in _series(rows, one.column):
            amount_S, log_S = differences(
                rows.time_R[at_S], rows.values_RF[at_S, one.column], step_s
            )
            log_S["outside"] = _mask_outside(amount_S, rows.time_R[at_S], log_S["wrong"], one)
            good_S = ~log_S["wrong"]
            _put(values_RF, rows, at_S[good_S], amount_S[good_S], one, step_s, ends=ends)
            inside_S = (rows.time_R[at_S] >= start_s) & (rows.time_R[at_S] < end_s)
            _count(one.log, log_S, inside_S)
    return UniqueRows(rows.time_R, rows.place_R, values_RF).take(
        (rows.time_R >= start_s) & (rows.time_R < end_s)
    )


def _filled_up(held: UniqueRows, columns: Sequence[TotalColumn], step_s: int) -> UniqueRows:
    """The rows with empty ones where gaps of a place, no longer than HOLD_S, are to be spread."""
    width = held.values_RF.shape[1]
    order = np.lexsort((held.time_R, held.place_R))
    time_R, place_R = held.time_R[order], held.place_R[order]
    gap_R = np.diff(time_R)
    gaps = np.flatnonzero((gap_R > step_s) & (gap_R <= HOLD_S) & (np.diff(place_R) == 0))
    times = [np.arange(time_R[n] + step_s, time_R[n + 1], step_s, dtype=np.int64) for n in gaps]
    places = [
        np.full(len(found), place_R[n], dtype=np.int64)
        for n, found in zip(gaps, times, strict=True)
    ]
    if not times:
        return held
    time_E = np.concatenate(times)
    empty = UniqueRows(time_E, np.concatenate(places), np.full((len(time_E), width), np.nan))
    joined = held.joined(empty)
    order = np.argsort(joined.time_R, kind="stable")
    return UniqueRows(joined.time_R[order], joined.place_R[order], joined.values_RF[order])


def _series(rows: UniqueRows, column: int) -> Iterator[Indices]:
    """Positions of each place's readings, in order of time."""
    known = np.flatnonzero(np.isfinite(rows.values_RF[:, column]))
    order = known[np.argsort(rows.place_R[known], kind="stable")]
    cuts = np.flatnonzero(np.diff(rows.place_R[order])) + 1
    yield from (part for part in np.split(order, cuts) if len(part))


def _put(
    values_RF: Doubles,
    rows: UniqueRows,
    at_S: Indices,
    amount_S: Doubles,
    one: TotalColumn,
    step_s: int,
    *,
    ends: bool,
) -> None:
    """Write amounts, in the field's unit, to the rows of their intervals."""
    if not len(at_S):
        return
    span_S = np.diff(rows.time_R[at_S], append=rows.time_R[at_S[-1]])
    gap_S = span_S > step_s
    wanted = np.isfinite(amount_S)
    whole_S = wanted & ~gap_S
    value_S = in_unit(amount_S, span_S, one.settings)
    values_RF[(at_S[1:] if ends else at_S[:-1])[whole_S[:-1]], one.column] = value_S[whole_S]
    if not one.settings.spread:
        return
    place_rows = np.flatnonzero(rows.place_R == rows.place_R[at_S[0]])
    for n in np.flatnonzero(wanted & gap_S & (span_S <= HOLD_S)):
        first, last = np.searchsorted(place_rows, (at_S[n], at_S[n + 1]))
        inside = place_rows[first + ends : last + ends]
        shared = one.settings.kind.resample is Resample.SUM
        values_RF[inside, one.column] = value_S[n] / len(inside) if shared else value_S[n]


def in_unit(amount_S: Doubles, span_S: Ints, settings: FieldSettings) -> Doubles:
    """Differences of records -> amounts in the field's unit, or for a rate, amounts per time."""
    scaled_S = amount_S * settings.scale
    if settings.kind.resample is Resample.SUM:
        return convert(scaled_S, settings.unit_of_records, settings.unit)
    per_s = scaled_S / np.maximum(span_S, 1)
    return convert(per_s, settings.rate_of_total, settings.unit)


def differences(time_S: Ints, total_S: Doubles, step_s: int) -> tuple[Doubles, dict[str, Bools]]:
    """What is added from each good reading to the next one; NaN where unknown, and at the last.

    Returns:
        the amounts, and by kind of `TotalsLog` at which readings it was met.

    >>> total = np.array([9.0, 11.0, 0.0, 14.0, 15.0, 16.0, 17.0, 19.0, 20.0, 22.0, 1.0, 2.0])
    >>> differences(np.arange(12) * 3600, total, 3600)[0].tolist()
    [2.0, 3.0, nan, 1.0, 1.0, 1.0, 2.0, 1.0, 2.0, nan, 1.0, nan]
    """
    count = len(total_S)
    log = {name: np.zeros(count, dtype=bool) for name in TotalsLog.__annotations__}
    log["readings"][:] = True
    usual = _usual(total_S)
    wrong_S = _wrong(time_S, total_S, step_s, usual)
    good = np.flatnonzero(~wrong_S)
    amount_S = np.full(count, np.nan)
    log["wrong"] = wrong_S
    if len(good) < 2:
        return amount_S, log
    added = np.diff(total_S[good])
    span = np.diff(time_S[good])
    fall = added < 0
    rolled = np.where(fall, _rolled_over(total_S[good][:-1], added, span / step_s, usual), added)
    steps = np.maximum(1.0, span / step_s)
    jump = ~fall & (added > JUMP * usual * steps)
    whole = np.isfinite(rolled) & ~jump
    amount_S[good[:-1][whole]] = rolled[whole]
    log["rollovers"][good[1:]] = fall & np.isfinite(rolled)
    log["resets"][good[1:]] = fall & ~np.isfinite(rolled)
    log["jumps"][good[1:]] = jump
    log["gaps"][good[1:]] = span > step_s
    log["falls"][1:] = np.diff(total_S) < 0
    return amount_S, log


def _mask_outside(amount_S: Doubles, time_S: Ints, wrong_S: Bools, one: TotalColumn) -> Bools:
    """Mask amounts outside the field's `valid`, in place; returns which these are."""
    outside_S = np.zeros(len(amount_S), dtype=bool)
    if one.settings.valid is None:
        return outside_S
    good = np.flatnonzero(~wrong_S)
    low, high = one.settings.valid
    value_S = in_unit(amount_S[good], np.diff(time_S[good], append=time_S[-1:]), one.settings)
    outside_S[good] = (value_S < low) | (value_S > high)
    amount_S[outside_S] = np.nan
    return outside_S


def _usual(total_S: Doubles) -> float:
    """The largest usual amount between two readings; infinite where too few tell it."""
    added = np.diff(total_S)
    added = added[added > 0]
    if len(added) < MIN_AMOUNTS:
        return np.inf
    return float(np.quantile(added, 0.99, method="lower"))


def _wrong(time_S: Ints, total_S: Doubles, step_s: int, usual: float) -> Bools:
    """Readings that leave the total and return to it: dips, single zeros and spikes."""
    wrong_S = np.zeros(len(total_S), dtype=bool)
    added = np.diff(total_S)
    if len(added) and (added < 0).mean() > MAX_FALLS:
        return wrong_S
    done = 0
    for at in np.flatnonzero((added < 0) | (added > RETURN_JUMP * usual)).tolist():
        if at < done:
            continue  # inside a stretch that was left out
        end = int(np.searchsorted(time_S, time_S[at] + HOLD_S, side="right"))
        steps = np.maximum(1.0, (time_S[at + 1 : end] - time_S[at]) / step_s)
        most = usual * steps if np.isfinite(usual) else np.full(len(steps), np.inf)
        find_end = _end_of_dip if added[at] < 0 else _end_of_spike
        length = find_end(total_S[at : max(end, at + 2)], most)
        if length:
            wrong_S[at + 1 : at + 1 + length] = True
            done = at + 1 + length
    return wrong_S


def _end_of_dip(total_S: Doubles, most_L: Doubles) -> int:
    """Readings after the first until the total is back by a jump; 0: it began anew.

    Args:
        most_L: the most that is usually added from the first reading to each later one.
    """
    before, later = total_S[0], total_S[1:]
    above = np.flatnonzero(later >= before)
    if not len(above) or not above[0]:
        return 0
    length = int(above[0])
    jump = later[length] - later[length - 1]
    shallow = bool(later[0] > before / 2)  # a reset falls to the start
    if jump > RETURN_JUMP * most_L[length] or (
        length <= BRIEF and (shallow or np.isinf(most_L[0]))
    ):
        return length
    return 0


def _end_of_spike(total_S: Doubles, most_L: Doubles) -> int:
    """Readings after the first until the total has fallen back; 0: it did not rise in vain."""
    before, later = total_S[0], total_S[1:]
    falls = later < total_S[:-1]
    near = np.flatnonzero(falls & (later >= before) & (later - before <= RETURN_JUMP * most_L))
    far = later[0] - before > JUMP * most_L[0] or before > RESET_SHARE * later[0]
    return int(near[0]) if len(near) and far else 0  # else it began anew where it had begun


def _rolled_over(before: Doubles, added: Doubles, steps: Doubles, usual: float) -> Doubles:
    """Amounts where the register ran over just now; NaN for any other fall."""
    modulus = MODULI[np.minimum(np.searchsorted(MODULI, before, side="right"), len(MODULI) - 1)]
    amount = added + modulus
    near = (before >= 0.9 * modulus) & (before < modulus) & (before + added <= 0.1 * modulus)
    fits = amount <= ROLLOVER * usual * np.maximum(1.0, steps)
    return np.where(near & (before + added >= 0) & fits & np.isfinite(usual), amount, np.nan)


def _count(log: TotalsLog, log_S: dict[str, Bools], inside_S: Bools) -> None:
    for name, at_S in log_S.items():
        setattr(log, name, getattr(log, name) + int((at_S & inside_S).sum()))


def total_columns(fields: Sequence[FieldSettings], places: int = 1) -> list[TotalColumn]:
    """The columns of rows that hold running totals; of each field one log.

    Args:
        places: columns of each field, one after another.
    """
    found: list[TotalColumn] = []
    for f, settings in enumerate(fields):
        log = TotalsLog()
        if settings.cumulative:
            found += [TotalColumn(f * places + n, settings, log) for n in range(places)]
    return found


_MET = {
    "resets": "the total began anew {times}, and the amount of that interval is masked",
    "rollovers": "its register ran over {times}, which is added up",
    "wrong": "it was left and returned to in {n:,} of the readings, which are left out",
    "jumps": "it rose impossibly far and stayed there {times}, and that interval is masked",
    "gaps": "readings are missing {times}, and the amount over the gap is {gap}",
    "outside": "amounts were outside valid = [{low:g}, {high:g}] {times}, and are masked",
}


def report_totals(totals: Sequence[TotalColumn], issues: IssueLog) -> None:
    """Note what differencing met, field by field; warn where a field is no running total."""
    for one in {total.settings.name: total for total in totals}.values():
        log, settings = one.log, one.settings
        if log.falls > MAX_FALLS * log.readings:
            text = (
                f"falls in {log.falls:,} of {log.readings:,} readings, so it is no running total: "
                f"remove cumulative = true"
            )
            issues.warn("not-cumulative", settings.name, log.falls, text)
            continue
        low, high = settings.valid or (0.0, 0.0)
        values = {"low": low, "high": high, "gap": "divided" if settings.spread else "masked"}
        met = [
            _MET[kind].format(n=n, times="once" if n == 1 else f"{n:,} times", **values)
            for kind in _MET
            if (n := getattr(log, kind))
        ]
        text = "; ".join(["differences of a running total", *met])
        issues.note("cumulative", settings.name, log.readings, text)
