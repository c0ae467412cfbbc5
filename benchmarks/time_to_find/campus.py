"""Real cameras: what the simulated ones assume, looked up at people before two calibrated views.

CAMPUS (Xu et al., CVPR 2016): boxes with one id across views; views HC3 and HC4 have a calibration
(of the other two none is known, and nearly all of their boxes are marked as occluded). A stretch is
a time that somebody is in one view, whole and unhidden, without a break of a second.

    python -m benchmarks.time_to_find.campus

Shapes: T frames of a stretch.
"""

import gzip
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.record import record
from benchmarks.time_to_find.plausible import SPEEDS_MPS
from deepcity.city.arrays import Doubles, Ints
from deepcity.simulation.cameras.camera_posts import CameraFaults
from deepcity.vision.calibration.camera_view import PinholeView

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "campus_cameras"
VIEWS = ("HC3", "HC4")
FRAMES_S = 30
_BREAK, _LEAST = FRAMES_S, FRAMES_S // 2
_WITHIN_S = 60.0
_DOUBT_M, _DOUBT_S = 1.0, 0.5


@dataclass(frozen=True, eq=False)
class Stretch:
    """Somebody in one view: frames, and metres east and north of the site's origin."""

    person: int
    frame_T: Ints
    place_T2: Doubles


@dataclass(frozen=True)
class Joined:
    """How well stretches of one view are joined with those of the other by place and time alone.

    Attributes:
        asked: stretches whose person is in the other view within a minute.
        right: of these, the best stretch is the person's.
        chance: expected number right by guessing.
        mps: speeds needed between stretches of one person, m/s.
    """

    asked: int
    right: int
    chance: float
    mps: tuple[float, ...]


def main() -> None:
    """Print and record."""
    if not FOLDER.exists():
        sys.exit(f"the boxes are not there ({FOLDER})")
    seen = {view: _boxes(view) for view in VIEWS}
    stretches = {view: stretches_of(view) for view in VIEWS}
    both = [join(stretches[one], stretches[other]) for one, other in (VIEWS, VIEWS[::-1])]
    text = _text(seen, stretches, both)
    print(text)
    record("time-to-find-campus", text)


def join(from_some: list[Stretch], to_some: list[Stretch]) -> Joined:
    """For each stretch the one of the other view that needs the lowest speed, then the nearest."""
    asked, right, chance, speeds = 0, 0, 0.0, []
    for one in from_some:
        near = [(other, *_between(one, other)) for other in to_some]
        near = [found for found in near if found[3] <= _WITHIN_S]
        own = [found for found in near if found[0].person == one.person]
        if not own:
            continue
        asked += 1
        chance += len(own) / len(near)
        best = min(near, key=lambda found: (found[1], found[2]))
        right += best[0].person == one.person
        speeds += [found[1] for found in own]
    return Joined(asked, right, chance, tuple(speeds))


def _between(one: Stretch, other: Stretch) -> tuple[float, float, float]:
    """Speed needed in m/s, metres and seconds apart; of stretches at one time, metres at each."""
    _, left, right = np.intersect1d(one.frame_T, other.frame_T, return_indices=True)
    if len(left):
        apart_m = float(
            np.median(np.linalg.norm(one.place_T2[left] - other.place_T2[right], axis=1))
        )
        return max(apart_m - _DOUBT_M, 0.0) / _DOUBT_S, apart_m, 0.0
    first, then = (one, other) if one.frame_T[-1] < other.frame_T[0] else (other, one)
    gap_s = float(then.frame_T[0] - first.frame_T[-1]) / FRAMES_S
    apart_m = float(np.linalg.norm(then.place_T2[0] - first.place_T2[-1]))
    return max(apart_m - _DOUBT_M, 0.0) / (gap_s + _DOUBT_S), apart_m, abs(gap_s)


def _boxes(view: str) -> tuple[Ints, Doubles]:
    """Person, frame and whether hidden, (R, 3); boxes, (R, 4), of those in view."""
    with gzip.open(FOLDER / f"view-{view}.txt.gz", "rt") as file:
        rows = np.array([[float(one) for one in line.split()[:8]] for line in file])
    rows = rows[rows[:, 6] == 0]
    return rows[:, [0, 5, 7]].astype(int), rows[:, 1:5]


def stretches_of(view: str) -> list[Stretch]:
    """Everybody in a calibrated view, by person and time."""
    row_R3, box_R4 = _boxes(view)
    standing_R = (row_R3[:, 2] == 0) & (box_R4[:, 3] < 1078)  # at the edge feet are cut off
    row_R3, place_R2 = row_R3[standing_R], _camera(view).positions(box_R4[standing_R])
    found = []
    for person in np.unique(row_R3[:, 0]):
        own = np.flatnonzero(row_R3[:, 0] == person)
        own = own[np.argsort(row_R3[own, 1])]
        for part in np.split(own, np.flatnonzero(np.diff(row_R3[own, 1]) > _BREAK) + 1):
            if len(part) >= _LEAST:
                found.append(Stretch(int(person), row_R3[part, 1], place_R2[part]))
    return found


def _camera(view: str) -> PinholeView:
    from scipy.io import loadmat

    found = loadmat(FOLDER / "cam_param.mat", squeeze_me=True, struct_as_record=False)["cam_param"]
    [one] = [one for one in found if one.name == f"view-{view}"]
    focal = float(one.K[0, 0]), float(one.K[1, 1])
    centre = float(one.center[0]), float(one.center[1])
    return PinholeView(focal, centre, one.R, np.asarray(one.T, float))


def _text(
    seen: Mapping[str, tuple[Ints, Doubles]],
    stretches: Mapping[str, list[Stretch]],
    both: list[Joined],
) -> str:
    hidden = [float(np.mean(rows[:, 2] == 1)) for rows, _ in seen.values()]
    people = [len({one.person for one in some}) for some in stretches.values()]
    sizes = [len(some) for some in stretches.values()]
    breaks = [100 * (1 - size / most) for size, most in zip(people, sizes, strict=True)]
    long_s = [np.ptp(one.frame_T) / FRAMES_S for some in stretches.values() for one in some]
    speeds = np.concatenate([one.mps for one in both])
    asked, right = sum(one.asked for one in both), sum(one.right for one in both)
    chance = sum(one.chance for one in both)
    faults = CameraFaults()
    pairs = list(product(VIEWS, ["people", "stretches"]))
    counts = ", ".join(
        f"{view} {people[VIEWS.index(view)] if what == 'people' else len(stretches[view])} {what}"
        for view, what in pairs
    )
    return (
        "## Real cameras beside the simulated ones\n\n"
        "`python -m benchmarks.time_to_find.campus`. CAMPUS, views HC3 and HC4, three minutes: "
        f"{counts}.\n\n"
        "| what | real | simulated |\n|---|---|---|\n"
        f"| boxes in view that are hidden behind others | {100 * hidden[0]:.0f} %, "
        f"{100 * hidden[1]:.0f} % (by view) | people missed: {100 * faults.missed:.0f} % and "
        f"{100 * faults.crowd_missed:.0f} % for each other in view |\n"
        f"| stretches beyond a person's first | {breaks[0]:.0f} %, "
        f"{breaks[1]:.0f} % (people who come back among them) | "
        f"tracks that break in two: {100 * faults.split:.0f} % |\n"
        f"| seconds in view, lower quartile, median, upper quartile | "
        f"{', '.join(f'{one:.0f}' for one in np.quantile(long_s, (0.25, 0.5, 0.75)))} "
        "(narrow views from near) | 16 to 22 s for walkers |\n"
        f"| the other view's stretch found by place and time alone | {right} of {asked}; "
        f"guessing: {chance:.1f}; mostly at the same moment, as views overlap | – |\n"
        f"| pairs of one person that need no more than a walk ({SPEEDS_MPS[0]} m/s) | "
        f"{100 * np.mean(speeds <= SPEEDS_MPS[0]):.0f} % of {len(speeds)} | the ranking takes "
        "nothing from these |\n\n"
        "Not to be had from these views: gaps between cameras (the views overlap) and wrong clocks "
        "(frames are synchronous). Those of the simulated cameras are assumptions.\n"
    )


if __name__ == "__main__":
    main()
