"""How good peaks were: their height, their hour, their bands, and who was asked to shift.

Shapes: N places, H horizon steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import State
from deepcity.applications.tasks.peak import usual_shares
from deepcity.city.arrays import Doubles, Floats

_HOUR_S = 3600


@dataclass(frozen=True)
class PeakScores:
    """Scores of one peak, or their means over several; NaN where there is nothing to score.

    Attributes:
        height_error: absolute error of the height, as a share of it.
        hours_off: between the time named and the one at which it came.
        near: share that came within the hours that the decision names.
        promised: its certainty.
        covered: share of heights within the band that should hold 90 %.
        carried: of the load above usual shares at the peak, the part that lay at the places asked
            to shift, as a share of what so many places could have had at most.
    """

    height_error: float
    hours_off: float
    near: float
    promised: float
    covered: float
    carried: float

    @staticmethod
    def mean(scores: Sequence["PeakScores"]) -> "PeakScores":
        """Over those that are known, score by score."""
        found = {
            one.name: [
                value
                for value in (getattr(score, one.name) for score in scores)
                if np.isfinite(value)
            ]
            for one in fields(PeakScores)
        }
        return PeakScores(
            **{name: float(np.mean(all_)) if all_ else float("nan") for name, all_ in found.items()}
        )


def peak_score(
    state: State, decision: Decision, truth_NH: Floats, near_hours: float = 1.0
) -> PeakScores | None:
    """Score one decision on a peak; None where the total was not measured at every step, or the
    decision names no peak.

    Args:
        truth_NH: as measured.
    """
    total_H = truth_NH.sum(axis=0, dtype=np.float64)
    if not np.isfinite(total_H).all() or not decision.actions:
        return None
    numbers, step = decision.reasons[0].numbers, int(total_H.argmax())
    height = float(total_H[step])
    off = abs(decision.actions[0].at_s - state.time_s(step)) / _HOUR_S
    low, high = numbers.get("low", np.nan), numbers.get("high", np.nan)
    banded = np.isfinite(low) and np.isfinite(high)
    return PeakScores(
        height_error=abs(numbers["value"] - height) / height if height else float("nan"),
        hours_off=off,
        near=float(off <= near_hours),
        promised=decision.certainty if banded else float("nan"),
        covered=float(low <= height <= high) if banded else float("nan"),
        carried=_carried(state, decision.actions[1:], truth_NH[:, step]),
    )


def _carried(state: State, asked: Sequence[Action], truth_N: Floats) -> float:
    if not asked:
        return float("nan")
    excess_N = np.asarray(truth_N, np.float64) - usual_shares(state) * float(truth_N.sum())
    excess_N = np.maximum(np.nan_to_num(excess_N), 0.0)
    most = float(np.sort(excess_N)[::-1][: len(asked)].sum())
    index = {place.id: n for n, place in enumerate(state.places)}
    return float(sum(excess_N[index[one.place]] for one in asked)) / most if most else float("nan")


@dataclass(frozen=True)
class HighestForecast:
    """The baseline: the highest value of the forecast, at its step; the largest places shift.

    Attributes:
        most: how many places are asked to shift, where there are several.
    """

    most: int = 3

    def __call__(self, state: State) -> Decision:
        """The peak; its certainty is 0, as past errors are not used."""
        total_H: Doubles = np.asarray(np.nansum(state.forecast_NH, axis=0, dtype=np.float64))
        step = int(total_H.argmax())
        order = np.argsort(-np.nan_to_num(state.forecast_NH[:, step]), kind="stable")
        named = [int(order[0]), *(order[: self.most].tolist() if len(order) > 1 else [])]
        return Decision(
            tuple(
                Action("cover-peak", state.places[place].id, state.time_s(step)) for place in named
            ),
            (Reason("highest-ahead", {"value": float(total_H[step])}),),
            0.0,
            state.valid_until_s,
            Confirm.OPERATOR,
        )
