"""Layers at half precision on the wire: float16 on the way, float32 at both ends.

A weight of a trained network is of the order of 0.1; float16 keeps 11 bits of it, so that
rounding moves it by at most 0.05 %, far less than one round of training. bfloat16 would keep
8 bits and a range that weights do not need. Values are sent, not differences to what was
received last: these lose still less, but nothing that could be measured in the forecasts
(benchmarks/cost/precision.py), and both ends would need to keep state. Numbers of a message
are always sent exactly.
"""

from dataclasses import replace
from typing import Literal

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.errors import ExchangeError
from deepcity.exchange.message import Message

Precision = Literal["float32", "float16"]


def lower_precision(message: Message, precision: Precision) -> Message:
    """The message as it goes over the wire: float32 tensors at that precision.

    Raises:
        ExchangeError: naming each tensor with a value that float16 cannot hold.
    """
    if precision == "float32" or not message.layers:
        return message
    half = _each(message, np.float32, np.float16)
    beyond = [
        f"{layer}/{name}"
        for layer, tensors in message.layers.items()
        for name, tensor in tensors.items()
        if tensor.dtype == np.float32
        and (np.isfinite(tensor) & ~np.isfinite(half.layers[layer][name])).any()
    ]
    if beyond:
        raise ExchangeError(
            f"{', '.join(beyond)} hold values beyond {np.finfo(np.float16).max:g}, the greatest "
            f'of float16; write wire.precision = "float32"'
        )
    return half


def restore_precision(message: Message) -> Message:
    """The message as its reader works with it: float16 tensors as float32."""
    return _each(message, np.float16, np.float32)


def _each(message: Message, old: type, new: type) -> Message:
    """The message with its tensors of one dtype in another."""

    def cast(tensor: Floats) -> Floats:
        with np.errstate(over="ignore"):  # what overflows is named by `lower_precision`
            return tensor.astype(new) if tensor.dtype == old else tensor

    return replace(
        message,
        layers={
            layer: {name: cast(tensor) for name, tensor in tensors.items()}
            for layer, tensors in message.layers.items()
        },
    )
