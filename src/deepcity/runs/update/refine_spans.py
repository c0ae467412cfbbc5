"""Which rows an update trains on, and which decide whether it is accepted.

    train         aside        ...learned...        fresh            holdout
    |-------------|------------|--------------------|----------------|
    train_from    train_to     aside_to                              end of the records

The newest days, at most a week, are the holdout: they are not trained on in the same update, and
are fresh rows of the next one. Fresh are all rows not trained on yet, and of those trained on
lately as many as make four weeks (measured by `continual` in benchmarks/RESULTS.md). The days
aside are never trained on.

Shapes: B origins.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Ints
from deepcity.city.problem import Problem
from deepcity.data.windows import Span, origins
from deepcity.parties.party import MAX_SELECTION_ORIGINS

RECENT_DAYS = 28
HOLDOUT_DAYS = 7
MAX_ORIGINS = 1000  # fresh origins, and old ones, that suffice for the steps of one update


@dataclass(frozen=True)
class BundlePosition:
    """Time spans of a forecaster bundle, in steps of the panel.

    Attributes:
        aside_to, learned_to, seen_to: as in `forecaster_bundle.BundleTimes`.
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
        """Fewest steps of a holdout: a day, and one forecast."""
        return max(self.day, self.horizon)


@dataclass(frozen=True)
class RefineSpans:
    """Spans of targets: `fresh` is trained on, `holdout` is not."""

    fresh: Span
    holdout: Span


def refine_spans(party: str, known: BundlePosition) -> RefineSpans | Problem | None:
    """The spans of an update; None if no rows are new, a problem if they are too few.

    >>> steps = {"aside_to": 480, "learned_to": 480, "seen_to": 600, "end": 768}
    >>> known = BundlePosition(**steps, horizon=24, day=24)
    >>> refine_spans("east/north", known)
    RefineSpans(fresh=Span(start=480, end=600), holdout=Span(start=600, end=768))
    """
    new = known.end - known.seen_to
    if new <= 0:
        return None
    spare = known.end - known.learned_to - known.horizon  # at least one forecast to train on
    if min(new, spare) < known.least:
        lacking = known.least - min(new, spare)
        reason = (
            f"too few to validate on: {known.least} are needed "
            f"(a day of {known.day}, and one forecast of {known.horizon})"
        )
        right = f"update again once {lacking} more have come"
        return Problem(party, "new steps", new, reason, right)
    holdout = min(new, spare, max(HOLDOUT_DAYS * known.day, known.horizon))
    end = known.end - holdout
    recent = max(known.aside_to, end - RECENT_DAYS * known.day)
    return RefineSpans(Span(min(known.learned_to, recent), end), Span(end, known.end))


def fresh_origins(days: RefineSpans, horizon: int, seed: int) -> Ints:
    """Origins to train on, (B,)."""
    return sample_origins(origins(days.fresh, horizon), seed)


def unseen_origins(known: BundlePosition) -> Ints:
    """Origins that no update has used yet: the newest, and those before them whose targets were
    not all known.
    """
    since = Span(max(known.seen_to - known.horizon + 1, 0), known.end)
    found = origins(since, known.horizon)
    return found[::-1][:: max(1, len(found) // MAX_SELECTION_ORIGINS)][::-1]


def sample_origins(origins_B: Ints, seed: int) -> Ints:
    """A random sample of at most `MAX_ORIGINS`: a stride might pick one hour of the day only."""
    if len(origins_B) <= MAX_ORIGINS:
        return origins_B
    rng = np.random.default_rng(seed)
    return np.sort(rng.choice(origins_B, MAX_ORIGINS, replace=False))
