"""Results of a run: the tree behind `results.json` and the report.

    RunResults
    └── ServiceResult           one service of the map
        ├── PartyResult         one party: chosen level, errors by method, an example forecast
        │   ├── DriftFound      a rise of its error, if there is one
        │   ├── LevelSetAside   levels that erred too much for a while
        │   └── AllowanceSpent  joined experts had lost what they may for good
        ├── LearningCurve       validation error by round, one a method
        └── MethodTraffic       bytes that left, by method and layer

Methods and their errors: `deepcity.parties.method_errors`.
"""

from pydantic import BaseModel, ConfigDict

from deepcity.applications.decision import Decision
from deepcity.city.localized_text import LocalizedText
from deepcity.city.measured import Measured
from deepcity.parties.example_forecast import ExampleForecast, LearningCurve
from deepcity.parties.method_errors import (
    ALONE,
    AUTOMATIC,
    NAIVE_DAY,
    NAIVE_WEEK,
    MethodErrors,
)
from deepcity.runs.note import Note


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DriftFound(_Frozen):
    """A significant rise of a party's error over the test days; UTC seconds of days.

    `excess` is the relative rise of the median error since then; `naive_excess` the same of the
    forecast "same hour last week": whether days became harder to forecast in general.
    """

    since: int
    noticed: int
    excess: float
    naive_excess: Measured


class LevelSetAside(_Frozen):
    """Levels whose forecasts a party set aside, and the evidence; UTC seconds.

    `error` is the recent error farthest beyond `bound`, which is drawn from the own network's
    (`deepcity.learning.ensemble.recent_errors`); both in the party's unit. `back` is the first
    forecast that they counted in again; None: none in the test days.
    """

    levels: list[int]
    since: int
    back: int | None
    error: Measured
    bound: Measured


class AllowanceSpent(_Frozen):
    """A span in which a party's forecasts leaned on its own network; UTC seconds.

    Joined experts had `lost` against it as much as so many whole forecasts err by usually, at
    most; `allowed` may be lost for good (`deepcity.learning.ensemble.loss_allowance`). `back` is
    the first forecast from which that was made good; None: none in the test days.
    """

    since: int
    back: int | None
    lost: Measured
    allowed: Measured


class PartyResult(_Frozen):
    """One party's errors by method, chosen level and example forecast.

    `validation_mae` holds errors by the application's metric, whatever that is.
    `weights` are the ensemble's, of `alone` and of each level, after the validation days;
    `weights_after` those after the test days.
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
    test: dict[str, MethodErrors]
    band_level: float
    band_coverage: Measured
    forecast: ExampleForecast
    newcomer: bool = False  # took no part in the rounds: started from the shared layers
    drift: DriftFound | None = None  # None: no rise of its error
    notes: list[Note] = []  # on its participation
    unit: str | None = None  # of its errors; None: the service's; likewise the two below
    step_minutes: float | None = None
    horizon_steps: int | None = None
    raw_bytes: int | None = None  # size of its raw records, which did not leave; None if unknown
    decision: Decision | None = None  # at the last of the test origins
    decision_scores: dict[str, dict[str, Measured]] = {}  # method -> score; of what is scored
    example: Decision | None = None  # of a plan: for a few invented requests
    granted_level: int | None = None  # the deepest that it may share; None: not recorded
    set_aside: list[LevelSetAside] = []  # in the test days, in order of time
    allowance_spent: list[AllowanceSpent] = []  # likewise
    level_bound: Note | None = None  # what set the level: accuracy, a limit or a grant

    def without_truths(self) -> "PartyResult":
        """The same without measured values, for sites that do not grant them."""
        forecast = self.forecast.model_copy(update={"truth": None})
        return self.model_copy(update={"forecast": forecast})

    def for_the_map(self, *, shared: bool) -> "PartyResult":
        """What a site on another machine sends for the map-wide results.

        That is levels, weights and errors, without decisions and notes on its records.

        Args:
            shared: whether it grants measured values; else its forecasts stay with it too.
        """
        kept = self.forecast
        if not shared:
            kept = ExampleForecast.none(kept.time_zone)
        return self.model_copy(
            update={
                "forecast": kept,
                "decision": None,
                "decision_scores": {},
                "example": None,
                "notes": [],
            }
        )

    def gain(self) -> float:
        """Relative reduction of the error by `automatic` against `alone` (may be negative); NaN
        where an error is undefined, or alone has none.
        """
        ours, theirs = self.test[AUTOMATIC].metric_error, self.test[ALONE].metric_error
        return 1.0 - ours / theirs if theirs else float("nan")


class SiteResults(_Frozen):
    """One site's results by service; they stay in the site's folder."""

    site: str
    services: dict[str, PartyResult]


class MethodTraffic(_Frozen):
    """Bytes that left parties during one method's run, by layer and by party, and came to them."""

    method: str
    rounds: int
    bytes_by_layer: dict[str, int]
    bytes_by_party: dict[str, int]
    received_by_party: dict[str, int] = {}  # empty: not recorded


class ServiceResult(_Frozen):
    """One service of the map: its parties, curves and bytes.

    `metric` is its application's, `baselines` the methods it must beat.
    """

    name: str
    title: LocalizedText
    question: LocalizedText
    unit: str
    horizon_steps: int
    step_minutes: float
    parties: list[PartyResult]
    curves: list[LearningCurve]
    traffic: list[MethodTraffic]
    seconds: dict[str, float]
    decision: LocalizedText | None = None  # that the forecast supports
    notes: list[Note] = []  # on the service as a whole
    who: LocalizedText | None = (
        None  # what its parties are, in the plural: "water districts of Ferrara"
    )
    metric: LocalizedText = LocalizedText(en="mean absolute error", ko="평균 절대 오차")
    metric_in_unit: bool = True  # False: it is a share
    baselines: list[str] = [NAIVE_DAY, NAIVE_WEEK]


class RunResults(_Frozen):
    """All results of one run of a map."""

    map: str
    title: LocalizedText
    version: str
    seed: int
    seconds: float
    services: list[ServiceResult]
