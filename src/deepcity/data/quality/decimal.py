"""A lost decimal sign: single values ten, a hundred or a thousand times their neighbours.

A cell "12,5" among cells "12.5" is text and a problem when it is read. If a spreadsheet has
dropped the sign instead, the cell reads 125, which shows only beside its neighbours.
"""

from collections.abc import Iterable

import numpy as np

from deepcity.city.arrays import Doubles, Indices
from deepcity.data.findings import Finding
from deepcity.data.quality import View

DECADES = np.log(10.0) * np.array([1, 2, 3])
CALM = 0.6  # 98 % of values lie closer to their neighbours (log): else factors of ten are normal
NEAR = 0.18  # largest distance from a power of ten, in logarithms
FEWEST, MOST = 3, 0.25  # number of such values, and share of all
CLEAN = 4  # least ratio of values near a power of ten to other outliers
WHOLE = 0.5  # least share of fractions: a column of integers has no decimal sign to lose


def look(view: View) -> Iterable[Finding]:
    """Places with scattered values that are a power of ten too large."""
    for f in range(len(view.panel.fields)):
        values_TN = view.values_TN(f)
        odd = {n: _odd(values_TN[:, n]) for n in range(values_TN.shape[1])}
        places = [n for n, steps in odd.items() if len(steps)]
        if not places:
            continue
        count = sum(len(odd[n]) for n in places)
        first = min(int(odd[n][0]) for n in places)
        text = (
            f"{count:,} values are 10, 100 or 1,000 times those around them (first "
            f"{view.when(first)}): a decimal sign was lost, or commas and points are mixed; "
            f"check those cells, or mask them with valid = [lowest, highest]"
        )
        yield view.warn("decimal", f, places, text)


def _odd(values_T: Doubles) -> Indices:
    """Steps whose value is a power of ten too large."""
    none = np.empty(0, dtype=np.intp)
    known = values_T[np.isfinite(values_T) & (values_T != 0)]
    if len(known) < 50 or np.mean(known != np.round(known)) < WHOLE:
        return none
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio_T = np.log(np.abs(values_T) / _around(np.abs(values_T)))
    seen = np.isfinite(ratio_T)
    if seen.sum() < 50:
        return none
    size_T = np.where(seen, np.abs(ratio_T), 0.0)
    near_T = seen & (np.abs(ratio_T[:, None] - DECADES).min(axis=1) < NEAR)
    strange = int(((size_T > 1.2) & ~near_T).sum())
    calm = float(np.quantile(size_T[seen & ~near_T], 0.98)) if (seen & ~near_T).any() else np.inf
    steps = np.flatnonzero(near_T)
    enough = FEWEST <= len(steps) <= MOST * seen.sum()
    return steps if enough and calm < CALM and len(steps) >= CLEAN * strange else none


def _around(values_T: Doubles) -> Doubles:
    """Median of the two values before and the two after each; NaN where under two are known."""
    padded = np.pad(values_T, 2, constant_values=np.nan)
    sides = np.stack([padded[: len(values_T)], padded[1:-3], padded[3:-1], padded[4:]])
    enough = np.isfinite(sides).sum(axis=0) >= 2
    middle = np.full(len(values_T), np.nan)
    middle[enough] = np.nanmedian(sides[:, enough], axis=0)
    return np.where(middle > 0, middle, np.nan)
