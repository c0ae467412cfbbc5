"""Strategies: how the updates of a round are aggregated, and what each party receives.

A strategy is a value; its state is passed in and returned, and can be kept in a checkpoint.
A party receives only layers its level reaches, and only those aggregated in this round:
a layer that nobody sent does not change.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Protocol

import numpy as np
from pydantic import ConfigDict, Field, ValidationError
from pydantic.dataclasses import dataclass as settings

from deepcity.city.arrays import Doubles
from deepcity.city.errors import ConfigError
from deepcity.city.level import Layers, Tensors, layers_up_to
from deepcity.city.problem import Problem
from deepcity.exchange.fusion import fuse, members_by_layer, weighted_mean
from deepcity.exchange.layer_vectors import flat, shaped
from deepcity.exchange.trust.robust import (
    BOUNDED_FROM,
    MOST_TIMES_LENGTH,
    clipped_mean,
    coordinate_median,
    length_factors,
    multi_krum,
    trimmed_mean,
)

PROXIMAL = "proximal"
"""Name of a number: weight of half the squared distance from the received layers in the loss."""

_CONFIG = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class StrategyState:
    """A strategy's state between rounds.

    Attributes:
        layers: each layer's last mean over its members; the reference where it had none.
        numbers: scalars by name.
    """

    layers: Layers
    numbers: Mapping[str, float] = field(default_factory=dict)


class Strategy(Protocol):
    """The interface of a strategy."""

    @property
    def common_stem(self) -> bool:
        """Whether the stem is in common too."""
        ...

    def start(self, reference: Layers) -> StrategyState:
        """State before the first round, from the initial layers."""
        ...

    def configure(self, state: StrategyState) -> Mapping[str, float]:
        """Numbers sent to parties with the layers, e.g. ``proximal``."""
        ...

    def aggregate(
        self,
        state: StrategyState,
        updates: Mapping[str, Layers],
        weights: Mapping[str, float],
        levels: Mapping[str, int],
    ) -> tuple[StrategyState, dict[str, Layers]]:
        """One round's updates -> new state, and the layers that each party of `levels` receives.

        Raises:
            ValueError, KeyError: as `fuse`.
        """
        ...


@settings(frozen=True, config=_CONFIG)
class FedAvg:
    """Every member of a layer receives its weighted mean (McMahan et al. 2017).

    Attributes:
        common_stem: whether the stem is in common too.
    """

    common_stem: bool = False

    def start(self, reference: Layers) -> StrategyState:
        """The reference, as it is."""
        return StrategyState(reference)

    def configure(self, state: StrategyState) -> Mapping[str, float]:
        """Nothing: parties train as in local training."""
        return {}

    def aggregate(
        self,
        state: StrategyState,
        updates: Mapping[str, Layers],
        weights: Mapping[str, float],
        levels: Mapping[str, int],
    ) -> tuple[StrategyState, dict[str, Layers]]:
        """The weighted mean of each layer, to every party whose level reaches it."""
        mean = partial(self._mean, state.layers)
        fused = fuse(updates, weights, levels, common_stem=self.common_stem, mean=mean)
        means = {layer: result.tensors for layer, result in fused.items()}
        received = {
            party: _reached(means, level, self.common_stem) for party, level in levels.items()
        }
        return StrategyState({**state.layers, **means}, state.numbers), received

    def _mean(
        self,
        last: Layers,
        updates: Mapping[str, Layers],
        weights: Mapping[str, float],
        layer: str,
        members: Sequence[str],
    ) -> Tensors:
        """One layer's mean over its members; `last` holds those of the round before.

        Among many members no move is longer than usual by far (`MOST_TIMES_LENGTH`).
        """
        if layer not in last or len(members) < BOUNDED_FROM:
            return weighted_mean(updates, weights, layer, members)
        bounded = {**updates, **_bounded(last[layer], updates, layer, members)}
        return weighted_mean(bounded, weights, layer, members)


@settings(frozen=True, config=_CONFIG)
class FedProx(FedAvg):
    """FedAvg with a proximal term towards the received layers (Li et al. 2020).

    Attributes:
        mu: weight of the proximal term mu / 2 * squared distance; 0 is FedAvg.
    """

    mu: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.01

    def configure(self, state: StrategyState) -> Mapping[str, float]:
        """The proximal weight."""
        return {PROXIMAL: self.mu}


@settings(frozen=True, config=_CONFIG)
class FedAMP(FedAvg):
    """Each member receives a mean of its own, in which parties with similar updates weigh more.

    The heuristic form of FedAMP (Huang et al. 2021, "Personalized cross-silo federated
    learning on non-IID data"), layer by layer: party i gives party j the weight
    w_j * exp(sharpness * cos(d_i, d_j)), d being how far a party's layer moved from the
    layer's last mean. The paper takes the cosine of the weights themselves; we take it of
    moves, because networks with the same start have nearly equal weights.

    Attributes:
        sharpness: 0 is FedAvg; the higher, the more similar parties weigh.
    """

    sharpness: Annotated[float, Field(ge=0, le=100)] = 2.0

    def aggregate(
        self,
        state: StrategyState,
        updates: Mapping[str, Layers],
        weights: Mapping[str, float],
        levels: Mapping[str, int],
    ) -> tuple[StrategyState, dict[str, Layers]]:
        """A mean of its own to each member; the common mean to those who sent nothing."""
        new_state, received = super().aggregate(state, updates, weights, levels)
        members = members_by_layer(updates, weights, levels, common_stem=self.common_stem)
        for layer, names in members.items():
            tensors_by_party = {party: updates[party][layer] for party in names}
            own = self._personal_means(state.layers[layer], tensors_by_party, weights)
            for party, tensors in own.items():
                received[party] = {**received[party], layer: tensors}
        return new_state, received

    def _personal_means(
        self, last: Tensors, updates: Mapping[str, Tensors], weights: Mapping[str, float]
    ) -> dict[str, Tensors]:
        """One layer's personal means; P parties, V values in the layer."""
        parties = list(updates)
        last_V = flat(last, last)
        moves_PV = np.stack([flat(updates[party], last) for party in parties]) - last_V
        if len(parties) >= BOUNDED_FROM:
            moves_PV *= length_factors(moves_PV, MOST_TIMES_LENGTH)[:, None]
        log_weights_P = np.log([weights[party] for party in parties])
        scores_PP = self.sharpness * _cosines(moves_PV) + log_weights_P
        weights_PP = np.exp(scores_PP - scores_PP.max(axis=1, keepdims=True))
        weights_PP /= weights_PP.sum(axis=1, keepdims=True)
        means_PV = last_V + weights_PP @ moves_PV
        return {party: shaped(means_PV[row], last) for row, party in enumerate(parties)}


def _bounded(
    last: Tensors, updates: Mapping[str, Layers], layer: str, members: Sequence[str]
) -> dict[str, Layers]:
    """The layer of members whose move was longer than usual by far, shortened."""
    last_V = flat(last, last)
    moves_PV = np.stack([flat(updates[party][layer], last) for party in members]) - last_V
    factor_P = length_factors(moves_PV, MOST_TIMES_LENGTH)
    return {
        party: {layer: shaped(last_V + factor * move_V, updates[party][layer])}
        for party, factor, move_V in zip(members, factor_P, moves_PV, strict=True)
        if factor < 1.0
    }


class _RobustMean(FedAvg):
    """FedAvg with another mean of each layer; a lone member's layer stays as it is."""

    def _mean(
        self,
        last: Layers,
        updates: Mapping[str, Layers],
        weights: Mapping[str, float],
        layer: str,
        members: Sequence[str],
    ) -> Tensors:
        first = updates[members[0]][layer]
        if len(members) == 1:
            return first
        values_PV = np.stack([flat(updates[party][layer], first) for party in members])
        weights_P = np.array([weights[party] for party in members])
        origin_V = flat(last[layer], first) if layer in last else np.zeros(values_PV.shape[1])
        return shaped(self._of_values(values_PV, weights_P / weights_P.max(), origin_V), first)

    def _of_values(self, values_PV: Doubles, weights_P: Doubles, last_V: Doubles) -> Doubles:
        """One vector of P members' vectors; `last_V` is the mean of the round before."""
        raise NotImplementedError


@settings(frozen=True, config=_CONFIG)
class Median(_RobustMean):
    """The median of each weight over members (Yin et al. 2018); each member counts once."""

    def _of_values(self, values_PV: Doubles, weights_P: Doubles, last_V: Doubles) -> Doubles:
        return coordinate_median(values_PV)


@settings(frozen=True, config=_CONFIG)
class TrimmedMean(_RobustMean):
    """The mean of each weight without the greatest and the least (Yin et al. 2018).

    Attributes:
        trim: share of members left out on each side; of three or more, at least one.
    """

    trim: Annotated[float, Field(ge=0, lt=0.5)] = 0.25

    def _of_values(self, values_PV: Doubles, weights_P: Doubles, last_V: Doubles) -> Doubles:
        return trimmed_mean(values_PV, self.trim)


@settings(frozen=True, config=_CONFIG)
class NormClipping(_RobustMean):
    """FedAvg of moves that are no longer than usual (Sun et al. 2019).

    Attributes:
        clip: the greatest length of a layer's move, in median lengths of its members' moves.
    """

    clip: Annotated[float, Field(gt=0, le=100)] = 1.0

    def _of_values(self, values_PV: Doubles, weights_P: Doubles, last_V: Doubles) -> Doubles:
        values_PV -= last_V  # `_mean` made it for this call
        return last_V + clipped_mean(values_PV, weights_P, self.clip)


@settings(frozen=True, config=_CONFIG)
class MultiKrum(_RobustMean):
    """FedAvg of the members that lie closest together, layer by layer (Blanchard et al. 2017).

    Defined for five members or more; of fewer, the median is taken.
    """

    def _of_values(self, values_PV: Doubles, weights_P: Doubles, last_V: Doubles) -> Doubles:
        return multi_krum(values_PV, weights_P)


@settings(frozen=True, config=_CONFIG)
class PeerValidation(_RobustMean):
    """Norm clipping of the updates with which others' errors are as usual (Zhao et al. 2020).

    Every member validates each other's update on its own days (`exchange.trust.peer_validation`).
    A backdoor leaves these errors as they are; that no move is longer than usual limits it.

    Attributes:
        tolerated: greatest error of others with an update, in the usual one.
        clip: as of norm clipping.
    """

    tolerated: Annotated[float, Field(gt=1, le=100)] = 1.15
    clip: Annotated[float, Field(gt=0, le=100)] = 1.0

    def _of_values(self, values_PV: Doubles, weights_P: Doubles, last_V: Doubles) -> Doubles:
        values_PV -= last_V  # `_mean` made it for this call
        return last_V + clipped_mean(values_PV, weights_P, self.clip)


STRATEGIES: Mapping[str, type[FedAvg]] = {
    "fedavg": FedAvg,
    "fedprox": FedProx,
    "fedamp": FedAMP,
    "median": Median,
    "trimmed_mean": TrimmedMean,
    "norm_clipping": NormClipping,
    "multi_krum": MultiKrum,
    "peer_validation": PeerValidation,
}


def strategies_with(setting: str) -> list[str]:
    """Names of the strategies that have a setting.

    >>> strategies_with("mu")
    ['fedprox']
    """
    return [name for name, kind in STRATEGIES.items() if setting in kind.__dataclass_fields__]


def strategy(name: str, **values: object) -> Strategy:
    """The strategy of that name with these settings.

    >>> strategy("fedprox", mu=0.1)
    FedProx(common_stem=False, mu=0.1)

    Raises:
        ConfigError: naming the known strategies, or every setting that is wrong.
    """
    if name not in STRATEGIES:
        known = ", ".join(STRATEGIES)
        problem = Problem("strategy", "name", name, "unknown strategy", f"use {known}")
        raise ConfigError([problem])
    try:
        return STRATEGIES[name](**values)  # type: ignore[arg-type]
    except ValidationError as error:
        known = ", ".join(STRATEGIES[name].__dataclass_fields__)
        raise ConfigError(_problems(name, error, f"its settings are {known}")) from error


def _problems(name: str, error: ValidationError, right: str) -> Sequence[Problem]:
    return [
        Problem(f"strategy {name}", str(wrong["loc"][-1]), wrong["input"], wrong["msg"], right)
        for wrong in error.errors()
    ]


def _reached(means: Layers, level: int, common_stem: bool) -> Layers:
    return {
        layer: means[layer]
        for layer in layers_up_to(level, common_stem=common_stem)
        if layer in means
    }


def _cosines(moves_PV: Doubles) -> Doubles:
    """Cosine of every two moves; a party that did not move is similar to itself alone."""
    largest_P = np.abs(moves_PV).max(axis=1, initial=0.0, keepdims=True)
    scaled_PV = moves_PV / np.where(largest_P > 0, largest_P, 1.0)  # squares stay in range
    lengths_P = np.linalg.norm(scaled_PV, axis=1, keepdims=True)
    unit_PV = scaled_PV / np.where(lengths_P > 0, lengths_P, 1.0)
    cosines_PP = unit_PV @ unit_PV.T
    np.fill_diagonal(cosines_PP, 1.0)
    return cosines_PP
