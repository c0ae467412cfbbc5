"""Partial federated averaging: layer j is averaged among the parties whose level reaches j.

Federated averaging weights each party by how much it trained on (McMahan et al. 2017,
"Communication-efficient learning of deep networks from decentralized data"). Sharing only
part of a network follows FedPer (Arivazhagan et al. 2019: common first layers, own last
ones) and LG-FedAvg (Liang et al. 2020: the reverse); here each party has a level of its own.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.city.level import Layers, Tensors, layers_up_to
from deepcity.exchange.exchange import Failure

LayerMean = Callable[[Mapping[str, Layers], Mapping[str, float], str, Sequence[str]], Tensors]
"""From updates, weights, a layer and its members to the layer's mean."""
LARGEST = float(np.finfo(np.float16).max)
"""No weight may be greater, whatever the precision on the wire: one such value in a mean would
end every member's training."""


@dataclass(frozen=True)
class FusedLayer:
    """One layer after fusing.

    Attributes:
        tensors: the mean, in the dtype the members sent.
        members: the parties it was made of, sorted.
    """

    tensors: Tensors
    members: tuple[str, ...]


def fuse(
    updates: Mapping[str, Layers],
    weights: Mapping[str, float],
    levels: Mapping[str, int],
    *,
    common_stem: bool = False,
    mean: LayerMean | None = None,
) -> dict[str, FusedLayer]:
    """Each layer's mean among its members; layers without a member are left out.

    Args:
        updates: party -> layers; what lies above a party's level is ignored. `screen` first.
        weights: party -> weight >= 0, of any scale; a party of weight 0 takes no part.
        levels: party -> reuse level 0..6.
        common_stem: whether the stem is in common too, from level 1 on.
        mean: of one layer; left out, `weighted_mean`.

    Returns:
        layer -> fused tensors and members; the same bits whatever the order of the parties.

    Raises:
        ValueError: if a weight is negative or not finite, or a level is outside 0..6.
        KeyError: if a party that sent an update has no weight or no level.
    """
    members = members_by_layer(updates, weights, levels, common_stem=common_stem)
    mean = mean or weighted_mean
    return {
        layer: FusedLayer(mean(updates, weights, layer, names), names)
        for layer, names in members.items()
    }


def members_by_layer(
    updates: Mapping[str, Layers],
    weights: Mapping[str, float],
    levels: Mapping[str, int],
    *,
    common_stem: bool = False,
) -> dict[str, tuple[str, ...]]:
    """Who takes part in each layer: sent it, reaches it, and weighs more than 0; sorted.

    Raises:
        ValueError, KeyError: as `fuse`.
    """
    members: dict[str, tuple[str, ...]] = {}
    for party in sorted(updates):
        if _checked(party, weights[party]) == 0:
            continue
        for layer in layers_up_to(levels[party], common_stem=common_stem):
            if layer in updates[party]:
                members[layer] = (*members.get(layer, ()), party)
    return members


def weighted_mean(
    updates: Mapping[str, Layers],
    weights: Mapping[str, float],
    layer: str,
    members: Sequence[str],
) -> Tensors:
    """One layer's mean over members, in float64 and back to the dtype that was sent.

    It is taken around the first member, so that equal inputs give themselves exactly.
    """
    first, *others = members
    if not others:
        return updates[first][layer]
    heaviest = max(weights[party] for party in members)
    fractions = {party: weights[party] / heaviest for party in members}  # no overflow, any scale
    total = sum(fractions.values())
    mean = {}
    for name, base in updates[first][layer].items():
        moved = np.zeros(base.shape, dtype=np.float64)
        for party in others:
            step = updates[party][layer][name].astype(np.float64) - base
            moved += (fractions[party] / total) * step
        mean[name] = (base + moved).astype(base.dtype)
    return mean


def screen(
    updates: Mapping[str, Layers], reference: Layers
) -> tuple[dict[str, Layers], list[Failure]]:
    """Refuse every update that cannot be averaged or would make the mean invalid.

    Args:
        updates: party -> layers as they arrived.
        reference: layers with the tensors, shapes and dtypes that all must have.

    Returns:
        The valid updates, and one failure with all problems for each party refused.
    """
    good: dict[str, Layers] = {}
    refused: list[Failure] = []
    for party, layers in updates.items():
        problems = [
            problem
            for layer, tensors in layers.items()
            for problem in _layer_problems(layer, tensors, reference)
        ]
        if problems:
            reason = f"its update is left out of this round: {'; '.join(problems)}"
            refused.append(Failure(party, reason))
        else:
            good[party] = layers
    return good, refused


def _layer_problems(layer: str, tensors: Tensors, reference: Layers) -> list[str]:
    if layer not in reference:
        return [f"layer {layer!r} is not one of {', '.join(reference)}"]
    right = reference[layer]
    problems = [f"{layer}/{name} is missing" for name in right if name not in tensors]
    for name, tensor in tensors.items():
        if name not in right:
            problems.append(f"{layer}/{name} is unknown")
        else:
            problems += _tensor_problems(f"{layer}/{name}", tensor, right[name])
    return problems


def _tensor_problems(name: str, tensor: Floats, right: Floats) -> list[str]:
    if tensor.shape != right.shape:
        return [f"{name} has shape {tensor.shape}, not {right.shape}"]
    if tensor.dtype != right.dtype:
        return [f"{name} is {tensor.dtype}, not {right.dtype}"]
    if bad := int(np.count_nonzero(~np.isfinite(tensor))):
        return [f"{name} has {bad} of {tensor.size} values that are not finite"]
    greatest = float(np.abs(tensor).max(initial=0))
    return [f"{name} reaches {greatest:.3g}, beyond {LARGEST:g}"] if greatest > LARGEST else []


def _checked(party: str, weight: float) -> float:
    if not np.isfinite(weight) or weight < 0:
        raise ValueError(f"{party} has weight {weight}; a weight is finite and not negative")
    return weight
