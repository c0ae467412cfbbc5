"""Noise comes first, on every public cell; what is under k then is not there."""

import numpy as np

from deepcity.privacy.counts.release import release
from deepcity.privacy.counts.terms import CountTerms


def test_what_is_under_k_is_absent_and_the_rest_is_near():
    count = np.array([0, 9, 100, 5000, 3])
    for _ in range(20):
        found = release(count, CountTerms(epsilon=20.0, k=50))
        assert found.cell_S.tolist() == [2, 3]
        assert found.withheld == 3
        assert np.abs(found.count_S - count[found.cell_S]).max() < 5


def test_no_shown_count_is_under_k():
    found = release(np.full(3000, 5), CountTerms(epsilon=0.3, k=6))
    assert found.count_S.min() == 6
    assert 0 < len(found.cell_S) < 3000


def test_an_empty_cell_may_be_shown_and_a_full_one_withheld():
    """Else which cells are there would show whom the noise hides."""
    empty = release(np.zeros(3000, np.int64), CountTerms(epsilon=0.3, k=6))
    full = release(np.full(3000, 8), CountTerms(epsilon=0.3, k=6))
    assert len(empty.cell_S) > 100
    assert full.withheld > 100
