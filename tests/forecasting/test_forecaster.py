"""A party's forecaster: what a run forecasts with, carried elsewhere, and one that learns alone."""

import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from little_map import LittleMap, flows, service, three

import deepcity
from deepcity.applications.application import applications
from deepcity.city.clock import Clock
from deepcity.city.errors import CheckpointError, ConfigError, DataError
from deepcity.city.field import Field, Kind
from deepcity.data.city_file import load_panel
from deepcity.forecasting import forecaster
from deepcity.runs.update.run import refine_map
from deepcity.store.run_folder import site_folder

NORTH = "east/north"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A finished run of the usual little map, with measured values shared."""
    folder = tmp_path_factory.mktemp("front")
    path = three(folder).write(
        service(levels=(), settings="pooled = false", grant='truths = "shared"')
    )
    return deepcity.Federation(path, folder / "run").fit()


@pytest.fixture(scope="module")
def north(run):
    return run.forecaster("water", NORTH)


@pytest.fixture(scope="module")
def records(run):
    (east,) = [city for city in run.map.cities if city.city.name == "east"]
    return load_panel(east, "north")


def example(run):
    (only,) = run.results.services
    return next(party for party in only.parties if party.name == NORTH).forecast


def at(second):
    return datetime.fromtimestamp(second, UTC)


def test_a_backtest_over_the_test_days_gives_the_runs_own_forecasts_and_bands(run, north):
    shown = example(run)
    found = north.backtest()
    table = found.to_frame().filter(place=shown.place)
    by_moment = {
        (int(row["origin"].timestamp()), int(row["time"].timestamp())): row
        for row in table.iter_rows(named=True)
    }
    horizon = found.forecast_BNH.shape[-1]
    for number, second in enumerate(shown.times):
        row = by_moment[shown.times[number - number % horizon], second]
        for key in ("forecast", "low", "high", "truth"):
            assert row[key] == pytest.approx(getattr(shown, key)[number], abs=1e-6), (key, number)


def test_a_backtest_keeps_to_its_times(run, north):
    first = example(run).times[0]
    all_of_them = north.backtest()
    some = north.backtest(start=at(first), end=at(first + 20 * 3600), stride=3)
    assert (some.origin_B >= first).all()
    assert (some.time_BH < first + 20 * 3600).all()
    assert set(np.diff(some.origin_B)) == {3 * 3600}
    assert len(all_of_them) > len(some) > 1


def test_a_prediction_of_a_past_time_looks_at_nothing_after_it(north, records):
    second = int(records.time_T[-1]) - 24 * 3600
    later = records.values_TNF.copy()
    later[records.time_T >= second] += 100
    there = north.predict(records, at(second))
    other = north.predict(replace(records, values_TNF=later), at(second))
    np.testing.assert_array_equal(there.forecast_BNH, other.forecast_BNH)
    backtested = north.backtest(records, at(second), at(second + 6 * 3600))
    np.testing.assert_allclose(there.forecast_BNH, backtested.forecast_BNH[:1], atol=1e-6)
    assert (there.half_BNH > 0).all()
    assert np.isnan(there.truth_BNH).all()


def test_a_prediction_begins_after_the_newest_measured_value(north, records):
    newest = int(records.time_T[-1]) + 3600
    found = north.predict(horizon=4)
    assert found.origin_B.tolist() == [newest]
    assert found.forecast_BNH.shape == (1, 1, 4)
    waiting = records.values_TNF.copy()
    waiting[-5:] = np.nan
    earlier = north.predict(replace(records, values_TNF=waiting))
    assert earlier.origin_B.tolist() == [newest - 5 * 3600]
    truth = 10 + 3 * np.sin(2 * np.pi * (np.arange(4) + 36 * 24) / 24)
    assert np.abs(found.forecast_BNH[0, 0] - truth).max() < 3


def test_a_carried_site_folder_still_predicts(run, north, records, tmp_path):
    carried = tmp_path / "carried"
    shutil.copytree(site_folder(run.folder, NORTH), carried)
    found = deepcity.Forecaster.load(carried, "water", NORTH)
    there = deepcity.Forecaster.load(run.folder, "water", NORTH).predict(records)
    np.testing.assert_array_equal(found.predict(records).forecast_BNH, there.forecast_BNH)
    np.testing.assert_array_equal(north.predict().forecast_BNH, there.forecast_BNH)
    with pytest.raises(DataError, match="Give one, with the rows it learned from"):
        found.predict()


def test_another_panel_is_refused_with_every_problem_at_once(run, records):
    wrong = replace(
        records,
        clock=Clock("Asia/Seoul", timedelta(hours=2)),
        time_T=records.time_T[0] + np.arange(len(records.time_T)) * 7200 + 7200,
        places=(replace(records.places[0], id="elsewhere"),),
        fields=(Field("speed", Kind.SPEED, "km/h"),),
    )
    found = deepcity.Forecaster.load(run.folder, "water", NORTH)
    with pytest.raises(DataError) as error:
        found.predict(wrong)
    keys = {problem.key for problem in error.value.problems}
    assert keys == {"field", "step_s", "places", "time_zone", "first step"}
    with pytest.raises(DataError, match=r"unit = 'm3/h': its networks were trained with L/s"):
        found.predict(replace(records, fields=(Field("flow", Kind.FLOW, "m3/h"),)))


def test_corrected_old_rows_are_warned_of(north, records):
    values = records.values_TNF.copy()
    values[:48] += 1
    with pytest.warns(UserWarning, match="rows that its networks learned from are others"):
        north.predict(replace(records, values_TNF=values))


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        ({"at": datetime(2021, 2, 2)}, "networks learned from rows until"),  # noqa: DTZ001
        ({"at": datetime(2021, 3, 8, 1, 30)}, "no step of the panel begins then"),  # noqa: DTZ001
        ({"at": datetime(2031, 1, 1, tzinfo=UTC)}, "the panel ends at"),
        ({"horizon": 7}, "it learned to forecast 1 to 6 steps"),
    ],
)
def test_a_time_that_cannot_be_forecast_is_refused(north, asked, reason):
    with pytest.raises(DataError, match=reason):
        north.predict(**asked)


def test_a_backtest_of_days_learned_from_is_refused(north):
    with pytest.raises(DataError, match="networks learned from rows until"):
        north.backtest(start=datetime(2021, 2, 10, tzinfo=UTC))
    with pytest.raises(DataError, match="no forecast of 6 steps fits"):
        north.backtest(stride=0)


def test_a_forecaster_that_is_not_there_is_refused_with_the_next_step(run, tmp_path):
    with pytest.raises(CheckpointError, match="holds no forecaster of east/nord in water"):
        deepcity.Forecaster.load(run.folder, "water", "east/nord")
    with pytest.raises(ConfigError, match="Did you mean 'east/north'"):
        run.forecaster("water", "east/nort")
    with pytest.raises(ConfigError, match="Did you mean 'water'"):
        run.forecaster("watr", NORTH)
    with pytest.raises(DataError, match=r"[Cc]all fit\(panel\)"):
        deepcity.Forecaster().predict()


def alone_settings():
    return {
        "horizon": 6,
        "history": 6,
        "days": 2,
        "experts": ["network", "typical_day", "yesterday"],
        "training": {"rounds": 3, "local_steps": 4, "batch_size": 32, "refit_steps": 6},
        "span": {"validation_days": 5, "test_days": 5},
        "seed": 1,
    }


def test_alone_it_forecasts_as_a_run_in_which_nobody_joins(tmp_path):
    path = (
        LittleMap(tmp_path)
        .party("own/panel", flows(places=2))
        .write(service(levels=(), settings="automatic = false\npooled = false"))
    )
    run = deepcity.Federation(path, tmp_path / "run").fit()
    in_a_run = run.forecaster("water", "own/panel").backtest()
    (city,) = run.map.cities
    panel = load_panel(city, "panel")
    alone = deepcity.Forecaster(**alone_settings()).fit(panel)
    np.testing.assert_allclose(alone.backtest().forecast_BNH, in_a_run.forecast_BNH, atol=1e-6)
    alone.save(tmp_path / "kept")
    kept = deepcity.Forecaster.load(tmp_path / "kept", "forecast", "own/panel")
    np.testing.assert_array_equal(kept.predict(panel).forecast_BNH, alone.predict().forecast_BNH)


def test_wrong_settings_and_fields_are_named(records):
    with pytest.raises(ConfigError) as error:
        deepcity.Forecaster(horizon=0, experts=["networc"], band=2)
    assert len(error.value.problems) == 3
    with pytest.raises(DataError, match="flow"):
        deepcity.Forecaster().fit(records, "floe")
    with pytest.raises(DataError, match="validation_days"):
        deepcity.Forecaster().fit(records.between(0, int(records.time_T[48])))


def test_after_an_update_it_forecasts_with_what_was_learned_since(tmp_path):
    little = service(levels=(), settings="pooled = false")
    values = {name: flows(days=50, places=1, seed=n) for n, name in enumerate(("a/x", "a/y"))}

    def write(days):
        town = LittleMap(tmp_path)
        for name, flow in values.items():
            town.party(name, flow[: days * 24])
        return town.write(little)

    before = deepcity.Federation(write(36), tmp_path / "run").fit().forecaster("water", "a/x")
    newest = before.predict().origin_B
    later = deepcity.Federation(write(50), tmp_path / "run")
    refine_map(later.map, later.folder)
    updated = later.forecaster("water", "a/x")
    found = updated.predict()
    assert found.origin_B - newest == 14 * 24 * 3600
    assert np.isfinite(found.forecast_BNH).all()
    assert (found.half_BNH > 0).all()
    with pytest.raises(DataError, match="networks learned from rows until"):
        updated.backtest(start=datetime(2021, 2, 10, tzinfo=UTC))


WEATHER = """
[[source]]
name = "station"
format = "csv"
path = "station.csv"
layout = "long"
place = "place"
time = { column = "time" }
[[agency]]
name = "weather"
title = { en = "weather", ko = "날씨" }
domain = "environment"
places = ["tower"]
[[agency.fields]]
name = "temperature"
kind = "temperature"
unit = "degC"
source = "station"
[[agency.fields]]
name = "rain"
kind = "rain"
unit = "mm"
source = "station"
"""


def test_the_weather_is_the_citys_and_a_loaded_forecaster_says_so(tmp_path):
    experts = 'weather = "weather"\nexperts = ["network", "gaussian_days"]'
    town = LittleMap(tmp_path).party("a/x", flows(places=1)).party("a/y", flows(places=1, seed=2))
    text = service(levels=(), rounds=1, settings=f"pooled = false\n{experts}")
    path = town.write(text.replace('"*/*"', '"a/x", "a/y"'))
    with (tmp_path / "a.toml").open("a", encoding="utf-8") as file:
        file.write(WEATHER)
    hours = [datetime(2021, 2, 1) + timedelta(hours=n) for n in range(36 * 24)]  # noqa: DTZ001
    rows = [f"{hour:%Y-%m-%d %H:%M},tower,{hour.hour},{hour.day % 3}" for hour in hours]
    (tmp_path / "station.csv").write_text("\n".join(["time,place,temperature,rain", *rows]))
    run = deepcity.Federation(path, tmp_path / "run").fit()
    assert np.isfinite(run.forecaster("water", "a/x").predict().forecast_BNH).all()
    panel = load_panel(run.map.cities[0], "x")
    with pytest.raises(DataError, match="its experts look at the weather"):
        deepcity.Forecaster.load(run.folder, "water", "a/x").predict(panel)


def test_it_decides_as_its_run_did(run, north):
    (party,) = (one for one in run.results.services[0].parties if one.name == NORTH)
    made = party.decision
    at_s = made.valid_until_s - 3600  # its test origin
    found = north.decide(at=at(at_s))
    assert found.valid_until_s == made.valid_until_s
    assert [(one.code, one.place, one.at_s) for one in found.actions] == [
        (one.code, one.place, one.at_s) for one in made.actions
    ]
    assert found.certainty == pytest.approx(made.certainty, abs=0.02)
    wanted = [one.numbers["value"] for one in made.actions]
    assert [one.numbers["value"] for one in found.actions] == pytest.approx(wanted, rel=1e-4)


def test_its_service_sees_what_was_measured_before_and_nothing_later(north, monkeypatch, records):
    seen = []
    water = applications()["water"]
    spy = replace(water, decide=lambda state: seen.append(state) or water.decide(state))
    monkeypatch.setattr(forecaster, "applications", lambda: {"water": spy})
    at_s = int(records.time_T[-30])
    north.decide(at=at(at_s))
    np.testing.assert_array_equal(seen[0].known_TN, records.values_TNF[:-30, :, 0])
    assert int(seen[0].known_time_T[-1]) == at_s - records.clock.step_s
    few = replace(spy, known_days=2)
    monkeypatch.setattr(forecaster, "applications", lambda: {"water": few})
    north.decide(at=at(at_s))
    assert len(seen[1].known_TN) == 2 * 86_400 // records.clock.step_s


def test_without_an_application_it_refuses_to_decide(records):
    alone = deepcity.Forecaster(**alone_settings()).fit(records, "flow")
    with pytest.raises(DataError, match="its service names none"):
        alone.decide()
