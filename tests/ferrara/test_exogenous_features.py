"""Days around holidays and the weather ahead: found where they act, and never from the future."""

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from signals import panel

from benchmarks.ferrara.exogenous_features import fit_exogenous
from benchmarks.ferrara.robust_ridge import least_absolute
from benchmarks.ferrara.weather import weather_features
from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.localized_text import LocalizedText
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.data.windows import Span
from deepcity.learning.features.day_types import day_types
from deepcity.learning.features.inputs import WindowSettings, fit_inputs
from deepcity.learning.features.typical_day import day_grid

SETTINGS = WindowSettings(history=24, horizon=24, leads=2, days=7)
DAYS = 60
HOLIDAYS = frozenset({date(2021, 3, 2), date(2021, 3, 18)})  # a Tuesday and a Thursday
NAMES = ("temperature", "rain")
FIELDS = (Kind.TEMPERATURE, Kind.RAIN)


def town(days=DAYS):
    """A panel from Monday 2021-02-01 whose clock knows two holidays."""
    whole = panel(days, 1)
    return replace(whole, clock=Clock("UTC", timedelta(hours=1), HOLIDAYS))


def weather_of(whole, temperature_T):
    units = ("degC", "mm")
    values = np.stack([temperature_T, np.zeros(len(temperature_T))], axis=1)[:, None]
    fields = tuple(
        Field(name, kind, unit, LocalizedText(name, name))
        for name, kind, unit in zip(NAMES, FIELDS, units, strict=True)
    )
    return Panel(whole.clock, whole.time_T, (Place("mast"),), fields, values.astype(np.float32))


def outlook_of(whole, train, temperature_T=None):
    weather = None if temperature_T is None else weather_of(whole, temperature_T)
    inputs = fit_inputs(whole, "flow", SETTINGS, train)
    return fit_exogenous(inputs, whole, train, weather)


def test_days_around_holidays_are_told_apart():
    whole = town()
    types = day_types(whole.clock, whole.time_T, day_grid(whole.clock, whole.time_T))
    found = {
        (date(2021, 2, 1) + timedelta(days=int(day))).isoformat()[5:]: types[day].tolist()
        for day in np.flatnonzero(types.any(axis=1))
    }
    assert found == {
        "03-01": [0, 1, 1, 0, 0, 0],  # Monday before a Tuesday's holiday
        "03-02": [0, 0, 0, 0, 1, 1],
        "03-03": [0, 0, 0, 1, 0, 0],
        "03-17": [1, 0, 0, 0, 0, 0],
        "03-18": [0, 0, 0, 0, 1, 1],
        "03-19": [0, 1, 1, 0, 0, 0],  # Friday after a Thursday's
    }


def test_a_working_day_between_two_holidays_is_a_bridge_in_midweek_too():
    whole = town()
    clock = replace(whole.clock, holidays=frozenset({date(2021, 3, 2), date(2021, 3, 4)}))
    types = day_types(clock, whole.time_T, day_grid(clock, whole.time_T))
    wednesday = (date(2021, 3, 3) - date(2021, 2, 1)).days
    assert types[wednesday].tolist() == [0, 1, 1, 0, 0, 0]


def test_what_is_warm_the_days_learned_from_say_and_no_later_ones():
    rng = np.random.default_rng(2)
    whole, train = town(), Span(0, 40 * 24)
    mild = rng.normal(0, 5, len(whole.time_T))
    north, south = (
        weather_features(weather_of(whole, mild + c), len(mild), train) for c in (5, 25)
    )
    np.testing.assert_allclose(north, south, atol=1e-4)
    warm, hot = ((north[: train.end, column] > 0).mean() for column in (0, 1))
    assert (round(warm, 2), round(hot, 2)) == (0.35, 0.1)
    late = mild.copy()
    late[train.end :] += 30
    after = weather_features(weather_of(whole, late), len(mild), train)
    np.testing.assert_array_equal(
        after[: train.end], weather_features(weather_of(whole, mild), len(mild), train)[: train.end]
    )


@pytest.mark.parametrize("lead", [0, 1])
def test_flows_after_an_origin_change_nothing_it_sees(lead):
    whole, train = town(), Span(0, 40 * 24)
    changed = whole.values_TNF.copy()
    origin = 45 * 24 + 5
    changed[origin:] += 100
    before, after = (
        outlook_of(one, train).samples(np.array([origin]), lead)
        for one in (whole, replace(whole, values_TNF=changed))
    )
    np.testing.assert_array_equal(before.features_BNF, after.features_BNF)
    np.testing.assert_array_equal(before.linear_BNHS, after.linear_BNHS)
    np.testing.assert_array_equal(before.baseline_BNH, after.baseline_BNH)
    assert not np.array_equal(before.truth_BNH, after.truth_BNH)


def test_a_hot_day_ahead_moves_the_anchor_where_heat_was_seen_to_act():
    rng = np.random.default_rng(0)
    whole, train = town(), Span(0, 50 * 24)
    temperature_T = np.repeat(rng.uniform(15, 28, DAYS), 24)
    heat_T = np.maximum(temperature_T - 18, 0)
    thirsty = replace(whole, values_TNF=whole.values_TNF + heat_T[:, None, None].astype("f4"))
    origins = np.arange(50, 58) * 24
    known = outlook_of(thirsty, train, temperature_T).samples(origins)
    blind = outlook_of(thirsty, train).samples(origins)
    errors = [np.abs(part.truth_BNH - part.baseline_BNH).mean() for part in (known, blind)]
    assert errors[0] < 0.7 * errors[1]


def test_least_absolute_errors_shrug_at_outliers():
    rng = np.random.default_rng(1)
    rows = rng.normal(0, 1, (500, 2)).astype(np.float32)
    truth = (rows @ [0.5, -1.0]).astype(np.float32)
    truth[::10] = 6.0
    truth[1] = np.nan
    found = least_absolute(rows, truth, np.zeros(2, np.float32), 1.0)
    np.testing.assert_allclose(found, [0.5, -1.0], atol=0.05)
