"""A place that ends and another that takes over: a moved sensor, or a renumbered station.

Both are one series under two names where the second begins within days of the first one's end,
at its level and with its daily pattern, and nothing else begins or ends then that fits.

Shapes: T steps, N places, S slots of a week.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Doubles
from deepcity.city.clock import DAY_S, WEEK_S
from deepcity.city.place import Place
from deepcity.data.check.presence import Presence, others_report, presences
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

MIN_DAYS = 14  # known days of each of the two
MAX_APART_DAYS = 3.0  # between the end of one and the beginning of the other, either way
MAX_LEVEL_FACTOR = 1.5  # of their means
MIN_CORRELATION = 0.8  # of their typical weeks
MAX_KM = 2.0  # between their positions, where both are known
KM_PER_DEGREE = 111.2


@dataclass(frozen=True)
class _Pair:
    """A place that ends and one that begins; how alike their weeks are."""

    old: int
    new: int
    at: int
    likeness: float


def find_warnings(view: View) -> Iterable[Finding]:
    """Pairs of places of which one carries on where the other ends."""
    step_s = view.panel.clock.step_s
    steps, per_day = len(view.panel.time_T), DAY_S / step_s
    if len(view.panel.places) < 2 or step_s > DAY_S or steps < 2 * MIN_DAYS * per_day:
        return
    for f in range(len(view.panel.fields)):
        values_TN = view.values_TN(f)
        for pair in _pairs(view, values_TN, np.isfinite(values_TN)):
            old, new = (view.panel.places[n].id for n in (pair.old, pair.new))
            text = (
                f"{old} ends and {new} begins around {view.day(pair.at)}, at the same level and "
                f"with the same week: one sensor that was moved or renumbered? If so, give both "
                f"one name in the records"
            )
            places = [pair.old, pair.new]
            seen = RuleEvidence(view.second(pair.at))
            yield view.warn("handover", f, places, text, view.day(pair.at), seen)


def _pairs(view: View, values_TN: Doubles, known_TN: Bools) -> list[_Pair]:
    """The best match of every ending, each beginning used once."""
    steps = len(values_TN)
    per_day = DAY_S / view.panel.clock.step_s
    least, apart = MIN_DAYS * per_day, MAX_APART_DAYS * per_day
    found = presences(known_TN, steps)
    ends = {n: one.stop for n, one in found.items() if _is_end(known_TN, n, one, least)}
    begins = {n: one.first for n, one in found.items() if _is_begin(known_TN, n, one, least)}
    pairs = [
        _Pair(old, new, begins[new], likeness)
        for old in ends
        for new in begins
        if old != new
        and abs(begins[new] - ends[old]) <= apart
        and _near(view.panel.places[old], view.panel.places[new])
        and (likeness := _likeness(view, values_TN, old, new)) >= MIN_CORRELATION
    ]
    chosen: dict[int, _Pair] = {}
    for pair in sorted(pairs, key=lambda one: -one.likeness):
        if pair.old not in chosen and all(pair.new != other.new for other in chosen.values()):
            chosen[pair.old] = pair
    return list(chosen.values())


def _is_end(known_TN: Bools, n: int, one: Presence, least: float) -> bool:
    steps = len(known_TN)
    enough = known_TN[:, n].sum() >= least and steps - one.stop >= least
    return bool(enough) and others_report(known_TN, n, one.stop, steps)


def _is_begin(known_TN: Bools, n: int, one: Presence, least: float) -> bool:
    enough = known_TN[:, n].sum() >= least and one.first >= least
    return bool(enough) and others_report(known_TN, n, 0, one.first)


def _near(one: Place, other: Place) -> bool:
    """Whether two places are near each other, or one of them is nowhere."""
    if one.lat is None or one.lon is None or other.lat is None or other.lon is None:
        return True
    north = (one.lat - other.lat) * KM_PER_DEGREE
    east = (one.lon - other.lon) * KM_PER_DEGREE * np.cos(np.deg2rad(one.lat))
    return bool(np.hypot(north, east) <= MAX_KM)


def _likeness(view: View, values_TN: Doubles, old: int, new: int) -> float:
    """Correlation of two places' typical weeks; -1 where their levels differ too much."""
    weeks = [_typical_week(view, values_TN[:, n]) for n in (old, new)]
    both = np.isfinite(weeks[0]) & np.isfinite(weeks[1])
    if both.sum() < 7 or min(np.std(week[both]) for week in weeks) == 0:
        return -1.0
    means = [float(np.mean(week[both])) for week in weeks]
    if min(means) <= 0 or max(means) > MAX_LEVEL_FACTOR * min(means):
        return -1.0
    return float(np.corrcoef(weeks[0][both], weeks[1][both])[0, 1])


def _typical_week(view: View, values_T: Doubles) -> Doubles:
    """The mean of each hour (or coarser step) of the week; NaN where none is known."""
    slot_s = max(3600, view.panel.clock.step_s)
    local_T = view.panel.clock.local_seconds(view.panel.time_T)
    slot_T = local_T % WEEK_S // slot_s
    known_T = np.isfinite(values_T)
    count = np.bincount(slot_T[known_T], minlength=WEEK_S // slot_s)
    total = np.bincount(slot_T[known_T], weights=values_T[known_T], minlength=WEEK_S // slot_s)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
