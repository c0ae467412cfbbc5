"""Whole days as a Gaussian process (`deepcity.learning.experts.day_process`), as an expert.

It weights all earlier days by their similarity to the target day: level, weekday, season,
days around holidays, and the weather where a service names an agency for it. It uses whole
days only, so it is best where a forecast begins at midnight or spans several days.

Shapes: B origins, N places, H horizon steps, S slots of a day, M components, G groups of
them, P parameters, D days, C traits.
"""

from dataclasses import dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats, Ints
from deepcity.city.errors import ExpertError
from deepcity.learning.experts.day_kernel import OWN_PARAMETERS
from deepcity.learning.experts.day_process import (
    FEW_DAYS,
    DayModel,
    DayProcess,
    fit_day_process,
    groups,
    learned_days,
)
from deepcity.learning.experts.expert import Arrays, Expert, ExpertData, part
from deepcity.learning.features.day_types import day_types
from deepcity.learning.features.inputs import Samples
from deepcity.learning.features.weather import day_weather

TYPES = [0, 1, 3, 4]  # of `day_types`, which lists some types twice
MAX_PLACES = 20  # each has a process of its own: some 2 s to fit, 0.3 s to forecast
POSITIVE = 0.99  # share of positive values from which on logarithms are modelled


@dataclass(frozen=True)
class GaussianDays(Expert):
    """A fitted process. Its parameters stay; the days it conditions on grow with the records."""

    process: DayProcess
    kind: ClassVar[str] = "gaussian_days"

    @classmethod
    def prior(cls, data: ExpertData) -> float:
        """A tenth; none where a place has fewer than 28 training days, or there are many places."""
        if data.inputs.values_TN.shape[1] > MAX_PLACES:
            return 0.0
        days = learned_days(data.inputs.values_TN, data.inputs.grid, data.train)
        return 0.1 if days >= FEW_DAYS else 0.0

    @classmethod
    def fit(cls, data: ExpertData) -> Self:
        """Components and parameters of the training days."""
        values_TN = data.inputs.values_TN[data.train.start : data.train.end]
        measured = values_TN[np.isfinite(values_TN)]
        return cls(_process(data, logarithms=bool((measured > 0).mean() > POSITIVE)))

    def predict(self, samples: Samples, origins_B: Ints) -> Floats:
        """Forecasts, (B, N, H)."""
        return self.process.forecast(origins_B, samples.baseline_BNH.shape[-1])

    def to_arrays(self) -> dict[str, NDArray[Any]]:
        """The learned parameters of each place."""
        found: dict[str, NDArray[Any]] = {"logarithms": np.array([self.process.logarithms])}
        for number, place in enumerate(self.process.places):
            found |= {
                f"{number}/{one.name}": getattr(place.model, one.name) for one in fields(DayModel)
            }
        return found

    @classmethod
    def from_arrays(cls, arrays: Arrays, data: ExpertData) -> Self:
        """The learned parameters, conditioned on the days on record now."""
        logarithms = bool(part(cls, arrays, "logarithms", np.bool_, (1,))[0])
        shape = (data.inputs.grid.slots, OWN_PARAMETERS + traits(data).shape[1])
        places = range(data.inputs.values_TN.shape[1])
        models = [_model(arrays, number, *shape) for number in places]
        try:
            return cls(_process(data, logarithms=logarithms, models=models))
        except ValueError as error:
            msg = f"expert {cls.kind!r}: {error}; put the old rows back, or run the map anew"
            raise ExpertError(msg) from error


def _process(
    data: ExpertData, *, logarithms: bool, models: list[DayModel] | None = None
) -> DayProcess:
    inputs = data.inputs
    return fit_day_process(
        inputs.values_TN,
        inputs.grid,
        data.panel.clock,
        data.train,
        traits(data),
        logarithms=logarithms,
        models=models,
    )


def traits(data: ExpertData) -> Floats:
    """(D, C): the weather of each day, where it is known, and its type around holidays."""
    types = day_types(data.panel.clock, data.panel.time_T, data.inputs.grid)[:, TYPES]
    if data.weather is None:
        return types
    weather = day_weather(data.weather, data.inputs.grid, data.train)
    return np.concatenate([weather, types], axis=1)


def _model(arrays: Arrays, number: int, slots: int, parameters: int) -> DayModel:
    """The learned parameters of one place, if they fit the party's days."""

    def array(name: str, *shape: int) -> NDArray[Any]:
        return part(GaussianDays, arrays, f"{number}/{name}", np.float64, shape)

    unit_M = array("unit_M", -1)
    if not len(unit_M) or not (unit_M > 0).all():
        msg = f"expert {GaussianDays.kind!r}: {number}/unit_M must hold values over zero"
        raise ExpertError(msg)
    size = len(unit_M)
    rotation_MS = array("rotation_MS", size, slots)
    parameters_GP = array("parameters_GP", len(groups(size)), parameters)
    return DayModel(array("mean_S", slots), unit_M, rotation_MS, parameters_GP)


EXPERT = GaussianDays
