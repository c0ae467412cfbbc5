"""Timetables by GTFS: departures past midnight, on days of clock changes, exceptions, bad rows."""

import zipfile
from datetime import UTC, datetime

import connector_contract as contract
import polars as pl
import pytest

from deepcity.data.connectors import connectors, read_table
from deepcity.data.connectors.gtfs import GtfsSettings
from deepcity.data.errors import ReadError

FEED = {
    "agency.txt": "agency_name,agency_timezone\nBus,Europe/Rome\n",
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon\na,A,45,9\nb,B,45.1,9\nc,C,,\n",
    "routes.txt": "route_id,route_short_name\nr,1\n",
    "trips.txt": "trip_id,route_id,service_id\nt,r,all\nnight,r,all\nextra,r,once\n",
    "stop_times.txt": "trip_id,stop_id,stop_sequence,departure_time,arrival_time\n"
    "t,a,1,08:05:00,\nt,b,2,,\nt,c,3,08:45:00,\n"
    "night,a,1,23:50:00,\nnight,b,2,25:10:00,\nnight,c,3,25:20:00,\n"
    "extra,a,1,08:10:00,\nextra,b,2,08:20:00,\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,"
    "start_date,end_date\nall,1,1,1,1,1,1,1,20240329,20240402\n",
    "calendar_dates.txt": "service_id,date,exception_type\nall,20240401,2\nonce,20240401,1\n",
}


def feed(folder, **changes):
    for name, text in (FEED | {f"{key}.txt": text for key, text in changes.items()}).items():
        (folder / name).write_text(text)
    return {"name": "bus", "path": str(folder), "time": {"column": "time", "step": "1h"}}


def departures(settings, folder, place):
    frame = read_table(GtfsSettings.model_validate(settings), folder).frame
    some = frame.filter((pl.col("place") == place) & (pl.col("departures") > 0))
    return {f"{time:%d %H}": n for time, n in some.select("time", "departures").rows()}


def test_hours_past_midnight_exceptions_and_the_day_of_a_clock_change(tmp_path):
    found = departures(feed(tmp_path), tmp_path, "b")  # in UTC: Rome is +1, from the 31st on +2
    # 08:25 (between two stated times) and 01:10 of the day after; on the 31st 25:10 is 01:10 of
    # the 1st; no service on the 1st but one extra trip, whose last stop b is.
    assert found == {
        "29 07": 1, "30 00": 1, "30 07": 1, "31 00": 1, "31 06": 1, "31 23": 1, "02 06": 1,
    }  # fmt: skip
    assert departures(feed(tmp_path), tmp_path, "a")["01 06"] == 1


def test_frequencies_repeat_a_trip_and_routes_count_its_starts(tmp_path):
    text = "trip_id,start_time,end_time,headway_secs\nt,08:00:00,09:00:00,1200\n"
    keys = feed(tmp_path, frequencies=text) | {"first": "2024-03-29", "last": "2024-03-29"}
    assert departures(keys, tmp_path, "a") == {"29 07": 3, "29 22": 1}
    assert departures(keys, tmp_path, "b") == {"29 07": 2, "29 08": 1}
    assert departures(keys | {"by": "route"}, tmp_path, "r") == {"29 07": 3, "29 22": 1}


def test_every_bad_row_is_named_or_left_out(tmp_path):
    times = FEED["stop_times.txt"] + "t,x,4,9:99,\nghost,a,1,08:00:00,\n"
    keys = feed(tmp_path, stop_times=times, trips=FEED["trips.txt"] + "u,r,never\n")
    with pytest.raises(ReadError) as refused:
        read_table(GtfsSettings.model_validate(keys), tmp_path)
    for part in ("stop_times.txt, row 10", "'x'", "row 11", "'ghost'", "trips.txt, row 5"):
        assert part in refused.value.reason
    found = departures(keys | {"broken_rows": "drop"}, tmp_path, "a")
    assert found == departures(feed(tmp_path), tmp_path, "a")


def test_the_contract_and_a_zip_that_is_too_large_or_damaged(tmp_path):
    folder, nowhere = tmp_path / "feed", tmp_path / "nowhere"
    folder.mkdir()
    nowhere.mkdir()
    feed(folder)
    with zipfile.ZipFile(tmp_path / "bus.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name in FEED:
            archive.write(folder / name, name)
    source = GtfsSettings(name="bus", path="bus.zip")
    contract.check(connectors()["gtfs"], source, tmp_path, nowhere)
    assert read_table(source, tmp_path).frame["time"][0] == datetime(2024, 3, 28, 23, tzinfo=UTC)
    small = source.model_copy(update={"max_unpacked_mb": 0.0001})
    for one, cut in ((small, None), (source, 200)):
        (tmp_path / "bus.zip").write_bytes((tmp_path / "bus.zip").read_bytes()[:cut])
        with pytest.raises(ReadError):
            read_table(one, tmp_path)
