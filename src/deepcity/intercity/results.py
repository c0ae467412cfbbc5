"""What a run found out: the tree behind `results.json` and the report.

    Results
    └── ServiceResult           one service of the map
        ├── PartyResult         one party: chosen level, errors by method, a forecast to look at
        │   └── DriftFound      since when its error is above the usual, where it is
        ├── Curve               validation error by round, one a method
        └── Traffic             bytes that left, by method and layer

Methods are named `same_hour_yesterday`, `same_hour_last_week`, `ridge` (typical day and
ridge, before any network learns), `alone`, `level_1` .. `level_6`, `automatic` and
`pooled`. Errors are in the service's unit, over measured values only.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

NAIVE_DAY = "same_hour_yesterday"
NAIVE_WEEK = "same_hour_last_week"
ALONE = "alone"
AUTOMATIC = "automatic"
POOLED = "pooled"
RIDGE = "ridge"


def fixed(level: int) -> str:
    """Name of the method that fixes the reuse level for every party.

    >>> fixed(3)
    'level_3'
    """
    return f"level_{level}"


Measured = Annotated[float, BeforeValidator(lambda said: float("nan") if said is None else said)]
"""NaN where nothing was measured to compare with; JSON has no NaN and says null."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(_Frozen):
    """The same words in English and Korean."""

    en: str
    ko: str


class Errors(_Frozen):
    """Errors of one method at one party, over the test span."""

    mae: Measured
    rmse: Measured
    mae_by_horizon: list[Measured]


class Forecast(_Frozen):
    """One place's forecasts over some test days, to look at.

    Times are UTC seconds; all lists have one length. None stands for a value not measured.
    """

    place: str
    time_zone: str
    times: list[int]
    truth: list[float | None]
    forecast: list[float]
    low: list[float]
    high: list[float]
    alone: list[float]


class DriftFound(_Frozen):
    """A rise of a party's error over the test days that is no chance; UTC seconds of days.

    `excess` is the median error since then, less the usual, as a share of the usual;
    `naive_excess` the same of the same hour last week: whether days became harder for all.
    """

    since: int
    noticed: int
    excess: float
    naive_excess: Measured


class PartyResult(_Frozen):
    """What joining was worth to one party.

    `weights` are those of `alone` and of each level in the automatic forecast after the
    validation days, `weights_after` those once the test days were known too.
    """

    name: str
    title: Words
    city: str
    places: int
    train_days: float
    scarce: bool
    level: int
    level_reason: Words
    weights: dict[str, float]
    weights_after: dict[str, float]
    validation_mae: dict[str, float]
    test: dict[str, Errors]
    band_level: float
    band_coverage: Measured
    forecast: Forecast
    newcomer: bool = False  # took no part in the rounds: started from the others' layers
    drift: DriftFound | None = None  # whether its forecast of late is worse than it was
    remarks: list[Words] = []  # what else was special about its part
    unit: str | None = None  # of its errors; None: as the service's; so are the two below
    step_minutes: float | None = None
    horizon_steps: int | None = None
    raw_bytes: int | None = None  # size of its raw records, which stayed at home; None if unknown

    def gain(self) -> float:
        """Share of the error of learning alone that automatic saved (may be negative)."""
        return 1.0 - self.test[AUTOMATIC].mae / self.test[ALONE].mae


class Curve(_Frozen):
    """Mean validation error over parties (as a share of learning nothing = 1.0), by round."""

    method: str
    error_by_round: list[Measured]


class Traffic(_Frozen):
    """Bytes that left parties during one method's run, by layer and by party."""

    method: str
    rounds: int
    bytes_by_layer: dict[str, int]
    bytes_by_party: dict[str, int]


class ServiceResult(_Frozen):
    """One service of the map: its parties, curves and bytes."""

    name: str
    title: Words
    question: Words
    unit: str
    horizon_steps: int
    step_minutes: float
    parties: list[PartyResult]
    curves: list[Curve]
    traffic: list[Traffic]
    seconds: dict[str, float]
    decision: Words | None = None  # what the answer is good for
    remarks: list[Words] = []  # which layers are common to whom, where that is not to all
    who: Words | None = None  # what its parties are, in the plural: "water districts of Ferrara"


class Results(_Frozen):
    """Everything one run of a map found out."""

    map: str
    title: Words
    version: str
    seed: int
    seconds: float
    services: list[ServiceResult]
