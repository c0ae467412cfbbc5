"""Updates validated by the other members: each measures its own error with another's layers.

Members whose records stay at home can still tell a layer that spoils forecasts from one that does
not (Zhao et al. 2020, "Shielding collaborative learning: mitigating poisoning attacks through
client-side detection"; FLTrust, Cao et al. 2021, asks a server's own records instead). Every member
validates each other's update on its own validation days, with its private layers and nothing of
the update kept. The errors are compared with that of its own update, and an update counts by the
lower median over its validators, so that one hostile validator neither clears nor condemns anybody
among four members or more. Nobody is left out with whose layers others err hardly more than with
their own, however little others err with the rest.

What it costs: members see single updates of others, which secure sums would hide, and a round
sends (members - 1) times as many layers.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from statistics import median_low

from deepcity.city.level import Layers, Tensors
from deepcity.exchange.exchange import Exchange, Failure, answers
from deepcity.exchange.message import ROUND, Message
from deepcity.exchange.party import ERROR, VALIDATE

LEAST_MEMBERS = 3
"""Of fewer each update has one validator, which may be the liar."""


def left_out_by_peers(
    exchange: Exchange,
    updates: Mapping[str, Layers],
    own_layers: Mapping[str, Layers],
    number: int,
    tolerated: float,
) -> list[Failure]:
    """Who sent an update that spoils the forecasts of others, with the evidence.

    Args:
        updates: that could be averaged, by party.
        own_layers: party -> layers with the names and shapes that it shares.
        number: of the round, counted from 0.
        tolerated: greatest ratio of an update's score to the usual one, or to 1 if that is more.
    """
    if len(updates) < LEAST_MEMBERS:
        return []
    scores = dict(_scores(exchange, updates, own_layers, number))
    if len(scores) < LEAST_MEMBERS:
        return []
    usual = max(1.0, median_low(scores.values()))
    limit = tolerated * usual
    return [
        Failure(
            party,
            f"its update is left out of this round: with its layers others err {score:.2f} times "
            f"as much as with their own, over {tolerated:g} times the usual {usual:.2f}",
        )
        for party, score in scores.items()
        if score > limit
    ]


def _scores(
    exchange: Exchange,
    updates: Mapping[str, Layers],
    own_layers: Mapping[str, Layers],
    number: int,
) -> Iterator[tuple[str, float]]:
    """Of each update the lower median of its validators' ratios, if it has any."""
    own = _errors(exchange, updates, own_layers, number)
    for party, layers in updates.items():
        others = {peer: layers for peer in updates if peer != party}
        found = _errors(exchange, others, own_layers, number)
        ratios = [found[peer] / own[peer] for peer in found if 0 < own.get(peer, 0) < math.inf]
        if ratios:
            yield party, median_low(ratios)


def _errors(
    exchange: Exchange,
    validated: Mapping[str, Layers],
    own_layers: Mapping[str, Layers],
    number: int,
) -> dict[str, float]:
    """Validator -> its error with those of the layers that it shares; else it abstains.

    Args:
        validated: validator -> layers.
    """
    messages = {
        peer: Message(VALIDATE, {ROUND: float(number)}, _fitting(layers, own_layers[peer]))
        for peer, layers in validated.items()
    }
    replies = answers(exchange.call_group(messages))
    found = {peer: reply.numbers.get(ERROR, math.nan) for peer, reply in replies.items()}
    return {peer: error for peer, error in found.items() if error >= 0}  # NaN: no truth there


def _fitting(layers: Layers, own: Layers) -> Layers:
    """Those of the layers that have the shapes of a validator's own."""
    return {
        name: part
        for name, part in layers.items()
        if name in own and _shapes(part) == _shapes(own[name])
    }


def _shapes(tensors: Tensors) -> Sequence[tuple[str, tuple[int, ...]]]:
    return sorted((name, tensor.shape) for name, tensor in tensors.items())
