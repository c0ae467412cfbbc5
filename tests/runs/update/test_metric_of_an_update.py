"""An update is judged by its application's own metric, and by absolute errors where it has none."""

from dataclasses import replace

import numpy as np
import pytest
from update_town import RUN_DAYS, write

from deepcity.applications import water
from deepcity.applications.metric import AbsoluteError, FirstSteps, SquaredError, Warnings
from deepcity.cli.update_table import tables
from deepcity.learning.ensemble.multi_view_ensemble import EnsembleForecast
from deepcity.maps.city_map import load_map
from deepcity.runs.run import run_map
from deepcity.runs.update.error_log import ErrorLog
from deepcity.runs.update.party import UpdateComparison
from deepcity.runs.update.run import refine_map
from deepcity.web.report.sentences.updates import reason, update_notes


def compared(truth, kept, changed, metric):
    """A comparison of one origin and place; everything is in the holdout."""
    truth, kept, changed = (
        np.array(values, np.float32)[None, None] for values in (truth, kept, changed)
    )
    log = ErrorLog(None, None, None, truth)
    ends = (EnsembleForecast(one, None, None) for one in (kept, changed))
    return UpdateComparison([], [], log, *ends, np.array([True]), 0.5, False, metric)


def test_better_warnings_count_more_than_smaller_errors():
    found = compared([20, 20], kept=[9, 9], changed=[40, 40], metric=Warnings(10.0))
    assert (found.error(found.kept.forecast_BNH), found.error(found.changed.forecast_BNH)) == (1, 0)
    assert found.accepted
    assert not compared([20, 20], [9, 9], [40, 40], AbsoluteError()).accepted


def test_worse_warnings_are_refused_though_errors_are_smaller():
    assert not compared([20, 20], kept=[40, 40], changed=[9, 9], metric=Warnings(10.0)).accepted
    assert compared([20, 20], [40, 40], [9, 9], AbsoluteError()).accepted


def test_equal_warnings_leave_it_to_the_absolute_error():
    assert compared([20, 20], kept=[40, 40], changed=[21, 21], metric=Warnings(10.0)).accepted
    assert not compared([20, 20], kept=[21, 21], changed=[40, 40], metric=Warnings(10.0)).accepted


def test_where_nothing_was_to_warn_of_the_absolute_error_decides():
    found = compared([2, 2], kept=[5, 5], changed=[3, 3], metric=Warnings(10.0))
    assert found.evaluated_by == AbsoluteError()
    assert found.error(found.changed.forecast_BNH) == 1
    assert found.accepted


def test_only_steps_within_the_decision_s_horizon_count():
    near = FirstSteps(SquaredError(), 1)
    assert compared([5, 5], kept=[6, 5], changed=[5, 90], metric=near).accepted


@pytest.fixture(scope="module")
def later(tmp_path_factory):
    """A town that was run; then ten days of rows have come."""
    folder = tmp_path_factory.mktemp("town")
    run_map(load_map(write(folder)), folder / "run")
    return load_map(write(folder, RUN_DAYS + 10)), folder


@pytest.mark.parametrize("metric", [Warnings(12.0), Warnings(1e6)], ids=["crossed", "never"])
def test_the_table_names_what_decided(later, monkeypatch, metric):
    _, folder = later
    application = replace(water.APPLICATION, metric=metric)
    monkeypatch.setattr(water, "APPLICATION", application)
    before = sorted(folder.rglob("own/*.checkpoint"))
    found, trouble = refine_map(load_map(folder / "map.toml"), folder / "run")
    assert trouble is None
    titles = [str(table.title) for table in tables(found, 100)]
    notes = [one.en for party in found.parties for one in update_notes(party)]
    if metric.threshold == 12.0:
        assert titles == ["water: warnings missed or false of the newest days"]
        assert all(0 <= party.kept <= 1 and not party.metric_in_unit for party in found.parties)
        assert not any("the mean absolute error decided" in one for one in notes)
    else:
        assert titles == ["water: mean absolute error of the newest days, L/s"]
        told = 'by which "warnings missed or false" could be computed'
        assert sum(told in one for one in notes) == len(found.parties)
    assert all(reason(party).ko and "None" not in reason(party).en for party in found.parties)
    for path in set(folder.rglob("own/*.checkpoint")) - set(before):  # for the other case
        path.unlink()
