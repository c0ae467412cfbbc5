"""Car parks in a row, drivers who ask for a space, and where they are sent."""

from collections import Counter

import numpy as np

from deepcity.applications.state import Past, Request, State
from deepcity.city.field import Kind
from deepcity.city.place import Place

NOW_S, STEP_S = 1_600_000_000, 900


def lots(forecast_NH, errors_B=(0.0,), capacity=50.0, requests=()):
    """Lots 1 km apart to the east; the same past errors at every lot and step."""
    forecast_NH = np.array(forecast_NH, np.float32)
    errors = np.array(errors_B, np.float32)[:, None, None] + np.zeros_like(forecast_NH)
    places = [Place(f"lot{n}", 51.0, 13.0 + n * 0.01427, capacity) for n in range(len(forecast_NH))]
    return State(
        now_s=NOW_S,
        step_s=STEP_S,
        places=tuple(places),
        kind=Kind.LEVEL,
        unit="spaces",
        forecast_NH=forecast_NH,
        past=Past(np.zeros_like(errors), errors),
        requests=tuple(requests),
    )


def ask(count=1, step=0, name="r"):
    return Request(name, 51.0, 13.0, step, count)


def sent(decision):
    found = Counter()
    for action in decision.actions:
        found[action.place] += int(action.numbers["count"])
    return found
