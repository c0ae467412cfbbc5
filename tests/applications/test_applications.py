"""Every service in the folder keeps the contract; one that does not is found out."""

import pkgutil
from dataclasses import replace

import application_contract as contract
import numpy as np
import pytest

import deepcity.applications
from deepcity.applications.application import Target, Task, applications
from deepcity.applications.decision import Action, Confirm, Decision, Reason
from deepcity.applications.metric import AbsoluteError
from deepcity.applications.tasks.matching.match_application import match_applications
from deepcity.city.field import Field, Kind
from deepcity.city.localized_text import LocalizedText

CONTRACT = {"application", "decision", "metric", "state", "tasks"}
"""What is no service in the folder."""


@pytest.mark.parametrize("name", sorted(applications()))
def test_every_application_keeps_the_contract(name):
    assert applications()[name].name == name
    contract.check(applications()[name])


def test_the_folder_is_the_registry():
    files = {module.name for module in pkgutil.iter_modules(deepcity.applications.__path__)}
    services = [*applications(), *match_applications()]
    assert files - CONTRACT == {name.replace("-", "_") for name in services}


def test_four_tasks_have_services():
    forecasting = {one.task for one in applications().values()}
    assert forecasting == {Task.FORECAST, Task.ALERT, Task.PLAN}
    assert {one.task for one in match_applications().values()} == {Task.MATCH}


class GapsCountError(AbsoluteError):
    def error(self, forecast_BNH, truth_BNH):
        return float(np.abs(forecast_BNH - np.nan_to_num(truth_BNH)).mean())


class MoreIsBetterError(AbsoluteError):
    def error(self, forecast_BNH, truth_BNH):
        return 1 - super().error(forecast_BNH, truth_BNH)


def elsewhere(state):
    action = Action("pump", "nowhere", state.now_s)
    return Decision((action,), (Reason("any"),), 0.5, state.valid_until_s, Confirm.NOBODY)


def outdated(state):
    return Decision((), (Reason("any"),), 0.5, state.now_s, Confirm.NOBODY)


def of_nowhere(state):
    return Decision((), (Reason("any", {}, "x"),), 0.5, state.valid_until_s, Confirm.NOBODY)


def through_nowhere(state):
    action = Action("drive", state.places[0].id, state.now_s, route=("p0", "nowhere"))
    return Decision((action,), (Reason("any"),), 0.5, state.valid_until_s, Confirm.NOBODY)


def needs_what_is_known(state):
    numbers = {"newest": float(np.nansum(state.known_TN[-1]))}
    return Decision((), (Reason("any", numbers),), 0.5, state.valid_until_s, Confirm.NOBODY)


def needs_a_graph(state):
    numbers = {"edges": float(state.adjacency_NN.sum())}
    return Decision((), (Reason("any", numbers),), 0.5, state.valid_until_s, Confirm.NOBODY)


def without_a_reason(state):
    return Decision((), (), 0.5, state.valid_until_s, Confirm.NOBODY)


def a_sentence(state):
    reason = Reason("Too much water!", {"value": float(np.nanmax(state.forecast_NH))})
    return Decision((), (reason,), 0.5, state.valid_until_s, Confirm.NOBODY)


def too_sure(state):
    return Decision((), (Reason("any"),), 1.5, state.valid_until_s, Confirm.NOBODY)


def needs_a_past(state):
    numbers = {"error": float(np.mean(state.past.errors_BNH[0]))}
    return Decision((), (Reason("any", numbers),), 0.5, state.valid_until_s, Confirm.NOBODY)


@pytest.mark.parametrize(
    "broken",
    [
        {"question": LocalizedText("Will it rain?", "Will it rain?")},
        {"decision": LocalizedText("Whether to pump", "펌프를 켤지 판단합니다.")},
        {"targets": ()},
        {"targets": (Target(Kind.FLOW, "km/h"),)},
        {"targets": (Target(Kind.SPEED, "km/h"),)},
        {"reads": ()},
        {"horizon_hours": 0},
        {"baselines": ()},
        {"metric": GapsCountError()},
        {"metric": MoreIsBetterError()},
        {"decide": elsewhere},
        {"decide": outdated},
        {"decide": of_nowhere},
        {"decide": through_nowhere},
        {"decide": needs_what_is_known},
        {"decide": needs_a_graph},
        {"decide": without_a_reason},
        {"decide": a_sentence},
        {"decide": too_sure},
        {"decide": needs_a_past},
        {"decide": lambda _state: None},
    ],
    ids=", ".join,
)
def test_a_broken_application_is_found_out(broken):
    with pytest.raises((AssertionError, ValueError, IndexError, TypeError, AttributeError)):
        contract.check(replace(applications()["water"], **broken))


@pytest.mark.parametrize(
    ("name", "kind", "unit", "fits"),
    [
        ("traffic", Kind.SPEED, "mph", True),
        ("traffic", Kind.FLOW, "L/s", False),
        ("water", Kind.FLOW, "m3/h", True),
        ("parking", Kind.LEVEL, "%", True),
        ("parking-guidance", Kind.LEVEL, "%", False),
        ("parking-guidance", Kind.LEVEL, "m", False),
        ("air", Kind.CONCENTRATION, "ppm", True),
        ("air-warning", Kind.CONCENTRATION, "ppm", False),
        ("ridership", Kind.COUNT, "bikes", True),
    ],
)
def test_a_field_fits_where_its_kind_and_quantity_do(name, kind, unit, fits):
    field = Field("x", kind, unit)
    assert (applications()[name].target_of(field) is not None) == fits


def test_a_threshold_is_in_the_unit_of_the_field():
    warning = applications()["air-warning"]
    truth = np.array([[[0.074, 0.080]]], np.float32)
    forecast = np.array([[[0.076, 0.080]]], np.float32)
    field = Field("pm25", Kind.CONCENTRATION, "mg/m3")
    assert warning.metric_of(field, 3600).error(forecast, truth) == pytest.approx(0.5)
    assert np.isnan(warning.metric.error(forecast, truth))  # nobody is near 75 of these


def test_a_decision_is_judged_by_the_steps_it_looks_at():
    parking = applications()["parking"]
    metric = parking.metric_of(Field("free", Kind.LEVEL, "spaces"), 1800)
    truth = np.zeros((1, 1, 8), np.float32)
    forecast = np.arange(8, dtype=np.float32)[None, None]
    assert metric.error(forecast, truth) == pytest.approx(np.mean([0, 1, 2, 3]))  # 2 of 4 hours
