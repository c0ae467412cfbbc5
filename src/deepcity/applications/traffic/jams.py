"""Which roads are jammed now or will be: connected places far below their free-flow speed.

Shapes: T steps (measured, then forecast), N places, H horizon steps.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import rustworkx as rx
from numpy.typing import ArrayLike

from deepcity.applications.state import State
from deepcity.applications.traffic.roads import Roads
from deepcity.city.arrays import Bools, Doubles
from deepcity.city.units import convert

JAMMED = 0.6
"""Share of the free-flow speed below which a place is jammed."""
RELIEVED = 0.75
"""Share of the free-flow speed from which a jam is over."""
_FREE_PERCENTILE = 85  # of all speeds known, as usual in traffic engineering
_LEAST_VALUES, _MOST_VALUES = 48, 2000  # of a place; of more, some spread over all days
_LOOK_BACK_S = 4 * 3600
_STALE_S = 1800  # a newest value older than this says nothing of now


@dataclass(frozen=True, eq=False)
class Speeds:
    """Speeds as shares of free flow, measured up to now and forecast from now on.

    Attributes:
        free_N: free-flow speed, km/h; NaN where too little is known.
        share_TN: the last hours' speeds and those forecast, over `free_N`; NaN where not known.
        now: number of measured steps in it: the index of the first step forecast.
        step_s: of each row.
    """

    free_N: Doubles
    share_TN: Doubles
    now: int
    step_s: int

    @classmethod
    def of(cls, state: State) -> "Speeds":
        """Of a state whose field is a speed."""
        free_N = _free_flow(state)
        count = max(1, _LOOK_BACK_S // state.step_s)
        known_TN = np.full((0, len(state.places)), np.nan)
        if state.known_TN is not None:
            known_TN = kmh(state.known_TN[-count:], state.unit)
        both_TN = np.concatenate([known_TN, kmh(state.forecast_NH, state.unit).T])
        with np.errstate(divide="ignore", invalid="ignore"):
            return cls(free_N, both_TN / free_N, len(known_TN), state.step_s)

    @property
    def newest_N(self) -> Doubles:
        """The newest share of each place; NaN where it is stale."""
        last = max(1, _STALE_S // self.step_s)
        newest_N = np.full(self.share_TN.shape[1], np.nan)
        for row_N in self.share_TN[max(0, self.now - last) : self.now]:
            newest_N = np.where(np.isfinite(row_N), row_N, newest_N)
        return newest_N

    @property
    def ahead_NH(self) -> Doubles:
        """Shares forecast."""
        return self.share_TN[self.now :].T

    @property
    def jammed_N(self) -> Bools:
        """Whether a place is jammed now, or forecast to be; False where nothing is forecast."""
        known_NH = np.isfinite(self.ahead_NH)
        ahead_N = np.where(known_NH, self.ahead_NH, np.inf).min(axis=1, initial=np.inf)
        return np.asarray(known_NH.any(axis=1) & ((self.newest_N < JAMMED) | (ahead_N < JAMMED)))

    def jammed_within(self, steps: int) -> Bools:
        """Whether a place is jammed now, or forecast to be within so many steps."""
        near_N = np.where(np.isfinite(self.ahead_NH), self.ahead_NH, np.inf)[:, :steps].min(axis=1)
        soon_N = (self.newest_N < JAMMED) | (near_N < JAMMED)
        return np.asarray(self.jammed_N & soon_N)

    def lowest(self, place: int) -> float:
        """The least share of free flow of a place now or ahead; infinite where none is known."""
        both = [*self.ahead_NH[place].tolist(), float(self.newest_N[place])]
        return min((one for one in both if np.isfinite(one)), default=float("inf"))

    def onset(self, place: int) -> float:
        """When a place slowed into the jam it is in, or will be in: steps from now, below 0 for
        the past; NaN where it is in none.

        The time between two steps at which it fell below midway between relieved and jammed.
        """
        share_T = self.share_TN[:, place]
        known_T = np.flatnonzero(np.isfinite(share_T))
        low = known_T[share_T[known_T] < JAMMED]
        if not len(low):
            return float("nan")
        before = low[low < self.now]
        current = len(before) > 0 and not self._relieved_since(share_T, int(before[-1]))
        step = int(before[-1]) if current else int(low[low >= self.now].min(initial=len(share_T)))
        if step == len(share_T):
            return float("nan")
        earlier = known_T[known_T < step][::-1]
        over = next((int(t) for t in earlier if share_T[t] >= RELIEVED), None)
        first = int(known_T[0] if over is None else known_T[known_T > over][0])
        return _crossing(share_T, over, first) - self.now

    def _relieved_since(self, share_T: Doubles, step: int) -> bool:
        later = share_T[step : self.now]
        return bool((later >= RELIEVED).any())


def kmh(values: ArrayLike, unit: str) -> Doubles:
    """Speeds in km/h."""
    return np.asarray(values, np.float64) * kmh_per(unit)


@cache
def kmh_per(unit: str) -> float:
    """One of a unit of speed in km/h.

    >>> round(kmh_per("mph"), 3)
    1.609
    """
    return float(convert(np.ones(1), unit, "km/h")[0])


def groups(roads: Roads, jammed_N: Bools) -> list[list[int]]:
    """Jammed places by jam: those that roads between them connect."""
    graph = roads.graph.subgraph(np.flatnonzero(jammed_N).tolist())
    numbers = np.flatnonzero(jammed_N)
    return [numbers[sorted(found)].tolist() for found in rx.weakly_connected_components(graph)]


def _free_flow(state: State) -> Doubles:
    parts = [state.past.truth_BNH[:, :, 0]]
    if state.known_TN is not None:
        parts.append(state.known_TN)
    values_XN = np.concatenate(parts)
    values_XN = values_XN[:: max(1, len(values_XN) // _MOST_VALUES)]
    sorted_XN, count_N = np.sort(values_XN, axis=0), np.isfinite(values_XN).sum(axis=0)
    index_N = np.maximum(count_N - 1, 0) * _FREE_PERCENTILE // 100
    found_N = sorted_XN[index_N, np.arange(len(count_N))] if len(values_XN) else np.nan
    free_N = np.where(count_N >= _LEAST_VALUES, kmh(found_N, state.unit), np.nan)
    return np.where(free_N > 0, free_N, np.nan)


def _crossing(share_T: Doubles, over: int | None, first: int) -> float:
    """Where the line between the last free step and the first slow one crosses midway."""
    if over is None:
        return float(first)
    level = (JAMMED + RELIEVED) / 2
    high, low = float(share_T[over]), float(share_T[first])
    if low >= level:
        return float(first)
    return over + (first - over) * (high - level) / (high - low)
