"""Crops of persons to embeddings: rows of unit length that are near for one person.

Shapes: B crops, (H, W, 3), blue, green and red, uint8; E numbers of an embedding.
"""

from collections.abc import Sequence

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.city.errors import NetworkFileError
from deepcity.vision.models.runtime import RunningNetwork
from deepcity.vision.opencv import Image, resized

_MOST_AT_ONCE = 8
"""Crops of a batch: more take no less time each."""


class PersonEmbedder:
    """Makes embeddings; compare those of one network alone.

    Args:
        network: from a crop to one row of numbers.

    Attributes:
        name: the network's.
        width: numbers of an embedding.

    Raises:
        NetworkFileError: if it is no such network.
    """

    def __init__(self, network: RunningNetwork) -> None:
        if not is_embedder(network.output_shape):
            raise NetworkFileError(
                f"{network.name}: its output is {network.output_shape}; that of a network for "
                f"re-identification is one row of numbers a crop"
            )
        self.name, self.width = network.name, int(np.prod(network.output_shape))
        self._network = network

    def embed(self, crops: Sequence[Image]) -> Doubles:
        """(B, E) embeddings of unit length; NaN where a network gives no direction."""
        at_once = _MOST_AT_ONCE if self._network.batches else 1
        parts = [self._some(crops[at : at + at_once]) for at in range(0, len(crops), at_once)]
        found_BE = np.concatenate([np.zeros((0, self.width)), *parts])
        length_B1 = np.linalg.norm(found_BE, axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.where(length_B1 > 0, found_BE / length_B1, np.nan))

    def _some(self, crops: Sequence[Image]) -> Doubles:
        _, rows, columns = self._network.input_shape
        image_BHWC = np.stack([resized(crop, rows, columns) for crop in crops])
        found = self._network.run(image_BHWC.transpose(0, 3, 1, 2).astype(np.float32))
        return found.reshape(len(crops), self.width).astype(np.float64)


def is_embedder(output_shape: tuple[int, ...]) -> bool:
    """Whether a network of this output makes one row a crop."""
    wide = [size for size in output_shape if size != 1]
    return len(wide) == 1 and wide[0] > 1
