"""The measurement of what noise costs: either unit is trained with, and stands in the table."""

import pytest
from little_map import LittleMap, flows, service

from benchmarks import private_training
from benchmarks.joining.cases import alone_learner
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of

SETTINGS = {"levels": (), "rounds": 1, "settings": "pooled = false", "grant": 'stem = "private"'}


@pytest.fixture(scope="module")
def town(tmp_path_factory):
    """A service of two parties, and what each of them learned alone."""
    little = LittleMap(tmp_path_factory.mktemp("town"))
    for seed, name in enumerate(("east/water", "west/water")):
        little.party(name, flows(seed=seed, places=3))
    found = load_map(little.write(service(**SETTINGS))).services[0]
    parties = parties_of(found)
    return found, parties, {one.name: alone_learner(found, one, 0) for one in parties}


def test_a_name_is_of_a_set_and_a_unit():
    assert private_training.set_and_unit("bikes/place") == ("bikes", "place")
    assert private_training.set_and_unit("air") == ("air", "sensor-day")
    with pytest.raises(ValueError, match="household"):
        private_training.set_and_unit("air/household")


def test_each_unit_is_trained_with_and_has_its_row(town):
    of, parties, alone = town
    cases = []
    for name, unit in (("bikes", "sensor-day"), ("bikes/place", "place")):
        for epsilon in (None, 8.0):
            case = private_training.case_of(of, parties, alone, epsilon, unit, 0)
            cases.append({**case, "set": name, "seed": 0})
    plain, by_day, _, by_place = cases
    assert "units" not in plain
    assert by_place["units"] == {"east/water": 3, "west/water": 3}
    assert by_day["units"]["east/water"] > 3
    assert by_day["mae"] != plain["mae"]
    assert by_place["mae"] != by_day["mae"]
    rows = private_training.text(cases).splitlines()
    days = by_day["units"]["east/water"]
    assert [row.split(" | ")[:5] for row in rows if row.startswith("| bikes")] == [
        ["| bikes", "sensor-day", f"{days:,}", "0", "8"],
        ["| bikes", "place", "3", "0", "8"],
    ]
