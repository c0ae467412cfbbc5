"""A service's state when it decides: what was measured, what is forecast, how earlier forecasts
came true, requests.

Shapes: T steps before now, B earlier origins, N places, H horizon steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.clock import DAY_S
from deepcity.city.field import Kind
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.learning.evaluation.bands import half_width

KNOWN_DAYS = 91
"""How many days of measured values a state holds at most: 13 whole weeks."""


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
        known_TN: measured values of the field up to now, oldest first, one step a row; the last
            row's step ends at `now_s`. NaN where not measured, as in the newest rows where
            records are late. None where its maker has no rows.
        adjacency_NN: weight of the edge between each two places, 0 or more; None without a graph.
        time_zone: IANA name, of the city's wall times.
    """

    now_s: int
    step_s: int
    places: tuple[Place, ...]
    kind: Kind
    unit: str
    forecast_NH: Floats
    past: Past
    requests: tuple[Request, ...] = ()
    known_TN: Floats | None = None
    adjacency_NN: Floats | None = None
    time_zone: str = "UTC"

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
            panel: its rows before `now_s` are what is known, `KNOWN_DAYS` at most; later rows
                are not looked at.
            forecast_NH: may look further ahead than `past`, whose steps alone count.
        """
        column = panel.field_index(field)
        what = panel.fields[column]
        return cls(
            now_s=now_s,
            step_s=panel.clock.step_s,
            places=panel.places,
            kind=what.kind,
            unit=what.unit,
            forecast_NH=forecast_NH[:, : past.truth_BNH.shape[-1]],
            past=past,
            requests=tuple(requests),
            known_TN=_known(panel, column, now_s),
            adjacency_NN=panel.adjacency_NN,
            time_zone=panel.clock.time_zone,
        )

    @property
    def valid_until_s(self) -> int:
        """The end of the first step, when a newer value and forecast are known."""
        return self.now_s + self.step_s

    def time_s(self, step: int) -> int:
        """When a step of the forecast begins, UTC seconds."""
        return self.now_s + step * self.step_s

    @property
    def known_time_T(self) -> Ints:
        """When each row of `known_TN` begins, UTC seconds; empty without any."""
        count = 0 if self.known_TN is None else len(self.known_TN)
        return self.now_s + self.step_s * np.arange(-count, 0, dtype=np.int64)

    def half_width_NH(self, level: float = 0.9) -> Floats:
        """Half the width of the band that covers the truth with this frequency; NaN where no past
        error is known.
        """
        if not np.isfinite(self.past.errors_BNH).any():
            return np.full_like(self.forecast_NH, np.nan)
        return half_width(self.past.forecast_BNH, self.past.truth_BNH, level)


def _known(panel: Panel, column: int, now_s: int) -> Floats | None:
    """A panel's newest values before a time, with rows of NaN up to it where it ends earlier."""
    step_s = panel.clock.step_s
    end = int(np.searchsorted(panel.time_T, now_s))
    if not end:
        return None
    late = (now_s - int(panel.time_T[end - 1])) // step_s - 1
    count = KNOWN_DAYS * DAY_S // step_s
    rows_TN = panel.values_TNF[max(0, end + late - count) : end, :, column]
    if not late:
        return rows_TN
    empty = np.full((min(late, count), len(panel.places)), np.nan, np.float32)
    return np.concatenate([rows_TN, empty])
