"""Drawings that no map can show, and messages to an incident that come twice in a fast replay."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import count

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from live_city import node_in
from live_server import serving
from pydantic import ValidationError

from deepcity.web.control.app import create_control_room
from deepcity.web.control.incidents.routes import EntryAsked

POINT = {"type": "Point", "coordinates": [127.0, 37.5]}
RING = [[0, 0], [1, 0], [1, 1], [0, 0]]
AGAIN = 6


def feature(geometry, **more):
    return {"type": "Feature", "properties": {}, "geometry": geometry, **more}


SHOWN = [
    POINT,
    {"type": "Point", "coordinates": [-180, 90, 12.5]},
    {"type": "MultiPoint", "coordinates": [[1, 2]]},
    {"type": "LineString", "coordinates": [[1, 2], [3, 4]]},
    {"type": "Polygon", "coordinates": [RING]},
    {"type": "MultiPolygon", "coordinates": [[RING], [RING]]},
    {"type": "GeometryCollection", "geometries": [POINT]},
    feature(POINT),
    feature({"type": "Polygon", "coordinates": [RING]}, properties=None, id=7),
    {"type": "FeatureCollection", "features": [feature(POINT)]},
]
HIDING = [
    {},
    {"foo": 1},
    {"type": ["Point"], "coordinates": [1, 2]},
    {"type": "Circle", "coordinates": [1, 2]},
    {"type": "Point", "coordinates": "x"},
    {"type": "Point", "coordinates": [True, False]},
    {"type": "Point", "coordinates": [1e308, 1]},
    {"type": "Point", "coordinates": [37.5, 127.0]},
    {"type": "Point", "coordinates": [1]},
    {"type": "LineString", "coordinates": []},
    {"type": "LineString", "coordinates": [[1, 2]]},
    {"type": "Polygon", "coordinates": [[[]]]},
    {"type": "Polygon", "coordinates": RING},
    {"type": "GeometryCollection", "geometries": None},
    feature(None),
    feature(POINT, properties=[1]),
    {"type": "FeatureCollection", "features": 5},
    {"type": "FeatureCollection", "features": [POINT]},
    {"type": "FeatureCollection", "features": [None]},
]


@pytest.mark.parametrize("drawn", SHOWN)
def test_what_a_map_can_show_is_taken(drawn):
    assert EntryAsked(kind="drawing", geometry=drawn).geometry == drawn


@pytest.mark.parametrize("drawn", HIDING)
def test_a_drawing_that_would_hide_all_others_is_refused(drawn):
    with pytest.raises(ValidationError, match=r"send|at least"):
        EntryAsked(kind="drawing", geometry=drawn)


NAMES = st.sampled_from(["type", "coordinates", "features", "geometry", "geometries"])
PLAIN = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
ANY = st.recursive(PLAIN, lambda x: st.lists(x, max_size=3) | st.dictionaries(NAMES, x))
KINDS = st.sampled_from(["Point", "Polygon", "Feature", "FeatureCollection", "MultiPolygon"])


@given(KINDS, st.dictionaries(NAMES, ANY))
def test_whatever_is_drawn_is_taken_or_refused(kind, drawn):
    with suppress(ValidationError):
        EntryAsked(kind="drawing", geometry={**drawn, "type": kind})


@pytest.fixture(scope="module")
def address(trained, tmp_path_factory):
    with node_in(trained, tmp_path_factory.mktemp("node")) as node:
        days = count(node.clock.now(), 86_400)
        node.clock.now = lambda: next(days)  # a day of the city at each look
        with serving(create_control_room(node, [], tmp_path_factory.mktemp("state"))) as found:
            yield found


def codes_of(send):
    with ThreadPoolExecutor(AGAIN) as threads:
        return sorted(one.status_code for one in threads.map(lambda _: send(), range(AGAIN)))


def test_what_comes_twice_is_kept_once_however_fast_the_replay(address):
    def send(path="", **body):
        return httpx.post(f"{address}/api/incidents{path}", json=body, timeout=60)

    assert codes_of(lambda: send(title="Burst main", service="water")).count(201) == 1
    (room,) = httpx.get(f"{address}/api/incidents").json()
    entries = f"/{room['id']}/entries"
    assert codes_of(lambda: send(entries, kind="task", text="Close it")).count(201) == 1
    assert send(entries, kind="note", text=" \n").status_code == 404
    assert send(title="Burst main", service="water", party="a/x").status_code == 201
    assert send(entries, kind="close").status_code == 201
    assert send(title="Burst main", service="water").status_code == 201
