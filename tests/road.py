"""A made road of one direction with a slower way beside it, and states of its traffic."""

from collections.abc import Mapping
from itertools import pairwise

import numpy as np

from deepcity.applications.state import Past, State
from deepcity.city.arrays import Floats
from deepcity.city.field import Kind
from deepcity.city.place import Place

STEP_S, DAY = 300, 288
NOW_S = 1_709_542_800  # Monday 2024-03-04 18:00 in Seoul
NAMES = tuple("abcdefghij")  # the road, 1 km from place to place
BESIDE = ("x", "y")  # the way from c to i that avoids d..h
PLACES = tuple(Place(name, 37.5, 127.0 + n * 0.01134) for n, name in enumerate(NAMES)) + tuple(
    Place(name, 37.49, 127.0 + n * 0.01134) for name, n in zip(BESIDE, (4, 6), strict=True)
)
FREE = 100.0


def graph(*, both: bool = False) -> Floats:
    """Edges along the road and beside it; in both directions on request."""
    index = {place.id: n for n, place in enumerate(PLACES)}
    found = np.zeros((len(PLACES), len(PLACES)), np.float32)
    for one, other in [*pairwise(NAMES), ("c", "x"), ("x", "y"), ("y", "i")]:
        found[index[one], index[other]] = 1.0
        found[index[other], index[one]] = float(both)
    return found


def known(days: int = 5) -> Floats:
    """Free flow with some noise, (T, N), up to now."""
    rng = np.random.default_rng(0)
    return (FREE + rng.normal(0, 3, (days * DAY, len(PLACES)))).astype(np.float32)


def slowed(values_TN: Floats, place: str, steps: int, to: float = 30.0) -> None:
    """A place has been slow for so many steps."""
    values_TN[-steps:, [one.id for one in PLACES].index(place)] = to


def state(values_TN: Floats | None, ahead_NH: Floats | None = None, **more: object) -> State:
    """With a forecast that the newest values stay, unless another is given."""
    if ahead_NH is None:
        assert values_TN is not None
        ahead_NH = np.repeat(values_TN[-1][:, None], 12, axis=1)
    rng = np.random.default_rng(1)
    truth_BNH = np.full((40, *ahead_NH.shape), FREE, np.float32)
    past = Past(truth_BNH + rng.normal(0, 5, truth_BNH.shape).astype(np.float32), truth_BNH)
    given: dict[str, object] = {
        "now_s": NOW_S,
        "step_s": STEP_S,
        "places": PLACES,
        "kind": Kind.SPEED,
        "unit": "km/h",
        "forecast_NH": ahead_NH,
        "past": past,
        "known_TN": values_TN,
        "adjacency_NN": graph(),
        "time_zone": "Asia/Seoul",
    }
    return State(**{**given, **more})  # type: ignore[arg-type]


def jammed(steps: Mapping[str, int] | None = None, **more: object) -> State:
    """A state in which places have been slow for so many steps; by default from g on, upstream."""
    values_TN = known()
    for place, count in ({"g": 7, "f": 6, "e": 5, "d": 4} if steps is None else steps).items():
        slowed(values_TN, place, count)
    return state(values_TN, **more)
