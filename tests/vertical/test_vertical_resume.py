"""Meetings that stop after any round go on from there, and end as if nothing had happened."""

import pytest
from little_map import without_seconds
from little_vertical import little

from deepcity.city.progress import NoProgress
from deepcity.maps.city_map import load_map
from deepcity.vertical.run import run_vertical

BRIEF = 'pretrain_steps = 8\ncompare = ["one-shot", "per-batch"]'
NOT_STANDALONE = "pretrain_steps = 8\nlabels_stay = true\nown_width = 4\ncompare = ['one-shot']"


class StopsAt(NoProgress):
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
    path = little(folder, more="pretrain_steps = 1", rounds=3)
    text = path.read_text(encoding="utf-8").replace("pretrain_steps = 40\npretrain_steps = 1", more)
    text = text.replace("local_steps = 20", "local_steps = 3")
    path.write_text(text, encoding="utf-8")
    return load_map(path)


@pytest.mark.parametrize("more", [BRIEF, NOT_STANDALONE], ids=["own application", "labels stay"])
def test_stopped_in_every_method_it_ends_as_if_it_had_not(tmp_path, more):
    city_map = brief(tmp_path, more)
    whole = run_vertical(city_map, tmp_path / "whole")
    run, modes = tmp_path / "run", city_map.services[0].settings.vertical.modes[1:]
    methods = ["alone", "together", *(f"mode:{mode}" for mode in modes), "pooled"]
    for method in methods:
        listener = StopsAt(f"east/water: {method}", 2)
        with pytest.raises(KeyboardInterrupt):
            run_vertical(city_map, run, listener)
        before = methods[: methods.index(method)]
        rounds = [task for task, _ in listener.seen if task.partition(": ")[2] in before]
        last = [f"east/water: {before[-1]}"] if before else []
        assert rounds == last  # only the third round of the one that was stopped
    last = run_vertical(city_map, run)
    assert without_seconds(last.model_dump()) == without_seconds(whole.model_dump())
    packages = "sites/*/packages/*/*"
    names = [{p.name for p in f.glob(packages)} for f in (run, tmp_path / "whole")]
    assert names[0] == names[1]


@pytest.mark.parametrize(
    ("site", "kept"), [("east.water", "*.together.000002"), ("east.weather", "*.run-1.000002")]
)
def test_a_damaged_checkpoint_costs_one_round(tmp_path, site, kept):
    """Of the coordinator, or of an agency alone: all go on from the round that all have."""
    city_map = brief(tmp_path, "pretrain_steps = 8")
    whole, run = run_vertical(city_map, tmp_path / "whole"), tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        run_vertical(city_map, run, StopsAt("east/water: together", 2))
    (newest,) = (run / "sites" / site / "checkpoints").glob(f"{kept}.checkpoint")
    newest.write_bytes(newest.read_bytes()[:-9])
    listener = StopsAt("", 0)
    last = run_vertical(city_map, run, listener)
    assert ("east/water: together", 2) in listener.seen
    assert ("east/water: together", 1) not in listener.seen
    assert without_seconds(last.model_dump()) == without_seconds(whole.model_dump())
