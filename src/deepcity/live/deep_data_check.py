"""Whether agencies' deep data are still what the application was trained with.

An agency is in doubt, and treated as silent, while
- its vectors do not change for much longer than they ever did in training (stuck),
- their energy over a day lies far outside that of training (scaled),
- they change over the day against the way they did in training (signs flipped, a clock hours off),
- the forecasts of the last days, one whole day at least, were worse with it than without it
  (another order of the numbers, whatever it is). It is trusted again when they are not.

Shapes: B origins, N places, H horizon steps, T steps of the panel.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.clock import DAY_S
from deepcity.city.errors import GrantError, StoreError
from deepcity.learning.features.inputs import Inputs, Samples
from deepcity.learning.split.deep_day import DAYS, DayPattern
from deepcity.learning.split.deep_stats import WINDOW_S, DeepStats, energies, unchanged
from deepcity.learning.split.fused_package import FusedPackage, InputAgency
from deepcity.learning.split.fusion_inputs import DeepBatch
from deepcity.live.agency_inputs import AgencyInputs
from deepcity.runs.note import Note

BACK_S = 3 * 86_400
"""How far back forecasts are compared."""
MOST_ORIGINS = 72
"""In that time."""
LEAST_STEPS = 24
"""Steps of forecasts with a truth, before any are compared."""
LEAST_COMPARED_S = DAY_S
"""Time from which forecasts begin that have a truth, before any are compared: an agency that came
this morning may be worse by night alone, and forecasts of one hour and the next share most truths.
"""
_PRIOR_S = 43_200  # weight of what the agency was worth in training, beside the last days
_MARGIN, _RETURN = 0.03, -0.03  # worse by more: in doubt; better by more: trusted again
_NOTABLE = 0.005  # a difference of errors that is worth a number
_ENERGY = 0.3  # outside of what training had, as a share of its ends
_AGAINST = 0.1  # a correlation with training's usual day below zero, and training's own, by more
_RUN_STEPS = 3  # without a change, beyond the age at which deep data are used
_UNKNOWN = DeepStats(0.0, float("inf"), float("inf"), 1.0)


@dataclass(frozen=True, eq=False)
class _Window:
    """Origins of the last days, and agencies' deep data at them."""

    samples: Samples
    time_B: Ints
    deep: dict[str, DeepBatch]
    stride: int  # steps from one origin to the next


class DeepDataCheck:
    """Looks at deep data whenever own rows have come.

    Args:
        package: with the statistics of its training.
        inputs: reads deep data.
    """

    def __init__(self, package: FusedPackage, inputs: AgencyInputs) -> None:
        self._package, self._inputs = package, inputs
        self._harmful: set[str] = set()
        self._read: dict[tuple[str, int], DeepBatch] = {}

    def find_doubts(self, inputs: Inputs, time_T: Ints, origin: int, first: int) -> dict[str, Note]:
        """Agencies in doubt, and why.

        Args:
            origin: the step from which on own rows are not known.
            first: the first step that can be an origin.
        """
        window = self._window(inputs, time_T, origin, first)
        if window is None:
            return {}
        agencies = self._package.facts.agencies
        unlike = {one.name: self._unlike(one, window) for one in agencies}
        reasons = {name: why for name, why in unlike.items() if why is not None}
        for agency in agencies:
            why = self._does_harm(agency.name, window, reasons)
            self._harmful.discard(agency.name)
            if why is not None:
                self._harmful.add(agency.name)
                reasons.setdefault(agency.name, why)
        return reasons

    def _window(self, inputs: Inputs, time_T: Ints, origin: int, first: int) -> _Window | None:
        steps = max(1, BACK_S // self._package.facts.step_s)
        stride = -(-steps // MOST_ORIGINS)
        # the same origins each time, so that each is read once
        origins_B = np.array([o for o in range(origin - steps, origin + 1) if o % stride == 0])
        origins_B = origins_B[(origins_B >= first) & (origins_B < origin)].astype(np.int64)
        if not len(origins_B):
            return None
        time_B = time_T[origins_B]
        kept = {
            (agency.name, at): self._batch(agency, at)
            for agency in self._package.facts.agencies
            for at in time_B.tolist()
        }
        self._read = kept
        deep = {
            agency.name: DeepBatch(
                np.concatenate([kept[agency.name, at].vectors_BCD for at in time_B.tolist()]),
                np.concatenate([kept[agency.name, at].known_BC for at in time_B.tolist()]),
            )
            for agency in self._package.facts.agencies
        }
        return _Window(inputs.samples(origins_B, until=origin), time_B, deep, stride)

    def _batch(self, agency: InputAgency, at: int) -> DeepBatch:
        """An agency's deep data at an origin; read once, but for those that were missing."""
        found = self._read.get((agency.name, at))
        if found is not None and found.known_BC.any():
            return found
        try:
            batch = self._inputs.read(agency, at)[1]
        except (GrantError, StoreError):
            batch = None
        cells = len(self._package.cells[agency.name])
        nothing = np.zeros((1, cells, agency.width), np.float32)
        return batch or DeepBatch(nothing, np.zeros((1, cells), bool))

    def _stats(self, name: str) -> DeepStats:
        array = self._package.deep_stats.get(name)
        return _UNKNOWN if array is None else DeepStats.of(array)

    def _unlike(self, agency: InputAgency, window: _Window) -> Note | None:
        """Why its newest vectors are unlike those of training; None: they are not."""
        stats, batch = self._stats(agency.name), window.deep[agency.name]
        if len(window.time_B) > 1:
            still = unchanged(batch)[::-1]
            run = still.index(False) if False in still else len(still)
            run_s = run * int(np.diff(window.time_B).min())
            step_s = max(agency.step_s, agency.grid.step_s)
            if run_s > 2 * stats.run_s + (self._inputs.late_steps + 1 + _RUN_STEPS) * step_s:
                return Note(code="deep_stuck", numbers={"hours": run_s // 3600})
        recent_B = window.time_B >= window.time_B[-1] - WINDOW_S
        energy_B = energies(batch.of(np.flatnonzero(recent_B)))
        if len(energy_B) < LEAST_STEPS // 3:
            return None
        energy, low, high = energy_B.mean(), stats.least_energy, stats.most_energy
        if not (1 - _ENERGY) * low <= energy <= (1 + _ENERGY) * high:
            numbers = {"energy": round(float(energy), 3), "low": round(low, 3)}
            return Note(code="deep_scaled", numbers=numbers | {"high": round(high, 3)})
        return self._against_the_day(agency, window)

    def _against_the_day(self, agency: InputAgency, window: _Window) -> Note | None:
        """Why they change over the day against the way of training; None: they do not."""
        kept = self._package.deep_days.get(agency.name)
        if kept is None:
            return None
        usual = DayPattern.of(kept, agency.width)
        day, days = usual.correlations(window.time_B, window.deep[agency.name])
        for found, least, over in ((day, usual.least_day, 1), (days, usual.least_days, DAYS)):
            if found < min(0.0, least) - _AGAINST:
                numbers = {"days": over, "correlation": round(float(found), 2)}
                return Note(code="deep_flipped", numbers=numbers | {"least": round(least, 2)})
        return None

    def _does_harm(self, name: str, window: _Window, unlike: Collection[str]) -> Note | None:
        """Why forecasts are better without it; None: they are not."""
        batch = window.deep[name]
        if name in unlike:  # its own reason holds; checked again after it
            return None
        trusted = {
            other: one
            for other, one in window.deep.items()
            if other not in unlike and other not in self._harmful and other != name
        }
        there_B = np.flatnonzero(batch.known_BC.any(axis=1))
        samples = window.samples.take(there_B)
        known = np.isfinite(samples.truth_BNH)
        compared_s = self._package.facts.step_s * window.stride * known.any(axis=(1, 2)).sum()
        if known.any(axis=1).sum() < LEAST_STEPS or compared_s < LEAST_COMPARED_S:
            return None
        left = {other: one.of(there_B) for other, one in trusted.items()}
        with_it = self._error(samples, {**left, name: batch.of(there_B)}, known)
        without = self._error(samples, left, known)
        if without <= 0:
            return None
        prior = _PRIOR_S / compared_s
        ratio = (with_it / without + prior * self._stats(name).worth) / (1 + prior)
        if ratio <= 1 + (_RETURN if name in self._harmful else _MARGIN):
            return None
        excess = with_it / without - 1
        if abs(excess) < _NOTABLE:
            return Note(code="deep_no_better")
        return Note(code="deep_harmful", numbers={"excess": round(excess, 3)})

    def _error(self, samples: Samples, deep: dict[str, DeepBatch], known: Floats) -> float:
        """Mean absolute error where truths are known."""
        error_BNH = np.abs(self._package.predict(samples, deep) - samples.truth_BNH)
        return float(error_BNH[known].mean())
