"""Forecasts of a saved bundle: the experts as they were kept, weighed as a run weighs them.

A run weighs its experts first over the days kept aside, then from day to day over its test
days. `replay` does the same again over any origins that no network learned from; `newest` goes
on from the weights that were kept (`deepcity.runs.update.weighed_bundle`).

Shapes: B origins, N places, H horizon steps.
"""

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from deepcity.applications.state import Past
from deepcity.city.arrays import Floats, Ints
from deepcity.city.level import ALONE
from deepcity.forecasting.forecasts import Forecasts
from deepcity.forecasting.gaps import Gap, find_gaps
from deepcity.learning.ensemble.multi_view_ensemble import parts_of_day
from deepcity.learning.evaluation.bands import rolling_half_width
from deepcity.learning.features.inputs import Samples
from deepcity.parties.ensemble import expert_forecasts
from deepcity.parties.method_errors import baseline_forecasts
from deepcity.runs.update.weighed_bundle import WeighedBundle


@dataclass(frozen=True, eq=False)
class OpenBundle(WeighedBundle):
    """A weighed bundle that forecasts."""

    @property
    def alone(self) -> list[int]:
        """Positions of the experts that learning alone consists of."""
        own = [at for at, (level, _) in enumerate(self.experts) if level == ALONE]
        return [at for at in own if not self.experts[at][1].baseline] or own

    def replay(self, origins_B: Ints, *, alone: bool = False) -> Forecasts:
        """Forecasts of origins as a run makes those of its test days.

        Args:
            origins_B: steps of the panel, ascending, none before `learned_to`.
            alone: also those of the party's own experts alone.
        """
        aside_EBNH, aside = self._aside
        samples = self.data.inputs.samples(origins_B)
        forecast_EBNH = expert_forecasts(
            self.experts, samples, origins_B, self.data.inputs.values_TN
        )
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

    def past(self, steps: int, *, recent: bool = False) -> Past:
        """Forecasts of the days kept aside as a run made them, beside naive ones, with what came;
        first steps.

        Args:
            recent: also those since, of a sample of origins whose steps are all over.
        """
        found = _first_steps(self.kept_aside.past, steps)
        if not recent:
            return found
        origins_B, mixed_BNH = self.replayed
        over_B = origins_B + steps <= self.newest_origin
        origins_B, mixed_BNH = origins_B[over_B], mixed_BNH[over_B]
        naive = self.naive(origins_B, self.data.inputs.samples(origins_B))
        return Past(
            np.concatenate([found.forecast_BNH, mixed_BNH[..., :steps]]),
            np.concatenate([found.truth_BNH, self._truths(origins_B)[..., :steps]]),
            {
                name: np.concatenate([one_BNH, naive[name][..., :steps]])
                for name, one_BNH in found.others.items()
            },
            self.data.panel.time_T[np.concatenate([self.data.aside_B, origins_B])],
            found,
        )

    def naive(self, origins_B: Ints, samples: Samples) -> dict[str, Floats]:
        """Forecasts without learning, by name, (B, N, H)."""
        return baseline_forecasts(self.data.inputs, samples, origins_B)

    def naive_now(self) -> dict[str, Floats]:
        """Those at the newest origin, (N, H)."""
        origins_B = np.array([self.newest_origin])
        found = self.naive(origins_B, self.data.inputs.samples(origins_B))
        return {name: one_BNH[0] for name, one_BNH in found.items()}

    def newest(self) -> Forecasts:
        """The forecast at the newest origin, with the weights that were kept, if they knew no
        later truth; NaN at places that cannot be forecast, with the reasons.
        """
        ready, data, identity = self.prepared, self.data, self.bundle.identity
        origin = self.newest_origin
        origins_B = np.array([origin])
        samples = data.inputs.samples(origins_B)
        forecast_ENH = expert_forecasts(
            self.experts, samples, origins_B, self.data.inputs.values_TN
        )[:, 0]
        part_H = parts_of_day(data.inputs.grid, origins_B, self.horizon)[0]
        views_VNH = ready.ensemble.view_forecasts(forecast_ENH, part_H)
        forecast_NH = ready.ensemble.mix(views_VNH, forecast_ENH[0], ready.pending)
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

    def _forecasts(
        self, origins_B: Ints, samples: Samples, forecast_BNH: Floats, aside_BNH: Floats
    ) -> Forecasts:
        """With bands from errors known before each origin, those of the days aside first."""
        data, identity = self.data, self.bundle.identity
        known, earlier_B = self._errors_aside(aside_BNH)
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


@lru_cache(maxsize=8)  # one object while the days are the same: what is learned from it is kept too
def _first_steps(past: Past, steps: int) -> Past:
    return Past.of(past.forecast_BNH, past.truth_BNH, steps, past.others, past.time_B)
