"""A start from a snapshot and the events after it is a start from all events."""

import base64
import itertools
import logging
from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deepcity.city.clock import Clock
from deepcity.city.field import Field, Kind
from deepcity.city.place import Place
from deepcity.data.panel import Panel
from deepcity.live.node.records import agency_book
from deepcity.live.node.records.agency_book import AgencyBook
from deepcity.live.node.records.panel_file import PanelFileError, read_panel, write_panel
from deepcity.store.at_rest.storage_key import STORAGE_KEY_VARIABLE
from deepcity.store.events.event import EventKind, EventQuery
from deepcity.store.open_store import open_events

HOUR = 3600
NUMBER = itertools.count()


def panel(first, values_TN, places):
    values = np.array(values_TN, np.float32).reshape(len(values_TN), len(places), 1)
    return Panel(
        clock=Clock("Asia/Seoul", timedelta(hours=1), frozenset([date(2024, 1, 1)])),
        time_T=(first + np.arange(len(values), dtype=np.int64)) * HOUR,
        places=tuple(Place(name, 37.5, 127.0, 3.0) for name in places),
        fields=(Field("flow", Kind.FLOW, "L/s"),),
        values_TNF=values,
    )


def test_with_a_storage_key_a_panel_is_unreadable_on_disk(monkeypatch, tmp_path):
    path, one = tmp_path / "a.npz", panel(5, [[1.25, 2.5]] * 9, ("secret-4711", "b"))
    write_panel(path, one, {"n": 1})
    assert b"secret-4711" in path.read_bytes()
    monkeypatch.setenv("OWN", base64.b64encode(bytes(32)).decode())
    monkeypatch.setenv(STORAGE_KEY_VARIABLE, "env:OWN")
    assert read_panel(path)[1] == {"n": 1}  # of before
    write_panel(path, one, {"n": 2})
    assert b"secret-4711" not in path.read_bytes()
    found, note = read_panel(path)
    assert note == {"n": 2}
    np.testing.assert_array_equal(found.values_TNF, one.values_TNF)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(PanelFileError, match="changed or cut"):
        read_panel(path)
    write_panel(path, one, {"n": 2})
    monkeypatch.delenv(STORAGE_KEY_VARIABLE)
    with pytest.raises(PanelFileError, match="is encrypted with the key"):
        read_panel(path)


NOTHING = panel(0, np.zeros((0, 2)), ("a", "b"))
OPEN = panel(0, np.zeros((0, 0)), ())


@pytest.fixture(scope="module")
def events(tmp_path_factory):
    with open_events(f"duckdb:///{tmp_path_factory.mktemp('store') / 'city.duckdb'}") as found:
        yield found


def take(book, events, agency, found, moment=0):
    drafts, now = book.drafts(agency, found, moment)
    stored = events.append(drafts)
    book.set(agency, now)
    book.kept(agency, stored)


def started(events, agency, folder=None, empty=NOTHING):
    book = AgencyBook({agency: empty}, events, folder)
    book.resume()
    return book


def same(one, other):
    assert one.time_T.tolist() == other.time_T.tolist()
    assert [place.id for place in one.places] == [place.id for place in other.places]
    np.testing.assert_array_equal(one.values_TNF, other.values_TNF)


@st.composite
def arrivals(draw, names):
    """A panel of some places, at some hours, with gaps."""
    cell = st.one_of(st.just(float("nan")), st.integers(0, 5).map(float))
    rows = st.lists(st.tuples(*[cell] * len(names)), min_size=1, max_size=4)
    return panel(draw(st.integers(0, 8)), draw(rows), names)


@settings(deadline=None, max_examples=30)
@given(data=st.data())
def test_a_snapshot_and_what_came_after_it_are_all_events(events, tmp_path_factory, data):
    """Whatever comes, whenever snapshots are made, and wherever the node is killed."""
    folder, agency = tmp_path_factory.mktemp("kept"), f"x{next(NUMBER)}"
    fixed = data.draw(st.booleans())
    empty, names = (NOTHING, ["a", "b"]) if fixed else (OPEN, ["a"])
    book = started(events, agency, folder, empty)
    for moment in range(data.draw(st.integers(1, 5))):
        if not fixed:
            names = [*names, f"n{moment}"] if data.draw(st.booleans()) else names
            names = data.draw(st.permutations(names))
            names = names[: data.draw(st.integers(1, len(names)))]
        take(book, events, agency, data.draw(arrivals(names)), moment)
        book.save(all_of_them=data.draw(st.booleans()))
        if data.draw(st.booleans()):
            book = started(events, agency, folder, empty)
            same(book[agency].panel, started(events, agency, empty=empty)[agency].panel)
    found = started(events, agency, folder, empty)[agency].panel
    same(found, started(events, agency, empty=empty)[agency].panel)


class Counted:
    """A store that counts which events are read with their arrays."""

    def __init__(self, events):
        self.events, self.read_data = events, 0

    def read(self, query):
        found = self.events.read(query)
        self.read_data += len(found) if query.data else 0
        return found


def city(events, folder, steps=12):
    """An agency with an event an hour, and a snapshot at the beginning."""
    agency = f"x{next(NUMBER)}"
    book = started(events, agency, folder)
    for hour in range(steps):
        take(book, events, agency, panel(hour, [[hour, 1]], "ab"), hour)
        book.save()
    return agency


def test_a_start_reads_what_came_after_the_snapshot_alone(events, tmp_path, monkeypatch):
    monkeypatch.setattr(agency_book, "MOST_BEHIND", 4)
    agency = city(events, tmp_path, 12)
    counted = Counted(events)
    found = started(counted, agency, tmp_path)[agency].panel
    assert counted.read_data <= 4
    same(found, started(events, agency)[agency].panel)
    assert found.values_TNF[:, 0, 0].tolist() == list(range(12))


def test_on_postgresql_too(postgres_url, tmp_path):
    with open_events(postgres_url) as events:
        agency = city(events, tmp_path, 5)
        counted = Counted(events)
        found = started(counted, agency, tmp_path)[agency].panel
        assert counted.read_data == 4
        same(found, started(events, agency)[agency].panel)


def damage(path):
    content = bytearray(path.read_bytes())
    content[::20] = bytes(len(content[::20]))
    path.write_bytes(content)


def cut(path):
    path.write_bytes(path.read_bytes()[:-10])


def other(path):
    path.write_bytes(b"PK, no zip")


@pytest.mark.parametrize("harm", [damage, cut, other, lambda path: path.unlink()])
def test_a_damaged_or_missing_snapshot_is_made_anew_from_events(events, tmp_path, harm):
    agency = city(events, tmp_path)
    path = tmp_path / f"{agency}.npz"
    harm(path)
    counted = Counted(events)
    same(started(counted, agency, tmp_path)[agency].panel, started(events, agency)[agency].panel)
    assert counted.read_data == 12
    assert len(read_panel(path)[0].time_T) == 12


def test_a_snapshot_of_a_store_that_was_replaced_is_refused(events, tmp_path, caplog):
    agency = city(events, tmp_path)
    for count in (0, 5):
        with open_events(f"duckdb:///{tmp_path / f'other{count}.duckdb'}") as replaced:
            book = started(replaced, agency)
            for hour in range(count):
                take(book, replaced, agency, panel(hour, [[7, 7]], "ab"), hour)
            with caplog.at_level(logging.WARNING):
                found = started(replaced, agency, tmp_path)[agency].panel
            assert (found.values_TNF == 7).all()
            assert len(found.time_T) == count
            assert "of other records" in caplog.text


@pytest.mark.parametrize(
    "meant",
    [
        replace(NOTHING, places=(Place("b"), Place("a"))),
        replace(NOTHING, fields=(Field("speed", Kind.SPEED, "km/h"),)),
    ],
    ids=["places", "fields"],
)
def test_a_snapshot_of_other_places_or_fields_is_refused(events, tmp_path, meant):
    agency = city(events, tmp_path)
    same(
        started(events, agency, tmp_path, meant)[agency].panel,
        started(events, agency, empty=meant)[agency].panel,
    )


def test_a_kill_between_event_and_snapshot_loses_nothing(events, tmp_path):
    agency = city(events, tmp_path)
    before = (tmp_path / f"{agency}.npz").read_bytes()
    book = started(events, agency, tmp_path)
    take(book, events, agency, panel(3, [[99, 99]], "ab"), 99)
    (tmp_path / f".{agency}.npz.part").write_bytes(b"half written")
    (tmp_path / f"{agency}.npz").write_bytes(before)
    found = started(events, agency, tmp_path)[agency].panel
    assert found.values_TNF[3, 0, 0] == 99
    same(found, started(events, agency)[agency].panel)


def test_a_folder_that_cannot_be_written_stops_nothing(events, tmp_path, caplog):
    (tmp_path / "file").write_text("no folder")
    with caplog.at_level(logging.WARNING):
        agency = city(events, tmp_path / "file")
    assert "cannot be written" in caplog.text
    assert len(events.read(EventQuery((EventKind.ROWS,), party=agency))) == 12


WHOLE = replace(
    panel(5, [[1, np.nan], [3, 4]], "ab"), adjacency_NN=np.array([[0, 1], [1, 0]], np.float32)
)


def test_a_panel_comes_back_from_its_file(tmp_path):
    write_panel(tmp_path / "x.npz", WHOLE, {"seq": 7})
    found, note = read_panel(tmp_path / "x.npz")
    same(found, WHOLE)
    assert (found.clock, found.places, found.fields) == (WHOLE.clock, WHOLE.places, WHOLE.fields)
    np.testing.assert_array_equal(found.adjacency_NN, WHOLE.adjacency_NN)
    assert note == {"seq": 7}


@settings(deadline=None, max_examples=60)
@given(data=st.data())
def test_whatever_byte_changes_a_panel_is_the_same_or_refused(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "changed.npz"
    write_panel(path, WHOLE, {"seq": 7})
    content = bytearray(path.read_bytes())
    at = data.draw(st.integers(0, len(content) - 1))
    content[at] ^= data.draw(st.integers(1, 255))
    path.write_bytes(content[: data.draw(st.sampled_from([len(content), at]))])
    try:
        found, note = read_panel(path)
    except PanelFileError:
        return
    same(found, WHOLE)
    assert note == {"seq": 7}
