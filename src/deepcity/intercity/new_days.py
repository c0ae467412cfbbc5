"""Which rows a refining learns from, and by which it is judged.

    train         aside        ...learned...        fresh            judged
    |-------------|------------|--------------------|----------------|
    train_from    train_to     aside_to                              end of the records

The newest days are judged by, at most a week of them, and never learned from in the same
refining: they are fresh rows of the next one. Fresh are all rows that were not learned from
yet, and of those learned lately as many as make four weeks (so as `continual` in
benchmarks/RESULTS.md measured it). The days aside are never learned from.

Shapes: B origins.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.city.problem import Problem
from deepcity.data.windows import Span, origins
from deepcity.intercity.parties import MANY

LATELY_DAYS = 28
JUDGED_DAYS = 7
MOST = 1000  # fresh origins, and old ones, that suffice for the steps of one refining


@dataclass(frozen=True)
class Known:
    """Where an own package stands, in steps of the panel.

    Attributes:
        aside_to, learned_to, seen_to: as in `own_package.Times`.
        end: step after the last measured value.
        horizon: steps of one forecast.
        day: steps of a day.
    """

    aside_to: int
    learned_to: int
    seen_to: int
    end: int
    horizon: int
    day: int

    @property
    def least(self) -> int:
        """New steps without which nothing can be judged: a day, and one forecast."""
        return max(self.day, self.horizon)


@dataclass(frozen=True)
class NewDays:
    """Spans of targets: `fresh` is learned from, `judged` is not."""

    fresh: Span
    judged: Span


def new_days(party: str, known: Known) -> NewDays | Problem | None:
    """What is new; None where nothing is, a problem where it is too little.

    >>> known = Known(aside_to=480, learned_to=480, seen_to=600, end=768, horizon=24, day=24)
    >>> new_days("east/north", known)
    NewDays(fresh=Span(start=480, end=600), judged=Span(start=600, end=768))
    """
    new = known.end - known.seen_to
    if new <= 0:
        return None
    spare = known.end - known.learned_to - known.horizon  # one forecast at least is learned from
    if min(new, spare) < known.least:
        lacking = known.least - min(new, spare)
        reason = (
            f"too few to be judged by: {known.least} are needed "
            f"(a day of {known.day}, and one forecast of {known.horizon})"
        )
        right = f"refine again once {lacking} more have come"
        return Problem(party, "new steps", new, reason, right)
    judged = min(new, spare, max(JUDGED_DAYS * known.day, known.horizon))
    end = known.end - judged
    lately = max(known.aside_to, end - LATELY_DAYS * known.day)
    return NewDays(Span(min(known.learned_to, lately), end), Span(end, known.end))


def fresh_origins(days: NewDays, horizon: int, seed: int) -> Ints:
    """Origins that are learned from, (B,)."""
    return drawn(origins(days.fresh, horizon), seed)


def told_origins(known: Known) -> Ints:
    """Origins that no refining has looked at yet: of the newest, and of those before them
    whose targets were not all known.
    """
    since = Span(max(known.seen_to - known.horizon + 1, 0), known.end)
    found = origins(since, known.horizon)
    return found[::-1][:: max(1, len(found) // MANY)][::-1]


def drawn(origins_B: Ints, seed: int) -> Ints:
    """At most `MOST` of them, by lot: a regular stride might meet one hour of the day only."""
    if len(origins_B) <= MOST:
        return origins_B
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(origins_B, MOST, replace=False))
