"""Deciding who goes where: the place from which a driver is to be expected there first.

A nearer place is worth a risk, a risk is worth a walk: who finds a place full loses some minutes,
drives on and walks from another. Spaces given to earlier arrivals are not available to later ones,
so that many requests are spread over several places.

Shapes: B earlier origins, N places, H horizon steps.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.state import Past, Request, State
from deepcity.city.arrays import Doubles, Floats, Ints

_EARTH_M = 6_371_009.0


@dataclass(frozen=True)
class Pace:
    """How fast people get on, distances as the crow flies; in cities as a rule of thumb.

    Attributes:
        walk_m, drive_m: metres a minute: 4.8 and 20 km/h.
        full: minutes lost at a car park without a space.
    """

    walk_m: float = 80.0
    drive_m: float = 333.0
    full: float = 3.0


@dataclass(frozen=True)
class LeastExpectedTime:
    """Every car to the place from which its driver is to be expected there first.

    From a place with a space they walk. From one without they drive on, some minutes later, to the
    nearest place where a space is `sure` (without any: the farthest there is), and walk from there.
    The certainty is the mean probability, over all cars, of finding a space where they are
    sent; a car sent nowhere, as every place is surely full, counts 0.

    Attributes:
        sure: the probability of a space that is sure enough to drive on to.
    """

    code: str
    sure: float = 0.9
    pace: Pace = field(default_factory=Pace)
    confirm: Confirm = Confirm.NOBODY

    def __call__(self, state: State) -> Decision:
        """The plan, valid until the next step's forecast."""
        spaces = Spaces.of(state)
        wanted = sorted(state.requests, key=lambda one: (one.step, one.id))
        actions = tuple(
            Action(
                self.code,
                state.places[sent.place].id,
                state.time_s(request.step),
                {
                    "count": float(sent.count),
                    "probability": sent.probability,
                    "walk-m": sent.walk_m,
                },
                request.id,
            )
            for request in wanted
            for sent in self._sent(spaces, request, walk_m(state, request))
        )
        asked = sum(request.count for request in wanted)
        found = sum(one.numbers["count"] for one in actions)
        surely = sum(one.numbers["count"] * one.numbers["probability"] for one in actions)
        return Decision(
            actions=actions,
            reasons=tuple(_reasons(spaces, asked, found, self.sure)),
            certainty=min(1.0, surely / asked) if asked else 0.0,
            valid_until_s=state.valid_until_s,
            confirm=self.confirm,
        )

    def minutes_N(self, walk_N: Doubles, chance_N: Doubles) -> Doubles:
        """Minutes to expect from each place until a driver is there; infinite where no space or no
        way is known.
        """
        way_N = np.where(np.isfinite(walk_N), walk_N, 0.0)
        sure_N = way_N[np.isfinite(walk_N) & (chance_N >= self.sure)]
        other = float(sure_N.min() if len(sure_N) else way_N.max(initial=0.0))
        on_N = np.maximum(way_N, other)
        else_N = self.pace.full + on_N / self.pace.drive_m + on_N / self.pace.walk_m
        expected_N = chance_N * way_N / self.pace.walk_m + (1 - chance_N) * else_N
        return np.where(np.isfinite(walk_N) & (chance_N > 0), expected_N, np.inf)

    def _sent(self, spaces: "Spaces", request: Request, walk_N: Doubles) -> list["_Sent"]:
        """Places for the cars of a request; reserves their spaces."""
        given: dict[int, list[float]] = {}
        chance_N, left = spaces.chances_N(request.step), request.count
        while left:
            minutes_N = self.minutes_N(walk_N, chance_N)
            place = int(minutes_N.argmin()) if len(minutes_N) else 0
            if not len(minutes_N) or not np.isfinite(minutes_N[place]):
                break
            count = min(left, spaces.same_chance(place, request.step))
            given.setdefault(place, []).extend(spaces.take(place, request.step, count))
            left -= count
            chance_N[place] = spaces.chance(place, request.step)
        return [
            _Sent(place, len(chances), float(np.mean(chances)), float(walk_N[place]))
            for place, chances in given.items()
        ]


@dataclass(frozen=True)
class _Sent:
    """Some of a request's cars at one place; `probability` is their mean."""

    place: int
    count: int
    probability: float
    walk_m: float


@dataclass
class Spaces:
    """Samples of free spaces, and those reserved; changed while a plan is made.

    Attributes:
        free_BNH: the forecast with each past error, sorted, between 0 and the capacity; NaN
            last where an error is not known.
        known_NH: number of known errors.
        taken_NH: spaces reserved, from the step of arrival until the horizon ends.
    """

    free_BNH: Doubles
    known_NH: Ints
    taken_NH: Ints = field(init=False)

    def __post_init__(self) -> None:
        self.taken_NH = np.zeros(self.known_NH.shape, np.int64)

    @classmethod
    def of(cls, state: State) -> "Spaces":
        """With nothing reserved yet."""
        capacity_N = [np.inf if p.capacity is None else p.capacity for p in state.places]
        most = np.array(capacity_N)[:, None]
        free_BNH = np.clip(state.forecast_NH + _sorted_errors(state.past), 0.0, most)
        return cls(free_BNH, np.isfinite(free_BNH).sum(axis=0))

    def chances_N(self, step: int) -> Doubles:
        """Probability that one more car finds a space at each place; 0 where no error is known."""
        places = range(self.known_NH.shape[0])
        return np.array([self.chance(place, step) for place in places], np.float64)

    def chance(self, place: int, step: int) -> float:
        """Probability that one more car finds a space at a place."""
        free_B, fewer = self._free(place, step)
        return (len(free_B) - fewer) / len(free_B) if len(free_B) else 0.0

    def same_chance(self, place: int, step: int) -> int:
        """How many cars to come have one probability of a space at a place; at least one."""
        free_B, fewer = self._free(place, step)
        if fewer == len(free_B):
            return 1
        return max(1, int(free_B[fewer]) - int(self.taken_NH[place, step]))

    def take(self, place: int, step: int, count: int) -> list[float]:
        """Reserve spaces, at most as many as have the `same_chance`; returns each one's."""
        chance = self.chance(place, step)
        self.taken_NH[place, step:] += count
        return [chance] * count

    def _free(self, place: int, step: int) -> tuple[Doubles, int]:
        """Known samples, and how many have no space for one more car."""
        free_B = self.free_BNH[: int(self.known_NH[place, step]), place, step]
        wanted = int(self.taken_NH[place, step]) + 1
        return free_B, int(np.searchsorted(free_B, wanted, side="left"))


@lru_cache(maxsize=16)
def _sorted_errors(past: Past) -> Floats:
    """Errors of every place and step, ascending, NaN last."""
    return np.sort(past.errors_BNH, axis=0)


def walk_m(state: State, request: Request) -> Doubles:
    """Metres to each place as the crow flies, (N,); infinite where its position is unknown."""
    return np.array(
        [
            np.inf
            if place.lat is None or place.lon is None
            else haversine_m((request.lat, request.lon), (place.lat, place.lon))
            for place in state.places
        ],
        np.float64,
    )


def haversine_m(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Metres between two (lat, lon), in degrees, on a sphere.

    >>> round(haversine_m((51.05, 13.74), (51.05, 13.75)))
    699
    """
    (lat, lon), (lat2, lon2) = np.radians(one), np.radians(other)
    chord = np.sin((lat2 - lat) / 2) ** 2
    chord += np.cos(lat) * np.cos(lat2) * np.sin((lon2 - lon) / 2) ** 2
    return float(2 * _EARTH_M * np.arcsin(np.sqrt(chord)))


def _reasons(spaces: Spaces, asked: int, found: float, sure: float) -> Sequence[Reason]:
    if not asked:
        return [Reason("nobody-asks")]
    reasons = [Reason("planned", {"asked": float(asked), "sent": found, "sure": sure})]
    if not spaces.known_NH.any():
        reasons.append(Reason("no-past-errors"))
    if found < asked:
        reasons.append(Reason("no-space", {"count": asked - found}))
    return reasons
