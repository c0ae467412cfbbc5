"""`hour_columns`: a table with a row a day whose hours are columns, read as a row an hour."""

from dataclasses import dataclass, replace
from datetime import time, timedelta

import numpy as np

from deepcity.city.clock import DAY_S
from deepcity.city.problem import Trial
from deepcity.data.config.duration import duration_text
from deepcity.data.config.time_settings import HourColumns
from deepcity.data.remedies import Remedy
from deepcity.data.remedies.table_read import TableRead
from deepcity.data.timestamps.hour_headers import HOUR_S, HourHeaders


@dataclass(frozen=True)
class HourAsField(TableRead):
    """A field that is read from one of several columns of a day's hours.

    Attributes:
        hours: the columns.
    """

    hours: HourHeaders


def _attempt(evidence: HourAsField) -> Trial:
    step = f"time.step = '{duration_text(evidence.hours.step_s)}' and "
    step = "" if evidence.hours.step_s == HOUR_S else step
    change = f"{step}time.hour_columns = {setting_text(evidence.hours)} without column and spread"
    count = len(evidence.hours.columns)
    days, rows, problem = _tried(evidence)
    if problem:
        return Trial(change, False, problem)
    if not days or rows < days * count * 0.9:  # gaps between days are no lost hours
        return Trial(change, False, f"{rows:,} hours would be read of {days:,} days")
    sure = "" if evidence.hours.sure else "; see whether the first one begins or ends then"
    return Trial(change, True, f"the {count} columns of each day are then {rows:,} rows{sure}")


def setting_text(hours: HourHeaders) -> str:
    """What a city file states of columns of hours."""
    starts = f', starts = "{hours.starts}"' if hours.starts_s else ""
    return f'{{ first = "{hours.columns[0]}", last = "{hours.columns[-1]}"{starts} }}'


def _tried(evidence: HourAsField) -> tuple[int, int, str]:
    """Days and rows of the table when it is read so, or why it cannot be."""
    hours, old = evidence.hours, evidence.source.time
    assert old is not None
    starts = time(hours.starts_s // HOUR_S, hours.starts_s % HOUR_S // 60)
    columns = HourColumns(first=hours.columns[0], last=hours.columns[-1], starts=starts)
    step = None if hours.step_s == HOUR_S else timedelta(seconds=hours.step_s)
    whole = [one.model_copy(update={"column": None, "spread": False}) for one in evidence.fields]
    records, issues = evidence.read(evidence.timed(hour_columns=columns, step=step), whole)
    if records is None:
        return 0, 0, f"then {issues.problems[0].reason}" if issues.problems else "no row is left"
    clock = replace(evidence.clock, time_zone=old.zone or evidence.clock.time_zone)
    local_T = clock.local_seconds(records.time_T) - hours.starts_s
    return len(np.unique(local_T // DAY_S)), records.times, ""


REMEDIES = (Remedy("hour-columns", HourAsField, _attempt),)
