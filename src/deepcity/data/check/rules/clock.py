"""A clock wrong by hours for a while: the daily pattern jumps earlier or later from a day on.

Each day is compared with the mean day, shifted an hour earlier and an hour later; the difference
estimates how late that day runs. Seasons move this by minutes a week, a wrong clock by a whole
hour from one day to the next. Weather follows solar time, everything else local time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Indices
from deepcity.city.field import Kind
from deepcity.data.check.daily import HOURS, SOLAR_KINDS, DailySeries, daily_series
from deepcity.data.check.rules import View
from deepcity.data.findings import Finding, RuleEvidence

WINDOW = 14  # days before and after a jump
MIN_DAYS = 5  # known days on either side
MIN_SHIFT_H = 0.6  # hours
MIN_SIGNAL_RATIO, MIN_SIGNAL_RATIO_ALONE = (
    4.0,
    6.0,
)  # least jump in noise levels: of all places together, of one alone
MIN_SIGNAL_RATIO_WEATHER = 6.0  # the same for weather, whose patterns may change for a fortnight
MAX_MISFIT_SHARE = (
    0.4  # most of the misfit between before and after that may be left once shifted back
)
MAX_MISFIT_RATIO = (
    2.0  # most misfit left then, as a multiple of a large usual one between two fortnights
)
MIN_CORRELATION, MIN_CORRELATION_ALONE = (
    0.85,
    0.975,
)  # least correlation of the mean days before and after, shifted
MAX_SHIFT_H = 12  # hours, the largest shift


@dataclass(frozen=True)
class Jump:
    """From this day on the pattern is `hours` later than before (negative: earlier)."""

    day: int
    hours: int


def find_warnings(view: View) -> Iterable[Finding]:
    """Jumps of a whole field, then other jumps of single places."""
    for f, field in enumerate(view.panel.fields):
        clocks = [
            days
            for solar_time in _CLOCKS.get(field.kind, (False, True))
            if (days := daily_series(view.panel, view.values_TN(f), solar_time=solar_time))
            is not None
        ]
        if not clocks or len(clocks[0].day_D) < 2 * MIN_DAYS:
            continue
        min_signal_ratio = (
            MIN_SIGNAL_RATIO if field.kind in HUMAN_KINDS else MIN_SIGNAL_RATIO_WEATHER
        )
        shapes = [_shapes(days.values_DSN) for days in clocks]
        both = zip(shapes, clocks, strict=True)
        common = _in_all(
            [jumps(_mean_shapes(s), d, min_signal_ratio, MIN_CORRELATION) for s, d in both]
        )
        if common:
            text = _text(view, clocks[0], common)
            seen = _evidence(view, clocks[0], common)
            yield view.warn("clock", f, range(len(view.panel.places)), text, evidence=seen)
        if len(view.panel.places) > 1:
            yield from _single_places(view, f, clocks, shapes, common)


HUMAN_KINDS = {Kind.COUNT, Kind.FLOW, Kind.SPEED, Kind.LOAD, Kind.ENERGY}
_CLOCKS = dict.fromkeys(SOLAR_KINDS, (True,)) | dict.fromkeys(
    (Kind.COUNT, Kind.FLOW, Kind.SPEED), (False,)
)
"""Whether a kind's days follow solar time; kinds not listed (e.g. load: lamps and shops) follow
both, and only a jump in both is a fault: daylight saving shifts one of them."""


def _in_all(found: list[list[Jump]]) -> list[Jump]:
    """The jumps of the first list that all other lists contain too."""
    first, *others = found
    return [j for j in first if all(any(abs(j.day - o.day) < 4 for o in js) for js in others)]


def _single_places(
    view: View, f: int, clocks: list[DailySeries], shapes: list[Doubles], common: list[Jump]
) -> Iterable[Finding]:
    own: dict[int, tuple[Jump, ...]] = {}
    for n in range(len(view.panel.places)):
        both = zip(shapes, clocks, strict=True)
        each = [
            jumps(s[:, :, n], d, MIN_SIGNAL_RATIO_ALONE, MIN_CORRELATION_ALONE) for s, d in both
        ]
        new = [j for j in _in_all(each) if all(abs(j.day - c.day) > WINDOW for c in common)]
        own[n] = tuple(new)
    for same in dict.fromkeys(js for js in own.values() if js):
        places = [n for n, js in own.items() if js == same]
        seen = _evidence(view, clocks[0], same)
        yield view.warn("clock", f, places, _text(view, clocks[0], list(same)), evidence=seen)


def _shapes(values_DSN: Doubles) -> Doubles:
    """Days scaled to mean 0 and norm 1; NaN for a day with more than four missing hours."""
    known = np.isfinite(values_DSN)
    enough = known.sum(axis=1, keepdims=True) >= HOURS - 4
    filled = np.where(known, values_DSN, 0.0)
    mean = filled.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    moved = np.where(known, filled - mean, 0.0)
    length = np.sqrt((moved**2).sum(axis=1, keepdims=True))
    return np.where(enough & (length > 0), moved / np.where(length > 0, length, 1.0), np.nan)


def _mean_shapes(shapes_DSN: Doubles) -> Doubles:
    """The shape of all places' days, (D, S)."""
    known_D1 = np.isfinite(shapes_DSN[:, 0]).sum(axis=1)[:, None]
    total = np.nansum(shapes_DSN, axis=2)
    return _shapes(np.where(known_D1 > 0, total, np.nan)[:, :, None])[:, :, 0]


def jumps(
    shapes_DS: Doubles, days: DailySeries, min_signal_ratio: float, min_correlation: float
) -> list[Jump]:
    """Every jump of one series of days, in order.

    Args:
        min_signal_ratio: least size, in noise levels.
        min_correlation: least correlation of the mean days on both sides once shifted.
    """
    late_D = lateness(shapes_DS, days.weekend_D)
    known = np.flatnonzero(np.isfinite(late_D))
    if len(known) < 2 * MIN_DAYS:
        return []
    late_K = np.clip(late_D[known], -3.0, 3.0)
    moved_K = _level_change(late_K)
    usual = _noise_level(late_K, moved_K)
    misfit = _misfit(shapes_DS, days.weekend_D, known)
    found: list[Jump] = []
    left_K = np.abs(moved_K)
    while len(left_K) and np.nanmax(left_K) >= max(MIN_SHIFT_H, min_signal_ratio * usual):
        k = int(np.nanargmax(left_K))
        jump = _verified(shapes_DS, days.weekend_D, known, k, misfit, min_correlation)
        if jump is not None:
            found.append(Jump(int(known[_split(late_K, k)]), jump.hours))
        left_K[max(0, k - WINDOW) : k + WINDOW] = np.nan
        if np.isnan(left_K).all():
            break
    return sorted(found, key=lambda jump: jump.day)


def _split(late_K: Doubles, k: int) -> int:
    """The exact split between the days before and after, near the k-th."""
    begin, end = max(0, k - WINDOW), min(len(late_K), k + WINDOW)
    before, after = np.median(late_K[begin:k]), np.median(late_K[k:end])
    fits = np.abs(late_K[begin:end] - before), np.abs(late_K[begin:end] - after)
    nearby = range(max(begin + 1, k - WINDOW // 2), min(end, k + WINDOW // 2))
    return min(nearby, key=lambda s: float(fits[0][: s - begin].sum() + fits[1][s - begin :].sum()))


def lateness(shapes_DS: Doubles, weekend_D: Bools) -> Doubles:
    """Hours by which each day runs later than the mean workday or weekend day, (D,)."""
    late_D = np.full(len(shapes_DS), np.nan)
    for rest in (False, True):
        chosen = (weekend_D == rest) & np.isfinite(shapes_DS[:, 0])
        if chosen.sum() < 3:
            continue
        usual = _usual(shapes_DS[chosen])
        early, late = np.roll(usual, -1), np.roll(usual, 1)
        scale = 1.0 - float(usual @ np.roll(usual, 2))
        late_D[chosen] = shapes_DS[chosen] @ (late - early) / max(scale, 1e-3)
    return late_D


def _usual(shapes_KS: Doubles) -> Doubles:
    """The mean shape, scaled to norm 1."""
    usual = shapes_KS.mean(axis=0)
    length = float(np.sqrt((usual**2).sum()))
    return np.asarray(usual / length) if length else usual


def _level_change(late_K: Doubles) -> Doubles:
    """How much later the days from each one on run than those before it; NaN near the ends."""
    moved = np.full(len(late_K), np.nan)
    for k in range(MIN_DAYS, len(late_K) - MIN_DAYS + 1):
        if k < len(late_K):
            before, after = late_K[max(0, k - WINDOW) : k], late_K[k : k + WINDOW]
            moved[k] = np.median(after) - np.median(before)
    return moved


def _noise_level(late_K: Doubles, moved_K: Doubles) -> float:
    """Noise level: the usual difference between neighbouring windows, at least that of chance.

    Estimated from the lower third, because in a short record most windows may touch a jump.
    """
    steps = np.abs(np.diff(late_K))
    chance = 1.4826 * float(np.median(steps)) * float(np.sqrt(1.57 / WINDOW))
    third = float(np.nanquantile(np.abs(moved_K), 0.33)) / 0.426
    return float(max(chance, third, 1e-6))


def _misfit(shapes_DS: Doubles, weekend_D: Bools, known: Indices) -> float:
    """80 % quantile of the misfit (1 - correlation) between two neighbouring fortnights."""
    splits = range(WINDOW, len(known) - MIN_DAYS, WINDOW // 2)
    fits = [_fits(shapes_DS, weekend_D, known, k, (0,)) for k in splits]
    misfits = [1.0 - float(fit[0]) for fit in fits if fit is not None]
    return float(np.quantile(misfits, 0.8)) if misfits else 0.0


def _fits(
    shapes_DS: Doubles,
    weekend_D: Bools,
    known: Indices,
    k: int,
    shifts: Sequence[int],
) -> Doubles | None:
    """Correlation of the mean day after the k-th with that before, moved by each shift.

    Uses workdays, which are more alike, or weekends where there are too few workdays.
    """
    before, after = known[max(0, k - WINDOW) : k], known[k : k + WINDOW]
    for rest, min_days in ((False, 4), (True, 2)):
        one, two = before[weekend_D[before] == rest], after[weekend_D[after] == rest]
        if min(len(one), len(two)) >= min_days:
            usual, later = _usual(shapes_DS[one]), _usual(shapes_DS[two])
            return np.array([float(np.roll(usual, s) @ later) for s in shifts])
    return None


def _verified(
    shapes_DS: Doubles,
    weekend_D: Bools,
    known: Indices,
    k: int,
    misfit: float,
    min_correlation: float,
) -> Jump | None:
    """The jump at the k-th known day, if moving the clock by whole hours explains it.

    Behaviour changes too (a station closes, a lockdown ends); then the shape of days differs too.
    """
    fits = _fits(shapes_DS, weekend_D, known, k, range(-MAX_SHIFT_H, MAX_SHIFT_H + 1))
    if fits is None:
        return None
    best = int(np.argmax(fits))
    still, moved = 1.0 - fits[MAX_SHIFT_H], 1.0 - fits[best]
    explained = moved <= MAX_MISFIT_SHARE * still and moved <= max(MAX_MISFIT_RATIO * misfit, 0.002)
    hours = best - MAX_SHIFT_H
    return (
        Jump(int(known[k]), hours)
        if hours and explained and fits[best] >= min_correlation
        else None
    )


def _evidence(view: View, days: DailySeries, found: Sequence[Jump]) -> RuleEvidence:
    """The first jump; until the next one, which may be the way back."""
    first, *later = found
    ends = [view.second(int(days.first_D[jump.day])) for jump in later[:1]]
    from_s = view.second(int(days.first_D[first.day]))
    return RuleEvidence(from_s, ends[0] if ends else None, hours=first.hours)


def _text(view: View, days: DailySeries, found: list[Jump]) -> str:
    parts = [
        f"{'later' if jump.hours > 0 else 'earlier'} by {abs(jump.hours)} h from "
        f"{view.when(int(days.first_D[jump.day]))[:10]} on"
        for jump in found[:4]
    ]
    more = f" and {len(found) - 4} more jumps" if len(found) > 4 else ""
    hint = (
        "this is when daylight saving changes: state time.zone as the records keep it"
        if all(_changes(view, days, jump) for jump in found)
        else "the clock was wrong for a while: correct the times, or split the source there"
    )
    return f"the daily pattern is {', '.join(parts)}{more}; {hint}"


def _changes(view: View, days: DailySeries, jump: Jump) -> bool:
    """Whether the city's offset changes within two days of the jump."""
    steps = days.first_D[[max(0, jump.day - 2), min(jump.day + 2, len(days.first_D) - 1)]]
    times = view.panel.time_T[steps]
    local = view.panel.clock.local_seconds(times) - times
    return bool(local[0] != local[1]) and abs(jump.hours) == 1
