"""Peaks, patrols and crowds of a run are scored beside the baselines that they must beat."""

from dataclasses import replace

import pytest
from little_map import LittleMap, flows, service

from deepcity.applications.application import Baseline, applications
from deepcity.applications.tasks.crowding import WarnAboveOwnLimit
from deepcity.applications.tasks.night_flow import NightFlowRise
from deepcity.maps.city_map import load_map
from deepcity.parties.method_errors import ALONE, AUTOMATIC
from deepcity.parties.party import Party, parties_of
from deepcity.runs.decision_scores import DecisionForecasts
from deepcity.runs.decisions import naive_both
from deepcity.runs.service_scores import MOST_COUNTED, spread_evenly


@pytest.fixture(scope="module")
def party(tmp_path_factory) -> Party:
    little = LittleMap(tmp_path_factory.mktemp("map"))
    for seed, name in enumerate(("east/north", "west/office")):
        little.party(name, flows(seed=seed, places=3, noise=1.0))
    return parties_of(load_map(little.write(service(levels=[6]))).services[0])[0]


def forecasts(name: str, party: Party) -> DecisionForecasts:
    """As if its own forecasts were those of the typical day."""
    application = applications()[name]
    naive = naive_both(party)
    typical = naive[Baseline.TYPICAL_DAY.value]
    ours = {AUTOMATIC: typical, ALONE: typical}
    return DecisionForecasts.with_naive(application, party, ours, naive)


def test_peaks_stand_beside_those_of_yesterday_and_last_week(party):
    found = forecasts("electricity", party)
    scores = found.scores()
    assert list(scores) == [AUTOMATIC, ALONE, "same_hour_yesterday", "same_hour_last_week"]
    assert scores[AUTOMATIC]["peaks"] > 0
    assert 0 <= scores[AUTOMATIC]["near"] <= 1
    assert scores[AUTOMATIC] == scores[ALONE]
    assert 0 < scores[AUTOMATIC]["covered"] <= 1
    assert scores["same_hour_yesterday"]["height_error"] > 0
    assert found.last().reasons[0].code == "peak-ahead"
    assert found.example() is None


def test_patrols_stand_beside_the_counts_of_ninety_days(party):
    found = forecasts("crime-prevention", party)
    scores = found.scores()
    assert list(scores) == [AUTOMATIC, ALONE, MOST_COUNTED]
    for one in scores.values():
        assert one["days"] > 0
        assert 0 < one["hit_rate"] < 1
        assert one["pai"] == pytest.approx(3 * one["hit_rate"])  # one patrol for three cells
    assert found.last().actions
    assert found.example() is None


def test_a_decision_sees_as_many_days_as_its_application_names(party):
    long = forecasts("crime-prevention", party).application
    for days in (2, 3):
        found = replace(long, known_days=days)
        one = DecisionForecasts.with_naive(found, party, {}, naive_both(party))
        state = one.by_method[Baseline.TYPICAL_DAY.value].state(0)
        assert len(state.known_TN) == days * 86_400 // state.step_s


def test_crowds_are_scored_as_warnings_by_each_place_s_own_limit(party):
    found = forecasts("crowding-warning", party)
    scores = found.scores()
    assert list(scores)[:2] == [AUTOMATIC, ALONE]
    assert scores[AUTOMATIC]["events"] > 0
    loose = replace(found.application, decide=WarnAboveOwnLimit("warn", quantile=0.999))
    few = replace(found, application=loose).scores()
    assert few[AUTOMATIC]["events"] < scores[AUTOMATIC]["events"]


def test_a_decision_without_scores_has_none(party):
    found = forecasts("water-leaks", party)
    assert isinstance(found.application.decide, NightFlowRise)
    assert found.scores() == {}
    assert found.last().reasons[0].code in {"night-flow-usual", "night-flow-high"}


def test_of_many_origins_an_even_share_is_scored():
    assert list(spread_evenly(range(7))) == list(range(7))
    assert len(spread_evenly(range(1000))) <= 60
