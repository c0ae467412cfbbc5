"""What a map with secure sums must not ask for."""

import pytest
from little_map import LittleMap, flows, service, three

from deepcity.city.errors import ConfigError
from deepcity.maps.city_map import load_map

SECURE = "[service.strategy]\naggregation = 'secure'\n"


def problems(path):
    with pytest.raises(ConfigError) as refused:
        load_map(path)
    return [(problem.key, str(problem)) for problem in refused.value.problems]


def test_three_parties_and_a_mean_may_be_summed(tmp_path):
    path = three(tmp_path).write(service(more=f"{SECURE}name = 'fedprox'\nmu = 0.1"))
    assert load_map(path).services[0].settings.strategy.aggregation == "secure"


@pytest.mark.parametrize(
    "name", ["fedamp", "median", "trimmed_mean", "norm_clipping", "multi_krum"]
)
def test_strategies_that_compare_updates_are_refused_with_the_alternatives(tmp_path, name):
    path = three(tmp_path).write(service(more=f"{SECURE}name = '{name}'"))
    ((key, text),) = problems(path)
    assert key == "service[water].strategy.name"
    assert "it compares single updates, and secure sums show none" in text
    assert '"fedavg" or "fedprox"' in text
    assert f'aggregation = "plain" with {name}' in text


@pytest.mark.parametrize("newcomers", [False, True])
def test_two_that_train_together_are_refused(tmp_path, newcomers):
    little = three(tmp_path) if newcomers else LittleMap(tmp_path)
    if not newcomers:
        for seed, name in enumerate(("east/north", "west/office")):
            little.party(name, flows(seed=seed))
    settings = "automatic = true\nnewcomers = ['east/south']" if newcomers else ""
    ((key, text),) = problems(little.write(service(settings=settings, more=SECURE)))
    assert key == "service[water].strategy.aggregation"
    assert "2 parties train together, and a sum of two shows each the other's" in text


def test_sparse_moves_and_secure_sums_exclude_each_other(tmp_path):
    path = three(tmp_path).write(service(more=f"{SECURE}[service.wire]\nkeep = 0.1"))
    ((key, text),) = problems(path)
    assert key == "service[water].wire.keep"
    assert "masks cancel only where all send the same" in text
