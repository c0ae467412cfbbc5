"""What a state knows: measured values up to now and none later, the graph, wall times."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.applications.state import KNOWN_DAYS, Past, State
from deepcity.applications.tasks.known_places import decide_where_known
from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.data.panel import Panel

STEP_S = 3600
NOTHING = np.empty((0, 2, 1), np.float32)
FORECAST = np.ones((2, 1), np.float32)


def panel(steps, start_s=0):
    values = np.arange(steps * 2, dtype=np.float32).reshape(steps, 2)
    return Panel(
        Clock("Asia/Seoul", timedelta(seconds=STEP_S)),
        start_s + STEP_S * np.arange(steps, dtype=np.int64),
        (Place("a"), Place("b")),
        (Field("other", Kind.LEVEL, "m"), Field("speed", Kind.SPEED, "km/h")),
        np.stack([np.full_like(values, -1), values], axis=2),
        np.array([[0, 1], [0, 0]], np.float32),
    )


def state_at(now_s, rows):
    return State.of(rows, "speed", now_s, FORECAST, Past(NOTHING, NOTHING))


@given(steps=st.integers(1, 30), now=st.integers(1, 40))
def test_it_knows_each_step_before_now_and_none_later(steps, now):
    rows = panel(steps)
    found = state_at(now * STEP_S, rows)
    assert found.known_time_T.tolist() == [t * STEP_S for t in range(now)]
    wanted = np.full((now, 2), np.nan, np.float32)
    wanted[: min(now, steps)] = rows.values_TNF[: min(now, steps), :, 1]
    np.testing.assert_array_equal(found.known_TN, wanted)


@pytest.mark.parametrize("late", [0, 5, KNOWN_DAYS * 24 - 1, KNOWN_DAYS * 24, KNOWN_DAYS * 24 + 9])
def test_it_knows_thirteen_weeks_at_most_late_rows_too(late):
    steps = (KNOWN_DAYS + 2) * 24
    found = state_at((steps + late) * STEP_S, panel(steps))
    assert found.known_TN.shape == (KNOWN_DAYS * 24, 2)
    assert np.isnan(found.known_TN[:, 0]).sum() == min(late, KNOWN_DAYS * 24)


def test_without_rows_nothing_is_known():
    for rows in (panel(0), panel(3, start_s=9 * STEP_S)):
        found = state_at(9 * STEP_S, rows)
        assert found.known_TN is None
        assert len(found.known_time_T) == 0


def test_it_carries_the_graph_and_the_zone():
    found = state_at(STEP_S, panel(1))
    assert found.adjacency_NN.tolist() == [[0, 1], [0, 0]]
    assert found.time_zone == "Asia/Seoul"
    assert state_at(STEP_S, replace(panel(1), adjacency_NN=None)).adjacency_NN is None


def test_it_carries_how_many_patrols_there_are():
    past = Past(NOTHING, NOTHING)
    assert State.of(panel(1), "speed", STEP_S, FORECAST, past, units=7).units == 7
    assert state_at(STEP_S, panel(1)).units is None


def test_places_without_a_forecast_leave_what_is_known_and_the_graph_too():
    seen = []
    found = replace(
        state_at(2 * STEP_S, panel(2)), forecast_NH=np.array([[np.nan], [1.0]], np.float32)
    )
    with pytest.raises(StopIteration):
        decide_where_known(lambda state: seen.append(state) or next(iter(())), found)
    assert seen[0].known_TN.tolist() == [[1.0], [3.0]]
    assert seen[0].adjacency_NN.tolist() == [[0]]


def test_it_knows_the_weather_and_holidays_up_to_now_and_none_later():
    rows, weather = panel(10), panel(10)
    rain = (Field("temperature", Kind.TEMPERATURE, "degC"), Field("rain", Kind.RAIN, "mm"))
    weather = replace(weather, fields=rain, values_TNF=np.abs(weather.values_TNF))
    clock = replace(rows.clock, holidays=frozenset({date(1970, 1, 1)}))
    found = State.of(
        replace(rows, clock=clock), "speed", 4 * STEP_S, FORECAST, Past(NOTHING, NOTHING),
        weather=weather,
    )  # fmt: skip
    assert found.weather["rain"].tolist() == [0.5, 2.5, 4.5, 6.5]  # mean of two stations, mm/h
    assert found.holidays == {date(1970, 1, 1)}
    assert state_at(4 * STEP_S, rows).weather == {}
