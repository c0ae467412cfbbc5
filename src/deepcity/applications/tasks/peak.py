"""Deciding on the peak of the coming day: when, how high, how sure, and which places carry it.

Past errors are put on the forecast as whole paths, so that errors of neighbouring steps and of all
places at one time stay together; each path has a peak of its own (Clark et al. 2004, "The Schaake
shuffle"). When the peak comes is also asked of the newest days known, half and half: a day's
course is a matter of habit, which forecasts of the height do not learn.

Shapes: B earlier origins, P paths, D days, N places, H horizon steps, T steps before now.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import State
from deepcity.city.arrays import Bools, Doubles
from deepcity.city.clock import DAY_S

_HOUR_S = 3600
_MEASURED = 0.5  # of the places: with fewer a step's total is not known
_BAND = (0.05, 0.5, 0.95)
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
        peak = peak_of(state, self.near_hours)
        place = int(np.nanargmax(state.forecast_NH[:, peak.step]))
        carried = float(state.forecast_NH[place, peak.step])
        at_s = state.time_s(peak.step)
        cover = Action(
            self.code,
            state.places[place].id,
            at_s,
            {"value": carried, "probability": peak.probability},
        )
        shifters = carriers(state, peak.step)[: self.most] if len(state.places) > 1 else []
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
    total_H = np.asarray(np.nansum(state.forecast_NH, axis=0, dtype=np.float64))
    paths_PH, days_DH = error_paths(state, total_H), known_days(state)
    near = round(near_hours * _HOUR_S / state.step_s)
    found = [paths for paths in (paths_PH, days_DH) if len(paths)]
    near_H, exact_H = (
        np.mean([_peaks_near(paths, width) for paths in found] or [0 * total_H], axis=0)
        for width in (near, 0)
    )
    step = max(range(len(total_H)), key=lambda one: (near_H[one], exact_H[one], total_H[one]))
    heights_P = paths_PH.max(axis=1) if len(paths_PH) else total_H.max(keepdims=True)
    low, value, high = (float(one) for one in np.quantile(heights_P, _BAND))
    daily_D = days_DH.max(axis=1)
    usual = float(np.median(daily_D)) if len(daily_D) else None
    return Peak(step, value, low, high, float(near_H[step]), usual)


def _peaks_near(paths_PH: Doubles, near: int) -> Doubles:
    """Share of paths whose peak is so many steps or fewer from each step, (H,)."""
    away_PH = paths_PH.argmax(axis=1)[:, None] - np.arange(paths_PH.shape[1])
    return np.asarray((np.abs(away_PH) <= near).mean(axis=0))


def error_paths(state: State, total_H: Doubles) -> Doubles:
    """The forecast total with the errors of each past origin, (P, H).

    Errors are ratios, or differences where a total is not over 0. Places that were not measured are
    taken to err as the others.
    """
    whole_B, forecast_BNH = whole_origins(state), state.past.forecast_BNH
    errors_PNH = state.past.errors_BNH[whole_B]
    share_PH = np.isfinite(errors_PNH).mean(axis=1, dtype=np.float64)
    error_PH = np.asarray(np.nansum(errors_PNH, axis=1, dtype=np.float64)) / share_PH
    before_PH = np.asarray(np.nansum(forecast_BNH[whole_B], axis=1, dtype=np.float64))
    if (before_PH > 0).all() and (total_H > 0).all():
        return np.asarray(total_H * (1 + error_PH / before_PH))
    return np.asarray(total_H + error_PH)


def whole_origins(state: State) -> Bools:
    """Past origins at each of whose steps half of the places were measured, (B,)."""
    share_BH = np.isfinite(state.past.errors_BNH).mean(axis=1, dtype=np.float64)
    return np.asarray((share_BH >= _MEASURED).all(axis=1))


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
    value_PN, known = _at_peaks(state), True
    if not len(value_PN):
        value_PN, known = np.asarray(state.forecast_NH[None, :, step], np.float64), False
    total_P1 = np.nansum(value_PN, axis=1, keepdims=True)
    value_PN, total_P1 = value_PN[total_P1[:, 0] > 0], total_P1[total_P1[:, 0] > 0]
    if not len(value_PN):
        return []
    usual_N = usual_shares(state)
    excess_PN = value_PN - usual_N * total_P1
    excess_N = excess_PN.mean(axis=0)
    share_N = usual_N + excess_N / total_P1.mean()  # of all paths' peaks together
    chance_N = (excess_PN > 0).mean(axis=0) if known else np.zeros(len(usual_N))
    order = sorted(np.flatnonzero(excess_N > 0).tolist(), key=lambda n: (-excess_N[n], n))
    return [
        Carrier(n, *(float(one[n]) for one in (share_N, usual_N, excess_N, chance_N)))
        for n in order
    ]


def _at_peaks(state: State) -> Doubles:
    """What each place carries at the peak of each path, (P, N); what is not known errs not."""
    total_H = np.asarray(np.nansum(state.forecast_NH, axis=0, dtype=np.float64))
    paths_PH, errors_BNH = error_paths(state, total_H), state.past.errors_BNH
    steps_P = paths_PH.argmax(axis=1)
    errors_PN = errors_BNH[np.flatnonzero(whole_origins(state)), :, steps_P]
    return np.asarray(state.forecast_NH[:, steps_P].T + np.nan_to_num(errors_PN), np.float64)


def usual_shares(state: State) -> Doubles:
    """Each place's share of the total of its mean values, (N,); NaN where nothing is known."""
    known_XN = state.known_TN
    if known_XN is None:
        known_XN = np.moveaxis(state.past.truth_BNH, 1, 2).reshape(-1, len(state.places))
    count_N = np.isfinite(known_XN).sum(axis=0)
    mean_N = np.nansum(known_XN, axis=0, dtype=np.float64) / np.where(count_N, count_N, np.nan)
    total = float(np.nansum(mean_N))
    return mean_N / total if total > 0 else np.full(len(mean_N), np.nan)
