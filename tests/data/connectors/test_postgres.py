"""Records in a real PostgreSQL, started for these tests and stopped with them."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from sqlalchemy import create_engine, text

from deepcity.city.errors import DataError
from deepcity.data import connectors
from deepcity.data.city_file import load_panel

pytest_plugins = ["towns"]

START = datetime(2024, 5, 1, tzinfo=UTC)
VALUES = np.arange(96.0).reshape(48, 2)
SOURCE = 'format = "sql"\nurl = "${TOWN_RECORDS}"\n'
WIDE = 'query = "select at, a, b from flows order by at"\ntime = { column = "at" }'
LONG = (
    'query = "select at, station, flow from readings"\nlayout = "long"\nplace = "station"\n'
    'time = { column = "at", zone = "Europe/Berlin", duplicates = "error" }'
)


@pytest.fixture(scope="module")
def url(postgres):
    """As SQLAlchemy takes it."""
    return postgres.get_uri().replace("postgresql://", "postgresql+psycopg://", 1)


@pytest.fixture
def records(url, monkeypatch):
    monkeypatch.setenv("TOWN_RECORDS", url)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("drop table if exists flows, readings, calls"))
        connection.execute(
            text("create table flows (at timestamptz primary key, a numeric(8, 2), b real)")
        )
        connection.execute(text("create table readings (at timestamp, station text, flow float8)"))
        for hour, (a, b) in enumerate(VALUES.tolist()):
            at = START + timedelta(hours=hour)
            row = {"at": at, "a": None if hour == 3 else a, "b": b}
            connection.execute(text("insert into flows values (:at, :a, :b)"), row)
            local = (at + timedelta(hours=2)).replace(tzinfo=None)  # Berlin's summer, no offset
            for station, value in row.items():
                if station != "at":
                    reported = {"at": local, "station": station, "flow": value}
                    connection.execute(
                        text("insert into readings values (:at, :station, :flow)"), reported
                    )
    yield engine
    engine.dispose()


def expected():
    values = VALUES.copy()
    values[3, 0] = np.nan
    return values


@pytest.mark.parametrize("query", [WIDE, LONG])
@pytest.mark.parametrize("places", ['["a", "b"]', '"all"'])
@pytest.mark.parametrize("batch", [7, 500_000])
def test_tables_of_a_database(query, places, batch, records, town, monkeypatch):
    monkeypatch.setattr(connectors, "BATCH_ROWS", batch)
    panel = load_panel(town(source=SOURCE + query, places=places), "office")
    assert panel.time_T[0] == int(START.timestamp())
    assert sorted(place.id for place in panel.places) == ["a", "b"]
    order = [[place.id for place in panel.places].index(name) for name in "ab"]
    np.testing.assert_array_equal(panel.values_TNF[:, order, 0], expected())


def test_events_of_a_database(records, town):
    with records.begin() as connection:
        connection.execute(text("create table calls (at timestamptz, station text)"))
        for hour in (0, 0, 5, 9):
            row = {"at": START + timedelta(hours=hour)}
            connection.execute(text("insert into calls values (:at, 'a')"), row)
    source = (
        f'{SOURCE}query = "select * from calls"\nlayout = "events"\nplace = "station"\n'
        'time = { column = "at" }'
    )
    fields = '[{ name = "calls", kind = "count", unit = "calls", source = "records" }]'
    panel = load_panel(town(source=source, fields=fields, places='"all"'), "office")
    assert panel.values_TNF[:, 0, 0].tolist() == [2, 0, 0, 0, 0, 1, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("query", "reported"),
    [
        ("select nothing from flows", 'column "nothing" does not exist'),
        ("select at, a as x, b from flows", "places = 'a': no such column in records"),
        ("delete from flows returning at, a, b; select", "the database reported"),
    ],
)
def test_what_the_database_refuses_is_reported_without_its_address(
    query, reported, records, town, url
):
    source = f'{SOURCE}query = "{query}"\ntime = {{ column = "at" }}'
    with pytest.raises(DataError, match=reported) as caught:
        load_panel(town(source=source), "office")
    assert url not in str(caught.value)
