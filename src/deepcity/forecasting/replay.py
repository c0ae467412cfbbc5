"""Forecasts of a saved bundle: the experts as they were kept, weighed as a run weighs them.

A run weighs its experts first over the days kept aside, then from day to day over its test
days. `replay` does the same again over any origins that no network learned from; `newest` goes
on from the weights that were kept.

Shapes: B origins, N places, H horizon steps.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd

import numpy as np

from deepcity.applications.application import applications
from deepcity.applications.metric import AbsoluteError
from deepcity.applications.state import Past
from deepcity.city.arrays import Floats, Ints
from deepcity.city.level import ALONE
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, origins
from deepcity.forecasting.forecasts import Forecasts
from deepcity.forecasting.gaps import Gap, find_gaps
from deepcity.learning.ensemble.multi_view_ensemble import (
    EnsembleForecast,
    Gradient,
    MultiViewEnsemble,
    init_ensemble,
    parts_of_day,
    run_ensemble,
)
from deepcity.learning.evaluation.bands import floor_of, rolling_half_width
from deepcity.learning.experts.expert import Expert, ExpertData
from deepcity.learning.features.inputs import Samples, train_origins
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.parties.ensemble import expert_forecasts
from deepcity.parties.party import MAX_SELECTION_ORIGINS, selection_origins
from deepcity.runs.update.forecaster_bundle import BundleTerms, ForecasterBundle
from deepcity.runs.update.party import bundle_data
from deepcity.runs.update.refinable_experts import experts_of
from deepcity.runs.update.refine_spans import BundlePosition, sample_origins, unseen_origins

WeatherOf = Callable[[Panel], Panel | None]
_MOST_CELLS = 4_000_000
"""Forecast values that a replay holds at once for one expert; of many places, it takes fewer
origins."""
_LEAST_ORIGINS = 12
BAND_ORIGINS = 96
"""Earlier origins, and as many kept aside, whose errors make the band of the newest forecast."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """What a forecast at one origin needs besides the experts.

    Attributes:
        ensemble: the weights from all truths before the origin.
        half_NH: half the width of the bands.
    """

    ensemble: MultiViewEnsemble
    half_NH: Floats


@dataclass(frozen=True, eq=False)
class OpenBundle:
    """A bundle's experts beside a panel that fits them.

    Attributes:
        floor: the least value that the field can have.
    """

    bundle: ForecasterBundle
    terms: BundleTerms
    data: ExpertData
    experts: tuple[tuple[int, Expert], ...]
    gradient: Gradient
    floor: float

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

    @property
    def alone(self) -> list[int]:
        """Positions of the experts that learning alone consists of."""
        own = [at for at, (level, _) in enumerate(self.experts) if level == ALONE]
        return [at for at in own if not self.experts[at][1].baseline] or own

    def run(self, samples: Samples, origins_B: Ints, began: MultiViewEnsemble) -> EnsembleForecast:
        """The experts' aggregate over origins in order of time."""
        forecast_EBNH = expert_forecasts(self.experts, samples, origins_B)
        return self._weigh(forecast_EBNH, samples, origins_B, began)

    def replay(self, origins_B: Ints, *, alone: bool = False) -> Forecasts:
        """Forecasts of origins as a run makes those of its test days.

        Args:
            origins_B: steps of the panel, ascending, none before `learned_to`.
            alone: also those of the party's own experts alone.
        """
        aside_EBNH, aside = self._aside
        samples = self.data.inputs.samples(origins_B)
        forecast_EBNH = expert_forecasts(self.experts, samples, origins_B)
        found = self._weigh(forecast_EBNH, samples, origins_B, aside.ensemble)
        forecasts = self._forecasts(origins_B, samples, found.forecast_BNH, aside.forecast_BNH)
        if not alone:
            return forecasts
        chosen = self.alone
        if len(chosen) == 1:
            alone_BNH = forecast_EBNH[chosen[0]]
        else:
            began = self._begun(chosen)
            known = self._weigh(aside_EBNH[chosen], self.data.kept_aside, self.data.aside_B, began)
            own = self._weigh(forecast_EBNH[chosen], samples, origins_B, known.ensemble)
            alone_BNH = own.forecast_BNH
        return replace(forecasts, alone_BNH=np.maximum(alone_BNH, np.float32(self.floor)))

    def past(self, steps: int) -> Past:
        """Forecasts of the days kept aside as a run made them, with what came; first steps."""
        _, aside = self._aside
        return Past.of(aside.forecast_BNH, self.data.kept_aside.truth_BNH, steps)

    @property
    def newest_origin(self) -> int:
        """The step to forecast from, where the panel ends with the steps to be forecast."""
        return len(self.data.panel.time_T) - self.horizon

    def newest(self) -> Forecasts:
        """The forecast at the newest origin, with the weights that were kept, if they knew no
        later truth; NaN at places that cannot be forecast, with the reasons.
        """
        ready, data, identity = self.prepared, self.data, self.bundle.identity
        origin = self.newest_origin
        origins_B = np.array([origin])
        samples = data.inputs.samples(origins_B)
        forecast_ENH = expert_forecasts(self.experts, samples, origins_B)[:, 0]
        part_H = parts_of_day(data.inputs.grid, origins_B, self.horizon)[0]
        views_VNH = ready.ensemble.view_forecasts(forecast_ENH, part_H)
        forecast_NH = np.tensordot(ready.ensemble.views.weights_GE[0], views_VNH, 1)
        forecast_NH = np.maximum(forecast_NH, np.float32(self.floor)).astype(np.float32)
        clock, history = data.panel.clock, identity.window.history
        gaps = find_gaps(data.inputs.values_TN, origin, clock.step_s, history)
        broken = np.flatnonzero(~np.isfinite(forecast_NH).all(axis=1)).tolist()
        gaps |= {place: Gap("not-finite") for place in broken if place not in gaps}
        forecast_NH[list(gaps)] = np.nan
        return Forecasts(
            clock=clock,
            places=identity.places,
            field=identity.field,
            unit=identity.unit,
            origin_B=data.panel.time_T[0] + origins_B * clock.step_s,
            forecast_BNH=forecast_NH[None],
            half_BNH=ready.half_NH[None],
            truth_BNH=samples.truth_BNH,
            floor=self.floor,
            gaps={identity.places[place]: gap for place, gap in gaps.items()},
        )

    @cached_property
    def prepared(self) -> Prepared:
        """Weights and bands for the newest origin.

        An origin after the last update goes on from the weights that were kept, so a sample of
        earlier origins is replayed for the bands alone; one before it needs them for its weights.
        """
        position = self._position(self.newest_origin)
        kept = position.end >= position.seen_to
        most = BAND_ORIGINS if kept else MAX_SELECTION_ORIGINS
        most = min(most, max(_LEAST_ORIGINS, _MOST_CELLS // self._cells))
        stride = self._stride(position.end + 1 - self.learned_to, most)
        origins_B = origins(Span(self.learned_to, position.end + 1), 1, stride=stride)
        every = self._stride(len(self.data.aside_B), most) if kept else 1
        found = self._replayed(origins_B, every)
        if not kept:
            return found
        unseen_B = unseen_origins(position)
        unseen_B = unseen_B[:: max(1, len(unseen_B) // most)]
        return replace(found, ensemble=self._caught_up(unseen_B))

    def _caught_up(self, origins_B: Ints) -> MultiViewEnsemble:
        """The weights that were kept, after the truths of these origins too."""
        if not len(origins_B):
            return self.bundle.ensemble
        return self.run(
            self.data.inputs.samples(origins_B), origins_B, self.bundle.ensemble
        ).ensemble

    def _replayed(self, origins_B: Ints, every: int) -> Prepared:
        """Weights and bands after the truths of origins, the last of which is to be forecast.

        Args:
            every: of the origins kept aside, take every so-many-th.
        """
        aside_B = self.data.aside_B[::every]
        view = self if every == 1 else replace(self, data=replace(self.data, aside_B=aside_B))
        _, aside = view._aside
        samples = view.data.inputs.samples(origins_B)
        found = view.run(samples, origins_B, aside.ensemble)
        forecasts = view._forecasts(origins_B, samples, found.forecast_BNH, aside.forecast_BNH)
        return Prepared(found.ensemble, forecasts.half_BNH[-1])

    def _stride(self, steps: int, most: int) -> int:
        """For about `most` of so many steps, at all hours of the day alike."""
        stride = max(1, steps // most)
        while gcd(stride, self.data.panel.clock.steps_per_day) > 1:
            stride += 1
        return stride

    @cached_property
    def _aside(self) -> tuple[Floats, EnsembleForecast]:
        """Each expert's forecasts of the days kept aside, and their aggregate."""
        samples, aside_B = self.data.kept_aside, self.data.aside_B
        forecast_EBNH = expert_forecasts(self.experts, samples, aside_B)
        every = list(range(len(self.experts)))
        return forecast_EBNH, self._weigh(forecast_EBNH, samples, aside_B, self._begun(every))

    def _begun(self, chosen: list[int]) -> MultiViewEnsemble:
        prior_E = self.bundle.ensemble.whole.prior_E[chosen]
        return init_ensemble(list(prior_E), len(self.data.panel.places))

    def _weigh(
        self, forecast_EBNH: Floats, samples: Samples, origins_B: Ints, began: MultiViewEnsemble
    ) -> EnsembleForecast:
        part_BH = parts_of_day(self.data.inputs.grid, origins_B, self.horizon)
        return run_ensemble(
            forecast_EBNH, samples.truth_BNH, origins_B, part_BH, began, self.gradient
        )

    @property
    def _cells(self) -> int:
        return len(self.bundle.identity.places) * self.horizon

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
            forecast_BNH=np.maximum(forecast_BNH, np.float32(self.floor)),
            half_BNH=rolling_half_width(errors, all_B, len(known), self.terms.band),
            truth_BNH=samples.truth_BNH,
            floor=self.floor,
        )


def open_bundle(
    bundle: ForecasterBundle, terms: BundleTerms, panel: Panel, weather: WeatherOf
) -> OpenBundle:
    """A bundle beside a panel that was checked against it.

    Raises:
        ExpertError: if an expert is of an unknown kind, or does not fit the panel's rows.
    """
    graph = bundle.adjacency_NN if panel.adjacency_NN is None else panel.adjacency_NN
    panel = replace(panel, adjacency_NN=graph)
    data = bundle_data(
        bundle,
        panel,
        TrainingSettings(),
        newcomer=terms.newcomer,
        validation_stride=terms.validation_stride,
        weather=weather(panel),
        training_rows=False,
    )
    experts = tuple((one.level, one.expert) for one in experts_of(bundle.experts, data))
    column = panel.field_index(bundle.identity.field)
    application = applications().get(terms.application)
    metric = (
        AbsoluteError()
        if application is None
        else application.metric_of(panel.fields[column], panel.clock.step_s)
    )
    floor = floor_of(panel.fields[column], data.inputs.values_TN[data.train.start : data.train.end])
    partly, window = terms.newcomer, bundle.identity.window
    stride = terms.validation_stride
    aside_B = selection_origins(data.aside, window.horizon, stride, partly=partly)
    train_B = sample_origins(train_origins(window, data.train, partly=partly), data.seed)
    whole = replace(data, train_B=train_B, aside_B=aside_B)
    return OpenBundle(bundle, terms, whole, experts, metric.gradient, floor)
