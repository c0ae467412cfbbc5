"""A message between parties: a verb, numbers, and layers, and nothing else.

On the wire a message is one safetensors blob whose header carries the verb and the
numbers; there is no pickle, so reading a message never runs code. Numbers travel exactly,
with NaN and both infinities among them (a NaN's payload bits are not kept).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from deepcity.city.errors import ExchangeError
from deepcity.city.level import Layers
from deepcity.store.blob import BlobError, pack, unpack

HEADER = "header"
"""Key of `wire_bytes_by_layer` for bytes outside any layer."""


ROUND = "round"
"""Name of the number that holds a message's round; the ledger counts by it."""
NO_ROUND = -1
"""Where a message names none."""


@dataclass(frozen=True)
class Message:
    """What one party sends to another.

    Attributes:
        verb: the request, repeated in its answer, e.g. ``"train"``.
        numbers: scalars by name (round number, sample count, validation error).
        layers: layer name -> tensor name -> array.
    """

    verb: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    layers: Layers = field(default_factory=dict)


def round_of(message: Message) -> int:
    """The round a message belongs to; `NO_ROUND` where it names none."""
    number = message.numbers.get(ROUND, NO_ROUND)
    return int(number) if math.isfinite(number) else NO_ROUND


def to_bytes(message: Message) -> bytes:
    """A message as it goes over the wire; equal messages give equal bytes.

    Raises:
        ExchangeError: if a number or a tensor cannot be sent exactly.
    """
    try:
        numbers = {name: _exact(name, value) for name, value in message.numbers.items()}
        if HEADER in message.layers:
            raise BlobError(f"no layer may be called {HEADER!r}")
        return pack(message.layers, {"verb": message.verb, "numbers": numbers})
    except BlobError as error:
        raise ExchangeError(f"message {message.verb!r} cannot be sent: {error}") from error


def from_bytes(blob: bytes) -> Message:
    """The message that `to_bytes` wrote, with arrays of its own.

    Raises:
        ExchangeError: naming the reason, if it is no message.
    """
    try:
        layers, header = unpack(blob)
        if not isinstance(header, dict) or set(header) != {"verb", "numbers"}:
            raise BlobError("its header must hold `verb` and `numbers` alone")
        verb, numbers = header["verb"], header["numbers"]
        if not isinstance(verb, str) or not _are_floats(numbers):
            raise BlobError("`verb` must be a string and `numbers` a dict of floats")
    except BlobError as error:
        raise ExchangeError(
            f"{len(blob)} bytes are not a message: {error}. Ask the sender to send it again"
        ) from error
    return Message(verb=verb, numbers=numbers, layers=layers)


def wire_bytes_by_layer(message: Message, blob: bytes | None = None) -> dict[str, int]:
    """Bytes by layer, and under ``"header"`` the rest; they add up to the message's bytes.

    Args:
        blob: the message as bytes, if the caller has them already.
    """
    total = len(to_bytes(message) if blob is None else blob)
    sizes = {
        layer: sum(tensor.nbytes for tensor in tensors.values())
        for layer, tensors in message.layers.items()
    }
    return {**sizes, HEADER: total - sum(sizes.values())}


def _exact(name: str, value: float) -> float:
    if not isinstance(name, str):
        raise BlobError(f"number name {name!r} is not a string")
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError) as error:
        raise BlobError(f"number {name!r} = {value!r} is not a float") from error
    if isinstance(value, int) and int(number) != value:
        raise BlobError(f"number {name!r} = {value} has more digits than a float holds")
    return number


def _are_floats(numbers: object) -> bool:
    return isinstance(numbers, dict) and all(isinstance(n, float) for n in numbers.values())
