"""What else is known of the days ahead: days around holidays, and the weather foretold.

Wraps a party's fitted `Inputs`. To the summaries a head recalls it adds trends, the means of
the last days, and what people do on the day before a holiday, between a holiday and a
weekend, and after a holiday: somewhere between a working day and a Sunday. What the weather
does here is fitted on the party's own rows, moves its anchor, and never leaves it: gardens
and offices answer heat and rain in ways of their own.

Shapes: T steps, D days, B origins, N places, H horizon steps, S summaries, Q sorts of days,
W weather features, F features.
"""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.ferrara.last_year import last_year, restfulness
from benchmarks.ferrara.robust_ridge import RIDGE, least_absolute, robust_ridge
from benchmarks.ferrara.weather import weather_features
from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.features.day_types import day_types
from deepcity.learning.features.inputs import Inputs, Samples, train_origins
from deepcity.learning.features.typical_day import SUNDAY, DayGrid

_SATURDAY = 5
_MEMORY_DAYS = 20.0
_REACH_DAYS = 70
_WEATHER_DAYS = 8
_CLIP = 6.0
_LAST_DAYS = 4  # means of last days that a head recalls


@dataclass(frozen=True)
class ExogenousInputs:
    """A party's inputs with the days ahead.

    Attributes:
        day_types_TQ: 1 where a step's day is of a sort of `day_types`.
        day_type_effects_KTNQ: by lead, how far a day of that sort would lie from a working day if
            it were a whole Sunday (or Saturday), in scaled units; 0 on all other days. Two more
            tell what the same dates were like a year ago (`benchmarks.ferrara.last_year`).
        weather_TW: weather of each step as `weather_features` sees it.
        weather_KW: what the weather does here, at lead 0 and later; private.
        ridge_skip_HS: see `deepcity.learning.features.ridge_skip`.
    """

    inputs: Inputs
    day_types_TQ: Floats
    day_type_effects_KTNQ: Floats
    weather_TW: Floats
    weather_KW: Floats
    ridge_skip_HS: Floats

    def samples(self, origins_B: Ints, lead: int = 0) -> Samples:
        """Inputs, anchors and truths (NaN where missing or beyond the panel) for origins."""
        inner = self.inputs.samples(origins_B, lead)
        weather_BW = self._weather(origins_B, lead)
        moved_B = weather_BW @ self.weather_KW[min(lead, 1)]
        places = inner.features_BNF.shape[1]
        ahead_BF = np.concatenate([weather_BW, self._days(origins_B, lead)], axis=1)
        ahead_BNF = np.repeat(ahead_BF[:, None], places, axis=1)
        return replace(
            inner,
            features_BNF=np.concatenate([inner.features_BNF, ahead_BNF], -1).astype(np.float32),
            linear_BNHS=self._linear_features(inner, origins_B, lead),
            baseline_BNH=inner.baseline_BNH + inner.scale_N1 * moved_B[:, None, None],
        )

    def at_steps(self, origins_B: Ints, targets_BH: Ints, lead: int) -> Floats:
        """Sorts of days and weather at each target step, and its change, (B, H, Q + 2 W)."""
        inside = np.clip(targets_BH, 0, len(self.weather_TW) - 1)
        change_BW = self._weather(origins_B, lead)
        change = np.broadcast_to(change_BW[:, None], (*inside.shape, change_BW.shape[1]))
        return np.concatenate([self.day_types_TQ[inside], self.weather_TW[inside], change], axis=-1)

    def lead_linear_features(self, samples: Samples, lead: int) -> Floats:
        """Of the summaries only those that tell something at this lead, (B, N, H, S')."""
        leads, effect_count = self.inputs.settings.leads, self.day_type_effects_KTNQ.shape[-1]
        linear_features = samples.linear_BNHS
        by_lead = 2 + _LAST_DAYS
        edge = linear_features.shape[-1] - effect_count - leads * by_lead
        inner, days = (
            part.reshape(*part.shape[:-1], leads, -1)[..., lead, :]
            for part in (linear_features[..., :edge], linear_features[..., edge:-effect_count])
        )
        return np.concatenate([inner, days, linear_features[..., -effect_count:]], axis=-1)

    def _weather(self, origins_B: Ints, lead: int) -> Floats:
        """Mean over the block ahead less the mean of the last known days, (B, W)."""
        horizon, slots = self.inputs.settings.horizon, self.inputs.grid.slots
        start = origins_B + lead * horizon
        ahead = _mean_between(self.weather_TW, start, start + horizon)
        known = _mean_between(self.weather_TW, origins_B - _WEATHER_DAYS * slots, origins_B)
        change = ahead - known
        warm = known[:, :1]
        change[:, 2:4] *= 2 * warm  # rain matters where it is warm
        return np.clip(change, -_CLIP, _CLIP).astype(np.float32)

    def _days(self, origins_B: Ints, lead: int) -> Floats:
        middle = origins_B + lead * self.inputs.settings.horizon + self.inputs.settings.horizon // 2
        return self.day_types_TQ[np.clip(middle, 0, len(self.day_types_TQ) - 1)]

    def _linear_features(self, inner: Samples, origins_B: Ints, lead: int) -> Floats:
        """(B, N, H, S): those of the inputs; trends and last days by lead; sorts of days."""
        inputs = self.inputs
        targets_BH = inputs._targets(origins_B, lead)
        trends = [
            (inputs._at(trend[lead], targets_BH) - inner.baseline_BNH) / inner.scale_N1
            for trend in inputs.trends_KTN
        ]
        days = [
            np.broadcast_to(mean_BN[..., None], inner.baseline_BNH.shape)
            for mean_BN in self._last_days(origins_B)
        ]
        by_lead = np.zeros(
            (*inner.baseline_BNH.shape, inputs.settings.leads, 2 + len(days)), np.float32
        )
        by_lead[..., lead, :] = np.clip(np.stack([*trends, *days], axis=-1), -_CLIP, _CLIP)
        inside = np.clip(targets_BH, 0, len(self.day_types_TQ) - 1)
        day_type_effects_BNHQ = np.swapaxes(self.day_type_effects_KTNQ[lead][inside], 1, 2)
        flat = by_lead.reshape(*inner.baseline_BNH.shape, -1)
        return np.concatenate([inner.linear_BNHS, flat, day_type_effects_BNHQ], axis=-1)

    def _last_days(self, origins_B: Ints) -> list[Floats]:
        """Mean deviations over the last day, the day before it, three days and a week, (B, N)."""
        slots, summed = self.inputs.grid.slots, self.inputs.summed_TN

        def mean(first: int, last: int) -> Floats:
            low, high = (np.maximum(origins_B - slots * days, 0) for days in (first, last))
            return np.asarray((summed[high] - summed[low]) / (slots * (first - last)))

        return [mean(1, 0), mean(2, 1), mean(3, 0), mean(7, 0)]


def fit_exogenous(
    inputs: Inputs, panel: Panel, train: Span, weather: Panel | None
) -> ExogenousInputs:
    """Fit what days around holidays and the weather do, on the training span alone.

    Args:
        panel: the panel the inputs were fitted on (its clock knows the holidays).
        weather: on the same steps; values after an origin are forecasts a city would have.
    """
    day_types_DQ = day_types(panel.clock, panel.time_T, inputs.grid)
    day_types_TQ = day_types_DQ[inputs.grid.day_T]
    weather_TW = weather_features(weather, len(panel.time_T), train)
    leads = range(inputs.settings.leads)
    effect_count = _day_type_effects(inputs, panel, train, day_types_DQ)
    bare = ExogenousInputs(
        inputs,
        day_types_TQ,
        effect_count.astype(np.float32),
        weather_TW,
        np.zeros((2, weather_TW.shape[1]), np.float32),
        np.zeros((0, 0), np.float32),
    )
    weather_KW = _fit_weather(bare, train)
    known = replace(bare, weather_KW=weather_KW)
    parts = [known.samples(_midnights(known, train, lead), lead) for lead in leads]
    ridge_skip_HS = robust_ridge(
        np.concatenate([part.linear_BNHS for part in parts]),
        np.concatenate([part.target_BNH for part in parts]),
    )
    return replace(known, ridge_skip_HS=ridge_skip_HS)


def _mean_between(values_TW: Floats, start_B: Ints, end_B: Ints) -> Doubles:
    total = np.concatenate([np.zeros_like(values_TW[:1]), values_TW]).astype(np.float64).cumsum(0)
    low, high = (np.clip(edge, 0, len(values_TW)) for edge in (start_B, end_B))
    return np.asarray((total[high] - total[low]) / np.maximum(high - low, 1)[:, None])


def _day_type_effects(inputs: Inputs, panel: Panel, train: Span, day_types_DQ: Floats) -> Floats:
    """(K, T, N, Q + 2): from a working day to a Sunday (or Saturday), on days of a sort; and
    to a Sunday as far as the same dates a year ago had gone.
    """
    grid, values = inputs.grid, inputs.values_TN.copy()
    values[: train.start] = np.nan
    total, count = grid.fold(values)
    measured_DSN = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    found = []
    for lead in range(inputs.settings.leads):
        ahead = (lead + 1) * inputs.settings.horizon
        work, saturday, sunday = (
            _typical_of(values, grid, days, ahead) for days in (range(5), [_SATURDAY], [SUNDAY])
        )
        if lead == 0:
            restful = restfulness(measured_DSN, work, sunday)
            first_s, known = int(panel.time_T[0]), int(grid.day_T[train.end - 1])
            year_DN2 = last_year(restful, day_types_DQ, panel.clock, first_s, grid, known)
        effects = [_rest_effect(inputs, work, rest) for rest in (sunday, saturday)]
        by_type = [
            effect * day_type[:, None, None]
            for effect, day_type in zip(_effects_by_type(effects), day_types_DQ.T, strict=True)
        ]
        as_year = [effects[0] * year_DN2[:, None, :, index] for index in range(2)]
        found.append(grid.unfold(np.stack([*by_type, *as_year], axis=-1)))
    return np.stack(found).astype(np.float32)


def _rest_effect(inputs: Inputs, work_DSN: Floats, rest_DSN: Floats) -> Floats:
    """From a working day's typical values to a day of rest's, in scaled units."""
    effect = np.nan_to_num(rest_DSN - work_DSN) / inputs.scale_N1[:, 0]
    return np.asarray(np.clip(effect, -_CLIP, _CLIP), dtype=np.float32)


def _effects_by_type(effects: list[Floats]) -> list[Floats]:
    """The way that each sort of `day_types` goes."""
    sunday, saturday = effects
    return [sunday, sunday, saturday, sunday, sunday, saturday]


def _typical_of(
    values_TN: Floats, grid: DayGrid, weekdays: range | list[int], ahead: int
) -> Floats:
    """(D, S, N): weighted mean of the last days of some weekdays, NaN where there is none."""
    gap = np.arange(grid.days)[:, None] - np.arange(grid.days)[None, :]
    least_D, most_D = grid.shifts()
    allowed = (
        (least_D[:, None] - most_D >= ahead)
        & (gap <= _REACH_DAYS)
        & np.isin(grid.weekday_D, weekdays)
    )
    weights = np.where(allowed, np.exp(-np.maximum(gap, 0) / _MEMORY_DAYS), 0.0)
    total, count = (weights @ part.reshape(grid.days, -1) for part in grid.fold(values_TN))
    mean = np.where(count > 0, total, np.nan) / np.where(count > 0, count, 1.0)
    return np.asarray(mean.reshape(grid.days, grid.slots, -1), dtype=np.float32)


def _midnights(exogenous: ExogenousInputs, train: Span, lead: int) -> Ints:
    """One origin a day, counted back from the end of training."""
    slots = exogenous.inputs.grid.slots
    return train_origins(exogenous.inputs.settings, train, lead)[::-1][::slots][::-1]


def _fit_weather(exogenous: ExogenousInputs, train: Span) -> Floats:
    """(2, W): beside what a head would recall, so that neither explains the other's part."""
    size = exogenous.weather_TW.shape[1]
    rows, truths = [], []
    for lead in range(exogenous.inputs.settings.leads):
        chosen = _midnights(exogenous, train, lead)
        part = exogenous.samples(chosen, lead)
        shape = (*part.truth_BNH.shape, 2, size)
        weather = np.zeros(shape, np.float32)
        weather[..., min(lead, 1), :] = exogenous._weather(chosen, lead)[:, None, None]
        both = [part.linear_BNHS, weather.reshape(*shape[:3], -1)]
        rows.append(np.concatenate(both, axis=-1).reshape(-1, _width(both)))
        truths.append(part.target_BNH.reshape(-1))
    found = least_absolute(
        np.concatenate(rows),
        np.concatenate(truths),
        np.zeros(rows[0].shape[1], np.float32),
        RIDGE * exogenous.inputs.settings.horizon,
    )
    return found[len(found) - 2 * size :].reshape(2, size)


def _width(parts: list[Floats]) -> int:
    return sum(part.shape[-1] for part in parts)
