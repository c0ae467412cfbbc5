"""A little city with more days of records than its forecasters learned from."""

from contextlib import contextmanager
from dataclasses import dataclass, field

import grown_town
import pytest
from little_map import flows

from deepcity.data.city_file import load_city
from deepcity.live.node.clock import ReplayClock
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import find_forecasters, sources_of
from deepcity.store.open_store import open_events

HOUR, DAY = 3600, 86_400
BEGIN = 1_612_137_600  # 2021-02-01, the first row
LEARNED_DAYS, DAYS = 36, 39
START = BEGIN + LEARNED_DAYS * DAY


def write(folder, days, change=None):
    """The city with so many days; `change` alters an agency's values."""

    def values(number):
        found = flows(days=DAYS, places=2, seed=number)
        return found if change is None else change(("a/x", "a/y")[number], found)

    return grown_town.write(folder, values, days)


@pytest.fixture(scope="session")
def trained(tmp_path_factory):
    """The city, and a run of it that learned from its first days."""

    def values(number):
        return flows(days=DAYS, places=2, seed=number)

    return grown_town.trained(tmp_path_factory.mktemp("city"), values, LEARNED_DAYS, DAYS)


@pytest.fixture
def open_node(trained, tmp_path):
    """Opens a node that replays from the first day after the run."""
    opened = []

    def make(
        url=None,
        folder=trained,
        start=START,
        speed=float("inf"),
        run=None,
        learner=None,
        checker=None,
    ):
        city_file = load_city(folder / "a.toml")
        found = find_forecasters([run or trained / "run"], city_file).forecasters
        events = open_events(url or f"duckdb:///{tmp_path / 'city.duckdb'}")
        sources = sources_of(found, city_file, tmp_path / "spool", replay=True)
        node = Node(
            city_file,
            sources,
            found,
            events,
            ReplayClock(start, HOUR, speed),
            learner,
            tmp_path / "snapshots",
            checker=checker,
        )
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


@contextmanager
def node_in(town, folder, speed=float("inf")):
    """A node that replays from the first day after the run, in a folder of its own."""
    city_file = load_city(town / "a.toml")
    found = find_forecasters([town / "run"], city_file).forecasters
    with open_events(f"duckdb:///{folder / 'city.duckdb'}") as events:
        sources = sources_of(found, city_file, folder / "spool", replay=True)
        node = Node(city_file, sources, found, events, ReplayClock(START, HOUR, speed))
        node.resume()
        yield node
        node.close()


@dataclass
class SlowLearner:
    """Learns for as long as a test wants."""

    since_s: int | None = None
    asked: list = field(default_factory=list)
    found: list | None = None

    def resume(self, now_s):
        pass

    def begin(self, panels, now_s):
        self.since_s = now_s
        self.asked.append((now_s, int(panels["x"].time_T[-1])))

    def ended(self):
        return self.found

    def forget(self, kept):
        self.since_s = self.found = None

    def close(self):
        pass
