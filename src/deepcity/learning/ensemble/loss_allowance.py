"""What joined experts may lose against the party's own network in any span: an allowance.

Who watches errors is evaded by errors where nobody looks: in far steps, just under a limit, or now
and then. So the mixture itself is held to account. At each place it lies within `REACH` of the own
network's mean absolute errors of the own network's forecast. What it lost against the own network,
in absolute errors, is charged against an allowance; what it gained, and `REFILL` of the own
network's errors, is taken off what it lost, which is never below nothing.

A forecast whose truth is not known yet is charged at its worst beforehand. By the triangle
inequality that is its distance from the own forecast, |m - y| - |o - y| <= |m - o|, whatever the
truth y will be. Where what was lost, what forecasts made before may still lose, and what this one
may lose are together more than the allowance, the forecast moves to the own one until they are
not; an allowance that is spent leaves the own forecast. Hence, over the steps of any span, summed
over places and over *all* forecasts of these steps, however far ahead each was made,

    errors of the mixture <= (1 + REFILL) * errors of the own network + allowance

by construction, for any experts and any truths. The allowance is the greatest that was in force
until the end of the span: `FORECASTS` that err at every step as the own network does on average,
and `PENDING` of that error for every step whose truth is not known yet, once for each forecast,
so that honest forecasts are not held back because a day must pass before they are scored.
Forecasts are those of the run that keeps the account, before they are raised to the least that the
field can be; a step that was never measured counts on neither side.

Shapes: N places, H horizon steps, J forecasts of one step, B forecasts.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints

REACH = 4.0
"""Greatest distance of the mixture from the own forecast, in its mean absolute error."""
FORECASTS = 2.5
"""What may be lost for good, in whole forecasts of the own network's usual error."""
PENDING = 1.5
"""How far forecasts not scored yet may lie from the own ones on average, in the same unit."""
REFILL = 0.005
"""Of the own network's errors, what is taken off what was lost."""
_ROUNDING = 1e-6


@dataclass(frozen=True)
class Pending:
    """Forecasts whose truths are not known yet.

    Attributes:
        worst: the most that they may lose, summed over places, in the field's unit.
        steps: how many steps they have left, counted once a forecast.
    """

    worst: float = 0.0
    steps: int = 0

    @staticmethod
    def of(origins_B: Ints, worst_BH: Doubles, now: int) -> "Pending":
        """Of forecasts so far, in their steps from `now` on.

        Args:
            origins_B: ascending.
            worst_BH: what each may lose in each step (`at_worst`).
        """
        horizon = worst_BH.shape[1]
        first = int(np.searchsorted(origins_B, now - horizon, side="right"))
        ahead_JH = origins_B[first:, None] + np.arange(horizon) >= now
        return Pending(float(worst_BH[first:][ahead_JH].sum()), int(ahead_JH.sum()))


@dataclass(frozen=True)
class LossAllowance:
    """What the mixture lost so far against the own network.

    Attributes:
        lost: sum of absolute errors over places and forecasts, in the field's unit, less what was
            gained and refilled since it was nothing.
    """

    lost: float = 0.0

    def update(self, mixed_JN: Floats, own_JN: Floats, truth_JN: Floats) -> "LossAllowance":
        """After the truths of one more step, NaN where not measured.

        Args:
            mixed_JN, own_JN: all forecasts of that step.
        """
        off_JN, own_off_JN = (
            np.abs(one_JN.astype(np.float64) - truth_JN) for one_JN in (mixed_JN, own_JN)
        )
        loss_JN = off_JN - (1 + REFILL) * own_off_JN
        return LossAllowance(max(0.0, self.lost + float(loss_JN[np.isfinite(loss_JN)].sum())))

    def limit(self, mixed_NH: Floats, own_NH: Floats, error_N: Doubles, pending: Pending) -> Floats:
        """The mixture's forecast, as near to the own network's as the allowance asks.

        Args:
            error_N: the own network's mean absolute errors; 0 where it has none yet.
        """
        reach_N1 = reach(error_N)[:, None]
        near_NH = np.clip(mixed_NH, own_NH - reach_N1, own_NH + reach_N1)
        left = self.left(error_N, mixed_NH.shape[1], pending)
        worst = float(at_worst(near_NH, own_NH).sum())
        if worst <= left:
            return near_NH
        share = np.float32(left / worst)
        moved_NH = (own_NH + share * (near_NH - own_NH)).astype(np.float32)
        fits = float(at_worst(moved_NH, own_NH).sum()) <= left + _ROUNDING * worst
        return moved_NH if fits else own_NH

    def forecasts(self, error_N: Doubles, horizon: int) -> float:
        """What was lost, in forecasts that err at every step as the own network does on average;
        over `FORECASTS`, the allowance is spent.
        """
        usual = horizon * float(error_N.sum())
        return self.lost / usual if usual > 0 else 0.0

    def left(self, error_N: Doubles, horizon: int, pending: Pending) -> float:
        """What one more forecast may lose, in the field's unit."""
        return max(0.0, allowance(error_N, horizon, pending) - self.lost - pending.worst)


def reach(error_N: Doubles) -> Floats:
    """Greatest distance of the mixture from the own forecast at each place."""
    return np.asarray((REACH * error_N).astype(np.float32))


def allowance(error_N: Doubles, horizon: int, pending: Pending) -> float:
    """The most that may be lost with one more forecast, in the field's unit."""
    steps = FORECASTS * horizon + PENDING * (pending.steps + horizon)
    return steps * float(error_N.sum())


def at_worst(mixed_XNH: Floats, own_XNH: Floats) -> Doubles:
    """The most that forecasts can err above the own ones in each step, (X, H) or (H,).

    Where the own forecast is not finite nothing can be lost against it.
    """
    off = np.abs(mixed_XNH.astype(np.float64) - own_XNH)
    return np.asarray(np.where(np.isfinite(off), off, 0.0).sum(axis=-2))
