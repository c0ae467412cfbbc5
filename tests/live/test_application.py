"""A live application forecasts from what there is, and says what that was."""

from dataclasses import replace

import numpy as np
import pytest
from live_server import SERVICE, access, store_of
from live_town import DAY, HOUR, NOW, START

from deepcity.city.errors import LiveError
from deepcity.live.application import AgencyStatus, LiveApplication
from deepcity.live.wire import cell_names, to_rows
from deepcity.store.deep_data.batch import DeepData


@pytest.fixture
def url(tmp_path):
    return f"duckdb:///{tmp_path / 'deep.duckdb'}"


@pytest.fixture
def store(town_trained, url):
    with store_of(town_trained, url) as store:
        yield store


@pytest.fixture
def live(town_trained, store):
    application = LiveApplication(town_trained.fused, store)
    application.load_rows(town_trained.panel("metro", NOW))
    return application


def speak(town, store, name, times, *, version=None):
    """Append what an encoder says at some times."""
    package = town.encoders[name]
    times_B = np.array(times, np.int64)
    activations = package.encode(town.panel(name), times_B)
    space = package.space if version is None else replace(package.space, version=version)
    store.append(
        to_rows(space, cell_names(package.cells), times_B, activations), now=NOW + 10 * DAY
    )


def status(found):
    return {one.name: one.status for one in found.agencies}


@pytest.mark.parametrize("heard", [("weather", "gates"), ("weather",), ()])
def test_it_forecasts_what_the_learner_does_who_knows_all_rows(town_trained, store, live, heard):
    for name in heard:
        speak(town_trained, store, name, [NOW - HOUR, NOW])
    found = live.forecast(NOW)
    origin = np.array([(NOW - START) // HOUR])
    deep = {name: town_trained.learners[name].encode(np.array([NOW])) for name in heard}
    samples = town_trained.inputs.samples(origin)
    activations = town_trained.learner.predict(samples, deep)
    wanted = samples.baseline_BNH + samples.scale_N1 * activations
    np.testing.assert_allclose(found.value_NH, wanted[0], rtol=1e-3)
    assert found.time_H.tolist() == [NOW, NOW + HOUR]
    np.testing.assert_allclose(
        found.high_NH - found.value_NH, town_trained.fused.half_width(heard), rtol=1e-3
    )
    assert found.own_lag_s == 0
    assert {n for n, how in status(found).items() if how is AgencyStatus.FRESH} == set(heard)


def test_no_row_after_the_moment_changes_a_forecast(town_trained, store, live):
    speak(town_trained, store, "weather", [NOW])
    before = live.forecast(NOW)
    speak(town_trained, store, "weather", [NOW + HOUR, NOW + 2 * HOUR])
    live.load_rows(town_trained.panel("metro"))  # four more days
    after = live.forecast(NOW)
    np.testing.assert_allclose(after.value_NH, before.value_NH, rtol=1e-4)


def test_an_agency_that_is_a_little_late_is_heard_by_its_newest(town_trained, store, live):
    speak(town_trained, store, "weather", [NOW - 2 * HOUR])
    found = live.forecast(NOW)
    state = next(one for one in found.agencies if one.name == "weather")
    assert (state.status, state.age_s, state.limit_s) == (AgencyStatus.FRESH, 2 * HOUR, 2 * HOUR)


def test_an_agency_that_is_too_late_is_reported_and_widens_the_band(town_trained, store, live):
    speak(town_trained, store, "weather", [NOW - 3 * HOUR])
    without = live.forecast(NOW)
    state = next(one for one in without.agencies if one.name == "weather")
    assert (state.status, state.newest) == (AgencyStatus.LATE, NOW - 3 * HOUR)
    assert "3:00 h old" in state.note
    assert "time zone" in state.note
    speak(town_trained, store, "weather", [NOW])
    width = live.forecast(NOW).high_NH - live.forecast(NOW).value_NH
    assert (without.high_NH - without.value_NH >= width - 1e-3).all()
    assert (without.high_NH - without.value_NH)[:, 0].mean() > 1.2 * width[:, 0].mean()


def test_a_place_whose_cells_are_silent_has_a_band_of_its_own(town_trained, store, live):
    package = town_trained.encoders["gates"]
    activations = package.encode(town_trained.panel("gates"), np.array([NOW]))
    activations.known_BC[0, 0] = False
    names = cell_names(package.cells)
    store.append(to_rows(package.space, names, np.array([NOW]), activations), now=NOW)
    found = live.forecast(NOW)
    silent = int(np.flatnonzero(town_trained.fused.cell_weights["gates"][:, 0])[0])
    half = found.high_NH - found.value_NH
    bands = town_trained.fused.bands
    np.testing.assert_allclose(half[silent], bands[frozenset()][silent], rtol=1e-3)
    other = (silent + 1) % 3
    np.testing.assert_allclose(half[other], bands[frozenset({"gates"})][other], rtol=1e-3)
    assert next(one for one in found.agencies if one.name == "gates").cells == 2


def test_another_version_is_never_heard_and_reported(town_trained, store, live):
    alone = live.forecast(NOW)
    speak(town_trained, store, "weather", [NOW], version="feedfeedfeedfeed")
    found = live.forecast(NOW)
    state = next(one for one in found.agencies if one.name == "weather")
    assert state.status is AgencyStatus.NO_DATA
    assert "feedfeedfeedfeed" in state.note
    assert town_trained.encoders["weather"].version in state.note
    np.testing.assert_array_equal(found.value_NH, alone.value_NH)


@pytest.mark.parametrize(
    "allowed", [access("gates"), access(least_level=4)], ids=["no grant", "too shallow"]
)
def test_nothing_is_read_without_a_grant(town_trained, url, allowed):
    with store_of(town_trained, url, allowed) as store:
        speak(town_trained, store, "weather", [NOW])
        application = LiveApplication(town_trained.fused, store)
        application.load_rows(town_trained.panel("metro", NOW))
        found = application.forecast(NOW)
        assert status(found)["weather"] is AgencyStatus.NOT_GRANTED
        assert np.isfinite(found.value_NH).all()


def test_a_store_that_is_gone_leaves_the_own_forecast(town_trained, store, live):
    alone = live.forecast(NOW)
    speak(town_trained, store, "weather", [NOW])
    store.close()
    found = live.forecast(NOW)
    assert set(status(found).values()) == {AgencyStatus.STORE_ERROR}
    np.testing.assert_array_equal(found.value_NH, alone.value_NH)


def test_own_rows_that_are_late_widen_the_band_and_a_day_late_are_refused(town_trained, live):
    found = live.forecast(NOW + 3 * HOUR + 60)
    assert (found.at, found.own_lag_s) == (NOW + 3 * HOUR, 3 * HOUR)
    half = found.high_NH - found.value_NH
    assert (half >= town_trained.fused.baseline_band_NH - 1e-3).all()
    with pytest.raises(LiveError, match="newest own row is of 2024-05-24T23:00:00Z"):
        live.forecast(NOW + DAY + HOUR)
    with pytest.raises(LiveError, match="own rows begin later"):
        live.forecast(START + HOUR)


def test_before_own_rows_have_come(town_trained, store):
    with pytest.raises(LiveError, match="none loaded yet"):
        LiveApplication(town_trained.fused, store).forecast(NOW)


def test_own_rows_that_are_not_those_trained_with(town_trained, store):
    application = LiveApplication(town_trained.fused, store)
    panel = town_trained.panel("metro", NOW)
    with pytest.raises(LiveError, match="training span differ"):
        application.load_rows(replace(panel, values_TNF=panel.values_TNF * 1.1))
    with pytest.raises(LiveError, match="2 places differ from the 3"):
        application.load_rows(
            replace(panel, places=panel.places[:2], values_TNF=panel.values_TNF[:, :2])
        )
    with pytest.raises(LiveError, match="do not cover the training span"):
        application.load_rows(panel.between(NOW - 5 * DAY, NOW))
    with pytest.raises(LiveError, match="trained with boardings in passengers"):
        application.load_rows(town_trained.panel("gates", NOW))
    assert not application.ready


def test_a_cell_that_the_application_does_not_know_says_nothing(town_trained, store, live):
    package = town_trained.encoders["weather"]
    strange = DeepData(
        package.space, np.array([NOW]), np.array(["abc"]), np.ones((1, 3), np.float32)
    )
    store.append(strange, now=NOW)
    assert status(live.forecast(NOW))["weather"] is AgencyStatus.LATE
    assert live.package.facts.service == SERVICE
