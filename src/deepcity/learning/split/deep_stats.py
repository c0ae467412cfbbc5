"""What an agency's deep data were like when its application was trained: a few numbers.

A live application compares what arrives with them. Energy is the mean square of activations:
scaled ones have another. A run is how long a vector stays the same.

Shapes: B origins, C cells, D deep width, W windows, N places, H horizon steps.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.learning.features.inputs import Samples
from deepcity.learning.split.fusion_inputs import DeepBatch, DeepBatches, without_agency

STATS_SHAPE = (4,)
WINDOW_S = 86_400
"""Energy is averaged over so many seconds."""
_FEWEST = 4  # vectors in a window


@dataclass(frozen=True)
class DeepStats:
    """Of one agency's deep data.

    Attributes:
        least_energy, most_energy: of a window.
        run_s: the longest time in which no vector changed, seconds.
        worth: the forecast's mean absolute error with it, as a share of that without it.
    """

    least_energy: float
    most_energy: float
    run_s: float
    worth: float

    @staticmethod
    def of(array: Floats) -> "DeepStats":
        """From a package's array."""
        return DeepStats(*(float(number) for number in array))


def deep_stats(
    predict: Callable[[Samples, DeepBatches], Floats],
    samples: Samples,
    deep: DeepBatches,
    spacing_s: int,
) -> dict[str, Floats]:
    """Every agency's statistics as an array, in the order of `DeepStats`.

    Args:
        predict: a forecast, (B, N, H), from samples and deep data.
        samples, deep: of the validation span.
        spacing_s: between two origins.
    """
    window = max(_FEWEST, WINDOW_S // spacing_s)
    whole = _error(predict(samples, deep), samples) if deep else 0.0
    found = {}
    for name, batch in deep.items():
        energy_W = _windowed(energies(batch), window)
        without = _error(predict(samples, without_agency(deep, name)), samples)
        worth = whole / without if without > 0 else 1.0
        run_s = spacing_s * longest_run(batch)
        least, most = (energy_W.min(), energy_W.max()) if len(energy_W) else (0.0, 1.0)
        found[name] = np.array([least, most, run_s, worth], np.float32)
    return found


def energies(batch: DeepBatch) -> Floats:
    """Mean square of the activations of all known cells, of the origins that have any."""
    known_B = batch.known_BC.any(axis=1)
    square_BC = np.square(batch.vectors_BCD[known_B]).mean(axis=-1)
    weight_BC = batch.known_BC[known_B].astype(np.float64)
    found = (np.where(weight_BC > 0, square_BC, 0) * weight_BC).sum(1) / weight_BC.sum(1)
    return np.asarray(found, dtype=np.float64)


def longest_run(batch: DeepBatch) -> int:
    """Over how many origins in a row no vector of any cell changed, at most."""
    longest = run = 0
    for still in unchanged(batch):
        run = run + 1 if still else 0
        longest = max(longest, run)
    return longest


def unchanged(batch: DeepBatch) -> list[bool]:
    """Whether most known cells have the vector of the origin before, from the second origin on."""
    both_BC = batch.known_BC[1:] & batch.known_BC[:-1]
    same_BC = (batch.vectors_BCD[1:] == batch.vectors_BCD[:-1]).all(axis=-1) & both_BC
    return [bool(2 * s > k > 0) for s, k in zip(same_BC.sum(1), both_BC.sum(1), strict=True)]


def _windowed(value_B: Floats, window: int) -> Floats:
    if len(value_B) < window:
        return np.array([value_B.mean()] if len(value_B) else [], np.float64)
    return np.asarray(np.convolve(value_B, np.full(window, 1 / window), "valid"))


def _error(forecast_BNH: Floats, samples: Samples) -> float:
    known = np.isfinite(samples.truth_BNH)
    return float(np.abs(forecast_BNH - samples.truth_BNH)[known].mean()) if known.any() else 0.0
