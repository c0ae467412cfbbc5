"""Results of an update: an entry a party, and problems."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from deepcity.city.localized_text import LocalizedText
from deepcity.city.measured import Measured
from deepcity.runs.note import Note
from deepcity.runs.results import DriftFound


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class UpdateOutcome(StrEnum):
    """Outcome for a party's networks."""

    REFINED = "refined"
    KEPT = "kept"  # the update had a higher error, or forgot too much
    NOTHING_NEW = "nothing new"


class PartyUpdate(_Frozen):
    """One party's update; where no rows were new, figures are those of the last one.

    Times are UTC seconds, ends exclusive. Errors are on the holdout days, by `metric`: the
    application's own, or the mean absolute error where that is undefined on these days (a note
    says so).

    Attributes:
        number: updates so far.
        seen_to: end of the rows known before.
        learned_from, learned_to: rows trained on.
        holdout_from, holdout_to: the newest days, which decide on acceptance.
        last_week, kept, refined: errors of the same hour last week, of the current networks,
            and of the updated ones.
        forgetting: largest relative rise of a network's error on old days kept aside, over all
            accepted updates; at most `max_forgetting`.
        moved: mean distance of the weights, from unchanged (0) to what new rows ask (1).
        drift: since when forecasts are worse than usual.
        metric: name of the metric that decided.
        metric_in_unit: whether it is in the field's unit; otherwise it is a share.
    """

    service: str
    party: str
    title: LocalizedText
    unit: str
    time_zone: str
    outcome: UpdateOutcome
    number: int
    seen_to: int = 0
    learned_from: int = 0
    learned_to: int = 0
    holdout_from: int = 0
    holdout_to: int = 0
    last_week: Measured = float("nan")
    kept: Measured = float("nan")
    refined: Measured = float("nan")
    forgetting: float = 0.0
    max_forgetting: float = 0.0
    moved: float = 0.0
    drift: DriftFound | None = None
    notes: list[Note] = []
    metric: LocalizedText = LocalizedText(en="mean absolute error", ko="평균 절대 오차")
    metric_in_unit: bool = True


class ProblemRecord(_Frozen):
    """A problem in machine-readable form."""

    party: str
    key: str
    value: str | None
    reason: str
    right: str


class UpdateResults(_Frozen):
    """All results of one update of a run."""

    map: str
    version: str
    seconds: float
    parties: list[PartyUpdate]
    problems: list[ProblemRecord] = []
