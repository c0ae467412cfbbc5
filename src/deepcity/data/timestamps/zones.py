"""Wall-clock times of a zone -> UTC, including repeated (autumn) and skipped (spring) times.

Zone rules come from `zoneinfo`, as in `Clock`, so that both directions agree.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.city.arrays import Bools, Ints
from deepcity.city.clock import DAY_S

_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - wall times carry no zone


@dataclass(frozen=True)
class UtcCandidates:
    """The UTC times that wall times may stand for, all of shape (R,).

    Attributes:
        earlier_R: UTC seconds by the offset before a change of the clock.
        later_R: UTC seconds by the offset after it; equal where nothing changes.
    """

    earlier_R: Ints
    later_R: Ints

    @property
    def ambiguous_R(self) -> Bools:
        """True where clocks showed the time twice."""
        return self.earlier_R < self.later_R

    @property
    def nonexistent_R(self) -> Bools:
        """True where clocks skipped the time."""
        return self.earlier_R > self.later_R


def utc_candidates(local_R: Ints, time_zone: str) -> UtcCandidates:
    """The UTC times that wall times (seconds since 1970 as if UTC) may stand for in a zone.

    Offsets are looked up once per day, and for every time on days on which they change.
    """
    zone = ZoneInfo(time_zone)
    days, where = np.unique(local_R // DAY_S, return_inverse=True)
    starts = np.array([_offset_s(zone, int(day) * DAY_S, 0) for day in days], dtype=np.int64)
    ends = np.array([_offset_s(zone, int(day + 1) * DAY_S, 1) for day in days], dtype=np.int64)
    before_R = starts[where]
    after_R = before_R.copy()
    changing = np.flatnonzero((starts != ends)[where])
    before_R[changing] = [_offset_s(zone, int(local_R[index]), 0) for index in changing]
    after_R[changing] = [_offset_s(zone, int(local_R[index]), 1) for index in changing]
    return UtcCandidates(local_R - before_R, local_R - after_R)


def standard_offset_s(time_zone: str, utc_s: int) -> int:
    """The zone's offset without daylight saving, at a moment."""
    moment = datetime.fromtimestamp(utc_s, ZoneInfo(time_zone))
    return int(
        ((moment.utcoffset() or timedelta()) - (moment.dst() or timedelta())).total_seconds()
    )


def _offset_s(zone: ZoneInfo, local_s: int, fold: int) -> int:
    wall = (_EPOCH + timedelta(seconds=local_s)).replace(tzinfo=zone, fold=fold)
    return int((wall.utcoffset() or timedelta()).total_seconds())
