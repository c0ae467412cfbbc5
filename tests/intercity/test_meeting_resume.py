"""Meetings that stop after any round go on from there, and end as if nothing had happened."""

import pytest
from little_map import without_seconds
from little_vertical import little

from deepcity.intercity.city_map import load_map
from deepcity.intercity.meeting_run import run_meetings
from deepcity.intercity.watch import Silent

BRIEF = 'own_steps = 8\ncompare = ["one-shot", "per-batch"]'
ELSEWHERE = "own_steps = 8\nlabels_stay = true\nown_deep = 4\ncompare = ['one-shot']"


class StopsAt(Silent):
    """Stops when a task has done so many rounds, as a kill would."""

    def __init__(self, task, done):
        self.wanted = (task, done)
        self.seen = []

    def advance(self, task, done):
        self.seen.append((task, done))
        if (task, done) == self.wanted:
            raise KeyboardInterrupt


def brief(folder, more):
    """A map whose meetings take moments."""
    path = little(folder, more="own_steps = 1", rounds=3)
    text = path.read_text(encoding="utf-8").replace("own_steps = 40\nown_steps = 1", more)
    text = text.replace("local_steps = 20", "local_steps = 3")
    path.write_text(text, encoding="utf-8")
    return load_map(path)


@pytest.mark.parametrize("more", [BRIEF, ELSEWHERE], ids=["own application", "labels stay"])
def test_stopped_in_every_method_it_ends_as_if_it_had_not(tmp_path, more):
    city_map = brief(tmp_path, more)
    whole = run_meetings(city_map, tmp_path / "whole")
    run, modes = tmp_path / "run", city_map.services[0].settings.meeting.modes[1:]
    methods = ["alone", "together", *(f"mode:{mode}" for mode in modes), "pooled"]
    for method in methods:
        watch = StopsAt(f"east/water: {method}", 2)
        with pytest.raises(KeyboardInterrupt):
            run_meetings(city_map, run, watch)
        before = methods[: methods.index(method)]
        rounds = [task for task, _ in watch.seen if task.partition(": ")[2] in before]
        last = [f"east/water: {before[-1]}"] if before else []
        assert rounds == last  # only the third round of the one that was stopped
    last = run_meetings(city_map, run)
    assert without_seconds(last.model_dump()) == without_seconds(whole.model_dump())
    packages = "sites/*/packages/*/*"
    names = [{p.name for p in f.glob(packages)} for f in (run, tmp_path / "whole")]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("site", "kept"), [("east.water", "*.together.000002"), ("east.weather", "*.run-1.000002")]
)
def test_a_damaged_checkpoint_costs_one_round(tmp_path, site, kept):
    """Of the coordinator, or of an agency alone: all go on from the round that all have."""
    city_map = brief(tmp_path, "own_steps = 8")
    whole, run = run_meetings(city_map, tmp_path / "whole"), tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run_meetings(city_map, run, StopsAt("east/water: together", 2))
    (newest,) = (run / "sites" / site / "checkpoints").glob(f"{kept}.checkpoint")
    newest.write_bytes(newest.read_bytes()[:-9])
    watch = StopsAt("", 0)
    last = run_meetings(city_map, run, watch)
    assert ("east/water: together", 2) in watch.seen
    assert ("east/water: together", 1) not in watch.seen
    assert without_seconds(last.model_dump()) == without_seconds(whole.model_dump())
