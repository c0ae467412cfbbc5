"""What a site makes of a training that the hub names: its own map bounds it."""

import numpy as np
import pytest
from little_map import service, three

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import COORDINATOR
from deepcity.exchange.flare.task import CallTask
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import FINISH, JOIN, RESTORE, START, TRAIN
from deepcity.learning.training.learner import EVERY_LAYER
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.runs.machines.site_trainings import check_summed, open_training
from deepcity.runs.site import Site

EPISODES = {
    "settings": 'pooled = false\nnewcomers = ["west/office"]',
    "span": 'scarce = { "west/office" = 10 }',
    "grant": 'stem = "common"',
}


@pytest.fixture(scope="module")
def sites(tmp_path_factory):
    folder = tmp_path_factory.mktemp("trainings")
    [only] = load_map(three(folder).write(service(rounds=1, **EPISODES))).services
    return {one.name: (only, one) for one in parties_of(only)}


def site_of(sites, name="east/north", **grant):
    only, party = sites[name]
    granted = only.settings.grant.model_copy(update=grant)
    return Site(only.settings.model_copy(update={"grant": granted}), party, 1)


def opened(site, method, finished=None, **task):
    asked = CallTask(party=site.name, service="water", training=f"water.{method}", method=method)
    finished = set() if finished is None else finished
    return open_training(site, asked.model_copy(update=task), finished)


def ask(handler, verb, layers=None, **numbers):
    return handler.handle(Message(verb, numbers, layers or {}), COORDINATOR)


def test_alone_shares_nothing_whatever_the_hub_names(sites):
    handler = opened(site_of(sites), "alone", level=6, common_stem=True)
    ask(handler, JOIN)
    assert not ask(handler, TRAIN, **{ROUND: 0.0}).layers
    with pytest.raises(ExchangeError, match="may not be overwritten"):
        ask(handler, TRAIN, {"h1": {"w": np.ones(1)}}, **{ROUND: 1.0})


@pytest.mark.parametrize(("level", "stem"), [(2, "common"), (6, "private")])
def test_level_and_stem_are_bounded_by_the_sites_own_grant(sites, level, stem):
    handler = opened(site_of(sites, level=level, stem=stem), "level_6", level=6, common_stem=True)
    ask(handler, JOIN)
    layers = ask(handler, TRAIN, **{ROUND: 0.0}).layers
    assert len(layers) == level + (stem == "common")
    assert ("stem" in layers) == (stem == "common")


@pytest.mark.parametrize(
    ("training", "method"),
    [
        ("water.b", "level_6"),
        ("water.level_6-0123456789ab", "level_6"),
        ("water.level_5", "level_6"),
        ("water.level_7", "level_7"),
        ("water.level_6.x", "level_6"),
        ("water.episodic-1-0123456789abc", "episodic-1"),
    ],
)
def test_training_by_another_name_is_refused(sites, training, method):
    """By two names the same round could be in two sums, which show a member's own layers."""
    with pytest.raises(ExchangeError, match=r"is not called after its method|no method 'level_7'"):
        open_training(
            site_of(sites),
            CallTask(party="p", service="water", training=training, method=method),
            set(),
        )


def test_a_newcomers_own_training_and_stages_have_digests(sites):
    digest = "-0123456789ab"
    assert opened(site_of(sites, "west/office"), "alone", training=f"water.alone{digest}")
    assert opened(site_of(sites), "episodic-2", training=f"water.episodic-2{digest}", level=6)


def test_sums_are_of_trainings_of_the_sites_own_map(sites):
    task = CallTask(party="p", service="water", training="water.level_5", method="level_5")
    check_summed(site_of(sites), task, [0, 5, 6])
    with pytest.raises(ExchangeError, match="its map trains alone, level_6, episodic-1"):
        check_summed(site_of(sites), task, [0, 6])


def test_a_training_that_is_opened_anew_is_not_finished(sites):
    finished = {"alone", "level_6"}
    opened(site_of(sites), "alone", finished)
    assert finished == {"level_6"}


@pytest.mark.parametrize("method", ["level_6", "episodic-1"])
def test_newcomer_takes_part_in_no_training_with_others(sites, method):
    with pytest.raises(ExchangeError, match="is a newcomer: it takes part in no"):
        opened(site_of(sites, "west/office"), method, level=6)


def test_episodes_need_grants_that_allow_them(sites):
    with pytest.raises(ExchangeError, match="allow no 'episodic-1'"):
        opened(site_of(sites, stem="private"), "episodic-1", level=6)


def test_only_what_was_trained_counts_as_finished(sites):
    finished = set()
    handler = opened(site_of(sites), "alone", finished)
    ask(handler, JOIN)
    ask(handler, FINISH)
    assert finished == set()
    ask(handler, TRAIN, **{ROUND: 0.0})
    assert finished == set()
    ask(handler, FINISH)
    assert finished == {"alone"}
    ask(handler, RESTORE, **{ROUND: 0.0})  # this site kept no checkpoint to restore
    ask(handler, JOIN)
    ask(handler, FINISH)
    assert finished == set()


def test_episodes_start_from_what_start_brings_and_from_nothing_else(sites):
    site = site_of(sites)
    layers = site_of(sites, "east/south")
    layers.join(_task_of(layers))
    brought = layers.learners["x"].export(EVERY_LAYER)
    handler = opened(site, "episodic-1", level=6, common_stem=True)
    with pytest.raises(ExchangeError, match="'join' before 'start'"):
        ask(handler, JOIN)
    with pytest.raises(ExchangeError, match="only the coordinator"):
        handler.handle(Message(START, {}, brought), "west/office")
    with pytest.raises(ExchangeError, match="failed with a LayerPackageError"):
        ask(handler, START, {"h1": {"w": np.ones(2, np.float32)}})
    assert not ask(handler, START, brought).layers
    assert ask(handler, JOIN).numbers["rows"] == site.profile.rows
    assert set(ask(handler, TRAIN, **{ROUND: 0.0}).layers) == set(EVERY_LAYER)
    assert site.learners == {}, "episodes leave the site's own networks alone"
    ask(handler, FINISH)
    with pytest.raises(ExchangeError, match="before 'start'"):
        ask(handler, TRAIN, **{ROUND: 1.0})


def _task_of(site):
    from deepcity.runs.site import SiteTask

    return SiteTask("water.x", "x", 6, common_stem=True, settings=site.settings, seed=5, start={})
