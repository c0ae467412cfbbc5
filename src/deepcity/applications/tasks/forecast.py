"""Deciding from a forecast: act where it is the furthest from the usual.

Shapes: B earlier origins, N places, H horizon steps.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import State
from deepcity.applications.tasks.certainty import certainty
from deepcity.city.field import Kind


@dataclass(frozen=True)
class ActAtExtreme:
    """An action at the places whose forecast extreme is the rarest there, at its time.

    An extreme is rare if few past truths of the same place exceeded it. The certainty is that
    of the least certain action: how often, with past errors, the truth would lie beyond the
    place's usual value (the median of past truths) at that time, no surer than the days known.

    Attributes:
        low: kinds whose lowest value needs action; for all others it is the highest.
        most: greatest number of places to act at.
    """

    code: str
    confirm: Confirm = Confirm.OPERATOR
    low: tuple[Kind, ...] = ()
    most: int = 3

    def __call__(self, state: State) -> Decision:
        """The decision, valid until the next step's forecast."""
        lowest = state.kind in self.low
        known = np.flatnonzero(np.isfinite(state.forecast_NH).any(axis=1))
        found = [_extreme(state, int(place), -1.0 if lowest else 1.0) for place in known]
        chosen = sorted(found, key=lambda one: (one.beyond, one.place))[: self.most]
        if not chosen:
            return Decision((), (Reason("no-forecast"),), 0.0, state.valid_until_s, self.confirm)
        half_NH = state.half_width_NH()
        why = "lowest-ahead" if lowest else "highest-ahead"
        return Decision(
            actions=tuple(
                Action(
                    self.code,
                    state.places[one.place].id,
                    state.time_s(one.step),
                    {"value": one.value, "probability": one.probability},
                )
                for one in chosen
            ),
            reasons=tuple(
                Reason(why, {**one.numbers, **_band(float(half_NH[one.place, one.step]))})
                for one in chosen
            ),
            certainty=min(one.probability for one in chosen),
            valid_until_s=state.valid_until_s,
            confirm=self.confirm,
        )


@dataclass(frozen=True)
class _Extreme:
    """The most extreme step of a place's forecast.

    Attributes:
        usual: median of past truths; None where none is known.
        beyond: share of past truths that were more extreme.
        probability: that the truth is beyond the usual then; 0 where no past error is known.
    """

    place: int
    step: int
    value: float
    usual: float | None
    beyond: float
    probability: float

    @property
    def numbers(self) -> dict[str, float]:
        """Its numbers for a reason."""
        found = {"value": self.value, "beyond": self.beyond}
        return found if self.usual is None else {**found, "usual": self.usual}


def _band(half: float) -> dict[str, float]:
    """Half the width of its band, where it is known."""
    return {"half-band": half} if np.isfinite(half) else {}


def _extreme(state: State, place: int, sign: float) -> _Extreme:
    ahead_H = sign * state.forecast_NH[place]
    step = int(np.nanargmax(ahead_H))
    value = float(state.forecast_NH[place, step])
    truths = state.past.truth_BNH[:, place]
    truths = truths[np.isfinite(truths)]
    errors_B = state.past.errors_BNH[:, place, step]
    known_B = np.isfinite(errors_B)
    errors, days = errors_B[known_B], len(np.unique(state.past.day_B[known_B]))
    if not len(truths):
        return _Extreme(place, step, value, None, 0.0, 0.0)
    usual = float(np.median(truths))
    beyond = float((sign * truths > sign * value).mean())
    unusual = sign * (value + errors) > sign * usual
    sure = certainty(float(unusual.mean()) if days else 0.0, days)
    return _Extreme(place, step, value, usual, beyond, sure)
