"""A service's state when it decides: forecast, past forecasts with their truths, requests.

Shapes: B earlier origins, N places, H horizon steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.field import Kind
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.learning.evaluation.bands import half_width


@dataclass(frozen=True, eq=False)
class Past:
    """Out-of-sample forecasts of earlier days and their truths, in order of time.

    Attributes:
        forecast_BNH, truth_BNH: in the field's unit; truths are NaN where not measured.
    """

    forecast_BNH: Floats
    truth_BNH: Floats

    @classmethod
    def of(cls, forecast_BNH: Floats, truth_BNH: Floats, steps: int) -> "Past":
        """The first steps alone."""
        return cls(forecast_BNH[..., :steps], truth_BNH[..., :steps])

    @property
    def errors_BNH(self) -> Floats:
        """Truth minus forecast; NaN where not measured."""
        return self.truth_BNH - self.forecast_BNH


@dataclass(frozen=True)
class Request:
    """A group that wants a space, to be planned for.

    Attributes:
        id: unique among the requests of a state.
        lat, lon: where they want to go, in degrees (WGS 84).
        step: of the forecast in which they arrive, 0 .. H-1.
        count: cars in the group.
    """

    id: str
    lat: float
    lon: float
    step: int
    count: int = 1


@dataclass(frozen=True, eq=False)
class State:
    """The input of a service's decision.

    Attributes:
        now_s: UTC seconds at which the first step forecast begins; all before is known.
        places: N places, with positions and capacities where known.
        kind, unit: of the field forecast.
        forecast_NH: in that unit.
        past: earlier forecasts of the same places and steps, with their truths.
        requests: those that a plan must answer; none for other tasks.
    """

    now_s: int
    step_s: int
    places: tuple[Place, ...]
    kind: Kind
    unit: str
    forecast_NH: Floats
    past: Past
    requests: tuple[Request, ...] = ()

    @classmethod
    def of(
        cls,
        panel: Panel,
        field: str,
        now_s: int,
        forecast_NH: Floats,
        past: Past,
        requests: Sequence[Request] = (),
    ) -> "State":
        """The state of a panel's places at a time.

        Args:
            forecast_NH: may look further ahead than `past`, whose steps alone count.
        """
        what = panel.fields[panel.field_index(field)]
        return cls(
            now_s=now_s,
            step_s=panel.clock.step_s,
            places=panel.places,
            kind=what.kind,
            unit=what.unit,
            forecast_NH=forecast_NH[:, : past.truth_BNH.shape[-1]],
            past=past,
            requests=tuple(requests),
        )

    @property
    def valid_until_s(self) -> int:
        """The end of the first step, when a newer value and forecast are known."""
        return self.now_s + self.step_s

    def time_s(self, step: int) -> int:
        """When a step of the forecast begins, UTC seconds."""
        return self.now_s + step * self.step_s

    def half_width_NH(self, level: float = 0.9) -> Floats:
        """Half the width of the band that covers the truth with this frequency; NaN where no past
        error is known.
        """
        if not np.isfinite(self.past.errors_BNH).any():
            return np.full_like(self.forecast_NH, np.nan)
        return half_width(self.past.forecast_BNH, self.past.truth_BNH, level)
