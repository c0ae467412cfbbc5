"""Deciding on the peak of the coming day: when, how high, how sure, and which places carry it.

Past errors are put on the forecast as whole paths, so that errors of neighbouring steps and of all
places at one time stay together; each path has a peak of its own (Clark et al. 2004, "The Schaake
shuffle"). So are those of naive forecasts, and height, hour and carriers are weighed over all
sources (`deepcity.applications.tasks.peak_sources`). When the peak comes is also asked of the
newest days known, half and half: a day's course is a matter of habit, which forecasts of the height
do not learn.

Shapes: B earlier origins, P paths, D days, N places, H horizon steps, T steps before now, Q
quantiles.
"""

from dataclasses import dataclass, replace

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import State
from deepcity.applications.tasks.peak_sources import (
    NEWEST,
    Source,
    peaks_near,
    recency,
    sources,
)
from deepcity.applications.tasks.pool import LEARNED, Pool, weigh
from deepcity.city.arrays import Doubles
from deepcity.city.clock import DAY_S

_HOUR_S = 3600
_USUAL_DAYS = 28


@dataclass(frozen=True)
class PeakOfDay:
    """One action for the peak of all places' total, and one for each place that could shift.

    A place could shift if it carries more of the peak than of all that was measured before. The
    certainty is the probability that the peak comes within `near_hours` of the time named; 0
    where neither past errors nor past days are known.

    Attributes:
        code, shift: of the actions.
        near_hours: what counts as the time named.
        most: greatest number of places that are asked to shift.
    """

    code: str
    shift: str = "shift-load"
    confirm: Confirm = Confirm.OPERATOR
    near_hours: float = 1.0
    most: int = 3

    def __call__(self, state: State) -> Decision:
        """The decision, valid until the next step's forecast."""
        if not len(state.places) or not np.isfinite(state.forecast_NH).any(axis=0).all():
            return Decision((), (Reason("no-forecast"),), 0.0, state.valid_until_s, self.confirm)
        found = sources(state)
        peak, *weighed = _peak(state, found, self.near_hours)
        place = int(np.nanargmax(state.forecast_NH[:, peak.step]))
        carried = float(state.forecast_NH[place, peak.step])
        at_s = state.time_s(peak.step)
        cover = Action(
            self.code,
            state.places[place].id,
            at_s,
            {"value": carried, "probability": peak.probability},
        )
        shifters: list[Carrier] = []
        if len(state.places) > 1:
            shifters, shares = _carriers(state, found, peak.step)
            shifters, weighed = shifters[: self.most], [*weighed, shares]
        asked = [
            Action(
                self.shift,
                state.places[one.place].id,
                at_s,
                {"value": one.excess, "probability": one.probability},
            )
            for one in shifters
        ]
        return Decision(
            actions=(cover, *asked),
            reasons=(
                Reason("peak-ahead", {**peak.numbers, "near-hours": self.near_hours}),
                *(
                    Reason("above-usual-share", one.numbers, state.places[one.place].id)
                    for one in shifters
                ),
                *(
                    pool.reason(of)
                    for of, pool in zip(("height", "hour", "shares"), weighed, strict=False)
                    if len(found) > 1
                ),
            ),
            certainty=peak.probability,
            valid_until_s=state.valid_until_s,
            confirm=self.confirm,
        )


@dataclass(frozen=True)
class Peak:
    """The peak of all places' total, in the state's unit.

    Attributes:
        value: the median of the paths' peaks; `low` to `high` holds 90 % of them.
        probability: that it comes within the hours asked for of `step`; 0: nothing known.
        usual: median of the highest totals of the newest days; None where none is known.
    """

    step: int
    value: float
    low: float
    high: float
    probability: float
    usual: float | None

    @property
    def numbers(self) -> dict[str, float]:
        """Its numbers for a reason."""
        found = {
            "value": self.value,
            "low": self.low,
            "high": self.high,
            "probability": self.probability,
        }
        return found if self.usual is None else {**found, "usual": self.usual}


def peak_of(state: State, near_hours: float) -> Peak:
    """When and how high the total of all places peaks.

    Its step is that with the most peaks near it, of paths and of days known; of equals the one at
    which most are, and then the one with the highest forecast.

    Args:
        state: with a forecast of at least one place at every step.
    """
    return _peak(state, sources(state), near_hours)[0]


def _peak(state: State, found: dict[str, Source], near_hours: float) -> tuple[Peak, Pool, Pool]:
    """The peak, and what its height and its hour are weighed by."""
    near = round(near_hours * _HOUR_S / state.step_s)
    (low, value, high), by_height = _height(state, found)
    aside = state.past.aside  # errors of the height drift with the season; of the hour, hardly
    kept = found if aside is None else sources(replace(state, past=aside))
    near_H, exact_H, by_hour = _hour(state, kept, near)
    days_DH, total_H = known_days(state), found[LEARNED].total_H
    both = [(near_H, exact_H)] if len(kept[LEARNED].rows_P) else []
    both += [(peaks_near(days_DH, near), peaks_near(days_DH, 0))] if len(days_DH) else []
    near_H, exact_H = np.mean(both or [(0 * total_H, 0 * total_H)], axis=0)
    step = max(range(len(total_H)), key=lambda one: (near_H[one], exact_H[one], total_H[one]))
    daily_D = days_DH.max(axis=1)
    usual = float(np.median(daily_D)) if len(daily_D) else None
    peak = Peak(step, float(value), float(low), float(high), float(near_H[step]), usual)
    return peak, by_height, by_hour


def _height(state: State, found: dict[str, Source]) -> tuple[Doubles, Pool]:
    """Low end, median and high end of the height, (Q,), by all sources."""
    ways = [(name, one, False) for name, one in found.items()]
    ways += [(name + NEWEST, one, True) for name, one in found.items() if len(found) > 1]
    learned = found[LEARNED]
    came_P = learned.came_PH.max(axis=1)
    unit_P = np.where(came_P > 0, came_P, np.nan)  # errors are shares of what came
    weight_P = recency(state)[learned.rows_P]
    pool = weigh(
        {name: one.past_heights(newest=newest) / unit_P for name, one, newest in ways},
        came_P / unit_P,
        float(weight_P.sum()),
        weight_P,
    )
    return pool.mean({name: one.heights(newest=newest) for name, one, newest in ways}), pool


def _hour(state: State, found: dict[str, Source], near: int) -> tuple[Doubles, Doubles, Pool]:
    """Probability that the peak comes near each step, and at it, (H,) each, by all paths."""
    learned = found[LEARNED]
    steps_H = np.arange(state.forecast_NH.shape[1])
    came_PH = np.abs(learned.came_PH.argmax(axis=1)[:, None] - steps_H) <= near
    pool = weigh(
        {name: one.past_hours(near).ravel() for name, one in found.items()},
        came_PH.astype(np.float64).ravel(),
        float(len(learned.rows_P)),
    )
    if not len(learned.rows_P):
        return np.zeros(len(steps_H)), np.zeros(len(steps_H)), pool
    hours = {name: one.hours(near) for name, one in found.items()}
    near_H, exact_H = (pool.mean({name: one[at] for name, one in hours.items()}) for at in (0, 1))
    return near_H, exact_H, pool


def error_paths(state: State, total_H: Doubles) -> Doubles:
    """The forecast total with the errors of each past origin, (P, H).

    Errors are ratios, or differences where a total is not over 0. Places that were not measured are
    taken to err as the others.
    """
    return Source.of(state.forecast_NH, state.past).paths(total_H)


def known_days(state: State) -> Doubles:
    """Totals of the newest days known whole, each from this time of the day on for as many steps
    as are forecast, (D, H), oldest first.
    """
    per_day, ahead = DAY_S // state.step_s, state.forecast_NH.shape[1]
    nothing = np.empty((0, ahead))
    if state.known_TN is None or not 0 < ahead <= per_day:
        return nothing
    days = min(_USUAL_DAYS, len(state.known_TN) // per_day)
    newest_TN = state.known_TN[len(state.known_TN) - days * per_day :]
    total_T = newest_TN.sum(axis=1, dtype=np.float64)
    found_DH = total_T.reshape(days, per_day)[:, :ahead]
    return np.asarray(found_DH[np.isfinite(found_DH).all(axis=1)])


@dataclass(frozen=True)
class Carrier:
    """A place that carries more of the peak than of all that was measured before.

    Attributes:
        share, usual_share: of the total at the peak, and of all known.
        excess: what it carries above its usual share, in the state's unit.
        probability: that it will be above; 0 where no past error is known.
    """

    place: int
    share: float
    usual_share: float
    excess: float
    probability: float

    @property
    def numbers(self) -> dict[str, float]:
        """Its numbers for a reason."""
        return {
            "share": self.share,
            "usual-share": self.usual_share,
            "excess": self.excess,
            "probability": self.probability,
        }


def carriers(state: State, step: int) -> list[Carrier]:
    """The places expected above their usual share at the peak, the largest excess first.

    Each path has its peak at a step of its own, and excesses there are averaged; without a past
    error the forecast at `step` is all there is.
    """
    return _carriers(state, sources(state), step)[0]


def _carriers(state: State, found: dict[str, Source], step: int) -> tuple[list[Carrier], Pool]:
    """The carriers, and what they are weighed by."""
    usual_N = usual_shares(state)
    pool = _share_pool(state, found, usual_N)
    excess, chance, total = {}, {}, 0.0
    for name, one in found.items():
        value_PN, known = one.carried(), True
        if not len(value_PN):
            value_PN, known = np.asarray(one.forecast_NH[None, :, step], np.float64), False
        total_P1 = np.nansum(value_PN, axis=1, keepdims=True)
        value_PN, total_P1 = value_PN[total_P1[:, 0] > 0], total_P1[total_P1[:, 0] > 0]
        if not len(value_PN):
            return [], pool
        excess_PN = value_PN - usual_N * total_P1
        excess[name] = excess_PN.mean(axis=0)
        chance[name] = (excess_PN > 0).mean(axis=0) if known else np.zeros(len(usual_N))
        total += pool.weights[name] * float(total_P1.mean())
    excess_N, chance_N = pool.mean(excess), pool.mean(chance)
    share_N = usual_N + excess_N / total  # of all paths' peaks together
    order = sorted(np.flatnonzero(excess_N > 0).tolist(), key=lambda n: (-excess_N[n], n))
    return [
        Carrier(n, *(float(one[n]) for one in (share_N, usual_N, excess_N, chance_N)))
        for n in order
    ], pool


def _share_pool(state: State, found: dict[str, Source], usual_N: Doubles) -> Pool:
    """By the excesses of past peaks."""
    if len(found) == 1:
        return weigh({LEARNED: np.empty(0)}, np.empty(0), 0.0)
    learned = found[LEARNED]
    step_P = learned.came_PH.argmax(axis=1)
    came_PN = np.asarray(state.past.truth_BNH[learned.rows_P, :, step_P], np.float64)
    weight_P = recency(state)[learned.rows_P]
    return weigh(
        {name: _excess(one.past_carried(), usual_N).ravel() for name, one in found.items()},
        _excess(came_PN, usual_N).ravel(),
        float(weight_P.sum()),
        np.repeat(weight_P, len(usual_N)),
    )


def _excess(value_PN: Doubles, usual_N: Doubles) -> Doubles:
    return np.asarray(value_PN - usual_N * np.nansum(value_PN, axis=1, keepdims=True))


def usual_shares(state: State) -> Doubles:
    """Each place's share of the total of its mean values, (N,); NaN where nothing is known."""
    known_XN = state.known_TN
    if known_XN is None:
        known_XN = np.moveaxis(state.past.truth_BNH, 1, 2).reshape(-1, len(state.places))
    count_N = np.isfinite(known_XN).sum(axis=0)
    mean_N = np.nansum(known_XN, axis=0, dtype=np.float64) / np.where(count_N, count_N, np.nan)
    total = float(np.nansum(mean_N))
    return mean_N / total if total > 0 else np.full(len(mean_N), np.nan)
