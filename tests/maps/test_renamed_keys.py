"""Keys and values of 0.1 in a map file: read like the new ones, with one warning each."""

import re
import warnings

import pytest
from little_vertical import little
from pydantic import BaseModel

from deepcity.city.errors import ConfigError
from deepcity.data.config.renamed_keys import (
    GOES_WITH,
    RENAMED_KEYS,
    RENAMED_VALUES,
    RenamedWarning,
)
from deepcity.data.config.toml_file import _model_within
from deepcity.exchange.strategies import STRATEGIES
from deepcity.maps.city_map import load_map
from deepcity.maps.map_settings import MapSettings

KEYS = [(table, old, new) for table, keys in RENAMED_KEYS.items() for old, new in keys.items()]
VALUES = [(*place, *pair) for place, values in RENAMED_VALUES.items() for pair in values.items()]
OTHER = """
[service.strategy]
name = "fedamp"
[service.participation]
share = 0.5
"""


def written(folder):
    """A map with every renamed key under its new name, none at its default."""
    more = "agency_dropout = 0.1\nown_width = 8"
    path = little(folder, more=more, agency="width = 3")
    text = path.read_text(encoding="utf-8").replace(
        "[service.training]", f"{OTHER}[service.training]\nmae_weight = 0.3\nema_decay = 0.9"
    )
    path.write_text(text, encoding="utf-8")
    return path


def reword(path, new, old):
    """The same file with a word replaced."""
    text = path.read_text(encoding="utf-8")
    assert re.search(rf"\b{new}\b", text)
    path.write_text(re.sub(rf"\b{new}\b", old, text), encoding="utf-8")


def twice(folder):
    """The map's path with a second service of another name, with the same settings."""
    path = written(folder)
    first, mark, rest = path.read_text(encoding="utf-8").partition("[[service]]")
    other = rest.replace('name = "water"', 'name = "wells"', 1)
    path.write_text(f"{first}{mark}{rest}{mark}{other}", encoding="utf-8")
    return path


def settings_of(path):
    """A map's settings, and every warning of loading it."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        return load_map(path).settings, list(caught)


@pytest.mark.parametrize(("table", "old", "new"), KEYS)
def test_an_old_key_is_read_with_one_warning_that_names_the_new_one(tmp_path, table, old, new):
    path = twice(tmp_path)
    expected, before = settings_of(path)
    assert not before
    reword(path, new, old)
    settings, (warning,) = settings_of(path)
    assert settings == expected
    assert warning.category is RenamedWarning
    assert warning.filename == __file__
    assert str(warning.message).startswith(f"[{table}] {old} is now {new};")
    assert GOES_WITH in str(warning.message)


@pytest.mark.parametrize(("table", "key", "old", "new"), VALUES)
def test_an_old_value_is_read_with_one_warning(tmp_path, table, key, old, new):
    path = twice(tmp_path)
    expected, _ = settings_of(path)
    reword(path, new, old)
    settings, (warning,) = settings_of(path)
    assert settings == expected
    assert str(warning.message).startswith(f'[{table}] {key} = "{old}" is now "{new}";')


def test_a_whole_map_of_the_old_words_is_the_same_map(tmp_path):
    path = written(tmp_path)
    expected = load_map(path)
    for *_, old, new in KEYS + VALUES:
        reword(path, new, old)
    assert "[[service.meeting.agency]]" in path.read_text(encoding="utf-8")
    with pytest.warns(RenamedWarning) as caught:
        found = load_map(path)
    assert found.settings == expected.settings
    assert found.fingerprint() == expected.fingerprint()
    assert len({str(one.message) for one in caught}) == len(caught) == len(KEYS + VALUES)


@pytest.mark.parametrize(("table", "old", "new"), KEYS)
def test_both_names_at_once_are_a_problem(tmp_path, table, old, new):
    path = written(tmp_path)
    text = path.read_text(encoding="utf-8")
    if f"[service.{new}]" in text:
        changed = text.replace(f"[service.{new}]", f"[service.{old}]\n[service.{new}]")
    else:
        changed = re.sub(rf"^({new})( = .*)$", rf"{old}\2\n\1\2", text, flags=re.MULTILINE)
    path.write_text(changed, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        load_map(path)
    (problem,) = refused.value.problems
    assert problem.key.startswith("service[water]")
    assert problem.key.endswith(f".{old}")
    assert new in problem.reason
    assert f"keep {new}" in problem.right


def test_all_problems_in_a_table_of_old_name_are_reported_under_new_names(tmp_path):
    path = written(tmp_path)
    reword(path, "vertical", "meeting")
    reword(path, "width", "deep")
    text = path.read_text(encoding="utf-8").replace("deep = 3", "deep = 99\nahed = 2")
    path.write_text(text.replace("*/water", "*/watr"), encoding="utf-8")
    with pytest.warns(RenamedWarning) as caught, pytest.raises(ConfigError) as refused:
        load_map(path)
    assert len(caught) == 2
    problems = {problem.key: problem for problem in refused.value.problems}
    agency = "service[water].vertical.agency[1]"
    assert set(problems) >= {f"{agency}.width", f"{agency}.ahed", "service[water].parties"}
    right = problems[f"{agency}.ahed"].right
    assert "did you mean 'ahead'?" in right
    assert "width" in right
    assert "deep" not in right


def test_no_settings_of_a_map_have_an_old_key_and_its_table_has_the_new_one():
    for table, old, new in KEYS:
        model = MapSettings
        for part in table.split("."):
            model = _model_within(model.model_fields[part].annotation)
        assert new in model.model_fields
        assert old not in {name for one in _models(MapSettings) for name in one.model_fields}


def test_no_strategy_has_an_old_name():
    for *_, old, new in VALUES:
        assert new in STRATEGIES
        assert old not in STRATEGIES


def _models(model: type[BaseModel]) -> list[type[BaseModel]]:
    inside = [_model_within(field.annotation) for field in model.model_fields.values()]
    return [model, *(found for one in inside if one is not None for found in _models(one))]
