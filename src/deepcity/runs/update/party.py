"""One party's update: train on new rows, and accept the result only if it is better.

Everything here runs on the party's own side; nothing is sent.

Shapes: B origins, N places, H horizon steps, E experts.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from deepcity.applications.metric import AbsoluteError, Metric
from deepcity.city.arrays import Bools, Floats
from deepcity.city.errors import ExpertError, RefineError
from deepcity.city.problem import Problem
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.ensemble.multi_view_ensemble import (
    EnsembleForecast,
    parts_of_day,
    run_ensemble,
)
from deepcity.learning.experts.expert import ExpertData
from deepcity.learning.features.inputs import fit_inputs, train_origins
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.maps.city_map import Service
from deepcity.parties.ensemble import expert_forecasts
from deepcity.parties.party import selection_origins
from deepcity.parties.weather import weather_of
from deepcity.runs.update.error_log import ErrorLog
from deepcity.runs.update.forecaster_bundle import ForecasterBundle, RowsChecksum
from deepcity.runs.update.record_check import RUN_ANEW, PartyRecords
from deepcity.runs.update.refinable_experts import RefinableExpert, experts_of, refine_expert
from deepcity.runs.update.refine_spans import (
    RefineSpans,
    fresh_origins,
    sample_origins,
    unseen_origins,
)

_ABSOLUTE = AbsoluteError()


@dataclass(frozen=True, eq=False)
class UpdateComparison:
    """The experts before and after an update, compared on the newest days (holdout).

    Attributes:
        current, updated: experts before and after.
        log: truths of the new origins.
        kept, changed: the ensemble with the current experts, and with the updated ones on the
            holdout days.
        later_B: which origins are in the holdout.
        moved: mean distance of the weights, 0 (unchanged) to 1 (as the new rows alone ask).
        corrected: whether old rows were changed since they were trained on.
        metric: of the application.
    """

    current: Sequence[RefinableExpert]
    updated: Sequence[RefinableExpert]
    log: ErrorLog
    kept: EnsembleForecast
    changed: EnsembleForecast
    later_B: Bools
    moved: float
    corrected: bool
    metric: Metric

    @property
    def evaluated_by(self) -> Metric:
        """The application's metric; the mean absolute error where that is undefined on the
        holdout days before or after the update, as a share of warnings is without an event.
        """
        ends = self.kept.forecast_BNH, self.changed.forecast_BNH
        defined = all(np.isfinite(self._error(self.metric, one)) for one in ends)
        return self.metric if defined else _ABSOLUTE

    def error(self, forecast_BNH: Floats) -> float:
        """Error on the holdout days by `evaluated_by`."""
        return self._error(self.evaluated_by, forecast_BNH)

    @property
    def accepted(self) -> bool:
        """Whether the update is accepted: its error on the holdout days is lower; where both are
        equal, as counts of warnings can be, its mean absolute error.
        """
        was, would = (
            tuple(
                self._error(metric, one.forecast_BNH) for metric in (self.evaluated_by, _ABSOLUTE)
            )
            for one in (self.kept, self.changed)
        )
        return self.moved > 0 and would < was

    def _error(self, metric: Metric, forecast_BNH: Floats) -> float:
        return metric.error(forecast_BNH[self.later_B], self.log.truth_BNH[self.later_B])


def compare_update(
    service: Service,
    rows: PartyRecords,
    days: RefineSpans,
    seed: int,
    max_forgetting: float,
    advance: Callable[[int], None],
) -> UpdateComparison:
    """Train on the fresh rows, and compare on the newest ones.

    Args:
        max_forgetting: largest allowed rise of an expert's error on the days kept aside, as a
            share of its first.
        advance: called with the number of experts done.

    Raises:
        RefineError: if stored experts do not fit the party's current rows and settings.
    """
    refine_data = build_refine_data(service, rows, seed)
    current, corrected = _experts(rows, refine_data)
    number, horizon = rows.bundle.number + 1, rows.known.horizon
    fresh_B = fresh_origins(days, horizon, seed + number)
    updated, moves = [], []
    for done, one in enumerate(current, 1):
        changed, moved = refine_expert(one, fresh_B, max_forgetting, number)
        updated.append(changed)
        moves += [moved] if changed is not one else []
        advance(done)
    moved = float(np.mean(moves)) if moves else 0.0
    field = rows.panel.fields[rows.panel.field_index(rows.member.field)]
    metric = service.application.metric_of(field, rows.panel.clock.step_s)
    return _compare(
        rows, days, refine_data, current, updated, metric, moved=moved, corrected=corrected
    )


def _compare(
    rows: PartyRecords,
    days: RefineSpans,
    refine_data: ExpertData,
    current: Sequence[RefinableExpert],
    updated: Sequence[RefinableExpert],
    metric: Metric,
    *,
    moved: float,
    corrected: bool,
) -> UpdateComparison:
    """Run both ensembles over the same origins; updated experts are used in the holdout days."""
    origins_B = unseen_origins(rows.known)
    samples = refine_data.inputs.samples(origins_B)
    log = ErrorLog(refine_data.inputs, rows.panel.time_T, origins_B, samples.truth_BNH)
    values_TN = refine_data.inputs.values_TN
    forecast_EBNH = expert_forecasts(
        [(one.level, one.expert) for one in current], samples, origins_B, values_TN
    )
    later_B = origins_B >= days.holdout.start
    changed_EBNH = forecast_EBNH.copy()
    changed_EBNH[:, later_B] = expert_forecasts(
        [(one.level, one.expert) for one in updated],
        refine_data.inputs.samples(origins_B[later_B]),
        origins_B[later_B],
        values_TN,
    )
    part_BH = parts_of_day(refine_data.inputs.grid, origins_B, rows.known.horizon)
    kept, changed = (
        run_ensemble(
            one_EBNH, samples.truth_BNH, origins_B, part_BH, rows.bundle.ensemble, metric.gradient
        )
        for one_EBNH in (forecast_EBNH, changed_EBNH)
    )
    return UpdateComparison(current, updated, log, kept, changed, later_B, moved, corrected, metric)


def build_refine_data(service: Service, rows: PartyRecords, seed: int) -> ExpertData:
    """The data of a party's first training, from its current records."""
    return bundle_data(
        rows.bundle,
        rows.panel,
        service.settings.training,
        seed,
        newcomer=rows.member.name in service.settings.newcomers,
        validation_stride=service.settings.span.validation_stride,
        weather=weather_of(service, rows.member, rows.panel),
    )


def bundle_data(
    bundle: ForecasterBundle,
    panel: Panel,
    training: TrainingSettings,
    seed: int = 0,
    *,
    newcomer: bool = False,
    validation_stride: int = 1,
    weather: Panel | None = None,
    training_rows: bool = True,
) -> ExpertData:
    """The data of a bundle's first training, from a panel as it is now.

    Args:
        panel: reaches back to where training began.
        training_rows: False where nothing is trained: one origin of each span is kept, and no
            ridge is fitted, which saves most of the time and memory.
    """
    times, window = bundle.times, bundle.identity.window
    first, step_s = int(panel.time_T[0]), panel.clock.step_s
    ends = (times.train_from, times.train_to, times.aside_to)
    start, end, aside_to = ((second - first) // step_s for second in ends)
    train, aside = Span(start, end), Span(end, aside_to)
    inputs = fit_inputs(
        panel,
        bundle.identity.field,
        window,
        train,
        panel.adjacency_NN,
        validation=aside,
        partly=newcomer,
        fit_ridge=training_rows,
    )
    train_B = sample_origins(train_origins(window, train, partly=newcomer), seed)
    aside_B = selection_origins(aside, window.horizon, validation_stride, partly=newcomer)
    if not training_rows:
        train_B, aside_B = train_B[-1:], aside_B[:1]
    return ExpertData(
        party=bundle.identity.party,
        panel=panel,
        inputs=inputs,
        train=train,
        aside=aside,
        train_B=train_B,
        aside_B=aside_B,
        training=training,
        seed=seed,
        weather=weather,
    )


def _experts(rows: PartyRecords, refine_data: ExpertData) -> tuple[list[RefinableExpert], bool]:
    """Stored experts, and whether old rows were corrected since they were trained on.

    In that case forgetting is counted from now on: errors on other rows are not comparable.
    """
    try:
        current = experts_of(rows.bundle.experts, refine_data)
    except ExpertError as error:
        right = f"restore the earlier settings, {RUN_ANEW}"
        raise RefineError(
            [Problem(refine_data.party, "forecaster bundle", None, str(error), right)]
        ) from error
    old = rows.values_TN[refine_data.train.start : rows.known.aside_to]
    if RowsChecksum.of(old).same_as(rows.bundle.old_rows):
        return current, False
    return [replace(one, known=one.known * (1 + one.forgetting)) for one in current], True
