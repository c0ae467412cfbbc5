"""People before two real cameras: the way from one view to the next by place and time alone."""

import numpy as np
import pytest
from campus import NEEDS_CAMPUS

from benchmarks.time_to_find.campus import Stretch, join, stretches_of
from benchmarks.time_to_find.plausible import SPEEDS_MPS


def stretch(person, first, place_2, frames=30, mps=(0.0, 0.0)):
    frame_T = first + np.arange(frames)
    return Stretch(person, frame_T, np.array(place_2) + np.outer(np.arange(frames) / 30, mps))


def test_a_stretch_goes_on_where_a_walk_leads():
    one = stretch(1, 0, (0.0, 0.0), mps=(1.0, 0.0))
    near, far = stretch(1, 90, (4.0, 0.0)), stretch(2, 90, (30.0, 0.0))
    found = join([one], [far, near])
    assert (found.asked, found.right, found.chance) == (1, 1, 0.5)
    swapped = join([one], [stretch(1, 90, (30.0, 0.0)), stretch(2, 90, (4.0, 0.0))])
    assert (swapped.asked, swapped.right) == (1, 0)
    assert swapped.mps[0] > SPEEDS_MPS[1]


@pytest.mark.real
@NEEDS_CAMPUS
def test_the_same_person_is_found_in_the_next_view():
    left, right = stretches_of("HC3"), stretches_of("HC4")
    found = [join(left, right), join(right, left)]
    asked, hits = sum(one.asked for one in found), sum(one.right for one in found)
    assert asked > 30
    assert hits > 0.85 * asked > 3 * sum(one.chance for one in found)
    speeds = np.concatenate([one.mps for one in found])
    assert (speeds <= SPEEDS_MPS[0]).mean() > 0.95
