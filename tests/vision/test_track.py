import numpy as np
import pytest

from deepcity.vision.track import Track

BOX_14 = np.array([[10.0, 20.0, 40.0, 100.0]])


def test_a_track_says_when_the_person_came_and_went():
    track = Track("gate", 1, np.array([5.0, 6.0]), np.repeat(BOX_14, 2, axis=0))
    assert (track.first_s, track.last_s) == (5.0, 6.0)


@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"time_s_T": np.array([])}, "at least one"),
        ({"time_s_T": np.array([2.0, 1.0]), "box_T4": np.repeat(BOX_14, 2, axis=0)}, "increase"),
        ({"time_s_T": np.array([np.nan])}, "finite"),
        ({"box_T4": np.zeros((2, 4))}, "boxes"),
        ({"ground_T2": np.zeros((3, 2))}, "ground"),
        ({"embedding_E": np.array([np.inf])}, "embedding"),
    ],
)
def test_what_is_no_track_is_named(changed, named):
    given = {"time_s_T": np.array([1.0]), "box_T4": BOX_14, **changed}
    with pytest.raises(ValueError, match=named):
        Track("gate", 1, **given)
