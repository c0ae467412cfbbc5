"""A run is judged by its application's metric, unit and horizon, and ends in a decision."""

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from application_contract import check
from little_map import LittleMap, flows, service

import deepcity.applications
from deepcity.applications.application import Task, applications
from deepcity.applications.metric import Warnings
from deepcity.city.place import Place
from deepcity.cli.summary import decisions, tables
from deepcity.intercity.level_choice import JoinedExpert, weigh_experts
from deepcity.learning.experts.expert import Expert
from deepcity.maps.city_map import load_map
from deepcity.parties.method_errors import MethodErrors
from deepcity.parties.party import parties_of
from deepcity.runs.decision_scores import EXAMPLE_CARS, DecisionForecasts
from deepcity.runs.decisions import MethodForecasts, naive_both, past_of, state_at
from deepcity.runs.results import RunResults
from deepcity.runs.run import run_map
from deepcity.web.report.notes import note
from deepcity.web.report.page import render

BURSTS = '''
"""Bursts: will a district draw more than its pipes bear?"""

from deepcity.applications.application import Application, Baseline, Target, Task
from deepcity.applications.metric import Warnings
from deepcity.applications.tasks.alert import WarnAbove
from deepcity.city.field import Kind
from deepcity.city.localized_text import LocalizedText

APPLICATION = Application(
    name="bursts",
    title=LocalizedText("Burst pipes", "수도관 파열"),
    question=LocalizedText("Will it draw more than its pipes bear?", "관이 견딜 수 있을까요?"),
    decision=LocalizedText("Where to lower the pressure.", "어디의 압력을 낮출지 정합니다."),
    task=Task.ALERT,
    targets=(Target(Kind.FLOW, "m3/h"),),
    reads=("resources",),
    horizon_hours=3,
    decide=WarnAbove(43.2, "m3/h"),
    metric=Warnings(43.2),
    baselines=(Baseline.PERSISTENCE, Baseline.TYPICAL_DAY),
)
'''  # 43.2 m3/h are 12 L/s


@pytest.fixture(scope="module")
def dropped(tmp_path_factory):
    """One file in a folder beside the package's own: all that a new service costs."""
    folder = tmp_path_factory.mktemp("services")
    (folder / "bursts.py").write_text(BURSTS, encoding="utf-8")
    paths = deepcity.applications.__path__
    paths.append(str(folder))
    yield applications()["bursts"]
    paths.remove(str(folder))
    sys.modules.pop("deepcity.applications.bursts", None)


@pytest.fixture(scope="module")
def city_map(dropped, tmp_path_factory):
    little = LittleMap(tmp_path_factory.mktemp("map"))
    for seed, name in enumerate(("east/north", "west/office")):
        little.party(name, flows(seed=seed, places=1, noise=1.0))
    path = little.write(service(levels=[6]))
    text = path.read_text().replace('application = "water"', f'application = "{dropped.name}"')
    path.write_text(text, encoding="utf-8")
    return load_map(path)


@pytest.fixture(scope="module")
def ran(city_map, tmp_path_factory) -> tuple[RunResults, Path]:
    folder = tmp_path_factory.mktemp("run")
    return run_map(city_map, folder), folder


def test_a_service_in_one_file_is_found_and_keeps_the_contract(dropped):
    assert dropped.task is Task.ALERT
    check(dropped)


def test_errors_are_by_the_application_s_metric_over_its_own_horizon(city_map, ran):
    (party, *_), (found, *_) = parties_of(city_map.services[0]), ran[0].services[0].parties
    for method, forecast in (("typical_day", party.test.baseline_BNH),):
        by_hand = Warnings(12.0).error(forecast[..., :3], party.test.truth_BNH[..., :3])
        assert found.test[method].metric_error == pytest.approx(by_hand)
        assert found.test[method].metric_error != pytest.approx(found.test[method].mae)
    assert {"persistence", "typical_day", "same_hour_last_week"} <= set(found.test)
    gain = 1 - found.test["automatic"].metric_error / found.test["alone"].metric_error
    assert found.gain() == pytest.approx(gain)
    assert all(0 <= error <= 1 for error in found.validation_mae.values())


class NearestQuery(Expert):
    """Errs little, and never crosses with the truth."""

    kind = "near"

    def predict(self, samples, origins_B=None):
        return np.where(samples.truth_BNH > 12, 11.9, np.nan_to_num(samples.truth_BNH)).astype("f4")


class Far(Expert):
    """Errs much, and warns rightly."""

    kind = "far"

    def predict(self, samples, origins_B=None):
        return np.where(samples.truth_BNH > 12, 30.0, 0.0).astype(np.float32)


def test_levels_are_compared_by_the_metric(city_map):
    party = parties_of(city_map.services[0])[0]
    choice = weigh_experts(party, NearestQuery(), [JoinedExpert(6, Far())])
    assert choice.errors[0] == 1
    assert choice.errors[6] == 0


def test_the_run_ends_in_a_decision_as_codes(ran):
    results, folder = ran
    kept = RunResults.model_validate_json((folder / "results.json").read_text())
    for party, again in zip(results.services[0].parties, kept.services[0].parties, strict=True):
        assert party.decision is not None
        assert party.decision == again.decision
        assert party.decision.reasons[0].code in {"crossing-likely", "crossing-unlikely"}
        assert party.decision.reasons[0].numbers["threshold"] == pytest.approx(12.0)


def test_terminal_and_report_name_the_metric_and_no_unit_of_a_share(ran):
    results, _ = ran
    assert str(tables(results, 100)[0].title) == "Burst pipes: warnings missed or false"
    page = render(results)
    assert "Warnings missed or false, on test days" in page
    assert "놓쳤거나 틀린 경보" in page
    assert "as on a typical day" in page


def test_where_nothing_was_to_judge_the_terminal_says_nothing(ran):
    service = ran[0].services[0]
    calm = MethodErrors(mae=1.0, rmse=1.0, mae_by_horizon=[1.0], metric_error=float("nan"))
    parties = [
        one.model_copy(update={"test": dict.fromkeys(one.test, calm)}) for one in service.parties
    ]
    results = ran[0].model_copy(
        update={"services": [service.model_copy(update={"parties": parties})]}
    )
    (table,) = tables(results, 100)
    assert {cell for column in (1, 2, 3, 6) for cell in table.columns[column].cells} == {""}
    assert re.search(r"\bnan\b", render(results)) is None


def test_a_horizon_beyond_the_decision_s_is_told(ran):
    notes = " ".join(note(one).en for one in ran[0].services[0].notes)
    assert "need only 3 h ahead, so errors count these hours only" in notes
    assert "east/north (6 h)" in notes


def test_an_error_that_is_not_known_is_null_in_json():
    unknown = json.dumps({"mae": 2.0, "rmse": 3.0, "mae_by_horizon": [2.0], "metric_error": None})
    assert np.isnan(MethodErrors.model_validate_json(unknown).metric_error)


def test_its_warnings_are_scored_beside_those_of_alone_and_the_baselines(dropped, city_map, ran):
    (party, *_), (found, *_) = parties_of(city_map.services[0]), ran[0].services[0].parties
    assert set(found.decision_scores) == {"automatic", "alone", "persistence", "typical_day"}
    before, after = naive_both(party)["typical_day"]
    past = past_of(dropped, party, before)
    warned = np.stack(
        [
            dropped.decide.probability_NH(state_at(party, past, forecast_NH, 0))
            >= dropped.decide.cutoff(state_at(party, past, forecast_NH, 0))
            for forecast_NH in after
        ]
    )
    above = party.test.truth_BNH[..., :3] > 12.0
    assert above.any()
    hit = (warned & above).sum() / above.sum()
    assert found.decision_scores["typical_day"]["hit_rate"] == pytest.approx(hit)
    assert found.decision_scores["typical_day"]["cost"] == pytest.approx((warned != above).mean())


def test_a_plan_is_tried_with_invented_cars_where_places_have_positions(city_map):
    party = parties_of(city_map.services[0])[0]
    (place,) = party.panel.places
    lots = (Place(place.id, 51.05, 13.74, 20.0), Place("far", 51.06, 13.74, 9e3), Place("nowhere"))
    values_TNF = np.repeat(party.panel.values_TNF, 3, axis=1)
    panel = replace(party.panel, places=lots, values_TNF=values_TNF)
    truth_BNH = np.repeat(party.test.truth_BNH, 3, axis=1)
    truth_BNH[:, 0], truth_BNH[:, 1] = 0.0, 5e3  # nothing near, much that is far
    data = replace(party.data, validation=replace(party.data.validation, truth_BNH=truth_BNH))
    party = replace(party, panel=panel, data=data, test=replace(party.test, truth_BNH=truth_BNH))
    guidance = applications()["parking-guidance"]
    past = past_of(guidance, party, truth_BNH)
    one = MethodForecasts(guidance, party, past, truth_BNH)
    same = dict.fromkeys(("automatic", "alone", "persistence"), one)
    forecasts = DecisionForecasts(guidance, party, same)
    found = forecasts.scores()
    assert list(found) == ["automatic", "alone", "nearest", "free_now", "free_now_counted"]
    assert found["automatic"]["found"] == 1.0
    assert found["nearest"]["found"] < 0.7  # who is near the full one gives up
    assert found["automatic"]["cars"] == found["nearest"]["cars"] > 1000
    assert found["automatic"]["walk_m"] > found["nearest"]["walk_m"]
    example = forecasts.example()
    assert {action.place for action in example.actions} == {"far"}
    assert sum(action.numbers["count"] for action in example.actions) == EXAMPLE_CARS
    nowhere = replace(party, panel=replace(panel, places=(Place("x"), *lots[1:])))
    assert DecisionForecasts(guidance, nowhere, same).scores() == {}
    assert DecisionForecasts(guidance, nowhere, same).example() is None


def test_the_terminal_ends_in_a_line_for_each_decision(ran):
    lines = decisions(ran[0])
    assert len(lines) == 2
    assert lines[0].startswith("Burst pipes, ")
    assert all("arning" in line and "12 L/s" in line for line in lines)
