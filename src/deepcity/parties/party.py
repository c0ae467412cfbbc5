"""From a service of the map to each party's training, validation and test samples.

Everything here runs on a party's own side.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.applications.application import Baseline
from deepcity.applications.metric import AbsoluteError, Metric
from deepcity.city.arrays import Ints
from deepcity.city.clock import DAY_S
from deepcity.city.errors import DataError
from deepcity.city.localized_text import LocalizedText
from deepcity.city.problem import Problem
from deepcity.data.city_file import load_with_findings
from deepcity.data.findings import Finding
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, Split, origins
from deepcity.learning.evaluation.bands import floor_of
from deepcity.learning.features.inputs import Inputs, Samples, fit_inputs, train_origins
from deepcity.learning.features.partial_windows import eval_origins
from deepcity.learning.training.learner import PartyData
from deepcity.maps.city_map import Member, Service
from deepcity.maps.map_settings import EXPERTS, SpanSettings
from deepcity.parties.weather import weather_of

MAX_SELECTION_ORIGINS = 400  # validation origins that suffice for model selection
SCARCE_VALIDATION = 1 / 3
_ABSOLUTE = AbsoluteError()


@dataclass(frozen=True)
class Party:
    """One party of a service, ready to learn.

    Attributes:
        split: its own training and validation spans, and the test span of all parties.
        test_origins, validation_origins: (B,) step indices of forecasts.
        scarce: whether it has only few days.
        newcomer: whether it may train on partial windows, where there is no whole one.
        experts: kinds of its own experts (`deepcity.learning.experts`).
        weather: on the panel's steps, where the service names an agency for it.
        baselines: that its application must beat.
        findings: what was noticed while its records were loaded.
    """

    name: str
    title: LocalizedText
    city: str
    panel: Panel
    field: str
    split: Split
    inputs: Inputs
    data: PartyData
    test: Samples
    test_origins: Ints
    validation_origins: Ints
    scarce: bool
    newcomer: bool = False
    experts: tuple[str, ...] = EXPERTS
    weather: Panel | None = None
    metric: Metric = _ABSOLUTE
    baselines: tuple[Baseline, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def unit(self) -> str:
        """The unit of its field."""
        return self.panel.fields[self.panel.field_index(self.field)].unit

    @property
    def floor(self) -> float:
        """The least value that its field can have (`learning.evaluation.bands.floor_of`)."""
        field, train = self.panel.fields[self.panel.field_index(self.field)], self.split.train
        return floor_of(field, self.inputs.values_TN[train.start : train.end])

    @property
    def known_days(self) -> float:
        """Its training and validation days."""
        steps = self.split.validation.end - self.split.train.start
        return steps * self.panel.clock.step_s / DAY_S

    @property
    def train_days(self) -> float:
        """Its training days."""
        return len(self.split.train) * self.panel.clock.step_s / DAY_S


def parties_of(service: Service, read: Callable[[int], None] = lambda _done: None) -> list[Party]:
    """Load and prepare every member's panel; `read` is called with the number done.

    Raises:
        DataError: with the problems of every party whose data do not suffice.
    """
    problems: list[Problem] = []
    ready: list[Party] = []
    for done, member in enumerate(service.members, 1):
        try:
            ready.append(load_party(service, member))
        except DataError as error:
            problems += error.problems
        read(done)
    if problems:
        raise DataError(problems)
    return ready


def load_party(service: Service, member: Member) -> Party:
    """One member's panel, loaded and prepared; records of others are not read.

    Raises:
        DataError: if its records do not suffice.
    """
    loaded = load_with_findings(member.city_file, member.agency.name)
    party = party_of(service, member.name, service.title_of(member), loaded.panel, member.field)
    weather = weather_of(service, member, party.panel)
    return replace(party, weather=weather, findings=loaded.findings)


def party_of(service: Service, name: str, title: LocalizedText, panel: Panel, field: str) -> Party:
    """A party of a service from its panel.

    Raises:
        DataError: if its records do not suffice.
    """
    settings = service.settings
    panel = select_span(panel, settings.span)
    scarce_days = settings.span.scarce.get(name)
    split = _split(panel, settings.span, scarce_days, name)
    try:
        inputs = fit_inputs(
            panel,
            field,
            settings.window_of(name),
            split.train,
            panel.adjacency_NN,
            validation=split.validation,
            partly=name in settings.newcomers,
        )
        return prepare_party(service, name, title, panel, field, split, inputs, scarce_days)
    except ValueError as error:
        right = (
            "give it more days, a shorter history, name it among newcomers (they start from "
            "the shared layers on their first day), or leave it out of the service"
        )
        problem = Problem(name, "training steps", len(split.train), str(error), right)
        raise DataError([problem]) from error


def prepare_party(
    service: Service,
    name: str,
    title: LocalizedText,
    panel: Panel,
    field: str,
    split: Split,
    inputs: Inputs,
    scarce_days: float | None,
) -> Party:
    """A party with the samples of its spans.

    Raises:
        DataError: if a span is too short, or holds no measured value.
    """
    settings, window = service.settings, inputs.settings
    newcomer = name in settings.newcomers
    stride = settings.training.stride if scarce_days is None else 1
    train = training_samples(inputs, split.train, stride, newcomer=newcomer)
    horizon = window.horizon
    validation_origins = selection_origins(
        split.validation, horizon, settings.span.validation_stride, partly=newcomer
    )
    test_origins = origins(split.test, horizon, stride=settings.span.test_stride)
    _check_origins(name, validation_origins, test_origins, scarce_days, newcomer=newcomer)
    validation = inputs.samples(validation_origins, until=split.validation.end)
    _check_measured(name, field, train, None if newcomer else validation)
    return Party(
        name=name,
        title=title,
        city=name.partition("/")[0],
        panel=panel,
        field=field,
        split=split,
        inputs=inputs,
        data=PartyData(
            name,
            train,
            validation,
            inputs.ridge_skip_HS,
            _measured(inputs, split.train),
            inputs.residual_ratio,
        ),
        test=inputs.samples(test_origins),
        test_origins=test_origins,
        validation_origins=validation_origins,
        scarce=scarce_days is not None,
        newcomer=newcomer,
        experts=settings.experts,
        metric=service.application.metric_of(
            panel.fields[panel.field_index(field)], panel.clock.step_s
        ),
        baselines=service.application.baselines,
    )


def training_samples(inputs: Inputs, train: Span, stride: int, *, newcomer: bool) -> Samples:
    """Samples of the training span; truths beyond it are masked."""
    window, parts = inputs.settings, []
    for lead in range(window.leads):
        found = train_origins(window, train, lead, partly=newcomer)
        parts.append(inputs.samples(found[::-1][::stride][::-1], lead, until=train.end))
    return Samples.concat(parts)


def selection_origins(
    validation: Span, horizon: int, stride: int = 1, *, partly: bool = False
) -> Ints:
    """Origins of validation forecasts, (B,); of very many an even share.

    Args:
        stride: use every n-th, counted back from the last.
        partly: where no whole forecast fits in, use those that begin in the span.
    """
    found = eval_origins(validation, horizon, partly=partly)[::-1][::stride][::-1]
    return found[:: max(1, len(found) // MAX_SELECTION_ORIGINS)]


def _check_origins(
    name: str,
    validation: Ints,
    test: Ints,
    scarce_days: float | None,
    *,
    newcomer: bool,
) -> None:
    """Refuse spans that are too short for a single forecast.

    A newcomer needs no validation: its experts keep their priors until truths come in.
    """
    if scarce_days is not None and not len(validation) and not newcomer:
        reason = "the last third of these days, for validation, is shorter than one forecast"
        right = "give it more days, a shorter horizon, or name it among newcomers"
        raise DataError([Problem(name, "span.scarce", f"{scarce_days:g}", reason, right)])
    short = {"test_days": test} if newcomer else {"validation_days": validation, "test_days": test}
    problems = [
        Problem(name, f"span.{key}", None, "shorter than one forecast", f"give more {key}")
        for key, found in short.items()
        if not len(found)
    ]
    if problems:
        raise DataError(problems)


def _measured(inputs: Inputs, train: Span) -> int:
    """Number of measured values in the training span, at any stride."""
    return int(np.isfinite(inputs.values_TN[train.start : train.end]).sum())


def _check_measured(name: str, field: str, train: Samples, validation: Samples | None) -> None:
    """Refuse training or validation samples without a measured target."""
    for what, samples in (("training", train), ("validation", validation)):
        if samples is not None and not np.isfinite(samples.truth_BNH).any():
            reason = f"its {what} span holds no measured value to forecast"
            right = f"choose a span with data, or leave {name} out of the service"
            raise DataError([Problem(name, field, None, reason, right)])


def select_span(panel: Panel, span: SpanSettings) -> Panel:
    """The days that a service uses."""
    first = int(panel.time_T[0]) if span.start is None else _utc_s(span.start, panel)
    last = int(panel.time_T[-1]) + 1 if span.end is None else _utc_s(span.end, panel)
    return panel.between(first, last)


def _utc_s(day: date, panel: Panel) -> int:
    zone = ZoneInfo(panel.clock.time_zone)
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def _split(panel: Panel, span: SpanSettings, scarce_days: float | None, name: str) -> Split:
    """The service's spans; a scarce party starts late and validates on its last third."""
    per_day = DAY_S / panel.clock.step_s
    steps = len(panel.time_T)
    test_start = steps - round(span.test_days * per_day)
    validation_start = test_start - round(span.validation_days * per_day)
    train_start = 0
    if scarce_days is not None:
        train_start = test_start - round(scarce_days * per_day)
        validation_start = test_start - round(scarce_days * per_day * SCARCE_VALIDATION)
    if train_start < 0 or validation_start <= train_start:
        reason = f"{steps / per_day:.1f} days leave none to train on after validation and test"
        right = (
            "use fewer validation_days and test_days, a longer span, or, for a newcomer, set its "
            "days in span.scarce"
        )
        if scarce_days is not None and train_start >= 0:
            reason = f"{scarce_days:g} days leave no step to train on"
            right = "give it more days"
        elif scarce_days is not None:
            reason = f"only {test_start / per_day:.1f} days lie before the test span"
            right = f"give fewer days than these {scarce_days:g}"
        raise DataError([Problem(name, "span", None, reason, right)])
    return Split(
        Span(train_start, validation_start),
        Span(validation_start, test_start),
        Span(test_start, steps),
    )
