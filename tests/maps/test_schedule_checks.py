"""What a map with asynchronous fusion must not ask for, and what it alone may."""

import pytest
from little_map import service, three

from deepcity.city.errors import ConfigError
from deepcity.intercity.method import Method, alone
from deepcity.maps.city_map import load_map
from deepcity.runs.trainings import ServiceRun

ASYNCHRONOUS = "[service.strategy]\nschedule = 'asynchronous'\n"


def problems(path):
    with pytest.raises(ConfigError) as refused:
        load_map(path)
    return [(problem.key, str(problem)) for problem in refused.value.problems]


def plans(path, levels):
    settings = load_map(path).services[0].settings
    run = ServiceRun(settings, {}, 1)
    return [run._asynchronous(one) for one in (Method("level_6", levels), alone(levels))]


def test_settings_become_the_plan_and_learning_alone_waits_for_all(tmp_path):
    more = "buffer_size = 3\nstaleness_exponent = 0.25\nround_seconds = { 'west/office' = 20 }"
    path = three(tmp_path).write(service(more=f"{ASYNCHRONOUS}{more}"))
    levels = dict.fromkeys(("east/north", "east/south", "west/office"), 6)
    joined, own = plans(path, levels)
    assert own is None
    assert (joined.buffer_size, joined.staleness_exponent) == (3, 0.25)
    assert joined.round_seconds == {"west/office": 20.0}


@pytest.mark.parametrize(("members", "size"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3)])
def test_half_of_the_members_are_waited_for(tmp_path, members, size):
    path = three(tmp_path).write(service(more=ASYNCHRONOUS))
    joined, _ = plans(path, dict.fromkeys("abcde"[:members], 6))
    assert (joined.buffer_size, joined.staleness_exponent) == (size, 0.5)


@pytest.mark.parametrize(
    ("more", "key", "reason"),
    [
        ("aggregation = 'secure'", "strategy.aggregation", "masks cancel only in a sum that all"),
        ("[service.wire]\nkeep = 0.1", "wire.keep", "collected late would lose"),
        ("[service.participation]\nshare = 0.5", "participation.share", "sampled for a round"),
        ("buffer_size = 4", "strategy.buffer_size", "3 parties train together"),
        ("name = 'median'", "strategy.buffer_size", "of two it is their mean"),
        ("round_seconds = { 'east/nort' = 2 }", "strategy.round_seconds", "not a party"),
        ("buffer_size = 0", "strategy.buffer_size", "greater than or equal to 1"),
    ],
)
def test_what_contradicts_it_is_refused_with_the_reason(tmp_path, more, key, reason):
    ((found, text),) = problems(three(tmp_path).write(service(more=f"{ASYNCHRONOUS}{more}")))
    assert found.replace("[0]", "[water]").startswith(f"service[water].{key}")
    assert reason in text


@pytest.mark.parametrize(
    "setting",
    ["buffer_size = 2", "staleness_exponent = 1", "round_seconds = { 'east/north' = 2 }"],
)
def test_rounds_that_wait_for_all_have_no_such_setting(tmp_path, setting):
    ((key, text),) = problems(three(tmp_path).write(service(more=f"[service.strategy]\n{setting}")))
    assert key == f"service[water].strategy.{setting.split()[0]}"
    assert 'Write schedule = "asynchronous", or leave' in text


def test_a_median_of_three_is_one(tmp_path):
    more = f"{ASYNCHRONOUS}name = 'median'\nbuffer_size = 3"
    assert load_map(three(tmp_path).write(service(more=more)))


def test_peer_validation_is_refused_and_its_remedy_is_taken(tmp_path):
    asked = f"{ASYNCHRONOUS}name = '{{}}'\n"
    path = three(tmp_path).write(service(more=asked.format("peer_validation")))
    with pytest.raises(ConfigError) as refused:
        load_map(path)
    assert "members validate the updates of one round" in str(refused.value)
    assert 'Write name = "fedavg", or write strategy.schedule' in str(refused.value)
    load_map(three(tmp_path).write(service(more=asked.format("fedavg"))))
