"""`clock.step`: for rows whose step, or one of whose steps, does not fit the clock's."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deepcity.city.clock import DAY_S
from deepcity.city.problem import Trial
from deepcity.data.config.duration import duration_text
from deepcity.data.remedies import Remedy
from deepcity.data.timestamps.resample import steps_divide


@dataclass(frozen=True)
class UnfitSteps:
    """Steps of a source's rows that cannot all be resampled to the clock's.

    Attributes:
        rows_s: the steps, in seconds.
        clock_step_s: the clock's.
    """

    rows_s: Sequence[int]
    clock_step_s: int


def _attempt(evidence: UnfitSteps) -> Trial | None:
    """The least step of the clock to which all rows can be aggregated."""
    step_s = math.lcm(*evidence.rows_s)
    if DAY_S % step_s or not all(steps_divide(one, step_s) for one in evidence.rows_s):
        return None
    finer = [duration_text(one) for one in sorted(set(evidence.rows_s)) if one < step_s]
    effect = "keeps the rows as they are" if not finer else f"aggregates rows of {', '.join(finer)}"
    return Trial(f"clock.step = '{duration_text(step_s)}'", True, effect)


REMEDIES = (Remedy("clock-step", UnfitSteps, _attempt),)
