"""Bins of time between two days, in a city's zone: fixed before any row is read.

Bins of hours or days begin at the same wall time each day, so that one in which clocks change is
an hour shorter or longer; bins of an hour or less are all as long as they are called.

Shapes: T bins.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.city.arrays import Bools, Ints
from deepcity.city.clock import DAY_S

HOUR_S = 3600


@dataclass(frozen=True)
class TimeBins:
    """Bins without gaps.

    Attributes:
        edge_T1: starts, and the end of the last one, UTC seconds, (T + 1,).
        zone: of the city.
    """

    edge_T1: Ints
    zone: str

    @classmethod
    def over(
        cls, first: date, last: date, every: timedelta, zone: str, most: int = 10**7
    ) -> "TimeBins":
        """The bins of `first` to `last`, both with all of their hours.

        Raises:
            ValueError: if the bins do not divide these days, or are more than `most`.
        """
        if last < first:
            raise ValueError(f"the last day {last} is before the first one, {first}")
        every_s, days = int(every.total_seconds()), (last - first).days + 1
        if days * DAY_S // every_s > most:
            raise ValueError(f"{days} days have more than {most:,} of these")
        if last == date.max:
            raise ValueError(f"{last} has no day after it")
        if every_s % DAY_S == 0:
            step = every_s // DAY_S
            if days % step:
                raise ValueError(f"{days} days are no whole number of bins of {step} days")
            starts = [first + timedelta(one) for one in range(0, days + 1, step)]
            return cls(np.array([_utc_s(day, zone) for day in starts], np.int64), zone)
        if DAY_S % every_s:
            raise ValueError("a day is no whole number of these bins")
        day_D = [first + timedelta(one) for one in range(days)]
        if every_s > HOUR_S:
            hours = [timedelta(seconds=one) for one in range(0, DAY_S, every_s)]
            edges = [_utc_s(day, zone, hour) for day in day_D for hour in hours]
            return cls(np.array([*edges, _utc_s(last + timedelta(1), zone)], np.int64), zone)
        midnights = [_utc_s(day, zone) for day in (*day_D, last + timedelta(1))]
        found = [np.arange(*pair, every_s, dtype=np.int64) for pair in pairwise(midnights)]
        return cls(np.concatenate([*found, midnights[-1:]]).astype(np.int64), zone)

    @property
    def count(self) -> int:
        """T."""
        return len(self.edge_T1) - 1

    def of(self, utc_R: Ints) -> tuple[Ints, Bools]:
        """The bin of each time, and whether it lies in one."""
        bin_R = np.searchsorted(self.edge_T1, utc_R, side="right") - 1
        return bin_R.astype(np.int64), (bin_R >= 0) & (bin_R < self.count)


def _utc_s(day: date, zone: str, after: timedelta = timedelta()) -> int:
    """A wall time of a day, so long after its midnight, in UTC seconds."""
    wall = (datetime.combine(day, time()) + after).replace(tzinfo=ZoneInfo(zone))
    return int(wall.astimezone(UTC).timestamp())
