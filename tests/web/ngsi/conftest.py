"""Fixtures: a little city behind a real server, and a client of its NGSI-LD routes."""

import httpx
import pytest
from live_city import node_in
from live_server import serving

from deepcity.web.control.app import create_control_room


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("node")


@pytest.fixture(scope="module")
def node(trained, folder):
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
