"""How good a watch on night flows is: alarms without a leak, and nights until a leak is seen.

Leaks are planted in what was measured: from some night on a district draws so much more.

Shapes: D nights, N districts, L leaks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.applications.tasks.night_flow import NightFlowRise
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
        return np.asarray(watch.suspicion(flow_DN).of_limit_DN >= 1)

    return alarms


def false_alarms(alarm_DN: Bools, quiet: int = _WEEK) -> int:
    """Alarms over all districts; one within so many nights of another belongs to it."""
    count = 0
    for alarm_D in alarm_DN.T:
        nights = np.flatnonzero(alarm_D)
        count += int((np.diff(nights, prepend=-quiet - 1) > quiet).sum())
    return count


def detection_nights(
    alarms: Alarms,
    flow_DN: Doubles,
    start: int,
    place: int,
    leaks: Sequence[float],
    within: int,
) -> list[int | None]:
    """Nights until an alarm that only the leak explains, leak by leak: 1 is its first; None if none
    came.

    Args:
        start: its first night.
        leaks: what each draws, in the flow's unit.
        within: so many nights are looked at.
    """
    before_D = flow_DN[: start + within, place]
    planted_DL = np.repeat(before_D[:, None], len(leaks) + 1, axis=1)
    planted_DL[start:] += np.array([*leaks, 0.0])
    alarm_DL = alarms(planted_DL)[start:]
    seen_DL = alarm_DL[:, :-1] & ~alarm_DL[:, -1:]
    return [int(np.argmax(seen_D)) + 1 if seen_D.any() else None for seen_D in seen_DL.T]
