"""Forecasts of a saved bundle: the experts as they were kept, weighed as a run weighs them.

A run weighs its experts first over the days kept aside, then from day to day over its test
days. `replay` does the same again over any origins that no network learned from; `newest` goes
on from the weights that were kept.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepcity.applications.application import applications
from deepcity.applications.metric import AbsoluteError
from deepcity.applications.state import Past
from deepcity.city.arrays import Floats, Ints
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, origins
from deepcity.forecasting.forecasts import Forecasts
from deepcity.learning.ensemble.multi_view_ensemble import (
    EnsembleForecast,
    Gradient,
    MultiViewEnsemble,
    init_ensemble,
    parts_of_day,
    run_ensemble,
)
from deepcity.learning.evaluation.bands import rolling_half_width
from deepcity.learning.experts.expert import Expert, ExpertData
from deepcity.learning.features.inputs import Samples
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.parties.ensemble import expert_forecasts
from deepcity.parties.party import MAX_SELECTION_ORIGINS
from deepcity.runs.update.forecaster_bundle import BundleTerms, ForecasterBundle
from deepcity.runs.update.party import bundle_data
from deepcity.runs.update.refinable_experts import experts_of
from deepcity.runs.update.refine_spans import BundlePosition, unseen_origins

WeatherOf = Callable[[Panel], Panel | None]


@dataclass(frozen=True, eq=False)
class OpenBundle:
    """A bundle's experts beside a panel that fits them."""

    bundle: ForecasterBundle
    terms: BundleTerms
    data: ExpertData
    experts: tuple[tuple[int, Expert], ...]
    gradient: Gradient

    def step(self, second: int) -> int:
        """The step of the panel that begins then."""
        panel = self.data.panel
        return (second - int(panel.time_T[0])) // panel.clock.step_s

    @property
    def horizon(self) -> int:
        """Steps of one forecast."""
        return self.bundle.identity.window.horizon

    @property
    def learned_to(self) -> int:
        """The first step that no network learned from."""
        return self.step(self.bundle.times.learned_to)

    def run(self, samples: Samples, origins_B: Ints, began: MultiViewEnsemble) -> EnsembleForecast:
        """The experts' aggregate over origins in order of time."""
        part_BH = parts_of_day(self.data.inputs.grid, origins_B, self.horizon)
        forecast_EBNH = expert_forecasts(self.experts, samples, origins_B)
        return run_ensemble(
            forecast_EBNH, samples.truth_BNH, origins_B, part_BH, began, self.gradient
        )

    def replay(self, origins_B: Ints) -> Forecasts:
        """Forecasts of origins as a run makes those of its test days.

        Args:
            origins_B: steps of the panel, ascending, none before `learned_to`.
        """
        data, prior_E = self.data, self.bundle.ensemble.whole.prior_E
        began = init_ensemble(list(prior_E), len(data.panel.places))
        aside = self.run(data.kept_aside, data.aside_B, began)
        samples = data.inputs.samples(origins_B)
        found = self.run(samples, origins_B, aside.ensemble)
        return self._forecasts(origins_B, samples, found.forecast_BNH, aside.forecast_BNH)

    def past(self, steps: int) -> Past:
        """Forecasts of the days kept aside as a run made them, with what came; first steps."""
        data, prior_E = self.data, self.bundle.ensemble.whole.prior_E
        began = init_ensemble(list(prior_E), len(data.panel.places))
        aside = self.run(data.kept_aside, data.aside_B, began)
        return Past.of(aside.forecast_BNH, data.kept_aside.truth_BNH, steps)

    def newest(self, origin: int) -> Forecasts:
        """The forecast at an origin (a step), with the weights that were kept, if they knew no
        later truth.
        """
        known = origin + 1 - self.learned_to
        stride = max(1, known // MAX_SELECTION_ORIGINS)
        found = self.replay(origins(Span(self.learned_to, origin + 1), 1, stride=stride))
        found = found.take(slice(-1, None))
        position = self._position(origin)
        if origin < position.seen_to:
            return found
        origins_B = np.append(unseen_origins(position), origin)
        samples = self.data.inputs.samples(origins_B)
        newest = self.run(samples, origins_B, self.bundle.ensemble)
        return Forecasts(**{**vars(found), "forecast_BNH": newest.forecast_BNH[-1:]})

    def _position(self, end: int) -> BundlePosition:
        times = self.bundle.times
        return BundlePosition(
            aside_to=self.step(times.aside_to),
            learned_to=self.learned_to,
            seen_to=self.step(times.seen_to),
            end=end,
            horizon=self.horizon,
            day=self.data.panel.clock.steps_per_day,
        )

    def _forecasts(
        self, origins_B: Ints, samples: Samples, forecast_BNH: Floats, aside_BNH: Floats
    ) -> Forecasts:
        """With bands from errors known before each origin, those of the days aside first."""
        data, identity = self.data, self.bundle.identity
        known, earlier_B = aside_BNH - data.kept_aside.truth_BNH, data.aside_B
        if not np.isfinite(known).any():  # how far the typical day was off in training
            learned = data.inputs.samples(data.train_B, until=data.train.end)
            known = learned.baseline_BNH - learned.truth_BNH
            earlier_B = np.full(len(known), data.train.start)
        errors = np.concatenate([known, forecast_BNH - samples.truth_BNH])
        all_B = np.concatenate([earlier_B, origins_B])
        return Forecasts(
            clock=data.panel.clock,
            places=identity.places,
            field=identity.field,
            unit=identity.unit,
            origin_B=data.panel.time_T[0] + origins_B * data.panel.clock.step_s,
            forecast_BNH=forecast_BNH,
            half_BNH=rolling_half_width(errors, all_B, len(known), self.terms.band),
            truth_BNH=samples.truth_BNH,
        )


def open_bundle(
    bundle: ForecasterBundle, terms: BundleTerms, panel: Panel, weather: WeatherOf
) -> OpenBundle:
    """A bundle beside a panel that was checked against it.

    Raises:
        ExpertError: if an expert is of an unknown kind, or does not fit the panel's rows.
    """
    data = bundle_data(
        bundle,
        panel,
        TrainingSettings(),
        newcomer=terms.newcomer,
        validation_stride=terms.validation_stride,
        weather=weather(panel),
    )
    experts = tuple((one.level, one.expert) for one in experts_of(bundle.experts, data))
    field = panel.fields[panel.field_index(bundle.identity.field)]
    application = applications().get(terms.application)
    metric = (
        AbsoluteError() if application is None else application.metric_of(field, panel.clock.step_s)
    )
    return OpenBundle(bundle, terms, data, experts, metric.gradient)
