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


def town(folder, parties, more, settings="", **other):
    """A map of so many parties in two cities."""
    little = LittleMap(folder)
    for number in range(parties):
        little.party(f"{('east', 'west')[number % 2]}/a{number}", flows(days=20, seed=number))
    return little.write(service(settings=settings, more=SECURE + more, **other))


@pytest.mark.parametrize(
    ("name", "parties"),
    [("median", 9), ("trimmed_mean", 10), ("multi_krum", 9), ("norm_clipping", 6)],
)
def test_groups_go_with_strategies_that_compare_their_means(tmp_path, name, parties):
    path = town(tmp_path, parties, f"name = '{name}'\ngroup_size = 3\n")
    assert load_map(path).services[0].settings.strategy.group_size == 3


@pytest.mark.parametrize("name", ["fedavg", "fedprox", "fedamp"])
def test_groups_under_a_mean_are_refused(tmp_path, name):
    found = problems(town(tmp_path, 9, f"name = '{name}'\ngroup_size = 3\n"))
    _, text = next(one for one in found if one[0].endswith("group_size"))
    assert f"groups are for strategies that compare their means, and {name} does not" in text
    assert "Leave group_size out for one sum of all" in text
    assert "median, trimmed_mean, multi_krum, norm_clipping" in text


def test_groups_without_secure_sums_are_refused(tmp_path):
    more = "[service.strategy]\nname = 'median'\ngroup_size = 3\n"
    ((key, text),) = problems(three(tmp_path).write(service(more=more)))
    assert key == "service[water].strategy.group_size"
    assert 'Write aggregation = "secure", or leave group_size out' in text


@pytest.mark.parametrize("size", [-1, 0, 1, 2])
def test_a_group_needs_two_honest_others(tmp_path, size):
    found = problems(town(tmp_path, 9, f"name = 'median'\ngroup_size = {size}\n"))
    key, text = found[0]
    assert key == "service[water].strategy.group_size"
    assert "hides a member's part only where 2 honest others are in it" in text
    assert "Write 3 or more" in text


@pytest.mark.parametrize(
    ("name", "parties", "size", "needed", "remedy"),
    [
        ("median", 8, 3, 9, "Let 9 or more take part, or choose one of the two"),
        ("norm_clipping", 5, 3, 6, "Let 6 or more take part, or choose one of the two"),
        ("median", 10, 4, 12, "Let 12 or more take part, write group_size = 3 or less, or choose"),
        ("trimmed_mean", 3, 3, 9, 'or aggregation = "plain" with trimmed_mean'),
    ],
)
def test_too_few_for_groups_are_refused_with_the_number(
    tmp_path, name, parties, size, needed, remedy
):
    path = town(tmp_path, parties, f"name = '{name}'\ngroup_size = {size}\n")
    ((key, text),) = problems(path)
    assert key == "service[water].strategy.group_size"
    assert f"{parties} parties share layers in round 1" in text
    assert f"groups or more: {needed} parties" in text
    assert remedy in text


@pytest.mark.parametrize(
    ("more", "settings", "number", "parties"),
    [
        ("[service.participation]\nshare = 0.5\n", "", 1, 5),
        ("[service.participation]\nleaves = { 'east/a0' = 2, 'west/a1' = 2 }\n", "", 2, 8),
        ("[service.participation]\njoins = { 'east/a0' = 3, 'west/a1' = 3 }\n", "", 1, 8),
        ("", "newcomers = ['east/a0', 'west/a1']", 1, 8),
    ],
)
def test_every_round_needs_enough_for_groups(tmp_path, more, settings, number, parties):
    path = town(tmp_path, 10, f"name = 'median'\ngroup_size = 3\n{more}", settings)
    ((_, text),) = problems(path)
    assert f"{parties} parties share layers in round {number}" in text


def test_parties_that_share_nothing_are_in_no_group(tmp_path):
    grant = "party = { 'east/a0' = 0 }"
    path = town(tmp_path, 9, "name = 'median'\ngroup_size = 3\n", grant=grant)
    ((_, text),) = problems(path)
    assert "8 parties share layers in round 1" in text


def test_where_there_are_enough_groups_are_offered(tmp_path):
    for parties, offered in ((9, True), (8, False)):
        folder = tmp_path / str(parties)
        folder.mkdir()
        ((_, text),) = problems(town(folder, parties, "name = 'median'\n"))
        assert ("or group_size = 3 for sums within groups" in text) is offered


def test_distances_of_single_updates_and_secure_sums_exclude_each_other(tmp_path):
    path = three(tmp_path).write(service(more=f"{SECURE}farthest = 5.0"))
    ((key, text),) = problems(path)
    assert key == "service[water].strategy.farthest"
    assert "distances are those of single updates, and secure sums show none" in text
    path = three(tmp_path).write(service(more="[service.strategy]\nfarthest = 5.0"))
    assert load_map(path).services[0].settings.strategy.farthest == 5.0
