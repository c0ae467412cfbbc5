"""Causes of jams that were planted in measured speeds: is the place they began at found?

A place is slowed from a step of the test days on; the jam grows against the direction of travel,
each place reached with an own delay and slowed by an own factor, on top of what was measured.
The service sees what it would have seen then: no forecast but the newest value, nothing later.

Shapes: T steps, N places.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import rustworkx as rx

from benchmarks.decisions.forecasts import spread
from benchmarks.traffic_causes.forecasts import LEARNED, freeways, state_at
from deepcity.applications.state import Past, State
from deepcity.applications.traffic.causes import INCIDENT, causes
from deepcity.applications.traffic.jams import JAMMED, Speeds, groups
from deepcity.applications.traffic.origins import origins
from deepcity.applications.traffic.roads import Roads, roads_of
from deepcity.city.arrays import Floats

JAMS = 150  # a seed and roughness
ROUGH = {"even": 0.3, "rough": 0.7}  # standard deviation of the logarithm of each place's delay
WAVE_KMH, REACH_M, FACTOR = (10.0, 25.0), (2000.0, 6000.0), (0.25, 0.55)
RAMP_MINUTES, STEP_MINUTES = 10.0, 5.0
SEEN_STEPS = (5, 13)  # from 25 to 60 minutes after it began
_LEAST = 4  # jammed places of one worth asking about
_NONE = np.empty((0, 207, 1), np.float32)


@dataclass(frozen=True, eq=False)
class Planted:
    """A jam: where it began, the place asked about (jammed last), when, and the speeds seen."""

    seed: int
    asked: int
    now: int
    values_TN: Floats


@dataclass(frozen=True)
class Row:
    """Ranks at which one way found the places of one seed, 99 where not at all."""

    way: str
    rough: str
    seed: int
    rank: tuple[int, ...]
    incident: float  # share called incident-like; NaN where a way does not tell


Rank = Callable[[Speeds, Roads, Sequence[int], int], list[int]]


def _service(speeds: Speeds, roads: Roads, jam: Sequence[int], asked: int) -> list[int]:
    return [one.place for one in origins(speeds, roads, jam, asked)]


def _first(speeds: Speeds, _roads: Roads, jam: Sequence[int], _asked: int) -> list[int]:
    return sorted(jam, key=speeds.onset)


def _slowest(speeds: Speeds, _roads: Roads, jam: Sequence[int], _asked: int) -> list[int]:
    return sorted(jam, key=lambda place: speeds.newest_N[place])


def _dropped(speeds: Speeds, _roads: Roads, jam: Sequence[int], _asked: int) -> list[int]:
    fell_N = speeds.share_TN[speeds.now - 1] - speeds.share_TN[speeds.now - 4]
    return sorted(jam, key=lambda place: fell_N[place])


WAYS: dict[str, Rank] = {
    "the service": _service,
    "slowed first": _first,
    "slowest now": _slowest,
    "biggest drop now (15 min)": _dropped,
}
UNDIRECTED = "the service, roads without directions"


def rows(seed: int) -> Iterator[Row]:
    """Every way at each roughness, on the same jams."""
    both = roads_of(freeways().published.places, freeways().published.adjacency_NN)
    assert both is not None
    for rough, sigma in ROUGH.items():
        rng = np.random.default_rng([seed, int(10 * sigma)])
        jams = [planted(rng, sigma) for _ in range(JAMS)]
        states = [_state(jam.now, jam.values_TN) for jam in jams]
        seen = [(jam, Speeds.of(state)) for jam, state in zip(jams, states, strict=True)]
        incident = np.mean(
            [
                causes(state, speeds, freeways().roads, _jam(jam, speeds), jam.seed, None)[0].code
                == INCIDENT
                for state, (jam, speeds) in zip(states, seen, strict=True)
            ]
        )
        for way, rank in WAYS.items():
            ranks = tuple(_rank(jam, s, freeways().roads, rank) for jam, s in seen)
            own = float(incident) if rank is _service else float("nan")
            yield Row(way, rough, seed, ranks, own)
        ranks = tuple(_rank(jam, s, both, _service) for jam, s in seen)
        yield Row(UNDIRECTED, rough, seed, ranks, float("nan"))


def _rank(jam: Planted, speeds: Speeds, roads: Roads, rank: Rank) -> int:
    found = rank(speeds, roads, _jam(jam, speeds, roads), jam.asked)
    return found.index(jam.seed) + 1 if jam.seed in found else 99


def _jam(jam: Planted, speeds: Speeds, roads: Roads | None = None) -> list[int]:
    """The places of the jam that is asked about."""
    (places,) = [
        one for one in groups(roads or freeways().roads, speeds.jammed_N) if jam.asked in one
    ]
    return places


def _state(now: int, values_TN: Floats) -> State:
    panel = replace(freeways().panel, values_TNF=values_TN[:, :, None])
    return state_at(panel, now, values_TN[now - 1][:, None], Past(_NONE, _NONE))


def planted(rng: np.random.Generator, sigma: float) -> Planted:
    """A jam of at least four places that the place it began at is one of, and not the one asked."""
    while True:
        found = _try(rng, sigma)
        if found is not None:
            return found


def _try(rng: np.random.Generator, sigma: float) -> Planted | None:
    panel, roads = freeways().panel, freeways().roads
    values_TN = panel.values_TNF[:, :, 0].copy()
    free_N = np.percentile(values_TN[:LEARNED], 85, axis=0)
    seed = int(rng.integers(len(panel.places)))
    start = int(rng.integers(LEARNED + 12, len(values_TN) - SEEN_STEPS[1]))
    if (values_TN[start - 12 : start + 1, seed] < 1.1 * JAMMED * free_N[seed]).any():
        return None  # slow already
    reached = branch(roads, seed, float(rng.uniform(*REACH_M)), rng)
    wave = float(rng.uniform(*WAVE_KMH)) * 1000 / 60
    now = start + int(rng.integers(*SEEN_STEPS))
    middle_T = STEP_MINUTES * (np.arange(now - start) + 0.5)
    begins = {}
    for place, metres in reached.items():
        begins[place] = metres / wave * float(np.exp(rng.normal(0, sigma)))
        grown_T = np.clip((middle_T - begins[place]) / RAMP_MINUTES, 0, 1)
        values_TN[start:now, place] *= 1 - (1 - float(rng.uniform(*FACTOR))) * grown_T
    jammed_N = Speeds.of(_state(now, values_TN)).jammed_N
    jammed = [place for place in reached if jammed_N[place]]
    if seed not in jammed or len(jammed) < _LEAST:
        return None
    asked = max(jammed, key=lambda place: begins[place])
    return None if asked == seed else Planted(seed, asked, now, values_TN)


def branch(roads: Roads, seed: int, reach_m: float, rng: np.random.Generator) -> dict[int, float]:
    """Metres upstream to the places of one road that leads to a place, itself among them."""
    before = sorted(roads.upstream.successor_indices(seed))
    if not before:
        return {seed: 0.0}
    first = int(rng.choice(before))
    graph = roads.upstream.copy()
    graph.remove_node(seed)
    found = rx.dijkstra_shortest_path_lengths(graph, first, roads.metres_E.tolist().__getitem__)
    step = float(roads.metres_E[roads.upstream.get_edge_data(seed, first)])
    far = {seed: 0.0, first: step, **{place: step + metres for place, metres in found.items()}}
    return {place: metres for place, metres in far.items() if metres <= reach_m}


def text(found: list[Row]) -> str:
    """The table as Markdown."""
    seeds = sorted({row.seed for row in found})
    lines = [
        f"### Planted jams: {JAMS} a seed, seeds {', '.join(map(str, seeds))}",
        "",
        "A place slows on a test day and the jam grows against the direction of travel at 10 to "
        "25 km/h over 2 to 6 km; every place it reaches is delayed (log-normal, σ 0.3 even, 0.7 "
        "rough) and slowed to 25 to 55 % of what was measured, at random. Asked 25 to 60 minutes "
        "later, about the place that jammed last: is the place it began at ranked first, or among "
        "the first three, of all places of the jam? Real jams go on beside it and grow into it. "
        "The service looks for waves of 8 to 35 km/h, so that its model is of the same kind as "
        "the planted rule: rough delays show what is lost where it is not.",
        "",
        "| way | even: first | among 3 | rough: first | among 3 |",
        "|---|---:|---:|---:|---:|",
    ]
    for way in [*WAYS, UNDIRECTED]:
        cells = []
        for rough in ROUGH:
            own = [np.array(row.rank) for row in found if (row.way, row.rough) == (way, rough)]
            for most in (1, 3):
                cells.append(spread([100 * float((one <= most).mean()) for one in own], 1, " %"))
        lines.append(f"| {way} | {' | '.join(cells)} |")
    called = [100 * row.incident for row in found if np.isfinite(row.incident)]
    lines += ["", f"Of their first places, {spread(called, 1, ' %')} are called incident-like."]
    return "\n".join(lines)
