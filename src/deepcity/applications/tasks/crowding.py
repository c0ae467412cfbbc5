"""Deciding whether to warn of crowds: each place has a limit of its own.

The limit is a place's capacity, or else a high quantile of what it has seen. Values are divided by
it, and the warning is that of `alert` of going above 1.

Shapes: B earlier origins, N places, H horizon steps.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import Past, State
from deepcity.applications.tasks.alert import WarnAbove
from deepcity.applications.tasks.crossing import Costs
from deepcity.city.arrays import Floats
from deepcity.city.place import Place

_EVEN = Costs()
RATIO = "1"
"""Unit of values divided by their limits."""


@dataclass(frozen=True)
class WarnAboveOwnLimit:
    """A warning for every place that will probably go above its own limit.

    Certainty and cutoff are those of `WarnAbove`. A place without a limit over 0 is not warned.

    Attributes:
        quantile: of past truths, where no capacity is known.
        costs: that the cutoff minimises.
    """

    code: str
    quantile: float = 0.95
    costs: Costs = _EVEN
    confirm: Confirm = Confirm.OPERATOR

    @property
    def of_ratios(self) -> WarnAbove:
        """The same warning, of values divided by their limits."""
        return WarnAbove(1.0, RATIO, self.costs, relative=True, confirm=self.confirm)

    def limits_N(self, places: tuple[Place, ...], past: Past) -> Floats:
        """Each place's limit, in the field's unit; NaN where it has none."""
        return _limits(places, past, self.quantile)

    def ratios(self, places: tuple[Place, ...], past: Past) -> Past:
        """Past forecasts and truths divided by the limits."""
        return _ratios(places, past, self.quantile)

    def __call__(self, state: State) -> Decision:
        """The decision, valid until the next step's forecast."""
        limit_N = self.limits_N(state.places, state.past)
        made = self.of_ratios(
            replace(
                state,
                unit=RATIO,
                forecast_NH=state.forecast_NH / limit_N[:, None],
                past=self.ratios(state.places, state.past),
                others={name: one_NH / limit_N[:, None] for name, one_NH in state.others.items()},
            )
        )
        index = {place.id: n for n, place in enumerate(state.places)}
        numbers = {
            name: one for name, one in made.reasons[0].numbers.items() if name != "threshold"
        }
        likely = "crowding-likely" if made.actions else "crowding-unlikely"
        limited = int(np.isfinite(limit_N).sum())
        own = Reason(likely, {**numbers, "quantile": self.quantile, "limits": float(limited)})
        return replace(
            made,
            actions=tuple(
                self._action(state, one, index[one.place], limit_N) for one in made.actions
            ),
            reasons=(own, *made.reasons[1:]),
        )

    def _action(self, state: State, warning: Action, place: int, limit_N: Floats) -> Action:
        step = (warning.at_s - state.now_s) // state.step_s
        value = float(state.forecast_NH[place, step])
        numbers = {**warning.numbers, "limit": float(limit_N[place]), "value": value}
        return replace(warning, code=self.code, numbers=numbers)


@lru_cache(maxsize=4)  # both: what is the same for every decision is measured once
def _limits(places: tuple[Place, ...], past: Past, quantile: float) -> Floats:
    found = np.full(len(places), np.nan, np.float32)
    for n, place in enumerate(places):
        truths = past.truth_BNH[:, n]
        truths = truths[np.isfinite(truths)]
        if place.capacity is not None:
            found[n] = place.capacity
        elif len(truths):
            found[n] = np.quantile(truths, quantile)
    return np.where(found > 0, found, np.float32("nan")).astype(np.float32)


@lru_cache(maxsize=4)
def _ratios(places: tuple[Place, ...], past: Past, quantile: float) -> Past:
    return past.scaled(np.float32(1) / _limits(places, past, quantile)[:, None])
