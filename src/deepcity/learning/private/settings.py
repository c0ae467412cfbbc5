"""What a map says of differential privacy: whose influence is bounded, and by how much."""

from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from deepcity.data.config.toml_file import Settings, wrong


class PrivacyUnit(StrEnum):
    """Whose records may be replaced by any others without that showing."""

    SENSOR_DAY = "sensor-day"  # one place's records of one day
    PLACE = "place"  # all records of one place: a household, where places are households


class PrivacySettings(Settings):
    """Noise on the layers that parties share, so that no single unit's records show in them.

    Attributes:
        unit: whose influence is bounded: one sensor's day, or a place with all of its days.
        epsilon: what all rounds of this service may spend; the noise follows from it.
        delta: probability with which that may fail; well under one by the number of units.
        limit: what everything that is ever learned from a party's records may spend: all services,
            runs and updates in its site's folder; left out, `epsilon`.
        clip: the largest norm of one unit's gradient.
        sampling: share of the units in each step.
        windows: windows of a sampled unit in each step, drawn anew; their mean is clipped as one.
    """

    unit: PrivacyUnit = PrivacyUnit.SENSOR_DAY
    epsilon: Annotated[float, Field(gt=0, le=100)]
    delta: Annotated[float, Field(gt=0, le=1e-3)] = 1e-5
    limit: Annotated[float, Field(gt=0, le=1000)] | None = None
    clip: Annotated[float, Field(gt=0, le=1e3)] = 0.5
    sampling: Annotated[float, Field(gt=0, le=1)] = 0.1
    windows: Annotated[int, Field(ge=1, le=10_000)] = 8

    @model_validator(mode="after")
    def _limit_is_more(self) -> Self:
        if self.limit is not None and self.limit < self.epsilon:
            right = f"write {self.epsilon:g} or more, or a lower epsilon"
            raise wrong(f"less than this service's epsilon {self.epsilon:g}", right, "limit")
        return self

    @property
    def most(self) -> float:
        """What everything on a party's records may spend."""
        return self.epsilon if self.limit is None else self.limit
