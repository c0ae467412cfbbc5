"""Late joiners and leavers as a map says them, also when a run is killed between rounds."""

import pytest
from little_map import flows, service, three, without_seconds

from deepcity.city.errors import ConfigError
from deepcity.exchange.coordinator import Coordinator
from deepcity.maps.city_map import load_map
from deepcity.runs.run import run_map
from deepcity.web.report.notes import note

TIMES = """
[service.participation]
joins = { "east/south" = 2 }
leaves = { "west/office" = 3 }
share = 0.8
"""


def written(folder, more=TIMES, **how):
    little = three(folder).party("west/other", flows(seed=9, places=1))
    return little.write(service(levels=(), rounds=3, settings="pooled = false", more=more, **how))


def test_a_killed_run_with_late_and_early_parties_ends_the_same(tmp_path, monkeypatch):
    path = written(tmp_path)
    whole = run_map(load_map(path), tmp_path / "whole")
    keep = Coordinator._keep

    def killed(self, name, plan, training):
        keep(self, name, plan, training)
        if name == "water.level_6" and training.progress.round == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(Coordinator, "_keep", killed)
    with pytest.raises(KeyboardInterrupt):
        run_map(load_map(path), tmp_path / "killed")
    monkeypatch.setattr(Coordinator, "_keep", keep)
    again = run_map(load_map(path), tmp_path / "killed")
    assert without_seconds(again.model_dump(mode="json")) == without_seconds(
        whole.model_dump(mode="json")
    )
    by_name = {party.name: party for party in whole.services[0].parties}
    assert "Joined in round 2 of 3." in [note(one).en for one in by_name["east/south"].notes]
    words = [note(one).en for one in by_name["west/office"].notes]
    assert "Left before round 3 of 3, and keeps the layers it had then." in words
    assert any("Sampled for" in words for words in words)
    (traffic,) = [t for t in whole.services[0].traffic if t.method == "level_6"]
    assert traffic.bytes_by_party["west/office"] < traffic.bytes_by_party["west/other"]


@pytest.mark.parametrize(
    ("words", "key", "reason"),
    [
        ('joins = { "east/nobody" = 2 }', "participation.joins", "not a party"),
        ('joins = { "east/south" = 4 }', "participation.joins.east/south", "only 3 rounds"),
        ('leaves = { "east/south" = 1 }', "leaves.east/south", "greater than or equal to 2"),
        (
            'joins = { "east/south" = 3 }\nleaves = { "east/south" = 3 }',
            "leaves.east/south",
            "leave before it joins",
        ),
        ("share = 0", "participation.share", "greater than 0"),
    ],
)
def test_impossible_times_are_refused(tmp_path, words, key, reason):
    with pytest.raises(ConfigError) as error:
        load_map(written(tmp_path, f"[service.participation]\n{words}"))
    found = [problem for problem in error.value.problems if key in problem.key]
    assert found, error.value
    assert reason in found[0].reason
