"""`spread` and a longer `step`: for rows that are coarser than the clock.

A level may be held over the steps of its row. An amount would be cut into equal parts that
nobody measured. One of several columns of a day's hours is told apart before: `hour_columns`.
"""

from dataclasses import dataclass

from deepcity.city.field import Resample
from deepcity.city.problem import Trial
from deepcity.data.config.duration import duration_text
from deepcity.data.config.settings import FieldSettings
from deepcity.data.remedies import Remedy


@dataclass(frozen=True)
class CoarseRows:
    """Rows of a field that are further apart than the steps of the clock.

    Attributes:
        field: what is read from them.
        step_s: seconds from row to row.
        clock_step_s: seconds from step to step of the clock.
        times: how many times have rows.
    """

    field: FieldSettings
    step_s: int
    clock_step_s: int
    times: int


def _spread(evidence: CoarseRows) -> Trial:
    change, made = "spread = true", evidence.times * evidence.step_s // evidence.clock_step_s
    row, step = duration_text(evidence.step_s), duration_text(evidence.clock_step_s)
    if evidence.field.kind.resample is Resample.SUM:
        effect = f"{evidence.times:,} values of {row} are divided over {made:,} of {step}"
        return Trial(change, False, f"{effect}, equal within each {row}, which nobody measured")
    return Trial(change, True, f"each value is held over its steps of {step}")


def _longer_step(evidence: CoarseRows) -> Trial:
    row = duration_text(evidence.step_s)
    change = f"step = '{row}' in the agency, or clock.step"
    return Trial(change, True, f"keeps the {evidence.times:,} times as they are")


REMEDIES = (
    Remedy("spread", CoarseRows, _spread),
    Remedy("longer-step", CoarseRows, _longer_step),
)
