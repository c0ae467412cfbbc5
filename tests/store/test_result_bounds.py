"""A file of results with a number that no run writes is refused by that number's place."""

import json
import math

import pytest
from fake_results import START, fake_results
from fake_vertical_results import fake_party, fake_vertical_results

from deepcity.city.errors import CheckpointError
from deepcity.runs.results import RunResults
from deepcity.store.run_folder import read_results
from deepcity.vertical.results import VerticalResults
from deepcity.web.report.page import render
from deepcity.web.report.vertical_page import render_vertical

PARTY = ("services", 0, "parties", 0)
FORECAST = (*PARTY, "forecast")
ABSURD = [
    ((*FORECAST, "forecast", 4), 1e308, "forecast.forecast.4 = 1e"),
    ((*FORECAST, "low", 4), -1e308, "forecast.low.4 = -1e"),
    ((*PARTY, "test", "alone", "mae"), 1e308, "test.alone.mae = 1e"),
    ((*PARTY, "test", "alone", "mae_by_horizon", 0), 1e308, "mae_by_horizon.0 = 1e"),
    ((*FORECAST, "times", -1), 10**15, "times.167 = 1000000000000000"),
    ((*FORECAST, "times", 1), START, f"times.1 = {START} (not after"),
    ((*FORECAST, "times", 0), START - 20 * 366 * 86_400, "more than ten years"),
    (("services", 0, "step_minutes"), 1e15, "step_minutes = 1000000000000000.0"),
    ((*PARTY, "places"), 10**30, "places = 1"),
]
USUAL = [
    ((*FORECAST, "forecast", 4), 1e30),  # of a network that diverged
    ((*FORECAST, "forecast", 4), -9e99),
    ((*PARTY, "test", "alone", "mae"), None),
    ((*PARTY, "test", "alone", "metric_error"), 9e99),
    ((*PARTY, "validation_mae", "0"), math.inf),
    ((*PARTY, "raw_bytes"), 10**15),
]


def changed(path, value):
    """Results of a run with one number changed."""
    found = inner = json.loads(fake_results(2, streets=False).model_dump_json())
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return json.dumps(found)


@pytest.mark.parametrize(("path", "value", "named"), ABSURD)
def test_a_number_that_no_run_writes_is_named(tmp_path, path, value, named):
    (tmp_path / "results.json").write_text(changed(path, value))
    with pytest.raises(CheckpointError, match="holds numbers that no run writes") as refused:
        read_results(tmp_path / "results.json", RunResults, "deepcity run")
    assert named in str(refused.value)


@pytest.mark.parametrize(("path", "value"), USUAL)
def test_what_a_run_can_write_is_shown(tmp_path, path, value):
    (tmp_path / "results.json").write_text(changed(path, value))
    page = render(read_results(tmp_path / "results.json", RunResults, "deepcity run"))
    assert "</html>" in page


def test_of_many_numbers_the_first_are_named(tmp_path):
    found = fake_vertical_results(fake_party()).model_dump(mode="json")
    forecast = found["services"][0]["parties"][0]["forecast"]
    forecast["high"] = [1e200] * len(forecast["high"])
    path = tmp_path / "vertical.json"
    path.write_text(json.dumps(found))
    with pytest.raises(CheckpointError) as refused:
        read_results(path, VerticalResults, "deepcity train-vertical")
    assert str(refused.value).count("= 1e+200") == 3
    assert " and more" in str(refused.value)
    forecast["high"] = forecast["forecast"]
    path.write_text(json.dumps(found))
    read = read_results(path, VerticalResults, "deepcity train-vertical")
    assert "</html>" in render_vertical(read)
