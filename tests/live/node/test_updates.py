"""A node's forecasters learn from new days beside it, and what changed is an event."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from live_city import DAY, HOUR, START, SlowLearner
from processes import ENV, PATIENCE_S

from deepcity.data.city_file import load_city, load_panel
from deepcity.live.node.learning.learner import DailyLearner
from deepcity.live.node.learning.request import LearningFolder, LearningRequest
from deepcity.live.node.learning.updates import DailyUpdate, bundle_numbers, working_copies
from deepcity.runs.update.forecaster_bundle import BundleStore
from deepcity.store.events.event import EventKind, EventQuery
from deepcity.store.run_folder import site_folder


def newest(folder, party="a/x"):
    return BundleStore.of(site_folder(folder, party)).newest("water", party)


def updates(node):
    return node.events.read(EventQuery((EventKind.UPDATE,)))


def wait(true):
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def alive(process):
    """Whether a process runs; one that nobody has collected yet does not."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def ignores(process, sign):
    status = Path(f"/proc/{process}/status").read_text()
    mask = next(line for line in status.splitlines() if line.startswith("SigIgn"))
    return bool(int(mask.split()[1], 16) >> (sign - 1) & 1)


def test_it_learns_from_the_days_before_and_goes_on_forecasting(open_node, trained, tmp_path):
    (copy,) = working_copies([trained / "run"], tmp_path)
    lines = []
    learner = DailyLearner((copy,), "a", tmp_path, lines.append)
    day_s = START + 2 * DAY
    node = open_node(run=copy, learner=learner, start=day_s - HOUR)
    node.tick()
    assert (node.learning_since_s, lines) == (None, [])
    steps = 0
    while not updates(node):
        steps += node.tick() > 0
        time.sleep(0.01)
    assert steps > 1
    assert "Learning from the days before 2021-03-11" in lines[0]
    found = updates(node)
    better = sum(event.body["outcome"] == "refined" for event in found)
    assert lines[1].startswith(f"Learned: {better} of 2 forecasters go on with what they learned")
    assert [(event.party, event.at_s) for event in found] == [("a/x", day_s), ("a/y", day_s)]
    body = found[0].body
    assert body["outcome"] in ("refined", "kept"), body
    assert body["learned_to_s"] <= day_s
    assert body["forgetting"] <= body["max_forgetting"]
    assert newest(copy) == newest(trained / "run") + 1


@pytest.fixture
def run(tmp_path):
    """A folder that looks like that of a run."""
    folder = tmp_path / "run" / "sites" / "a.x" / "own"
    folder.mkdir(parents=True)
    (folder / "water.a.x.000000.checkpoint").write_bytes(b"damaged")
    return tmp_path / "run"


def test_a_learning_process_that_is_killed_is_an_event_and_not_tried_again(
    open_node, run, tmp_path
):
    lines = []
    learner = DailyLearner((run,), "a", tmp_path, lines.append)
    node = open_node(learner=learner, start=START + DAY - HOUR)
    node.tick()
    node.tick()
    os.kill(node._daily.learner.process_id, signal.SIGKILL)
    node._daily.learner._process.wait(PATIENCE_S)
    assert node.tick() > 0
    (found,) = updates(node)
    assert (found.body["outcome"], found.party) == ("problem", "a")
    assert "ended by SIGKILL" in found.body["problem"]
    assert "short of memory" in found.body["problem"]
    assert "1 could not learn (a: " in lines[-1]
    assert "SIGKILL" in lines[-1]
    node.tick()
    assert node.learning_since_s is None
    assert node.parties["water", "a/x"].forecast.origin_s >= START + DAY + HOUR


def test_it_ends_with_the_node_that_is_killed_and_is_learned_again(tmp_path):
    LearningFolder(tmp_path / "learning").write(LearningRequest(city="a", folders=(), now_s=7), {})
    text = f"""
import time
from pathlib import Path
from deepcity.live.node.learning.learner import DailyLearner
learner = DailyLearner((), "a", Path({str(tmp_path)!r}))
learner.resume(8)
print(learner.process_id, flush=True)
time.sleep(600)
"""
    command = [sys.executable, "-c", text]
    with subprocess.Popen(command, env=ENV, stdout=subprocess.PIPE) as node:
        learning = int(node.stdout.readline())
        wait(lambda: ignores(learning, signal.SIGTERM))
        os.kill(learning, signal.SIGTERM)  # as of a stop of both: the node ends it
        os.kill(learning, signal.SIGSTOP)
        node.kill()
    assert alive(learning)
    os.kill(learning, signal.SIGCONT)
    wait(lambda: not alive(learning))
    learner = DailyLearner((), "a", tmp_path)
    learner.resume(8)
    assert learner.since_s == 7
    learner.close()
    learner.resume(6)  # a replay that begins anew: that day is still to come
    assert learner.since_s is None
    assert not (tmp_path / "learning").exists()


def test_what_a_broken_off_learning_had_saved_is_an_event_too(trained, tmp_path):
    (copy,) = working_copies([trained / "run"], tmp_path)
    folder = LearningFolder(tmp_path / "learning")
    panels = {name: load_panel(load_city(trained / "a.toml"), name) for name in ("x", "y")}
    folder.write(LearningRequest(city="a", folders=(copy,), now_s=7), panels)
    before = folder.begun(bundle_numbers((copy,)))
    found = DailyUpdate((copy,), "a", before)(folder.known, 7)
    assert {event.body["number"] for event in found} == {1}
    assert folder.begun(bundle_numbers((copy,))) == before
    again = DailyUpdate((copy,), "a", before)(folder.known, 7)
    assert again == found
    assert DailyUpdate((copy,), "a", bundle_numbers((copy,)))(folder.known, 7) == []
    folder.finish(found)
    learner = DailyLearner((copy,), "a", tmp_path)
    learner.resume(8)
    assert (learner.ended(), learner.process_id) == (found, None)
    learner.forget([])
    learner.resume(8)
    assert learner.ended() is None


def test_a_run_that_cannot_be_updated_says_why(trained, tmp_path):
    (copy,) = working_copies([trained / "run"], tmp_path)
    for path in copy.glob("sites/*/own/*"):
        path.write_bytes(b"damaged")
    found = DailyUpdate((copy,), "a")(LearningFolder(tmp_path).known, 7)
    assert {event.body["outcome"] for event in found} == {"problem"}
    assert "damaged" in found[0].body["problem"]


@pytest.mark.parametrize(
    ("program", "words"),
    [("/bin/false", "failed: exit code 1"), ("/nothing", "cannot be started")],
)
def test_a_process_that_does_not_start_is_named(run, tmp_path, monkeypatch, program, words):
    monkeypatch.setattr(sys, "executable", program)
    learner = DailyLearner((run,), "a", tmp_path)
    learner.begin({}, 7)
    wait(learner.ended)
    (found,) = learner.ended()
    assert words in found.body["problem"]
    learner.forget([])
    assert learner.ended() is None


def test_where_nothing_can_learn_no_process_is_started(tmp_path):
    learner = DailyLearner((tmp_path,), "a", tmp_path)
    learner.begin({}, 7)
    assert (learner.since_s, learner.ended()) == (None, None)


def test_records_that_cannot_be_handed_over_are_named(run, tmp_path):
    (tmp_path / "state").write_text("no folder")
    learner = DailyLearner((run,), "a", tmp_path / "state")
    learner.begin({}, 7)
    assert "cannot be handed to the learning process" in learner.ended()[0].body["problem"]


def test_a_replay_learns_each_day_by_itself_and_from_nothing_later(open_node, tmp_path):
    learner = SlowLearner()
    node = open_node(run=tmp_path, learner=learner, start=START + DAY - 2 * HOUR)
    for _ in range(2 + 24):
        assert node.tick() > 0
    assert node.clock.now() == START + 2 * DAY
    assert node.tick() == node.tick() == 0  # the next day waits
    learner.found = []
    assert node.tick() > 0
    assert learner.asked == [
        (START + DAY, START + DAY - HOUR),
        (START + 2 * DAY, START + 2 * DAY - HOUR),
    ]


def test_copies_are_made_once_and_whole(trained, tmp_path):
    first = working_copies([trained / "run"], tmp_path)
    (first[0] / "mark").write_text("kept")
    assert working_copies([trained / "run"], tmp_path) == first
    assert (first[0] / "mark").exists()
