"""A node of a little city: what it keeps, what it sees, and that it goes on."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from live_city import BEGIN, DAY, HOUR, START, SlowLearner, write
from processes import ENV, PATIENCE_S

from deepcity.city.errors import DataError
from deepcity.data.city_file import load_city
from deepcity.live.node.decision_book import AnswerKind, DecisionStatus
from deepcity.live.node.forecast_event import stored_forecast
from deepcity.live.node.known import FrameKind, frame, newest_forecast, series
from deepcity.live.node.open_node import find_forecasters
from deepcity.live.node.records.source_status import SourceStatus, TroubleCode
from deepcity.store.events.event import EventKind, EventQuery
from deepcity.web.control.overview.source_answers import sources_json

KEY = ("water", "a/x")


def steps(node, count):
    for _ in range(count):
        node.tick()


def of_kind(node, kind, **how):
    return node.events.read(EventQuery((kind,), **how))


def test_every_step_has_rows_a_forecast_and_a_decision_once(open_node):
    node = open_node()
    steps(node, 3)
    for kind in (EventKind.FORECAST, EventKind.DECISION):
        found = of_kind(node, kind, party="a/x")
        assert [event.body["origin_s"] for event in found] == [START + n * HOUR for n in range(3)]
    rows = of_kind(node, EventKind.ROWS, party="x")
    assert [event.body["until_s"] for event in rows] == [START + n * HOUR for n in range(3)]
    assert sum(event.body["steps"] for event in rows) == len(node.panel("x").time_T)


def test_nothing_of_the_future_is_seen(open_node, trained, tmp_path):
    """Other records from some hour on change nothing before it."""
    node = open_node()
    steps(node, 4)
    before = node.events.read(EventQuery(until_s=START + 3 * HOUR))
    open_node.close()
    folder = tmp_path / "poisoned"
    folder.mkdir()
    seen = 36 * 24 + 2

    def poison(_name, values):
        changed = values.copy()
        changed[seen:] = 1000 - 3 * changed[seen:]
        return changed

    write(folder, 39, poison)
    other = open_node(f"duckdb:///{tmp_path / 'other.duckdb'}", folder)
    steps(other, 4)
    again = other.events.read(EventQuery(until_s=START + 3 * HOUR))
    assert [(one.key, one.body, one.data) for one in again] == [
        (one.key, one.body, one.data) for one in before
    ]
    last = other.events.read(EventQuery(since_s=START + 3 * HOUR))
    assert any(one.kind is EventKind.FORECAST for one in last)
    assert {one.data for one in last if one.kind is EventKind.FORECAST}.isdisjoint(
        {one.data for one in before}
    )


def test_it_forecasts_as_the_forecaster_does(open_node, trained):
    node = open_node()
    steps(node, 1)
    city_file = load_city(trained / "a.toml")
    party = next(
        one
        for one in find_forecasters([trained / "run"], city_file).forecasters
        if one.party.party == "a/x"
    )
    found = party.forecast(panel=node.panel("x")).forecasts
    own = node.parties[KEY].forecast
    np.testing.assert_array_equal(own.value_NH, found.forecast_BNH[0])
    np.testing.assert_array_equal(own.low_NH, found.band[0][0])


def test_it_goes_on_after_a_stop_and_repeats_nothing(open_node):
    node = open_node()
    steps(node, 2)
    number = next(reversed(node.decisions.decisions))
    made_s = node.decisions.decisions[number].made_s
    node.change(lambda: node.decisions.answer(number, AnswerKind.CONFIRM, "kim", made_s))
    last = node.last
    open_node.close()
    again = open_node(start=START + HOUR)
    assert again.decisions.decisions[number].status(START + HOUR) is DecisionStatus.CONFIRMED
    again.tick()
    assert again.last == last  # the step was done
    again.tick()
    keys = [event.key for event in again.events.read(EventQuery(data=False))]
    assert len(keys) == len(set(keys))
    origins = [event.body["origin_s"] for event in of_kind(again, EventKind.FORECAST, party="a/x")]
    assert origins == [START, START + HOUR, START + 2 * HOUR]


def test_forecasters_signed_by_a_stranger_are_left_out_by_name(trained, tmp_path, monkeypatch):
    city_file = load_city(trained / "a.toml")
    known = find_forecasters([trained / "run"], city_file)
    monkeypatch.setenv("DEEPCITY_KEYS", str(tmp_path / "others"))
    found = find_forecasters([trained / "run"], city_file)
    assert known.forecasters
    assert not known.left_out
    assert not found.forecasters
    assert len(found.left_out) == len(known.forecasters)
    for folder, reason in found.left_out:
        assert folder == trained / "run"
        assert "deepcity keys trust NAME" in reason


def test_parties_that_learned_anew_take_over_and_repeat_nothing(open_node, trained, tmp_path):
    node = open_node()
    steps(node, 2)
    shown, run = node.parties[KEY].forecast, tmp_path / "run"
    shutil.copytree(trained / "run", run)
    found = find_forecasters([run], load_city(trained / "a.toml")).forecasters
    node.add(found)
    assert node.parties[KEY].party.party in [one.party for one in found]
    np.testing.assert_array_equal(node.parties[KEY].forecast.value_NH, shown.value_NH)
    steps(node, 2)
    origins = [event.body["origin_s"] for event in of_kind(node, EventKind.FORECAST, party="a/x")]
    assert origins == [START + n * HOUR for n in range(4)]
    keys = [event.key for event in node.events.read(EventQuery(data=False))]
    assert len(keys) == len(set(keys))


def test_what_was_known_at_a_time_past(open_node):
    node = open_node()
    steps(node, 4)
    now = frame(node, KEY, START + HOUR)
    assert (now.kind, now.origin_s) == (FrameKind.MEASURED, None)
    then = frame(node, KEY, START + HOUR, known_s=START)
    assert (then.kind, then.origin_s) == (FrameKind.FORECAST, START)
    assert np.all(then.low_N <= then.value_N)
    ahead = frame(node, KEY, START + 4 * HOUR)
    assert (ahead.kind, ahead.origin_s) == (FrameKind.FORECAST, START + 3 * HOUR)
    assert frame(node, KEY, START + 300 * HOUR).kind is FrameKind.NONE
    line = series(node, KEY, "p1", START - DAY, START + DAY)
    assert len(line.time_T) == 27
    assert line.forecast.origin_s == START + 3 * HOUR
    assert newest_forecast(node, KEY, START + 2 * HOUR).origin_s == START + 2 * HOUR


def test_a_source_that_stops_is_shown_and_never_repeated(open_node, trained, tmp_path):
    folder = tmp_path / "silent"
    folder.mkdir()

    def silence(name, values):
        changed = values.copy()
        changed[36 * 24 + 2 :] = np.nan if name == "a/x" else changed[36 * 24 + 2 :]
        return changed

    write(folder, 39, silence)
    node = open_node(folder=folder)
    steps(node, 8)
    state = node.source("x", node.clock.now())
    assert (state.status, state.newest_s) == (SourceStatus.LATE, START + 2 * HOUR)
    assert node.source("y", node.clock.now()).status is SourceStatus.FRESH
    assert frame(node, KEY, START + 4 * HOUR).kind is FrameKind.FORECAST
    alarms = [(one.party, one.code, one.over) for one in node.alarms.alarms.values()]
    assert alarms == [("x", "source-late", False)]
    found = [stored_forecast(event) for event in of_kind(node, EventKind.FORECAST, party="a/x")]
    assert [one.newest_s for one in found][-3:] == [START + 2 * HOUR] * 3
    assert found[-1].origin_s == START + 7 * HOUR


def test_a_source_that_cannot_be_read_is_told(open_node, trained, tmp_path):
    folder = tmp_path / "broken"
    shutil.copytree(trained, folder, ignore=shutil.ignore_patterns("run"))
    (folder / "a-x.csv").write_text("no,such,columns\n1,2,3\n")
    node = open_node(folder=folder)
    steps(node, 2)
    state = node.source("x", node.clock.now())
    assert state.status is SourceStatus.WAITING
    assert "a-x.csv" in state.trouble
    assert state.trouble_code is TroubleCode.UNREADABLE
    doubt, *_ = sources_json(node, node.clock.now())[0]["doubts"]
    assert doubt["en"] == f"Its records cannot be read: “{state.trouble}”"
    assert doubt["ko"] == f"기록을 읽을 수 없습니다: “{state.trouble}”"
    assert node.parties[KEY].forecast is None
    assert node.parties["water", "a/y"].forecast is not None


_UNTIL_KILLED = """
import sys
from pathlib import Path
from deepcity.data.city_file import load_city
from deepcity.live.node.clock import ReplayClock
from deepcity.live.node.node import Node
from deepcity.live.node.open_node import find_forecasters, sources_of
from deepcity.store.open_store import open_events
folder, url, start = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
city_file = load_city(folder / "a.toml")
found = find_forecasters([folder / "run"], city_file).forecasters
with open_events(url) as events:
    sources = sources_of(found, city_file, folder / "spool", replay=True)
    begin = max(start, events.newest_s() or 0)
    node = Node(city_file, sources, found, events, ReplayClock(begin, 3600, float("inf")))
    node.resume()
    while node.clock.now() < start + 20 * 3600:
        node.tick()
        print(node.clock.now(), flush=True)
"""


def test_killed_again_and_again_it_has_everything_once(trained, tmp_path, open_node):
    url = f"duckdb:///{tmp_path / 'killed.duckdb'}"
    command = [sys.executable, "-c", _UNTIL_KILLED, str(trained), url, str(START)]
    for lines in (2, 3, None):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=ENV) as node:
            if lines is None:
                node.communicate(timeout=PATIENCE_S)
                assert node.returncode == 0
                break
            for _ in range(lines):
                assert node.stdout.readline()
            time.sleep(0.05)
            os.kill(node.pid, signal.SIGKILL)
    whole = open_node(url, start=START + 20 * HOUR)
    origins = [event.body["origin_s"] for event in of_kind(whole, EventKind.FORECAST, party="a/x")]
    assert origins == [START + n * HOUR for n in range(20)]
    for kind in (EventKind.DECISION, EventKind.FORECAST):
        assert len(of_kind(whole, kind)) == 40
    rows = of_kind(whole, EventKind.ROWS, party="x")
    assert sum(event.body["steps"] for event in rows) == (START - BEGIN) // HOUR + 19


def test_bodies_of_events_are_plain_json(open_node):
    node = open_node()
    steps(node, 1)
    for event in node.events.read(EventQuery()):
        assert json.loads(json.dumps(event.body, allow_nan=False)) == event.body


def test_a_node_on_postgresql(open_node, postgres_url):
    node = open_node(postgres_url)
    steps(node, 2)
    assert len(of_kind(node, EventKind.FORECAST)) == 4


def test_a_start_with_a_damaged_source_knows_what_was_kept(open_node, trained, tmp_path):
    folder = tmp_path / "town"
    shutil.copytree(trained, folder, ignore=shutil.ignore_patterns("run"))
    node = open_node(folder=folder)
    steps(node, 2)
    open_node.close()
    (folder / "a-x.csv").write_text("no,such,columns\n1,2,3\n")
    again = open_node(folder=folder, start=START + 2 * HOUR)
    assert again.panel("x").time_T[-1] == START
    steps(again, 1)
    state = again.source("x", again.clock.now())
    assert (state.status, state.newest_s) == (SourceStatus.FRESH, START + HOUR)
    assert "a-x.csv" in state.trouble
    assert again.parties[KEY].forecast.origin_s == START + 2 * HOUR


def test_an_open_alarm_is_never_forgotten(open_node, trained, tmp_path, monkeypatch):
    folder = tmp_path / "silent"
    folder.mkdir()

    def silence(_name, values):
        changed = values.copy()
        changed[36 * 24 + 1 :] = np.nan
        return changed

    write(folder, 39, silence)
    node = open_node(folder=folder)
    steps(node, 6)
    assert len(node.alarms.alarms) == 2
    open_node.close()
    monkeypatch.setattr("deepcity.live.node.node._BACK", 1)
    again = open_node(folder=folder, start=START + 6 * HOUR)
    assert set(again.alarms.alarms) == set(node.alarms.alarms)


def test_a_fault_of_one_party_does_not_stop_the_others(open_node, monkeypatch):
    node = open_node()
    party = node.parties[KEY].party
    monkeypatch.setattr(party, "answer", lambda *_: 1 / 0)
    steps(node, 1)
    assert node.parties[KEY].failed.body["gap"]["detail"].startswith("ZeroDivisionError")
    assert node.parties["water", "a/y"].forecast is not None


def test_events_of_another_step_are_refused(open_node, trained, tmp_path):
    node = open_node()
    steps(node, 1)
    open_node.close()
    folder = tmp_path / "finer"
    shutil.copytree(trained, folder, ignore=shutil.ignore_patterns("run"))
    city = folder / "a.toml"
    city.write_text(city.read_text().replace('step = "1h"', 'step = "30min"'))
    with pytest.raises(DataError, match="another --state"):
        open_node(folder=folder)


def test_a_day_that_passed_while_it_was_down_is_learned_from(open_node, tmp_path):
    learner = SlowLearner()
    steps(open_node(run=tmp_path, start=START + DAY - HOUR, learner=learner), 1)
    open_node.close()
    steps(open_node(run=tmp_path, start=START + DAY + 2 * HOUR, learner=learner), 2)
    assert learner.asked == [(START + DAY + 2 * HOUR, START + DAY - HOUR)]
