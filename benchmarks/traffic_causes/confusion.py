"""Which cause is ranked first for jams of known causes: by the service, by what it said before.

Constants of the service were chosen on Monday's jams (other random numbers); Tuesday and
Wednesday test.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.decisions.forecasts import spread
from benchmarks.traffic_causes.forecasts import freeways
from benchmarks.traffic_causes.mixed import TRUE, Jam, Setting, jams
from deepcity.applications.decision import Reason
from deepcity.applications.state import State
from deepcity.applications.traffic.causes import (
    CAUSES,
    INCIDENT,
    RECURRING,
    UNUSUAL,
    WEATHER,
    causes,
)
from deepcity.applications.traffic.jams import JAMMED, Speeds, groups
from deepcity.applications.traffic.like_days import like_days
from deepcity.applications.traffic.origins import origins
from deepcity.applications.traffic.roads import Roads, roads_of
from deepcity.applications.traffic.weather import slow_everywhere, weather_loss
from deepcity.city.arrays import Doubles

COUNT = 60  # of each cause, a seed
PLAIN = Setting(5, (5, 6))
SETTINGS = {"plain": PLAIN, "hard": PLAIN.hard}
SERVICE = "the service"
BEFORE = "the rule before: how often, how abrupt, slow everywhere"
NO_WEATHER = "the service, weather not known"
UNDIRECTED = "the service, roads without directions"


@dataclass(frozen=True)
class Row:
    """What one way ranked first for each jam of one seed, by true cause; and, of the service, the
    share of the slowing that the cause ranked first explains.
    """

    setting: str
    way: str
    seed: int
    first: dict[str, Counter[str]]
    share: dict[str, list[float]]


First = Callable[[Jam, Speeds], Reason]


def rows(seed: int) -> Iterator[Row]:
    """Every way, on the same jams."""
    both = roads_of(freeways().published.places, freeways().published.adjacency_NN)
    assert both is not None
    roads = freeways().roads
    ways: dict[str, First] = {
        SERVICE: lambda jam, speeds: _first(jam.state(), speeds, roads, jam.asked),
        NO_WEATHER: lambda jam, speeds: _first(jam.state(weather=False), speeds, roads, jam.asked),
        UNDIRECTED: lambda jam, speeds: _first(jam.state(), speeds, both, jam.asked),
        BEFORE: _before,
    }
    for name, setting in SETTINGS.items():
        first = {way: {cause: Counter[str]() for cause in TRUE} for way in ways}
        share: dict[str, list[float]] = {cause: [] for cause in TRUE}
        for jam in jams(np.random.default_rng([seed, 11]), COUNT, setting):
            speeds = Speeds.of(jam.state(weather=False))
            for way, rank in ways.items():
                found = rank(jam, speeds)
                first[way][jam.cause][found.code] += 1
                if way == SERVICE:
                    share[jam.cause].append(found.numbers.get("share", float("nan")))
        for way, by_cause in first.items():
            yield Row(name, way, seed, by_cause, share if way == SERVICE else {})


def _first(state: State, speeds: Speeds, roads: Roads, asked: int) -> Reason:
    """The cause that the service ranks first."""
    jam, began = _began(speeds, roads, asked)
    return causes(state, speeds, roads, jam, began, weather_loss(state, speeds))[0]


def _began(speeds: Speeds, roads: Roads, asked: int) -> tuple[list[int], int]:
    """The jam of a place, and where it most likely began."""
    (jam,) = [one for one in groups(roads, speeds.jammed_N) if asked in one]
    last = max(jam, key=lambda place: np.nan_to_num(speeds.onset(place), nan=-np.inf))
    return jam, origins(speeds, roads, jam, last)[0].place


def _before(jam: Jam, speeds: Speeds) -> Reason:
    """Half of all places a tenth slower than usual: weather; else by the jam's first place alone:
    jammed on half of the days, recurring; on a quarter at most, and a fall of a quarter of free
    flow within a quarter of an hour, incident-like.
    """
    state = jam.state(weather=False)
    if slow_everywhere(state, speeds) is not None:
        return Reason(WEATHER)
    _, place = _began(speeds, freeways().roads, jam.asked)
    start = int(np.floor(np.nan_to_num(speeds.onset(place))))
    share_DT = like_days(state, speeds, start - 6, min(start + 12, 0)).share_DTN[:, :, place]
    jammed = float(((share_DT < JAMMED).mean(axis=1) >= 1 / 3).mean()) if len(share_DT) else 0.0
    if jammed >= 0.5:
        return Reason(RECURRING)
    abrupt = _drop(speeds.share_TN[max(0, speeds.now + start - 6) :, place]) >= 0.25
    return Reason(INCIDENT if abrupt and jammed <= 0.25 else UNUSUAL)


def _drop(share_T: Doubles) -> float:
    return float(np.nanmax(share_T[:-3] - share_T[3:], initial=0.0))


def text(found: Sequence[Row]) -> str:
    """The tables as Markdown."""
    seeds = sorted({row.seed for row in found})
    lines = [
        f"### Causes, ranked: {COUNT} jams of each, seeds {', '.join(map(str, seeds))}",
        "",
        "Jams of known causes, planted in the measured speeds of the two test days, each in a week "
        "with real rain (Guangzhou's, a random week from 2013 to 2015, from hour to hour along a "
        "line; none was recorded beside the loops), which lowers all speeds of all days by "
        "12 % x (mm/h)^0.4, times what differs between places (σ 0.3 of the logarithm) and hours "
        "(0.25). Incident: a road from a place on, within 10 minutes each, growing at 10 to 25 "
        "km/h. Recurring: the same within 10 to 40 minutes, and on most weekdays before (85 %), "
        "σ 15 minutes earlier or later. Weather: at least 1 mm/h, on roads that are not jammed "
        "in the recorded speeds. Event: roads of all directions within 1.5 to 3.5 km "
        "of a point, from 10 to 14 or 18 to 21 o'clock, growing for 45 to 150 minutes. Asked 25 to "
        "60 minutes after it began, an event 27 to 195. Of the jam's places, a quarter at most "
        "would be jammed without the cause. The forms are of this benchmark's making: no real jam "
        "comes with a true cause. Hard: an incident takes 10 to 40 minutes at each place, an event "
        "20 to 60 in all, and rain is known by the hour alone, when that is over.",
        "",
        "| jams | true cause \\ ranked first | recurring | weather | incident-like | event-like "
        "| unusual | explains |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    heads = " | ".join(TRUE)
    for name in SETTINGS:
        lines += [f"| {name} | {one} |" for one in _confusions(found, name)]
    lines += [
        "",
        "'Explains': of the slowing, the share that the cause ranked first does. Right:",
        "",
        f"| way | {' | '.join(f'{name}: all | {heads}' for name in SETTINGS)} |",
        f"|---|{'---:|' * (len(TRUE) + 1) * len(SETTINGS)}",
    ]
    for way in dict.fromkeys(row.way for row in found):
        lines.append(f"| {way} | {' | '.join(_right(found, way, name) for name in SETTINGS)} |")
    none = f"{100 / len(TRUE):.1f} % | – | – | – | –"
    lines.append(f"| always the most frequent cause | {' | '.join([none] * len(SETTINGS))} |")
    return "\n".join(lines)


def _confusions(found: Sequence[Row], setting: str) -> Iterator[str]:
    """What the service ranked first, by true cause."""
    service = [row for row in found if (row.way, row.setting) == (SERVICE, setting)]
    for cause in TRUE:
        cells = [
            spread([100 * row.first[cause][name] / COUNT for row in service], 1, " %")
            for name in CAUSES
        ]
        mean = [100 * float(np.nanmean(row.share[cause])) for row in service]
        yield f"{cause} | {' | '.join(cells)} | {spread(mean, 0, ' %')}"


def _right(found: Sequence[Row], way: str, setting: str) -> str:
    """How often one way ranked the true cause first, in all and by cause."""
    own = [row for row in found if (row.way, row.setting) == (way, setting)]
    by_cause = [[100 * row.first[cause][cause] / COUNT for row in own] for cause in TRUE]
    whole = np.mean(by_cause, axis=0).tolist()
    return " | ".join(spread(values, 1, " %") for values in (whole, *by_cause))
