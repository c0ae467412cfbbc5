"""An example forecast for charts (one place, about a week, with its band), and learning curves."""

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.frozen_model import FrozenModel
from deepcity.city.measured import Measured
from deepcity.learning.evaluation.bands import band, rolling_half_width
from deepcity.parties.party import Party

SHOWN_STEPS = 168


class ExampleForecast(FrozenModel):
    """One place's forecasts over some test days, for a chart.

    Times are UTC seconds; all lists have one length. None stands for a value not measured, and
    for all truths where their site does not grant them.
    """

    place: str
    time_zone: str
    times: list[int]
    truth: list[float | None] | None
    forecast: list[float]
    low: list[float]
    high: list[float]
    alone: list[float]

    @classmethod
    def none(cls, time_zone: str) -> "ExampleForecast":
        """No forecast, of a site that keeps its own."""
        return cls(
            place="",
            time_zone=time_zone,
            times=[],
            truth=None,
            forecast=[],
            low=[],
            high=[],
            alone=[],
        )


class LearningCurve(FrozenModel):
    """Mean validation error over parties by round, relative to the error before training."""

    method: str
    error_by_round: list[Measured]


def rolling_band(party: Party, before: Floats, forecast_BNH: Floats, level: float) -> Floats:
    """Half widths for test forecasts, from errors of the validation forecasts `before` on.

    Where no validation truth is known, they start from the typical day's errors in training.
    """
    known, earlier = before - party.data.validation.truth_BNH, party.validation_origins
    if not np.isfinite(known).any():
        known = party.data.train.baseline_BNH - party.data.train.truth_BNH
        earlier = np.full(len(known), party.split.train.start)
    errors = np.concatenate([known, forecast_BNH - party.test.truth_BNH])
    origins = np.concatenate([earlier, party.test_origins])
    return rolling_half_width(errors, origins, len(known), level)


def example_forecast(
    party: Party, forecast_BNH: Floats, half_BNH: Floats, alone: Floats
) -> ExampleForecast:
    """Consecutive forecasts over about a week from the middle of the test span."""
    horizon = forecast_BNH.shape[-1]
    blocks = max(1, SHOWN_STEPS // horizon)
    origins = party.test_origins
    spaced = _end_to_end(origins, horizon)
    first = max(0, (len(spaced) - blocks) // 2)
    chosen = spaced[first : first + blocks]
    place = int(np.argmax(np.isfinite(party.test.truth_BNH[chosen]).sum(axis=(0, 2))))
    steps = (origins[chosen][:, None] + np.arange(horizon)).ravel()
    truth = party.test.truth_BNH[chosen, place].ravel()
    middle = forecast_BNH[chosen, place].ravel()
    low, high = band(middle, half_BNH[chosen, place].ravel(), party.floor)
    return ExampleForecast(
        place=party.panel.places[place].id,
        time_zone=party.panel.clock.time_zone,
        times=[int(time) for time in party.panel.time_T[steps]],
        truth=[float(value) if np.isfinite(value) else None for value in truth],
        forecast=[float(value) for value in middle],
        low=[float(value) for value in low],
        high=[float(value) for value in high],
        alone=[float(value) for value in alone[chosen, place].ravel()],
    )


def _end_to_end(origins_B: Ints, horizon: int) -> Ints:
    """Positions of origins at least one horizon apart, so that no two forecasts overlap."""
    kept: list[int] = []
    for position, origin in enumerate(origins_B):
        if not kept or origin >= origins_B[kept[-1]] + horizon:
            kept.append(position)
    return np.array(kept)
