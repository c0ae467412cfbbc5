"""Results of a vertical training as the hub takes them: lies are refused, or overruled."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from little_vertical import quick_map

from deepcity.city.errors import ExchangeError
from deepcity.city.localized_text import LocalizedText
from deepcity.exchange.message import Message
from deepcity.exchange.party import JSON, RESULT
from deepcity.exchange.vertical.names import ADVANCE
from deepcity.runs.machines.received_vertical import received_vertical
from deepcity.vertical.machines.application import on_machines
from deepcity.vertical.results import VerticalPartyResult
from deepcity.vertical.run import run_vertical


@pytest.fixture(scope="module")
def known(tmp_path_factory):
    """An honest result, and the service and party that the hub knows."""
    folder = tmp_path_factory.mktemp("received")
    city_map = quick_map(folder, rounds=2)
    [only] = city_map.services
    service = on_machines(only)
    quick = type(city_map)(**{**vars(city_map), "services": (service,)})
    [party] = run_vertical(quick, folder / "run").services[0].parties
    return party, service, only.members[0]


def answer(found):
    text = found if isinstance(found, bytes) else found.model_dump_json().encode()
    return Message(ADVANCE, {"step": 5.0}, {RESULT: {JSON: np.frombuffer(text, np.uint8)}})


def received(known, **changes):
    honest, service, member = known
    return received_vertical(service, member, answer(honest.model_copy(update=changes)))


def test_honest_results_come_through_and_no_forecast_that_is_not_granted(known):
    assert received(known) == known[0].model_copy(update={"forecast": None})


def test_what_the_hub_knows_is_not_believed(known):
    honest = known[0]
    [fact] = honest.facts
    lies = {
        "name": "west/power",
        "title": LocalizedText("Best", "최고"),
        "unit": "GW",
        "agencies": ["nobody"],
        "metric": LocalizedText("all", "모두"),
        "horizon_steps": 10**9,
        "step_minutes": 1.0,
        "by_seed": {"together": [0.0]},
        "facts": [fact.model_copy(update={"width": 999, "level": 1, "title": honest.metric})],
    }
    assert received(known, **lies) == received(known)


def test_reasons_can_stand_in_a_terminal(known):
    found = received(known, failures=["\x1b[2Jall is well\r" + "x" * 900] * 300)
    assert len(found.failures) <= 100
    assert all(one.isprintable() and len(one) <= 500 for one in found.failures)


def scores(known, **changes):
    test = known[0].test
    return {**test, "together": test["together"].model_copy(update=changes)}


def test_numbers_and_names_that_cannot_be_are_refused(known):
    honest = known[0]
    [fact] = honest.facts
    cost = honest.cost
    lies = [
        {"test": {}},
        {"test": {**honest.test, "best": honest.test["alone"]}},
        {"test": scores(known, mae=-1.0)},
        {"test": scores(known, mae_by_horizon=[1.0] * 10_000)},
        {"metric_errors": {**honest.metric_errors, "together": -1.0}},
        {"costs": {}},
        {"costs": {"per-batch": cost}},
        {"cost": cost.model_copy(update={"bytes": -1})},
        {"cost": cost.model_copy(update={"by_kind": {str(n): n for n in range(99)}})},
        {"cost": cost.model_copy(update={"messages": 10**18})},
        {"facts": []},
        {"facts": [fact, fact]},
        {"facts": [fact.model_copy(update={"sent": -5})]},
        {"curves": [honest.curves[0].model_copy(update={"error_by_round": [1.0] * 999})]},
        {"curves": [honest.curves[0].model_copy(update={"method": "best"})]},
        {"band_coverage": 2.0},
        {"places": -1},
        {"train_days": 1e200},
        {"forecast": honest.forecast.model_copy(update={"low": [1.0]})},
        {"forecast": honest.forecast.model_copy(update={"place": "x" * 999})},
    ]
    for lie in lies:
        with pytest.raises(ExchangeError, match="its results cannot be"):
            received(known, **lie)


@given(st.binary(max_size=50), st.integers(0, 10_000))
def test_any_bytes_are_refused_with_a_reason(known, content, at):
    honest, service, member = known
    whole = honest.model_dump_json().encode()
    for text in (content, whole[:at] + content + whole[at + 1 :]):
        try:
            found = received_vertical(service, member, answer(text))
        except ExchangeError:
            continue
        assert isinstance(found, VerticalPartyResult)


@pytest.mark.parametrize("tensor", [None, np.zeros(4, np.float32), np.zeros(2_000_000, np.uint8)])
def test_no_results_or_too_many_bytes(known, tensor):
    layers = {} if tensor is None else {RESULT: {JSON: tensor}}
    with pytest.raises(ExchangeError, match="without results, or with more than"):
        received_vertical(known[1], known[2], Message(ADVANCE, {"step": 5.0}, layers))
