"""Boxes of one frame after another, joined to persons: which box is whose.

The association of ByteTrack (Zhang et al., ECCV 2022): boxes of high confidence are matched first
with all persons followed, what remains of these with boxes of low confidence, and only a box of
high confidence begins a new one. Written here because the libraries that do it cannot be had:
norfair asks for numpy below 2, `trackers` brings a second OpenCV and matplotlib, boxmot is AGPL.

Shapes: N boxes of a frame, K persons followed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Ints
from deepcity.vision.box_motion import BoxMotion


@dataclass(frozen=True)
class TrackingRules:
    """What counts as the same person.

    Attributes:
        high: confidence from which a box begins a track and is matched first.
        low: confidence below which a box is left out.
        overlap: least share of overlap (intersection over union) of a box with where its person
            is expected.
        low_overlap: the same for boxes of low confidence.
        lost_s: seconds unseen after which a track ends.
    """

    high: float = 0.5
    low: float = 0.1
    overlap: float = 0.2
    low_overlap: float = 0.5
    lost_s: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.low <= self.high <= 1:
            raise ValueError(f"confidences low {self.low}, high {self.high}: 0 <= low <= high <= 1")
        if not (0 < self.overlap <= 1 and 0 < self.low_overlap <= 1):
            raise ValueError("least overlaps must lie above 0 and at most at 1")
        if not 0 < self.lost_s < np.inf:
            raise ValueError(f"lost_s {self.lost_s}: give seconds above 0")


@dataclass
class _Followed:
    number: int
    motion: BoxMotion
    seen_s: float


class Tracker:
    """Follows the persons in one camera's view; holds one box a person followed, no frame."""

    def __init__(self, rules: TrackingRules | None = None) -> None:
        self._rules = rules or TrackingRules()
        self._followed: list[_Followed] = []
        self._next = 0
        self._time_s = -np.inf

    def follow(self, time_s: float, box_N4: Doubles, confidence_N: Doubles) -> Ints:
        """(N,) the number of each box's track, -1 where it belongs to none or has no area.

        Raises:
            ValueError: if a time is not after the one before, shapes disagree, or a number is not
                finite.
        """
        if not self._time_s < time_s < np.inf:
            raise ValueError(f"a frame of {time_s} s after one of {self._time_s} s; sort frames")
        if box_N4.shape != (len(confidence_N), 4):
            raise ValueError(f"{len(confidence_N)} confidences for boxes of shape {box_N4.shape}")
        if not (np.isfinite(box_N4).all() and np.isfinite(confidence_N).all()):
            raise ValueError(f"a box or confidence at {time_s} s is not finite; leave that box out")
        last_s, self._time_s = self._time_s, time_s
        self._end_lost(time_s)
        number_N = np.full(len(box_N4), -1, np.int64)
        confidence_N = np.where((box_N4[:, 2:] > box_N4[:, :2]).all(axis=1), confidence_N, 0.0)
        likely_N = confidence_N >= max(self._rules.low, np.finfo(float).tiny)
        high_H = np.flatnonzero(likely_N & (confidence_N >= self._rules.high))
        low_L = np.flatnonzero(likely_N & (confidence_N < self._rules.high))
        expected_K4 = np.array([f.motion.move_to(time_s) for f in self._followed]).reshape(-1, 4)
        every_K = list(range(len(self._followed)))
        free_K = self._match(every_K, expected_K4, high_H, box_N4, number_N, self._rules.overlap)
        fresh_K = [k for k in free_K if self._followed[k].seen_s == last_s]
        self._match(fresh_K, expected_K4, low_L, box_N4, number_N, self._rules.low_overlap)
        self._begin(high_H[number_N[high_H] < 0], box_N4, number_N)
        return number_N

    def numbers(self) -> set[int]:
        """Tracks that have not ended."""
        return {followed.number for followed in self._followed}

    def _match(
        self,
        who: Sequence[int],
        expected_K4: Doubles,
        which: Ints,
        box_N4: Doubles,
        number_N: Ints,
        least: float,
    ) -> list[int]:
        """Give boxes to the persons they overlap most; the persons that got none."""
        from scipy.optimize import linear_sum_assignment

        share = overlaps(expected_K4[list(who)], box_N4[which])
        rows, columns = linear_sum_assignment(np.where(share >= least, share, 0.0), maximize=True)
        taken = set()
        for row, column in zip(rows, columns, strict=True):
            if share[row, column] < least:
                continue
            followed, n = self._followed[who[row]], which[column]
            followed.motion.see(box_N4[n])
            followed.seen_s = self._time_s
            number_N[n] = followed.number
            taken.add(who[row])
        return [k for k in who if k not in taken]

    def _begin(self, which: Ints, box_N4: Doubles, number_N: Ints) -> None:
        for n in which:
            motion = BoxMotion(self._time_s, box_N4[n])
            self._followed.append(_Followed(self._next, motion, self._time_s))
            number_N[n] = self._next
            self._next += 1

    def _end_lost(self, time_s: float) -> None:
        least_s = time_s - self._rules.lost_s
        self._followed = [f for f in self._followed if f.seen_s >= least_s]


def overlaps(a_A4: Doubles, b_B4: Doubles) -> Doubles:
    """(A, B) intersection over union of each box of one list with each of another."""
    low = np.maximum(a_A4[:, None, :2], b_B4[None, :, :2])
    high = np.minimum(a_A4[:, None, 2:], b_B4[None, :, 2:])
    both = np.prod(np.maximum(high - low, 0.0), axis=2)
    areas = [np.prod(np.maximum(x[:, 2:] - x[:, :2], 0.0), axis=1) for x in (a_A4, b_B4)]
    either = areas[0][:, None] + areas[1][None, :] - both
    return np.asarray(both / np.maximum(either, 1e-12))
