"""Members learn from episodes of newcomers: rows seen with few days, and nothing later."""

from dataclasses import replace

import numpy as np
import pytest
from little_map import LittleMap, flows, three

from deepcity.city.level import HEAD, HIDDEN_LAYERS, STEM
from deepcity.intercity.method import Method
from deepcity.intercity.newcomer import choose_newcomer_level, common_layers
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.runs import episodic_training
from deepcity.runs.episodic_training import (
    STAGES,
    episodic_site,
    run_episodic_training,
    with_episodes,
)
from deepcity.runs.site import Site
from deepcity.runs.trainings import train_parties
from deepcity.store.checkpoint import CheckpointStore
from deepcity.store.run_folder import site_folder


def little(path, stem="common"):
    only = load_map(path).services[0]
    grant = only.settings.grant.model_copy(update={"stem": stem})
    settings = only.settings.model_copy(update={"grant": grant})
    return replace(only, settings=settings)


@pytest.fixture(scope="module")
def only(tmp_path_factory):
    return little(three(tmp_path_factory.mktemp("map")).write())


@pytest.fixture(scope="module")
def party(only):
    return parties_of(only)[0]


def test_as_many_rows_again_as_its_own_which_stay_as_they_are(only, party):
    own, both = party.data.train, with_episodes(party, only.settings, 1).data.train
    assert 1.8 * len(own) < len(both) < 2.2 * len(own)
    assert np.array_equal(both.features_BNF[: len(own)], own.features_BNF)
    assert np.array_equal(both.target_BNH[: len(own)], own.target_BNH)
    assert np.array_equal(both.scale_N1, own.scale_N1)
    assert np.isfinite(both.target_BNH).all()
    assert party.data.rows == with_episodes(party, only.settings, 1).data.rows


def test_with_few_days_the_typical_day_rests_on_less(only, party):
    own = len(party.data.train)
    rows = with_episodes(party, only.settings, 1).data.train
    evidence = rows.features_BNF[..., -11 - 2 : -11].mean(axis=(1, 2))  # 11: clock and weekdays
    assert evidence[own:].mean() < evidence[:own].mean() - 0.2


def test_the_seed_draws_the_episodes(only, party):
    one, same, other = (
        with_episodes(party, only.settings, seed).data.train.features_BNF for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_every_course_draws_its_own(only, party):
    first, second = (
        with_episodes(party, only.settings, 1, stage).data.train.features_BNF for stage in (0, 1)
    )
    own = len(party.data.train)
    assert np.array_equal(first[:own], second[:own])
    assert not np.array_equal(first[own:], second[own:])


def test_nothing_after_the_training_span_is_in_an_episode(only, party):
    index = party.panel.field_index(party.field)
    values = party.panel.values_TNF.copy()
    values[party.split.train.end :, :, index] = 1e4
    poisoned = replace(party, panel=replace(party.panel, values_TNF=values))
    clean = with_episodes(party, only.settings, 1).data.train
    found = with_episodes(poisoned, only.settings, 1).data.train
    assert np.array_equal(found.features_BNF, clean.features_BNF)
    assert np.array_equal(found.truth_BNH, clean.truth_BNH)


def test_records_too_short_for_an_episode_are_left_as_they_are(tmp_path):
    little_map = LittleMap(tmp_path).party("east/north", flows(days=11, seed=0))
    only = little(little_map.party("west/office", flows(days=11, seed=1)).write())
    party = parties_of(only)[0]
    assert party.split.train.end == 24
    assert with_episodes(party, only.settings, 1) is party


@pytest.mark.parametrize("stem", ["common", "private"])
def test_newcomers_get_episodic_layers_where_the_stem_is_common(only, stem, monkeypatch):
    monkeypatch.setattr(episodic_training, "ENOUGH_PLACES", 2)
    grant = only.settings.grant.model_copy(update={"stem": stem})
    settings = only.settings.model_copy(update={"grant": grant})
    parties = parties_of(replace(only, settings=settings))[:2]
    method = Method("joined", {party.name: 6 for party in parties})
    layers = common_layers(train_parties(settings, parties, 1, method)[0].progress)

    def rows_of(stage):
        return [episodic_site(Site(settings, party, 1), stage) for party in parties]

    stages = run_episodic_training(settings, rows_of, layers, 1)
    if stem == "private":
        assert stages == []
        return
    for stage, (rounds, _) in zip(stages, STAGES, strict=True):
        assert stage.ledger.sent_by_layer()["head"] > 0  # what these rounds send is counted
        assert stage.progress.round == rounds
    first, found = (common_layers(stage.progress) for stage in stages)
    assert not np.array_equal(found["h1"]["inner.weight"], first["h1"]["inner.weight"])
    assert set(found) == {STEM, *HIDDEN_LAYERS, HEAD}
    assert not np.array_equal(found["h1"]["inner.weight"], layers["h1"]["inner.weight"])
    shares = [party.inputs.residual_ratio for party in parties]
    assert min(shares) - 1e-6 <= found[HEAD]["residual_ratio"][0] <= max(shares) + 1e-6


def test_a_course_goes_on_from_where_the_one_before_ended(only, monkeypatch):
    parties = parties_of(only)[:2]
    method = Method("joined", {party.name: 6 for party in parties})
    layers = common_layers(train_parties(only.settings, parties, 1, method)[0].progress)
    monkeypatch.setattr(episodic_training, "ENOUGH_PLACES", 2)
    monkeypatch.setattr(
        episodic_training, "STAGES", ((1, 1.0), (1, 1e-9))
    )  # the second learns nothing
    sites = [episodic_site(Site(only.settings, party, 1), 0) for party in parties]
    first, second = run_episodic_training(only.settings, lambda _stage: sites, layers, 1)
    ended, found = (common_layers(one.progress)["h1"]["inner.weight"] for one in (first, second))
    np.testing.assert_allclose(found, ended, atol=1e-3)  # half precision on the wire
    assert np.abs(ended - layers["h1"]["inner.weight"]).max() > 2e-3


def test_kept_episodic_training_is_gone_on_with_only_from_the_layers_it_began_with(only, tmp_path):
    parties = parties_of(only)[:2]
    method = Method("joined", {party.name: 6 for party in parties})
    layers = common_layers(train_parties(only.settings, parties, 1, method)[0].progress)
    h1 = layers["h1"]
    other = {**layers, "h1": {**h1, "inner.weight": h1["inner.weight"] + np.float32(0.01)}}
    rounds = []

    def train_episodes(start, kept):
        rounds.clear()
        folder = (lambda party: site_folder(tmp_path, party.name)) if kept else lambda _: None
        (found,) = run_episodic_training(
            only.settings,
            lambda _stage: [Site(only.settings, party, 1, folder(party)) for party in parties],
            start,
            1,
            checkpoints=CheckpointStore(tmp_path) if kept else None,
            after_round=rounds.append,
        )
        return common_layers(found.progress)["h1"]["inner.weight"]

    first = train_episodes(layers, kept=True)
    np.testing.assert_array_equal(train_episodes(layers, kept=True), first)
    assert not rounds
    np.testing.assert_array_equal(
        train_episodes(other, kept=True), train_episodes(other, kept=False)
    )


def test_few_places_have_one_stage(only):
    parties = parties_of(only)[:2]
    assert sum(len(party.panel.places) for party in parties) < episodic_training.ENOUGH_PLACES
    method = Method("joined", {party.name: 6 for party in parties})
    layers = common_layers(train_parties(only.settings, parties, 1, method)[0].progress)
    sites = [Site(only.settings, party, 1) for party in parties]
    assert len(run_episodic_training(only.settings, lambda _stage: sites, layers, 1)) == 1


@pytest.mark.parametrize("stem", ["common", "private"])
def test_a_newcomer_weighs_all_levels_with_what_is_its_own(only, stem):
    grant = only.settings.grant.model_copy(update={"stem": stem})
    settings = only.settings.model_copy(update={"grant": grant})
    *others, late = parties_of(replace(only, settings=settings))
    method = Method("joined", {party.name: 6 for party in others})
    layers = common_layers(train_parties(settings, others, 1, method)[0].progress)
    _, alone = train_parties(settings, [late], 1, Method("alone", {late.name: 0}))
    choice = choose_newcomer_level(late, alone[late.name], settings, layers, 1)
    assert set(choice.weights) == set(range(7)) == set(choice.errors)
    assert sum(choice.weights.values()) == pytest.approx(1)
    extra = 2 if stem == "common" else 0  # in the others' scale, and the ridge
    assert [level for level, _ in choice.experts] == [0, 0, 1, 2, 3, 4, 5, 6] + [6] * extra
    found = choice.forecast(late)
    assert found.forecast_BNH.shape == late.test.truth_BNH.shape
    assert np.isfinite(found.forecast_BNH).all()
    forecasts = [expert.predict(late.test, late.test_origins) for _, expert in choice.experts]
    assert np.array_equal(forecasts[0], alone[late.name].forecast(late.test))
    assert np.array_equal(forecasts[1], late.test.baseline_BNH)
