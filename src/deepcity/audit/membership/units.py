"""Units whose membership is asked about, and which of them each shadow network learns from.

A unit is what one might want to deny: a day of one place's records, or all records of a place.

Shapes: T steps, N places, U units, M shadow networks.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.audit.results import MembershipUnit
from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.city.clock import DAY_S
from deepcity.data.windows import Span

DAY_SHARE = 0.2
"""Of all days; half of these are hidden from each shadow, so it learns from records as long."""
LEAST_UNITS = 20
"""Units without which no rate is worth naming; of short records a larger share is asked about."""
LEAST_PLACES = 8
"""Fewer places would leave too few of them to learn from."""


@dataclass(frozen=True, eq=False)
class Units:
    """Stretches of records, each of one place.

    Attributes:
        kind: what they are.
        place_U, first_U: place and first step of each.
        steps: how many steps each has.
    """

    kind: MembershipUnit
    place_U: Ints
    first_U: Ints
    steps: int

    def __len__(self) -> int:
        return len(self.place_U)

    def hidden(self, values_TN: Floats, hidden_U: Bools) -> Floats:
        """The records with these units as if they had never been measured."""
        found = values_TN.copy()
        for place, first in zip(self.place_U[hidden_U], self.first_U[hidden_U], strict=True):
            found[first : first + self.steps, place] = np.nan
        return found

    def means(self, error_TN: Floats) -> Floats:
        """Mean error of each unit, (U,); NaN where it has none."""
        steps_US = self.first_U[:, None] + np.arange(self.steps)
        found_US = error_TN[steps_US, self.place_U[:, None]]
        known_U = np.isfinite(found_US).sum(axis=1)
        sums_U = np.nansum(found_US, axis=1)
        return np.where(known_U > 0, sums_U / np.maximum(known_U, 1), np.nan)


def days_of(values_TN: Floats, span: Span, step_s: int, most: int, seed: int) -> Units:
    """Days of single places within a span: a share of those with at least half of their records."""
    steps = max(1, DAY_S // step_s)
    firsts = np.arange(span.start, span.end - steps + 1, steps)
    places = values_TN.shape[1]
    known_DN = np.array([np.isfinite(values_TN[one : one + steps]).mean(axis=0) for one in firsts])
    day_U, place_U = np.nonzero(known_DN.reshape(-1, places) >= 0.5)
    rng = np.random.default_rng(seed)
    wanted = max(round(DAY_SHARE * len(day_U)), min(LEAST_UNITS, len(day_U) // 2))
    chosen = np.sort(rng.permutation(len(day_U))[: min(most, wanted)])
    return Units(MembershipUnit.DAY, place_U[chosen], firsts[day_U[chosen]], steps)


def places_of(values_TN: Floats, span: Span) -> Units | None:
    """All places with records in a span, each whole; None of fewer than eight."""
    [place_U] = np.nonzero(np.isfinite(values_TN[span.start : span.end]).any(axis=0))
    if len(place_U) < LEAST_PLACES:
        return None
    first_U = np.full(len(place_U), span.start)
    return Units(MembershipUnit.PLACE, place_U, first_U, len(span))


def halves(units: int, shadows: int, seed: int) -> Bools:
    """Which shadow learns from which unit, (M, U): every unit is hidden from half of them.

    Raises:
        ValueError: of fewer than four, or an odd number: of each unit an attacker on one of them
            must have one that learned from it, and one that did not.
    """
    if shadows < 4 or shadows % 2:
        raise ValueError(f"{shadows} shadow networks; an even number from 4 on is needed")
    rng = np.random.default_rng(seed)
    order_MU = rng.random((shadows, units)).argsort(axis=0)
    return np.asarray(order_MU < shadows // 2)
