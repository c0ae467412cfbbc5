"""How good warnings were: hits, false alarms, lead time, and the Brier score of probabilities.

Shapes: B origins in order of time, N places, H horizon steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepcity.applications.state import Past
from deepcity.applications.tasks.alert import WarnAbove
from deepcity.applications.tasks.crossing import learned_warner
from deepcity.city.arrays import Bools, Doubles, Floats, Ints

_QUIET_HOURS = 6.0  # below the threshold for so long, a rise above it is a new event


@dataclass(frozen=True)
class AlertScores:
    """Scores of warnings over all measured steps (Wilks, "Statistical Methods in the
    Atmospheric Sciences", chapter on forecast verification); NaN where there is nothing to score.

    Attributes:
        csi: critical success index: hits over all steps warned of or above the threshold.
        hit_rate: share of the steps above that were warned of.
        false_alarm_ratio: share of the steps warned of that were not above.
        lead_hours: time between the first unbroken warning of an event and its start: mean
            over events, 0 for one that was missed.
        events: rises above the threshold after a quiet time, over all places.
        brier: mean squared error of the probabilities.
    """

    csi: float
    hit_rate: float
    false_alarm_ratio: float
    lead_hours: float
    events: int
    brier: float


def alert_scores(
    probability_BNH: Doubles,
    warned_BNH: Bools,
    truth_BNH: Floats,
    threshold: float,
    origins_B: Ints,
    step_hours: float,
) -> AlertScores:
    """Score warnings; missing truths count nowhere.

    Args:
        threshold: in the unit of the truths.
        origins_B: step index of each forecast's first step.
    """
    known = np.isfinite(truth_BNH)
    above, warned = truth_BNH[known] > threshold, warned_BNH[known]
    hits = int((above & warned).sum())
    leads = _leads(warned_BNH, truth_BNH, threshold, origins_B, step_hours)
    return AlertScores(
        csi=_share(hits, int((above | warned).sum())),
        hit_rate=_share(hits, int(above.sum())),
        false_alarm_ratio=_share(int((warned & ~above).sum()), int(warned.sum())),
        lead_hours=float(np.mean(leads)) if leads else float("nan"),
        events=len(leads),
        brier=float(np.mean((probability_BNH[known] - above) ** 2)) if len(above) else float("nan"),
    )


def back_test(
    alert: WarnAbove,
    unit: str,
    past: Past,
    forecast_BNH: Floats,
    truth_BNH: Floats,
    origins_B: Ints,
    step_hours: float,
    others: Mapping[str, Floats] | None = None,
) -> tuple[AlertScores, Doubles]:
    """What an alert would have been worth: its scores, and what each step cost, (B, N, H).

    Args:
        unit: of the values.
        past: earlier forecasts by the same method: they give probabilities and the cutoff.
        origins_B: step index of each forecast's first step.
        others: naive forecasts of the same origins, of those that `past` has.
    """
    level = alert.level(unit)
    warner = learned_warner(past, level, alert.costs, alert.relative)
    probability_BNH = warner.probability(
        forecast_BNH, others or {}, past, level, relative=alert.relative
    )
    warned_BNH = probability_BNH >= warner.cutoff
    scores = alert_scores(probability_BNH, warned_BNH, truth_BNH, level, origins_B, step_hours)
    return scores, step_costs(alert, unit, warned_BNH, truth_BNH)


def step_costs(alert: WarnAbove, unit: str, warned_BNH: Bools, truth_BNH: Floats) -> Doubles:
    """What each step's miss or false alarm cost, (B, N, H); NaN where it was not measured."""
    above_BNH = truth_BNH > alert.level(unit)
    missed_BNH, false_BNH = above_BNH & ~warned_BNH, ~above_BNH & warned_BNH
    cost_BNH = alert.costs.miss * missed_BNH + alert.costs.false_alarm * false_BNH
    return np.where(np.isfinite(truth_BNH), cost_BNH, np.nan)


def mean_cost(cost_BNH: Doubles) -> float:
    """Over the measured steps; NaN without any."""
    known = np.isfinite(cost_BNH)
    return float(cost_BNH[known].mean()) if known.any() else float("nan")


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")


def _leads(
    warned_BNH: Bools,
    truth_BNH: Floats,
    threshold: float,
    origins_B: Ints,
    step_hours: float,
) -> list[float]:
    """Lead time of every event, in hours."""
    horizon, found = truth_BNH.shape[-1], []
    truth_SN = _by_step(truth_BNH, origins_B)
    quiet = max(1, round(_QUIET_HOURS / step_hours))
    for place in range(truth_BNH.shape[1]):
        for step in _onsets(truth_SN[:, place], threshold, quiet):
            at = int(origins_B[0]) + step
            covering = np.flatnonzero((origins_B <= at) & (origins_B > at - horizon))
            since = at
            for origin in covering[::-1]:
                if not warned_BNH[origin, place, at - origins_B[origin]]:
                    break
                since = int(origins_B[origin])
            found.append((at - since) * step_hours)
    return found


def _by_step(truth_BNH: Floats, origins_B: Ints) -> Floats:
    """Truths from the first origin on, step by step, (S, N); NaN where none is known."""
    horizon = truth_BNH.shape[-1]
    size = int(origins_B[-1] - origins_B[0]) + horizon if len(origins_B) else 0
    found = np.full((size, truth_BNH.shape[1]), np.nan, np.float32)
    for origin, truth_NH in zip(origins_B - origins_B[:1], truth_BNH, strict=True):
        found[origin : origin + horizon] = truth_NH.T
    return found


def _onsets(truth_S: Floats, threshold: float, quiet: int) -> list[int]:
    """Steps above the threshold after `quiet` measured steps that were not."""
    return [
        step
        for step in range(quiet, len(truth_S))
        if truth_S[step] > threshold and bool(np.all(truth_S[step - quiet : step] <= threshold))
    ]
