"""Layers at half precision on the wire: half the bytes, numbers exact, float32 at both ends."""

import numpy as np
import pytest

from deepcity.city.errors import ExchangeError
from deepcity.exchange.exchange import Failure
from deepcity.exchange.inprocess import InProcessExchange
from deepcity.exchange.message import Message
from deepcity.exchange.precision import lower_precision, restore_precision


class Echo:
    def __init__(self):
        self.heard = []

    def handle(self, message, caller):
        self.heard.append(message)
        return message


def weights(seed=0, scale=0.1):
    return (scale * np.random.default_rng(seed).standard_normal((64, 64))).astype(np.float32)


def asked(precision, message):
    echo = Echo()
    exchange = InProcessExchange({"a": echo}, precision=precision)
    return exchange.call("a", message), echo.heard[0], exchange.ledger.sent_by_layer()


def test_layers_arrive_as_float32_rounded_once_and_numbers_exactly():
    message = Message("m", {"x": 1 / 3, "big": 1e300}, {"h1": {"w": weights()}})
    reply, heard, _ = asked("float16", message)
    for got in (heard, reply):
        tensor = got.layers["h1"]["w"]
        assert tensor.dtype == np.float32
        assert got.numbers == message.numbers
        assert 0 < np.abs(tensor - weights()).max() <= 2**-11 * np.abs(weights()).max()
    np.testing.assert_array_equal(heard.layers["h1"]["w"], reply.layers["h1"]["w"])


def test_full_precision_changes_nothing():
    reply, heard, _ = asked("float32", Message("m", layers={"h1": {"w": weights()}}))
    np.testing.assert_array_equal(reply.layers["h1"]["w"], weights())
    np.testing.assert_array_equal(heard.layers["h1"]["w"], weights())


def test_the_ledger_counts_what_travelled():
    message = Message("m", layers={"h1": {"w": weights()}})
    assert asked("float16", message)[2]["h1"] * 2 == asked("float32", message)[2]["h1"]


def test_other_dtypes_travel_as_they_are():
    layers = {"h1": {"count": np.arange(3), "exact": np.array([1 / 3]), "half": np.float16([0.1])}}
    low = lower_precision(Message("m", layers=layers), "float16")
    assert low.layers["h1"]["count"].dtype == np.int64
    assert low.layers["h1"]["exact"].dtype == np.float64
    assert restore_precision(low).layers["h1"]["half"].dtype == np.float32


def test_a_value_beyond_float16_is_named_and_what_is_not_finite_is_left_to_the_screen():
    broken = weights()
    broken[0, 0] = np.nan
    assert np.isnan(
        lower_precision(Message("m", layers={"h1": {"w": broken}}), "float16").layers["h1"]["w"][
            0, 0
        ]
    )
    message = Message("m", layers={"h1": {"w": weights(scale=1e6)}, "h2": {"w": weights()}})
    with pytest.raises(ExchangeError, match=r'h1/w hold values beyond 65504.*= "float32"'):
        lower_precision(message, "float16")
    reply = InProcessExchange({"a": Echo()}, precision="float16").call_group({"a": message})["a"]
    assert isinstance(reply, Failure)
