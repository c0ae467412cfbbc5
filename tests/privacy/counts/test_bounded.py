"""One unit more or less changes bounded counts by no more than the bound, whatever its rows are."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from deepcity.privacy.counts.bounded import bounded_counts

ROW = np.dtype([("unit", "u8"), ("more", "u8"), ("cell", "i8")])
CELLS = 6
_ids = st.sampled_from([0, 1, 2, 2**63, 2**64 - 1])
_rows = st.lists(st.tuples(_ids, st.sampled_from([0, 5]), st.integers(0, CELLS - 1)), max_size=40)


def counted(rows, most, secret=11):
    return bounded_counts(np.array(rows, ROW), CELLS, most, secret)


@given(_rows, st.integers(1, 4))
def test_each_unit_counts_once_in_a_cell_and_in_so_many_cells(rows, most):
    cells = {}
    for unit, more, cell in rows:
        cells.setdefault((unit, more), set()).add(cell)
    found = counted(rows, most)
    assert found.sum() == sum(min(most, len(one)) for one in cells.values())
    each = np.array([sum(cell in one for one in cells.values()) for cell in range(CELLS)])
    assert (found <= each).all()
    assert (counted(rows, CELLS) == each).all()


@given(_rows, st.integers(1, 4), st.data())
def test_one_unit_more_or_less_changes_no_more_than_the_bound(rows, most, data):
    whole = counted(rows, most)
    for unit in {(one, more) for one, more, _ in rows}:
        without = counted([one for one in rows if one[:2] != unit], most)
        assert (without <= whole).all()  # nobody else is counted in its stead
        assert (whole - without).sum() <= most


@given(_rows, st.integers(1, 4), st.randoms(use_true_random=False))
def test_order_and_repeats_change_nothing(rows, most, random):
    again = rows * 2
    random.shuffle(again)
    assert (counted(again, most) == counted(rows, most)).all()


def test_which_cells_count_follows_from_a_secret():
    rows = [(unit, 0, cell) for unit in range(50) for cell in range(CELLS)]
    assert (counted(rows, 1, 1) != counted(rows, 1, 2)).any()
    assert (counted(rows, 1, 1) > 0).all()  # no cell is preferred
