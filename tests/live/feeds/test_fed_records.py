"""Rows taken as they come are the rows read whole, and old ones are not read again."""

import json
import os
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
import towns
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.errors import DataError
from deepcity.data.city_file import check_city, empty_panel, load_panel
from deepcity.data.follow.follow_source import SourceFollower
from deepcity.live.feeds.fed_records import FedRecords, fed_records
from deepcity.live.feeds.row_door import open_door
from deepcity.live.feeds.row_reader import RowReader
from deepcity.live.node.open_node import sources_of
from deepcity.live.node.records.agency_records import merged
from deepcity.live.node.records.record_sources import FollowedRecords

PUSH = 'format = "push"\nplace = "station"'
BEGIN = 1_714_600_800  # 2024-05-01 22:00 UTC
HOUR = 3600


class Town:
    """A city file with a feed, its door, and what a node reads of it."""

    def __init__(self, folder, source=PUSH, **more):
        path = folder / "town.toml"
        path.write_text(towns.toml(source=source, **more), encoding="utf-8")
        self.folder = folder
        self.city_file, problems = check_city(path, later=True)
        assert not problems
        self.now_s = BEGIN
        self.door = open_door(self.city_file, "records", lambda: self.now_s)
        self.panel = empty_panel(self.city_file, "office")
        self.open()

    def open(self):
        """As at the start of a node."""
        self.records = sources_of((), self.city_file, self.folder / "spool", replay=False)["office"]
        whole = FollowedRecords(SourceFollower(self.city_file, "office", self.folder / "whole"))
        self.fed = fed_records(self.city_file, "office", self.folder / "fed", whole)

    def put(self, *rows):
        body = [
            {"time": datetime.fromtimestamp(at, UTC).isoformat(), "station": place, "flow": flow}
            for at, place, flow in rows
        ]
        self.door.put(json.dumps(body).encode(), csv=False)

    def take(self, now_s=None):
        """Let a node look until nothing is new; gives how many steps it was handed."""
        taken = 0
        while (found := self.fed.poll(now_s or self.now_s)) is not None:
            taken += len(found.time_T)
            self.panel = merged(self.panel, found)
        return taken

    def close(self):
        self.fed.close()
        self.door.spool.close()


@pytest.fixture
def town(tmp_path):
    opened = []

    def make(**more):
        opened.append(Town(tmp_path, **more))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def same_as_whole(one):
    """What a node holds is what all rows give, as far as their steps are over."""
    whole = load_panel(one.city_file, "office")
    whole = whole.between(0, one.now_s - whole.clock.step_s + 1)
    known = whole.mask_TNF.any(axis=(1, 2))
    held = dict(zip(one.panel.time_T.tolist(), one.panel.values_TNF, strict=True))
    for at, values in zip(whole.time_T[known].tolist(), whole.values_TNF[known], strict=True):
        np.testing.assert_allclose(held.pop(at), values, rtol=1e-6)
    assert all(np.isnan(values).all() for values in held.values())


SHAPES = {
    "hourly": {},
    "day": {"step": "1d"},
    "quarters": {"step": "15min", "zone": "Asia/Kathmandu"},
    "ends": {"source": PUSH + '\ntime = { column = "time", stamp = "end" }', "zone": "Asia/Seoul"},
    "sums": {
        "source": PUSH + '\ntime = { column = "time", duplicates = "sum" }',
        "fields": '[{ name = "flow", kind = "count", unit = "1", source = "records" }]',
    },
}
rows = st.tuples(
    st.one_of(st.integers(-30, 12), st.integers(-2000, 0)),  # quarters of an hour: now, or late
    st.sampled_from("ab"),
    st.one_of(st.none(), st.integers(0, 9)),
)


@pytest.mark.parametrize("shape", SHAPES)
@settings(deadline=None, max_examples=4)
@given(data=st.data())
def test_whatever_comes_whenever_it_is_as_if_read_whole(shape, data):
    with TemporaryDirectory() as name, closing(Town(Path(name), **SHAPES[shape])) as town:
        for _ in range(data.draw(st.integers(1, 4))):
            batch = data.draw(st.lists(rows, min_size=1, max_size=6))
            town.put(*((town.now_s + 900 * at, place, flow) for at, place, flow in batch))
            town.now_s += data.draw(st.sampled_from([0, 900, HOUR, 30 * HOUR]))
            if data.draw(st.booleans()):
                town.take()
            if data.draw(st.integers(0, 3)) == 0:
                town.fed.close()
                town.open()
        town.take()
        town.now_s += 3 * 86_400  # all steps are over
        town.take()
        assert not town.fed._only_whole
        if town.panel.mask_TNF.any():
            same_as_whole(town)


def hourly(first, count):
    hours = range(first, first + count)
    return [(BEGIN + hour * HOUR, place, hour) for hour in hours for place in "ab"]


def test_old_rows_are_not_read_again(town, monkeypatch):
    one = town()
    one.put(*hourly(-300, 300))
    assert one.take() >= 300
    read = []
    lines = RowReader._lines
    monkeypatch.setattr(
        RowReader,
        "_lines",
        lambda self, begin, end: (read.append(line) or line for line in lines(self, begin, end)),
    )
    one.put(*hourly(0, 1))
    one.now_s += HOUR
    one.take()  # once: rows around the first new one are looked for
    for hour in range(1, 6):
        read.clear()
        one.put(*hourly(hour, 1))
        one.now_s += HOUR
        assert one.take() <= 8
        assert len(read) == 2, "more than the new rows"
    same_as_whole(one)


def test_memory_is_bounded(town):
    one = town()
    one.fed.reader.most_bytes = 500
    one.put(*hourly(-300, 300))
    one.take()
    for hour in range(8):
        one.put(*hourly(hour, 1))
        one.now_s += HOUR
        one.take()
        held = sum(len(row) for rows in one.fed.reader._hours.values() for row in rows)
        assert held <= 500 + 2 * 40 * 10  # of the hours just asked for
    same_as_whole(one)


def test_a_spool_that_dropped_its_older_half_takes_nothing_back(town):
    one = town(source=PUSH + "\nmax_mb = 0.004")
    one.put(*hourly(-60, 20))
    one.take()
    for hour in range(-40, 0, 4):
        one.put(*hourly(hour, 4))
        one.take()
    assert one.door.spool.path.stat().st_size < 4000
    assert one.panel.values_TNF[:, :, 0].tolist() == [[hour, hour] for hour in range(-60, 0)]


def test_rows_of_other_places_are_nothing(town):
    one = town()
    one.put(*hourly(-5, 5))
    one.take()
    spool = one.door.spool
    spool.append([{"time": "2024-05-02T12:00:00+00:00", "station": "z", "flow": "1"}], "k", "c")
    one.now_s += 20 * HOUR
    before = one.panel
    one.take()
    np.testing.assert_array_equal(one.panel.values_TNF, before.values_TNF)
    assert not one.fed._only_whole


def test_a_file_that_no_spool_wrote_is_read_whole(town, tmp_path):
    one = town()
    path = one.door.spool.path
    path.write_text(
        "station,time,flow\na,2024-05-01T20:00:00+00:00,1\nb,2024-05-01T20:00:00+00:00,2\n"
    )
    path.with_name(f"{path.name}.committed").unlink(missing_ok=True)
    assert one.take() == 1
    assert one.fed._only_whole
    with path.open("a") as file:
        file.write("a,2024-05-01T21:00:00+00:00,3\n")
    assert one.take() > 0
    same_as_whole(one)


def test_what_cannot_be_read_is_named_as_ever(town):
    one = town()
    one.put(*hourly(-5, 5))
    one.take()
    one.door.spool.append(
        [{"time": "2024-05-01T22:00:00+00:00", "station": "a", "flow": "many"}], "k", "c"
    )
    with pytest.raises(DataError, match="many"):
        one.take()


def test_rows_are_read_as_they_come_again_once_the_file_is_whole_again(town):
    one = town()
    one.put(*hourly(-5, 5))
    one.take()
    path, whole = one.door.spool.path, one.door.spool.path.stat().st_size
    one.door.spool.append(
        [{"time": "2024-05-01T22:00:00+00:00", "station": "a", "flow": "many"}], "k", "c"
    )
    with pytest.raises(DataError, match="many"):
        one.take()
    os.truncate(path, whole)
    one.put(*hourly(0, 1))
    one.now_s += HOUR
    assert one.take() > 0
    assert not one.fed._only_whole
    one.put(*hourly(1, 1))
    one.now_s += HOUR
    assert 0 < one.take() <= 8, "more than the steps around the new rows"
    same_as_whole(one)


def test_rows_that_are_half_written_wait(town):
    one = town()
    one.put(*hourly(-5, 5))
    one.take()
    with one.door.spool.path.open("a") as file:
        file.write("2024-05-01T22:00:00+00:00,a,1\n2024-05")
    one.now_s += HOUR
    before = one.panel
    one.take()
    np.testing.assert_array_equal(one.panel.values_TNF, before.values_TNF)


@pytest.mark.parametrize(
    "more",
    [
        {"source": towns.SOURCE},
        {"source": PUSH + '\nstays = "1h"'},
        {"source": PUSH + '\ntime = { column = "time", step = "2h" }'},
        {
            "source": PUSH,
            "fields": '[{ name = "flow", kind = "energy", unit = "kWh", source = "records", '
            "cumulative = true }]",
        },
    ],
    ids=["file", "stays", "coarse", "totals"],
)
def test_where_steps_depend_on_other_rows_they_are_read_whole(tmp_path, more):
    path = tmp_path / "town.toml"
    path.write_text(towns.toml(**more), encoding="utf-8")
    (tmp_path / "records.csv").write_text("time,a,b\n2024-05-01T00:00,1,2\n2024-05-01T01:00,3,4\n")
    city_file, problems = check_city(path, later=True)
    assert not problems
    whole = FollowedRecords(SourceFollower(city_file, "office", tmp_path))
    assert fed_records(city_file, "office", tmp_path, whole) is None


def test_a_node_reads_a_feed_so(town):
    one = town()
    one.put(*hourly(-5, 5))
    one.city_file, _ = check_city(one.city_file.path, later=True)
    one.open()
    with closing(one.records) as records:
        assert isinstance(records, FedRecords)
