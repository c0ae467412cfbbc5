"""A city that starts before its records are there."""

import pytest
import towns
from live_server import wait_for

from deepcity.city.errors import ConfigError
from deepcity.data.check.file_report import check_file
from deepcity.data.city_file import check_city, load_city
from deepcity.live.feeds.feeds import open_feeds
from deepcity.live.node.clock import LiveClock
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import sources_of
from deepcity.live.node.records.source_status import SourceStatus
from deepcity.store.open_store import open_events

ROWS = "time,a,b\n2024-05-01T00:00,1,2\n2024-05-01T01:00,3,4\n"
PUSH = 'format = "push"\nplace = "station"'


@pytest.fixture
def open_town(tmp_path):
    """Opens a node of a town whose file may not be there; an event store for each test."""
    opened = []

    def make(**settings):
        path = tmp_path / "town.toml"
        path.write_text(towns.toml(**settings), encoding="utf-8")
        city_file, problems = check_city(path, later=True)
        assert not problems
        sources = sources_of((), city_file, tmp_path / "spool", replay=False)
        events = open_events(f"duckdb:///{tmp_path / 'city.duckdb'}")
        node = Node(city_file, sources, (), events, LiveClock())
        node.resume()
        opened.append((node, events))
        return node

    def close():
        while opened:
            node, events = opened.pop()
            node.close()
            events.close()

    make.close = close
    yield make
    close()


@pytest.mark.parametrize("places", ['["a", "b"]', '"all"'])
def test_a_file_that_comes_later_is_taken_then(open_town, tmp_path, places):
    node = open_town(places=places)
    node.tick()
    state = node.source("office", node.clock.now())
    assert state.status is SourceStatus.WAITING
    assert str(tmp_path / "records.csv") in state.trouble
    assert "no such file" in state.trouble
    (tmp_path / "records.csv").write_text(ROWS)
    node.tick()
    assert node.source("office", node.clock.now()).trouble == ""
    assert node.panel("office").values_TNF[:, :, 0].tolist() == [[1, 2], [3, 4]]


def test_records_stay_known_over_a_start_without_their_file(open_town, tmp_path):
    (tmp_path / "records.csv").write_text(ROWS)
    open_town(places='"all"').tick()
    open_town.close()
    (tmp_path / "records.csv").unlink()
    node = open_town(places='"all"')
    node.tick()
    assert node.panel("office").values_TNF[:, :, 0].tolist() == [[1, 2], [3, 4]]
    (tmp_path / "records.csv").write_text("time,b,c\n2024-05-01T01:00,5,6\n2024-05-01T02:00,7,8\n")
    node.tick()
    panel = node.panel("office")
    assert [place.id for place in panel.places] == ["b", "c"]
    assert panel.values_TNF[1:, :, 0].tolist() == [[5, 6], [7, 8]]


def test_what_else_is_wrong_is_refused_as_ever(tmp_path):
    path = tmp_path / "town.toml"
    path.write_text(towns.toml(fields='[{ name = "flow", kind = "flaw", unit = "L/s", '
                                      'source = "records" }]'))  # fmt: skip
    assert any("flaw" in str(one) for one in check_city(path, later=True)[1])
    path.write_text(towns.toml())
    with pytest.raises(ConfigError, match="no such file"):
        load_city(path)
    assert check_file(path).problems


@pytest.mark.parametrize("places", ['["a", "b"]', '"all"'])
def test_that_no_row_has_come_is_told_and_is_no_problem(tmp_path, places):
    path = tmp_path / "town.toml"
    path.write_text(towns.toml(source=PUSH, places=places))
    found = check_file(path)
    assert not found.problems
    assert "no row has come yet" in str(found.waiting[0])
    assert "POST /api/sources" in found.waiting[0].right


def test_a_feed_that_waits_says_what_keeps_its_rows_away(tmp_path):
    path = tmp_path / "town.toml"
    path.write_text(towns.toml(source='format = "gbfs"\nurl = "nowhere.json"'))
    city_file, _ = check_city(path, later=True)
    feeds = open_feeds(city_file)
    found = sources_of((), city_file, tmp_path, replay=False, coming=feeds.trouble)["office"]
    wait_for(lambda: found.poll(0) is None and "nowhere.json" in found.trouble, 30)
    assert "no row has come yet" in found.trouble
    feeds.close()
