"""Deciding where so many patrols go: the cells where most is expected, and what that does.

What is expected is mostly what was counted over two years, newer days counting more, as where
offences gather changes little (Weisburd 2015, "The law of crime concentration and the criminology
of place"); and a tenth is the forecast: of 1 km cells it adds nothing that validation days show
(`decisions-patrols` in RESULTS.md).
Beside the plan stand two checks: who bears the patrols, and what happens if only patrolled cells
report (Lum & Isaac 2016, "To predict and serve?"; Ensign et al. 2018, "Runaway feedback loops in
predictive policing").

Shapes: B earlier origins, N cells, H horizon steps, T steps before now, D days.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import State
from deepcity.city.arrays import Bools, Doubles, Floats, Ints
from deepcity.city.clock import DAY_S

FORECAST_WEIGHT = 0.1
HALF_LIFE_DAYS = 240.0
REMEMBERED_DAYS = 731
"""How far back the counts go that patrols are sent by; a day so old counts an eighth."""
COUNTED_DAYS = 90
"""How far back the counts go that the feedback is simulated from, and for how long it is."""
_TENTH = 0.1
_ROWS = 1024


@dataclass(frozen=True)
class PatrolCells:
    """A patrol to each of the cells where most is expected over the steps ahead.

    The certainty is the share of past counts that lay in the cells which forecasts of the time
    would have chosen; 0 where no truth is known.

    Attributes:
        share: patrols as a share of the cells, where a state names no number; at least one.
    """

    code: str
    share: float = 0.05
    confirm: Confirm = Confirm.AUTHORITY

    def count(self, state: State) -> int:
        """How many cells are patrolled: the state's number, or the share."""
        cells = len(state.places)
        return min(cells, max(1, round(self.share * cells)) if state.units is None else state.units)

    def __call__(self, state: State) -> Decision:
        """The plan, valid until the next step's forecast."""
        patrols = self.count(state)
        expected_N = expected(state)
        if not patrols or not np.isfinite(expected_N).any():
            reason = Reason("no-patrols" if len(state.places) else "no-forecast")
            return Decision((), (reason,), 0.0, state.valid_until_s, self.confirm)
        chosen_BN = top(_past_expected(state), patrols)
        truth_BN = np.asarray(np.nansum(state.past.truth_BNH, axis=2, dtype=np.float64))
        served = _share(truth_BN[chosen_BN].sum(), truth_BN.sum())
        numbers = {
            "patrols": float(patrols),
            "cells": float(len(state.places)),
            "expected": float(np.nansum(expected_N)),
            "served": served,
            "pai": served * len(state.places) / patrols,
        }
        return Decision(
            actions=tuple(self._actions(state, expected_N, patrols)),
            reasons=(
                Reason("patrols-planned", numbers),
                *_burden(chosen_BN, truth_BN),
                *_feedback(state, patrols),
            ),
            certainty=min(1.0, served),
            valid_until_s=state.valid_until_s,
            confirm=self.confirm,
        )

    def _actions(self, state: State, expected_N: Doubles, patrols: int) -> list[Action]:
        """One a patrol, the most expected first."""
        chance_N = _chances(state)
        order = np.flatnonzero(top(expected_N[None], patrols)[0])
        return [
            Action(
                self.code,
                state.places[cell].id,
                state.now_s,
                {"value": float(expected_N[cell]), "probability": float(chance_N[cell])},
            )
            for cell in sorted(order.tolist(), key=lambda n: (-expected_N[n], n))
        ]


def expected(state: State) -> Doubles:
    """Counts expected in each cell over the steps ahead, (N,); NaN where nothing is known."""
    ahead_N = np.asarray(np.maximum(state.forecast_NH, 0.0).sum(axis=1, dtype=np.float64))
    if state.known_TN is None or not len(state.known_TN):
        return ahead_N
    rate_N = recent_rate(state.known_TN, state.step_s) * state.forecast_NH.shape[1]
    both_N = FORECAST_WEIGHT * ahead_N + (1 - FORECAST_WEIGHT) * rate_N
    return np.where(np.isfinite(both_N), both_N, np.where(np.isfinite(ahead_N), ahead_N, rate_N))


def recent_rate(known_TN: Floats, step_s: int) -> Doubles:
    """Mean count a step, (N,), newer days counting more; NaN where none was measured."""
    age_T = np.arange(len(known_TN))[::-1] * (step_s / DAY_S)
    weight_T = 0.5 ** (age_T / HALF_LIFE_DAYS)
    sum_N, weight_N = np.zeros(known_TN.shape[1]), np.zeros(known_TN.shape[1])
    for start in range(0, len(known_TN), _ROWS):  # two years of hours in parts
        part_TN = np.asarray(known_TN[start : start + _ROWS], np.float64)
        measured_TN = np.isfinite(part_TN)
        sum_N += weight_T[start : start + _ROWS] @ np.where(measured_TN, part_TN, 0.0)
        weight_N += weight_T[start : start + _ROWS] @ measured_TN
    return np.asarray(sum_N / np.where(weight_N > 0, weight_N, np.nan))


def top(score_BN: Doubles, count: int) -> Bools:
    """True for the cells of the highest scores, of equals the first, (B, N); NaN is lowest."""
    score_BN = np.where(np.isfinite(score_BN), score_BN, -np.inf)
    order_BK = np.argsort(-score_BN, axis=1, kind="stable")[:, :count]
    found_BN = np.zeros(score_BN.shape, bool)
    np.put_along_axis(found_BN, order_BK, True, axis=1)
    return found_BN


def _past_expected(state: State) -> Doubles:
    """What past forecasts expected, (B, N)."""
    return np.asarray(np.maximum(state.past.forecast_BNH, 0.0).sum(axis=2, dtype=np.float64))


def _chances(state: State) -> Doubles:
    """Probability of at least one count in each cell, by past errors of its sum, (N,)."""
    ahead_N = np.asarray(state.forecast_NH, np.float64).sum(axis=1)
    errors_BN = np.asarray(state.past.errors_BNH, np.float64).sum(axis=2)
    known_BN = np.isfinite(errors_BN)
    some_BN = known_BN & (ahead_N + errors_BN >= 0.5)
    return np.asarray(some_BN.sum(axis=0) / np.maximum(known_BN.sum(axis=0), 1))


def burden(patrols_N: Ints, counts_N: Doubles) -> tuple[float, float]:
    """Shares of all patrols and of all counts that the most patrolled tenth of cells has.

    Of cells patrolled alike those with more counts come first: the least unequal reading.
    """
    tenth = max(1, round(_TENTH * len(patrols_N)))
    most = np.lexsort((-counts_N, -patrols_N))[:tenth]
    return (
        _share(float(patrols_N[most].sum()), float(patrols_N.sum())),
        _share(float(counts_N[most].sum()), float(counts_N.sum())),
    )


def _burden(chosen_BN: Bools, truth_BN: Doubles) -> list[Reason]:
    """Of the plans that past forecasts would have made."""
    if not len(chosen_BN) or not truth_BN.sum():
        return []
    patrols, counts = burden(chosen_BN.sum(axis=0), truth_BN.sum(axis=0))
    return [Reason("burden", {"patrol-share": patrols, "count-share": counts})]


def feedback(daily_DN: Doubles, patrols: int) -> tuple[float, float]:
    """How concentrated records are, and will be after as many days if only patrolled cells report.

    Each day the patrols go to the cells with most records of the last D days. There the cell's
    mean count is recorded, elsewhere nothing.

    Returns:
        Share of all records in the tenth of cells that has most, before and after.
    """
    window_DN = daily_DN.copy()
    rate_N = daily_DN.mean(axis=0)
    total_N = window_DN.sum(axis=0)
    before = _concentration(total_N)
    for day in range(len(window_DN)):
        recorded_N = np.where(top(total_N[None], patrols)[0], rate_N, 0.0)
        total_N = total_N + recorded_N - window_DN[day]
        window_DN[day] = recorded_N
    return before, _concentration(total_N)


def _concentration(total_N: Doubles) -> float:
    tenth = max(1, round(_TENTH * len(total_N)))
    return _share(float(np.sort(total_N)[::-1][:tenth].sum()), float(total_N.sum()))


def _feedback(state: State, patrols: int) -> list[Reason]:
    if state.known_TN is None:
        return []
    daily_DN = daily_counts(state.known_TN, state.step_s, COUNTED_DAYS)
    if not daily_DN.sum():
        return []
    before, after = feedback(daily_DN, patrols)
    numbers = {"days": float(len(daily_DN)), "before": before, "after": after}
    return [Reason("feedback", numbers)]


def daily_counts(known_TN: Floats, step_s: int, most: int) -> Doubles:
    """Counts of at most so many whole days back from now, (D, N); what is not measured counts 0."""
    per_day = max(1, DAY_S // step_s)
    days = min(most, len(known_TN) // per_day)
    newest_TN = np.nan_to_num(np.asarray(known_TN[len(known_TN) - days * per_day :], np.float64))
    return np.asarray(newest_TN.reshape(days, per_day, known_TN.shape[1]).sum(axis=1))


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else 0.0
