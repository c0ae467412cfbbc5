"""Deciding who goes where: the nearest place that will surely have a space left.

Spaces given to earlier arrivals are not available to later ones, so that many requests are
spread over several places.

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
_ROUNDING = 1e-9


@dataclass(frozen=True)
class NearestSureSpace:
    """Every request to the nearest place where a space is sure enough; the rest to the likeliest.

    The certainty is the mean probability, over all cars, of finding a space where they are
    sent; a car sent nowhere counts 0.

    Attributes:
        sure: the probability of a space that is sure enough.
    """

    code: str
    sure: float = 0.9
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

    def _sent(self, spaces: "Spaces", request: Request, walk_N: Doubles) -> list["_Sent"]:
        """Places for the cars of a request; reserves their spaces."""
        given: dict[int, list[float]] = {}
        left = request.count
        for place in np.argsort(walk_N, kind="stable"):
            count = min(left, spaces.sure_room(int(place), request.step, self.sure))
            if count and np.isfinite(walk_N[place]):
                given[int(place)] = spaces.take(int(place), request.step, count)
                left -= count
        for _ in range(left):
            likeliest = spaces.likeliest(request.step, walk_N)
            if likeliest is None:
                break
            given.setdefault(likeliest, []).extend(spaces.take(likeliest, request.step, 1))
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
        """Probability that one more car finds a space at each place."""
        wanted_N = self.taken_NH[:, step] + 1
        enough_N = (self.free_BNH[:, :, step] >= wanted_N).sum(axis=0)
        return np.asarray(enough_N / np.maximum(self.known_NH[:, step], 1))

    def sure_room(self, place: int, step: int, sure: float) -> int:
        """How many more cars surely find a space at a place."""
        known = int(self.known_NH[place, step])
        lacking = known - int(np.ceil(sure * known - _ROUNDING))
        if not known or lacking >= known:
            return 0
        free = np.floor(self.free_BNH[lacking, place, step])
        return max(0, int(free) - int(self.taken_NH[place, step]))

    def likeliest(self, step: int, walk_N: Doubles) -> int | None:
        """The place with the best chance of a space; of equals the nearest."""
        chance_N = np.where(np.isfinite(walk_N), self.chances_N(step), 0.0)
        best = chance_N.max(initial=0.0)
        return _least(np.where(chance_N == best, walk_N, np.inf)) if best > 0 else None

    def take(self, place: int, step: int, count: int) -> list[float]:
        """Reserve spaces; returns the probability that each will be free."""
        known = int(self.known_NH[place, step])
        wanted = int(self.taken_NH[place, step]) + 1 + np.arange(count)
        fewer = np.searchsorted(self.free_BNH[:known, place, step], wanted, side="left")
        self.taken_NH[place, step:] += count
        return [float(chance) for chance in (known - fewer) / known]


def _least(walk_N: Doubles) -> int | None:
    if not len(walk_N) or not np.isfinite(walk_N).any():
        return None
    return int(np.argmin(walk_N))


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
