"""Ranking of hits: likeness, less what speaks against the way from where the child was last.

A hit's score is in standard deviations of all tracks that its owner compared (Z-norm; Auckenthaler,
Carey & Lloyd-Thomas 2000, "Score normalization for text-independent speaker verification systems",
Digital Signal Processing 10), so that owners with different networks can be told apart. From it is
taken what the speed needed from the nearest known sighting before, and to the nearest after, speaks
against: nothing at a walk, more by bus, more by car, most where no car is fast enough. Clocks may
be wrong by a minute, and a camera sees 100 m.

Shapes: H hits, A known sightings.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Indices

CLOCK_S, VIEW_M = 60.0, 100.0
SPEEDS_MPS = (1.6, 7.0, 15.0)
"""Fastest walk, bus and car over a whole way."""
AGAINST = (0.0, 0.4, 0.8, 3.0)
"""Taken for walk, bus, car and faster, in standard deviations; set by hand. On worlds of seeds 100
to 102, two and a half times as much, or no `EARLIER`, found one child more or less of 116.
"""
EARLIER = 1.0
"""Taken of hits from before the newest confirmed sighting, which tell little about now."""


@dataclass(frozen=True, eq=False)
class KnownSightings:
    """Where the child was for sure: where it was lost, and what was confirmed; in order of time."""

    time_s_A: Doubles
    place_A2: Doubles

    def with_one(self, time_s: float, place_2: Doubles) -> "KnownSightings":
        """One more."""
        time_s_A = np.append(self.time_s_A, time_s)
        place_A2 = np.concatenate([self.place_A2, place_2[None]])
        order = np.argsort(time_s_A, kind="stable")
        return KnownSightings(time_s_A[order], place_A2[order])


def ranked(
    score_H: Doubles, time_s_H: Doubles, place_H2: Doubles, known: KnownSightings
) -> Doubles:
    """(H,) what hits are ordered by, highest first."""
    after_H = np.searchsorted(known.time_s_A, time_s_H, side="right")
    against_H = _against(time_s_H, place_H2, known, after_H - 1)
    against_H += _against(time_s_H, place_H2, known, after_H)
    return np.asarray(score_H - against_H - EARLIER * (after_H < len(known.time_s_A)))


def _against(
    time_s_H: Doubles, place_H2: Doubles, known: KnownSightings, row_H: Indices
) -> Doubles:
    """(H,) what the way between hits and a known sighting each speaks against; 0 without one."""
    there_H = (row_H >= 0) & (row_H < len(known.time_s_A))
    row_H = np.clip(row_H, 0, len(known.time_s_A) - 1)
    apart_m_H = np.linalg.norm(place_H2 - known.place_A2[row_H], axis=1)
    seconds_H = np.abs(time_s_H - known.time_s_A[row_H]) + CLOCK_S
    mps_H = np.maximum(apart_m_H - VIEW_M, 0.0) / seconds_H
    return np.where(there_H, np.array(AGAINST)[np.searchsorted(SPEEDS_MPS, mps_H)], 0.0)
