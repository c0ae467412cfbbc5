"""From `deepcity train-vertical` to daily use: what was trained encodes, sends and forecasts."""

from datetime import UTC, datetime
from shutil import copytree

import numpy as np
import pytest
from little_vertical import little

from deepcity.data.city_file import load_city, load_panel
from deepcity.forecasting import audit_forecast
from deepcity.forecasting.audit_forecast import forecast_from
from deepcity.learning.split.encoder_package import load_encoder
from deepcity.learning.split.fused_package import load_fused
from deepcity.live.access import Access, AgencyEntry, GrantEntry
from deepcity.live.agency import LiveAgency
from deepcity.live.application import AgencyStatus, LiveApplication
from deepcity.live.intake import Intake
from deepcity.live.vertical_forecasts import vertical_parties
from deepcity.live.wire import BLOB, read_space, unpack_deep
from deepcity.maps.city_map import load_map
from deepcity.store.open_store import open_store
from deepcity.store.outbox import Outbox
from deepcity.vertical.run import run_vertical


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("meeting")
    run_vertical(load_map(little(folder, rounds=3)), folder / "run")
    return folder


def test_what_a_meeting_trained_lives_on(folder):
    sites = folder / "run" / "sites"
    encoder = load_encoder(next(sites.glob("east.weather/packages/*/*.encoder")))
    fused = load_fused(next(sites.glob("east.water/packages/*/*.fused")))
    city = load_city(next(folder.glob("**/east.toml")))
    water, weather = load_panel(city, "water"), load_panel(city, "weather")
    now = int(water.time_T[-30])
    entry = GrantEntry(service=fused.facts.service)
    access = Access(agency=(AgencyEntry(name="weather", token="x" * 16, grant=entry),))
    with (
        open_store(f"duckdb:///{folder / 'deep.duckdb'}", access.may_read("east")) as store,
        Outbox(folder / "outbox") as outbox,
    ):
        application = LiveApplication(fused, store)
        application.load_rows(water.between(0, now))
        alone = application.forecast(now)
        assert alone.agencies[0].status is AgencyStatus.NO_DATA
        LiveAgency(encoder, outbox).encode_new(weather, now)
        while (parcel := outbox.first()) is not None:
            batch = unpack_deep(read_space(parcel.topic), parcel.body, BLOB)
            Intake(fused, access, store).accept("weather", batch, now=now)
            outbox.confirm(parcel.number)
        found = application.forecast(now)
    assert found.agencies[0].status is AgencyStatus.FRESH
    assert found.agencies[0].age_s == 0
    assert np.abs(found.value_NH - alone.value_NH).max() > 0.01
    width, wider = (one.high_NH - one.value_NH for one in (found, alone))
    assert (width <= wider + 1e-4).all()
    assert width.mean() < wider.mean()


def test_the_audit_attacks_the_forecast_that_readers_see(folder):
    """Of a whole run, for each cell and in its scale; elsewhere there is none to attack."""
    sites = folder / "run" / "sites"
    encoder = load_encoder(next(sites.glob("east.weather/packages/*/*.encoder")))
    city_map = load_map(folder / "map.toml")
    [city] = city_map.cities
    [application] = vertical_parties(folder / "run", city_map, None)
    fused = application.package
    panel = load_panel(city, "water")
    times_B = panel.time_T[-60:-30:7]
    seen_BCH = forecast_from(sites / "east.weather", encoder, city)(times_B)
    assert seen_BCH.shape == (len(times_B), 1, fused.facts.settings.horizon)
    inputs, *_ = audit_forecast._inputs(fused, city)
    weight_N = fused.cell_weights["weather"][:, 0]
    for time_s, seen_CH in zip(times_B, seen_BCH, strict=True):
        at = datetime.fromtimestamp(int(time_s), UTC)
        value_NH = application.forecast(at).forecasts.forecast_BNH[0]
        scaled_NH = (value_NH - inputs.mean_N1) / inputs.spread_N1
        wanted_H = np.average(scaled_NH, axis=0, weights=weight_N)
        np.testing.assert_allclose(seen_CH[0], wanted_H, rtol=1e-3, atol=1e-3)
    alone = folder / "carried" / "sites" / "east.weather"
    copytree(sites / "east.weather", alone)
    assert forecast_from(alone, encoder, city) is None
