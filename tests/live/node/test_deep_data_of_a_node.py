"""A node whose agencies send deep data: its forecasts are those of an application that is alone."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
from live_server import access
from live_town import DAY, HOUR, NOW, START
from node_town import OTHER, access_file, city_folder, second_service, town_node

from deepcity.city.errors import GrantError, LiveError, VersionError
from deepcity.live.access import load_access
from deepcity.live.application import LiveApplication
from deepcity.live.node.received import ReceivedDeepData
from deepcity.live.node.records.source_status import SourceStatus
from deepcity.live.wire import cell_names, to_rows
from deepcity.store.events.event import EventKind, EventQuery
from deepcity.store.open_store import open_store
from deepcity.web.control.overview.source_answers import sources_json

HOURS = (NOW - START) // HOUR
KEY = ("ridership", "town/metro")


def sent(town, name, times, change=lambda vectors: vectors):
    """Deep data of an agency as its process makes them."""
    package, times_B = town.encoders[name], np.array(times)
    batch = package.encode(town.panel(name, NOW), times_B)
    batch = replace(batch, vectors_BCD=change(batch.vectors_BCD).astype(np.float32))
    return to_rows(package.space, cell_names(package.cells), times_B, batch)


def check_space(received, name, space):
    """As the route does with what an agency names."""
    return received.intake_of(name, space).check_space(name, space)


def accept(received, name, batch, **when):
    """As the route does with what an agency sends."""
    return received.intake_of(name, batch.space).accept(name, batch, **when)


def events(node, kind=EventKind.FORECAST):
    return node.events.read(EventQuery((kind,), service="ridership"))


def statuses(node):
    return {one["agency"]: one["status"] for one in events(node)[-1].body["agencies"]}


@pytest.fixture(params=["duckdb", "postgres"])
def url(request, tmp_path):
    """Where events are kept, and deep data beside them."""
    if request.param == "duckdb":
        return f"duckdb:///{tmp_path / 'city.duckdb'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def city(town_trained, tmp_path):
    return city_folder(tmp_path / "city", HOURS, town_trained.fused_file)


def test_it_forecasts_as_an_application_that_is_alone(town_trained, city, url):
    """Without deep data, with some that are late, fresh, and after the node was opened again."""
    clock, allowed = [NOW + 60], access()
    panel = town_trained.panel("metro", NOW)

    def same(node):
        application = LiveApplication(town_trained.fused, node.received.store)
        application.load_rows(panel)
        alone, found = application.forecast(NOW), node.parties[KEY].forecast
        for part in ("value_NH", "low_NH", "high_NH"):
            np.testing.assert_allclose(getattr(found, part), getattr(alone, part), rtol=1e-5)
        assert statuses(node) == {one.name: one.status.value for one in alone.agencies}

    with town_node(city, allowed, lambda: clock[0], url) as node:
        assert node.agencies == ("metro",)
        newest = node.parties[KEY].party.newest  # what a plan would be made from
        assert (newest.state is None) == (newest.decision is None)
        assert newest.state is None or newest.state.now_s == NOW
        same(node)
        for times, status, count in (
            ([NOW - 5 * HOUR], "late", 1),  # nothing that a forecast may use: there is no other
            ([NOW - HOUR], "fresh", 2),
            ([NOW], "fresh", 3),
            ([NOW], "fresh", 3),  # once more: nothing happens
        ):
            accept(node.received, "weather", sent(town_trained, "weather", times), now=clock[0])
            node.tick()
            found = {one.state.name: one.state.status.value for one in node.deep_sources(clock[0])}
            assert found["weather"] == status
            assert len(events(node)) == count
        same(node)
        assert statuses(node) == {"weather": "fresh", "gates": "no-data"}
        width = node.parties[KEY].forecast.high_NH - node.parties[KEY].forecast.low_NH
    with town_node(city, allowed, lambda: clock[0], url) as node:
        assert len(events(node)) == 3
        same(node)
        clock[0] = NOW + 3 * HOUR + 60  # neither rows nor deep data since
        node.tick()
        assert statuses(node)["weather"] == "late"
        wider = node.parties[KEY].forecast.high_NH - node.parties[KEY].forecast.low_NH
        assert (wider >= width - 1e-4).all()
        assert wider.mean() > width.mean()


def test_who_sends_and_withdraws_by_turns_gives_no_forecasts_without_end(
    town_trained, city, tmp_path
):
    url = f"duckdb:///{tmp_path / 'city.duckdb'}"
    batch = sent(town_trained, "weather", [NOW - HOUR, NOW])
    zeros, known_R = np.zeros_like(batch.vectors_RW), np.zeros(len(batch), bool)
    withdrawn = replace(batch, vectors_RW=zeros, known_R=known_R)
    with town_node(city, access(), lambda: NOW + 60, url) as node:
        for revision, rows in enumerate([batch, withdrawn] * 2):
            found = accept(node.received, "weather", rows, now=NOW + 60, revision=revision)
            assert found.appended.new + found.appended.revised == len(batch)
            node.tick()
            state = next(o.state for o in node.deep_sources(NOW) if o.state.name == "weather")
            assert (state.status == "fresh") is (revision % 2 == 0)
        assert len(events(node)) == 2  # one without it, one with it


def test_deep_data_that_come_while_a_forecast_is_made_give_one_forecast(
    town_trained, city, tmp_path, monkeypatch
):
    clock, batch = [NOW + 60], sent(town_trained, "weather", [NOW])
    with town_node(city, access(), lambda: clock[0], f"duckdb:///{tmp_path / 'c.duckdb'}") as node:
        before, clock[0] = len(events(node)), NOW + HOUR + 60
        party = node._parties[KEY].party
        asked = party.deep_key

        def then_some_come(at_s):
            key = asked(at_s)
            accept(node.received, "weather", batch, now=clock[0])
            return key

        monkeypatch.setattr(party, "deep_key", then_some_come)
        node.tick()
        monkeypatch.undo()
        assert statuses(node)["weather"] == "fresh"  # it used them
        node.tick()
        assert len(events(node)) == before + 1


def test_an_agency_without_a_grant_is_encoded_here(town_trained, city, tmp_path):
    """The gates' encoder and records are in the node's folders, the weather's process elsewhere."""
    packages = next((city.parent / "run").glob("sites/*/packages/*"))
    site = city.parent / "run" / "sites" / "town.gates" / "packages" / packages.name
    site.mkdir(parents=True)
    shutil.copy(town_trained.encoder_files["gates"], site)
    lines = (town_trained.folder / "gates.csv").read_text().splitlines(keepends=True)
    (city.parent / "gates.csv").write_text("".join(lines[: HOURS + 1]))
    url = f"duckdb:///{tmp_path / 'city.duckdb'}"
    with town_node(city, access("weather"), lambda: NOW + 60, url) as node:
        assert set(node.agencies) == {"metro", "gates"}
        assert [one.state.name for one in node.deep_sources(NOW)] == ["weather"]
        assert statuses(node) == {"gates": "fresh", "weather": "no-data"}
        accept(node.received, "weather", sent(town_trained, "weather", [NOW]), now=NOW + 60)
        node.tick()
        assert statuses(node) == {"gates": "fresh", "weather": "fresh"}


def test_an_agency_in_doubt_is_said_to_be(town_trained, city, tmp_path):
    """Its vectors do not change: its forecasts are made without it, and its source says why."""
    url, times = f"duckdb:///{tmp_path / 'city.duckdb'}", range(NOW - 4 * DAY, NOW + 1, HOUR)
    with town_node(city, access(), lambda: NOW + 60, url) as node:
        stuck = sent(town_trained, "weather", times, lambda found: np.full_like(found, 0.2))
        accept(node.received, "weather", stuck, now=NOW + 60)
        node.tick()
        assert statuses(node)["weather"] == "in-doubt"
        body = events(node)[-1].body
        assert "without weather (in-doubt: deep_stuck hours" in str(body["note"])
        node.tick()
        (source,) = [o.as_source for o in node.deep_sources(NOW) if o.state.name == "weather"]
        assert source.status is SourceStatus.IN_DOUBT
        assert (source.doubt["code"], source.trouble) == ("deep_stuck", "")
        shown = next(one for one in sources_json(node, NOW) if one["agency"] == "weather")
        assert "have not changed" in shown["doubts"][0]["en"]
        assert "바뀌지 않았습니다" in shown["doubts"][0]["ko"]
        assert (shown["rows"], shown["check"]["state"]) == (None, "elsewhere")
        assert "are on the agency" in shown["check"]["text"]["en"]
        assert events(node, EventKind.SOURCE)[-1].body["status"] == "in-doubt"


def test_a_store_that_is_away_stops_no_forecast(town_trained, city, tmp_path):
    url = f"duckdb:///{tmp_path / 'city.duckdb'}"
    clock = [NOW + 60]
    with town_node(city, access(), lambda: clock[0], url) as node:
        accept(node.received, "weather", sent(town_trained, "weather", [NOW]), now=NOW + 60)
        node.received.store.close()
        clock[0] = NOW + HOUR + 60
        node.tick()
        assert set(statuses(node).values()) == {"store-error"}
        assert node.parties[KEY].forecast.origin_s == NOW + HOUR


def test_each_space_is_for_one_application(town_trained, tmp_path):
    other = second_service(town_trained, tmp_path / "other")
    allowed = load_access(access_file(tmp_path / "access.toml", "ridership", OTHER))
    packages = (town_trained.fused, other.fused)
    one, two = (found.encoders["weather"].space for found in (town_trained, other))
    with open_store(f"duckdb:///{tmp_path / 'deep.duckdb'}", allowed.may_read("town")) as store:
        received = ReceivedDeepData(allowed, store, packages)
        batch = sent(town_trained, "weather", [NOW])
        accept(received, "weather", batch, now=NOW)
        assert received.version == 1
        accept(received, "weather", batch, now=NOW)
        assert received.version == 1
        assert [info.space for info in store.spaces()] == [one]
        assert check_space(received, "weather", two).space == two
        with pytest.raises(VersionError, match=f"ridership with {one}, {OTHER} with {two}"):
            check_space(received, "weather", replace(one, version="0" * 16))
        with pytest.raises(GrantError, match="gates's token"):
            check_space(received, "gates", one)
        with pytest.raises(GrantError, match="gates's token"):
            check_space(received, "gates", replace(one, version="0" * 16))
        with pytest.raises(LiveError, match="trained with gates, weather"):
            check_space(received, "police", replace(one, agency="police"))
    alone = load_access(access_file(tmp_path / "access.toml", "ridership"))
    received = ReceivedDeepData(alone, store, packages)
    assert received.senders(other.fused) == ()
    with pytest.raises(GrantError, match=f"weather grants {OTHER} nothing"):
        check_space(received, "weather", two)
