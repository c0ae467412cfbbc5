"""Bins are whole, in the city's time, also where clocks change."""

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest

from deepcity.data.counting.time_bins import TimeBins

ROME = "Europe/Rome"
SPRING, AUTUMN = date(2025, 3, 30), date(2025, 10, 26)


def bins(first, last, every, zone=ROME, **more):
    return TimeBins.over(first, last, every, zone, **more)


def test_a_day_is_a_day_where_clocks_change():
    for day, hours in ((SPRING, 23), (AUTUMN, 25), (date(2025, 6, 1), 24)):
        assert np.diff(bins(day, day, timedelta(1)).edge_T1).tolist() == [hours * 3600]
        assert np.diff(bins(day, day, timedelta(hours=1)).edge_T1).tolist() == [3600] * hours
        quarters = bins(day, day, timedelta(hours=6))
        assert quarters.count == 4
        assert np.diff(quarters.edge_T1).sum() == hours * 3600


def test_bins_begin_at_the_citys_midnight():
    found = bins(date(2025, 6, 1), date(2025, 6, 14), timedelta(7))
    assert found.count == 2
    assert datetime.fromtimestamp(int(found.edge_T1[0]), UTC).hour == 22


def test_each_time_lies_in_its_bin_and_the_end_in_none():
    found = bins(date(2025, 6, 1), date(2025, 6, 2), timedelta(1))
    edge = found.edge_T1
    bin_R, inside_R = found.of(np.array([edge[0] - 1, edge[0], edge[1] - 1, edge[1], edge[2]]))
    assert inside_R.tolist() == [False, True, True, True, False]
    assert bin_R[inside_R].tolist() == [0, 0, 1]


@pytest.mark.parametrize(
    ("last", "every", "reason"),
    [
        (date(2025, 5, 31), timedelta(1), "before the first"),
        (date(2025, 6, 3), timedelta(2), "no whole number of bins"),
        (date(2025, 6, 3), timedelta(hours=7), "no whole number"),
        (date(2025, 6, 3), timedelta(seconds=1), "more than"),
        (date.max, timedelta(days=3000), "more than|no whole|no day after"),
    ],
)
def test_bins_that_do_not_fit_are_refused(last, every, reason):
    with pytest.raises(ValueError, match=reason):
        bins(date(2025, 6, 1), last, every, most=1000)
