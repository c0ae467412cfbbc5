"""Summary statistics and a sparkline of a field, over all places and steps.

Shapes: T steps, N places.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from deepcity.city.arrays import Doubles, Floats
from deepcity.data.panel import Panel

BARS = "▁▂▃▄▅▆▇█"
BUCKETS = 28
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
FENCE = 3.0  # interquartile ranges beyond the quartiles: an outlier


@dataclass(frozen=True)
class FieldSummary:
    """One field's values over all places and steps; None where nothing was measured.

    Attributes:
        count: measured values.
        missing: share of steps and places without one.
        low, lower, median, upper, high: minimum, quartiles and maximum.
        zeros: share of measured values that are 0.
        longest_run: most steps for which a place stayed at one value other than 0.
        outliers: share of values three interquartile ranges beyond the quartiles.
        timeline: means of equal intervals of time, None where one holds no value.
    """

    name: str
    kind: str
    unit: str
    count: int
    missing: float
    low: float | None = None
    lower: float | None = None
    median: float | None = None
    upper: float | None = None
    high: float | None = None
    zeros: float | None = None
    longest_run: int = 0
    outliers: float | None = None
    timeline: tuple[float | None, ...] = ()


def summary_of(panel: Panel, index: int) -> FieldSummary:
    """The summary of one field of a panel."""
    field = panel.fields[index]
    values_TN = panel.values_TNF[:, :, index]
    known = values_TN[np.isfinite(values_TN)].astype(np.float64)
    missing = 1.0 - known.size / values_TN.size
    if not known.size:
        return FieldSummary(field.name, field.kind.value, field.unit, 0, missing)
    low, lower, median, upper, high = (float(x) for x in np.quantile(known, QUARTERS))
    reach = FENCE * (upper - lower)
    outside = (known < lower - reach) | (known > upper + reach)
    return FieldSummary(
        name=field.name,
        kind=field.kind.value,
        unit=field.unit,
        count=int(known.size),
        missing=missing,
        low=low,
        lower=lower,
        median=median,
        upper=upper,
        high=high,
        zeros=float((known == 0).mean()),
        longest_run=max(longest_run(values_TN[:, n])[1] for n in range(values_TN.shape[1])),
        outliers=float(outside.mean()) if reach else 0.0,
        timeline=timeline(values_TN),
    )


def longest_run(values_T: Floats | Doubles) -> tuple[int, int]:
    """Start and length of the longest stretch of one value other than 0; a gap ends it.

    >>> longest_run(np.array([0.0, 0, 0, 5, 5, np.nan, 5]))
    (3, 2)
    """
    if not len(values_T):
        return 0, 0
    same = np.concatenate(([False], values_T[1:] == values_T[:-1]))
    starts = np.flatnonzero(~same)
    lengths = np.diff(np.concatenate((starts, [len(values_T)])))
    lengths = np.where(np.isfinite(values_T[starts]) & (values_T[starts] != 0), lengths, 0)
    best = int(np.argmax(lengths))
    return int(starts[best]), int(lengths[best])


def timeline(values_TN: Floats, buckets: int = BUCKETS) -> tuple[float | None, ...]:
    """Means of equal intervals of time over all places."""
    edges = np.linspace(0, len(values_TN), buckets + 1).astype(int)
    found: list[float | None] = []
    for start, stop in pairwise(edges):
        part = values_TN[start:stop]
        known = part[np.isfinite(part)]
        found.append(float(known.mean()) if known.size else None)
    return tuple(found)


def sparkline(values: tuple[float | None, ...]) -> str:
    """Bars scaled from the lowest to the highest value; a blank for None.

    >>> sparkline((1.0, 2.0, None, 3.0))
    '▁▅ █'
    """
    known = [value for value in values if value is not None]
    if not known:
        return ""
    low, reach = min(known), (max(known) - min(known)) or 1.0
    bars = [" " if v is None else BARS[round((v - low) / reach * 7)] for v in values]
    return "".join(bars)
