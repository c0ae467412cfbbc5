"""Whether a blank means "as before" or "not measured" is seen from the records alone."""

from datetime import datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.field import Kind
from deepcity.data.draft.answers import Answers, OpenQuestionsError
from deepcity.data.draft.change_log import change_log
from deepcity.data.draft.city import start_city

BERLIN = Answers(time_zone="Europe/Berlin", columns="places")
STEP_S, ROWS_A_DAY = 900, 96


def free_spaces(days, lots=4, seed=0, step=1):
    """A walk in steps of 1 (or more), that often stays where it is, (rows, lots)."""
    dice = np.random.default_rng(seed)
    steps = step * dice.choice([-1, 0, 1], (days * ROWS_A_DAY, lots), p=(0.3, 0.4, 0.3))
    return 500.0 + np.cumsum(steps, axis=0)


def changes_only(values, again=ROWS_A_DAY):
    """Blank where a value repeats the one above; all values in every so many rows."""
    log = values.copy()
    log[1:][np.diff(values, axis=0) == 0] = np.nan
    if again:
        log[::again] = values[::again]
    return log


def seen(values):
    time_s = np.arange(len(values)) * STEP_S
    return change_log({f"lot {n}": column for n, column in enumerate(values.T)}, time_s)


def written(folder, values):
    begin = datetime(2024, 3, 1)  # noqa: DTZ001 - a wall clock
    table = {"time": [str(begin + timedelta(seconds=STEP_S * row)) for row in range(len(values))]}
    table |= {f"lot {n}": column for n, column in enumerate(np.nan_to_num(values, nan=-1).T)}
    frame = pl.DataFrame(table).with_columns(pl.exclude("time").replace(-1.0, None))
    frame.write_csv(folder / "lots.csv")
    return str(folder / "lots.csv")


@given(
    lots=st.integers(4, 12),
    again=st.sampled_from([24, ROWS_A_DAY]),
    seed=st.integers(0, 1000),
)
@settings(max_examples=20, deadline=None)
def test_a_log_of_changes_is_known_with_the_time_a_value_stays(lots, again, seed):
    log = seen(changes_only(free_spaces(12, lots, seed), again))
    assert log is not None
    assert log.stays_s == again * STEP_S


@given(lots=st.integers(1, 12), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_how_long_a_value_stays_is_open_where_nothing_is_written_again(lots, seed):
    log = seen(changes_only(free_spaces(12, lots, seed), again=0))
    assert log is not None
    assert log.stays_s is None


@given(lots=st.integers(1, 12), blank=st.floats(0.25, 0.7), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_values_that_are_not_measured_are_no_log_of_changes(lots, blank, seed):
    values = free_spaces(12, lots, seed)
    values[np.random.default_rng(seed).random(values.shape) < blank] = np.nan
    assert seen(values) is None


@given(lots=st.integers(4, 12), size=st.integers(15, 60), seed=st.integers(0, 1000))
@settings(max_examples=20, deadline=None)
def test_values_that_rarely_repeat_by_chance_are_no_log_of_changes(lots, size, seed):
    dice = np.random.default_rng(seed)
    values = dice.integers(0, size, (20 * ROWS_A_DAY, lots)).astype(float)
    values[dice.random(values.shape) < 0.4] = np.nan
    assert seen(values) is None


@pytest.mark.parametrize(
    "values",
    [
        pytest.param(changes_only(free_spaces(12), again=0), id="never written again"),
        pytest.param(changes_only(free_spaces(12, step=37)), id="no steps of 1"),
        pytest.param(
            changes_only(np.cumsum(free_spaces(12) % 2, axis=0)), id="a total: no steps down"
        ),
        pytest.param(changes_only(free_spaces(3)), id="written again three times only"),
    ],
)
def test_what_a_blank_means_is_left_open(values):
    log = seen(values)
    assert log is not None
    assert log.stays_s is None


def test_values_that_are_written_again_now_and_then_tell_no_period():
    values = changes_only(free_spaces(40))
    values[5 * ROWS_A_DAY : 25 * ROWS_A_DAY : ROWS_A_DAY] = np.nan
    log = seen(values)
    assert log is not None
    assert log.again_s is None


def test_a_column_that_is_not_written_again_is_named(tmp_path):
    values = free_spaces(20, lots=6)
    log = changes_only(values)
    log[::ROWS_A_DAY, 2] = np.nan  # a car park that is closed at midnight
    with pytest.raises(OpenQuestionsError, match="not those of lot 2") as asked:
        start_city([written(tmp_path, log)], BERLIN, tmp_path)
    assert [one.key for one in asked.value.asks] == ["stays"]


def test_init_carries_forward_what_was_not_written(tmp_path):
    values = free_spaces(20)
    start = start_city([written(tmp_path, changes_only(values))], BERLIN, tmp_path)
    assert start.raw["source"][0]["stays"] == "1d"
    (panel,) = start.panels.values()
    np.testing.assert_array_equal(panel.values_TNF[:, :, 0], values)
    assert panel.fields[0].kind is Kind.LEVEL, "no amount of a step"
    assert any("written again" in one for one in start.assumed)


def test_init_leaves_blank_what_was_not_measured(tmp_path):
    values = free_spaces(20)
    values[np.random.default_rng(0).random(values.shape) < 0.4] = np.nan
    start = start_city([written(tmp_path, values)], BERLIN, tmp_path)
    assert "stays" not in start.raw["source"][0]
    (panel,) = start.panels.values()
    np.testing.assert_array_equal(panel.values_TNF[:, :, 0], values)


@pytest.mark.parametrize(("stays", "full"), [("1h", True), ("0", False)])
def test_init_asks_where_nothing_is_written_again_and_one_option_answers(tmp_path, stays, full):
    path = written(tmp_path, changes_only(free_spaces(20), again=0))
    with pytest.raises(OpenQuestionsError) as asked:
        start_city([path], BERLIN, tmp_path)
    assert [one.key for one in asked.value.asks] == ["stays"]
    answers = Answers(time_zone="Europe/Berlin", columns="places", stays=stays)
    start = start_city([path], answers, tmp_path)
    assert start.raw["source"][0].get("stays") == (stays if full else None)
    (panel,) = start.panels.values()
    assert bool(np.isfinite(panel.values_TNF).mean() > 0.9) is full
