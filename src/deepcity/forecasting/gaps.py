"""Why a place cannot be forecast: a code with its numbers, and the sentence for it.

A network answers for any place, also for one whose meter has been silent for a month: then the
number is the typical day and nothing else, with a band that was measured while values came in.
So such a place gets no number, but the reason.

Shapes: T steps, N places.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.clock import DAY_S

SILENT_DAYS = 3.0
"""A place without a value for so many days before the forecast is not forecast."""
LEAST_VALUES = 12
"""Measured values that a place must have; fewer where its history is shorter."""

_SENTENCES: Mapping[str, str] = {
    "never": "no value was ever measured here before the forecast",
    "silent": (
        "no value for {days:.1f} days before the forecast ({most:g} is the most); check the "
        "sensor and its records"
    ),
    "few-values": (
        "only {values:g} values were measured before the forecast, {least:g} are needed; wait "
        "for more"
    ),
    "not-finite": "its experts gave no number; check the records of this place",
    "late-records": "the party's records end too long before the forecast",
    "time": "the time asked for cannot be forecast",
    "records": "the party's records cannot be used",
    "forecaster": "the party has no forecaster that can be used here",
}


@dataclass(frozen=True)
class Gap:
    """Why there is no forecast.

    Attributes:
        code: short, for programs.
        numbers: that belong to it.
        detail: the message of an error, where the whole party failed.
    """

    code: str
    numbers: tuple[tuple[str, float], ...] = ()
    detail: str = ""

    @property
    def sentence(self) -> str:
        """For people, in English."""
        found = _SENTENCES[self.code].format(**dict(self.numbers))
        return f"{found}: {self.detail}" if self.detail else found


def find_gaps(values_TN: Floats, origin: int, step_s: int, history: int) -> dict[int, Gap]:
    """Place -> why it cannot be forecast at an origin (a step); left out where it can.

    Args:
        values_TN: measured values, NaN where missing; may end before the origin.
        history: steps that a forecast looks back on one by one.
    """
    most = max(SILENT_DAYS, 2 * step_s / DAY_S)
    known_TN = np.isfinite(values_TN[:origin])
    count_N = known_TN.sum(axis=0)
    last_N = len(known_TN) - np.argmax(known_TN[::-1], axis=0)  # the step after the newest value
    silent_N = (origin - last_N) * step_s / DAY_S
    least = min(LEAST_VALUES, history)
    found: dict[int, Gap] = {}
    wrong_N = (count_N < least) | (silent_N > most)
    for place in np.flatnonzero(wrong_N).tolist():
        if not count_N[place]:
            found[place] = Gap("never")
        elif silent_N[place] > most:
            numbers = (("days", float(silent_N[place])), ("most", most))
            found[place] = Gap("silent", numbers)
        else:
            numbers = (("values", float(count_N[place])), ("least", float(least)))
            found[place] = Gap("few-values", numbers)
    return found


def gap_codes() -> tuple[str, ...]:
    """Every code there is.

    >>> "silent" in gap_codes()
    True
    """
    return tuple(_SENTENCES)
