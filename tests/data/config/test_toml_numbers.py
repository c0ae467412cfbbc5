"""Settings read numbers and truth values from their own types alone, at any depth."""

import tomllib
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deepcity.data.config.renamed_keys import with_new_keys
from deepcity.data.config.settings import CitySettings
from deepcity.data.config.toml_file import validate
from deepcity.data.connectors import connectors
from deepcity.live.access import Access
from deepcity.maps.map_settings import MapSettings, ServiceSettings

ROOT = Path(__file__).parents[3]
SERVICE = {"name": "water", "application": "water", "parties": ["a/b"], "field": "flow"}
NUMBERS = ("band", "levels", "window.horizon", "training.rounds", "span.scarce.a/b", "strategy.mu")
TRUTHS = ("pooled", "automatic", "reuse.frozen")


def nested(key, value):
    """A table with one value at a dotted key; of `levels`, a list."""
    for part in reversed(key.split(".")):
        value = {part: [value] if part == "levels" else value}
    return value


def problems_of(key, value):
    _, found = validate(ServiceSettings, SERVICE | nested(key, value), "map.toml")
    return [one for one in found if one.key.startswith(key)]


@given(key=st.sampled_from(NUMBERS), value=st.sampled_from(["1", "0.5", "many", "", True]))
def test_a_text_or_a_truth_value_is_no_number(key, value):
    (problem,) = problems_of(key, value)
    assert problem.value == value
    assert "not a number" in problem.reason
    assert problem.right.startswith("write ")


@given(key=st.sampled_from(TRUTHS), value=st.sampled_from(["no", "false", "yes", "1", 0, 1.0]))
def test_only_true_and_false_are_truth_values(key, value):
    problem = next(one for one in problems_of(key, value) if one.key == key)
    assert problem.value == value
    assert problem.right == "write true or false, without quotes"


@pytest.mark.parametrize("value", [1, 1.0, np.int64(1), np.float32(1)])
def test_a_whole_number_may_stand_for_a_float_and_the_other_way_round(value):
    assert problems_of("window.horizon", value) == []
    assert problems_of("span.scarce.a/b", value) == []


def test_an_access_file_is_as_exact():
    grant = {"service": "ridership", "least_level": "3"}
    raw = {"agency": [{"name": "weather", "token": "secret", "grant": grant}]}
    _, (problem,) = validate(Access, raw, "access.toml")
    assert problem.key == "agency[weather].grant.least_level"
    assert problem.reason == "a text, not a number"


def test_every_city_and_map_of_the_project_is_read():
    read = 0
    for path in sorted([*ROOT.glob("cities/*.toml"), *ROOT.glob("benchmarks/**/*.toml")]):
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        if "cities" in raw:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                raw, _ = with_new_keys(raw, path.name)
            assert validate(MapSettings, raw, path.name)[1] == []
        else:
            assert validate(CitySettings, raw, path.name)[1] == []
            for source in raw["source"]:
                settings = connectors()[source["format"]].settings
                assert validate(settings, source, path.name)[1] == []
        read += 1
    assert read > 30
