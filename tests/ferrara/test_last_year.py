"""Feasts and quiet weeks that no calendar lists are remembered from the year before."""

from datetime import date, timedelta

import numpy as np
import pytest

from benchmarks.ferrara.last_year import last_year, restfulness
from deepcity.city.clock import Clock
from deepcity.learning.features.day_types import day_types
from deepcity.learning.features.typical_day import day_grid

FIRST = date(2021, 1, 4)  # a Monday
DAYS = 760
HOLIDAYS = frozenset(
    {date(2021, 6, 2), date(2021, 11, 3), date(2022, 6, 2), date(2022, 11, 3)}
)  # three Wednesdays and Thursdays of each year


def at(year, month, day):
    return (date(year, month, day) - FIRST).days


@pytest.fixture(scope="module")
def town():
    """Clock, first second, grid, sorts; holidays go as 0.9 of a Sunday, the feast as 0.5."""
    clock = Clock("UTC", timedelta(hours=1), HOLIDAYS)
    first_s = int((FIRST - date(1970, 1, 1)).days) * 86_400
    time_T = first_s + 3600 * np.arange(24 * DAYS)
    grid = day_grid(clock, time_T)
    return clock, first_s, grid, day_types(clock, time_T, grid)


def restful_days(**changes):
    restful = np.zeros((DAYS, 1), np.float32)
    restful[[at(2021, 6, 2)]] = 0.9
    restful[[at(2021, 11, 3)]] = 0.5
    restful[at(2021, 8, 9) : at(2021, 8, 21)] = 0.4
    for day, value in changes.items():
        restful[int(day[1:])] = value
    return restful


def test_restfulness_is_the_share_of_the_way_to_a_sunday():
    rng = np.random.default_rng(0)
    work, sunday = rng.uniform(5, 9, (2, 3, 24, 1))
    share = np.array([0.0, 0.4, 1.0])
    day = work + share[:, None, None] * (sunday - work)
    day[1, 3:9] = np.nan
    np.testing.assert_allclose(restfulness(day, work, sunday)[:, 0], share, atol=1e-6)
    assert np.isnan(restfulness(day, work, work)).all()
    assert np.isnan(restfulness(np.full_like(day, np.nan), work, sunday)).all()


def test_a_feast_comes_back_less_restful_than_other_holidays(town):
    clock, first_s, grid, types = town
    found = last_year(restful_days(), types, clock, first_s, grid, at(2022, 6, 1))
    feast, holiday = found[at(2022, 11, 3), 0, 0], found[at(2022, 6, 2), 0, 0]
    assert feast == pytest.approx(0.5 - 0.7)
    assert holiday == pytest.approx(0.9 - 0.7)
    assert found[at(2021, 11, 3), 0].tolist() == [0, 0]


def test_a_quiet_fortnight_comes_back_on_working_days_alone(town):
    clock, first_s, grid, types = town
    found = last_year(restful_days(), types, clock, first_s, grid, at(2022, 6, 1))[:, 0, 1]
    assert found[at(2022, 8, 15)] == pytest.approx(0.4)  # a Monday
    assert found[at(2022, 8, 13)] == 0  # a Saturday
    assert found[at(2022, 7, 20)] == 0


def test_days_of_the_last_months_change_nothing(town):
    clock, first_s, grid, types = town
    known = at(2022, 6, 1)
    before = last_year(restful_days(), types, clock, first_s, grid, known)
    late = {f"d{day}": 1.0 for day in range(known, known + 200)}
    after = last_year(restful_days(**late), types, clock, first_s, grid, known)
    np.testing.assert_array_equal(before[: known + 200], after[: known + 200])
