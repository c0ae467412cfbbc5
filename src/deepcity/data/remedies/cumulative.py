"""`cumulative`: values that never fall but at resets, as readings of a meter.

Shapes: T steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.city.problem import Trial
from deepcity.data.remedies import Remedy

LEAST_KNOWN = 0.8  # share of the readings of which the amount must be known


@dataclass(frozen=True, eq=False)
class RunningTotal:
    """Series that look like running totals.

    Attributes:
        time_T: when they were read.
        totals_T: the readings of each such place.
        step_s: from one to the next.
        unit: of the readings and of the amounts, for kinds that are amounts.
        total_unit: for rates, a unit that their readings may have, e.g. ``m3``; else empty.
    """

    time_T: Ints
    totals_T: Sequence[Doubles]
    step_s: int
    unit: str
    total_unit: str = ""

    @property
    def setting(self) -> str:
        """What to state."""
        rate = f" and unit_in to the total's unit (e.g. {self.total_unit})"
        return f"cumulative = true{rate if self.total_unit else ''}"


def _attempt(evidence: RunningTotal) -> Trial:
    from deepcity.data.tables.totals import differences  # imports what tries remedies

    found = []
    for total_T in evidence.totals_T:
        known = np.isfinite(total_T)
        amounts, _ = differences(evidence.time_T[known], total_T[known], evidence.step_s)
        found.append(amounts)
    amount_A = np.concatenate(found)
    good = np.isfinite(amount_A)
    if good.mean() < LEAST_KNOWN or (amount_A[good] < 0).any():
        return Trial(evidence.setting, False, "most of the amounts would be unknown")
    effect = f"{np.median(amount_A[good]):.4g} {evidence.unit} is then added in a usual step"
    if evidence.total_unit:
        effect = f"{good.mean():.0%} of the amounts are then known"
    return Trial(evidence.setting, True, effect)


REMEDIES = (Remedy("cumulative", RunningTotal, _attempt),)
