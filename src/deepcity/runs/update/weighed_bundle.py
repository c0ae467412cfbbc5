"""A forecaster bundle beside the rows of now: its experts, weighed by all truths known so far.

A forecast after the last update goes on from the weights that were kept. Its bands come from a
replay: the experts' forecasts of origins since the networks learned, weighed as a run weighs
those of its test days. The replay is kept (`KeptReplay`), in memory and in the bundle, so that
only truths that came since are replayed; where rows that it saw have changed, it begins anew.

Shapes: E experts, B origins, N places, H horizon steps.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import gcd
from typing import Self

import numpy as np

from deepcity.applications.application import applications
from deepcity.applications.metric import AbsoluteError
from deepcity.applications.state import Past
from deepcity.city.arrays import Floats, Ints
from deepcity.data.panel import Panel
from deepcity.data.windows import Span, origins
from deepcity.learning.ensemble.loss_allowance import Pending
from deepcity.learning.ensemble.multi_view_ensemble import (
    EnsembleForecast,
    Gradient,
    MultiViewEnsemble,
    PausedRun,
    continue_ensemble,
    init_ensemble,
    parts_of_day,
    run_ensemble,
)
from deepcity.learning.evaluation.bands import floor_of, newest_half_width
from deepcity.learning.experts.expert import Expert, ExpertData
from deepcity.learning.features.inputs import Samples, train_origins
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.parties.ensemble import expert_forecasts
from deepcity.parties.method_errors import baseline_forecasts
from deepcity.parties.party import MAX_SELECTION_ORIGINS, selection_origins
from deepcity.runs.update.forecaster_bundle import BundleTerms, ForecasterBundle
from deepcity.runs.update.kept_replay import CaughtUp, KeptAside, KeptReplay, Memory, rows_digest
from deepcity.runs.update.party import bundle_data
from deepcity.runs.update.prepared import Prepared
from deepcity.runs.update.refinable_experts import experts_of
from deepcity.runs.update.refine_spans import BundlePosition, sample_origins, unseen_origins

WeatherOf = Callable[[Panel], Panel | None]
_MOST_CELLS = 4_000_000
"""Forecast values that a replay holds at once for one expert; of many places, it takes fewer
origins."""
_LEAST_ORIGINS = 12
BAND_ORIGINS = 96
"""Earlier origins, and as many kept aside, whose errors make the newest forecast's band."""


@dataclass(frozen=True, eq=False)
class WeighedBundle:
    """A bundle's experts beside a panel that fits them.

    Attributes:
        floor: the least value that the field can have.
        memory: what was replayed before.
    """

    bundle: ForecasterBundle
    terms: BundleTerms
    data: ExpertData
    experts: tuple[tuple[int, Expert], ...]
    gradient: Gradient
    floor: float
    memory: Memory

    @classmethod
    def open(
        cls,
        bundle: ForecasterBundle,
        terms: BundleTerms,
        panel: Panel,
        weather: WeatherOf,
        memory: Memory | None = None,
    ) -> Self:
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
        learned_TN = data.inputs.values_TN[data.train.start : data.train.end]
        floor = floor_of(panel.fields[column], learned_TN)
        partly, window = terms.newcomer, bundle.identity.window
        stride = terms.validation_stride
        aside_B = selection_origins(data.aside, window.horizon, stride, partly=partly)
        train_B = sample_origins(train_origins(window, data.train, partly=partly), data.seed)
        whole = replace(data, train_B=train_B, aside_B=aside_B)
        memory = memory or Memory(bundle.replay)
        return cls(bundle, terms, whole, experts, metric.gradient, floor, memory)

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
        return self._weigh(self.expert_forecasts(samples, origins_B), samples, origins_B, began)

    def expert_forecasts(self, samples: Samples, origins_B: Ints) -> Floats:
        """Each expert's forecasts, (E, B, N, H); those of joined experts are bounded."""
        return expert_forecasts(self.experts, samples, origins_B, self.data.inputs.values_TN)

    @property
    def newest_origin(self) -> int:
        """The step to forecast from, where the panel ends with the steps to be forecast."""
        return len(self.data.panel.time_T) - self.horizon

    @cached_property
    def prepared(self) -> Prepared:
        """Weights and bands for the newest origin.

        An origin after the last update goes on from the weights that were kept, so a sample of
        earlier origins is replayed for the bands alone; one before it needs them for its weights.
        """
        position = self._position(self.newest_origin)
        if position.end < position.seen_to:
            return self._replayed()
        run, now = self.caught_up, self.newest_origin - self.data.train.start
        pending = Pending() if run is None else run.paused.pending(now)
        return Prepared(self._caught_up_weights(), self._band(), pending)

    @property
    def replayed(self) -> tuple[Ints, Floats]:
        """Origins since the networks learned, ascending, and their forecasts, (B, N, H)."""
        position = self._position(self.newest_origin)
        if position.end < position.seen_to:
            origins_B, found = self._replayed_run
            return origins_B, found.forecast_BNH
        kept = self.kept_replay
        return kept.origins_B + self.data.train.start, kept.mixed_BNH

    @property
    def remembered(self) -> Memory:
        """What the next opening of the bundle, beside more rows, can go on from."""
        if self.data.weather is not None or "prepared" not in self.__dict__:
            return self.memory  # weather comes late: what was unknown of it then is known now
        found = self.__dict__
        return Memory(
            found.get("kept_replay", self.memory.replay),
            found.get("caught_up", self.memory.caught_up),
            found.get("kept_aside", self.memory.aside),
        )

    @cached_property
    def kept_replay(self) -> KeptReplay:
        """The replay that bands are measured from, up to the newest origin.

        Its origins lie on a grid through the end of the rows known at the last update, so that
        those of a forecast before are among them; as they become many, the grid becomes wider.
        """
        position, start = self._position(self.newest_origin), self.data.train.start
        stride = self._band_stride(position)
        first = self.learned_to + (position.seen_to - self.learned_to) % stride
        wanted_B = np.arange(first, position.end + 1, stride) - start
        kept = self.memory.replay
        if kept is None or kept.stride != stride or not self._knew(kept.end, kept.digest):
            kept = self._begun_replay(stride)
        paused, mixed = kept.paused, [kept.mixed_BNH]
        new_B, size = wanted_B[len(kept.origins_B) :], 2 * self._most(BAND_ORIGINS) + 1
        for at in range(0, len(new_B), size):
            found, paused = self._continued(paused, new_B[at : at + size])
            mixed.append(found.forecast_BNH)
        end = position.end - start
        mixed_BNH, digest = np.concatenate(mixed), self._digest(end)
        return replace(
            kept, end=end, digest=digest, origins_B=wanted_B, mixed_BNH=mixed_BNH, paused=paused
        )

    @cached_property
    def caught_up(self) -> CaughtUp | None:
        """The run over truths that no update has used, from the weights that were kept."""
        position, start = self._position(self.newest_origin), self.data.train.start
        unseen_B = unseen_origins(position)
        unseen_B = unseen_B[:: max(1, len(unseen_B) // self._most(BAND_ORIGINS))] - start
        if not len(unseen_B):
            return None
        first, stride = int(unseen_B[0]), int(np.diff(unseen_B[:2]).sum()) or 1
        if self.bundle.ensemble.allowance is not None:  # it counts those not scored yet, too
            unseen_B = np.arange(first, position.end - start, stride)
        kept, end = self.memory.caught_up, position.end - start
        if kept is not None and kept.of(first, stride) and self._knew(kept.end, kept.digest):
            begun, new_B = kept.paused, unseen_B[unseen_B > kept.paused.origins_B[-1]]
        else:
            begun, new_B = self._paused(self.bundle.ensemble), unseen_B
        _, paused = self._continued(begun, new_B) if len(new_B) else (None, begun)
        return CaughtUp(first, stride, end, self._digest(end), paused)

    def _caught_up_weights(self) -> MultiViewEnsemble:
        """The weights that were kept, after the truths since."""
        run = self.caught_up
        if run is None:
            return self.bundle.ensemble
        origins_B = run.paused.origins_B + self.data.train.start
        part_BH = parts_of_day(self.data.inputs.grid, origins_B, self.horizon)
        return run.paused.ended(self._truths(origins_B), part_BH, self.gradient)

    def _band(self) -> Floats:
        """Half the width of the band at the newest origin."""
        kept, start = self.kept_replay, self.data.train.start
        newest, past = self.newest_origin - start, len(kept.aside_B)
        errors = [kept.aside_BNH, kept.mixed_BNH - self._truths(kept.origins_B + start)]
        all_B = [kept.aside_B, kept.origins_B]
        if kept.origins_B[-1:].tolist() != [newest]:
            errors.append(np.full((1, *errors[0].shape[1:]), np.nan, np.float32))
            all_B.append(np.array([newest]))
        return newest_half_width(
            np.concatenate(errors), np.concatenate(all_B), past, self.terms.band
        )

    def _begun_replay(self, stride: int) -> KeptReplay:
        """Before its first origin: weighed by the days kept aside, or a sample of them."""
        every = self._stride(len(self.data.aside_B), self._most(BAND_ORIGINS))
        aside_B = self.data.aside_B[::every]
        view = self if every == 1 else replace(self, data=replace(self.data, aside_B=aside_B))
        _, aside = view._aside
        known_BNH, earlier_B = view._errors_aside(aside.forecast_BNH)
        paused = self._paused(aside.ensemble)
        return KeptReplay(
            end=0,
            digest="",
            stride=stride,
            aside_B=earlier_B - self.data.train.start,
            aside_BNH=known_BNH,
            origins_B=paused.origins_B,
            mixed_BNH=paused.mixed_BNH,
            paused=paused,
        )

    def _paused(self, ensemble: MultiViewEnsemble) -> PausedRun:
        none_BNH = np.empty((0, len(self.data.panel.places), self.horizon), np.float32)
        return PausedRun.begin(ensemble, len(self.experts), none_BNH)

    def _continued(self, paused: PausedRun, new_B: Ints) -> tuple[EnsembleForecast, PausedRun]:
        """Go on with a run over these steps since training began."""
        start, inputs = self.data.train.start, self.data.inputs
        every_B = np.concatenate([paused.origins_B, new_B]) + start
        forecast_EBNH = self.expert_forecasts(inputs.samples(new_B + start), new_B + start)
        part_BH = parts_of_day(inputs.grid, every_B, self.horizon)
        truth_BNH = self._truths(every_B)
        return continue_ensemble(paused, forecast_EBNH, truth_BNH, new_B, part_BH, self.gradient)

    def _truths(self, origins_B: Ints) -> Floats:
        """What came after each origin; NaN where it is not known."""
        values_TN = self.data.inputs.values_TN
        steps_BH = origins_B[:, None] + np.arange(self.horizon)
        truth_BHN = values_TN[np.clip(steps_BH, 0, len(values_TN) - 1)]
        inside_BH = (steps_BH >= 0) & (steps_BH < len(values_TN))
        truth_BHN = np.where(inside_BH[..., None], truth_BHN, np.float32("nan"))
        return np.asarray(truth_BHN.swapaxes(1, 2))

    def _knew(self, end: int, digest: str) -> bool:
        """Whether the rows before a step since training began are those of that digest."""
        return self.data.train.start + end <= self.newest_origin and self._digest(end) == digest

    def _digest(self, end: int) -> str:
        start = self.data.train.start
        graph = self.data.panel.adjacency_NN
        return rows_digest(self.data.inputs.values_TN[start : start + end], graph)

    @cached_property
    def _replayed_run(self) -> tuple[Ints, EnsembleForecast]:
        """Before the last update: origins up to the newest one, and a run over them."""
        end = self._position(self.newest_origin).end
        stride = self._stride(end + 1 - self.learned_to, self._most(MAX_SELECTION_ORIGINS))
        origins_B = origins(Span(self.learned_to, end + 1), 1, stride=stride)
        _, aside = self._aside
        return origins_B, self.run(self.data.inputs.samples(origins_B), origins_B, aside.ensemble)

    def _replayed(self) -> Prepared:
        """Weights and bands before the last update, from origins up to the newest one alone."""
        origins_B, found = self._replayed_run
        known_BNH, earlier_B = self._errors_aside(self._aside[1].forecast_BNH)
        errors = np.concatenate([known_BNH, found.forecast_BNH - self._truths(origins_B)])
        all_B, past = np.concatenate([earlier_B, origins_B]), len(known_BNH)
        return Prepared(found.ensemble, newest_half_width(errors, all_B, past, self.terms.band))

    def _errors_aside(self, aside_BNH: Floats) -> tuple[Floats, Ints]:
        """Errors on the days kept aside, and their origins."""
        data = self.data
        known_BNH = aside_BNH - data.kept_aside.truth_BNH
        if np.isfinite(known_BNH).any():
            return known_BNH, data.aside_B
        # how far the typical day was off in training
        learned = data.inputs.samples(data.train_B, until=data.train.end)
        known_BNH = learned.baseline_BNH - learned.truth_BNH
        return known_BNH, np.full(len(known_BNH), data.train.start)

    def _most(self, wanted: int) -> int:
        """How many of so many origins fit the memory."""
        return min(wanted, max(_LEAST_ORIGINS, _MOST_CELLS // self._cells))

    def _band_stride(self, position: BundlePosition) -> int:
        """Between the origins of the replay: as at the last update, while they are not twice as
        many as then; then twice that, and so on.
        """
        then = position.seen_to + 1 - self.learned_to
        often = (position.end + 1 - self.learned_to) // then
        return self._stride(then << (often.bit_length() - 1), self._most(BAND_ORIGINS))

    def _stride(self, steps: int, most: int) -> int:
        """For about `most` of so many steps, at all hours of the day alike."""
        stride = max(1, steps // most)
        while gcd(stride, self.data.panel.clock.steps_per_day) > 1:
            stride += 1
        return stride

    @cached_property
    def kept_aside(self) -> KeptAside:
        """Each expert's forecasts of the days kept aside, and their aggregate."""
        start, aside_B = self.data.train.start, self.data.aside_B
        kept = self.memory.aside
        same = kept is not None and np.array_equal(kept.origins_B, aside_B - start)
        if kept is not None and same and self._knew(kept.end, kept.digest):
            return kept
        samples = self.data.kept_aside
        forecast_EBNH = self.expert_forecasts(samples, aside_B)
        found = self._weigh(forecast_EBNH, samples, aside_B, self._begun())
        end = int(aside_B.max(initial=start)) + self.horizon - start
        naive = baseline_forecasts(self.data.inputs, samples, aside_B)
        past = Past(found.forecast_BNH, samples.truth_BNH, naive, self.data.panel.time_T[aside_B])
        return KeptAside(end, self._digest(end), aside_B - start, forecast_EBNH, found, past)

    @property
    def _aside(self) -> tuple[Floats, EnsembleForecast]:
        return self.kept_aside.forecast_EBNH, self.kept_aside.found

    def _begun(self, chosen: Sequence[int] | None = None) -> MultiViewEnsemble:
        kept, at = self.bundle.ensemble, slice(None) if chosen is None else list(chosen)
        joined_E = None if kept.recent is None else kept.recent.joined_E[at]
        return init_ensemble(list(kept.whole.prior_E[at]), len(self.data.panel.places), joined_E)

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
