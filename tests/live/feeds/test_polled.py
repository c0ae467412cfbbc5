"""Feeds that are asked for: GBFS, GTFS-realtime and SensorThings, of a server on this machine."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_server import wait_for

from deepcity.data.city_file import check_city
from deepcity.data.connectors.gbfs import GbfsSettings
from deepcity.data.connectors.gbfs import snapshot as gbfs
from deepcity.data.connectors.gtfs_realtime import GtfsRealtimeSettings
from deepcity.data.connectors.gtfs_realtime import snapshot as gtfs_realtime
from deepcity.data.connectors.sensorthings import SensorthingsSettings
from deepcity.data.connectors.sensorthings import snapshot as sensorthings
from deepcity.data.errors import ReadError
from deepcity.live.feeds.feeds import open_feeds
from deepcity.live.feeds.poller import Poller
from deepcity.live.feeds.row_door import open_door

pytest_plugins = ["towns"]

NOW = int(time.time()) // 60 * 60
STATIONS = [
    {"station_id": "a", "num_bikes_available": 3, "num_docks_available": 7, "is_renting": True},
    {"station_id": "b", "num_bikes_available": 0, "num_docks_available": 9},
]
STATUS = {"last_updated": NOW, "data": {"stations": STATIONS}}
INFORMATION = {
    "last_updated": NOW,
    "data": {"stations": [{"station_id": "a", "lat": 37.5, "lon": 127.0, "capacity": 10},
                          {"station_id": "b", "lat": 37.6, "lon": 127.1, "capacity": 9}]},
}  # fmt: skip


@pytest.fixture
def server():
    """A server of invented answers: path -> bytes, JSON, a status, or something to call."""
    answers, asked = {}, []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            found = answers.get(self.path.partition("?")[0], 404)
            if callable(found):
                found = found(self)
            if found is None:
                return
            status = found if isinstance(found, int) else 200
            body = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Location", "http://elsewhere.invalid/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        running.answers, running.asked = answers, asked
        running.handle_error = lambda *_: None  # whoever asked has hung up
        running.address = f"http://127.0.0.1:{running.server_port}"
        yield running
        running.shutdown()


def settings_of(kind, **more):
    form = kind.model_fields["format"].default
    return kind.model_validate({"name": "records", "format": form, "timeout_s": 2, **more})


def discovery(address, other=None):
    feeds = [
        {"name": name, "url": f"{other or address}/{name}"}
        for name in ("station_status", "station_information")
    ]
    return {"data": {"en": {"feeds": feeds}}}, {"data": {"feeds": feeds}}


def test_gbfs_of_both_versions_gives_stations_with_positions(server, tmp_path):
    server.answers |= {"/station_status": STATUS, "/station_information": INFORMATION}
    source = settings_of(GbfsSettings, url=f"{server.address}/gbfs.json")
    for content in discovery(server.address):
        server.answers["/gbfs.json"] = content
        rows = gbfs(source, tmp_path, 0)
        assert [(row["place"], row["num_bikes_available"]) for row in rows] == [
            ("a", "3"), ("b", "0"),
        ]  # fmt: skip
        assert rows[0]["lat"] == "37.5"
        assert "is_renting" not in rows[0]
    server.answers["/station_status"] = {
        "last_updated": "2024-05-01T09:00:00+09:00",
        "data": {"stations": [{"station_id": "a", "num_vehicles_available": 2}]},
    }
    row = gbfs(source, tmp_path, 0)[0]
    assert (row["time"], row["num_bikes_available"]) == ("2024-05-01T00:00:00+00:00", "2")


def endless(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(100):
        handler.wfile.write(b" " * 100_000)


def slow(handler):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(40):
        handler.wfile.write(b" ")
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (404, "answered 404"), (302, "answered 302"), (b"{", "not JSON"), ([], "without data"),
        (b"[" * 100_000, "not JSON"), ({"data": {}}, "stations"), (endless, "over 1,000,000"),
        ({"data": {"stations": [3]}}, "stations"), (slow, "no end within"),
        ({"last_updated": "soon", "data": {"stations": []}}, "no time"),
        (discovery("", "http://elsewhere.invalid")[1], "another host"),
        (discovery("", "/etc/passwd?")[1], "another host"),
    ],
)  # fmt: skip
def test_a_feed_that_is_none_is_refused_with_the_next_step(server, tmp_path, answer, word):
    server.answers["/x"] = answer
    how = {"max_download_mb": 1, "timeout_s": 0.3 if answer is slow else 60}
    with pytest.raises(ReadError) as caught:
        gbfs(settings_of(GbfsSettings, url=f"{server.address}/x", **how), tmp_path, 0)
    assert word in caught.value.reason
    assert caught.value.right


@settings(max_examples=25)
@given(st.recursive(
    st.none() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.dictionaries(
        st.sampled_from(["data", "stations", "feeds", "last_updated", "name", "url", "value",
                         "Datastream", "result", "@iot.nextLink", "phenomenonTime"]), inner)
    | st.lists(inner, max_size=3),
))  # fmt: skip
def test_any_json_is_rows_or_is_refused(tmp_path_factory, content):
    folder = tmp_path_factory.mktemp("feed")
    (folder / "feed.json").write_text(json.dumps(content))
    for kind, snapshot in ((GbfsSettings, gbfs), (SensorthingsSettings, sensorthings)):
        try:
            found = snapshot(settings_of(kind, url="feed.json"), folder, 0)
        except ReadError:
            continue
        assert all({"time", "place"} <= set(row) for row in found)


def observation(place, value, at="2024-05-01T00:00:00.000Z", name="flow"):
    stream = {"name": f"{place} {name}", "Thing": {"name": place}}
    stream["ObservedProperty"] = {"name": name}
    return {"phenomenonTime": at, "result": value, "Datastream": stream}


def test_sensorthings_follows_pages_of_its_own_host(server, tmp_path):
    page = f"{server.address}/v1.1/more"
    server.answers["/v1.1/Observations"] = {
        "value": [observation("a", 1), observation("b", "text"), observation("b", 2.5)],
        "@iot.nextLink": page,
    }
    server.answers["/v1.1/more"] = {"value": [observation("a", 3, "2024-05-01T01:00Z/2024-05-02")]}
    source = settings_of(SensorthingsSettings, url=f"{server.address}/v1.1/")
    found = [(row["time"], row["place"], row["flow"]) for row in sensorthings(source, tmp_path, 0)]
    assert found == [
        ("2024-05-01T00:00:00+00:00", "a", "1.0"), ("2024-05-01T00:00:00+00:00", "b", "2.5"),
        ("2024-05-01T01:00:00+00:00", "a", "3.0"),
    ]  # fmt: skip
    assert "phenomenonTime%20gt%20" in server.asked[0]
    for link, word in (
        ("http://elsewhere.invalid/v1.1", "another host"), (page, "come again"),
        ("file:///etc/passwd", "another host"),
    ):  # fmt: skip
        server.answers["/v1.1/more"] = {"value": [], "@iot.nextLink": link}
        with pytest.raises(ReadError, match=word):
            sensorthings(source, tmp_path, 0)


def test_sensorthings_ends_after_so_many_pages(server, tmp_path):
    numbers = iter(range(1000))
    server.answers["/Observations"] = lambda _: {
        "value": [], "@iot.nextLink": f"{server.address}/Observations?{next(numbers)}",
    }  # fmt: skip
    source = settings_of(SensorthingsSettings, url=server.address, max_pages=3)
    with pytest.raises(ReadError, match="over 3 pages"):
        sensorthings(source, tmp_path, 0)
    assert len(server.asked) == 3


@pytest.mark.skipif(find_spec("google.transit") is None, reason="no gtfs-realtime-bindings")
def test_gtfs_realtime_counts_vehicles_and_delays_by_route_and_by_stop(tmp_path):
    from google.transit import gtfs_realtime_pb2

    feed = gtfs_realtime_pb2.FeedMessage()
    feed.header.gtfs_realtime_version = "2.0"
    feed.header.timestamp = 1714521600
    for number, (route, delays) in enumerate([("1", (60, 90)), ("1", (120,)), ("2", (10**9,))]):
        entity = feed.entity.add(id=str(number))
        entity.vehicle.trip.route_id, entity.vehicle.stop_id = route, "s"
        entity.trip_update.trip.route_id = route
        for stop, delay in enumerate(delays):
            update = entity.trip_update.stop_time_update.add(stop_id=f"s{stop}")
            update.arrival.delay = delay if delay < 10**6 else 10**6
    (tmp_path / "feed.pb").write_bytes(feed.SerializeToString())
    found = gtfs_realtime(settings_of(GtfsRealtimeSettings, url="feed.pb"), tmp_path, 0)
    assert [(row["place"], row["vehicles"], row["delay_s"]) for row in found] == [
        ("1", "2", "90.0"), ("2", "1", ""),
    ]  # fmt: skip
    by_stop = settings_of(GtfsRealtimeSettings, url="feed.pb", by="stop")
    found = gtfs_realtime(by_stop, tmp_path, 0)
    assert {row["place"]: (row["vehicles"], row["delay_s"]) for row in found} == {
        "s": ("3", ""), "s0": ("0", "90.0"), "s1": ("0", "90.0"),
    }  # fmt: skip
    for content in (b"not a feed at all", b""):
        (tmp_path / "feed.pb").write_bytes(content)
        with pytest.raises(ReadError):
            gtfs_realtime(by_stop, tmp_path, 0)


FEED = 'format = "gbfs"\nurl = "{url}"\nevery = "1min"'
FIELDS = '[{ name = "num_bikes_available", kind = "level", unit = "1", source = "records" }]'


def test_a_city_whose_places_a_feed_names_has_them_once_it_was_asked(server, tmp_path):
    import towns

    server.answers |= {"/station_status": STATUS, "/station_information": INFORMATION}
    server.answers["/gbfs.json"] = discovery(server.address)[1]
    places = '"all"\nplaces_from = { source = "records", id = "place", lat = "lat", lon = "lon" }'
    text = FEED.format(url=f"{server.address}/gbfs.json")
    path = tmp_path / "town.toml"
    path.write_text(towns.toml(source=text, fields=FIELDS, places=places))
    city_file, problems = check_city(path, later=True)
    assert not problems
    assert "office" in city_file.awaited
    feeds = open_feeds(city_file)
    wait_for(lambda: not feeds.trouble("office"), 30)
    feeds.close()
    found = check_city(path)[0].city.agency("office").places
    assert [(one.id, one.lat) for one in found] == [("a", 37.5), ("b", 37.6)]


def test_a_feed_that_is_updated_no_more_gives_nothing_new_and_one_that_is_away_says_so(
    server, town
):
    server.answers["/status"] = STATUS
    source = FEED.format(url=f"{server.address}/status")
    city_file = town(source=source, fields=FIELDS)
    door = open_door(city_file, "records")
    poller = Poller(door.source, door, city_file.path.parent)
    for _ in range(3):
        poller.poll()
        assert poller.trouble == ""
    assert len(door.spool.path.read_text().splitlines()) == 3
    server.answers["/status"] = 503
    poller.poll()
    assert "answered 503" in poller.trouble
    door.spool.close()
