"""What a run found out: the tree behind `results.json` and the report.

    Results
    └── ServiceResult           one service of the map
        ├── PartyResult         one party: chosen level, errors by method, a forecast to look at
        │   └── DriftFound      since when its error is above the usual, where it is
        ├── Curve               validation error by round, one a method
        └── Traffic             bytes that left, by method and layer

Methods are named `same_hour_yesterday`, `same_hour_last_week`, `ridge` (typical day and
ridge, before any network learns), `alone`, `level_1` .. `level_6`, `automatic` and
`pooled`; the baselines that an application names, `persistence` and `typical_day`, too.
Errors are over measured values only, in the service's unit unless its metric is a share.
"""

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, model_validator

from deepcity.applications.decision import Decision
from deepcity.city.localized_text import LocalizedText

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


class Note(_Frozen):
    """Something worth a sentence, as a code with its numbers and names.

    Sentences are made where people read: `deepcity.serve.report.notes` knows every code.
    """

    code: str
    numbers: dict[str, Measured] = {}
    names: dict[str, str | list[str]] = {}


class Errors(_Frozen):
    """Errors of one method at one party, over the test span.

    `judged` is by the application's metric; of results kept before there was one, the mean
    absolute error.
    """

    mae: Measured
    rmse: Measured
    mae_by_horizon: list[Measured]
    judged: Measured

    @model_validator(mode="before")
    @classmethod
    def _judged_by_mae(cls, found: object) -> object:
        if isinstance(found, dict) and "judged" not in found:
            return {**found, "judged": found.get("mae")}
        return found


class Forecast(_Frozen):
    """One place's forecasts over some test days, to look at.

    Times are UTC seconds; all lists have one length. None stands for a value not measured, and
    for all truths where their site keeps them to itself.
    """

    place: str
    time_zone: str
    times: list[int]
    truth: list[float | None] | None
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

    `validation_mae` holds errors by the application's metric, whatever that is.
    `weights` are those of `alone` and of each level in the automatic forecast after the
    validation days, `weights_after` those once the test days were known too.
    """

    name: str
    title: LocalizedText
    city: str
    places: int
    train_days: float
    scarce: bool
    level: int
    level_reason: Note
    weights: dict[str, float]
    weights_after: dict[str, float]
    validation_mae: dict[str, float]
    test: dict[str, Errors]
    band_level: float
    band_coverage: Measured
    forecast: Forecast
    newcomer: bool = False  # took no part in the rounds: started from the others' layers
    drift: DriftFound | None = None  # whether its forecast of late is worse than it was
    notes: list[Note] = []  # what else was special about its part
    unit: str | None = None  # of its errors; None: as the service's; so are the two below
    step_minutes: float | None = None
    horizon_steps: int | None = None
    raw_bytes: int | None = None  # size of its raw records, which stayed at home; None if unknown
    decision: Decision | None = None  # its application's, at the last of the test origins

    def without_truths(self) -> "PartyResult":
        """The same without a measured value: what may leave a site that grants no more."""
        forecast = self.forecast.model_copy(update={"truth": None})
        return self.model_copy(update={"forecast": forecast})

    def gain(self) -> float:
        """Share of the error of learning alone that automatic saved (may be negative); NaN
        where nothing was to judge, or alone made no error.
        """
        ours, theirs = self.test[AUTOMATIC].judged, self.test[ALONE].judged
        return 1.0 - ours / theirs if theirs else float("nan")


class SiteResults(_Frozen):
    """What was found out for one site, by service; it stays in the site's folder."""

    site: str
    services: dict[str, PartyResult]


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
    """One service of the map: its parties, curves and bytes.

    `metric` is what it is judged by, `baselines` the methods it must beat.
    """

    name: str
    title: LocalizedText
    question: LocalizedText
    unit: str
    horizon_steps: int
    step_minutes: float
    parties: list[PartyResult]
    curves: list[Curve]
    traffic: list[Traffic]
    seconds: dict[str, float]
    decision: LocalizedText | None = None  # what the answer is good for
    notes: list[Note] = []  # which layers are common to whom, where that is not to all
    who: LocalizedText | None = (
        None  # what its parties are, in the plural: "water districts of Ferrara"
    )
    metric: LocalizedText = LocalizedText(en="mean absolute error", ko="평균 절대 오차")
    metric_in_unit: bool = True  # False: it is a share
    baselines: list[str] = [NAIVE_DAY, NAIVE_WEEK]


class Results(_Frozen):
    """Everything one run of a map found out."""

    map: str
    title: LocalizedText
    version: str
    seed: int
    seconds: float
    services: list[ServiceResult]
