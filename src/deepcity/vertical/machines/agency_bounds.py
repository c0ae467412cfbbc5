"""What an agency's own map allows an application to ask for: rounds, messages and sizes.

Whoever asks was checked before (`deepcity.exchange.flare.access`). But an application may be
wrong or hostile, too: what it asks must not exceed the training that the agency's own copy of
the map describes, nor the agency's memory, and a message that comes twice counts once.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from deepcity.city.errors import ExchangeError
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.vertical.names import (
    BACKWARD,
    BEST,
    FORWARD,
    HANDSHAKE,
    HORIZON_S,
    OPEN,
    PACKAGE,
    PHASE_S,
    RATE,
    RESTORE,
    RUN,
    STEP_S,
    STEPS,
    TIMES,
    UNTIL_S,
)
from deepcity.learning.training.local_training import TrainingSettings
from deepcity.maps.vertical_settings import Mode

_MOST_VALUES = 1 << 28
"""Input values of the origins of one message: 1 GB in single precision."""
_MOST_STEP_S = 366 * 86_400
_TIMES_OVER = 2  # a training that was broken off is asked for again in the same lease
_MOST_TERMS = 3  # trainings that differ in their terms, in one lease


def whole(message: Message, name: str, least: int, most: int) -> int:
    """A number of a message that is whole and between bounds.

    Raises:
        ExchangeError: with the value, if it is not.
    """
    value = message.numbers.get(name, math.nan)
    if not (math.isfinite(value) and value == int(value) and least <= value <= most):
        raise ExchangeError(f"{message.verb!r} with {name} = {value}; here it is {least} to {most}")
    return int(value)


@dataclass
class LeaseBounds:
    """How much one application may ask for in a lease, however often it opens its agency anew.

    Each answer costs the agency time, and an entry in its ledger.

    Attributes:
        training, modes: as in the agency's own map.
    """

    training: TrainingSettings
    modes: Sequence[Mode]
    _forwards: int = 0
    _terms: int = 0

    @property
    def most_forwards(self) -> int:
        """Forward passes of all trainings of the map: one a batch, one of the validation span a
        round, and three of whole spans; twice as many, for trainings that are broken off.
        """
        rounds, steps = self.training.rounds, self.training.local_steps
        return _TIMES_OVER * len(self.modes) * (rounds * (steps + 1) + 3)

    def forward(self) -> None:
        """One more forward pass.

        Raises:
            ExchangeError: if no training of the map needs as many.
        """
        if self._forwards >= self.most_forwards:
            raise ExchangeError(
                f"{FORWARD!r} for the {self._forwards + 1:,}th time in one lease; the trainings of "
                f"this map need at most {self.most_forwards:,}. The next lease counts anew"
            )
        self._forwards += 1

    def build(self) -> None:
        """The agency is built for other terms than before.

        Raises:
            ExchangeError: if it was built for as many already.
        """
        if self._terms >= _MOST_TERMS:
            raise ExchangeError(
                f"{OPEN!r} with the {self._terms + 1}th other {UNTIL_S} or {HORIZON_S} in one "
                f"lease; at most {_MOST_TERMS}. The next lease counts anew"
            )
        self._terms += 1


@dataclass
class AgencyBounds:
    """Bounds of one application's training at one agency.

    Attributes:
        training: rounds and steps, as in the agency's own map.
        modes: that the map trains, in order; run n is of the n-th.
        values_of_origin: input values that an agency encodes for one origin.
    """

    training: TrainingSettings
    modes: Sequence[Mode]
    values_of_origin: int
    _run: int = 0
    _round: int = -1
    _blocks: int = 0  # of gradients in this round
    _forwarded: bool = False

    def check(self, message: Message) -> None:
        """Refuse a message that the training does not have.

        Raises:
            ExchangeError: what is wrong with it, with the value.
        """
        if message.verb == HANDSHAKE:
            self._handshake(message)
        elif not self._run:
            raise ExchangeError(f"{message.verb!r} before a {HANDSHAKE!r} that begins a run")
        elif message.verb == FORWARD:
            self._forward(message)
        elif message.verb == BACKWARD:
            self._backward(message)
        elif message.verb == RESTORE:
            whole(message, ROUND, 0, self.training.rounds - 1)
        elif message.verb == PACKAGE:
            step_s = whole(message, STEP_S, 1, _MOST_STEP_S)
            whole(message, PHASE_S, 0, step_s - 1)

    def done(self, message: Message) -> None:
        """Note that a message was answered."""
        if message.verb == HANDSHAKE:
            self._run = int(message.numbers[RUN])
            self._round, self._blocks = int(message.numbers.get(ROUND, 0.0)) - 1, 0
        if message.verb == BACKWARD:
            number = int(message.numbers[ROUND])
            self._blocks = self._blocks + 1 if number == self._round else 1
            self._round = number
        self._forwarded = message.verb == FORWARD

    def _handshake(self, message: Message) -> None:
        whole(message, RUN, 1, len(self.modes))
        if ROUND in message.numbers:
            whole(message, ROUND, 0, self.training.rounds)

    def _forward(self, message: Message) -> None:
        times = message.layers.get(TIMES, {}).get(TIMES)
        origins = 0 if times is None else times.size
        if origins * self.values_of_origin > _MOST_VALUES:
            most = _MOST_VALUES // self.values_of_origin
            raise ExchangeError(f"{origins:,} origins in one message; at most {most:,}")
        if ROUND in message.numbers or BEST in message.numbers:
            number = whole(message, ROUND, 0, self.training.rounds - 1)
            if BEST in message.numbers:
                whole(message, BEST, -1, number - 1)

    def _backward(self, message: Message) -> None:
        mode, steps = self.modes[self._run - 1], self.training.local_steps
        if mode is Mode.ONE_SHOT:
            raise ExchangeError(f"gradients, but run {self._run} is {mode.value}")
        if not self._forwarded:
            raise ExchangeError(f"gradients come once after each {FORWARD!r}, which comes first")
        number = whole(message, ROUND, 0, self.training.rounds - 1)
        blocks, steps = (1, steps) if mode is Mode.BLOCK else (steps, 1)
        if number < self._round or (number == self._round and self._blocks >= blocks):
            raise ExchangeError(
                f"gradients of round {number}, which was trained; the newest is {self._round}"
            )
        whole(message, STEPS, steps, steps)
        if not math.isfinite(message.numbers.get(RATE, 1.0)):
            raise ExchangeError(f"gradients with {RATE} = {message.numbers[RATE]}")
