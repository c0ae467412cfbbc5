"""Deciding whether to warn: the probability that a value crosses a threshold, and how soon.

The probability is the share of past errors with which the forecast would cross. The cutoff
from which a warning is given minimises the cost on past days, by five-fold cross-validation.

Shapes: B earlier origins, N places, H horizon steps.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import Past, State
from deepcity.city.arrays import Bools, Doubles, Floats
from deepcity.city.clock import DAY_S
from deepcity.city.units import convert

_FOLDS = 5
_CUTOFFS = np.linspace(0.01, 0.99, 99)
_LEAST = 1e-3  # of the threshold: below it no ratio is taken
_HOUR_S = DAY_S / 24


@dataclass(frozen=True)
class Costs:
    """Cost of a missed step and of a falsely warned one, in any unit, both over zero."""

    miss: float = 1.0
    false_alarm: float = 1.0

    @property
    def cutoff(self) -> float:
        """For calibrated probabilities: from here on a warning costs less than none."""
        return self.false_alarm / (self.false_alarm + self.miss)


@dataclass(frozen=True)
class WarnAbove:
    """A warning for every place that will probably go above a threshold, from its first time.

    The certainty is the probability of the likeliest crossing; without a warning, that this
    crossing does not occur.

    Attributes:
        threshold, unit: the level to warn of.
        costs: that the cutoff minimises.
        relative: whether errors grow with the level, as those of concentrations do (Ott 1990,
            "A physical explanation of the lognormality of pollutant concentrations").
    """

    threshold: float
    unit: str
    costs: Costs = Costs()
    relative: bool = False
    confirm: Confirm = Confirm.AUTHORITY

    def level(self, unit: str) -> float:
        """The threshold in another unit.

        Raises:
            UnitError: if the units measure different things.
        """
        return float(convert(np.array([self.threshold]), self.unit, unit)[0])

    def probability_NH(self, state: State) -> Doubles:
        """Probability that each place is above the threshold at each step."""
        level = self.level(state.unit)
        found_1NH = crossing(state.forecast_NH[None], state.past, level, relative=self.relative)
        return np.asarray(found_1NH[0])

    def cutoff(self, state: State) -> float:
        """The probability from which on it warns."""
        return chosen_cutoff(state.past, self.level(state.unit), self.costs, self.relative)

    def __call__(self, state: State) -> Decision:
        """The decision, valid until the next step's forecast."""
        probability_NH, cutoff = self.probability_NH(state), self.cutoff(state)
        warned_NH = probability_NH >= cutoff
        likeliest = float(probability_NH.max(initial=0.0))
        level = self.level(state.unit)
        numbers = {
            "threshold": level,
            "cutoff": cutoff,
            "probability": likeliest,
            "miss": self.costs.miss,
            "false-alarm": self.costs.false_alarm,
            "crossed": float((state.past.truth_BNH > level).sum()),  # steps of the past days
        }
        any_warned = bool(warned_NH.any())
        return Decision(
            actions=tuple(_warnings(state, probability_NH, warned_NH)),
            reasons=(Reason("crossing-likely" if any_warned else "crossing-unlikely", numbers),),
            certainty=likeliest if any_warned else 1.0 - likeliest,
            valid_until_s=state.valid_until_s,
            confirm=self.confirm if any_warned else Confirm.NOBODY,
        )


def _warnings(state: State, probability_NH: Doubles, warned_NH: Bools) -> list[Action]:
    """One warning per place, the soonest first."""
    found = []
    for place in np.flatnonzero(warned_NH.any(axis=1)):
        first = int(np.argmax(warned_NH[place]))
        numbers = {
            "probability": float(probability_NH[place, first]),
            "highest-probability": float(probability_NH[place].max()),
            "lead-hours": first * state.step_s / _HOUR_S,
        }
        found.append(Action("warn", state.places[place].id, state.time_s(first), numbers))
    return sorted(found, key=lambda one: (one.at_s, one.place))


def crossing(forecast_XNH: Floats, past: Past, threshold: float, *, relative: bool) -> Doubles:
    """Probability of being above the threshold, (X, N, H), for X forecasts of the same places.

    Never higher for a higher threshold. A place and step without a known past error takes the
    errors of all places at that step; without any, it is 0 or 1 by the forecast alone.
    """
    scaled = _scaled(threshold, relative=relative)
    errors_BNH = scaled(past.truth_BNH) - scaled(past.forecast_BNH)
    distance_X = scaled(threshold) - scaled(forecast_XNH)
    _, places, steps = forecast_XNH.shape
    found = np.empty(forecast_XNH.shape)
    for place in range(places):
        for step in range(steps):
            errors = _known(errors_BNH[:, place, step])
            if not len(errors):
                errors = _known(errors_BNH[:, :, step])
            found[:, place, step] = _share_above(errors, distance_X[:, place, step])
    return found


def _scaled(threshold: float, *, relative: bool) -> Callable[[ArrayLike], Doubles]:
    """Values as they are, or their logarithms where errors are ratios."""
    if not relative:
        return lambda values: np.asarray(values, np.float64)
    least = _LEAST * threshold
    return lambda values: np.log(np.maximum(np.asarray(values, np.float64), least))


def _known(errors: Doubles) -> Doubles:
    return np.sort(errors[np.isfinite(errors)])


def _share_above(errors: Doubles, distance_X: Doubles) -> Doubles:
    """Share of sorted errors greater than a forecast's distance to the threshold."""
    if not len(errors):
        errors = np.zeros(1)
    above = len(errors) - np.searchsorted(errors, distance_X, side="right")
    return np.asarray(np.where(np.isfinite(distance_X), above / len(errors), 0.0))


@lru_cache(maxsize=16)
def chosen_cutoff(past: Past, threshold: float, costs: Costs, relative: bool) -> float:
    """The cutoff of least cost on the past days; `Costs.cutoff` where nothing crossed."""
    truth_BNH = past.truth_BNH
    known = np.isfinite(truth_BNH)
    above = truth_BNH[known] > threshold
    if not above.any():
        return costs.cutoff
    probability = crossvalidated(past, threshold, relative=relative)[known]
    spent = [
        costs.miss * float((above & (probability < cutoff)).sum())
        + costs.false_alarm * float((~above & (probability >= cutoff)).sum())
        for cutoff in _CUTOFFS
    ]
    best = np.flatnonzero(np.array(spent) == min(spent))
    return float(min(_CUTOFFS[best], key=lambda cutoff: abs(cutoff - costs.cutoff)))


def crossvalidated(past: Past, threshold: float, *, relative: bool) -> Doubles:
    """Probabilities of the past days, each fold by the errors of the others, (B, N, H)."""
    count = len(past.truth_BNH)
    found = np.empty(past.truth_BNH.shape)
    for fold in np.array_split(np.arange(count), min(_FOLDS, count)):
        others = np.setdiff1d(np.arange(count), fold)
        rest = Past(past.forecast_BNH[others], past.truth_BNH[others])
        found[fold] = crossing(past.forecast_BNH[fold], rest, threshold, relative=relative)
    return found
