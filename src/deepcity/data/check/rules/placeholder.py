"""A number that stands for "not measured": -999, 9999, 999990, far from all real values."""

from collections.abc import Iterable

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding

MIN_REPEATS = 2  # least count of the number
MIN_DISTANCE = 3.0  # least distance from all others, in spreads (of 99.8 % of the other values)
MAX_SHARE = 0.6  # largest share of all values


def find_warnings(view: View) -> Iterable[Finding]:
    """Places with an extreme that repeats exactly, far from everything else."""
    for f in range(len(view.panel.fields)):
        values_TN = view.values_TN(f)
        seen: dict[float, list[int]] = {}
        counts: dict[float, int] = {}
        for n in range(values_TN.shape[1]):
            for value, count in _placeholders(values_TN[:, n]):
                seen.setdefault(value, []).append(n)
                counts[value] = counts.get(value, 0) + count
        for value, places in seen.items():
            text = (
                f"{value:.10g} occurs {counts[value]:,} times, far from all other values: if it "
                f"means not measured, add it to missing = [...] or set valid = [lowest, highest]"
            )
            yield view.warn("placeholder", f, places, text)


def _placeholders(values_T: Doubles) -> Iterable[tuple[float, int]]:
    known = values_T[np.isfinite(values_T)]
    if len(known) < 50:
        return
    for value in dict.fromkeys((float(known.min()), float(known.max()))):
        count = int((known == value).sum())
        others = known[known != value]
        if not MIN_REPEATS <= count <= MAX_SHARE * len(known) or len(others) < 25:
            continue
        low, high = np.quantile(others, (0.001, 0.999))
        nearest = float(np.abs(others - value).min())
        if nearest > MIN_DISTANCE * max(float(high - low), 1e-9) and _is_sentinel(value):
            yield value, count


def _is_sentinel(value: float) -> bool:
    """Whether it looks like a missing marker: a negative number, nines, or a huge number.

    >>> [_is_sentinel(v) for v in (-999.0, 999990.0, -1.0, 412.0, 99.99, 1e20)]
    [True, True, True, False, True, True]
    """
    digits = f"{abs(value):.10g}".replace(".", "").rstrip("0")
    return value < 0 or (len(digits) > 1 and set(digits) == {"9"}) or abs(value) >= 1e9
