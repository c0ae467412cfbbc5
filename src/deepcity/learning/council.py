"""Three ways of weighing one set of experts, and a weighing of the three.

Who is best differs by place and by time of day: a joined network may know rush hours and
misjudge nights, or fit one street and not the next. So weights are kept three times, one set
for all forecasts, one for each place, one for each part of the day, each by Bernstein online
aggregation (`deepcity.learning.aggregate`; weights of a part of the day rest while it is
another's turn: specialists, Freund et al. 1997, "Using and combining predictors that
specialize"). A fourth aggregate weighs the three forecasts. What it loses to the first of
them is bounded as that is to each expert, so the promise stands: hardly ever worse than alone.

A forecast made at an origin is weighed by truths known at that origin alone. Each step's
truths teach as soon as the step has passed, once, by the mean over all forecasts that spoke
of it: what is said a day ahead is judged hour by hour, and not first when the day is over.

Shapes: E experts, B origins, J forecasts that spoke of one step, N places, H horizon steps,
V views (three), P parts of the day.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.learning.aggregate import Standing, beginning
from deepcity.learning.typical_day import DayGrid

Gradient = Callable[[Floats, Floats], Doubles]
"""From forecasts and truths of one shape to the slope of a convex loss in each forecast."""
PARTS = 8  # of a day, three hours each
_VIEWS = 3


@dataclass(frozen=True)
class Council:
    """What is known of each expert, in three views, and of the views.

    Attributes:
        whole: one group; `place`: a group for each place; `part`: one for each part of the day.
        views: how the three are weighed; they are its experts, in that order.
    """

    whole: Standing
    place: Standing
    part: Standing
    views: Standing

    @property
    def weights_E(self) -> Doubles:
        """Weight of each expert over all views, places and parts of the day, with sum 1."""
        return self.weights_in(np.arange(len(self.part.regret_GE)))

    def weights_in(self, part_H: Ints) -> Doubles:
        """Weight of each expert in a forecast of steps in these parts of the day."""
        by_view_VE = np.stack(
            [
                self.whole.weights_GE[0],
                self.place.weights_GE.mean(axis=0),
                self.part.weights_GE[part_H].mean(axis=0),
            ]
        )
        return np.asarray(self.views.weights_GE[0] @ by_view_VE)

    def said(self, said_ENH: Floats, part_H: Ints) -> Floats:
        """What each view makes of the experts' words, (V, N, H)."""
        return np.stack(
            [
                np.tensordot(self.whole.weights_GE[0], said_ENH, 1),
                np.einsum("ne,enh->nh", self.place.weights_GE, said_ENH),
                np.einsum("he,enh->nh", self.part.weights_GE[part_H], said_ENH),
            ]
        ).astype(np.float32)


STANDINGS = tuple(field.name for field in fields(Council))


def convened(prior: Doubles | list[float], places: int) -> Council:
    """No truth known yet; priors are scaled to sum 1, the views count alike.

    Raises:
        ValueError: if a prior is not over zero.
    """
    return Council(
        whole=beginning(prior),
        place=beginning(prior, places),
        part=beginning(prior, PARTS),
        views=beginning([1.0] * _VIEWS),
    )


def parts_of_day(grid: DayGrid, origins_B: Ints, horizon: int) -> Ints:
    """The part of its city's day that each step of forecasts lies in, (B, H)."""
    step_BH = origins_B[:, None] + np.arange(horizon)
    slot_BH = grid.slot_T[np.clip(step_BH, 0, len(grid.slot_T) - 1)]
    return np.asarray(slot_BH * PARTS // grid.slots)


def absolute_gradient(forecast: Floats, truth: Floats) -> Doubles:
    """Of the absolute error: the side on which a forecast is off."""
    return np.sign(forecast.astype(np.float64) - truth)


@dataclass(frozen=True)
class Aggregated:
    """Forecasts, the weights each was made with, and the council once all truths are known."""

    forecast_BNH: Floats
    weights_BE: Doubles
    council: Council


def aggregate(
    said_EBNH: Floats,
    truth_BNH: Floats,
    origins_B: Ints,
    part_BH: Ints,
    council: Council,
    gradient: Gradient = absolute_gradient,
) -> Aggregated:
    """Weighted forecasts for origins in order of time.

    Args:
        truth_BNH: NaN where not measured.
        origins_B: (B,) step indices, ascending; the truth of forecast b's step h is known at
            origin c if origins_B[b] + h < origins_B[c].
        part_BH: the part of the day of each step, 0..P-1.
        gradient: of the loss by which weights move.
    """
    mixed, weights = np.empty_like(truth_BNH), []
    said_VBNH = np.empty((_VIEWS, *truth_BNH.shape), np.float32)
    lessons = _Lessons(said_EBNH, truth_BNH, said_VBNH, mixed, origins_B, part_BH, gradient)
    for now, origin in enumerate(origins_B):
        if now:
            council = lessons.learned(council, range(int(origins_B[now - 1]), int(origin)), now)
        weights.append(council.weights_in(part_BH[now]))
        said_VBNH[:, now] = council.said(said_EBNH[:, now], part_BH[now])
        mixed[now] = np.tensordot(council.views.weights_GE[0], said_VBNH[:, now], 1)
    if len(origins_B):
        left = range(int(origins_B[-1]), int(origins_B[-1]) + truth_BNH.shape[-1])
        council = lessons.learned(council, left, len(origins_B))
    return Aggregated(mixed, np.array(weights).reshape(len(origins_B), -1), council)


@dataclass(frozen=True)
class _Lessons:
    """What was said and what came true, by the step it is about."""

    said_EBNH: Floats
    truth_BNH: Floats
    said_VBNH: Floats  # this and the next are filled while forecasts are made
    mixed_BNH: Floats
    origins_B: Ints
    part_BH: Ints
    gradient: Gradient

    def learned(self, council: Council, steps: range, made: int) -> Council:
        """The council once these steps have passed, so many forecasts having been made."""
        horizon = self.truth_BNH.shape[-1]
        for step in steps[:horizon]:  # nobody has spoken of later ones
            first = int(np.searchsorted(self.origins_B[:made], step - horizon, side="right"))
            if first < made:
                council = self._step(council, np.arange(first, made), step)
        return council

    def _step(self, council: Council, spoke_J: Ints, step: int) -> Council:
        """What one step's truths teach every standing."""
        leads_J = step - self.origins_B[spoke_J]
        truth_JN = self.truth_BNH[spoke_J, :, leads_J]
        known_JN = np.isfinite(truth_JN)
        if not known_JN.any():
            return council
        said_JEN = self.said_EBNH[:, spoke_J, :, leads_J]
        views_JVN = self.said_VBNH[:, spoke_J, :, leads_J]
        mixed_JN = self.mixed_BNH[spoke_J, :, leads_J]

        def losses(said_JXN: Floats, against_JN: Floats) -> Doubles:
            slope_JN = np.where(known_JN, self.gradient(against_JN, truth_JN), 0.0)
            return _losses(said_JXN, slope_JN)

        by_view = [losses(said_JEN, views_JVN[:, view]) for view in range(_VIEWS)]
        count_N = known_JN.sum(axis=0)
        loss_NE = by_view[1] / np.maximum(count_N, 1)[:, None]
        part_P = np.arange(len(council.part.regret_GE)) == self.part_BH[spoke_J[0], leads_J[0]]
        total = count_N.sum()
        return replace(
            council,
            whole=council.whole.after(by_view[0].sum(axis=0, keepdims=True) / total),
            place=council.place.after(loss_NE),  # where nothing was measured, all losses are 0
            part=council.part.after(by_view[2].sum(axis=0, keepdims=True) / total, part_P),
            views=council.views.after(
                losses(views_JVN, mixed_JN).sum(axis=0, keepdims=True) / total
            ),
        )


def _losses(said_JXN: Floats, slope_JN: Doubles) -> Doubles:
    """The loss's gradient along each of X forecasters, summed over forecasts, (N, X)."""
    loss_NX = np.einsum("jxn,jn->nx", said_JXN.astype(np.float64), slope_JN)
    return np.asarray(loss_NX - loss_NX.mean(axis=1, keepdims=True))
