"""What a map with differential privacy must not ask for, and that the remedies hold."""

import pytest
from little_map import service, three

from deepcity.city.errors import ConfigError
from deepcity.learning.private.settings import PrivacyUnit
from deepcity.maps.city_map import load_map

PRIVACY = "[service.privacy]\nepsilon = 8.0\n"


def problems(path):
    with pytest.raises(ConfigError) as refused:
        load_map(path)
    return [(problem.key, str(problem)) for problem in refused.value.problems]


def test_a_service_with_privacy(tmp_path):
    path = three(tmp_path).write(service(levels=(2,), grant="level = 5", more=PRIVACY))
    privacy = load_map(path).services[0].settings.privacy
    assert (privacy.unit, privacy.epsilon, privacy.delta) == (PrivacyUnit.SENSOR_DAY, 8.0, 1e-5)
    assert privacy.most == 8.0


def test_head_and_stem_would_leave_without_noise(tmp_path):
    path = three(tmp_path).write(service(grant='stem = "common"', more=PRIVACY))
    found = dict(problems(path))
    assert "level = 5 or less" in found["service[water].grant.level"]
    assert 'stem = "private"' in found["service[water].grant.stem"]


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ('unit = "person"', "sensor-day"),
        ("limit = 4.0", "less than this service's epsilon 8"),
        ("delta = 0.5", "less than or equal to 0.001"),
        ("sampling = 0", "greater than 0"),
    ],
)
def test_values_that_promise_nothing(tmp_path, more, reason):
    path = three(tmp_path).write(service(grant="level = 5", more=PRIVACY + more))
    assert reason in problems(path)[0][1]


def test_another_service_must_not_send_the_same_records_without_noise(tmp_path):
    private = service("water", grant="level = 3", more=PRIVACY)
    town = three(tmp_path)
    found = problems(town.write(private, service("leaks")))
    assert [key for key, _ in found] == ["service[leaks].privacy"]
    assert "east/north, east/south, west/office would send layers" in found[0][1]
    load_map(town.write(private, service("leaks", grant="level = 0", levels=())))
    load_map(town.write(private, service("leaks", grant="level = 3", more=PRIVACY)))


def test_two_units_on_the_same_records(tmp_path):
    other = service("leaks", grant="level = 3", more=PRIVACY + 'unit = "place"')
    path = three(tmp_path).write(service("water", grant="level = 3", more=PRIVACY), other)
    assert [key for key, _ in problems(path)] == ["service[water].privacy.unit"]
