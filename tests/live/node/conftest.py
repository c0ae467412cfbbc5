"""A little city whose forecasters a run has trained, with two more days of records after it."""

import pytest
from live_city import DAYS, HOUR, LEARNED_DAYS, START, write
from postgres_server import postgres, postgres_url  # noqa: F401

import deepcity
from deepcity.data.city_file import load_city
from deepcity.live.node.clock import ReplayClock
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import find_forecasters, sources_of
from deepcity.store.open_store import open_events


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("city")
    deepcity.Federation(write(folder, LEARNED_DAYS), folder / "run").fit()
    write(folder, DAYS)
    return folder


@pytest.fixture
def open_node(trained, tmp_path):
    """Opens a node that replays from the first day after the run."""
    opened = []

    def make(url=None, folder=trained, start=START, speed=float("inf")):
        city_file = load_city(folder / "a.toml")
        found = find_forecasters([trained / "run"], city_file).forecasters
        events = open_events(url or f"duckdb:///{tmp_path / 'city.duckdb'}")
        sources = sources_of(found, city_file, tmp_path / "spool", replay=True)
        node = Node(city_file, sources, found, events, ReplayClock(start, HOUR, speed))
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
