"""How an agency's records stood is the same asked then and asked later."""

import numpy as np
import pytest
from live_city import BEGIN, DAY, HOUR, START, write

from deepcity.data.city_file import load_city
from deepcity.live.node.clock import ReplayClock
from deepcity.live.node.known import known_check, known_source
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import sources_of
from deepcity.live.node.records.agency_records import RowsChanged, rows_events
from deepcity.live.node.records.known_records import known_summary
from deepcity.live.node.records.source_status import RecordSummary, SourceStatus
from deepcity.store.open_store import open_events

SILENT = slice(37 * 24, 38 * 24)


def faulty(name, values):
    """Since the run: a silent day of x, and a part of its places that is missing."""
    changed = values.copy()
    if name == "a/x":
        changed[SILENT] = np.nan
        changed[SILENT.stop :, 1] = np.nan
    return changed


@pytest.fixture
def town(tmp_path):
    folder = tmp_path / "town"
    folder.mkdir()
    write(folder, 39, faulty)
    return folder


@pytest.fixture
def node(town, tmp_path):
    """Replays from four hours before x falls silent for a day, and forecasts nothing."""
    city_file = load_city(town / "a.toml")
    with open_events(f"duckdb:///{tmp_path / 'city.duckdb'}") as events:
        sources = sources_of((), city_file, tmp_path / "spool", replay=True)
        found = Node(
            city_file, sources, (), events, ReplayClock(START + 20 * HOUR, HOUR, float("inf"))
        )
        found.resume()
        yield found
        found.close()


def test_what_was_shown_then_is_what_is_known_of_then(node):
    shown = {}
    for _ in range(34):
        now_s = node.clock.now()
        node.tick()
        shown[now_s] = [node.source(agency, now_s) for agency in node.agencies]
    states = {state.status for states in shown.values() for state in states}
    assert {SourceStatus.FRESH, SourceStatus.LATE} <= states
    for now_s, states in shown.items():
        assert [known_source(node, agency, now_s) for agency in node.agencies] == states
    before = known_source(node, "x", BEGIN)
    assert (before.status, before.rows, before.newest_s) == (SourceStatus.WAITING, 0, None)
    assert known_check(node, "x", now_s) is None


@pytest.mark.parametrize("holes", [False, True])
def test_corrected_and_missing_steps_count_as_they_were_known(node, holes):
    """An event of several steps that are partly measured is read as a whole."""
    panel = node.panel("x")
    rows = np.full((4, 2, 1), np.nan, np.float32)
    rows[[0, 1]] = 1.0
    times = BEGIN + HOUR * np.array([0, 1, 2, 5 if holes else 3])
    later = np.full((1, 2, 1), np.nan, np.float32)
    for changed, at_s in (
        (RowsChanged(times, rows), BEGIN + DAY),
        (RowsChanged(times[2:3], rows[:1] + 1), BEGIN + DAY + HOUR),
        (RowsChanged(times[:1], later), BEGIN + DAY + 2 * HOUR),
    ):
        node.events.append(rows_events("x", panel, changed, at_s))
    found = [
        known_summary(node.events, "x", panel, BEGIN + DAY + hours * HOUR) for hours in range(-1, 3)
    ]
    assert [one.rows for one in found] == [0, 2, 3, 2]
    newest = [None, BEGIN + 2 * HOUR, BEGIN + 3 * HOUR, BEGIN + 3 * HOUR]
    assert [one.newest_s for one in found] == newest
    assert found[0] == RecordSummary(None, HOUR, 0, 2, 1.0)
    assert found[2].missing == 0
