"""What the fault table counts: rounds that are lost, counted twice, other levels, points."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.federation.fault_outcome import Outcome, compared
from benchmarks.federation.fault_points import Point, Points
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.run_folder import coordinator_folder

NORTH, SOUTH, HUB = "north/water", "south/water", "coordinator"
ROUND = {NORTH: 0.5, SOUTH: 0.4}
VALUES = {
    "errors": [ROUND, ROUND],
    "failures": [[], []],
    "ledger": [
        [number, "train", *ends, "h1", 100]
        for number in range(2)
        for party in ROUND
        for ends in ((party, HUB), (HUB, party))
    ],
}


def run_folder(folder, values=VALUES, *, level=3, digest="0" * 12):
    """A run's folder as the coordinator leaves it."""
    store = CheckpointStore(coordinator_folder(folder))
    arrays = {"state:h1": {"w": np.zeros(1, np.float32)}}
    for name in ("water.level_6", f"water.episodic-1-{digest}"):
        store.save(name, 2, arrays, values)
    parties = [
        {
            "name": party,
            "level": level,
            "test": {"alone": {"metric_error": 0.3}},
            "validation_mae": {"0": 0.2},
        }
        for party in ROUND
    ]
    (folder / "results.json").write_text(json.dumps({"services": [{"parties": parties}]}))
    (folder / "rounds.json").write_text(json.dumps({"water.level_6": {"failures": [[], []]}}))
    return folder


def outcome(tmp_path, values=VALUES, **more):
    found = compared(
        run_folder(tmp_path / "run", values, **more), run_folder(tmp_path / "reference")
    )
    return Outcome(name="x", ended=True, seconds=1.0, made=[0, 0], **found)


def changed(number, key, value):
    values = copy.deepcopy(VALUES)
    values[key][number] = value
    return values


def test_the_same_run_is_as_without_a_fault_whatever_its_newcomers_are_called(tmp_path):
    found = outcome(tmp_path, digest="f" * 12)
    assert found.same
    assert found.good
    assert (found.worst, found.lost, found.twice, found.named) == (0.0, 0, 0, {})


def test_another_level_is_not_the_same(tmp_path):
    found = outcome(tmp_path, level=4)
    assert found.levels == [NORTH, SOUTH]
    assert not found.good


def test_a_party_that_is_missing_is_lost_unless_it_is_named(tmp_path):
    silent = outcome(tmp_path / "silent", changed(1, "errors", {NORTH: 0.5}))
    assert silent.lost == 2  # once in each training
    assert not silent.good
    values = changed(1, "errors", {NORTH: 0.5}) | {"failures": [[], [[SOUTH, "away"]]]}
    named = outcome(tmp_path / "named", values)
    assert (named.lost, named.named) == (0, {SOUTH: ["away"]})


def test_a_round_that_ended_before_the_last_is_lost(tmp_path):
    assert outcome(tmp_path, {key: rows[:1] for key, rows in VALUES.items()}).lost == 4


def test_bytes_of_a_round_that_are_counted_twice_are_found(tmp_path):
    rows = [*VALUES["ledger"], [1, "train", NORTH, HUB, "head", 7]]
    found = outcome(tmp_path, VALUES | {"ledger": rows})
    assert found.twice == 2
    assert not found.good


@pytest.mark.parametrize("left", [{"orphans": 1}, {"made": [1, 2]}, {"ended": False}])
def test_a_run_that_is_not_whole_is_not_good(left):
    whole = {"name": "x", "ended": True, "seconds": 1.0, "made": [2, 2], "worst": 0.0}
    assert Outcome(**whole).good
    assert not Outcome(**whole | left).good


def test_a_process_stops_at_its_point_once_and_goes_on(tmp_path):
    points = Points(tmp_path / "points", [Point("asked", "south", "water.level_6", 1)])
    code = (
        "import sitecustomize as points\n"
        "for site, number in (('north', 1), ('south', 0), ('south', 1), ('south', 1)):\n"
        "    points.os.environ[points.SITE] = site\n"
        "    points.hold('asked', 'water.level_6', number)\n"
        "    print(site, number, flush=True)\n"
    )
    with points.environment():
        process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert str(points.folder) not in os.environ.get("FAULT_POINTS", "")
    assert [process.stdout.readline() for _ in range(2)] == ["north 1\n", "south 0\n"]
    while points.reached() != [0]:
        assert process.poll() is None
    points.go_on(0)
    rest, _ = process.communicate(timeout=20)
    assert rest == "south 1\nsouth 1\n"
    assert (points.reached(), points.made()) == ([], [0])
    assert Path(points.folder, "plan.json").exists()
