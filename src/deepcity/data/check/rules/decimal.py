"""A lost decimal sign: single values ten, a hundred or a thousand times their neighbours.

A cell "12,5" among cells "12.5" is text and a problem when it is read. If a spreadsheet has
dropped the sign instead, the cell reads 125, which shows only beside its neighbours.
"""

from collections.abc import Iterable

import numpy as np

from deepcity.city.arrays import Doubles, Indices
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

DECADES = np.log(10.0) * np.array([1, 2, 3])
MAX_NEIGHBOUR_SPREAD = (
    0.6  # 98 % of values lie closer to their neighbours (log): else factors of ten are normal
)
DECADE_TOLERANCE = 0.18  # largest distance from a power of ten, in logarithms
MIN_VALUES, MAX_SHARE = 3, 0.25  # number of such values, and share of all
MIN_CLEAN_RATIO = 4  # least ratio of values near a power of ten to other outliers
MIN_FRACTION_SHARE = (
    0.5  # least share of fractions: a column of integers has no decimal sign to lose
)


def find_warnings(view: View) -> Iterable[Finding]:
    """Places with scattered values that are a power of ten too large."""
    for f in range(len(view.panel.fields)):
        values_TN = view.values_TN(f)
        misplaced = {n: _misplaced_decimals(values_TN[:, n]) for n in range(values_TN.shape[1])}
        places = [n for n, steps in misplaced.items() if len(steps)]
        if not places:
            continue
        count = sum(len(misplaced[n]) for n in places)
        first = min(int(misplaced[n][0]) for n in places)
        place = view.panel.places[min(places, key=lambda n: int(misplaced[n][0]))].id
        text = (
            f"{count:,} values are 10, 100 or 1,000 times those around them (first "
            f"{view.when(first)}): a decimal sign was lost, or commas and points are mixed; "
            f"check those cells, or mask them with valid = [lowest, highest]"
        )
        seen = RuleEvidence(*view.span(first, first + 1), place=place)
        yield view.warn("decimal", f, places, text, evidence=seen)


def _misplaced_decimals(values_T: Doubles) -> Indices:
    """Steps whose value is a power of ten too large."""
    none = np.empty(0, dtype=np.intp)
    known = values_T[np.isfinite(values_T) & (values_T != 0)]
    if len(known) < 50 or np.mean(known != np.round(known)) < MIN_FRACTION_SHARE:
        return none
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio_T = np.log(np.abs(values_T) / _neighbour_median(np.abs(values_T)))
    seen = np.isfinite(ratio_T)
    if seen.sum() < 50:
        return none
    size_T = np.where(seen, np.abs(ratio_T), 0.0)
    near_T = seen & (np.abs(ratio_T[:, None] - DECADES).min(axis=1) < DECADE_TOLERANCE)
    strange = int(((size_T > 1.2) & ~near_T).sum())
    calm = float(np.quantile(size_T[seen & ~near_T], 0.98)) if (seen & ~near_T).any() else np.inf
    steps = np.flatnonzero(near_T)
    enough = MIN_VALUES <= len(steps) <= MAX_SHARE * seen.sum()
    return (
        steps
        if enough and calm < MAX_NEIGHBOUR_SPREAD and len(steps) >= MIN_CLEAN_RATIO * strange
        else none
    )


def _neighbour_median(values_T: Doubles) -> Doubles:
    """Median of the two values before and the two after each; NaN where under two are known."""
    padded = np.pad(values_T, 2, constant_values=np.nan)
    sides = np.stack([padded[: len(values_T)], padded[1:-3], padded[3:-1], padded[4:]])
    enough = np.isfinite(sides).sum(axis=0) >= 2
    middle = np.full(len(values_T), np.nan)
    middle[enough] = np.nanmedian(sides[:, enough], axis=0)
    return np.where(middle > 0, middle, np.nan)
