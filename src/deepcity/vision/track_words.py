"""What a witness could say of many tracks, in columns.

Shapes: R tracks; 2: upper and lower clothes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Bools, Floats
from deepcity.vision.appearance import COLOURS
from deepcity.vision.described_track import DescribedTrack

UNKNOWN = 255
"""The number of a colour that is not known."""


@dataclass(frozen=True, eq=False)
class TrackWords:
    """Heights and clothes of tracks.

    Attributes:
        height_m_R: NaN where unknown.
        colour_R2: numbers of `deepcity.vision.appearance.COLOURS`, or `UNKNOWN`.
        share_R2: of the garment's pixels that are of its colour, 0 to 1.
    """

    height_m_R: Floats
    colour_R2: NDArray[np.uint8]
    share_R2: Floats

    @classmethod
    def of(cls, tracks: Sequence[DescribedTrack]) -> "TrackWords":
        """Those of some tracks, in their order."""
        seen = [one.appearance for one in tracks]
        parts = [None if one is None else (one.upper, one.lower) for one in seen]
        colours = [
            [UNKNOWN, UNKNOWN] if one is None else [COLOURS.index(part.colour) for part in one]
            for one in parts
        ]
        shares = [[0.0, 0.0] if one is None else [part.share for part in one] for one in parts]
        return cls(
            np.array([one.height_m for one in tracks], dtype=np.float32),
            np.array(colours, dtype=np.uint8).reshape(-1, 2),
            np.array(shares, dtype=np.float32).reshape(-1, 2),
        )

    def is_coloured(self, part: int, wanted: frozenset[str]) -> Bools:
        """(R,) whether upper (0) or lower (1) clothes have one of these colours."""
        chosen = np.zeros(UNKNOWN + 1, dtype=bool)
        chosen[[COLOURS.index(colour) for colour in wanted]] = True
        return np.asarray(chosen[self.colour_R2[:, part]])
