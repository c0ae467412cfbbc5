"""GTFS and GTFS-realtime as nobody should send them: named errors alone, within bounded memory."""

import io
import tracemalloc
import zipfile
import zlib

import pytest
from google.transit import gtfs_realtime_pb2 as messages
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from deepcity.data.connectors import read_table
from deepcity.data.connectors.gtfs import GtfsSettings
from deepcity.data.connectors.gtfs_realtime import GtfsRealtimeSettings, snapshot
from deepcity.data.errors import ReadError
from deepcity.data.feeds.polled import _unpacker
from deepcity.data.feeds.protobuf_fields import message_fields

DAYS = "monday,tuesday,wednesday,thursday,friday,saturday,sunday"
FILES = {
    "agency.txt": "agency_name,agency_timezone\nBus,Europe/Rome\n",
    "stops.txt": "stop_id,stop_lat,stop_lon\na,45,9\nb,45.1,9\n",
    "routes.txt": "route_id\nr\n",
    "trips.txt": "trip_id,route_id,service_id\nt,r,all\n",
    "stop_times.txt": "trip_id,stop_id,stop_sequence,departure_time,arrival_time\n"
    "t,a,1,08:05:00,08:05:00\nt,b,2,25:10:00,25:10:00\n",
    "calendar.txt": f"service_id,{DAYS},start_date,end_date\nall,1,1,1,1,1,1,1,20240329,20240330\n",
    "frequencies.txt": "trip_id,start_time,end_time,headway_secs\nt,08:00:00,09:00:00,1200\n",
}
MUTATED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
edits = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), min_size=1, max_size=6)


def edited(content, changes):
    """Some bytes are other ones; a change past the end cuts there."""
    found = bytearray(content)
    for at, byte in changes:
        if byte == 255:
            del found[at % (len(found) + 1) :]
        elif found:
            found[at % len(found)] = byte
    return bytes(found)


def checked(error):
    """None, for a refusal that says why and what to do."""
    assert error.reason
    assert error.right


def zipped(files, how=zipfile.ZIP_DEFLATED):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", how) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return packed.getvalue()


def read(folder, content, **more):
    """The rows of a zip file, or None where it was refused."""
    (folder / "feed.zip").write_bytes(content)
    keys = {"name": "bus", "path": "feed.zip", "time": {"column": "time", "step": "1h"}, **more}
    try:
        return read_table(GtfsSettings.model_validate(keys), folder).frame.height
    except ReadError as error:
        return checked(error)


@given(edits)
@MUTATED
def test_a_zip_file_with_other_bytes_is_read_or_refused(tmp_path, changes):
    read(tmp_path, edited(zipped(FILES), changes))


@given(st.sampled_from(sorted(FILES)), edits, st.sampled_from(["refuse", "drop"]))
@MUTATED
def test_a_file_of_a_timetable_with_other_bytes_is_read_or_refused(tmp_path, name, changes, rows):
    files = {**FILES, name: edited(FILES[name].encode(), changes)}
    more = {} if rows == "refuse" else {"broken_rows": rows}
    read(tmp_path, zipped(files, zipfile.ZIP_STORED), **more)


def test_bombs_are_refused_before_they_are_unpacked(tmp_path):
    assert read(tmp_path, zipped(FILES)) > 0
    large = zipped({**FILES, "shapes.txt": b"", "stops.txt": b"\n" * 30_000_000})
    assert len(large) < 100_000
    tracemalloc.start()
    assert read(tmp_path, large, max_unpacked_mb=20) is None
    lies = large.replace((30_000_000).to_bytes(4, "little"), (60).to_bytes(4, "little"))
    assert lies != large
    assert read(tmp_path, lies, max_unpacked_mb=20) is None
    assert tracemalloc.get_traced_memory()[1] < 20e6
    tracemalloc.stop()
    assert read(tmp_path, zipped(FILES, zipfile.ZIP_LZMA)) is None


def realtime():
    feed = messages.FeedMessage()
    feed.header.gtfs_realtime_version, feed.header.timestamp = "2.0", 1_714_600_000
    for number in range(3):
        entity = feed.entity.add(id=str(number))
        entity.trip_update.trip.route_id = f"r{number}"
        stop = entity.trip_update.stop_time_update.add(stop_id="a")
        stop.arrival.delay = 60 * number
        entity.vehicle.trip.route_id, entity.vehicle.stop_id = f"r{number}", "a"
    return feed.SerializeToString()


def rows_of(folder, content, by="route"):
    """The rows of a feed, or None where it was refused."""
    (folder / "feed.pb").write_bytes(content)
    keys = {"name": "records", "format": "gtfs_realtime", "url": "feed.pb", "by": by}
    keys |= {"time": {"column": "time"}, "place": by}
    try:
        return snapshot(GtfsRealtimeSettings.model_validate(keys), folder, 0)
    except ReadError as error:
        return checked(error)


@given(edits, st.sampled_from(["route", "stop"]))
@settings(MUTATED, max_examples=300)
def test_a_realtime_feed_with_other_bytes_is_rows_or_refused(tmp_path, changes, by):
    for row in rows_of(tmp_path, edited(realtime(), changes), by) or ():
        assert all(isinstance(cell, str) and cell.encode() is not None for cell in row.values())


@given(st.binary(max_size=400))
@settings(MUTATED, max_examples=200)
def test_any_bytes_are_fields_or_refused(tmp_path, content):
    rows_of(tmp_path, content)
    try:
        found = list(message_fields(content))
    except ValueError:
        return
    assert sum(len(one) for _, one in found) <= len(content)


def test_a_feed_of_millions_of_empty_parts_is_refused_within_bounded_memory(tmp_path):
    """Parsed as one, its few bytes would be gigabytes."""
    whole = realtime()
    assert [one["vehicles"] for one in rows_of(tmp_path, whole)] == ["1", "1", "1"]
    many = whole + b"\x12\x02\x0a\x00" * 300_000
    inner = b"\x0a\x00\x1a\xc0\x84\x3d" + b"\x12\x00" * 500_000
    deep = whole + b"\x12" + varint(len(inner)) + inner
    for content in (many, deep):
        assert rows_of(tmp_path, content) is None


def varint(number):
    found = b""
    while number > 127:
        found, number = found + bytes([number & 127 | 128]), number >> 7
    return found + bytes([number])


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "deflate", "zstd"])
def test_an_answer_that_is_packed_twice_or_strangely_is_refused(encoding):
    with pytest.raises(ReadError, match="packed as"):
        _unpacker("http://feed", encoding, 1_000)


def test_of_a_packed_answer_no_more_than_is_allowed_is_unpacked():
    packer = zlib.compressobj(wbits=31)
    bomb = packer.compress(b"\0" * 50_000_000) + packer.flush()
    assert len(_unpacker("http://feed", "GZIP", 1_000)(bomb)) == 1_001
    plain = packer_of(b"rows")
    assert _unpacker("http://feed", "gzip", 1_000)(plain) == b"rows"
    with pytest.raises(ReadError, match="broken gzip"):
        _unpacker("http://feed", "gzip", 1_000)(b"no gzip")


def packer_of(content):
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush()
