"""How good patrol plans were: the share of offences where patrols were, and who bore them.

Shapes: N cells, H horizon steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import State
from deepcity.applications.tasks.patrol import COUNTED_DAYS, PatrolCells, burden, daily_counts, top
from deepcity.city.arrays import Doubles, Floats, Ints


@dataclass(frozen=True)
class PatrolScores:
    """Scores of plans over several days; NaN where there is nothing to score.

    Attributes:
        hit_rate: share of offences in patrolled cells.
        pai: predictive accuracy index: the hit rate over the share of cells patrolled
            (Chainey, Tompson & Uhlig 2008).
        patrol_share, count_share: of all patrols, and of all offences, in the most patrolled
            tenth of cells.
        days: scored.
    """

    hit_rate: float
    pai: float
    patrol_share: float
    count_share: float
    days: int


def patrol_scores(outcomes: Sequence["PatrolOutcome"]) -> PatrolScores:
    """Score the plans of several days, of the same cells."""
    if not outcomes:
        nothing = float("nan")
        return PatrolScores(nothing, nothing, nothing, nothing, 0)
    patrols_N = np.sum([one.patrols_N for one in outcomes], axis=0)
    counts_N = np.sum([one.counts_N for one in outcomes], axis=0)
    served = sum(float(one.counts_N[one.patrols_N > 0].sum()) for one in outcomes)
    total, sent = float(counts_N.sum()), int(patrols_N.sum())
    hit_rate = served / total if total else float("nan")
    covered = sent / (len(outcomes) * len(patrols_N))
    patrol_share, count_share = burden(patrols_N, counts_N)
    pai = hit_rate / covered if covered else float("nan")
    return PatrolScores(hit_rate, pai, patrol_share, count_share, len(outcomes))


@dataclass(frozen=True, eq=False)
class PatrolOutcome:
    """One plan and what came.

    Attributes:
        patrols_N: patrols sent to each cell.
        counts_N: offences counted there.
    """

    patrols_N: Ints
    counts_N: Doubles

    @staticmethod
    def of(state: State, decision: Decision, truth_NH: Floats) -> "PatrolOutcome":
        """Of a decision; what was not measured counts 0."""
        index = {place.id: n for n, place in enumerate(state.places)}
        patrols_N = np.zeros(len(index), np.int64)
        for one in decision.actions:
            patrols_N[index[one.place]] += 1
        return PatrolOutcome(patrols_N, np.nan_to_num(truth_NH.astype(np.float64)).sum(axis=1))


@dataclass(frozen=True)
class MostCounted:
    """The baseline: as many patrols as `PatrolCells` sends, to the cells with most offences in the
    last days.
    """

    like: PatrolCells
    days: int = COUNTED_DAYS

    def __call__(self, state: State) -> Decision:
        """The plan; its certainty is 0, as no forecast is used."""
        known_TN = state.known_TN
        known_TN = np.zeros((0, len(state.places)), np.float32) if known_TN is None else known_TN
        counts_N = daily_counts(known_TN, state.step_s, self.days).sum(axis=0)
        chosen = np.flatnonzero(top(counts_N[None], self.like.count(state))[0])
        return Decision(
            tuple(Action(self.like.code, state.places[n].id, state.now_s) for n in chosen.tolist()),
            (Reason("most-counted", {"days": float(self.days)}),),
            0.0,
            state.valid_until_s,
            Confirm.AUTHORITY,
        )
