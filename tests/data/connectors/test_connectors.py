"""One panel, whatever the format and the layout of the records."""

import gzip
import sqlite3
from pathlib import Path

import connector_contract as contract
import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.city.errors import ConfigError, DataError
from deepcity.data.city_file import load_panel
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.connectors import (
    connector_for,
    connectors,
    parquet,
    read_batches,
)
from deepcity.data.connectors.parquet import ParquetSettings
from deepcity.data.tables.numbers import read_numbers

pytest_plugins = ["towns"]

TIMES = [f"2024-05-0{day} {hour:02d}:00" for day in (1, 2) for hour in range(24)]
FRAME = pl.DataFrame(
    {
        "time": TIMES,
        "a": [None if i == 3 else i / 4 for i in range(48)],
        "b": [float(i % 7) for i in range(48)],
    }
)
TIME = 'time = { column = "time" }'


def write_csv(folder):
    FRAME.write_csv(folder / "records.csv")
    return f'format = "csv"\npath = "records.csv"\n{TIME}'


def write_gzip(folder):
    (folder / "r.csv.gz").write_bytes(gzip.compress(FRAME.write_csv(separator=";").encode()))
    return f'format = "csv"\npath = "r.csv.gz"\ndelimiter = ";"\n{TIME}'


def write_parquet(folder):
    FRAME.with_columns(pl.col("time").str.to_datetime("%Y-%m-%d %H:%M")).write_parquet(
        folder / "r.parquet"
    )
    return f'format = "parquet"\npath = "r.parquet"\n{TIME}'


def write_excel(folder):
    openpyxl = pytest.importorskip("openpyxl")
    workbook = openpyxl.Workbook()
    workbook.active.append(FRAME.columns)
    for row in FRAME.with_columns(pl.col("time").str.to_datetime("%Y-%m-%d %H:%M")).rows():
        workbook.active.append(row)
    workbook.save(folder / "r.xlsx")
    return f'format = "excel"\npath = "r.xlsx"\n{TIME}'


def write_sql(folder):
    connection = sqlite3.connect(folder / "r.db")
    connection.execute("create table flows (time text, a real, b real)")
    connection.executemany("insert into flows values (?, ?, ?)", FRAME.rows())
    connection.commit()
    connection.close()
    return (
        'format = "sql"\nurl = "sqlite:///r.db"\n'
        f'query = "select * from flows order by time"\n{TIME}'
    )


def write_long(folder):
    long = FRAME.unpivot(index="time", variable_name="station", value_name="flow")
    long.sample(fraction=1.0, shuffle=True, seed=3).write_csv(folder / "long.csv")
    return f'format = "csv"\npath = "long.csv"\nlayout = "long"\nplace = "station"\n{TIME}'


WRITERS = [write_csv, write_gzip, write_parquet, write_excel, write_sql, write_long]


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_gives_the_same_panel(write, town, tmp_path):
    source = write(tmp_path)
    city = town(source=source) if write is not write_csv else town(FRAME.write_csv(), source=source)
    panel = load_panel(city, "office")
    assert [place.id for place in panel.places] == ["a", "b"]
    assert panel.time_T[0] == 1_714_521_600
    expected = FRAME.select("a", "b").fill_null(float("nan")).to_numpy().astype(np.float32)
    np.testing.assert_array_equal(panel.values_TNF[:, :, 0], expected)


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_can_find_its_places(write, town, tmp_path):
    source = write(tmp_path)
    records = FRAME.write_csv() if write is write_csv else ""
    city = town(records, source=source, places='"all"')
    assert {place.id for place in city.city.agencies[0].places} == {"a", "b"}


@pytest.mark.parametrize("write", WRITERS)
def test_every_format_keeps_the_contract_of_reading(write, town, tmp_path):
    source = write(tmp_path)
    city = town(FRAME.write_csv(), source=source) if write is write_csv else town(source=source)
    nowhere = tmp_path / "nowhere"
    nowhere.mkdir()
    found = city.sources["records"]
    contract.check(connectors()[found.format], found, tmp_path, nowhere)


def test_every_connector_keeps_the_contract():
    for connector in connectors().values():
        contract.check_facts(connector)
    assert set(connectors()) >= {"csv", "parquet", "excel", "sql"}


@pytest.mark.parametrize("name", ["r.csv", "r.csv.gz", "r.parquet", "r.xlsx"])
@pytest.mark.parametrize("content", [b"", b"\x1f\x8b\x08broken", b"PK\x03\x04no", b"\xff\xfe\x00"])
def test_broken_files_are_reported_not_raised(name, content, town, tmp_path):
    (tmp_path / name).write_bytes(content)
    form = connector_for(Path(name)).name
    city = town(source=f'format = "{form}"\npath = "{name}"\n{TIME}')
    with pytest.raises(DataError, match=name):
        load_panel(city, "office")


def test_passwords_stay_in_the_environment(town, monkeypatch):
    source = f'format = "sql"\nurl = "sqlite:///${{WHERE}}"\nquery = "select"\n{TIME}'
    with pytest.raises(ConfigError, match="export WHERE"):
        town(source=source)
    monkeypatch.setenv("WHERE", "top-secret.db")
    with pytest.raises(ConfigError, match="no such database file"):
        town(source=source)


def test_a_refused_query_is_reported_without_the_url(town, tmp_path, monkeypatch):
    write_sql(tmp_path)
    monkeypatch.setenv("WHERE", "r.db")
    source = (
        f'format = "sql"\nurl = "sqlite:///${{WHERE}}"\nquery = "select absent from flows"\n{TIME}'
    )
    with pytest.raises(DataError, match="no such column: absent") as caught:
        load_panel(town(source=source), "office")
    assert "r.db" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense", "oracle9://x", "mysql+nodriver://x/y"])
def test_a_url_that_cannot_be_used(url, town):
    with pytest.raises(ConfigError, match="url"):
        town(source=f'format = "sql"\nurl = "{url}"\nquery = "select 1"\n{TIME}')


def test_mixed_types_of_a_database_are_reported_by_row(town, tmp_path):
    source = write_sql(tmp_path)
    connection = sqlite3.connect(tmp_path / "r.db")
    connection.execute("update flows set b = 'broken' where time = '2024-05-01 02:00'")
    connection.commit()
    connection.close()
    with pytest.raises(DataError, match=r"'broken': not a number \(row 3\)"):
        load_panel(town(source=source), "office")


def test_a_matrix_without_header_or_times(town):
    source = (
        'format = "csv"\npath = "records.csv"\nheader = false\n'
        'time = { start = 2024-05-01T00:00:00, step = "1h" }'
    )
    panel = load_panel(town("1,2\n3,4\n5,6\n", source=source, places='"all"'), "office")
    assert panel.values_TNF[:, :, 0].tolist() == [[1, 2], [3, 4], [5, 6]]
    assert panel.time_T[0] == 1_714_521_600


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(
        st.lists(st.none() | st.floats(-1e6, 1e6, width=32), min_size=2, max_size=2),
        min_size=3,
        max_size=30,
    )
)
def test_wide_and_long_tables_of_the_same_values_agree(rows, town):
    frame = pl.DataFrame(rows, schema={"a": pl.Float64, "b": pl.Float64}, orient="row")
    frame = frame.with_columns(
        time=pl.Series([f"2024-05-0{1 + i // 24} {i % 24}:00" for i in range(len(rows))])
    )
    wide = load_panel(town(frame.write_csv()), "office")
    long = frame.unpivot(index="time", variable_name="station", value_name="flow")
    source = f'format = "csv"\npath = "records.csv"\nlayout = "long"\nplace = "station"\n{TIME}'
    other = load_panel(town(long.write_csv(), source=source), "office")
    np.testing.assert_array_equal(wide.time_T, other.time_T)
    np.testing.assert_array_equal(wide.values_TNF, other.values_TNF)
    expected = np.array(rows, dtype=np.float64).astype(np.float32)
    np.testing.assert_array_equal(wide.values_TNF[:, :, 0], expected)


def test_numbers_of_any_cell():
    cells = ["1.5", " 2 ", "NA", "", None, "inf", "-inf", "NaN", "three", "1e3"]
    numbers = read_numbers(pl.Series(cells, dtype=pl.String), NumberStyle())
    expected = [1.5, 2, *[np.nan] * 7, 1000]
    np.testing.assert_array_equal(numbers.values_R, expected)
    assert (numbers.bad.tolist(), numbers.infinite.tolist()) == ([8], [5, 6])


def positions(lat="51.5", name="name"):
    more = '\n[[source]]\nname = "map"\nformat = "csv"\npath = "map.csv"\n'
    where = f'\nplaces_from = {{ source = "map", id = "{name}", lat = "y", lon = "x" }}'
    return {
        "source": TIME_SOURCE + more,
        "places": f'["a", "b"]{where}',
    }, f"name,y,x\na,{lat},-0.1\n"


TIME_SOURCE = f'format = "csv"\npath = "records.csv"\n{TIME}'


@pytest.mark.parametrize(
    ("lat", "name", "message"),
    [
        ("51.5", "name", "'b': not found in places_from"),
        ("95", "name", "latitude or longitude out of range"),
        ("north", "name", "'north': not a number"),
        ("51.5", "nam", "no such column. Did you mean 'name'?"),
    ],
)
def test_positions_that_are_not_there(lat, name, message, town, tmp_path):
    settings_, content = positions(lat, name)
    (tmp_path / "map.csv").write_text(content, encoding="utf-8")
    with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
        town(FRAME.write_csv(), **settings_)


def test_positions_from_another_source(town, tmp_path):
    settings_, content = positions()
    (tmp_path / "map.csv").write_text(content + "b,51.6,-0.2\n", encoding="utf-8")
    places = town(FRAME.write_csv(), **settings_).city.agencies[0].places
    assert [(place.lat, place.lon) for place in places] == [(51.5, -0.1), (51.6, -0.2)]


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(height=st.integers(1, 40), group=st.integers(1, 90), cells=st.integers(1, 60))
def test_a_parquet_file_of_one_row_group_is_read_by_columns(height, group, cells, tmp_path):
    """However few cells are decoded, or handed on, together."""
    frame = pl.DataFrame(
        {
            "time": [f"t{n}" for n in range(height)],
            "a": range(height),
            "b": [None if n % 3 else n / 7 for n in range(height)],
        }
    )
    frame.write_parquet(tmp_path / "g.parquet", row_group_size=height)
    source = ParquetSettings(name="g", path="g.parquet")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "GROUP_CELLS", group)
        patch.setattr("deepcity.data.connectors.BATCH_CELLS", cells)
        tables = list(read_batches(source, tmp_path, ["b", "time", "a"]))
    assert pl.concat([t.frame for t in tables]).equals(frame.select("b", "time", "a"))
    sizes = [table.frame.height for table in tables]
    assert max(sizes) <= max(1, cells // 3)
    assert [table.first_row for table in tables] == (1 + np.cumsum([0, *sizes])[:-1]).tolist()
