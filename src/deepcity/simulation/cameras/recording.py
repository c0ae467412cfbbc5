"""What cameras make of passes: tracks with wrong clocks, misses, breaks and mix-ups.

Shapes: P passes, R tracks, C cameras, Q persons.
"""

from dataclasses import dataclass, fields

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Ints
from deepcity.simulation.cameras.camera_posts import CameraFaults, CameraPosts
from deepcity.simulation.people.passes import NodePasses

NOBODY = -1
_LONGEST_TRACK_S = 600.0
"""A track of somebody who stands and waits breaks off after this."""
_PIECE_S = 60.0
"""A track that goes on can be searched after this, by what has been seen so far."""


@dataclass(frozen=True, eq=False)
class SimulatedTracks:
    """What cameras recorded, in order of `ready_s_R`, and the truth behind it.

    Attributes:
        camera_R: number of the camera.
        first_s_R, last_s_R: seconds after midnight by the camera's own clock.
        height_m_R: as measured; NaN where the camera is not calibrated.
        ready_s_R: true seconds after midnight from which on the track can be searched: when it has
            ended, or is a minute old.
        person_R: who it is in truth, or `NOBODY`.
        other_R: to whom a track jumps that mixes two persons, or `NOBODY`.
        pass_R: row of the pass, -1 where it shows no person.
    """

    camera_R: Ints
    first_s_R: Doubles
    last_s_R: Doubles
    height_m_R: Doubles
    ready_s_R: Doubles
    person_R: Ints
    other_R: Ints
    pass_R: Ints

    def of(self, some: Bools | Ints) -> "SimulatedTracks":
        """Some of the tracks."""
        return SimulatedTracks(*(getattr(self, one.name)[some] for one in fields(self)))


def record(
    passes: NodePasses,
    height_m_Q: Doubles,
    cameras: CameraPosts,
    faults: CameraFaults,
    rng: np.random.Generator,
) -> SimulatedTracks:
    """The tracks of a day."""
    seen_P, camera_P = _detected(passes, cameras, faults, rng)
    camera_R, person_R = camera_P[seen_P], passes.person_P[seen_P]
    since_s_R = passes.since_s_P[seen_P]
    until_s_R = np.minimum(passes.until_s_P[seen_P], since_s_R + _LONGEST_TRACK_S)
    order = np.lexsort([since_s_R, camera_R])
    camera_R, person_R, pass_R = camera_R[order], person_R[order], seen_P[order]
    since_s_R, until_s_R = since_s_R[order], until_s_R[order]
    other_R = _mixed_with(camera_R, person_R, since_s_R, until_s_R, faults.mixed, rng)
    wrong_R = rng.random(len(camera_R)) < faults.nobody
    person_R, pass_R = np.where(wrong_R, NOBODY, person_R), np.where(wrong_R, -1, pass_R)
    other_R = np.where(wrong_R, NOBODY, other_R)
    whole = [camera_R, person_R, other_R, pass_R, since_s_R, until_s_R]
    camera_R, person_R, other_R, pass_R, since_s_R, until_s_R = _split(whole, faults.split, rng)
    height_m_R = height_m_Q[person_R] + rng.normal(0.0, faults.height_m, len(person_R))
    unknown_R = ~cameras.calibrated_C[camera_R] | (person_R == NOBODY)
    ready_s_R = np.minimum(until_s_R, since_s_R + _PIECE_S)
    clock_s_R = cameras.clock_s_C[camera_R]
    found = SimulatedTracks(
        camera_R,
        since_s_R + clock_s_R,
        until_s_R + clock_s_R,
        np.where(unknown_R, np.nan, height_m_R),
        ready_s_R,
        person_R,
        other_R,
        pass_R,
    )
    return found.of(np.argsort(ready_s_R, kind="stable"))


def _detected(
    passes: NodePasses, cameras: CameraPosts, faults: CameraFaults, rng: np.random.Generator
) -> tuple[Ints, Ints]:
    """Rows of passes that become a track, and the camera of every pass (-1: none)."""
    camera_P = cameras.at_node(int(passes.node_P.max(initial=0)) + 1 + int(cameras.node_C.max()))[
        passes.node_P
    ]
    rows = np.flatnonzero(camera_P >= 0)
    camera, since_s = camera_P[rows], passes.since_s_P[rows]
    odds = cameras.found_C[camera] * (1 - faults.crowd_missed) ** _others(camera, since_s)
    down_2 = cameras.down_s_C2[camera]
    with np.errstate(invalid="ignore"):
        is_down = (since_s >= down_2[:, 0]) & (since_s < down_2[:, 1])
    return rows[(rng.random(len(rows)) < odds) & ~is_down], camera_P


def _others(camera: Ints, since_s: Doubles, within_s: float = 10.0) -> Ints:
    """How many others come into view of the same camera at about the same time."""
    key = camera * 1e7 + since_s  # cameras lie far apart on one line of time
    order = np.sort(key)
    above = np.searchsorted(order, key + within_s, side="right")
    return np.asarray(above - np.searchsorted(order, key - within_s) - 1)


def _mixed_with(
    camera_R: Ints,
    person_R: Ints,
    since_s_R: Doubles,
    until_s_R: Doubles,
    share: float,
    rng: np.random.Generator,
) -> Ints:
    """The next person in view of the same camera, for a share of the tracks that have one."""
    other_R = np.full(len(camera_R), NOBODY)
    meets = (camera_R[1:] == camera_R[:-1]) & (since_s_R[1:] < until_s_R[:-1])
    jumps = np.flatnonzero(meets & (rng.random(len(meets)) < share))
    other_R[jumps] = person_R[jumps + 1]
    return other_R


def _split(whole: list[np.ndarray], share: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Columns with a share of the rows broken in two; the last two are since and until."""
    rows = len(whole[0])
    broken = np.flatnonzero(rng.random(rows) < share)
    copied = [np.concatenate([column, column[broken]]) for column in whole]
    since_s, until_s = copied[-2], copied[-1]
    cut_s = since_s[broken] + rng.uniform(0.2, 0.8, len(broken)) * (until_s - since_s)[broken]
    until_s[broken] = cut_s
    since_s[rows:] = cut_s
    return copied
