"""Full parties practise being newcomers: rows they would see with few days, and nothing later."""

from dataclasses import replace

import numpy as np
import pytest
from little_map import LittleMap, flows, three

from deepcity.city.level import HEAD, HIDDEN_LAYERS, STEM
from deepcity.intercity import practice
from deepcity.intercity.city_map import load_map
from deepcity.intercity.method import Method
from deepcity.intercity.methods import train_parties
from deepcity.intercity.newcomer import choose_late, common_layers
from deepcity.intercity.parties import parties_of
from deepcity.intercity.practice import COURSES, practise, practising, with_practice
from deepcity.intercity.site import Site
from deepcity.store.checkpoint import CheckpointStore


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
    own, both = party.data.train, with_practice(party, only.settings, 1).data.train
    assert 1.8 * len(own) < len(both) < 2.2 * len(own)
    assert np.array_equal(both.features_BNF[: len(own)], own.features_BNF)
    assert np.array_equal(both.target_BNH[: len(own)], own.target_BNH)
    assert np.array_equal(both.scale_N1, own.scale_N1)
    assert np.isfinite(both.target_BNH).all()
    assert party.data.rows == with_practice(party, only.settings, 1).data.rows


def test_with_few_days_the_typical_day_rests_on_less(only, party):
    own = len(party.data.train)
    rows = with_practice(party, only.settings, 1).data.train
    evidence = rows.features_BNF[..., -11 - 2 : -11].mean(axis=(1, 2))  # 11: clock and weekdays
    assert evidence[own:].mean() < evidence[:own].mean() - 0.2


def test_the_seed_draws_the_episodes(only, party):
    one, same, other = (
        with_practice(party, only.settings, seed).data.train.features_BNF for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_every_course_draws_its_own(only, party):
    first, second = (
        with_practice(party, only.settings, 1, course).data.train.features_BNF for course in (0, 1)
    )
    own = len(party.data.train)
    assert np.array_equal(first[:own], second[:own])
    assert not np.array_equal(first[own:], second[own:])


def test_nothing_after_the_training_span_is_practised_on(only, party):
    index = party.panel.field_index(party.field)
    values = party.panel.values_TNF.copy()
    values[party.split.train.end :, :, index] = 1e4
    poisoned = replace(party, panel=replace(party.panel, values_TNF=values))
    clean = with_practice(party, only.settings, 1).data.train
    found = with_practice(poisoned, only.settings, 1).data.train
    assert np.array_equal(found.features_BNF, clean.features_BNF)
    assert np.array_equal(found.truth_BNH, clean.truth_BNH)


def test_records_too_short_for_an_episode_are_left_as_they_are(tmp_path):
    little_map = LittleMap(tmp_path).party("east/north", flows(days=11, seed=0))
    only = little(little_map.party("west/office", flows(days=11, seed=1)).write())
    party = parties_of(only)[0]
    assert party.split.train.end == 24
    assert with_practice(party, only.settings, 1) is party


@pytest.mark.parametrize("stem", ["common", "private"])
def test_newcomers_get_practised_layers_where_the_stem_is_common(only, stem, monkeypatch):
    monkeypatch.setattr(practice, "ENOUGH_PLACES", 2)
    grant = only.settings.grant.model_copy(update={"stem": stem})
    settings = only.settings.model_copy(update={"grant": grant})
    parties = parties_of(replace(only, settings=settings))[:2]
    method = Method("joined", {party.name: 6 for party in parties})
    layers = common_layers(train_parties(settings, parties, 1, method)[0].progress)

    def rows_of(course):
        return [practising(Site(settings, party, 1), course) for party in parties]

    courses = practise(settings, rows_of, layers, 1)
    if stem == "private":
        assert courses == []
        return
    for course, (rounds, _) in zip(courses, COURSES, strict=True):
        assert course.ledger.left_by_layer()["head"] > 0  # what practising sends is counted
        assert course.progress.round == rounds
    first, found = (common_layers(course.progress) for course in courses)
    assert not np.array_equal(found["h1"]["inner.weight"], first["h1"]["inner.weight"])
    assert set(found) == {STEM, *HIDDEN_LAYERS, HEAD}
    assert not np.array_equal(found["h1"]["inner.weight"], layers["h1"]["inner.weight"])
    shares = [party.inputs.share for party in parties]
    assert min(shares) - 1e-6 <= found[HEAD]["share"][0] <= max(shares) + 1e-6


def test_a_course_goes_on_from_where_the_one_before_ended(only, monkeypatch):
    parties = parties_of(only)[:2]
    method = Method("joined", {party.name: 6 for party in parties})
    layers = common_layers(train_parties(only.settings, parties, 1, method)[0].progress)
    monkeypatch.setattr(practice, "ENOUGH_PLACES", 2)
    monkeypatch.setattr(practice, "COURSES", ((1, 1.0), (1, 1e-9)))  # the second learns nothing
    sites = [practising(Site(only.settings, party, 1), 0) for party in parties]
    first, second = practise(only.settings, lambda _course: sites, layers, 1)
    ended, found = (common_layers(one.progress)["h1"]["inner.weight"] for one in (first, second))
    np.testing.assert_allclose(found, ended, atol=1e-3)  # half precision on the wire
    assert np.abs(ended - layers["h1"]["inner.weight"]).max() > 2e-3


def test_kept_practice_is_gone_on_with_only_from_the_layers_it_began_with(only, tmp_path):
    parties = parties_of(only)[:2]
    method = Method("joined", {party.name: 6 for party in parties})
    layers = common_layers(train_parties(only.settings, parties, 1, method)[0].progress)
    h1 = layers["h1"]
    other = {**layers, "h1": {**h1, "inner.weight": h1["inner.weight"] + np.float32(0.01)}}
    rounds = []

    def practised(start, kept):
        rounds.clear()
        folder = tmp_path / "site" if kept else None  # one folder: names of checkpoints differ
        (found,) = practise(
            only.settings,
            lambda _course: [Site(only.settings, party, 1, folder) for party in parties],
            start,
            1,
            checkpoints=CheckpointStore(tmp_path) if kept else None,
            after_round=rounds.append,
        )
        return common_layers(found.progress)["h1"]["inner.weight"]

    first = practised(layers, kept=True)
    np.testing.assert_array_equal(practised(layers, kept=True), first)
    assert not rounds
    np.testing.assert_array_equal(practised(other, kept=True), practised(other, kept=False))


def test_few_places_have_one_course(only):
    parties = parties_of(only)[:2]
    assert sum(len(party.panel.places) for party in parties) < practice.ENOUGH_PLACES
    method = Method("joined", {party.name: 6 for party in parties})
    layers = common_layers(train_parties(only.settings, parties, 1, method)[0].progress)
    sites = [Site(only.settings, party, 1) for party in parties]
    assert len(practise(only.settings, lambda _course: sites, layers, 1)) == 1


@pytest.mark.parametrize("stem", ["common", "private"])
def test_a_newcomer_weighs_all_levels_with_what_is_its_own(only, stem):
    grant = only.settings.grant.model_copy(update={"stem": stem})
    settings = only.settings.model_copy(update={"grant": grant})
    *others, late = parties_of(replace(only, settings=settings))
    method = Method("joined", {party.name: 6 for party in others})
    layers = common_layers(train_parties(settings, others, 1, method)[0].progress)
    _, alone = train_parties(settings, [late], 1, Method("alone", {late.name: 0}))
    choice = choose_late(late, alone[late.name], settings, layers, 1)
    assert set(choice.weights) == set(range(7)) == set(choice.errors)
    assert sum(choice.weights.values()) == pytest.approx(1)
    extra = 2 if stem == "common" else 0  # in the others' scale, and the ridge
    assert [level for level, _ in choice.experts] == [0, 0, 1, 2, 3, 4, 5, 6] + [6] * extra
    found = choice.forecast(late)
    assert found.forecast_BNH.shape == late.test.truth_BNH.shape
    assert np.isfinite(found.forecast_BNH).all()
    said = [expert.predict(late.test, late.test_origins) for _, expert in choice.experts]
    assert np.array_equal(said[0], alone[late.name].forecast(late.test))
    assert np.array_equal(said[1], late.test.anchor_BNH)
