"""When each place has values: its first and last step, and its longest gap.

Shapes: T steps, N places.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools
from deepcity.data.check.panel_rules import runs

PRESENT_SHARE = 0.8  # of the other places that must report while one does not


@dataclass(frozen=True)
class Presence:
    """Steps of a place with values: [first, stop), and gaps inside, longest first."""

    first: int
    stop: int
    gaps: tuple[tuple[int, int], ...]


def presences(known_TN: Bools, min_gap: int) -> dict[int, Presence]:
    """By place that has values: when it has them, with gaps of `min_gap` steps or longer."""
    found: dict[int, Presence] = {}
    for n in np.flatnonzero(known_TN.any(axis=0)).tolist():
        steps = np.flatnonzero(known_TN[:, n])
        first, stop = int(steps[0]), int(steps[-1]) + 1
        gaps = [
            (first + a, first + b) for a, b in runs(~known_TN[first:stop, n]) if b - a >= min_gap
        ]
        found[n] = Presence(first, stop, tuple(sorted(gaps, key=lambda gap: gap[0] - gap[1])))
    return found


def others_report(known_TN: Bools, n: int, start: int, stop: int) -> bool:
    """Whether most other places have most of their values in [start, stop)."""
    others_N = np.asarray(known_TN.any(axis=0))
    others_N[n] = False
    if not others_N.any():
        return False
    part_N = known_TN[start:stop, others_N].mean(axis=0)
    usual_N = known_TN[:, others_N].mean(axis=0)
    return bool(np.mean(part_N >= usual_N / 2) >= PRESENT_SHARE)
