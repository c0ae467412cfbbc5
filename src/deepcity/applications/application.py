"""The contract of a service: a question, what it reads, and a decision.

A new service is one new file (or folder) beside this one that sets `APPLICATION`; the folder
is the registry. What services of one task have in common is in `deepcity.applications.tasks`.
"""

import importlib
import math
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

import deepcity.applications
from deepcity.applications.decision import Decision
from deepcity.applications.metric import AbsoluteError, FirstSteps, Metric
from deepcity.applications.state import KNOWN_DAYS, State
from deepcity.city.field import Field, Kind
from deepcity.city.localized_text import LocalizedText
from deepcity.city.units import same_quantity

_HOUR_S = 3600


class Task(StrEnum):
    """The type of decision a service makes. No service controls yet; one that matches has a
    contract of its own (`deepcity.applications.tasks.matching.match_application`).
    """

    FORECAST = "forecast"  # act on values to come
    ALERT = "alert"  # will it cross, when, how sure
    MATCH = "match"  # ranked hits for a query
    PLAN = "plan"  # who or what goes where
    CONTROL = "control"  # which action now


class Baseline(StrEnum):
    """A naive forecast, which a service's forecast must beat."""

    SAME_HOUR_YESTERDAY = "same_hour_yesterday"
    SAME_HOUR_LAST_WEEK = "same_hour_last_week"
    PERSISTENCE = "persistence"  # the newest value stays
    TYPICAL_DAY = "typical_day"


@dataclass(frozen=True)
class Target:
    """What a service can forecast: a kind of field, and a unit that the field's converts into."""

    kind: Kind
    unit: str

    def fits(self, field: Field) -> bool:
        """Whether a field is of this kind and measures the same quantity."""
        return field.kind is self.kind and same_quantity(field.unit, self.unit)


@dataclass(frozen=True)
class Application:
    """One service of the City Application Layer.

    Attributes:
        name: its name in a map file.
        title: its name for people.
        question: what it answers.
        decision: what is decided from the answer.
        task: the type of that decision.
        targets: what it can forecast; a map's field must fit one of them. Figures are in the
            field's own unit, and the metric's thresholds are converted into it.
        reads: the domains of the Deep Data Layer it reads; a run notes an agency of another.
        horizon_hours: how far ahead its decision looks: only these steps are evaluated.
        decide: from the present state to a decision.
        recent: whether it looks at how forecasts since the validation days came true, too.
        known_days: how many days of measured values its state holds at most.
        metric: by which forecasts are evaluated and levels chosen.
        baselines: the best of these is the one to beat.
    """

    name: str
    title: LocalizedText
    question: LocalizedText
    decision: LocalizedText
    task: Task
    targets: tuple[Target, ...]
    reads: tuple[str, ...]
    horizon_hours: float
    decide: Callable[[State], Decision]
    recent: bool = False
    known_days: int = KNOWN_DAYS
    metric: Metric = field(default_factory=AbsoluteError)
    baselines: tuple[Baseline, ...] = (
        Baseline.SAME_HOUR_YESTERDAY,
        Baseline.SAME_HOUR_LAST_WEEK,
        Baseline.PERSISTENCE,
    )

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """The kinds of field it can forecast, each once."""
        return tuple(dict.fromkeys(target.kind for target in self.targets))

    def target_of(self, field: Field) -> Target | None:
        """The target that a field fits; None if it fits none."""
        return next((target for target in self.targets if target.fits(field)), None)

    def horizon_steps(self, step_s: int) -> int:
        """How many steps ahead its decision looks, at least one."""
        return max(1, math.ceil(self.horizon_hours * _HOUR_S / step_s))

    def metric_of(self, field: Field, step_s: int) -> Metric:
        """Its metric for values of a field, in the field's unit, over its own horizon."""
        target = self.target_of(field)
        metric = self.metric if target is None else self.metric.converted(target.unit, field.unit)
        return FirstSteps(metric, self.horizon_steps(step_s))


def applications() -> dict[str, Application]:
    """Every service that forecasts, by name.

    >>> {"air", "air-warning", "water"} <= set(applications())
    True
    """
    found: dict[str, Application] = {}
    for module in pkgutil.iter_modules(deepcity.applications.__path__):
        loaded = importlib.import_module(f"deepcity.applications.{module.name}")
        application = getattr(loaded, "APPLICATION", None)
        if isinstance(application, Application):
            found[application.name] = application
    return found
