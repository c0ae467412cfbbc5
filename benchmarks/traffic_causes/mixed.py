"""Jams of four known causes, planted in measured speeds: which cause is ranked first?

Each jam lies in a week with real rain (`rain`), which lowers all speeds of the week:

- incident: one road from a place on, against the direction of travel, as in `planted`;
- recurring: the same on most of the like days before, too, earlier or later by some minutes;
- weather: a real road that would not be jammed without the rain;
- event: all roads around a point, growing for an hour or two at an hour that is usually free.

Shapes: T steps, N places.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.traffic_causes.forecasts import DAY, freeways, state_at
from benchmarks.traffic_causes.planted import RAMP_MINUTES, STEP_MINUTES, WAVE_KMH, branch
from benchmarks.traffic_causes.rain import RainyWeek, rainy_week
from deepcity.applications.state import Past, State
from deepcity.applications.tasks.plan import haversine_m
from deepcity.applications.traffic.causes import EVENT, INCIDENT, RECURRING, WEATHER
from deepcity.applications.traffic.jams import JAMMED, Speeds, groups
from deepcity.city.arrays import Doubles, Floats

TRUE = (INCIDENT, RECURRING, WEATHER, EVENT)
WEEKDAYS = {0, 1, 4, 5, 6}  # of the week, which begins on a Thursday
LEAST = 4  # jammed places of one worth asking about
REACH_M, FACTOR = (2000.0, 6000.0), (0.25, 0.55)
SLOW_RAMP = (10.0, 40.0)  # minutes in which a recurring jam comes
COMES, JITTER = 0.85, 15.0  # share of like days, minutes
AROUND_M, EVENT_FACTOR = (1500.0, 3500.0), (0.2, 0.5)
ANYWAY = 0.25  # of its places, at most, would be jammed without the cause
HEAVY_MM = 1.0  # an hour of rain from which on a jam of the weather is sought
_NONE = np.empty((0, 207, 1), np.float32)


@dataclass(frozen=True, eq=False)
class Jam:
    """A jam of known cause: the place asked about, when, and what was measured until then."""

    cause: str
    asked: int
    now: int
    values_TN: Floats
    week: RainyWeek

    def state(self, *, weather: bool = True) -> State:
        """What the service sees: no forecast but the newest value, nothing later."""
        panel = replace(freeways().panel, values_TNF=self.values_TN[:, :, None])
        newest_N1 = self.values_TN[self.now - 1][:, None]
        seen = self.week.panel if weather else None
        return state_at(panel, self.now, newest_N1, Past(_NONE, _NONE), seen)


@dataclass(frozen=True)
class Setting:
    """What jams are like, and on which days.

    Attributes:
        learned: days that are learned from.
        test: days on which jams are planted: indices of the week.
        ramp: minutes in which an incident slows a place.
        grows: minutes in which an event does.
        hourly: whether rain is known by the hour alone, when it is over.
    """

    learned: int
    test: tuple[int, ...]
    ramp: tuple[float, float] = (RAMP_MINUTES, RAMP_MINUTES)
    grows: tuple[float, float] = (45.0, 150.0)
    hourly: bool = False

    @property
    def hard(self) -> "Setting":
        """Forms that are alike, and weather that is known late."""
        return replace(self, ramp=SLOW_RAMP, grows=(20.0, 60.0), hourly=True)


def jams(rng: np.random.Generator, count: int, setting: Setting) -> Iterator[Jam]:
    """So many of each cause, each in a week of its own."""
    made: dict[str, Callable[[np.random.Generator, Setting], Jam | None]] = {
        INCIDENT: _incident,
        RECURRING: _recurring,
        WEATHER: _weather,
        EVENT: _event,
    }
    for cause, make in made.items():
        found = 0
        while found < count:
            one = make(rng, setting)
            if one is not None and one.cause == cause:
                found += 1
                yield one


def _rainy(rng: np.random.Generator, setting: Setting) -> tuple[RainyWeek, Floats]:
    """A week and its speeds in the rain."""
    week = rainy_week(rng, setting.learned, hourly=setting.hourly)
    values_TN = freeways().panel.values_TNF[:, :, 0]
    return week, values_TN * (1 - week.lost_TN)


def _free(values_TN: Floats, setting: Setting) -> Doubles:
    return np.asarray(np.percentile(values_TN[: setting.learned * DAY], 85, axis=0))


def _begin(rng: np.random.Generator, setting: Setting, hours: tuple[float, float]) -> int:
    return int(rng.choice(setting.test)) * DAY + int(rng.uniform(*hours) * DAY / 24)


def _asked(jam: Jam, places: list[int], other_N: Floats) -> Jam | None:
    """A jam with the most of some places in it; None where it is too small or mixed with others.

    Args:
        jam: not asked about any place yet.
        other_N: speeds at the time without this cause.
    """
    speeds = Speeds.of(jam.state(weather=False))
    found = groups(freeways().roads, speeds.jammed_N)
    hit = max(found, key=lambda one: len(set(one) & set(places)), default=[])
    ours = sorted(set(hit) & set(places))
    if len(ours) < LEAST or len(ours) < 0.5 * len(hit):
        return None
    anyway_K = other_N[hit] * 1.609344 < JAMMED * speeds.free_N[hit]
    return None if anyway_K.mean() > ANYWAY else replace(jam, asked=ours[0])


def _grow(
    values_TN: Floats,
    reached: dict[int, float],
    start: int,
    end: int,
    rng: np.random.Generator,
    ramp: float,
) -> None:
    """A jam that grows over a road from `start` to `end`."""
    wave = float(rng.uniform(*WAVE_KMH)) * 1000 / 60
    middle_T = STEP_MINUTES * (np.arange(end - start) + 0.5)
    for place, metres in reached.items():
        begins = metres / wave * float(np.exp(rng.normal(0, 0.5)))
        grown_T = np.clip((middle_T - begins) / ramp, 0, 1)
        values_TN[start:end, place] *= 1 - (1 - float(rng.uniform(*FACTOR))) * grown_T


def _incident(rng: np.random.Generator, setting: Setting) -> Jam | None:
    week, values_TN = _rainy(rng, setting)
    place, start = int(rng.integers(207)), _begin(rng, setting, (1, 23))
    low = JAMMED * 1.1 * _free(values_TN, setting)[place]
    if (values_TN[start - 12 : start + 1, place] < low).any():
        return None  # slow already
    now = start + int(rng.integers(5, 13))
    reached = branch(freeways().roads, place, float(rng.uniform(*REACH_M)), rng)
    other_N = values_TN[now - 1].copy()
    _grow(values_TN, reached, start, now, rng, float(rng.uniform(*setting.ramp)))
    return _asked(Jam(INCIDENT, -1, now, values_TN, week), list(reached), other_N)


def _recurring(rng: np.random.Generator, setting: Setting) -> Jam | None:
    week, values_TN = _rainy(rng, setting)
    place, start = int(rng.integers(207)), _begin(rng, setting, (5, 21))
    today = start // DAY
    reached = branch(freeways().roads, place, float(rng.uniform(*REACH_M)), rng)
    lasts, ramp = int(rng.integers(12, 37)), float(rng.uniform(*SLOW_RAMP))
    now = start + int(rng.integers(5, 13))
    came = 0
    for day in sorted(WEEKDAYS):
        if day < today and day < setting.learned and rng.random() < COMES:
            off = int(rng.normal(0, JITTER) / STEP_MINUTES)
            begin = start + (day - today) * DAY + off
            _grow(values_TN, reached, begin, begin + lasts, rng, ramp)
            came += 1
    if came < 2:
        return None
    _grow(values_TN, reached, start, now, rng, ramp)
    free_N = values_TN[now - 1] + np.inf  # real jams of the same hours recur, too
    return _asked(Jam(RECURRING, -1, now, values_TN, week), list(reached), free_N)


def _weather(rng: np.random.Generator, setting: Setting) -> Jam | None:
    week, values_TN = _rainy(rng, setting)
    span = np.concatenate([np.arange(day * DAY + 72, (day + 1) * DAY - 12) for day in setting.test])
    wet = span[week.rain_T[span] >= HEAVY_MM]
    if not len(wet):
        return None
    now = int(rng.choice(wet)) + 1
    dry_N = freeways().panel.values_TNF[now - 1, :, 0]
    free_N = _free(values_TN, setting)
    jammed = np.flatnonzero((values_TN[now - 1] < JAMMED * free_N) & (dry_N >= JAMMED * free_N))
    return _asked(Jam(WEATHER, -1, now, values_TN, week), jammed.tolist(), dry_N)


def _event(rng: np.random.Generator, setting: Setting) -> Jam | None:
    week, values_TN = _rainy(rng, setting)
    places = freeways().panel.places
    centre = places[int(rng.integers(207))]
    at = (
        float(centre.lat or 0) + rng.normal(0, 0.004),
        float(centre.lon or 0) + rng.normal(0, 0.004),
    )
    far_N = np.array([haversine_m(at, (float(p.lat or 0), float(p.lon or 0))) for p in places])
    wide = float(rng.uniform(*AROUND_M))
    near = np.flatnonzero(far_N < 1.5 * wide)
    hours = (10.0, 14.0) if rng.random() < 0.5 else (18.0, 21.0)
    start, grows = _begin(rng, setting, hours), float(rng.uniform(*setting.grows))
    now = start + int(rng.uniform(0.6, 1.3) * grows / STEP_MINUTES)
    before_N = values_TN[start - 6 : start, near].mean(axis=0)
    if now >= len(values_TN) or (before_N < 0.8 * _free(values_TN, setting)[near]).mean() > 0.25:
        return None  # not a free hour there
    other_N = values_TN[now - 1].copy()
    middle_T = STEP_MINUTES * (np.arange(now - start) + 0.5)
    for place in near.tolist():
        takes = np.exp(-((far_N[place] / wide) ** 2)) * float(rng.uniform(0.4, 1.0))
        slowed = (1 - float(rng.uniform(*EVENT_FACTOR))) * takes
        grown_T = np.clip((middle_T - float(rng.uniform(0, 15))) / grows, 0, 1)
        values_TN[start:now, place] *= 1 - slowed * grown_T
    return _asked(Jam(EVENT, -1, now, values_TN, week), near.tolist(), other_N)
