"""Choosing the reuse level on each party's own validation days.

Two trainings are run once: alone, and joined at the deepest level granted. From the joined
network each party tries every level k: it keeps h1..hk as fused, and tunes the rest on its
own rows for a few steps, without another word to anyone. So all levels together cost far
less than one training each. Level k > 0 is taken only if its mean error over the validation
days, two or more of them, is under that of learning alone (with as many further steps);
else the party stays at 0 with its own network: joining must not cost.

How sure a gain must be was measured (benchmarks/RESULTS.md, joining-demo: every Ferrara district
in turn with 14 days, 3 seeds; 30 scarce cases, 270 with full records). Error on test days
against alone, mean and worst, by how many standard errors over days (Breiman et al. 1984)
the gain had to exceed: none 0.957, 1.016; half 0.968, 1.008; one 0.986, 1.008; with full
records no rule lost anything. Always joining: 0.954, 1.005, but up to 1.032 with full
records. So any gain is taken, and the standard error is told beside it.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.level import ALONE, layers_up_to
from deepcity.intercity.parties import Party
from deepcity.learning.learner import Learner
from deepcity.learning.training import party_seed


@dataclass(frozen=True)
class Choice:
    """The level a party chose, why, and the learner that goes with it.

    Attributes:
        errors: level -> validation MAE in the field's unit.
        gain: validation MAE saved against alone, or against alone with as many further steps
            where that is better, in the field's unit.
        doubt: standard error of that saving, over days.
    """

    level: int
    learner: Learner
    errors: dict[int, float]
    gain: float
    doubt: float


def choose(
    party: Party,
    alone: Learner,
    joined: Learner,
    deepest: int,
    seed: int,
    *,
    common_stem: bool = False,
) -> Choice:
    """Try every level up to `deepest` from the joined network, and keep the best.

    Args:
        alone: trained at level 0, at its best state.
        joined: trained at level `deepest`, at its best state.
    """
    tried = {ALONE: alone}
    steps = joined.settings.refit_steps
    for level in range(1, deepest + 1):
        draw = party_seed(seed, f"{party.name}/refit", level)
        kept = layers_up_to(level, common_stem=common_stem)
        tried[level] = joined.refit(kept, steps, draw)
    by_day = {level: _error_by_day(party, learner) for level, learner in tried.items()}
    errors = {level: float(np.mean(error)) for level, error in by_day.items()}
    # Where tuning improved nothing, every level ended as the joined network: the deepest one.
    best = min(errors, key=lambda level: (errors[level], level != ALONE, -level))
    saved = _bar(party, alone, by_day[ALONE], steps if deepest else 0, seed) - by_day[best]
    doubt = float(saved.std(ddof=1) / np.sqrt(len(saved))) if len(saved) > 1 else float("inf")
    gain = float(saved.mean())
    sure = len(saved) > 1 and gain > 0
    level = best if sure else ALONE
    return Choice(level, tried[level], errors, gain, doubt)


def _bar(
    party: Party, alone: Learner, by_day: NDArray[np.float64], steps: int, seed: int
) -> NDArray[np.float64]:
    """What joining must beat: alone, or alone with as many further steps, whichever is better.

    Else the steps that every level is tuned by would pass for a gain of joining.
    """
    if not steps:
        return by_day
    tuned = alone.refit((), steps, party_seed(seed, f"{party.name}/refit", ALONE))
    further = _error_by_day(party, tuned)
    return further if further.mean() < by_day.mean() else by_day


def _error_by_day(party: Party, learner: Learner) -> NDArray[np.float64]:
    """Mean absolute error of each validation day's forecasts (origins of one day count as one)."""
    samples = party.data.validation
    error_BNH = np.abs(learner.forecast(samples) - samples.truth_BNH)
    known = np.isfinite(error_BNH)
    day_B = party.validation_origins // party.panel.clock.steps_per_day
    days = np.unique(day_B)
    total = np.array([np.where(known, error_BNH, 0)[day_B == day].sum() for day in days])
    count = np.array([known[day_B == day].sum() for day in days])
    return np.asarray(total[count > 0] / count[count > 0], dtype=np.float64)
