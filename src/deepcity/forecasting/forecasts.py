"""Forecasts with their bands, as arrays and as a table.

Shapes: B origins, N places, H horizon steps.
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.city.clock import Clock
from deepcity.data.frames import frame_of
from deepcity.forecasting.gaps import Gap
from deepcity.learning.evaluation.bands import band


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What was forecast at some origins; values in the field's unit.

    Attributes:
        clock: whose time zone and step they are in.
        places: ids of the N places.
        field, unit: what is forecast.
        origin_B: start of the first step forecast, UTC seconds; all before it was known.
        forecast_BNH: the forecasts.
        half_BNH: half the width of each band.
        truth_BNH: what was measured; NaN where nothing was, or not yet.
        floor: the least value that the field can have; no band ends below it.
        alone_BNH: what the party forecasts without the layers of others; None: not computed.
        gaps: place id -> why it has no forecast (`deepcity.forecasting.gaps`); its forecasts are
            NaN.
    """

    clock: Clock
    places: tuple[str, ...]
    field: str
    unit: str
    origin_B: Ints
    forecast_BNH: Floats
    half_BNH: Floats
    truth_BNH: Floats
    floor: float = float("-inf")
    alone_BNH: Floats | None = None
    gaps: Mapping[str, Gap] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.origin_B)

    def take(self, rows_B: Bools | Ints | slice) -> "Forecasts":
        """Those of some origins."""
        return replace(
            self,
            origin_B=self.origin_B[rows_B],
            forecast_BNH=self.forecast_BNH[rows_B],
            half_BNH=self.half_BNH[rows_B],
            truth_BNH=self.truth_BNH[rows_B],
            alone_BNH=None if self.alone_BNH is None else self.alone_BNH[rows_B],
        )

    def first(self, steps: int) -> "Forecasts":
        """Their first steps alone."""
        return replace(
            self,
            forecast_BNH=self.forecast_BNH[..., :steps],
            half_BNH=self.half_BNH[..., :steps],
            truth_BNH=self.truth_BNH[..., :steps],
            alone_BNH=None if self.alone_BNH is None else self.alone_BNH[..., :steps],
        )

    @property
    def band(self) -> tuple[Floats, Floats]:
        """Lower and upper end of each band, (B, N, H) each."""
        return band(self.forecast_BNH, self.half_BNH, self.floor)

    @property
    def time_BH(self) -> Ints:
        """Start of each step forecast, UTC seconds."""
        ahead_H = np.arange(self.forecast_BNH.shape[-1]) * self.clock.step_s
        return np.asarray(self.origin_B[:, None] + ahead_H)

    def to_frame(self, backend: Literal["polars", "pandas"] = "polars") -> Any:  # noqa: ANN401
        """A row an origin, place and step: `origin`, `time`, `place`, `forecast`, `low`, `high`,
        `truth`; times in the clock's zone, ordered by origin, place and time.

        Raises:
            ValueError: if the backend is neither.
            ModuleNotFoundError: if pandas is asked for and not installed.
        """
        shape = self.forecast_BNH.shape
        times = {
            "origin": np.broadcast_to(self.origin_B[:, None, None], shape).reshape(-1),
            "time": np.broadcast_to(self.time_BH[:, None], shape).reshape(-1),
        }
        low_BNH, high_BNH = self.band
        columns = {
            "place": np.broadcast_to(np.array(self.places)[None, :, None], shape).reshape(-1),
            "forecast": self.forecast_BNH.reshape(-1),
            "low": low_BNH.reshape(-1),
            "high": high_BNH.reshape(-1),
            "truth": self.truth_BNH.reshape(-1),
        }
        return frame_of(columns, times, self.clock.time_zone, backend)
