"""`stamp`: rows whose times may mark the end of their interval.

Their hours are numbered 1 to 24, or the hour that stands twice is the one after that which clocks
showed twice.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

import numpy as np

from deepcity.city.problem import Change, Trial
from deepcity.data.config.duration import duration_text
from deepcity.data.config.time_settings import Ambiguous, Nonexistent, Stamp
from deepcity.data.remedies import Remedy
from deepcity.data.remedies.repeated_times import RepeatedTimes
from deepcity.data.remedies.table_read import TableRead
from deepcity.data.timestamps.dst import wall_text
from deepcity.data.timestamps.hour_headers import HOUR_S
from deepcity.data.timestamps.zones import utc_candidates


@dataclass(frozen=True)
class HoursTo24(TableRead):
    """Rows with an hour of 24 and none of 0, of a source that states no stamp.

    Attributes:
        step_s: of the rows.
    """

    step_s: int


def _wall_end(evidence: HoursTo24) -> Trial:
    step = duration_text(evidence.step_s)
    change = Change({"time.stamp": ("wall_end",), "time.step": (step,)})
    records, issues = evidence.read(
        evidence.timed(stamp=Stamp.WALL_END, step=timedelta(seconds=evidence.step_s))
    )
    if records is None:
        return Trial(change, False, f"then {issues.problems[0].reason}")
    return Trial(change, True, f"if the row of 01:00 holds what was measured in the {step} before")


def _start(evidence: HoursTo24) -> Trial:
    change = Change({"time.stamp": ("start",)})
    return Trial(change, True, "if it holds what was measured from 01:00 on")


def _end_of_repeated_hour(evidence: RepeatedTimes) -> Trial | None:
    """For rows that stand twice an hour after the one that clocks showed twice."""
    time, clock = evidence.source.time, evidence.clock
    if time is None or "stamp" in time.model_fields_set:
        return None
    zone = time.zone or clock.time_zone
    wall_R = replace(clock, time_zone=zone).local_seconds(np.array(evidence.seen.first_s))
    both_R = utc_candidates(np.concatenate([wall_R - HOUR_S, wall_R]), zone).ambiguous_R
    before_R, itself_R = np.split(both_R, 2)
    if not before_R.all() or itself_R.any():
        return None
    for ambiguous in (Ambiguous.INFER, Ambiguous.MASK):
        records, _ = evidence.read(
            evidence.timed(
                stamp=Stamp.WALL_END,
                step=clock.step,
                ambiguous=ambiguous,
                nonexistent=Nonexistent.MASK,
            )
        )
        if records is not None:
            return _stamped(wall_text(wall_R[0]), duration_text(clock.step_s), ambiguous)
    return None


def _stamped(first: str, step: str, ambiguous: Ambiguous) -> Trial:
    """What the stamp does; which row of a year that has one only is which, is left open."""
    ends = {"time.stamp": ("wall_end",), "time.step": (step,)}
    effect = (
        f"{first} stands twice, the hour after the one that clocks repeated: rows are stamped with "
        "the end of their hour"
    )
    if ambiguous is Ambiguous.INFER:
        return Trial(Change(ends | {"time.ambiguous": ("infer",)}), True, effect)
    return Trial(
        Change(ends), True, f"{effect}; other years have one row of it, which is then open"
    )


REMEDIES = (
    Remedy("stamp-wall-end", HoursTo24, _wall_end),
    Remedy("stamp-start", HoursTo24, _start),
    Remedy("stamp-of-repeated-hour", RepeatedTimes, _end_of_repeated_hour),
)
