"""A node's records are checked beside it by the rules of the data check; doubts are events."""

import errno
import os
import signal
import time
from dataclasses import replace

import numpy as np
import pytest
from live_city import BEGIN, DAY, HOUR, write
from processes import PATIENCE_S

from deepcity.data.city_file import load_city, load_panel
from deepcity.live.node.checking.check_event import changed_drafts, check_draft, checked_records
from deepcity.live.node.checking.checker import RecordChecker
from deepcity.live.node.checking.request import CheckRequest
from deepcity.live.node.clock import ReplayClock
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import sources_of
from deepcity.live.node.processes.request_folder import RequestFolder
from deepcity.runs.note import Note
from deepcity.store.events.event import EventKind, EventQuery
from deepcity.store.open_store import open_events

SHOWN_DAYS = 30
NOW = BEGIN + SHOWN_DAYS * DAY
STUCK, GAP = slice(20 * 24, 22 * 24 + 5), slice(10 * 24, 12 * 24)


def faulty(name, values):
    """A gap of all of the first agency's places, and a stuck second one."""
    changed = values.copy()
    if name == "a/x":
        changed[STUCK, 1] = 12.5
        changed[GAP] = np.nan
    return changed


@pytest.fixture
def town(tmp_path):
    folder = tmp_path / "town"
    folder.mkdir()
    write(folder, 36, faulty)
    return folder


@pytest.fixture
def open_checked(tmp_path):
    """Opens a node that forecasts nothing and checks its records."""
    opened = []

    def make(folder, start=NOW - HOUR, name="city", **how):
        city_file = load_city(folder / "a.toml")
        events = open_events(f"duckdb:///{tmp_path / name}.duckdb")
        state = tmp_path / name
        state.mkdir(exist_ok=True)
        checker = RecordChecker(city_file.path, state, **how)
        sources = sources_of((), city_file, tmp_path / "spool", replay=True)
        clock = ReplayClock(start, HOUR, float("inf"))
        node = Node(city_file, sources, (), events, clock, checker=checker)
        node.resume()
        opened.append((node, events))
        return node, checker

    def close():
        while opened:
            node, events = opened.pop()
            node.close()
            events.close()

    make.close = close
    yield make
    close()


def checks(node):
    return node.events.read(EventQuery((EventKind.CHECK,)))


def until_checked(node):
    """Steps until a check has ended; a replay's step that waits for it is none."""
    before, end = node.checked_s, time.monotonic() + PATIENCE_S
    while node.checked_s == before:
        assert time.monotonic() < end
        node.tick()
        time.sleep(0.02)


def coded(event):
    return {one["code"]: one for one in event.body["doubts"]}


def test_doubts_have_place_span_and_value_and_are_kept_once(town, open_checked):
    lines = []
    node, _ = open_checked(town, report=lines.append)
    assert node.check("x") is None
    until_checked(node)
    x, y = checks(node)
    assert (x.party, y.party, y.body["doubts"]) == ("x", "y", [])
    found = coded(x)
    gap, stuck = found["records_gap"], found["records_stuck"]
    assert set(found) == {"records_gap", "records_stuck"}
    assert (gap["numbers"]["from_s"], gap["numbers"]["to_s"]) == (
        BEGIN + 10 * DAY,
        BEGIN + 12 * DAY,
    )
    assert stuck["names"] | {"text": ""} == {
        "field": "flow", "places": ["p1"], "place": "p1", "of": "L/s", "text": "",
    }  # fmt: skip
    numbers = stuck["numbers"]
    assert (numbers["value"], numbers["from_s"]) == (12.5, BEGIN + 20 * DAY)
    assert numbers["to_s"] == BEGIN + 22 * DAY + 5 * HOUR
    assert x.body["to_s"] <= node.clock.now()
    assert lines == ["Data check: doubts (2 of x) are on the page of agencies and sources."]
    first_s = node.checked_s
    until_checked(node)  # the next day finds the same
    assert node.checked_s > first_s
    assert [one.seq for one in checks(node)] == [x.seq, y.seq]
    open_checked.close()
    again, _ = open_checked(town, start=NOW)
    assert again.check("x").body == x.body
    assert again.checked_s is None


def test_nothing_of_the_future_is_doubted(tmp_path, open_checked):
    """A sensor that gets stuck later is no doubt of now, and other later values change nothing."""

    def later(name, values):
        changed = values.copy()
        if name == "a/x":
            changed[SHOWN_DAYS * 24 :, 0] = 7.25
        return changed

    bodies = []
    for name, change in (("plain", None), ("later", later)):
        folder = tmp_path / name
        folder.mkdir()
        write(folder, 36, change)
        node, _ = open_checked(folder, name=f"state-{name}")
        until_checked(node)
        bodies.append([(one.key, one.at_s, one.body) for one in checks(node)][:2])
        assert all(one.at_s <= node.clock.now() for one in checks(node))
        open_checked.close()
    assert bodies[0] == bodies[1]
    assert all(not body["doubts"] for _, _, body in bodies[0])


def test_a_check_that_is_killed_is_said_and_tried_again_the_next_day(town, open_checked):
    lines = []
    node, checker = open_checked(town, start=NOW - 2 * HOUR, report=lines.append)
    node.tick()
    os.kill(checker.process_id, signal.SIGSTOP)
    for _ in range(4):  # the replay waits with the next day
        node.tick()
    assert node.clock.now() <= NOW + HOUR
    assert node.tick() == 0
    os.kill(checker.process_id, signal.SIGKILL)
    checker._process.wait(PATIENCE_S)
    node.tick()
    failed = node.check("x")
    assert "ended by SIGKILL" in failed.body["problem"]
    assert failed.body["doubts"] == []
    assert lines[0].startswith("Records of x, y are not checked: the data check was ended by SIGK")
    until_checked(node)  # it is the next day by now
    assert node.check("x").body["problem"] == ""
    assert "records_stuck" in coded(node.check("x"))


def test_a_check_that_a_nameless_signal_ended_is_said(town, open_checked):
    node, checker = open_checked(town)
    node.tick()
    os.kill(checker.process_id, signal.SIGRTMIN + 1)
    checker._process.wait(PATIENCE_S)
    node.tick()
    assert f"ended by signal {signal.SIGRTMIN + 1}" in node.check("x").body["problem"]


@pytest.mark.parametrize(
    ("how", "words"),
    [({"limit_s": 0.0}, "was ended after 0 minutes"), ({"city_file": "gone.toml"}, "failed: ")],
)
def test_a_check_without_a_result_says_why(town, open_checked, how, words):
    node, checker = open_checked(town)
    for name, value in how.items():
        setattr(checker, name, town / value if isinstance(value, str) else value)
    until_checked(node)
    assert words in node.check("y").body["problem"]
    assert checked_records(node.check("y")).from_s is None


def test_a_state_folder_that_cannot_be_written_is_named(town, open_checked, tmp_path):
    (tmp_path / "file").write_text("no folder")
    node, checker = open_checked(town)
    checker.state = tmp_path / "file"
    until_checked(node)
    assert "cannot be started" in node.check("x").body["problem"]


def test_a_request_that_does_not_fit_on_the_disk_leaves_nothing_there(town, tmp_path, monkeypatch):
    panel = load_panel(load_city(town / "a.toml"), "x")

    def full(path, _data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr("deepcity.live.node.processes.request_folder.write_atomic", full)
    asked = CheckRequest(city_file=town / "a.toml", agencies=("x",), now_s=NOW)
    with pytest.raises(OSError, match="No space left"):
        RequestFolder(tmp_path / "beside" / "check").write(asked, {"x": panel})
    assert list((tmp_path / "beside").iterdir()) == []


def test_what_grows_with_every_step_is_no_new_doubt(town):
    panel = load_city(town / "a.toml")
    records = load_panel(panel, "x")
    numbers = {"count": 5.0, "more": 0.0, "low": 1.0}
    doubt = Note(code="records_wrong_unit", numbers=numbers, names={"field": "flow", "text": "a"})
    grown = doubt.model_copy(update={"numbers": numbers | {"low": 1.1}, "names": {"field": "flow"}})
    other = doubt.model_copy(update={"numbers": numbers | {"count": 6.0}})
    before = check_draft("x", records, [doubt], NOW)
    for doubts, new in (([grown], 0), ([other], 1), ([], 1)):
        draft = check_draft("x", records, doubts, NOW + DAY)
        found = changed_drafts([draft], lambda _: before, NOW + DAY + HOUR)
        assert len(found) == new
        assert all(one.at_s == NOW + DAY + HOUR for one in found)
    failed = replace(before, body={**before.body, "problem": "it failed"})
    assert len(changed_drafts([failed], lambda _: before, NOW)) == 1
    assert changed_drafts([failed], lambda _: failed, NOW) == []
