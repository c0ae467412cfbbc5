"""Values that stay until they are changed, and for how long at most."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError, DataError
from deepcity.data.city_file import load_city, load_panel, load_with_findings

pytest_plugins = ["towns"]

START = datetime(2024, 5, 1, tzinfo=UTC)
SOURCE = (
    'format = "csv"\npath = "records.csv"\nstays = "%s"\ntime = { column = "time", zone = "UTC" }'
)
SPACES = '[{ name = "free", kind = "level", unit = "spaces", source = "records" }]'
ROWS = st.lists(
    st.tuples(st.integers(0, 300), st.none() | st.integers(0, 9), st.none() | st.integers(0, 9)),
    min_size=2,
    max_size=40,
    unique_by=lambda row: row[0],
)


def table(rows):
    cells = [(START + timedelta(minutes=m, seconds=2), *values) for m, *values in rows]
    lines = [
        ",".join([f"{time:%Y-%m-%d %H:%M:%S}", *("" if v is None else str(v) for v in values)])
        for time, *values in cells
    ]
    return "\n".join(["time,a,b", *lines]) + "\n"


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rows=ROWS, limit=st.sampled_from([15, 30, 60, 240]))
def test_the_last_value_stays_within_its_limit(rows, limit, town):
    """Said slowly: at each step's end, the last value told, if its step is near enough."""
    rows = sorted(rows)
    city = town(table(rows), source=SOURCE % f"{limit}min", fields=SPACES, step="15min")
    panel = load_panel(city, "office")
    kept = [row for row in rows if row[1:] != (None, None)]
    if not kept:
        assert not panel.mask_TNF.any()
        return
    first = (int(panel.time_T[0]) - int(START.timestamp())) // 900
    for step, values in enumerate(panel.values_TNF[:, :, 0]):
        for place, value in enumerate(values.tolist()):
            reported = [(m // 15, row[place]) for m, *row in rows if row[place] is not None]
            reported = [(at, v) for at, v in reported if at <= first + step]
            if reported and (first + step - reported[-1][0]) * 15 <= limit:
                assert value == reported[-1][1]
            else:
                assert np.isnan(value)


def test_amounts_do_not_stay(town):
    fields = SPACES.replace("level", "count")
    with pytest.raises(DataError, match="an additive amount cannot be carried forward"):
        load_panel(
            town(table([(0, 1, 2), (15, 3, 4)]), source=SOURCE % "1h", fields=fields), "office"
        )


def test_a_state_stays_as_it_was_recorded_last_not_as_a_mean(town):
    fields = SPACES.replace("level", "share").replace("spaces", "%")
    rows = [(0, 10, 50), (5, 20, None), (10, 90, None), (35, 30, 40)]
    panel = load_panel(
        town(table(rows), source=SOURCE % "1h", fields=fields, step="15min"), "office"
    )
    assert panel.values_TNF[:, :, 0].T.tolist() == [[90, 90, 30], [50, 50, 40]]


def test_it_is_reported_that_values_stay(town):
    city = town(table([(0, 1, 2), (95, 3, 4)]), source=SOURCE % "1h", fields=SPACES, step="15min")
    found = {f.what: f for f in load_with_findings(city, "office").findings}
    assert "at most 1h" in found["stays"].text
    assert "resampled" not in found


def test_a_log_of_changes_stays_too(town):
    """A long table with a row a change: nothing between two rows means nothing changed."""
    text = "time,lot,free\n2024-05-01 00:03,a,5\n2024-05-01 00:07,b,2\n2024-05-01 00:50,a,4\n"
    source = SOURCE % "1d" + '\nlayout = "long"\nplace = "lot"'
    source = source.replace("time = {", "time = { ").replace(
        'zone = "UTC" }', 'zone = "UTC", step = "1min" }'
    )
    panel = load_panel(town(text, source=source, fields=SPACES, step="15min"), "office")
    np.testing.assert_array_equal(panel.values_TNF[:, :, 0].T, [[5, 5, 5, 4], [2, 2, 2, 2]])


LOTS = """
[[source]]
name = "lots"
format = "csv"
path = "lots.csv"
"""


def lots(tmp_path, content, keys='lat = "y", lon = "x", capacity = "holds"'):
    (tmp_path / "lots.csv").write_text(content, encoding="utf-8")
    reported = f", {keys}" if keys else ""
    return {
        "source": SOURCE % "1h" + LOTS,
        "fields": SPACES,
        "places": f'"all"\nplaces_from = {{ source = "lots", id = "lot"{reported} }}',
    }


def test_stations_of_which_not_all_is_known(town, tmp_path):
    content = "lot,y,x,holds\na,51.0,13.7,120.0\nb,,,\nc,50.0,13.0,9\n"
    places = town(table([(0, 1, 2)]), **lots(tmp_path, content)).city.agencies[0].places
    assert [(p.lat, p.lon, p.capacity) for p in places] == [(51.0, 13.7, 120.0), (None, None, None)]
    content = "lot,holds\na,120\nb,\n"
    (tmp_path / "lots.csv").write_text(content, encoding="utf-8")
    places = town(table([(0, 1, 2)]), **lots(tmp_path, content, 'capacity = "holds"'))
    assert places.city.agencies[0].places[0].capacity == 120


@pytest.mark.parametrize(
    ("content", "keys", "reported"),
    [
        ("lot,y,x,holds\na,51.0,,1\nb,,,\n", 'lat = "y", lon = "x"', "only one of lat"),
        ("lot,y,x,holds\na,51.0,13,-1\nb,,,\n", 'capacity = "holds"', "negative capacity"),
        ("lot,y,x,holds\na,51.0,13,many\nb,,,\n", 'capacity = "holds"', "'many': not a number"),
        ("lot,y,x,holds\na,51.0,13,1\n", 'capacity = "holds"', "'b': not found in places_from"),
        ("lot,y,x,holds\na,51.0,13,1\n", 'lat = "y"', "only one of lat"),
        ("lot,y,x,holds\na,51.0,13,1\n", None, "names neither a position nor a capacity"),
    ],
)
def test_stations_that_cannot_be_believed(content, keys, reported, town, tmp_path):
    with pytest.raises(ConfigError, match=reported):
        town(table([(0, 1, 2)]), **lots(tmp_path, content, keys))


def test_an_agency_may_keep_a_step_of_its_own(town, tmp_path):
    town(table([(0, 1, 2), (95, 3, 4)]), source=SOURCE % "4h", fields=SPACES, step="1h")
    file = tmp_path / "town.toml"
    file.write_text(file.read_text(encoding="utf-8") + 'step = "15min"\n', encoding="utf-8")
    panel = load_panel(load_city(file), "office")
    assert (panel.clock.step_s, len(panel.time_T)) == (900, 7)
