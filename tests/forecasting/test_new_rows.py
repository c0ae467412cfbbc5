"""A saved forecaster meets new rows: every expert, any time, a frame, gaps and a floor."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import grown_town
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from little_map import flows

import deepcity
from deepcity.city.errors import DataError
from deepcity.data.city_file import load_panel
from deepcity.forecasting.gaps import SILENT_DAYS, find_gaps
from deepcity.learning.experts.expert import experts, not_installed
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.store.run_folder import site_folder

HOUR = 3600
KINDS = sorted(kind for kind, expert in experts().items() if not not_installed(expert))
LEARNED_DAYS, DAYS = 46, 50


def values(number):
    """Of two places, the second of which measures hardly anything below 0."""
    found = flows(days=DAYS, places=2, seed=number)
    found[:, 1] = np.maximum(found[:, 1] - 20, 0)
    return found


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A run with every expert there is, after which rows have come."""
    named = ", ".join(f'"{kind}"' for kind in KINDS)
    folder = tmp_path_factory.mktemp("town")
    return grown_town.trained(folder, values, LEARNED_DAYS, DAYS, f"experts = [{named}]")


@pytest.fixture(scope="module")
def panel(town):
    return load_panel(deepcity.load_city(town / "a.toml"), "x")


@pytest.fixture(scope="module")
def loaded(town):
    return deepcity.Forecaster.load(town / "run", "water", "a/x")


def test_every_expert_survives_saving_and_forecasts_from_new_rows(town, panel, loaded):
    bundle = BundleStore.of(site_folder(town / "run", "a/x")).load("water", "a/x")
    kinds = {one.kind for one in bundle.experts}
    assert kinds >= set(KINDS) - {"yesterday"}  # weighed on a newcomer's first days only
    found = loaded.predict(panel)
    assert found.origin_B.tolist() == [int(panel.time_T[-1]) + HOUR]
    assert np.isfinite(found.forecast_BNH).all()
    view = loaded.open_at(panel, None)
    step = view.newest_origin
    for _, expert in view.experts:
        forecast = expert.predict(view.data.inputs.samples(np.array([step])), np.array([step]))
        assert np.isfinite(forecast).all(), expert.kind
        again = type(expert).from_arrays(expert.to_arrays(), view.data)
        same = again.predict(view.data.inputs.samples(np.array([step])), np.array([step]))
        np.testing.assert_array_equal(forecast, same)


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    hours=st.integers(0, int(24 * (4 + SILENT_DAYS)) + 24),
    offset=st.integers(-12 * 4, 14 * 4),
    seconds=st.sampled_from([0, 0, 0, 1, 1800]),
)
def test_any_time_is_forecast_or_refused_for_its_reason(panel, loaded, hours, offset, seconds):
    learned_to = datetime(2021, 2, 1, tzinfo=UTC) + timedelta(days=LEARNED_DAYS - 5)
    newest = datetime(2021, 2, 1, tzinfo=UTC) + timedelta(days=DAYS)
    moment = learned_to + timedelta(hours=hours - 12, seconds=seconds)
    asked = moment.astimezone(timezone(timedelta(minutes=15 * offset)))
    right = not seconds and learned_to <= moment <= newest + timedelta(days=SILENT_DAYS)
    if not right:
        with pytest.raises(DataError, match=r"at = "):
            loaded.predict(panel, asked)
        return
    found = loaded.predict(panel, asked)
    assert found.origin_B.tolist() == [int(moment.timestamp())]
    assert np.isfinite(found.forecast_BNH).all()
    naive = loaded.predict(panel, moment.replace(tzinfo=None))  # the city's own time is UTC
    np.testing.assert_array_equal(found.forecast_BNH, naive.forecast_BNH)


def test_a_frame_forecasts_as_the_panel_does(panel, loaded):
    expected = loaded.predict(panel).forecast_BNH
    long = panel.to_frame()
    np.testing.assert_array_equal(loaded.predict(long).forecast_BNH, expected)
    wide = long.pivot(on="place", index="time", values="flow")
    np.testing.assert_array_equal(loaded.predict(wide).forecast_BNH, expected)
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({name: wide[name].to_numpy() for name in wide.columns})
    frame["time"] = pandas.to_datetime(frame["time"], utc=True)
    indexed = frame.set_index("time")
    np.testing.assert_array_equal(loaded.predict(indexed).forecast_BNH, expected)
    with pytest.raises(TypeError, match="DataFrame is needed"):
        loaded.predict([1, 2])


def test_bands_of_a_flow_do_not_go_below_zero_but_those_of_a_signed_one_may(panel, loaded):
    found = loaded.predict(panel, datetime(2021, 2, 1, 15, tzinfo=UTC) + timedelta(days=DAYS - 1))
    low_BNH, high_BNH = found.band
    assert found.floor == 0
    assert low_BNH.min() == 0 == found.to_frame()["low"].min()
    assert (found.forecast_BNH - found.half_BNH).min() < 0
    assert (high_BNH >= low_BNH).all()
    assert replace(found, floor=float("-inf")).band[0].min() < 0


def test_the_second_prediction_of_the_same_rows_is_the_first(panel, loaded):
    first, second = loaded.prepare(panel).predict(panel), loaded.predict(panel)
    np.testing.assert_array_equal(first.forecast_BNH, second.forecast_BNH)
    other = replace(panel, values_TNF=panel.values_TNF + 1)
    with pytest.warns(UserWarning, match="are others"):
        changed = loaded.predict(other)
    assert not np.array_equal(changed.forecast_BNH, first.forecast_BNH)


@given(
    silent=st.integers(0, 200), count=st.integers(0, 40), history=st.integers(1, 48)
)  # hourly steps
def test_a_place_has_a_gap_if_it_is_silent_or_hardly_measured(silent, count, history):
    values = np.full((300, 2), np.nan, np.float32)
    values[:, 0] = 1
    values[300 - silent - count : 300 - silent, 1] = 1
    found = find_gaps(values, 300, HOUR, history)
    assert 0 not in found
    if not count:
        assert found[1].code == "never"
    elif silent > 24 * SILENT_DAYS:
        assert found[1].code == "silent"
        assert f"{silent / 24:.1f} days" in found[1].sentence
    elif count < min(12, history):
        assert found[1].code == "few-values"
    else:
        assert 1 not in found
