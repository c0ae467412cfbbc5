"""A city that joins late starts from the others' layers and sends nothing."""

from dataclasses import replace

import numpy as np
import pytest
from little_map import LittleMap, flows, service, three

from benchmarks.pooling import pooled_rows
from deepcity.city.errors import ConfigError
from deepcity.city.level import HEAD, HIDDEN_LAYERS, STEM
from deepcity.intercity.method import Method
from deepcity.intercity.newcomer import common_layers, start_newcomer
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.runs.trainings import train_parties


def joined(path, stem):
    only = load_map(path).services[0]
    grant = only.settings.grant.model_copy(update={"stem": stem})
    settings = only.settings.model_copy(update={"grant": grant})
    *others, late = parties_of(replace(only, settings=settings))
    method = Method("joined", {party.name: 6 for party in others})
    return train_parties(settings, others, 1, method)[0], settings, late


def test_with_a_common_stem_it_forecasts_by_the_others_layers_at_once(tmp_path):
    outcome, settings, late = joined(three(tmp_path).write(), "common")
    layers = common_layers(outcome.progress)
    assert set(layers) == {STEM, *HIDDEN_LAYERS, HEAD}
    learner = start_newcomer(late, settings, layers, 1)
    for name, tensors in learner.export(layers).items():
        for key, values in tensors.items():
            assert np.array_equal(values, layers[name][key])
    assert late.name not in outcome.ledger.sent_by_party()


def test_with_private_stems_it_trains_its_own_under_their_layers(tmp_path):
    outcome, settings, late = joined(three(tmp_path).write(), "private")
    layers = common_layers(outcome.progress)
    assert STEM not in layers
    learner = start_newcomer(late, settings, layers, 1)
    kept = learner.export(HIDDEN_LAYERS)
    assert all(np.array_equal(kept["h1"][key], layers["h1"][key]) for key in kept["h1"])


def test_pooled_rows_are_those_of_all_parties(tmp_path):
    parties = parties_of(load_map(three(tmp_path).write()).services[0])
    pooled = pooled_rows(parties)
    rows = sum(party.data.train.truth_BNH[..., 0].size for party in parties)
    assert pooled.train.features_BNF.shape[:2] == (rows, 1)
    first = parties[0].data.train
    assert np.allclose(pooled.train.truth_BNH[0, 0], first.target_BNH[0, 0], equal_nan=True)


def test_parties_of_other_horizons_cannot_be_pooled(tmp_path):
    little = three(tmp_path)
    short = parties_of(load_map(little.write()).services[0])
    longer = parties_of(load_map(little.write(service(horizon=7))).services[0])
    with pytest.raises(ValueError, match="different features or horizons"):
        pooled_rows([short[0], longer[1]])


def test_a_party_may_name_a_field_of_its_own(tmp_path):
    little = LittleMap(tmp_path)
    little.party("east/north", flows(seed=0)).party("west/office", flows(seed=1))
    path = little.write()
    text = path.read_text()
    path.write_text(text.replace('["*/*"]', '["east/north:flow", "west/office"]'))
    members = load_map(path).services[0].members
    assert [member.name for member in members] == ["east/north:flow", "west/office"]
    assert {member.field for member in members} == {"flow"}
    path.write_text(text.replace('["*/*"]', '["east/north:flw", "west/office"]'))
    with pytest.raises(ConfigError) as error:
        load_map(path)
    (problem,) = error.value.problems
    assert (problem.key, problem.value) == ("service[water].parties", "flw")
    assert "did you mean 'flow'" in problem.right
