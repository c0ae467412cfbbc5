"""Every set of the real data folder by its city file, beside an independent reading with pandas.

The folder is not part of the project; without it these tests are skipped.
"""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from deepcity.data.city_file import load_city, load_with_findings
from deepcity.data.load import LoadedPanel

pd = pytest.importorskip("pandas")

CITIES = Path(__file__).parents[2] / "benchmarks" / "cities"
SHARED = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not SHARED.is_dir(), reason="the real data folder ../shared/data is absent"),
]
AIR = ["temperature", "dew-point", "humidity", "pressure", "wind-run", "rain"]
AIR += ["wind-from-east", "wind-from-north"]
CALM = ["temperature", "feels-like", "humidity", "wind"]
SCALED = ["temperature", "dew-point", "humidity", "wind"]
SCALED += ["aqi", "pm25", "pm10", "so2", "no2", "co", "o3"]
NO_CITY_YET = {"campus_cameras", "ev_charging", "persons", "rivers", "terrain"}
"""Sets that no service reads so far."""
PANELS = {
    # city/agency: steps, places, fields, share missing (all of it counted by pandas below)
    "beijing/air": (26_280, 4, ["pm25"], 0.082),
    "beijing/weather": (26_280, 1, AIR, 0.006),
    "beijing/metro": (3144, 276, ["boardings", "exits"], 0.427),
    "beijing/metro-10min": (4716, 276, ["boardings", "exits"], 0.427),
    "beijing/metro-30min": (1572, 276, ["boardings", "exits"], 0.427),
    "beijing/surroundings": (3144, 1, SCALED, 0.427),
    "beijing/surroundings-hourly": (786, 1, SCALED, 0.427),
    "beijing/surroundings-10min": (4716, 1, SCALED, 0.427),
    "beijing/surroundings-30min": (1572, 1, SCALED, 0.427),
    "bielefeld/parking": (5856, 13, ["free"], 0.072),
    "bielefeld/parking-rare": (5856, 8, ["free"], 0.053),
    "chengdu/air": (26_280, 3, ["pm25"], 0.068),
    "chengdu/weather": (26_280, 1, AIR, 0.021),
    "chicago/police": (731, 168, ["theft", "battery", "assault", "damage"], 0.0),
    "chicago/power": (66_503, 1, ["load"], 0.0),
    "dresden/parking": (5856, 18, ["free"], 0.094),
    "dresden/parking-rare": (5856, 20, ["free"], 0.022),
    "guangzhou/air": (26_280, 2, ["pm25"], 0.124),
    "guangzhou/weather": (26_280, 1, AIR, 0.0),
    "london/bikes": (17_544, 1, ["rented"], 0.008),
    "london/weather": (17_544, 1, CALM, 0.008),
    "los_angeles/freeways": (2016, 207, ["speed"], 0.0),
    "melbourne/streets": (16_056, 55, ["people"], 0.014),
    "new_york/police": (730, 256, ["burglary", "robbery", "assault", "larceny"], 0.0),
    "nuremberg/parking": (5856, 9, ["free"], 0.116),
    "nuremberg/parking-rare": (5856, 10, ["free"], 0.006),
    "osnabrueck/parking": (5856, 12, ["free"], 0.051),
    "osnabrueck/parking-rare": (5856, 9, ["free"], 0.0),
    "pittsburgh/power": (119_087, 1, ["load"], 0.0),
    "seoul/bikes": (8760, 1, ["rented"], 0.034),
    "seoul/weather": (
        8760,
        1,
        ["temperature", "humidity", "wind", "dew-point", "rain", "snow", "visibility"],
        0.0,
    ),
    "tetouan/power": (52_416, 1, ["load"], 0.0),
    "tetouan/weather": (52_416, 1, ["temperature", "humidity", "wind", "sun", "sun-diffuse"], 0.0),
    "washington/bikes": (17_544, 1, ["rented", "casual", "registered"], 0.009),
    "washington/weather": (17_544, 1, CALM, 0.01),
}
LOT_CITIES = ["dresden", "nuremberg", "bielefeld", "osnabrueck"]


@cache
def loaded(name: str) -> LoadedPanel:
    city, agency = name.split("/")
    return load_with_findings(load_city(CITIES / f"{city}.toml"), agency)


def values(name: str, field: str, place: int = 0) -> np.ndarray:
    panel = loaded(name).panel
    return panel.values_TNF[:, place, panel.field_index(field)]


def local(name: str):
    """The panel's times as the city's clocks show them."""
    panel = loaded(name).panel
    times = pd.to_datetime(panel.time_T, unit="s", utc=True)
    return times.tz_convert(panel.clock.time_zone)


def read(path, **more):
    return pd.read_csv(SHARED / path, **more)


@pytest.mark.parametrize("name", sorted(PANELS))
def test_every_set_loads(name):
    panel = loaded(name).panel
    steps, places, fields, missing = PANELS[name]
    assert panel.values_TNF.shape == (steps, places, len(fields))
    assert [field.name for field in panel.fields] == fields
    assert 1 - panel.mask_TNF.mean() == pytest.approx(missing, abs=0.0006)
    assert len({place.id for place in panel.places}) == places


def test_city_files_that_cut_these_sets_otherwise_load_too():
    named = {
        f"{path.stem}/{agency.name}"
        for path in CITIES.glob("*.toml")
        if _records_are_there(path.read_text(encoding="utf-8"))
        for agency in load_city(path).city.agencies
    }
    assert named >= set(PANELS)
    for name in named - set(PANELS):
        assert loaded(name).panel.mask_TNF.any(), name


def _records_are_there(text):
    """Whether a city file names records of the folder, and all of their sets are in it."""
    sets = set(re.findall(r"shared/data/(\w+)/", text))
    return bool(sets) and all((SHARED / one).exists() for one in sets)


def test_every_file_of_the_folder_is_read_by_a_city_file():
    text = "".join(path.read_text(encoding="utf-8") for path in CITIES.glob("*.toml"))
    files = {
        path.relative_to(SHARED).as_posix()
        for path in SHARED.rglob("*.csv*")
        if path.relative_to(SHARED).parts[0] not in NO_CITY_YET
    }
    assert {file for file in files if f"../../shared/data/{file}" not in text} == set()


@pytest.mark.parametrize("city", ["beijing", "chengdu", "guangzhou"])
def test_air(city):
    frame = read(f"air_china/{city}.csv.gz")
    wall = pd.to_datetime(frame[["year", "month", "day", "hour"]])
    assert (local(f"{city}/air").tz_localize(None) == wall).all()
    monitors = [name for name in frame.columns if name.startswith("PM_")]
    for n, place in enumerate(loaded(f"{city}/air").panel.places):
        column = next(m for m in monitors if m[3:].lower().replace(" ", "-") == place.id)
        np.testing.assert_array_equal(values(f"{city}/air", "pm25", n), frame[column])
    weather = {"temperature": "TEMP", "humidity": "HUMI", "pressure": "PRES", "dew-point": "DEWP"}
    for field, column in weather.items():
        source = frame[column].where(frame[column] > -9999)
        np.testing.assert_allclose(values(f"{city}/weather", field), source, rtol=1e-6)
    rain = frame.precipitation.where(frame.precipitation < 900_000)
    assert np.nansum(values(f"{city}/weather", "rain")) == pytest.approx(rain.sum(), rel=1e-5)
    np.testing.assert_allclose(values(f"{city}/weather", "wind-run"), frame.Iws * 3.6, rtol=1e-6)
    east = frame.cbwd.map({"NE": 1, "SE": 1, "NW": -1, "SW": -1, "cv": 0}) * 0.7071
    np.testing.assert_allclose(values(f"{city}/weather", "wind-from-east"), east, rtol=1e-6)


def test_guangzhou_s_third_monitor_is_a_copy():
    frame = read("air_china/guangzhou.csv.gz")
    assert frame["PM_City Station"].equals(frame["PM_US Post"])


def test_seoul_s_bikes():
    frame = read("bikes/seoul.csv.gz")
    wall = pd.to_datetime(frame.Date, format="%d/%m/%Y") + pd.to_timedelta(frame.Hour, unit="h")
    assert (local("seoul/bikes").tz_localize(None) == wall).all()
    open_ = frame["Functioning Day"] == "Yes"
    assert int((~open_).sum()) == 295
    rented = frame["Rented Bike Count"].where(open_)
    np.testing.assert_array_equal(values("seoul/bikes", "rented"), rented)
    assert np.nanmax(values("seoul/weather", "visibility")) == 20_000  # told in tens of metres
    assert int(np.isnan(values("seoul/weather", "humidity")).sum()) == 17


def test_london_s_bikes():
    frame = read("bikes/london.csv.gz")
    wall = pd.to_datetime(frame.date + " " + frame.time, format="%d-%m-%Y %I.%M.%S %p")
    frame = frame.set_index(wall)
    skipped = pd.Timestamp("2015-03-29 01:00")  # a row of an hour that clocks skipped
    assert skipped in frame.index
    panel = local("london/bikes").tz_localize(None)
    found = pd.Series(values("london/bikes", "rented"), panel)
    source = frame["Count of bike shares"].drop(skipped)
    assert float(found.sum()) == source.sum()
    assert int(found.notna().sum()) == len(source) == 17_413
    assert found["2015-01-04 00:00"] == 182
    assert found["2016-07-01 17:00"] == source["2016-07-01 17:00"]
    wind = pd.Series(values("london/weather", "wind"), panel)
    assert wind["2016-07-01 17:00"] == pytest.approx(frame.wind_speed["2016-07-01 17:00"] / 3.6)


def test_washington_s_bikes():
    frame = read("bikes/washington.csv.gz")
    wall = pd.to_datetime(frame.dteday) + pd.to_timedelta(frame.hr, unit="h")
    panel = local("washington/bikes").tz_localize(None)
    found = pd.Series(values("washington/bikes", "rented"), panel)
    assert float(found.sum()) == frame.cnt.sum() == 3_292_679
    parts = values("washington/bikes", "casual") + values("washington/bikes", "registered")
    np.testing.assert_array_equal(parts, found)
    at = pd.Timestamp("2012-07-07 16:00")
    row = frame[wall == at].iloc[0]
    weather = {f: pd.Series(values("washington/weather", f), panel)[at] for f in CALM}
    assert weather["temperature"] == pytest.approx(row.temp * 47 - 8, abs=1e-4)
    assert weather["feels-like"] == pytest.approx(row.atemp * 66 - 16, abs=1e-4)
    assert weather["humidity"] == pytest.approx(row.hum * 100, abs=1e-4)
    assert weather["wind"] == pytest.approx(row.windspeed * 67 / 3.6, abs=1e-4)


def free_spaces(city, quarters):
    """The state at the end of each quarter of an hour, none older than so many, by pandas."""
    frame = read(f"parking_germany/{city}_2020-09_2020-10.csv.gz", index_col="timestamp")
    frame.index = pd.to_datetime(frame.index, utc=True)
    return frame.resample("15min").last().ffill(limit=quarters)


@pytest.mark.parametrize("city", LOT_CITIES)
def test_parking(city):
    lots = read("parking_germany/lots.csv", index_col="place_id")
    known = free_spaces(city, 8).notna().mean()
    for agency, quarters, often in (("parking", 8, True), ("parking-rare", 96, False)):
        panel, source = loaded(f"{city}/{agency}").panel, free_spaces(city, quarters)
        assert [place.id for place in panel.places] == list(known.index[(known >= 0.85) == often])
        source = source[[place.id for place in panel.places]]
        assert (pd.to_datetime(panel.time_T, unit="s", utc=True) == source.index).all()
        np.testing.assert_array_equal(panel.values_TNF[:, :, 0], source.to_numpy(np.float32))
        for place in panel.places:
            lot = lots.loc[place.id]
            assert np.array_equal(place.capacity or np.nan, lot.capacity, equal_nan=True)
            assert np.array_equal(place.lat or np.nan, lot.latitude, equal_nan=True)


def naive(city, days):
    """Mean absolute error of the value so many days before: the mean over car parks."""
    panel = loaded(f"{city}/parking").panel
    free_TN, back = panel.values_TNF[:, :, 0], days * panel.clock.steps_per_day
    return float(np.nanmean(np.abs(free_TN[back:] - free_TN[:-back]), axis=0).mean())


@pytest.mark.parametrize(
    ("city", "yesterday", "last_week"),
    [
        ("dresden", 25.7, 24.0),
        ("nuremberg", 33.7, 26.0),
        ("bielefeld", 34.2, 25.7),
        ("osnabrueck", 25.9, 13.8),
    ],
)
def test_the_naive_forecasts_of_parking_are_those_published(city, yesterday, last_week):
    assert naive(city, 1) == pytest.approx(yesterday, abs=0.051)
    assert naive(city, 7) == pytest.approx(last_week, abs=0.051)


def test_melbourne():
    frame = read("pedestrian_melbourne/counts.csv.gz", index_col="local_time")
    wall = pd.to_datetime(frame.index)
    found = pd.DataFrame(
        loaded("melbourne/streets").panel.values_TNF[:, :, 0],
        index=local("melbourne/streets").tz_localize(None),
        columns=[place.id for place in loaded("melbourne/streets").panel.places],
    )
    assert list(found.columns) == list(frame.columns)
    skipped = pd.to_datetime(["2021-10-03 02:00", "2022-10-02 02:00"])
    source = frame.set_axis(wall).drop(skipped)
    assert found.to_numpy(dtype=np.float64, na_value=0).sum() == source.sum().sum()
    assert found.loc["2021-01-01 00:00", "5"] == 3834
    sensors = read("pedestrian_melbourne/sensors.csv", index_col="sensor_id")
    place = loaded("melbourne/streets").panel.places[0]
    assert (place.lat, place.lon) == tuple(sensors.loc[int(place.id), ["lat", "lon"]])


@pytest.mark.parametrize(
    ("agency", "minutes"), [("metro", 15), ("metro-10min", 10), ("metro-30min", 30)]
)
def test_metro(agency, minutes):
    panel = loaded(f"beijing/{agency}").panel
    times = local(f"beijing/{agency}")
    busy = panel.mask_TNF.all(axis=(1, 2))
    assert panel.mask_TNF.any(axis=(1, 2)).sum() == busy.sum() == 25 * 18 * 60 // minutes
    known = times[busy]
    assert set(known.day_of_week) == {0, 1, 2, 3, 4}
    assert (known.hour.min(), known.hour.max()) == (5, 22)
    assert str(known[0]) == "2016-02-29 05:00:00+08:00"
    assert known[-1] + pd.Timedelta(minutes=minutes) == pd.Timestamp("2016-04-01 23:00+08:00")
    for field, file in (("boardings", "inflow"), ("exits", "outflow")):
        source = read(f"metro_beijing/{file}_{minutes}min.csv.gz", header=None).to_numpy().T
        np.testing.assert_array_equal(panel.values_TNF[busy, :, panel.field_index(field)], source)
    graph = read("metro_beijing/adjacency.csv", header=None).to_numpy(np.float32)
    np.testing.assert_array_equal(panel.adjacency_NN, graph)
    weather = read(f"metro_beijing/weather_air_{minutes}min.csv.gz", header=None).to_numpy().T
    name = agency.replace("metro", "surroundings")
    around = loaded(f"beijing/{name}").panel.values_TNF[busy, 0]
    np.testing.assert_allclose(around, weather, rtol=1e-6)


def test_the_hourly_office_of_beijing_tells_means_of_quarters():
    quarters = loaded("beijing/surroundings").panel
    hourly = loaded("beijing/surroundings-hourly").panel
    assert hourly.clock.step_s == 4 * quarters.clock.step_s
    assert hourly.time_T[0] == quarters.time_T[0]
    means = quarters.values_TNF.reshape(len(hourly.time_T), 4, 1, -1).mean(axis=1)
    np.testing.assert_allclose(hourly.values_TNF, means, rtol=1e-5)


def published_grid(city):
    """Counts by day, row, column and kind, by the published protocol."""
    if city == "chicago":
        frame = read("crime/chicago.csv.gz", header=None, names=["time", "kind", "lat", "lon"])
        kinds, first = ["THEFT", "BATTERY", "ASSAULT", "CRIMINAL DAMAGE"], "2016-01-01"
    else:
        frame = read("crime/new_york.csv.gz", usecols=[0, 2, 5, 6], header=0)
        frame = frame.set_axis(["time", "kind", "lat", "lon"], axis=1)
        kinds = ["BURGLARY", "ROBBERY", "FELONY ASSAULT", "GRAND LARCENY"]
        first = "2014-01-01"
    wall = pd.to_datetime(frame.time, format="%m/%d/%Y %I:%M:%S %p")
    day = (wall.dt.normalize() - pd.Timestamp(first)).dt.days
    row = ((frame.lat - frame.lat.min()) * 37).astype(int)  # 111 / 3 cells a degree
    column = ((frame.lon - frame.lon.min()) * 28).astype(int)  # 84 / 3
    counts = np.zeros((day.max() + 1, row.max() + 1, column.max() + 1, 4))
    np.add.at(counts, (day, row, column, frame.kind.map(kinds.index)), 1)
    return counts


@pytest.mark.parametrize(
    ("city", "offences", "grid", "days"),
    [("chicago", 321_877, (14, 12), 731), ("new_york", 191_580, (16, 16), 730)],
)
def test_crime_by_the_published_protocol(city, offences, grid, days):
    found, source = loaded(f"{city}/police").panel.values_TNF, published_grid(city)
    assert source.shape == (days, *grid, 4)
    assert found.sum() == source.sum() == offences
    np.testing.assert_array_equal(found, source.reshape(days, -1, 4))


def test_crime_splits_as_published():
    """609 days to train on, 30 to choose by, 92 to test on: the last is the fourth quarter."""
    days = local("chicago/police")
    assert len(days) == 609 + 30 + 92
    assert str(days[609].date()) == "2017-09-01"
    assert str(days[639].date()) == "2017-10-01"
    assert str(days[-1].date()) == "2017-12-31"


@pytest.mark.parametrize(
    ("name", "file", "column"),
    [
        ("chicago/power", "chicago_comed", "COMED_MW"),
        ("pittsburgh/power", "pittsburgh_duq", "DUQ_MW"),
    ],
)
def test_loads_of_hours_stamped_with_their_end(name, file, column):
    frame = read(f"energy/{file}.csv.gz")
    wall = pd.to_datetime(frame.Datetime, format="%m/%d/%Y %H:%M") - pd.Timedelta(hours=1)
    zone = "America/New_York"
    times = wall.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT").dropna()
    source = frame[column][times.index].set_axis(times)
    panel = loaded(name).panel
    found = pd.Series(
        panel.values_TNF[:, 0, 0], pd.to_datetime(panel.time_T, unit="s", utc=True)
    ).dropna()
    assert len(found) == len(source)
    np.testing.assert_array_equal(found, source.sort_index())
    assert (found.index == source.sort_index().index.tz_convert("UTC")).all()


def test_tetouan():
    frame = read("energy/tetouan.csv.gz")
    times = pd.to_datetime(frame.DateTime, format="%m/%d/%Y %H:%M")
    panel = loaded("tetouan/power").panel
    utc = pd.to_datetime(panel.time_T, unit="s")
    assert (utc + pd.Timedelta(hours=1) == times).all()
    np.testing.assert_allclose(
        values("tetouan/power", "load"), frame["Total electricity"] / 1000, rtol=1e-6
    )
    sun = pd.Series(frame["General diffuse flow"].to_numpy(), utc.hour + utc.minute / 60)
    noons = [
        float((month * month.index).sum() / month.sum())
        for month in (sun[(utc.month == m).tolist()] for m in (1, 4, 6, 7))
    ]
    assert np.ptp(noons) < 0.25  # no change of the clock between winter and summer


def test_los_angeles_graph():
    graph = np.loadtxt(SHARED / "traffic_losloop/adjacency.csv.gz", delimiter=",", dtype=np.float32)
    np.testing.assert_array_equal(loaded("los_angeles/freeways").panel.adjacency_NN, graph)
