"""Inputs of a network: recent deviations, spatial means, typical days and the calendar.

Everything is relative to the typical day and scaled by the party's own spread, so that
inputs of parties of any size look alike; the scaling itself never leaves its party.

Shapes: T steps, N places, B origins, H horizon steps, R recent steps, F features.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

import numpy as np
from pydantic import Field

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.city.clock import Clock
from deepcity.data.config.toml_file import Settings
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.features.partial_windows import eval_origins, partial_windows, whole_windows
from deepcity.learning.features.ridge_skip import blended_ridge, decay_priors
from deepcity.learning.features.scaling import CLIP, fit_scaling, scaled_deviations
from deepcity.learning.features.spatial_mixing import spatial_means
from deepcity.learning.features.typical_day import DayGrid, DaySimilarity, day_grid, typical_values

_MEMORIES = (14.0, 5.0, 40.0)  # days of memory: the typical day, a faster and a slower trend
_BY_ORIGIN = ("features_BNF", "linear_BNHS", "baseline_BNH", "truth_BNH")  # of samples
_LITTLE = 1e-3  # added to effective days before the logarithm


class ScaleBy(StrEnum):
    """Whose spread scales a deviation."""

    PLACE = "place"  # counts and flows: places differ in size
    PARTY = "party"  # speeds and temperatures: one scale for all places


class WindowSettings(Settings):
    """How far a service looks back and ahead, in steps."""

    history: int = Field(
        default=24, ge=1, description="recent steps that a forecast uses one by one"
    )
    horizon: int = Field(default=24, ge=1, description="steps forecast at once")
    leads: int = Field(default=1, ge=1, description="blocks of `horizon` steps forecast in turn")
    days: int = Field(
        default=14,
        ge=0,
        description="earlier days that a forecast uses as daily means; 0: only `history` steps "
        "and the typical days of the training span, as published short-term protocols do",
    )
    scale_by: ScaleBy = Field(
        default=ScaleBy.PLACE, description="whether each place has a scale of its own, or all one"
    )


@dataclass(frozen=True)
class Samples:
    """Inputs and truths for some origins.

    Forecasts in the field's unit are
    `baseline_BNH + scale_N1 * network(features_BNF, linear_BNHS)`.
    The seasonal baseline is the typical day. The first `recent` features are single deviations,
    to which training may add noise.
    """

    features_BNF: Floats
    linear_BNHS: Floats
    baseline_BNH: Floats
    truth_BNH: Floats
    scale_N1: Floats
    recent: int

    def __len__(self) -> int:
        return len(self.features_BNF)

    def take(self, rows_B: Ints | Bools) -> "Samples":
        """Samples of some origins."""
        kept = {name: getattr(self, name)[rows_B] for name in _BY_ORIGIN}
        return Samples(**kept, scale_N1=self.scale_N1, recent=self.recent)

    @classmethod
    def concat(cls, parts: Sequence["Samples"]) -> "Samples":
        """Samples one after another, all of one party; the scale is that of the last."""
        if len(parts) == 1:
            return parts[0]
        joined = {name: np.concatenate([getattr(p, name) for p in parts]) for name in _BY_ORIGIN}
        return cls(**joined, scale_N1=parts[-1].scale_N1, recent=parts[-1].recent)

    @property
    def target_BNH(self) -> Floats:
        """Targets of the network, in scaled units; NaN where not measured."""
        return (self.truth_BNH - self.baseline_BNH) / self.scale_N1


@dataclass(frozen=True)
class Inputs:
    """One party's fitted view of one field: makes samples for any origin.

    Attributes:
        typical_KTN: typical values by lead, K = settings.leads.
        trends_KTN: typical values with shorter and with longer memory.
        effective_days_KTN: summed weights of the days that typical values are averaged over.
        deviation_TN: values minus the lead-0 typical day, scaled and clipped, 0 where missing.
        mixed_TN: deviations averaged by each mixing matrix.
        summed_TN: running sum of deviations, one step longer, for means over days.
        scale_N1: unit of deviations and of the network's output.
        ridge_skip_HS: ridge coefficients from linear features to deviations; a head starts with
            them.
        spread_N1, mean_N1: spread and mean of the values themselves.
        weekday_D7: each day's weekday, Monday first; zero where training saw it only once.
        short: its training span holds no whole window, so that history may begin before the
            panel; those steps count as missing.
    """

    settings: WindowSettings
    grid: DayGrid
    values_TN: Floats
    typical_KTN: Floats
    trends_KTN: tuple[Floats, Floats]
    effective_days_KTN: Floats
    deviation_TN: Floats
    mixed_TN: tuple[Floats, ...]
    summed_TN: Floats
    scale_N1: Floats
    spread_N1: Floats
    mean_N1: Floats
    weekday_D7: Floats
    ridge_skip_HS: Floats
    short: bool = False

    def samples(self, origins_B: Ints, lead: int = 0, until: int | None = None) -> Samples:
        """Inputs, baselines and truths (NaN where missing or beyond the panel) for origins.

        Args:
            until: truths from this step on are masked (NaN); left out, none is.
        """
        targets_BH = self._targets(origins_B, lead)
        typical_BNH = self._at(self.typical_KTN[lead], targets_BH)
        linear_BNHS = self._linear_features(origins_B, targets_BH, lead)
        features = [
            self._recent(self.deviation_TN, origins_B),
            *(self._recent(mixed_TN, origins_B) for mixed_TN in self.mixed_TN),
            (typical_BNH - self.mean_N1) / self.spread_N1,
            self._typical_now(origins_B),
            self._days_before(origins_B, targets_BH, lead, typical_BNH),
            self._effective_days(targets_BH, lead),
            self._calendar(origins_B, targets_BH, lead),
        ]
        return Samples(
            np.clip(np.concatenate(features, axis=-1), -CLIP, CLIP).astype(np.float32),
            linear_BNHS,
            typical_BNH,
            self._truth(targets_BH, until),
            self.scale_N1,
            recent=self.settings.history * (1 + len(self.mixed_TN)),
        )

    @property
    def residual_ratio(self) -> float:
        """Deviations' scale as a share of the values' spread: what the typical day leaves."""
        return float(np.median(self.scale_N1 / self.spread_N1))

    def _effective_days(self, targets_BH: Ints, lead: int) -> Floats:
        """Log of the typical day's effective days, (B, N, 2): least and mean over the horizon."""
        known_BNH = np.log(self._at(self.effective_days_KTN[lead], targets_BH) + _LITTLE)
        found = np.stack([known_BNH.min(-1), known_BNH.mean(-1)], axis=-1) / 2
        return np.asarray(found, dtype=np.float32)

    def _targets(self, origins_B: Ints, lead: int) -> Ints:
        first = origins_B[:, None] + lead * self.settings.horizon
        return np.asarray(first + np.arange(self.settings.horizon))

    def _at(self, series_TN: Floats, index_BX: Ints) -> Floats:
        """Values at step indices, (B, N, X); steps beyond either end repeat the end."""
        inside = np.clip(index_BX, 0, len(series_TN) - 1)
        return np.asarray(np.swapaxes(series_TN[inside], 1, 2))

    def _known(self, series_TN: Floats, index_BX: Ints) -> Floats:
        """Deviations at step indices, (B, N, X); of a short record 0 before its first step."""
        found = self._at(series_TN, index_BX)
        if not self.short:
            return found
        return np.where((index_BX >= 0)[:, None], found, np.float32(0))

    def _truth(self, targets_BH: Ints, until: int | None = None) -> Floats:
        end = len(self.values_TN) if until is None else min(until, len(self.values_TN))
        inside = (targets_BH >= 0) & (targets_BH < end)
        return np.where(inside[:, None], self._at(self.values_TN, targets_BH), np.float32("nan"))

    def _recent(self, series_TN: Floats, origins_B: Ints) -> Floats:
        back_BR = origins_B[:, None] - np.arange(self.settings.history, 0, -1)
        return self._known(series_TN, back_BR)

    def _typical_now(self, origins_B: Ints) -> Floats:
        back_BR = origins_B[:, None] - np.arange(min(self.settings.history, 12), 0, -1)
        return (self._at(self.typical_KTN[0], back_BR) - self.mean_N1) / self.spread_N1

    def _linear_features(self, origins_B: Ints, targets_BH: Ints, lead: int) -> Floats:
        """Inputs of the ridge skip connection, (B, N, H, S): last steps, yesterday, last week.

        Every lead has linear features of its own; those of the other leads are zero.
        """
        recent = self._recent(self.deviation_TN, origins_B)
        parts = [recent[..., -1:], recent[..., -3:].mean(-1, keepdims=True)]
        parts += [recent.mean(-1, keepdims=True)]
        shape = (*recent.shape[:2], targets_BH.shape[1])
        same = [np.broadcast_to(part, shape) for part in parts]
        same += self._same_time_before(origins_B, targets_BH)
        linear_features = np.zeros((*shape, self.settings.leads, len(same)), np.float32)
        linear_features[..., lead, :] = np.stack(same, axis=-1)
        return linear_features.reshape(*shape, self.settings.leads * len(same))

    def _same_time_before(self, origins_B: Ints, targets_BH: Ints) -> list[Floats]:
        """Deviations at the target's time of the last known day, and of the week before."""
        if not self.settings.days:
            return []
        ahead = targets_BH - origins_B[:, None] + 1
        lags = (self.grid.slots, 7 * self.grid.slots)
        return [self._known(self.deviation_TN, targets_BH - -(-ahead // lag) * lag) for lag in lags]

    def _days_before(
        self,
        origins_B: Ints,
        targets_BH: Ints,
        lead: int,
        typical_BNH: Floats,
    ) -> Floats:
        """Mean deviation of each earlier day, last week's values, faster and slower trends."""
        if not self.settings.days:
            return np.zeros((*typical_BNH.shape[:2], 0), np.float32)
        slots = self.grid.slots
        back = origins_B[:, None] - slots * np.arange(self.settings.days, 0, -1)
        total = self._at(self.summed_TN, back + slots) - self._at(self.summed_TN, back)
        trends = [self._at(trend[lead], targets_BH) - typical_BNH for trend in self.trends_KTN]
        parts = [total / slots, *(trend / self.scale_N1 for trend in trends)]
        return np.concatenate([*parts, *self._same_time_before(origins_B, targets_BH)], -1)

    def _calendar(self, origins_B: Ints, targets_BH: Ints, lead: int) -> Floats:
        """Time of day, weekday and season, and how far ahead this block lies."""
        inside = np.clip(targets_BH[:, -1], 0, len(self.grid.day_T) - 1)
        weekday = self.weekday_D7[self.grid.day_T[inside]]
        origin = np.clip(origins_B, 0, len(self.grid.slot_T) - 1)
        phase = 2 * np.pi * self.grid.slot_T[origin] / self.grid.slots
        clock = np.stack([np.sin(phase), np.cos(phase), np.sin(2 * phase), np.cos(2 * phase)], -1)
        parts = [clock, weekday]
        if self.settings.leads > 1:
            parts.append(np.tile(np.eye(self.settings.leads)[lead], (len(origins_B), 1)))
        rows = np.concatenate(parts, axis=1).astype(np.float32)
        return np.repeat(rows[:, None], self.values_TN.shape[1], axis=1)


def fit_inputs(
    panel: Panel,
    field: str,
    settings: WindowSettings,
    train: Span,
    adjacency_NN: Floats | None = None,
    validation: Span | None = None,
    *,
    partly: bool = False,
    fit_ridge: bool = True,
) -> Inputs:
    """Fit typical days, scaling, spatial mixing and ridge on the training span alone.

    Args:
        validation: span that weights the ridge's penalties; left out, one penalty for long
            records.
        partly: accept partial windows where there is no whole one.
        fit_ridge: False where a forecaster brings its own coefficients: they are 0 then.

    Raises:
        KeyError: if the panel lacks the field.
        ValueError: if the training span holds no window of history and horizon.
    """
    values_TN = panel.values_TNF[:, :, panel.field_index(field)].copy()
    values_TN[: train.start] = np.nan  # a party that joined late has no earlier days
    last = settings.leads - 1  # the longest window must fit
    train_origins(settings, train, last, partly=partly)
    grid = day_grid(panel.clock, panel.time_T)
    (typical, effective_days), (fast, _), (slow, _) = (
        _typical_by_lead(values_TN, grid, panel.clock, settings, train, DaySimilarity(memory))
        for memory in _MEMORIES
    )
    shared = settings.scale_by is ScaleBy.PARTY
    scale_N1, spread_N1, mean_N1 = fit_scaling(values_TN, typical[0], train, shared=shared)
    nothing = np.zeros((0, 0), np.float32)
    bare = Inputs(
        settings=settings,
        grid=grid,
        values_TN=values_TN,
        typical_KTN=typical,
        trends_KTN=(fast, slow),
        effective_days_KTN=effective_days,
        deviation_TN=nothing,
        mixed_TN=(),
        summed_TN=nothing,
        scale_N1=scale_N1,
        spread_N1=spread_N1,
        mean_N1=mean_N1,
        weekday_D7=_weekdays(grid, train),
        ridge_skip_HS=nothing,
        short=not len(whole_windows(train, settings.history, settings.horizon, last)),
    )
    done = with_scale(bare, train, adjacency_NN)
    if not fit_ridge:
        first_B = np.array([train.start])
        linear_BNHS = done._linear_features(first_B, done._targets(first_B, 0), 0)
        return replace(done, ridge_skip_HS=np.zeros(linear_BNHS.shape[2:], np.float32))
    ridge_skip_HS = _fit_ridge_skip(done, train, validation or Span(0, 0), partly=partly)
    return replace(done, ridge_skip_HS=ridge_skip_HS)


def _typical_by_lead(
    values_TN: Floats,
    grid: DayGrid,
    clock: Clock,
    settings: WindowSettings,
    train: Span,
    similarity: DaySimilarity,
) -> list[Floats]:
    """Typical values and effective days, (K, T, N) each; lead k looks k + 1 horizons ahead."""
    typical = partial(typical_values, values_TN, grid, clock, similarity=similarity)
    found = [
        typical(train_end=train.end, ahead=(lead + 1) * settings.horizon, frozen=not settings.days)
        for lead in range(settings.leads)
    ]
    return [np.stack(part) for part in zip(*found, strict=True)]


def with_scale(inputs: Inputs, train: Span, adjacency_NN: Floats | None) -> Inputs:
    """The inputs with deviations and spatial means in their own scale."""
    deviation_TN = scaled_deviations(inputs.values_TN, inputs.typical_KTN[0], inputs.scale_N1)
    lag = max(1, inputs.settings.horizon // 2)
    return replace(
        inputs,
        deviation_TN=deviation_TN,
        mixed_TN=spatial_means(deviation_TN, train, adjacency_NN, lag),
        summed_TN=np.concatenate([np.zeros_like(deviation_TN[:1]), deviation_TN.cumsum(0)]),
    )


def train_origins(
    settings: WindowSettings, train: Span, lead: int = 0, *, partly: bool = False
) -> Ints:
    """Origins a party may learn from: history and targets inside the training span.

    Args:
        partly: where there is none, take those with one target inside it. Training must then
            mask the targets beyond it (`Inputs.samples(..., until=train.end)`).

    Raises:
        ValueError: if there is none, with the steps needed.
    """
    found = whole_windows(train, settings.history, settings.horizon, lead)
    if not len(found) and partly:
        found = partial_windows(train, settings.horizon, lead)
    if not len(found):
        need = settings.history + (lead + 1) * settings.horizon
        raise ValueError(f"the training span has {len(train)} steps; one window needs {need}")
    return found


def _weekdays(grid: DayGrid, train: Span) -> Floats:
    """Weekdays one-hot, (D, 7): a weekday of a single training day is not encoded."""
    days = np.unique(grid.day_T[train.start : train.end])
    day_count = np.bincount(grid.weekday_D[days], minlength=7)
    one_hot = np.eye(7, dtype=np.float32) * (day_count > 1)
    return np.asarray(one_hot[grid.weekday_D], dtype=np.float32)


def _fit_ridge_skip(inputs: Inputs, train: Span, validation: Span, *, partly: bool) -> Floats:
    horizon, leads = inputs.settings.horizon, range(inputs.settings.leads)
    learned = [train_origins(inputs.settings, train, lead, partly=partly) for lead in leads]
    chosen = [eval_origins(validation, horizon, lead, partly=partly) for lead in leads]
    validation_rows = _ridge_rows(inputs, chosen, validation.end) if all(map(len, chosen)) else None
    rows = _ridge_rows(inputs, learned, train.end)
    priors = decay_priors(horizon, inputs.settings.leads, rows[0].shape[-1])
    return blended_ridge(rows, validation_rows, priors)


def _ridge_rows(inputs: Inputs, origins_KB: list[Ints], until: int) -> tuple[Floats, Floats]:
    """Linear features and deviations of every lead's origins, (B, N, H, S) and (B, N, H)."""
    linear_features, deviations = [], []
    for lead, found in enumerate(origins_KB):
        chosen = found[:: max(1, len(found) // 3000)]  # enough rows for few coefficients
        targets = inputs._targets(chosen, lead)
        typical = inputs._at(inputs.typical_KTN[lead], targets)
        linear_features.append(inputs._linear_features(chosen, targets, lead))
        deviations.append((inputs._truth(targets, until) - typical) / inputs.scale_N1)
    return np.concatenate(linear_features), np.concatenate(deviations)
