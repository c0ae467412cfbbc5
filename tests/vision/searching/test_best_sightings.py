"""The best of many without sorting all: as sorting all would give them."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from seen_tracks import NOW_S, WIDTH, seen

from deepcity.vision.searching.best_sightings import best_sightings, ranked
from deepcity.vision.searching.sighting import Sighting
from deepcity.vision.track_store.track_rows import TrackRows

SEEN = st.tuples(st.sampled_from("cab"), st.integers(0, 3), st.sampled_from([0.0, 0.5, 1.0]))


@given(st.lists(SEEN, max_size=20), st.integers(1, 8))
def test_they_are_those_that_sorting_all_gives_also_where_many_are_equal(given, count):
    rows = TrackRows.of([seen(0, NOW_S + late, camera=camera) for camera, late, _ in given], WIDTH)
    score_N = np.array([score for _, _, score in given])
    every = [Sighting(score, NOW_S + late - 5, camera) for camera, late, score in given]
    assert best_sightings(rows, np.arange(len(given)), score_N, count) == ranked(every, count)
