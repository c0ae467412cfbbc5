"""Shifted columns: from a day on, or in single rows, each value is in the next column.

Causes are a missing or extra delimiter, or a column that a supplier added. The evidence is not
that columns change, but that each becomes what its neighbour was. Neighbours are those in the
records, not in the city file.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.city.units import convert
from deepcity.data.check.daily import daily_series, window_medians
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

WINDOW = 7  # days before and after
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
MIN_CHANGE = 0.5  # mean change of a column, in its own spread
MAX_LEFT_SHARE = 0.25  # largest share of that change left once columns are moved back
MIN_AGREEING_SHARE = 0.8  # least share of columns that fit their neighbour better than themselves
MAX_CHANGE = 5.0  # changes are clipped at so many spreads


@dataclass(frozen=True)
class _Table:
    """Columns side by side, (T, C), and what each is called."""

    values_TC: Doubles
    names: tuple[str, ...]


def find_warnings(view: View) -> Iterable[Finding]:
    """Shifts among an agency's fields at a place, and among its places in a field."""
    panel = view.panel
    if len(panel.fields) > 1:
        names = [field.name for field in panel.fields]
        for n, place in enumerate(panel.places):
            values = _as_recorded(view, n)
            file_order = None if view.column_NF is None else view.column_NF[n]
            table = _side_by_side(values, names, file_order)
            where = [n] if len(panel.places) > 1 else range(1)
            for text, seen in (*_from_a_day(view, table), *_single_rows(view, table)):
                yield view.warn("shifted", 0, where, f"{place.id}: {text}", evidence=seen)
    if len(panel.places) > 2:
        names = [place.id for place in panel.places]
        for f in range(len(panel.fields)):
            file_order = None if view.column_NF is None else view.column_NF[:, f]
            table = _side_by_side(view.values_TN(f), names, file_order)
            for text, seen in _from_a_day(view, table):
                yield view.warn("shifted", f, range(len(panel.places)), text, evidence=seen)


def _as_recorded(view: View, n: int) -> Doubles:
    """A place's fields in the units of the records, (T, F), as shifts precede conversion."""
    values_TF = view.panel.values_TNF[:, n].astype(np.float64)
    for f, (field, unit) in enumerate(zip(view.panel.fields, view.units_F, strict=True)):
        values_TF[:, f] = convert(values_TF[:, f], field.unit, unit)
    return values_TF


def _side_by_side(values_TC: Doubles, names: Sequence[str], column_C: Ints | None) -> _Table:
    """Columns in the order of the file."""
    if column_C is None:
        return _Table(values_TC, tuple(names))
    order = np.argsort(column_C, kind="stable")
    return _Table(values_TC[:, order], tuple(names[int(c)] for c in order))


def _from_a_day(view: View, table: _Table) -> Iterable[tuple[str, RuleEvidence]]:
    days = daily_series(view.panel, table.values_TC)
    if days is None or len(days.day_D) < 2 * WINDOW:
        return
    spread_C = _spread(table.values_TC)
    usable = np.flatnonzero(spread_C > 0)
    if len(usable) < 2:
        return
    daily_DCQ = _daily(days.values_DSN[:, :, usable])
    before, after = window_medians(daily_DCQ, WINDOW)
    best: tuple[float, int, int] | None = None
    for shift in (1, -1):
        stays, moved = _costs(before, after, spread_C[usable], shift)
        for day in np.flatnonzero(_shifted(stays, moved)).tolist():
            left = float(np.nanmean(moved[day]))
            if best is None or left < best[0]:
                best = (left, day, shift)
    if best is not None:
        _, day, shift = best
        names = [table.names[int(c)] for c in usable[:3]]
        side = "right" if shift > 0 else "left"
        first = int(days.first_D[day])
        text = (
            f"from {view.day(first)} on values are one column too far to "
            f"the {side}: {names[1] if shift > 0 else names[0]} holds what "
            f"{names[0] if shift > 0 else names[1]} held, and so on; correct the records"
        )
        yield text, RuleEvidence(view.second(first))


def _spread(values_TC: Doubles) -> Doubles:
    """Spread of each column in its calmer half, so that shifted values do not widen it."""
    middle = len(values_TC) // 2
    first, second = _spread_of(values_TC[:middle]), _spread_of(values_TC[middle:])
    return np.asarray(np.minimum(first, second))


def _spread_of(values_TC: Doubles) -> Doubles:
    known = np.isfinite(values_TC).sum(axis=0) >= 2 * WINDOW
    spread_C = np.zeros(values_TC.shape[1])
    if known.any():
        low, high = np.nanquantile(values_TC[:, known], (0.25, 0.75), axis=0)
        spread_C[known] = high - low
    return spread_C


def _daily(values_DSC: Doubles) -> Doubles:
    """Quantiles of each day and column, (D, C, Q); NaN for a day with few hours."""
    known = np.isfinite(values_DSC).sum(axis=1)
    ordered = np.sort(np.where(np.isfinite(values_DSC), values_DSC, np.inf), axis=1)
    picked = [
        np.take_along_axis(
            ordered, np.floor(q * np.maximum(known - 1, 0)).astype(int)[:, None], axis=1
        )[:, 0]
        for q in QUANTILES
    ]
    return np.where((known >= 8)[..., None], np.stack(picked, axis=-1), np.nan)


def _costs(
    before: Doubles, after: Doubles, spread_C: Doubles, shift: int
) -> tuple[Doubles, Doubles]:
    """Change of each column against itself, and against the neighbour it may hold now, (D, C-1)."""
    ours = slice(1, None) if shift > 0 else slice(None, -1)
    theirs = slice(None, -1) if shift > 0 else slice(1, None)
    scale = np.maximum(spread_C[ours], spread_C[theirs])[:, None]
    stays = np.minimum(np.abs(after - before)[:, ours] / scale, MAX_CHANGE).mean(axis=-1)
    moved = np.minimum(np.abs(after[:, ours] - before[:, theirs]) / scale, MAX_CHANGE).mean(axis=-1)
    return stays, moved


def _shifted(stays: Doubles, moved: Doubles) -> Bools:
    known = np.isfinite(stays) & np.isfinite(moved)
    count = np.maximum(known.sum(axis=1), 1)
    change = np.where(known, stays, 0).sum(axis=1) / count
    left = np.where(known, moved, 0).sum(axis=1) / count
    agree = (known & (moved < stays)).sum(axis=1) / count
    enough = known.sum(axis=1) >= max(2, stays.shape[1] // 2)
    return np.asarray(
        enough
        & (change > MIN_CHANGE)
        & (left < MAX_LEFT_SHARE * change)
        & (agree >= MIN_AGREEING_SHARE)
    )


def _single_rows(view: View, table: _Table) -> Iterable[tuple[str, RuleEvidence]]:
    """Rows with at least two values that do not fit their column but the next one."""
    values = table.values_TC
    if values.shape[1] < 3 or len(values) < 100:
        return
    usable = np.flatnonzero(_spread(values) > 0)
    values = values[:, usable]
    if len(usable) < 3:
        return
    low, one, three, high = np.nanquantile(values, (0.005, 0.25, 0.75, 0.995), axis=0)
    floor, top = low - 2 * (three - one), high + 2 * (three - one)
    strange = (values < floor) | (values > top)
    for shift in (1, -1):
        ours = slice(1, None) if shift > 0 else slice(None, -1)
        theirs = slice(None, -1) if shift > 0 else slice(1, None)
        known = np.isfinite(values[:, ours])
        fits = (values[:, ours] >= floor[theirs]) & (values[:, ours] <= top[theirs])
        rows = (strange[:, ours].sum(axis=1) >= 2) & (fits | ~known).all(axis=1)
        if rows.any() and rows.mean() < 0.2:
            side = "right" if shift > 0 else "left"
            steps = np.flatnonzero(rows)
            text = (
                f"in {len(steps)} step{'s' if len(steps) > 1 else ''} (first "
                f"{view.when(int(steps[0]))}) values are one column too far to the {side}; "
                f"look for a missing or added delimiter there"
            )
            yield text, RuleEvidence(*view.span(int(steps[0]), int(steps[0]) + 1))
