"""`spread` and a longer `step`: for rows that are coarser than the clock.

A level may be held over the steps of its row. An amount would be cut into equal parts that
nobody measured, and one of several columns that hold the hours of a day is no day at all.
"""

import re
from dataclasses import dataclass

from deepcity.city.clock import DAY_S
from deepcity.city.field import Resample
from deepcity.data.config.duration import duration_text
from deepcity.data.config.settings import FieldSettings
from deepcity.data.config.source import SourceSettings
from deepcity.data.remedies import Remedy, Trial

MIN_HOURS = 20  # columns with as many of the numbers 0 to 24 are the hours of a day
_HOUR = re.compile(r"\D*?(\d{1,2})\s*(?:[시hH:~-].*|)")


@dataclass(frozen=True)
class CoarseRows:
    """Rows of a field that are further apart than the steps of the clock.

    Attributes:
        field: what is read from them.
        source: where they are from.
        step_s: seconds from row to row.
        clock_step_s: seconds from step to step of the clock.
        times: how many times have rows.
        columns: all columns of the source.
    """

    field: FieldSettings
    source: SourceSettings
    step_s: int
    clock_step_s: int
    times: int
    columns: tuple[str, ...]

    @property
    def hour_columns(self) -> tuple[str, ...]:
        """Columns that look like the hours of a day, if the field's own is one of them."""
        found = {name: _HOUR.fullmatch(name) for name in self.columns}
        hours = {name: int(one[1]) for name, one in found.items() if one and int(one[1]) <= 24}
        own = self.field.column or self.field.name
        whole_days = self.step_s % DAY_S == 0 and own in hours
        return tuple(hours) if whole_days and len(set(hours.values())) >= MIN_HOURS else ()


def _spread(evidence: CoarseRows) -> Trial:
    change, made = "spread = true", evidence.times * evidence.step_s // evidence.clock_step_s
    row, step = duration_text(evidence.step_s), duration_text(evidence.clock_step_s)
    if evidence.hour_columns:
        shown = f"{evidence.hour_columns[0]} .. {evidence.hour_columns[-1]}"
        effect = f"the columns {shown} look like the hours of a day; one would stand for all"
        return Trial(change, False, effect)
    if evidence.field.kind.resample is Resample.SUM:
        effect = f"{evidence.times:,} values of {row} are divided over {made:,} of {step}"
        return Trial(change, False, f"{effect}, equal within each {row}, which nobody measured")
    return Trial(change, True, f"each value is held over its steps of {step}")


def _longer_step(evidence: CoarseRows) -> Trial:
    row = duration_text(evidence.step_s)
    change = f"step = '{row}' in the agency, or clock.step"
    if evidence.hour_columns:
        return Trial(change, False, "one hour of each day is left, and the others are lost")
    return Trial(change, True, f"keeps the {evidence.times:,} times as they are")


REMEDIES = (
    Remedy("spread", CoarseRows, _spread),
    Remedy("longer-step", CoarseRows, _longer_step),
)
