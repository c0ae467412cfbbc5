"""Events to counts: none where nothing happened on record, missing outside, on any grid."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import h3
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError, DataError
from deepcity.data import connectors
from deepcity.data.city_file import load_city, load_panel, load_with_findings
from deepcity.data.config.grid_settings import GridSettings
from deepcity.data.places.cells import cell_numbers, cells_in_box

START = datetime(2024, 3, 1, tzinfo=UTC)
KINDS = ("theft", "fire")
BOX = (48.0, 11.0, 48.09, 11.2)
SOURCE = 'lat = "lat"\nlon = "lon"\ntime = { column = "time", zone = "UTC" }'
FIELDS = "".join(
    f'{{ name = "{kind}", kind = "count", unit = "offences", source = "records",'
    f' where = {{ what = ["{kind}"] }} }}, '
    for kind in KINDS
)
GRID = "grid = { cell_deg = [0.03, 0.05], box = [48.0, 11.0, 48.09, 11.2] }"
EVENTS = st.lists(
    st.tuples(
        st.integers(0, 6 * 86_400 - 1),
        st.sampled_from([*KINDS, "other"]),
        st.floats(47.98, 48.11).map(lambda x: round(x, 6)),
        st.floats(10.98, 11.22).map(lambda x: round(x, 6)),
    ),
    min_size=2,
    max_size=60,
)


def write(folder, rows, *, source=SOURCE, fields=FIELDS, places=GRID, step="6h", zone="UTC"):
    """A city file with one table of events and one agency."""
    frame = pl.DataFrame(rows, schema=["time", "what", "lat", "lon"], orient="row")
    (folder / "records.csv").write_text(frame.write_csv(), encoding="utf-8")
    text = f"""
name = "town"
title = {{ en = "Town", ko = "마을" }}
clock = {{ time_zone = "{zone}", step = "{step}" }}
[[source]]
name = "records"
format = "csv"
path = "records.csv"
layout = "events"
{source}
[[agency]]
name = "police"
title = {{ en = "Police", ko = "경찰" }}
domain = "life"
fields = [{fields}]
{places}
"""
    (folder / "town.toml").write_text(text, encoding="utf-8")
    return load_city(folder / "town.toml")


def texts(events):
    return [
        ((START + timedelta(seconds=second)).strftime("%Y-%m-%d %H:%M:%S"), what, lat, lon)
        for second, what, lat, lon in events
    ]


def counted(events, step_s):
    """The same, said slowly: (step, row, column, kind) -> how many."""
    counts: dict[tuple[int, int, int, str], int] = {}
    for second, what, lat, lon in events:
        if BOX[0] <= lat <= BOX[2] and BOX[1] <= lon <= BOX[3]:
            row, column = min(2, int((lat - 48) // 0.03)), min(3, int((lon - 11) // 0.05))
            key = (second // step_s, row, column, what)
            counts[key] = counts.get(key, 0) + 1
    return counts


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(events=EVENTS, batch=st.integers(1, 70))
def test_counts_on_a_grid_whatever_the_batches(events, batch, tmp_path, monkeypatch):
    monkeypatch.setattr(connectors, "BATCH_ROWS", batch)
    steps = {second // 21_600 for second, *_ in events}
    if len(steps) < 2:
        return
    panel = load_panel(write(tmp_path, texts(events)), "police")
    first = min(steps)
    assert panel.time_T[0] == int(START.timestamp()) + first * 21_600
    assert len(panel.time_T) == max(steps) - first + 1
    expected = np.zeros((len(panel.time_T), 3, 4, 2))
    for (step, row, column, what), count in counted(events, 21_600).items():
        if what in KINDS:
            expected[step - first, row, column, KINDS.index(what)] = count
    np.testing.assert_array_equal(panel.values_TNF, expected.reshape(-1, 12, 2))


def test_the_recorded_days_bound_what_is_known(tmp_path):
    rows = texts([(5000, "theft", 48.01, 11.01), (3 * 86_400, "fire", 48.01, 11.01)])
    rows[1:] += texts([(-3 * 86_400, "fire", 48.01, 11.01)])  # 27 February
    source = SOURCE + "\nrecorded = [2024-02-28, 2024-03-02]"
    loaded = load_with_findings(write(tmp_path, rows * 2, source=source), "police")
    assert len(loaded.panel.time_T) == 4 * 4  # from 28 February, a leap year's
    assert loaded.panel.mask_TNF.all()
    assert loaded.panel.values_TNF.sum() == 2
    notes = {finding.what: finding for finding in loaded.findings}
    assert notes["not-recorded"].count == 4
    assert notes["quiet-cells"].count == 11
    assert "constant" not in notes


@pytest.mark.parametrize(
    ("zone", "day", "hour"),
    [("Europe/Berlin", "2024-03-31", 23), ("America/New_York", "2024-11-03", 0)],
)
def test_a_day_is_the_date_on_the_wall(zone, day, hour, tmp_path):
    times = [f"{day} {hour:02d}:30:00", f"{day} 12:00:00", "2024-03-29 00:00:00"]
    rows = [(time, "fire", 48.01, 11.01) for time in [*times, "2024-11-05 23:59:59"]]
    source = SOURCE.replace(', zone = "UTC"', "") + "\nrecorded = [2024-03-29, 2024-11-05]"
    panel = load_panel(write(tmp_path, rows, source=source, step="1d", zone=zone), "police")
    local = panel.clock.local_seconds(panel.time_T) // 86_400
    dates = np.datetime64("1970-01-01") + local
    busy = panel.values_TNF.sum(axis=(1, 2))
    assert dict(zip(dates[busy > 0].astype(str), busy[busy > 0], strict=True))[day] == 2


def test_events_at_named_places_and_sums_of_a_column(tmp_path):
    rows = [("2024-03-01 00:10", "fire", 2, "north"), ("2024-03-01 00:20", "fire", 3, "north")]
    rows += [("2024-03-01 07:00", "fire", 4, "south"), ("2024-03-01 08:00", "fire", 5, "west")]
    source = 'place = "lon"\ntime = { column = "time" }'
    fields = (
        FIELDS
        + '{ name = "hurt", kind = "count", unit = "people", source = "records", column = "lat" }'
    )
    city = write(tmp_path, rows, source=source, fields=fields, places='places = ["north", "south"]')
    loaded = load_with_findings(city, "police")
    assert loaded.panel.values_TNF[:, :, 1].tolist() == [[2, 0], [0, 1]]
    assert loaded.panel.values_TNF[:, :, 2].tolist() == [[5, 0], [0, 4]]
    assert {f.what: f.count for f in loaded.findings}["other-places"] == 1
    everywhere = write(tmp_path, rows, source=source, fields=fields, places='places = "all"')
    assert [p.id for p in everywhere.city.agencies[0].places] == ["north", "south", "west"]


def test_h3_cells_in_which_something_happened(tmp_path):
    events = [(900 * n, "fire", 48.01 + n / 50, 11.01) for n in range(3)]
    city = write(tmp_path, texts([*events, *events]), places="grid = { h3 = 8 }", step="15min")
    places = city.city.agencies[0].places
    assert {p.id for p in places} == {h3.latlng_to_cell(lat, lon, 8) for _, _, lat, lon in events}
    panel = load_panel(city, "police")
    assert panel.values_TNF[:, :, 1].sum(axis=1).tolist() == [2, 2, 2]
    assert panel.values_TNF[:, :, 1].max(axis=0).tolist() == [2, 2, 2]
    boxed = f"grid = {{ h3 = 7, box = {list(BOX)} }}"
    cells = write(tmp_path, texts(events), places=boxed).city.agencies[0].places
    assert {h3.latlng_to_cell(lat, lon, 7) for _, _, lat, lon in events} <= {p.id for p in cells}


@given(st.floats(*BOX[::2]), st.floats(*BOX[1::2]), st.sampled_from(["700m", "3km", "12.5km"]))
def test_a_point_lies_within_half_a_cell_of_its_cell_s_middle(lat, lon, size):
    grid = GridSettings(cell=size, box=BOX)
    places = cells_in_box(grid)
    assert len(places) == grid.shape[0] * grid.shape[1]
    number = cell_numbers(grid, {}, np.array([lat, np.nan, 40]), np.array([lon, 11.1, 11.1]))
    assert number.tolist()[1:] == [-1, -1]
    place = places[int(number[0])]
    high, wide = grid.size_deg
    assert abs(place.lat - lat) <= high / 2 + 1e-9
    assert abs(place.lon - lon) <= wide / 2 + 1e-9
    metres = float(size.removesuffix("km").removesuffix("m")) * (1000 if "km" in size else 1)
    across = h3.great_circle_distance((48.045, 11), (48.045, 11 + wide), unit="m")
    assert across == pytest.approx(metres, rel=1e-3)


def test_a_mistyped_year_is_reported(tmp_path):
    rows = texts([(0, "fire", 48.01, 11.01), (9000, "fire", 48.01, 11.01)])
    rows.append(("2042-03-01 00:00:00", *rows[0][1:]))
    with pytest.raises(DataError, match=r"2042.*mistyped year, or state recorded"):
        load_panel(write(tmp_path, rows, step="1h"), "police")


def test_a_long_silence_is_reported(tmp_path):
    busy = [(s, "fire", 48.01, 11.01) for s in range(0, 86_400, 3600)]
    later = [(s + 5 * 86_400, *rest) for s, *rest in busy]
    loaded = load_with_findings(write(tmp_path, texts([*busy, *later]), step="1h"), "police")
    (reported,) = [finding for finding in loaded.findings if finding.what == "silence"]
    assert reported.count == 4 * 24
    assert "4d from 2024-03-02 00:00" in reported.text


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        (
            {"source": SOURCE.replace('"lat"', '"lta"')},
            "no such column in records.csv. Did you mean 'lat'",
        ),
        (
            {"fields": FIELDS.replace("what =", "waht =")},
            "no such column in records.csv. Did you mean 'what'",
        ),
        ({"fields": FIELDS.replace('"count"', '"level"').replace("offences", "m")}, "not additive"),
        ({"source": SOURCE + '\nmissing = ["?"]'}, r"'nowhere': not a number \(row 3\)"),
    ],
)
def test_events_that_cannot_be_counted(changes, reported, tmp_path):
    rows = [
        ("2024-03-01 00:10", "fire", "48.01", "11.01"),
        ("2024-03-01 00:20", "fire", "nowhere", "11"),
    ]
    with pytest.raises(DataError, match=reported):
        load_panel(write(tmp_path, rows, **changes), "police")


@pytest.mark.parametrize(
    ("changes", "reported"),
    [
        ({"source": 'time = { column = "time" }'}, "events need a place column or a position"),
        ({"source": SOURCE.replace('lon = "lon"', "")}, "events need a place column or a position"),
        ({"source": SOURCE + '\nstays = "1d"'}, "counts of events are not carried forward"),
        ({"source": SOURCE + "\nrecorded = [2024-02-28, 2024-02-02]"}, "the last day is before"),
        ({"places": 'places = ["a"]'}, "events with positions need a grid"),
        ({"places": ""}, "places: missing"),
        ({"places": GRID + '\nplaces = "all"'}, "cells are the places"),
        ({"places": 'grid = { cell = "3 miles", box = [1, 2, 3, 4] }'}, "not a length"),
        ({"places": 'grid = { cell = "3km" }'}, "it sets the area of the grid"),
        ({"places": 'grid = { cell = "3km", h3 = 4 }'}, "a grid needs one cell size"),
        ({"places": 'grid = { cell = "1m", box = [1, 2, 3, 4] }'}, "Choose larger cells"),
        (
            {"places": 'grid = { cell = "1km", box = [3, 2, 1, 4] }'},
            "south must be less than north",
        ),
    ],
)
def test_what_is_wrong_with_a_grid_is_reported(changes, reported, tmp_path):
    with pytest.raises(ConfigError, match=reported) as caught:
        write(tmp_path, texts([(0, "fire", 48.0, 11.0)]), **changes)
    assert all(problem.right for problem in caught.value.problems)


def test_events_of_a_folder_of_formats(tmp_path: Path):
    rows = texts([(0, "fire", 48.01, 11.01), (86_400, "theft", 48.05, 11.11)])
    frame = pl.DataFrame(rows, schema=["time", "what", "lat", "lon"], orient="row")
    expected = load_panel(write(tmp_path, rows), "police").values_TNF
    frame.write_parquet(tmp_path / "records.parquet")
    file = tmp_path / "town.toml"
    text = file.read_text(encoding="utf-8")
    text = text.replace('"csv"', '"parquet"').replace("records.csv", "records.parquet")
    file.write_text(text, encoding="utf-8")
    np.testing.assert_array_equal(load_panel(load_city(file), "police").values_TNF, expected)
