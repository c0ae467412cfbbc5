"""The layers that all begin with, made from the sites' sizes and the map's seed alone."""

from collections.abc import Mapping

import numpy as np

from deepcity.city.level import HEAD, HIDDEN_LAYERS, STEM, Layers, Tensors
from deepcity.exchange.kin import Groups
from deepcity.exchange.kin import key as group_key
from deepcity.exchange.profile import SiteProfile
from deepcity.learning.network import new_network
from deepcity.learning.reuse import export_layers, import_layers

FITTED = ("recall", "share")
"""Tensors of a head that each party fits itself: others get their shapes, not their values."""


def starting_layers(
    profiles: Mapping[str, SiteProfile],
    *,
    seed: int,
    own_stem: frozenset[str] = frozenset(),
    groups: Groups | None = None,
    start: Layers | None = None,
) -> dict[str, Tensors]:
    """What all begin with: hidden layers, a head a group, and stems of those who share them.

    Made from the sites' sizes and the map's seed, so that nobody has to send them.

    Args:
        own_stem: sites that keep their stem to themselves.
        groups: who shares a layer that differs in shape between sites.
        start: layers to begin with instead of the seed's own.

    Raises:
        LayerPackageError: if these do not fit.
    """
    reference = dict(_layers_of(profiles[min(profiles)], HIDDEN_LAYERS, seed, start or {}))
    for layer, sites in ((HEAD, set(profiles)), (STEM, set(profiles) - own_stem)):
        for site in sorted(sites, reverse=True):  # the first of a group by name stays
            own = (groups or {}).get(layer, {})
            key = group_key(layer, own[site]) if site in own else layer
            reference[key] = _layers_of(profiles[site], (layer,), seed, start or {})[layer]
    for key, tensors in reference.items():
        fitted = {name: np.zeros_like(tensors[name]) for name in FITTED if name in tensors}
        reference[key] = {**tensors, **fitted}
    return reference


def _layers_of(profile: SiteProfile, names: tuple[str, ...], seed: int, start: Layers) -> Layers:
    """Layers of a network of these sizes before any training."""
    network = new_network(profile.shape, seed)
    import_layers(network, start)
    return export_layers(network, names)
