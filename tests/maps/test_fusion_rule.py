"""Which strategy fuses layers where a map names none."""

import pytest
from little_map import LittleMap, flows, service

from deepcity.city.errors import ConfigError
from deepcity.exchange.strategies import FedAvg, Median, NormClipping
from deepcity.intercity.method import Method
from deepcity.maps.city_map import load_map
from deepcity.maps.fusion_rule import fusion_rule
from deepcity.maps.map_settings import StrategySettings
from deepcity.parties.party import parties_of
from deepcity.runs.site import Site
from deepcity.runs.trainings import ServiceRun, profiles_of


def a_map(folder, parties, more=""):
    little = LittleMap(folder)
    for number in range(parties):
        little.party(f"{('east', 'west')[number % 2]}/a{number}", flows(days=20, seed=number))
    return little.write(service(more=more))


def strategy_of(path):
    """What a run of the map fuses with."""
    of = load_map(path).services[0]
    sites = [Site(of.settings, party, 0) for party in parties_of(of)]
    run = ServiceRun(of.settings, profiles_of(sites), 0)
    return type(run.plan(Method("level 6", {site.name: 6 for site in sites})).strategy)


@pytest.mark.parametrize(("members", "rule"), [(6, FedAvg), (7, NormClipping)])
def test_of_many_members_none_moves_layers_further_than_usual(tmp_path, members, rule):
    assert strategy_of(a_map(tmp_path, members)) is rule


@pytest.mark.parametrize(("name", "rule"), [("fedavg", FedAvg), ("median", Median)])
def test_a_named_strategy_stays(tmp_path, name, rule):
    assert strategy_of(a_map(tmp_path, 7, f"[service.strategy]\nname = '{name}'\n")) is rule


@pytest.mark.parametrize("other", [{"aggregation": "secure"}, {"schedule": "asynchronous"}])
def test_where_clipping_cannot_be_or_was_not_measured_it_is_the_mean(other):
    assert fusion_rule(StrategySettings.model_validate(other), 10) == "fedavg"


def test_a_setting_of_a_strategy_needs_its_name(tmp_path):
    with pytest.raises(ConfigError) as refused:
        load_map(a_map(tmp_path, 7, "[service.strategy]\nclip = 2.0\n"))
    [problem] = refused.value.problems
    assert problem.key.endswith("strategy.clip")
    assert 'write name = "norm_clipping" or "peer_validation" too' in problem.right
    named = "[service.strategy]\nname = 'norm_clipping'\nclip = 2.0\n"
    (tmp_path / "named").mkdir()
    assert strategy_of(a_map(tmp_path / "named", 7, named)) is NormClipping
