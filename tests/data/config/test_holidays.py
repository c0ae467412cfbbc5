"""Holidays of a city: read by code, refused with a reason, counted as Sundays."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from deepcity.city.clock import Clock
from deepcity.data.config.holidays import holiday_dates
from deepcity.data.config.settings import ClockSettings
from deepcity.data.config.toml_file import validate
from deepcity.learning.features.typical_day import SUNDAY, day_grid


def problem_of(code):
    raw = {"time_zone": "Europe/Rome", "step": "1h", "holidays": code}
    settings, problems = validate(ClockSettings, raw, "town.toml", "clock")
    return settings, problems


def test_a_city_keeps_its_country_s_and_its_own_holidays():
    settings, problems = problem_of("IT-FE")
    assert not problems
    assert {date(2022, 11, 1), date(2022, 4, 23)} <= settings.value().holidays
    assert date(2022, 4, 23) not in holiday_dates("IT")
    assert holiday_dates(None) == frozenset()


def test_an_unknown_country_or_part_is_refused():
    for code, reason in (("ITT", "no known holidays"), ("IT-XX", "IT has no such part")):
        settings, (problem,) = problem_of(code)
        assert settings is None
        assert (problem.key, problem.value, problem.reason) == ("clock.holidays", code, reason)


def test_a_holiday_counts_as_a_sunday_by_local_date():
    zone, step = "Asia/Seoul", timedelta(hours=1)
    first = int(datetime(2024, 1, 29, tzinfo=ZoneInfo(zone)).timestamp())  # a Monday
    time_T = first + 3600 * np.arange(7 * 24, dtype=np.int64)
    plain = day_grid(Clock(zone, step), time_T)
    resting = day_grid(Clock(zone, step, frozenset({date(2024, 1, 31)})), time_T)
    assert plain.weekday_D.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert resting.weekday_D.tolist() == [0, 1, SUNDAY, 3, 4, 5, 6]
