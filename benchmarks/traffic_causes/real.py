"""Real jams of the test days: does the cause point to the neighbour that slowed first?

There is no ground truth. What is compared: the service, asked 15 minutes after a place jammed,
and the recorded day as a whole, read without thresholds or graph: each place slows at its
steepest fall of 15 minutes around that time.

Shapes: T steps, N places.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import rustworkx as rx

from benchmarks.traffic_causes.forecasts import LEARNED, freeways, state_at
from benchmarks.traffic_causes.planted import WAYS
from deepcity.applications.state import Past
from deepcity.applications.traffic.causes import causes
from deepcity.applications.traffic.jams import JAMMED, Speeds, groups
from deepcity.applications.traffic.origins import origins
from deepcity.city.arrays import Floats

ASKED_AFTER = 3  # steps
_BEFORE, _AFTER = 18, 6  # steps around the onset in which places slowed
_CLEAR = 0.2  # of free flow: smaller falls are none
_NONE = np.empty((0, 207, 1), np.float32)


@dataclass(frozen=True, eq=False)
class Onset:
    """A place that jams: the step, and its neighbour that slowed first (itself: none earlier)."""

    place: int
    step: int
    first: int


@dataclass(frozen=True)
class Found:
    """Of all real jams.

    Attributes:
        agreed: by way, whether it points over the neighbour that slowed first.
        kinds: how often the first cause is of each kind.
        lead_minutes, metres: of first causes elsewhere.
    """

    agreed: dict[str, list[bool]]
    kinds: Counter[str]
    lead_minutes: list[float]
    metres: list[float]


def onsets(values_TN: Floats) -> Iterator[Onset]:
    """Places that were free for half an hour, then jammed for most of the next."""
    free_N = np.percentile(values_TN[:LEARNED], 85, axis=0)
    share_TN = values_TN / free_N
    low_TN = share_TN < JAMMED
    for step in range(LEARNED + _BEFORE, len(values_TN) - _AFTER):
        fresh_N = low_TN[step] & ~low_TN[step - 6 : step].any(axis=0)
        stays_N = low_TN[step : step + 6].sum(axis=0) >= 4
        for place in np.flatnonzero(fresh_N & stays_N).tolist():
            first = _slowed_first(share_TN[step - _BEFORE : step + _AFTER], place)
            if first is not None:
                yield Onset(place, step, first)


def _slowed_first(share_TN: Floats, place: int) -> int | None:
    """The neighbour of the earliest steepest fall; None where the place itself has no clear one."""
    fall_TN = share_TN[:-3] - share_TN[3:]
    roads = freeways().roads
    around = {*roads.graph.successor_indices(place), *roads.graph.predecessor_indices(place)}
    if fall_TN[:, place].max() < _CLEAR:
        return None
    when = {
        one: int(np.argmax(fall_TN[:, one]))
        for one in (place, *sorted(around))
        if fall_TN[:, one].max() >= _CLEAR
    }
    return min(when, key=lambda one: (when[one], one != place))


def measure() -> Found:
    """Every real jam once."""
    panel, roads = freeways().panel, freeways().roads
    values_TN = panel.values_TNF[:, :, 0]
    found = Found({way: [] for way in WAYS}, Counter(), [], [])
    for one in onsets(values_TN):
        now = one.step + ASKED_AFTER
        state = state_at(panel, now, values_TN[now - 1][:, None], Past(_NONE, _NONE))
        speeds = Speeds.of(state)
        jams = [jam for jam in groups(roads, speeds.jammed_N) if one.place in jam]
        if not jams:
            continue
        for way, rank in WAYS.items():
            cause = rank(speeds, roads, jams[0], one.place)[0]
            found.agreed[way].append(_towards(one.place, cause) == one.first)
        cause = origins(speeds, roads, jams[0], one.place)[0]
        found.kinds[causes(state, speeds, roads, jams[0], cause.place, None)[0].code] += 1
        if cause.place != one.place:
            found.lead_minutes.append(cause.lead_minutes)
            found.metres.append(cause.metres)
    return found


def _towards(place: int, cause: int) -> int:
    """The neighbour on the shortest way to a cause; the place itself where it is the cause."""
    if place == cause:
        return place
    roads = freeways().roads
    lengths = roads.metres_E.tolist()
    ways = rx.dijkstra_shortest_paths(roads.graph, place, cause, lengths.__getitem__)
    return int(ways[cause][1]) if cause in ways else -1


def text(found: Found) -> str:
    """The table as Markdown."""
    count = len(next(iter(found.agreed.values())))
    kinds = ", ".join(f"{code} {n}" for code, n in found.kinds.most_common())
    lines = [
        f"### Real jams: {count} onsets on two days",
        "",
        "No ground truth: how often the first cause, asked 15 minutes after a place jammed, lies "
        "over that neighbour (or is the place itself) whose speed, read from the whole recorded "
        "day and without graph or threshold, fell most steeply the earliest. Both readings err.",
        "",
        "| way | agrees |",
        "|---|---:|",
        *(f"| {way} | {100 * np.mean(agreed):.1f} % |" for way, agreed in found.agreed.items()),
        "",
        f"First causes elsewhere: {len(found.metres)}, {np.median(found.metres) / 1000:.1f} km and "
        f"{np.median(found.lead_minutes):.0f} minutes earlier in the median. Kinds found: {kinds}.",
    ]
    return "\n".join(lines)
