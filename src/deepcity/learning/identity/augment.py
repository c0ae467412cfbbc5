"""Random flips and crops of a batch of pictures.

As in person re-identification since Zheng et al. 2016 ("Person re-identification: past, present
and future"): mirrored left to right by half, and moved by up to an eighth of the width.

Shapes: B pictures, H rows, W columns; three colours.
"""

import numpy as np
import torch
from torch import Tensor

from deepcity.learning.identity.people import Bytes


def augmented(pictures_B3HW: Bytes, rng: np.random.Generator) -> Bytes:
    """Each picture mirrored by half, and moved by its own offset with its edge repeated."""
    height, width = pictures_B3HW.shape[2:]
    margin = max(1, width // 8)
    sides = ((0, 0), (0, 0), (margin, margin), (margin, margin))
    padded = np.pad(pictures_B3HW, sides, mode="edge")
    found = np.empty_like(pictures_B3HW)
    offsets_B2 = rng.integers(0, 2 * margin + 1, (len(found), 2))
    for row, (top, left) in enumerate(offsets_B2):
        found[row] = padded[row, :, top : top + height, left : left + width]
    mirrored_B = rng.random(len(found)) < 0.5
    found[mirrored_B] = found[mirrored_B, :, :, ::-1]
    return found


def scaled(pictures_B3HW: Bytes) -> Tensor:
    """Colours as numbers around 0: (value - 128) / 64."""
    return (torch.from_numpy(pictures_B3HW).float() - 128.0) / 64.0
