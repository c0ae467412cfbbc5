from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from deepcity.city.clock import Clock
from deepcity.city.field import Resample
from deepcity.data.timestamps.resample import Grid, grid_over, onto_grid

FULL = arrays(np.float64, (48, 2), elements=st.floats(-1e5, 1e5))
HOLED = arrays(np.float64, (48, 2), elements=st.floats(-1e5, 1e5) | st.just(np.nan))
GRID = Grid(0, 3600, 4)
TIME = np.arange(48, dtype=np.int64) * 300


@given(FULL)
def test_sums_keep_the_total_and_means_the_mean(values):
    total = onto_grid(TIME, values, 300, Resample.SUM, GRID)
    assert total.sum(axis=0) == pytest.approx(values.sum(axis=0), abs=1e-6)
    mean = onto_grid(TIME, values, 300, Resample.MEAN, GRID)
    assert mean.mean(axis=0) == pytest.approx(values.mean(axis=0), abs=1e-6)


@given(HOLED, st.sampled_from(Resample))
@settings(deadline=None)
def test_every_rule_agrees_with_its_slow_reference(values, rule):
    fast = onto_grid(TIME, values, 300, rule, GRID)
    for step in range(4):
        for k in range(2):
            slow = reference_result(rule, values[step * 12 : (step + 1) * 12, k])
            assert fast[step, k] == pytest.approx(slow, nan_ok=True, abs=1e-6)


def reference_result(rule, rows):
    known = rows[np.isfinite(rows)]
    needed = {Resample.MEAN: 6, Resample.MAX: 6, Resample.SUM: 12, Resample.LAST: 1}[rule]
    if len(known) < needed:
        return np.nan
    return {"mean": known.mean(), "max": known.max(), "sum": known.sum(), "last": known[-1]}[rule]


@given(arrays(np.float64, (4, 2), elements=st.floats(-1e5, 1e5) | st.just(np.nan)))
def test_coarser_amounts_are_divided_and_states_hold(values):
    time = np.arange(4, dtype=np.int64) * 3600
    grid = Grid(0, 900, 16)
    amounts = onto_grid(time, values, 3600, Resample.SUM, grid).reshape(4, 4, 2)
    assert amounts.sum(axis=1) == pytest.approx(values, nan_ok=True)
    states = onto_grid(time, values, 3600, Resample.MEAN, grid).reshape(4, 4, 2)
    for part in range(4):
        assert states[:, part] == pytest.approx(values, nan_ok=True)


def test_a_step_without_rows_is_never_filled():
    keep = (TIME < 3600) | (TIME >= 7200)
    for rule in Resample:
        found = onto_grid(TIME[keep], np.ones((36, 1)), 300, rule, GRID)
        assert np.isfinite(found[:, 0]).tolist() == [True, False, True, True]


def test_steps_that_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="do not divide"):
        onto_grid(TIME, np.ones((48, 1)), 300, Resample.MEAN, Grid(0, 450, 4))


@pytest.mark.parametrize(
    ("zone", "step", "start"),
    [
        ("Europe/Rome", timedelta(hours=1), 0),
        ("Asia/Kolkata", timedelta(hours=1), 1800),  # 05:30 ahead: hours begin at half past
        ("Asia/Seoul", timedelta(days=1), 54_000),  # midnight in Seoul is 15:00 UTC
        ("Europe/Rome", timedelta(days=1), 82_800),
    ],
)
def test_steps_begin_where_the_wall_clock_does(zone, step, start):
    for first in (1_640_995_200, 1_656_633_600):  # winter and summer share one grid
        grid = grid_over(Clock(zone, step), first, first + 86_400)
        assert grid.start_s <= first < grid.start_s + grid.step_s
        assert grid.start_s % grid.step_s == start
        assert grid.time_T[-1] < first + 86_400 <= grid.time_T[-1] + grid.step_s
