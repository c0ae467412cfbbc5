"""A site's results as the hub takes them: lies are refused, or overruled by what the hub knows."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_map import service, three

from deepcity.city.errors import ExchangeError
from deepcity.city.localized_text import LocalizedText
from deepcity.exchange.message import Message
from deepcity.exchange.party import CHOOSE, JSON, RESULT
from deepcity.maps.city_map import load_map
from deepcity.parties.party import parties_of
from deepcity.runs.choosing_site import result_layers
from deepcity.runs.machines.received_results import MOST_BYTES, SiteFacts, received_result
from deepcity.runs.note import Note
from deepcity.runs.results import AllowanceSpent, DriftFound, LevelSetAside
from deepcity.runs.run import run_map
from deepcity.runs.site import Site
from deepcity.web.report.page import render


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """Results of a run, and what a hub knows of its first site."""
    folder = tmp_path_factory.mktemp("received")
    city_map = load_map(
        three(folder).write(service(levels=(), rounds=1, settings="pooled = false"))
    )
    results = run_map(city_map, folder / "run")
    [only] = city_map.services
    party = parties_of(only)[0]
    facts = SiteFacts(only, only.members[0], Site(only.settings, party, 1).profile, 6)
    return results, facts


def answer(found, **numbers):
    return Message(CHOOSE, numbers, result_layers(found))


def test_honest_results_come_through_as_they_are(known):
    results, facts = known
    honest = results.services[0].parties[0]
    assert received_result(facts, answer(honest)) == honest.for_the_map(shared=False)


def test_what_the_hub_knows_is_not_believed(known):
    results, facts = known
    honest = results.services[0].parties[0]
    lie = honest.model_copy(
        update={
            "name": "west/office",
            "title": LocalizedText("Best", "최고"),
            "city": "west",
            "places": 10**9,
            "train_days": 1e9,
            "newcomer": True,
            "granted_level": 0,
            "unit": "people",
            "step_minutes": 1.0,
            "horizon_steps": 999,
            "notes": [Note(code="no_such_note")],
            "band_level": 1.0,
        }
    )
    assert received_result(facts, answer(lie)) == honest.for_the_map(shared=False)


def test_a_grant_shows_a_forecast_in_the_citys_own_time_zone(known):
    results, facts = known
    honest = results.services[0].parties[0]
    grant = facts.service.settings.grant.model_copy(update={"truths": "shared"})
    settings = facts.service.settings.model_copy(update={"grant": grant})
    shown = replace(facts, service=replace(facts.service, settings=settings))
    lie = honest.forecast.model_copy(update={"time_zone": "Mars/Base"})
    found = received_result(shown, answer(honest.model_copy(update={"forecast": lie})))
    assert found.forecast == honest.forecast
    assert found.decision is None


def test_numbers_that_no_file_of_results_can_hold_are_refused(known):
    """JSON has no infinity: written as null, it would make the results of all unreadable."""
    results, facts = known
    honest = results.services[0].parties[0]
    drift = DriftFound(since=10**9, noticed=10**9, excess=0.5, naive_excess=0.5)
    text = honest.model_copy(update={"drift": drift}).model_dump_json()
    for number in ("Infinity", "NaN", "1e999"):
        lie = text.replace('"excess":0.5', f'"excess":{number}')
        layers = {RESULT: {JSON: np.frombuffer(lie.encode(), np.uint8)}}
        with pytest.raises(ExchangeError, match=r"cannot be read \(drift\.excess"):
            received_result(facts, Message(CHOOSE, {}, layers))


ASIDE = LevelSetAside(levels=[1], since=0, back=None, error=1.0, bound=0.5)
SPENT = AllowanceSpent(since=0, back=None, lost=3.0, allowed=2.5)
LIES = {
    "level": lambda r: {"level": 7},
    "negative level": lambda r: {"level": -1},
    "weights": lambda r: {"weights": {**r.weights, "level_9": 0.0}},
    "weights of more than all": lambda r: {"weights_after": {**r.weights, "alone": 1.5}},
    "a level by another name": lambda r: {"validation_mae": {"<b>": 1.0}},
    "method": lambda r: {"test": {**r.test, "<script>": r.test["alone"]}},
    "no error alone": lambda r: {"test": {"automatic": r.test["automatic"]}},
    "a million steps": lambda r: {
        "test": {
            **r.test,
            "alone": r.test["alone"].model_copy(update={"mae_by_horizon": [1.0] * 999}),
        }
    },
    "huge": lambda r: {
        "test": {**r.test, "alone": r.test["alone"].model_copy(update={"mae": 1e300})}
    },
    "reason": lambda r: {"level_reason": Note(code="because")},
    "reason without numbers": lambda r: {"level_reason": Note(code="level_alone")},
    "reason of another level": lambda r: {
        "level": 0,
        "level_reason": Note(
            code="level_reused", numbers={"own": 0.1, "alone": 1.0, "together": 1.0, "level": 6}
        ),
    },
    "bound": lambda r: {"level_bound": Note(code="because")},
    "bound without numbers": lambda r: {"level_bound": Note(code="level_by_leakage")},
    "bound of nothing": lambda r: {
        "level_bound": Note(code="level_by_unmeasured", numbers={"most_r2": np.nan})
    },
    "reason of nothing": lambda r: {
        "level_reason": Note(code="level_alone", numbers={"own": np.nan, "alone": 1.0})
    },
    "spent": lambda r: {"allowance_spent": [SPENT] * 1001},
    "spent less than nothing": lambda r: {
        "allowance_spent": [SPENT.model_copy(update={"lost": -1.0})]
    },
    "moment of spending": lambda r: {
        "allowance_spent": [SPENT.model_copy(update={"since": 10**14})]
    },
    "set aside": lambda r: {"set_aside": [ASIDE] * 1001},
    "level set aside": lambda r: {"set_aside": [ASIDE.model_copy(update={"levels": [10**9]})]},
    "same level set aside": lambda r: {"set_aside": [ASIDE.model_copy(update={"levels": [1] * 7})]},
    "negative error": lambda r: {
        "test": {**r.test, "alone": r.test["alone"].model_copy(update={"metric_error": -1.0})}
    },
    "moment": lambda r: {"set_aside": [ASIDE.model_copy(update={"since": 10**14})]},
    "band": lambda r: {"band_coverage": 2.0},
    "bytes": lambda r: {"raw_bytes": -1},
    "lists": lambda r: {"forecast": r.forecast.model_copy(update={"low": [1.0]})},
}


@pytest.mark.parametrize("lie", LIES)
def test_lies_are_refused(known, lie):
    results, facts = known
    honest = results.services[0].parties[0]
    spoilt = honest.model_copy(update=LIES[lie](honest))
    with pytest.raises(ExchangeError, match="its results cannot be: "):
        received_result(facts, answer(spoilt))


def test_a_level_that_was_not_offered_is_refused(known):
    results, facts = known
    honest = results.services[0].parties[0]
    with pytest.raises(ExchangeError, match="cannot be"):
        received_result(replace(facts, offered=0), answer(honest))


@pytest.mark.parametrize(
    "tensor", [None, np.zeros(4, np.float32), np.zeros(MOST_BYTES + 1, np.uint8)]
)
def test_answers_without_results_or_with_too_many_bytes(known, tensor):
    layers = {} if tensor is None else {RESULT: {JSON: tensor}}
    with pytest.raises(ExchangeError, match="without results, or with more"):
        received_result(known[1], Message(CHOOSE, {}, layers))


@given(st.binary(max_size=300) | st.text(max_size=300).map(str.encode))
def test_any_bytes_are_refused_with_a_reason(known, data):
    layers = {RESULT: {JSON: np.frombuffer(data, np.uint8)}}
    with pytest.raises(ExchangeError, match="cannot be read"):
        received_result(known[1], Message(CHOOSE, {}, layers))


@pytest.mark.parametrize("first_day", [2.5, -1.0, np.nan, np.inf])
def test_report_of_a_newcomer_has_its_first_error_if_it_is_one(known, first_day):
    results, facts = known
    [only] = results.services
    settings = facts.service.settings.model_copy(update={"newcomers": [facts.member.name]})
    late = replace(facts, service=replace(facts.service, settings=settings))
    found = received_result(late, answer(only.parties[0], first_day=first_day))
    assert [one.code for one in found.notes] == [
        "newcomer_first_day" if first_day == 2.5 else "newcomer"
    ]
    service_ = only.model_copy(update={"parties": [found, *only.parties[1:]]})
    page = render(results.model_copy(update={"services": [service_]}))
    assert ("give an error of 2.5" in page) is (first_day == 2.5)
