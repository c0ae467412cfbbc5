"""How good a watch on night flows is: alarms without a leak, and nights until a leak is seen.

Leaks are planted in what was measured: from some night on a district draws so much more.

Shapes: D nights, N districts.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepcity.applications.tasks.night_flow import NightFlowRise, lasting, rises
from deepcity.city.arrays import Bools, Doubles

Alarms = Callable[[Doubles], Bools]
"""From flows of nights, (D, N), to the nights that raise an alarm, (D, N)."""
_WEEK = 7


@dataclass(frozen=True)
class AboveUsual:
    """The baseline: a night above so many times the median of the nights before it."""

    times: float = 2.0
    nights: int = 28

    def __call__(self, flow_DN: Doubles) -> Bools:
        """Alarms of each night."""
        usual_DN = np.full(flow_DN.shape, np.nan)
        for night in range(self.nights // 2, len(flow_DN)):
            before_DN = flow_DN[max(0, night - self.nights) : night]
            known_N = np.isfinite(before_DN).any(axis=0)
            usual_DN[night, known_N] = np.nanmedian(before_DN[:, known_N], axis=0)
        return np.asarray(flow_DN > self.times * usual_DN)


@dataclass(frozen=True)
class AboveLastWeek:
    """The baseline: a night above so many times the same night a week before."""

    times: float = 2.0

    def __call__(self, flow_DN: Doubles) -> Bools:
        """Alarms of each night."""
        found_DN = np.zeros(flow_DN.shape, bool)
        found_DN[_WEEK:] = flow_DN[_WEEK:] > self.times * flow_DN[:-_WEEK]
        return found_DN


def alarms_of(watch: NightFlowRise) -> Alarms:
    """The nights at which a watch has a district inspected."""

    def alarms(flow_DN: Doubles) -> Bools:
        rise_DN = rises(flow_DN, watch.nights, watch.least_spread)
        return np.asarray(lasting(rise_DN, watch.in_a_row) >= watch.limit)

    return alarms


def false_alarms(alarm_DN: Bools, quiet: int = _WEEK) -> int:
    """Alarms over all districts; one within so many nights of another belongs to it."""
    count = 0
    for alarm_D in alarm_DN.T:
        nights = np.flatnonzero(alarm_D)
        count += int((np.diff(nights, prepend=-quiet - 1) > quiet).sum())
    return count


def detection_night(
    alarms: Alarms, flow_DN: Doubles, start: int, place: int, leak: float, within: int
) -> int | None:
    """Nights until an alarm that only the leak explains: 1 is its first; None if none came.

    Args:
        start: its first night.
        leak: what it draws, in the flow's unit.
        within: so many nights are looked at.
    """
    before_D1 = flow_DN[: start + within, place : place + 1]
    planted_D1 = before_D1.copy()
    planted_D1[start:] += leak
    seen_D = alarms(planted_D1)[start:, 0] & ~alarms(before_D1)[start:, 0]
    return int(np.argmax(seen_D)) + 1 if seen_D.any() else None
