"""Parties of one service with other steps, windows, years and numbers of places."""

from pathlib import Path

import numpy as np
import pytest
from little_map import LittleMap, flows, quarters, service

from deepcity.city.errors import ConfigError
from deepcity.city.level import HIDDEN_LAYERS
from deepcity.intercity.compatibility import deepest_shared_level, shape_groups_of
from deepcity.intercity.method import Method
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.parties.pooling import can_pool
from deepcity.runs.run import run_map
from deepcity.runs.site import Site
from deepcity.runs.trainings import train_parties
from deepcity.store.packages.layer_package import load_package
from deepcity.web.report.notes import note
from deepcity.web.report.page import render

CITIES = Path(__file__).parents[2] / "benchmarks" / "cities"
SHARED = Path(__file__).parents[3] / "shared" / "data"
COMMON = 'stem = "common"'


def mixed(folder, **how):
    """Two hourly parties and one by quarters of an hour, whose window is longer in steps."""
    little = LittleMap(folder)
    for seed, name in enumerate(("east/north", "east/south", "west/fine")):
        little.party(name, flows(seed=seed, places=1 + 2 * seed))
    how = {"levels": (6,), "rounds": 2, "settings": "pooled = true", "grant": COMMON} | how
    path = little.write(service(**how))
    quarters(path, "west")
    window = '[service.windows]\n"west/fine" = { history = 8, horizon = 24 }\n'
    path.write_text(path.read_text() + window)
    return path


def learned(path):
    only = load_map(path).services[0]
    parties = parties_of(only)
    method = Method("joined", {party.name: 6 for party in parties})
    return parties, train_parties(only.settings, parties, 1, method)[0]


def profiles(path, parties):
    settings = load_map(path).services[0].settings
    return {party.name: Site(settings, party, 1).profile for party in parties}


def same(one, other, layer):
    left, right = (learner.export([layer])[layer] for learner in (one, other))
    return all(np.array_equal(left[name], right[name]) for name in left)


def test_hidden_layers_are_fused_among_all_and_heads_and_stems_among_equals(tmp_path):
    parties, outcome = learned(mixed(tmp_path))
    assert [party.data.train.baseline_BNH.shape[-1] for party in parties] == [6, 6, 24]
    assert not [failure for failures in outcome.progress.failures for failure in failures]
    state = outcome.progress.state.layers
    assert set(state) > set(HIDDEN_LAYERS)
    assert len([name for name in state if name.startswith("head@")]) == 2
    sent = outcome.progress.outgoing
    for layer in HIDDEN_LAYERS:
        for name in sent["east/north"][layer]:
            ours = sent["east/north"][layer][name]
            assert np.array_equal(ours, sent["west/fine"][layer][name])
    for layer in ("stem", "head"):
        ours, theirs = (sent[party][layer] for party in ("east/north", "east/south"))
        assert all(np.array_equal(ours[name], theirs[name]) for name in ours)


def test_a_party_without_an_equal_joins_down_to_h5_and_the_report_says_so(tmp_path):
    path = mixed(tmp_path)
    results = run_map(load_map(path), tmp_path / "run")
    (only,) = results.services
    tried = {party.name: set(party.validation_mae) for party in only.parties}
    assert tried["west/fine"] == set("012345")
    assert tried["east/north"] == tried["east/south"] == set("0123456")
    (joined,) = [traffic for traffic in only.traffic if traffic.method == "level_6"]
    for layer in ("stem", "head"):  # what fits nobody else does not leave
        others = joined.bytes_by_layer[layer] / joined.rounds / 2
        assert joined.bytes_by_party["west/fine"] / joined.rounds < (
            joined.bytes_by_party["east/north"] / joined.rounds - others / 2
        )
    assert "pooled" not in only.parties[0].test
    heads = [note(one).en for one in only.notes if one.code == "grouped_head"]
    assert "east/north, east/south; west/fine" in heads[0]
    assert any("averages are weighted by rows: west/fine has" in note(one).en for one in only.notes)
    fine = next(party for party in only.parties if party.name == "west/fine")
    assert (fine.step_minutes, fine.horizon_steps) == (15, 24)
    assert "It forecasts 24 steps of 15 min." in [note(one).en for one in fine.notes]
    assert len(fine.test["automatic"].mae_by_horizon) == 24
    page = render(results)
    assert "east/north, east/south; west/fine" in page
    (package,) = (tmp_path / "run" / "coordinator" / "layers").glob("*.layers")
    assert set(load_package(package).layers) == set(HIDDEN_LAYERS)


def test_equal_shapes_of_unequal_steps_are_not_shared(tmp_path):
    path = mixed(tmp_path)
    path.write_text(path.read_text().partition("[service.windows]")[0])
    parties = parties_of(load_map(path).services[0])
    assert len({party.data.ridge_skip_HS.shape for party in parties}) == 1
    by_layer = shape_groups_of(profiles(path, parties))
    groups = by_layer["head"]
    assert groups["east/north"] == groups["east/south"] != groups["west/fine"]
    levels = {party.name: 6 for party in parties}
    assert deepest_shared_level("west/fine", levels, 6, by_layer) == 5
    assert deepest_shared_level("east/north", levels, 6, by_layer) == 6


def test_a_newcomer_of_another_step_starts_from_the_hidden_layers(tmp_path):
    path = mixed(tmp_path, settings='newcomers = ["west/fine"]\npooled = false', levels=())
    (only,) = run_map(load_map(path), tmp_path / "run").services
    late = next(party for party in only.parties if party.newcomer)
    assert set(late.validation_mae) == set("012345")
    assert "as they came" not in note(late.notes[0]).en


def test_years_and_places_may_differ(tmp_path):
    little = LittleMap(tmp_path)
    little.party("east/small", flows(seed=0, places=3)).party("west/large", flows(60, 40, seed=1))
    path = little.write(service(levels=(6,), rounds=2, grant=COMMON))
    for records in tmp_path.glob("west-*.csv"):
        records.write_text(records.read_text().replace("\n2021-", "\n2018-"))
    parties, outcome = learned(path)
    assert [len(party.panel.places) for party in parties] == [3, 40]
    assert parties[0].panel.time_T[0] - parties[1].panel.time_T[-1] > 2 * 365 * 24 * 3600
    assert not shape_groups_of(profiles(path, parties))
    assert not can_pool(parties)
    small, large = (outcome.progress.outgoing[party.name] for party in parties)
    assert all(np.array_equal(small["head"][key], large["head"][key]) for key in small["head"])


def test_windows_of_nobody_are_refused(tmp_path):
    path = mixed(tmp_path)
    path.write_text(path.read_text().replace('"west/fine" = {', '"west/fin" = {'))
    with pytest.raises(ConfigError, match="Did you mean 'west/fine'"):
        load_map(path)


REAL = """
name = "loads"
title = {{ en = "Loads", ko = "부하" }}
cities = ["{cities}/tetouan.toml", "{cities}/chicago.toml"]
[[service]]
name = "load"
application = "electricity"
parties = ["tetouan/power", "chicago/power"]
field = "load"
levels = []
experts = ["network", "typical_day", "yesterday"]
[service.windows]
"tetouan/power" = {{ history = 36, horizon = 36, days = 7 }}
[service.window]
history = 24
horizon = 24
days = 7
[service.training]
rounds = 2
local_steps = 3
stride = 24
refit_steps = 2
[service.span]
validation_days = 8
validation_stride = 12
test_days = 8
test_stride = 12
"""


@pytest.mark.real
@pytest.mark.skipif(not SHARED.is_dir(), reason="the real data folder ../shared/data is absent")
def test_tetouan_by_ten_minutes_learns_with_chicago_by_the_hour(tmp_path):
    """A real pair: load every 10 minutes of 2017, and by the hour of 2011-18."""
    path = tmp_path / "loads.toml"
    path.write_text(REAL.format(cities=CITIES))
    (only,) = run_map(load_map(path), tmp_path / "run").services
    assert [set(party.validation_mae) for party in only.parties] == [set("012345")] * 2
    (joined,) = [traffic for traffic in only.traffic if traffic.method == "level_6"]
    assert set(HIDDEN_LAYERS) <= set(joined.bytes_by_layer)
    assert "tetouan/power; chicago/power" in note(only.notes[0]).en
    steps = [(party.step_minutes, party.horizon_steps) for party in only.parties]
    assert steps == [(10, 36), (60, 24)]
