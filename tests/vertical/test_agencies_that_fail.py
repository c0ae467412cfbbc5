"""Agencies that are silent, killed, lie or cannot take part: the others learn on."""

from dataclasses import dataclass

import numpy as np
import pytest
from vertical_rounds import BRIEF, NAMES, TOWN, Counting, brief
from vertical_town import agencies, exchange_of, parties

from deepcity.city.errors import ExchangeError
from deepcity.exchange.message import Message
from deepcity.maps.vertical_settings import Mode
from deepcity.vertical.training import forward_all, handshake


def test_an_agency_that_fails_is_silent_for_that_stretch_and_others_go_on():
    """The second round's first question to the mill fails; it is back right after."""
    forwards = []

    def once(count, verb):
        forwards.append(verb)
        return verb == "forward" and forwards.count("forward") == 3  # 2 a round: the second round's

    trained = brief(how={"mill": {"fails": once}})
    assert [len(failed) for failed in trained.history.failures] == [0, 1, 0]
    (failure,) = trained.history.failures[1]
    assert failure.party == "mill"
    assert "ConnectionResetError" in failure.reason or "went dead" in failure.reason
    assert trained.handlers["office"].asked.count("backward") == 3
    assert trained.handlers["mill"].asked.count("backward") == 2


@pytest.mark.parametrize("mode", Mode)
@pytest.mark.parametrize("names", [("office",), NAMES])
def test_an_agency_killed_in_the_middle_does_not_stop_a_meeting(mode, names):
    """From its second call on (asked in, then dead); alone it leaves nobody to be heard."""
    dies = {"office": {"fails": lambda count, _verb: count > 1}}
    trained = brief(mode, names, how=dies)
    assert len(trained.history.errors) == BRIEF.rounds
    assert np.isfinite(trained.history.errors).all()
    assert {failure.party for failed in trained.history.failures for failure in failed} == {
        "office"
    }
    assert trained.history.failures[0]


def test_an_agency_killed_while_it_learns_is_reported_and_the_rest_learn_on():
    dies = {"office": {"fails": lambda count, _verb: count > 7}}  # the second round's slopes
    trained = brief("per-batch", how=dies)
    assert [bool(failed) for failed in trained.history.failures] == [False, True, True]
    assert trained.handlers["mill"].asked.count("backward") == BRIEF.rounds * BRIEF.local_steps


def altered_message(change):
    def lie(layers):
        deep = {name: array.copy() for name, array in layers["deep"].items()}
        return {"deep": change(deep)}

    return lie


def first_value(value):
    def change(deep):
        deep["vectors"][0, 0, 0] = value
        deep["known"][0, 0] = True
        return deep

    return change


LIES = {
    "NaN": (first_value(np.nan), "NaN or infinity"),
    "infinity": (first_value(-np.inf), "NaN or infinity"),
    "beyond what an encoder says": (first_value(1e30), "outside -1..1"),
    "fewer origins": (lambda deep: {k: v[1:] for k, v in deep.items()}, "shape"),
    "another width": (lambda deep: {**deep, "vectors": deep["vectors"][..., :1]}, "shape"),
    "another cell": (lambda deep: {k: v[:, :1] for k, v in deep.items()}, "shape"),
    "nothing known": (lambda deep: {"vectors": deep["vectors"]}, "shape"),
    "no vectors": (lambda _deep: {}, "shape"),
    "doubles": (lambda deep: {**deep, "vectors": deep["vectors"].astype(float)}, "float64"),
    "integers": (lambda deep: {**deep, "vectors": deep["vectors"].astype(np.int64)}, "int64"),
    "numbers for known": (lambda deep: {**deep, "known": deep["known"].astype(float)}, "float64"),
}


@pytest.mark.parametrize("lie", LIES)
def test_deep_data_that_cannot_be_used_is_refused_and_others_are_heard(lie):
    change, reason = LIES[lie]
    encoders = agencies(TOWN, NAMES, taught=0)
    handlers = parties(encoders)
    handlers["mill"] = Counting(handlers["mill"], lies=altered_message(change))
    exchange = exchange_of(handlers)
    deep, failed = forward_all(exchange, handshake(exchange, NAMES), TOWN.time_T[50:60])
    assert set(deep) == {"office"}
    assert [failure.party for failure in failed] == ["mill"]
    assert reason in failed[0].reason


def test_an_agency_that_lies_all_along_spoils_no_others_learning():
    lies = {"mill": {"lies": altered_message(first_value(1e30))}}
    spoilt, clean = brief(how=lies), brief(names=NAMES, how={"mill": {"fails": _is_forward}})
    assert spoilt.history.errors == clean.history.errors
    assert all(failed for failed in spoilt.history.failures)


def _is_forward(_count, verb):
    return verb == "forward"


@dataclass
class RandomActivations:
    """An agency that answers `handshake` with anything."""

    width: float
    cells: object

    def handle(self, message: Message, caller: str) -> Message:
        layers = {} if self.cells is None else {"cells": {"cells": self.cells}}
        return Message("handshake", {"width": self.width}, layers)


@pytest.mark.parametrize(
    ("width", "cells"),
    [
        (2.0, None),
        (2.0, np.zeros(0, np.int64)),
        (2.0, np.zeros((1, 1), np.int64)),
        (2.0, np.array([1.5, np.nan])),
        (2.0, np.array([-1])),
        (2.0, np.array([4, 4])),
        (0.0, np.array([4])),
        (1.5, np.array([4])),
        (np.nan, np.array([4])),
        (np.inf, np.array([4])),
    ],
)
def test_who_names_no_cells_or_no_width_cannot_come(width, cells):
    exchange = exchange_of({"ghost": RandomActivations(width, cells)})
    with pytest.raises(ExchangeError, match="ghost: its cells are missing"):
        handshake(exchange, ["ghost"])


def test_all_who_cannot_come_are_named_at_once():
    handlers = parties(agencies(TOWN, NAMES, taught=0))
    for handler in handlers.values():
        handler.service = "espionage"
    with pytest.raises(ExchangeError) as refused:
        handshake(exchange_of(handlers), [*NAMES, "nobody"])
    for part in ("mill", "office", "nobody", "espionage", "leave them out"):
        assert part in str(refused.value)
