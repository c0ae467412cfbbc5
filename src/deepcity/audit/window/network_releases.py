"""What a party's network releases, layer by layer, and the forecast that it makes.

Shapes: B origins, N places, F features, W width of layers, H horizon steps, X values of a window.
"""

from collections.abc import Mapping

import numpy as np
import torch

from deepcity.audit.effort import Effort
from deepcity.audit.results import FORECAST
from deepcity.audit.window.releases import Releases, sample_blocks
from deepcity.audit.window.victim import Victim, spans_of
from deepcity.city.arrays import Doubles, Floats, Ints
from deepcity.city.level import HIDDEN_LAYERS, STEM
from deepcity.data.windows import Span
from deepcity.learning.features.inputs import Inputs, Samples
from deepcity.learning.networks.network import Network


def network_victim(
    network: Network, inputs: Inputs, train: Span, aside: Span, effort: Effort, seed: int
) -> Victim:
    """A network's releases to attack.

    Args:
        inputs: of the party, as the network sees them.
        train: days that it learned from.
        aside: days that it did not.
    """
    history = inputs.settings.history
    places = sample_places(inputs.values_TN.shape[1], effort.places, seed)
    known, attacked = spans_of(aside.start, aside.end, history)
    spans = (Span(train.start + history, train.end), Span(*known), Span(*attacked))
    rows = (effort.training_rows, effort.attacked_rows, effort.attacked_rows)
    found = [
        network_releases(network, inputs, *sample_blocks(span, count // len(places)), places)
        for span, count in zip(spans, rows, strict=True)
    ]
    return Victim(*found)


def sample_places(places: int, most: int, seed: int) -> Ints:
    """At most so many places, by the seed, in their order."""
    return np.sort(np.random.default_rng(seed).permutation(places)[:most])


def network_releases(
    network: Network, inputs: Inputs, origins_B: Ints, block_B: Ints, places: Ints
) -> Releases:
    """Every layer's activations, and the forecast as its reader sees it.

    Windows are the network's own inputs: the last `history` deviations from the typical day, in
    the place's own scale, 0 where a value is missing.
    """
    samples = inputs.samples(origins_B)
    layers, output_BNH = layer_outputs(network, samples, places)
    forecast_BNH = samples.baseline_BNH[:, places] + inputs.scale_N1[places] * output_BNH
    seen = (forecast_BNH - inputs.mean_N1[places]) / inputs.spread_N1[places]
    window = samples.features_BNF[:, places, : inputs.settings.history]
    slot_B = inputs.grid.slot_T[np.clip(origins_B, 0, len(inputs.grid.slot_T) - 1)]
    return Releases(
        layers={**layers, FORECAST: seen.astype(np.float32)},
        window_BNX=np.ascontiguousarray(window),
        clock_BK=day_clock(2 * np.pi * slot_B / inputs.grid.slots),
        block_B=block_B,
    )


def layer_outputs(
    network: Network, samples: Samples, places: Ints
) -> tuple[Mapping[str, Floats], Floats]:
    """Activations of the stem and h1..h5, (B, N, W), and the network's output, (B, N, H)."""
    features = torch.from_numpy(samples.features_BNF[:, places])
    linear = torch.from_numpy(samples.linear_BNHS[:, places])
    shape = features.shape[:2]
    network.eval()
    with torch.inference_mode():
        linear_RHS = linear.flatten(0, 1)
        hidden = network.activations(features.flatten(0, 1), linear_RHS, STEM)
        layers = {STEM: hidden}
        for name in HIDDEN_LAYERS:
            hidden = network.layer(name)(hidden)
            layers[name] = hidden
        output = network.head(hidden) + network.head.apply_ridge_skip(linear_RHS)
        found = {name: one.reshape(*shape, -1).numpy() for name, one in layers.items()}
        return found, output.reshape(*shape, -1).numpy()


def day_clock(phase_B: Doubles) -> Floats:
    """The time of day as everyone knows it, (B, 4)."""
    parts = [turn(times * phase_B) for times in (1, 2) for turn in (np.sin, np.cos)]
    return np.stack(parts, axis=-1).astype(np.float32)
