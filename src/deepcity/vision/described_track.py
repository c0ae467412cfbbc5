"""A track with what can be said of the person: height and clothes."""

import math
from dataclasses import dataclass

from deepcity.vision.appearance import Appearance
from deepcity.vision.track import Track


@dataclass(frozen=True)
class DescribedTrack:
    """A track and what a witness could say of the person.

    Attributes:
        height_m: NaN where the camera is not calibrated or it was not measured.
        appearance: None where it was not looked at.
    """

    track: Track
    height_m: float = math.nan
    appearance: Appearance | None = None
