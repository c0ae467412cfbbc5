"""Deciding whether to warn: the probability that a value crosses a threshold, and how soon.

Probability and cutoff are those of `deepcity.applications.tasks.crossing`.

Shapes: N places, H horizon steps.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import State
from deepcity.applications.tasks.certainty import certainty
from deepcity.applications.tasks.crossing import Costs, Warner, days_known, learned_warner
from deepcity.city.arrays import Bools, Doubles
from deepcity.city.clock import DAY_S
from deepcity.city.units import convert

_EVEN = Costs()
_HOUR_S = DAY_S / 24


@dataclass(frozen=True)
class WarnAbove:
    """A warning for every place that will probably go above a threshold, from its first time.

    The certainty is the probability of the likeliest crossing; without a warning, that this
    crossing does not occur. It is never more than the days known can bear: of n that all agree
    (n + 1/2) / (n + 1), and 0 where no past error is known.

    Attributes:
        threshold, unit: the level to warn of.
        costs: that the cutoff minimises.
        relative: whether errors grow with the level, as those of concentrations do (Ott 1990,
            "A physical explanation of the lognormality of pollutant concentrations").
    """

    threshold: float
    unit: str
    costs: Costs = _EVEN
    relative: bool = False
    confirm: Confirm = Confirm.AUTHORITY

    def level(self, unit: str) -> float:
        """The threshold in another unit.

        Raises:
            UnitError: if the units measure different things.
        """
        return float(convert(np.array([self.threshold]), self.unit, unit)[0])

    def warner(self, state: State) -> Warner:
        """What past days have taught."""
        return learned_warner(state.past, self.level(state.unit), self.costs, self.relative)

    def probability_NH(self, state: State) -> Doubles:
        """Probability that each place is above the threshold at each step."""
        others = {name: one_NH[None] for name, one_NH in state.others.items()}
        level, forecast_1NH = self.level(state.unit), state.forecast_NH[None]
        found_1NH = self.warner(state).probability(
            forecast_1NH, others, state.past, level, relative=self.relative
        )
        return np.asarray(found_1NH[0])

    def cutoff(self, state: State) -> float:
        """The probability from which on it warns."""
        return self.warner(state).cutoff

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
            reasons=(
                Reason("crossing-likely" if any_warned else "crossing-unlikely", numbers),
                *([self.warner(state).pool.reason()] if state.others else []),
            ),
            certainty=_certainty(state, probability_NH, warned=any_warned),
            valid_until_s=state.valid_until_s,
            confirm=self.confirm if any_warned else Confirm.NOBODY,
        )


def _certainty(state: State, probability_NH: Doubles, *, warned: bool) -> float:
    """Of the likeliest crossing; of equals the one by the most days."""
    likeliest = float(probability_NH.max(initial=0.0))
    days = int(days_known(state.past)[probability_NH == likeliest].max(initial=0))
    share = likeliest if warned else 1.0 - likeliest
    return certainty(share, days)


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
