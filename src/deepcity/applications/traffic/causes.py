"""Why a road is jammed: where the jam began and spread from, and whether it comes every day.

A jam grows against the direction of travel at some 8 to 35 km/h. The place it spread from is the
one from which one such speed explains best when every other place of the jam slowed.

Shapes: T steps, N places, D earlier days.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import rustworkx as rx

from deepcity.applications.decision import Reason
from deepcity.applications.state import State
from deepcity.applications.traffic.jams import JAMMED, Speeds, kmh, kmh_per
from deepcity.applications.traffic.roads import Roads
from deepcity.city.arrays import Doubles
from deepcity.city.clock import DAY_S

WAVE_KMH = (8.0, 12.0, 16.0, 20.0, 25.0, 35.0)
"""Speeds at which a jam may grow."""
_FAR_M = 8000.0  # places of a jam further away say nothing about this one
_NEAR_M = 2000.0  # at this distance a place counts half
_MOST_OFF = 15.0  # minutes: a place that slowed for another reason is off by no more
_TEMPERATURE = 1.0  # minutes: an explanation so much worse is exp(-1) times as likely
_BEFORE_S, _AFTER_S = 1800, 3600  # the same hours: from before it began until after
_DAY_JAMMED = 1 / 3  # of the same hours, for a day to count as jammed
_RECURRING, _RARE = 0.5, 0.25  # of the same hours' days
_ABRUPT, _ABRUPT_S = 0.25, 900  # of free flow, within so long
_SLOWER, _EVERYWHERE = 0.9, 0.5
_LEAST_DAYS = 2


@dataclass(frozen=True)
class Origin:
    """A place that a jam may have spread from.

    Attributes:
        likelihood: among the candidates, 0 to 1.
        lead_minutes: how long before the place asked about it slowed.
        metres: the way the jam grew from there.
        wave_kmh: the speed of growth that explains best.
    """

    place: int
    likelihood: float
    lead_minutes: float
    metres: float
    wave_kmh: float


def origins(speeds: Speeds, roads: Roads, jam: Sequence[int], place: int) -> list[Origin]:
    """Where a jam may have spread from, as seen from one of its places; the likeliest first.

    Args:
        jam: its places.
        place: one of them; it is among the candidates, as the jam may begin there.
    """
    minutes = {one: speeds.onset(one) * speeds.step_s / 60 for one in jam}
    back = _within(roads, jam, place, upstream=False)
    near = [one for one in jam if back.get(one, np.inf) <= _FAR_M and np.isfinite(minutes[one])]
    found = []
    for one in near:
        reached = _within(roads, jam, one, upstream=True)
        others = [other for other in near if other in reached]
        way_K = np.array([reached[other] for other in others])
        late_K = np.array([minutes[other] - minutes[one] for other in others])
        weight_K = 1 / (1 + (way_K + np.array([back[other] for other in others])) / _NEAR_M)
        lost = sum(1 / (1 + back[other] / _NEAR_M) for other in near if other not in reached)
        off_W = [_off(way_K, late_K, weight_K, lost, kmh_) for kmh_ in WAVE_KMH]
        best = int(np.argmin(off_W))
        lead = minutes[place] - minutes[one]
        found.append((off_W[best], one, lead, back[one], WAVE_KMH[best]))
    least = min((one[0] for one in found), default=0.0)
    odds = [float(np.exp((least - one[0]) / _TEMPERATURE)) for one in found]
    ranked = [
        Origin(one, chance / sum(odds), lead, metres, wave)
        for chance, (_, one, lead, metres, wave) in zip(odds, found, strict=True)
    ]
    return sorted(ranked, key=lambda one: (-one.likelihood, one.place))


def _within(roads: Roads, jam: Sequence[int], place: int, *, upstream: bool) -> dict[int, float]:
    """Metres from a place to others over places of the jam alone."""
    members = sorted(jam)
    graph = (roads.upstream if upstream else roads.graph).subgraph(members)
    lengths = roads.metres_E.tolist()
    start = members.index(place)
    found = rx.dijkstra_shortest_path_lengths(graph, start, lengths.__getitem__)
    return {place: 0.0, **{members[node]: metres for node, metres in found.items()}}


def _off(way_K: Doubles, late_K: Doubles, weight_K: Doubles, lost: float, wave_kmh: float) -> float:
    """Minutes by which places slowed earlier or later than a wave of this speed; weighted mean.

    Args:
        lost: weight of places that it cannot have reached.
    """
    off_K = np.minimum(np.abs(late_K - way_K * 0.06 / wave_kmh), _MOST_OFF)
    return float((weight_K @ off_K + lost * _MOST_OFF) / (weight_K.sum() + lost))


def kind_of_jam(state: State, speeds: Speeds, place: int) -> Reason:
    """Whether a place's jam is recurring, incident-like, or neither, against its own past days.

    Days of the same kind (weekday or weekend) are compared where there are two, else all.
    """
    here = state.places[place].id
    onset = speeds.onset(place)
    start = int(np.floor(onset)) if np.isfinite(onset) else 0
    share_DT = _same_hours(state, speeds, place, start)
    numbers = {"days": float(len(share_DT))}
    if len(share_DT) < _LEAST_DAYS:
        return Reason("no-same-hours", numbers, here)
    known_DT = np.isfinite(share_DT)
    low_D = (share_DT < JAMMED).sum(axis=1) / known_DT.sum(axis=1)
    jammed = int((low_D >= _DAY_JAMMED).sum())
    free = float(speeds.free_N[place])
    unit = kmh_per(state.unit)
    numbers |= {"jammed-days": float(jammed), "usual": float(np.nanmedian(share_DT)) * free / unit}
    drop = _drop(speeds, place, start)
    numbers |= {} if drop is None else {"drop": drop * free / unit}
    if jammed >= _RECURRING * len(share_DT):
        return Reason("recurring", numbers, here)
    abrupt = drop is not None and drop >= _ABRUPT
    rare = jammed <= _RARE * len(share_DT)
    return Reason("incident-like" if abrupt and rare else "unusual", numbers, here)


def _same_hours(state: State, speeds: Speeds, place: int, start: int) -> Doubles:
    """Shares of free flow around the same time of earlier days that have any, (D, T)."""
    if state.known_TN is None:
        return np.empty((0, 0))
    day, count = DAY_S // state.step_s, len(state.known_TN)
    first, last = start - _BEFORE_S // state.step_s, start + _AFTER_S // state.step_s
    rows = [
        (back, state.known_TN[count + first - back * day : count + last - back * day, place])
        for back in range(1, count // day + 1)
        if first - back * day + count >= 0 and last - back * day <= 0
    ]
    rows = [(back, row_T) for back, row_T in rows if np.isfinite(row_T).any()]
    alike = [(back, row_T) for back, row_T in rows if _weekend(state, back) == _weekend(state, 0)]
    chosen = alike if len(alike) >= _LEAST_DAYS else rows
    if not chosen:
        return np.empty((0, 0))
    share_DT: Doubles = kmh(np.stack([row_T for _, row_T in chosen]), state.unit)
    return share_DT / float(speeds.free_N[place])


def _weekend(state: State, days_back: int) -> bool:
    at = datetime.fromtimestamp(state.now_s - days_back * DAY_S, ZoneInfo(state.time_zone))
    return at.weekday() >= 5


def _drop(speeds: Speeds, place: int, start: int) -> float | None:
    """The largest fall within a quarter of an hour around the onset, as a share of free flow."""
    steps = max(1, _ABRUPT_S // speeds.step_s)
    at = speeds.now + start
    share_T = speeds.share_TN[max(0, at - 2 * steps) : at + 2 * steps + 1, place]
    falls = share_T[:-steps] - share_T[steps:]
    return float(np.nanmax(falls)) if np.isfinite(falls).any() else None


def slow_everywhere(state: State, speeds: Speeds) -> Reason | None:
    """Whether most places are slower than usual at this hour, as in bad weather."""
    if state.known_TN is None:
        return None
    day = DAY_S // state.step_s
    rows = [
        state.known_TN[-1 - back * day]
        for back in range(1, (len(state.known_TN) - 1) // day + 1)
        if _weekend(state, back) == _weekend(state, 0)
    ]
    if len(rows) < _LEAST_DAYS:
        return None
    earlier_DN = np.stack(rows)
    known_N = np.isfinite(earlier_DN).any(axis=0) & np.isfinite(speeds.newest_N)
    if not known_N.any():
        return None
    usual_N = kmh(np.nanmedian(earlier_DN[:, known_N], axis=0), state.unit)
    now_N = speeds.newest_N[known_N] * speeds.free_N[known_N]
    slower = int((now_N < _SLOWER * usual_N).sum())
    if slower < _EVERYWHERE * len(now_N):
        return None
    return Reason("slow-everywhere", {"places": float(slower), "of": float(len(now_N))})
