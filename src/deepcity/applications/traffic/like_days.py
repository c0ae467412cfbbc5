"""What is usual at an hour: shares of free flow at the same time of earlier days of the same kind.

Shapes: T steps of a window, N places, D earlier days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.applications.state import State
from deepcity.applications.traffic.jams import Speeds, kmh
from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.city.clock import DAY_S, Clock

LEAST_DAYS = 2
"""So few days of the same kind, at least, are compared."""
MOST_DAYS = 28
"""Newest days that are looked at."""
_THURSDAY, _SATURDAY = 3, 5  # 1970 began on a Thursday; Monday is 0


@dataclass(frozen=True, eq=False)
class LikeDays:
    """Earlier days to compare with.

    Attributes:
        share_DTN: speeds over free flow; NaN where not measured.
        days_back: how many days ago each was.
        day_steps: of a day.
    """

    share_DTN: Doubles
    days_back: Sequence[int]
    day_steps: int

    @property
    def enough(self) -> bool:
        """Whether they say what is usual."""
        return len(self.days_back) >= LEAST_DAYS


def like_days(state: State, speeds: Speeds, start: int, end: int) -> LikeDays:
    """The same hours of days of the same kind where there are two, else of all days.

    Args:
        start, end: the window, in steps from now.
    """
    places, day_steps = len(state.places), DAY_S // state.step_s
    nothing = LikeDays(np.empty((0, max(0, end - start), places)), (), day_steps)
    if state.known_TN is None or end <= start or not day_steps:  # steps of more than a day
        return nothing
    day, count = day_steps, len(state.known_TN)
    back_D = [
        back
        for back in range(1, min(count // day + 1, MOST_DAYS) + 1)
        if count + start - back * day >= 0 and end - back * day <= 0
    ]
    rows = {
        back: state.known_TN[count + start - back * day : count + end - back * day]
        for back in back_D
    }
    known = [back for back, row_TN in rows.items() if np.isfinite(row_TN).any()]
    free = free_days(state, state.now_s - DAY_S * np.array([0, *known]))
    alike = [back for back, one in zip(known, free[1:], strict=True) if one == free[0]]
    chosen = alike if len(alike) >= LEAST_DAYS else known
    if not chosen:
        return nothing
    found_DTN = kmh(np.stack([rows[back] for back in chosen]), state.unit)
    with np.errstate(divide="ignore", invalid="ignore"):
        return LikeDays(found_DTN / speeds.free_N, tuple(chosen), day_steps)


def free_days(state: State, time_X: Ints) -> Bools:
    """Whether each time lies on a free day, a weekend or a holiday."""
    clock = Clock(state.time_zone, timedelta(seconds=state.step_s), state.holidays)
    day_X = clock.local_seconds(time_X) // DAY_S
    weekend_X = (day_X + _THURSDAY) % 7 >= _SATURDAY
    return np.asarray(weekend_X | np.isin(day_X, clock.holiday_numbers))


def is_holiday(state: State) -> bool:
    """Whether today is a public holiday."""
    at = datetime.fromtimestamp(state.now_s, ZoneInfo(state.time_zone))
    return at.date() in state.holidays
