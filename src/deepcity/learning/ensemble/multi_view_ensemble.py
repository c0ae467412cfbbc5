"""An ensemble with three sets of weights (overall, by place, by part of the day), combined.

The best expert differs by place and by time of day: a federated network may be good at rush
hours and bad at night, or fit one street and not the next. So ensemble weights are kept three
times: one set for all forecasts, one for each place, one for each part of the day, each by
Bernstein online aggregation (`deepcity.learning.ensemble.bernstein`; weights of a part of the
day are updated in that part only: specialists, Freund et al. 1997, "Using and combining
predictors that specialize"). A fourth aggregation combines the three forecasts. Its regret to
each of them is bounded as theirs is to each expert, so that the ensemble is hardly ever worse
than local training alone.

A forecast made at an origin uses weights from truths known at that origin. Each step's truths
update the weights once, as soon as the step has passed, by the mean over all forecasts that
cover it: a day-ahead forecast is scored hour by hour, and not only when the day is over.

Shapes: E experts, B origins, J forecasts that cover one step, N places, H horizon steps,
V views (three), P parts of the day.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Floats, Ints
from deepcity.learning.ensemble.bernstein import BOAState, init_boa
from deepcity.learning.ensemble.loss_allowance import LossAllowance, Pending, at_worst
from deepcity.learning.ensemble.recent_errors import RecentErrors, against_bounds
from deepcity.learning.features.typical_day import DayGrid

Gradient = Callable[[Floats, Floats], Doubles]
"""From forecasts and truths of one shape to the gradient of a convex loss in each forecast."""
PARTS = 8  # of a day, three hours each
_VIEWS = 3


@dataclass(frozen=True)
class MultiViewEnsemble:
    """Aggregation states of the experts in three views, and of the views.

    Attributes:
        experts: of the experts in all views, updated together: one group of all forecasts, one for
            each place, one for each of `PARTS` parts of the day.
        views: weights of the three views, which are its experts, in that order.
        recent: recent errors, by which joined experts are set aside; None: none ever is.
        allowance: what the mixture lost against the own network; None: it may lose anything.
    """

    experts: BOAState
    views: BOAState
    recent: RecentErrors | None = None
    allowance: LossAllowance | None = None

    @property
    def whole(self) -> BOAState:
        """The state of all forecasts, one group."""
        return self.experts.groups(slice(0, 1))

    @property
    def place(self) -> BOAState:
        """A group for each place."""
        return self.experts.groups(slice(1, -PARTS))

    @property
    def part(self) -> BOAState:
        """A group for each part of the day."""
        return self.experts.groups(slice(-PARTS, None))

    @cached_property
    def by_view(self) -> tuple[Doubles, Doubles, Doubles]:
        """Weights of the experts in the three views, (G, E) each, without those set aside."""
        weights_GE = self.experts.weights_GE
        if self.recent is not None:
            weights_GE = self.recent.without(weights_GE)
        return weights_GE[:1], weights_GE[1:-PARTS], weights_GE[-PARTS:]

    @property
    def weights_E(self) -> Doubles:
        """Weight of each expert over all views, places and parts of the day, with sum 1."""
        return self.weights_in(np.arange(PARTS))

    def weights_in(self, part_H: Ints) -> Doubles:
        """Weight of each expert in a forecast of steps in these parts of the day."""
        whole, place, part = self.by_view
        by_view_VE = np.stack([whole[0], place.mean(axis=0), part[part_H].mean(axis=0)])
        return np.asarray(self.views.weights_GE[0] @ by_view_VE)

    def view_forecasts(self, forecast_ENH: Floats, part_H: Ints) -> Floats:
        """Each view's weighted mean of the experts' forecasts, (V, N, H).

        Joined forecasts are kept near the own network's (`deepcity.learning.ensemble.own_errors`).
        """
        whole, place, part = self.by_view
        if self.recent is not None:
            forecast_ENH = self.recent.within_reach(forecast_ENH)
        return np.stack(
            [
                np.tensordot(whole[0], forecast_ENH, 1),
                np.einsum("ne,enh->nh", place, forecast_ENH),
                np.einsum("he,enh->nh", part[part_H], forecast_ENH),
            ]
        ).astype(np.float32)

    def mix(self, forecast_VNH: Floats, own_NH: Floats, pending: Pending) -> Floats:
        """The views' weighted mean, as far from the own network's forecast as it may be."""
        mixed_NH = np.tensordot(self.views.weights_GE[0], forecast_VNH, 1).astype(np.float32)
        return self.limited(mixed_NH, own_NH, pending)

    def limited(self, mixed_NH: Floats, own_NH: Floats, pending: Pending) -> Floats:
        """A mixture of the experts, as far from the own network's forecast as it may be.

        Args:
            pending: forecasts made before (`deepcity.learning.ensemble.loss_allowance`).
        """
        if self.allowance is None or self.recent is None:
            return mixed_NH
        return self.allowance.limit(mixed_NH, own_NH, self.recent.own.cautious_N, pending)


STATE_NAMES = ("whole", "place", "part", "views")


def init_ensemble(
    prior: Doubles | list[float], places: int, joined_E: Bools | None = None
) -> MultiViewEnsemble:
    """The ensemble before any truth; priors are scaled to sum 1, the views weigh alike.

    Args:
        joined_E: which experts are made of others' layers; the first is the party's own network.
            None: none is ever set aside.

    Raises:
        ValueError: if a prior is not over zero.
    """
    return MultiViewEnsemble(
        experts=init_boa(prior, 1 + places + PARTS),
        views=init_boa([1.0] * _VIEWS),
        recent=None if joined_E is None else RecentErrors.begin(joined_E, places),
        allowance=None if joined_E is None or not joined_E.any() else LossAllowance(),
    )


def parts_of_day(grid: DayGrid, origins_B: Ints, horizon: int) -> Ints:
    """The part of its city's day that each step of forecasts lies in, (B, H)."""
    step_BH = origins_B[:, None] + np.arange(horizon)
    slot_BH = grid.slot_T[np.clip(step_BH, 0, len(grid.slot_T) - 1)]
    return np.asarray(slot_BH * PARTS // grid.slots)


def absolute_gradient(forecast: Floats, truth: Floats) -> Doubles:
    """Gradient of the absolute error: the sign of forecast minus truth."""
    return np.sign(forecast.astype(np.float64) - truth)


@dataclass(frozen=True)
class EnsembleForecast:
    """Forecasts, the weights each was made with, and the ensemble after all updates.

    Attributes:
        error_BE, bound_BE: each expert's recent error at the origin, and the greatest that is
            tolerated (`deepcity.learning.ensemble.recent_errors`); None: nobody is set aside.
        lost_B: what was lost at the origin against the own network, in forecasts that err as it
            usually does (`deepcity.learning.ensemble.loss_allowance`); None: nobody counts.
    """

    forecast_BNH: Floats
    weights_BE: Doubles
    ensemble: MultiViewEnsemble
    error_BE: Doubles | None = None
    bound_BE: Doubles | None = None
    lost_B: Doubles | None = None


def run_ensemble(
    forecast_EBNH: Floats,
    truth_BNH: Floats,
    origins_B: Ints,
    part_BH: Ints,
    ensemble: MultiViewEnsemble,
    gradient: Gradient = absolute_gradient,
) -> EnsembleForecast:
    """Weighted forecasts for origins in order of time.

    Args:
        truth_BNH: NaN where not measured.
        origins_B: (B,) step indices, ascending; the truth of forecast b's step h is known at
            origin c if origins_B[b] + h < origins_B[c].
        part_BH: the part of the day of each step, 0..P-1.
        gradient: of the loss that updates the weights.
    """
    begun = PausedRun.begin(ensemble, len(forecast_EBNH), truth_BNH)
    found, paused = continue_ensemble(begun, forecast_EBNH, truth_BNH, origins_B, part_BH, gradient)
    return replace(found, ensemble=paused.ended(truth_BNH[-len(paused) :], part_BH, gradient))


@dataclass(frozen=True, eq=False)
class PausedRun:
    """A run that has made its last forecast so far, and can go on from there.

    Attributes:
        ensemble: after all truths before that forecast's origin, and none since.
        origins_B: of the forecasts that later truths will be compared with, the last included.
        forecast_EBNH, forecast_VBNH, mixed_BNH: those of the experts, of the views and of all.
    """

    ensemble: MultiViewEnsemble
    origins_B: Ints
    forecast_EBNH: Floats
    forecast_VBNH: Floats
    mixed_BNH: Floats

    def __len__(self) -> int:
        return len(self.origins_B)

    @staticmethod
    def begin(ensemble: MultiViewEnsemble, experts: int, like_BNH: Floats) -> "PausedRun":
        """Before any forecast, of forecasts shaped as these."""
        none_BNH = like_BNH[:0]
        shape = (experts, *none_BNH.shape)
        return PausedRun(
            ensemble,
            np.zeros(0, np.int64),
            np.zeros(shape, np.float32),
            np.zeros((_VIEWS, *none_BNH.shape), np.float32),
            none_BNH,
        )

    def pending(self, now: int) -> Pending:
        """Its forecasts of steps from `now` on, no earlier than its last origin."""
        return Pending.of(self.origins_B, at_worst(self.mixed_BNH, self.forecast_EBNH[0]), now)

    def ended(self, truth_BNH: Floats, part_BH: Ints, gradient: Gradient) -> MultiViewEnsemble:
        """The ensemble after the truths of the last forecast's steps too, as far as known.

        Args:
            truth_BNH, part_BH: of its own forecasts.
        """
        if not len(self):
            return self.ensemble
        feedback = _Feedback(
            self.forecast_EBNH,
            truth_BNH,
            self.forecast_VBNH,
            self.mixed_BNH,
            self.origins_B,
            part_BH[-len(self) :],
            gradient,
        )
        last = int(self.origins_B[-1])
        return feedback.apply(self.ensemble, range(last, last + truth_BNH.shape[-1]), len(self))


def continue_ensemble(
    paused: PausedRun,
    forecast_EBNH: Floats,
    truth_BNH: Floats,
    origins_B: Ints,
    part_BH: Ints,
    gradient: Gradient = absolute_gradient,
) -> tuple[EnsembleForecast, PausedRun]:
    """Go on with a run over later origins; arguments are those of `run_ensemble`, but truths and
    parts of the day are those of the paused run's own forecasts, and then of the new ones.

    Returns:
        The new forecasts with the ensemble at the last origin, and the run paused there.
    """
    made, horizon = len(paused), truth_BNH.shape[-1]
    every_B = np.concatenate([paused.origins_B, origins_B])
    mixed_BNH = np.empty_like(truth_BNH)
    forecast_VBNH = np.empty((_VIEWS, *truth_BNH.shape), np.float32)
    mixed_BNH[:made], forecast_VBNH[:, :made] = paused.mixed_BNH, paused.forecast_VBNH
    if made:
        forecast_EBNH = np.concatenate([paused.forecast_EBNH, forecast_EBNH], axis=1)
    feedback = _Feedback(
        forecast_EBNH, truth_BNH, forecast_VBNH, mixed_BNH, every_B, part_BH, gradient
    )
    worst_BH = np.zeros((len(every_B), horizon))
    worst_BH[:made] = at_worst(mixed_BNH[:made], forecast_EBNH[0, :made])
    ensemble, weights = paused.ensemble, []
    recent: list[tuple[Doubles, Doubles]] = []
    lost: list[float] = []
    for now in range(made, len(every_B)):
        if now:
            passed = range(int(every_B[now - 1]), int(every_B[now]))
            ensemble = feedback.apply(ensemble, passed, now)
        weights.append(ensemble.weights_in(part_BH[now]))
        if ensemble.recent is not None:
            recent.append((ensemble.recent.error_ME, ensemble.recent.steps_M))
        if ensemble.allowance is not None and ensemble.recent is not None:
            lost.append(ensemble.allowance.forecasts(ensemble.recent.own.cautious_N, horizon))
        forecast_VBNH[:, now] = ensemble.view_forecasts(forecast_EBNH[:, now], part_BH[now])
        own_NH = forecast_EBNH[0, now]
        pending = Pending.of(every_B[:now], worst_BH[:now], int(every_B[now]))
        mixed_BNH[now] = ensemble.mix(forecast_VBNH[:, now], own_NH, pending)
        worst_BH[now] = at_worst(mixed_BNH[now], own_NH)
    weights_BE = np.array(weights).reshape(len(origins_B), len(forecast_EBNH))
    found = EnsembleForecast(
        mixed_BNH[made:],
        weights_BE,
        ensemble,
        *_by_origin(recent, ensemble.recent),
        np.array(lost) if lost else None,
    )
    last = int(every_B[-1]) if len(every_B) else 0
    past = int(np.searchsorted(every_B, last - horizon, "right"))
    return found, PausedRun(
        ensemble,
        every_B[past:],
        forecast_EBNH[:, past:].copy(),
        forecast_VBNH[:, past:].copy(),
        mixed_BNH[past:].copy(),
    )


def _by_origin(
    recent: Sequence[tuple[Doubles, Doubles]], last: RecentErrors | None
) -> tuple[Doubles | None, Doubles | None]:
    """Errors and bounds of all origins, (B, E) each."""
    if not recent or last is None:
        return None, None
    error, steps = zip(*recent, strict=True)
    return against_bounds(np.stack(error), np.stack(steps), last.joined_E)


@dataclass(frozen=True)
class _Feedback:
    """Forecasts and truths, by the step they are for."""

    forecast_EBNH: Floats
    truth_BNH: Floats
    forecast_VBNH: Floats  # this and the next are filled as forecasts are made
    mixed_BNH: Floats
    origins_B: Ints
    part_BH: Ints
    gradient: Gradient

    def apply(self, ensemble: MultiViewEnsemble, steps: range, made: int) -> MultiViewEnsemble:
        """The ensemble updated by these steps, with `made` forecasts made so far."""
        horizon = self.truth_BNH.shape[-1]
        for step in steps[:horizon]:  # no forecast covers later ones
            first = int(np.searchsorted(self.origins_B[:made], step - horizon, side="right"))
            if first < made:
                ensemble = self._update_from(ensemble, np.arange(first, made), step)
        return ensemble

    def _update_from(
        self, ensemble: MultiViewEnsemble, covering_J: Ints, step: int
    ) -> MultiViewEnsemble:
        """Every state updated by one step's truths."""
        leads_J = step - self.origins_B[covering_J]
        truth_JN = self.truth_BNH[covering_J, :, leads_J]
        known_JN = np.isfinite(truth_JN)
        if not known_JN.any():
            return ensemble
        forecast_JEN = self.forecast_EBNH[:, covering_J, :, leads_J]
        views_JVN = self.forecast_VBNH[:, covering_J, :, leads_J]
        mixed_JN = self.mixed_BNH[covering_J, :, leads_J]

        against_JWN = np.concatenate([views_JVN, mixed_JN[:, None]], axis=1)
        truth_JWN = np.broadcast_to(truth_JN[:, None], against_JWN.shape)
        gradient_JWN = self.gradient(against_JWN, truth_JWN)
        gradient_JWN = np.where(known_JN[:, None], gradient_JWN, 0.0)
        whole_NE, place_NE, part_NE = _losses(forecast_JEN, gradient_JWN[:, :_VIEWS])
        (views_NV,) = _losses(views_JVN, gradient_JWN[:, _VIEWS:])
        count_N = known_JN.sum(axis=0)
        total = count_N.sum()
        loss_GE = np.zeros_like(ensemble.experts.regret_GE)  # where nothing was measured
        loss_GE[0] = whole_NE.sum(axis=0) / total
        loss_GE[1:-PARTS] = place_NE / np.maximum(count_N, 1)[:, None]
        part = self.part_BH[covering_J[0], leads_J[0]] - PARTS  # from the end
        loss_GE[part] = part_NE.sum(axis=0) / total
        recent = ensemble.recent
        if recent is not None:
            recent = recent.update(forecast_JEN, truth_JN)
        allowance = ensemble.allowance
        if allowance is not None:
            allowance = allowance.update(mixed_JN, forecast_JEN[:, 0], truth_JN)
        return replace(
            ensemble,
            recent=recent,
            allowance=allowance,
            experts=ensemble.experts.update(loss_GE),
            views=ensemble.views.update(views_NV.sum(axis=0, keepdims=True) / total),
        )


def _losses(forecast_JXN: Floats, gradient_JWN: Doubles) -> Doubles:
    """Each of W gradients along each of X forecasters, summed over forecasts, (W, N, X)."""
    loss_WNX = np.einsum("jxn,jwn->wnx", forecast_JXN.astype(np.float64), gradient_JWN)
    return np.asarray(loss_WNX - loss_WNX.mean(axis=2, keepdims=True))
