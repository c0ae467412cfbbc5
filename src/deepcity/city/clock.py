"""A clock: a city's time zone and public holidays, and the time step of its panels."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.city.arrays import Ints

DAY_S = 86_400
WEEK_S = 7 * DAY_S


@dataclass(frozen=True)
class Clock:
    """Time zone (IANA name), step, and public holidays, which count as Sundays.

    >>> Clock("Asia/Seoul", timedelta(minutes=15)).steps_per_day
    96
    """

    time_zone: str
    step: timedelta
    holidays: frozenset[date] = field(default=frozenset(), repr=False)

    @property
    def step_s(self) -> int:
        """The step in seconds."""
        return int(self.step.total_seconds())

    @property
    def steps_per_day(self) -> int:
        """How many steps a day of 24 hours has (at least 1)."""
        return max(1, DAY_S // self.step_s)

    @property
    def holiday_numbers(self) -> Ints:
        """The holidays as days since 1970-01-01, sorted."""
        epoch = date(1970, 1, 1).toordinal()
        return np.array(sorted(day.toordinal() - epoch for day in self.holidays), dtype=np.int64)

    def local_seconds(self, time_T: Ints) -> Ints:
        """UTC seconds since 1970 -> wall-clock seconds, shape (T,).

        The UTC offset is looked up once per day, and for every time on days on which it changes:
        zones may change their clocks at any quarter hour.
        """
        zone = ZoneInfo(self.time_zone)
        days, where = np.unique(time_T // DAY_S, return_inverse=True)
        starts = np.array([_offset_s(zone, int(day) * DAY_S) for day in days], dtype=np.int64)
        ends = np.array([_offset_s(zone, (int(day) + 1) * DAY_S) for day in days], dtype=np.int64)
        offset_T = starts[where]
        changing = np.flatnonzero((starts != ends)[where])
        offset_T[changing] = [_offset_s(zone, int(time_T[index])) for index in changing]
        return time_T + offset_T


def _offset_s(zone: ZoneInfo, utc_s: int) -> int:
    offset = datetime.fromtimestamp(utc_s, UTC).astimezone(zone).utcoffset()
    return int(offset.total_seconds()) if offset is not None else 0
