"""Types of days around holidays, by a city's calendar.

Shapes: T steps, D days, Q types of days.
"""

import numpy as np

from deepcity.city.arrays import Floats, Ints
from deepcity.city.clock import DAY_S, Clock
from deepcity.learning.features.typical_day import DayGrid

_SATURDAY = 5


def day_types(clock: Clock, time_T: Ints, grid: DayGrid) -> Floats:
    """(D, Q): working day before a holiday, bridge day (as Sunday, as Saturday), working day
    after a holiday, holiday on a weekday (as Sunday, as Saturday).
    """
    first = int(clock.local_seconds(time_T[:1])[0]) // DAY_S
    day = np.arange(first, first + grid.days)
    weekday = (day + 3) % 7
    off = [np.isin(day + shift, clock.holiday_numbers) for shift in (-1, 0, 1)]
    work = (weekday < _SATURDAY) & ~off[1]
    rest = [off[0] | (weekday == 0), off[2] | (weekday == 4)]
    bridge = work & (off[0] | off[2]) & rest[0] & rest[1]
    holiday = (weekday < _SATURDAY) & off[1]
    types = [work & off[2] & ~bridge, bridge, bridge, work & off[0] & ~bridge, holiday, holiday]
    return np.stack(types, axis=1).astype(np.float32)
