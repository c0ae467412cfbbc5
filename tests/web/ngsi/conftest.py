"""Fixtures: a little city behind a real server, and a client of its NGSI-LD routes."""

from contextlib import contextmanager

import httpx
import pytest
from live_city import HOUR, START, trained  # noqa: F401
from live_server import serving

from deepcity.data.city_file import load_city
from deepcity.live.node.clock import ReplayClock
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import find_forecasters, sources_of
from deepcity.store.open_store import open_events
from deepcity.web.control.app import create_control_room


@contextmanager
def node_in(town, folder):
    """A node that replays from the first day after the run, in a folder of its own."""
    city_file = load_city(town / "a.toml")
    found = find_forecasters([town / "run"], city_file).forecasters
    with open_events(f"duckdb:///{folder / 'city.duckdb'}") as events:
        sources = sources_of(found, city_file, folder / "spool", replay=True)
        node = Node(city_file, sources, found, events, ReplayClock(START, HOUR, float("inf")))
        node.resume()
        yield node
        node.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("node")


@pytest.fixture(scope="module")
def node(trained, folder):  # noqa: F811
    with node_in(trained, folder) as found:
        found.tick()
        yield found


@pytest.fixture(scope="module")
def client(node, folder):
    with (
        serving(create_control_room(node, [], folder / "state")) as address,
        httpx.Client(base_url=f"{address}/ngsi-ld/v1", timeout=60) as found,
    ):
        yield found
