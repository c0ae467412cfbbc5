"""The initial layers of all sites, made from their sizes and the map's seed alone."""

from collections.abc import Mapping

import numpy as np

from deepcity.city.level import HEAD, HIDDEN_LAYERS, STEM, Layers, Tensors
from deepcity.exchange.profile import SiteProfile
from deepcity.exchange.shape_groups import Groups, group_key
from deepcity.learning.networks.network import new_network
from deepcity.learning.networks.reuse import export_layers, import_layers

FITTED = ("ridge_skip", "residual_ratio")
"""Tensors of a head that each party fits itself: here only their shapes count."""


def starting_layers(
    profiles: Mapping[str, SiteProfile],
    *,
    seed: int,
    own_stem: frozenset[str] = frozenset(),
    groups: Groups | None = None,
    start: Layers | None = None,
) -> dict[str, Tensors]:
    """Initial layers: hidden layers, a head per group, and stems of sites that share them.

    Made from the sites' sizes and the map's seed, so that they need not be sent.

    Args:
        own_stem: sites whose stem is private.
        groups: sites that share a layer which differs in shape between sites.
        start: initial layers, instead of those of the seed.

    Raises:
        LayerPackageError: if these do not fit.
    """
    reference = dict(_layers_of(profiles[min(profiles)], HIDDEN_LAYERS, seed, start or {}))
    for layer, sites in ((HEAD, set(profiles)), (STEM, set(profiles) - own_stem)):
        for site in sorted(sites, reverse=True):  # the first of a group by name is kept
            own = (groups or {}).get(layer, {})
            name = group_key(layer, own[site]) if site in own else layer
            reference[name] = _layers_of(profiles[site], (layer,), seed, start or {})[layer]
    for key, tensors in reference.items():
        fitted = {name: np.zeros_like(tensors[name]) for name in FITTED if name in tensors}
        reference[key] = {**tensors, **fitted}
    return reference


def _layers_of(profile: SiteProfile, names: tuple[str, ...], seed: int, start: Layers) -> Layers:
    """Layers of a network of these sizes before any training."""
    network = new_network(profile.shape, seed)
    import_layers(network, start)
    return export_layers(network, names)
