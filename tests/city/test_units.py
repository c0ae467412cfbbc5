import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city import units
from deepcity.city.field import Kind
from deepcity.city.units import EXAMPLES, UnitError, check_convertible, check_unit, convert

PAIRS = [
    ("km/h", "mph", 100.0, 62.13711922),
    ("degF", "degC", 50.0, 10.0),
    ("degC", "K", 0.0, 273.15),
    ("kW", "MW", 2500.0, 2.5),
    ("L/s", "m3/h", 1.0, 3.6),
    ("m³/h", "L/s", 3.6, 1.0),
    ("vehicles/h", "vehicles/s", 3600.0, 1.0),
    ("people", "count", 7.0, 7.0),
    ("ug/m3", "mg/m3", 1000.0, 1.0),
    ("µg/m³", "ug/m3", 5.0, 5.0),
    ("%", "1", 50.0, 0.5),
    ("hPa", "bar", 1000.0, 1.0),
    ("mm", "m", 1000.0, 1.0),
    ("°C", "degF", 100.0, 212.0),
]


@pytest.mark.parametrize(("unit_in", "unit", "value", "expected"), PAIRS)
def test_known_conversions(unit_in, unit, value, expected):
    assert convert(np.array([value]), unit_in, unit)[0] == pytest.approx(expected)


@settings(deadline=None)  # the first call builds the list of units
@given(
    pair=st.sampled_from(PAIRS),
    values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20),
)
def test_there_and_back_is_the_same(pair, values):
    there = convert(np.array(values), pair[0], pair[1])
    assert convert(there, pair[1], pair[0]) == pytest.approx(np.array(values), rel=1e-9, abs=1e-6)


def test_missing_stays_missing():
    assert np.isnan(convert(np.array([np.nan, 1.0]), "km/h", "m/s")).tolist() == [True, False]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_units_that_fit_it(kind):
    for unit in EXAMPLES[kind]:
        check_unit(unit, kind)


@pytest.mark.parametrize("unit", ["peple", "", "km//h", "L/", "🙂"])
def test_what_is_no_unit_is_reported(unit):
    with pytest.raises(UnitError) as caught:
        check_unit(unit, Kind.FLOW)
    assert caught.value.right


def test_units_that_measure_different_things():
    with pytest.raises(UnitError, match="cannot be converted into 'degC'"):
        check_convertible("kW", "degC")
    with pytest.raises(UnitError, match="not a unit of the kind 'speed'"):
        check_unit("degC", Kind.SPEED)


@pytest.mark.parametrize("kind", Kind)
def test_units_that_are_not_looked_up_are_right(kind):
    registry = units._registry()
    for unit in units.USUAL[kind]:
        parsed = registry.parse_units(units._spelling(unit))
        known = [units._parse(one) for one in units.EXAMPLES[kind]]
        assert any(parsed.is_compatible_with(one) for one in known), unit
