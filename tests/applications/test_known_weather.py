"""What is known of the weather: in which units, from when on, and for how long."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.applications.tasks.known_weather import known_weather
from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.data.panel import Panel

HOUR_S, STEP_S = 3600, 300
FIELDS = (
    Field("rain", Kind.RAIN, "mm"),
    Field("temperature", Kind.TEMPERATURE, "degC"),
    Field("wind", Kind.WIND, "km/h"),
    Field("visibility", Kind.LEVEL, "m"),
)


def office(rows, step_s=HOUR_S, fields=FIELDS, stations=1):
    """A weather office's panel: a row an hour, the same at all stations."""
    values_TF = np.array(rows, np.float32)
    return Panel(
        Clock("UTC", timedelta(seconds=step_s)),
        step_s * np.arange(len(values_TF), dtype=np.int64),
        tuple(Place(f"s{n}") for n in range(stations)),
        fields,
        np.repeat(values_TF[:, None], stations, axis=1),
        None,
    )


def steps(hours):
    return STEP_S * np.arange(hours * 12, dtype=np.int64)


def test_values_come_in_the_units_of_traffic():
    found = known_weather(office([[6.0, 12.0, 36.0, 800.0]]), steps(2), 2 * HOUR_S)
    newest = {name: float(one_T[-1]) for name, one_T in found.items()}
    assert newest == pytest.approx({"rain": 6.0, "wind": 10.0, "visibility": 0.8})
    five = office([[0.5, 12.0, 36.0, 800.0]] * 12, step_s=STEP_S)
    assert known_weather(five, steps(1), HOUR_S)["rain"][-1] == pytest.approx(6.0)


def test_an_hour_is_known_once_it_is_over_and_stands_for_the_next_one_too():
    rows = [[hour, 12.0, 0.0, 9000.0] for hour in (1.0, 2.0, 3.0)]
    rain_T = known_weather(office(rows), steps(5), int(2.5 * HOUR_S))["rain"]
    assert rain_T[:12].tolist() == [1.0] * 12
    assert rain_T[12:36].tolist() == [2.0] * 24  # the third hour is not over
    assert np.isnan(rain_T[36:]).all()


def test_what_falls_when_it_freezes_is_snow_unless_snow_is_measured():
    cold = known_weather(office([[3.0, -2.0, 0.0, 9000.0]]), steps(1), HOUR_S)
    assert (cold["rain"][0], cold["snow"][0]) == (0.0, 3.0)
    fields = (*FIELDS[:2], Field("snowfall", Kind.RAIN, "cm"))
    found = known_weather(office([[3.0, -2.0, 0.4]], fields=fields), steps(1), HOUR_S)
    assert found["snow"][0] == pytest.approx(4.0)
    assert "snow" not in known_weather(office([[3.0, 9.0, 0.0, 9000.0]]), steps(1), HOUR_S)


def test_what_is_measured_nowhere_is_left_out():
    nan = float("nan")
    found = known_weather(office([[2.0, nan, nan, nan]], stations=3), steps(1), HOUR_S)
    assert set(found) == {"rain"}
    assert known_weather(office([[2.0, 1.0, 1.0, 1.0]]), steps(1), HOUR_S - 1) == {}


@given(now=st.integers(0, 6 * HOUR_S), rows=st.integers(1, 6))
def test_nothing_of_a_later_hour_is_ever_known(now, rows):
    found = known_weather(
        office([[float(h + 1), 9.0, 0.0, 1.0] for h in range(rows)]), steps(6), now
    )
    rain_T = found.get("rain", np.full(72, np.nan))
    assert np.nanmax(np.append(rain_T, 0.0)) <= now // HOUR_S
