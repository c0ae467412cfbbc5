"""A clock that differs from those of other places: shared events reach one place hours off.

Deviations from the usual day that all places share (a storm, a holiday, a match, a jam) occur
everywhere at once. The usual day itself is no evidence: one street is busy early, another late.
"""

from collections.abc import Iterable

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.data.check.daily import HOURS, DailySeries, daily_series
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

MAX_SHIFT_H = 12  # hours
MIN_CORRELATION = 0.2  # least correlation with the others at the best shift
MIN_GAIN, GAIN_SCALE = 0.1, 1.0  # least gain over no shift: the larger of this and x / sqrt(days)
MIN_DAYS = 28
MIN_PLACES = 4
MAX_SHARE = 0.25  # largest share of places that may be off; beyond it no majority is reliable


def find_warnings(view: View) -> Iterable[Finding]:
    """Places whose deviations come whole hours before or after those of the others."""
    if len(view.panel.places) < MIN_PLACES:
        return
    for f in range(len(view.panel.fields)):
        days = daily_series(view.panel, view.values_TN(f))
        if days is None or len(days.day_D) < MIN_DAYS:
            continue
        off = offsets(days)
        if np.count_nonzero(off) > MAX_SHARE * len(off):
            continue
        for hours in sorted(set(off[off != 0].tolist())):
            places = np.flatnonzero(off == hours)
            word = "after" if hours > 0 else "before"
            text = (
                f"events that all places share (storms, holidays, jams) come {abs(hours)} h {word} "
                f"the other places: its clock or time zone is wrong; correct its times"
            )
            yield view.warn("sibling-clock", f, places, text, evidence=RuleEvidence(hours=hours))


def offsets(days: DailySeries) -> Ints:
    """Hours by which each place lags behind the others; 0 where uncertain, (N,)."""
    surprise_TN = _surprises(days)
    off = np.zeros(surprise_TN.shape[1], dtype=np.int64)
    total, known = np.nansum(surprise_TN, axis=1), np.isfinite(surprise_TN).sum(axis=1)
    for n in range(len(off)):
        own = surprise_TN[:, n]
        mine = np.isfinite(own)
        count = known - mine
        others = np.where(
            count >= 2, (total - np.where(mine, own, 0.0)) / np.maximum(count, 1), np.nan
        )
        fits = np.array(
            [_correlation(own, others, s) for s in range(-MAX_SHIFT_H - 1, MAX_SHIFT_H + 2)]
        )
        off[n] = _best(fits, max(MIN_GAIN, GAIN_SCALE / np.sqrt(len(days.day_D))))
    return off


def _best(fits: Doubles, better: float) -> int:
    """The shift of a clear peak away from 0, else 0; few days make peaks by chance."""
    middle = MAX_SHIFT_H + 1
    best = int(np.nanargmax(fits)) if np.isfinite(fits).any() else middle
    if best in {0, middle, len(fits) - 1}:
        return 0
    beyond = best + (1 if best > middle else -1)
    clear = fits[best] - fits[middle] >= better and fits[best] - fits[beyond] >= MIN_GAIN
    return best - middle if fits[best] >= MIN_CORRELATION and clear else 0


def _surprises(days: DailySeries) -> Doubles:
    """Scaled hourly changes of deviations from the mean workday or weekend hour, (D * S, N).

    Changes, because a deviation lasts, which blurs when it began.
    """
    left = np.full_like(days.values_DSN, np.nan)
    for rest in (False, True):
        chosen = days.weekend_D == rest
        part = days.values_DSN[chosen]
        if len(part) < 2:
            continue
        known = np.isfinite(part)
        count = np.maximum(known.sum(axis=0), 1)
        left[chosen] = part - np.where(known, part, 0.0).sum(axis=0) / count
    flat = np.diff(left.reshape(len(left) * HOURS, -1), axis=0)
    scale = np.sqrt(np.nanmean(np.where(np.isfinite(flat), flat, 0.0) ** 2, axis=0))
    return np.clip(flat / np.where(scale > 0, scale, np.nan), -4.0, 4.0)


def _correlation(own_T: Doubles, others_T: Doubles, shift: int) -> float:
    """Correlation where the place is taken `shift` hours later than the others."""
    if shift > 0:
        own_T, others_T = own_T[shift:], others_T[:-shift]
    elif shift < 0:
        own_T, others_T = own_T[:shift], others_T[-shift:]
    both = np.isfinite(own_T) & np.isfinite(others_T)
    if both.sum() < MIN_DAYS * HOURS // 2:
        return float("nan")
    a, b = own_T[both] - own_T[both].mean(), others_T[both] - others_T[both].mean()
    size = float(np.sqrt((a**2).sum() * (b**2).sum()))
    return float(a @ b) / size if size else float("nan")
