"""What somebody wears, by name: the colour of upper and lower clothes.

A colour is what a witness says, not an identity: many wear the same. What people carry is left out:
none of the networks that cities use here sees it.

Shapes: crops are (H, W, 3), blue, green and red, uint8, of a whole standing person.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Bools, Doubles, Ints

COLOURS = (
    "black", "grey", "white", "red", "orange", "brown", "yellow", "green", "blue", "purple", "pink",
)  # fmt: skip
"""Codes of colours, as witnesses name them."""
_UPPER, _LOWER = (0.18, 0.48), (0.55, 0.85)
"""Shares of a person's height: chest and belly, thighs and shins."""
LEAST_SIDE = 8
"""Pixels: a smaller crop shows nothing."""
_ASIDE = 0.25
"""Share of the width on each side that is mostly background."""
_HUES = (
    (15, "red"),
    (42, "orange"),
    (68, "yellow"),
    (165, "green"),
    (255, "blue"),
    (290, "purple"),
)
"""Where hues end, degrees; from there to `_PINK_ENDS` it is pink, and then red again."""
_PINK_ENDS = 345
_BLACK, _WHITE, _PALE = 0.28, 0.6, 0.18
"""Values under and over which pale pixels are black and white, and saturation under which they are
pale: of twelve choices the one by which 110 people of Market-1501, none of the table's
(`python -m benchmarks.persons.clothing`), differ from each other best while half of the pairs of
one person's cameras still name the same two colours.
"""


@dataclass(frozen=True)
class Clothing:
    """A colour and how sure it is.

    Attributes:
        colour: one of `COLOURS`.
        share: of the pixels looked at, 0 to 1, that are of this colour.
    """

    colour: str
    share: float


@dataclass(frozen=True)
class Appearance:
    """Clothes of one person."""

    upper: Clothing
    lower: Clothing


class AppearanceSum:
    """Colours over the crops of a track, each by its weight; holds sums, no crop."""

    def __init__(self) -> None:
        self._upper, self._lower = np.zeros(len(COLOURS)), np.zeros(len(COLOURS))
        self._weight = 0.0

    def add(self, crop: NDArray[np.uint8], weight: float = 1.0) -> None:
        """Count a crop, however large it is, with a weight over 0.

        Raises:
            ValueError: if it is no picture of a person's size.
        """
        _check(crop)
        self._upper += weight * colour_shares(_band(crop, _UPPER))
        self._lower += weight * colour_shares(_band(crop, _LOWER))
        self._weight += weight

    def value(self) -> Appearance | None:
        """Clothes by what was added; None: nothing was."""
        if not self._weight:
            return None
        return Appearance(
            _clothing(self._upper / self._weight), _clothing(self._lower / self._weight)
        )


def appearance(crops: Iterable[NDArray[np.uint8]]) -> Appearance:
    """Colours over all crops of a track, each counting the same, however large it is.

    Raises:
        ValueError: if there is no crop, or one is no picture of a person's size.
    """
    colours = AppearanceSum()
    for crop in crops:
        colours.add(crop)
    found = colours.value()
    if found is None:
        raise ValueError("no crop to look at; give one or more")
    return found


def colour_shares(pixels: NDArray[np.uint8]) -> Doubles:
    """The share of pixels of each of `COLOURS`; (..., 3) blue, green and red."""
    number = _numbers(pixels.reshape(-1, 3))
    return np.bincount(number, minlength=len(COLOURS)) / max(1, len(number))


def _check(crop: NDArray[np.uint8]) -> None:
    coloured = crop.dtype == np.uint8 and crop.ndim == 3 and crop.shape[2] == 3
    if not coloured or min(crop.shape[:2]) < LEAST_SIDE:
        raise ValueError(
            f"a crop of {crop.dtype} {crop.shape}; give (H, W, 3) uint8, {LEAST_SIDE} pixels or "
            f"more each way"
        )


def _band(crop: NDArray[np.uint8], rows: tuple[float, float]) -> NDArray[np.uint8]:
    height, width = crop.shape[:2]
    aside = int(_ASIDE * width)
    return crop[int(rows[0] * height) : int(rows[1] * height), aside : width - aside]


def _clothing(share: Doubles) -> Clothing:
    best = int(np.argmax(share))
    return Clothing(COLOURS[best], float(share[best]))


def _numbers(pixel_P3: NDArray[np.uint8]) -> Ints:
    """The colour of each pixel, by its hue, saturation and value (Smith 1978)."""
    blue_P, green_P, red_P = (pixel_P3.astype(np.float64) / 255).T
    value_P = np.maximum(np.maximum(red_P, green_P), blue_P)
    range_P = value_P - np.minimum(np.minimum(red_P, green_P), blue_P)
    hue_P = _hues(red_P, green_P, blue_P, value_P, range_P)
    pale_P = range_P <= _PALE * value_P + 0.04
    name_P = np.select([hue_P < end for end, _ in _HUES], [_of(n) for _, n in _HUES], _of("pink"))
    name_P = np.where(hue_P >= _PINK_ENDS, _of("red"), name_P)
    warm_P = np.isin(name_P, [_of("red"), _of("orange"), _of("yellow")])
    return np.asarray(_darkened(name_P, warm_P, pale_P, value_P, range_P))


def _darkened(
    name_P: Ints, warm_P: Bools, pale_P: Bools, value_P: Doubles, range_P: Doubles
) -> Ints:
    """Black, grey and white; dark orange is brown, and light red is pink."""
    saturation_P = range_P / np.maximum(value_P, 1e-9)
    light_red_P = (name_P == _of("red")) & (saturation_P < 0.5) & (value_P > 0.6)
    earthy_P = warm_P & (name_P != _of("red")) & (value_P < 0.6)
    chosen = [
        (value_P < _BLACK, "black"),
        (pale_P & (value_P > _WHITE), "white"),
        (pale_P, "grey"),
        (light_red_P, "pink"),
        (earthy_P, "brown"),
    ]
    return np.select([one for one, _ in chosen], [_of(name) for _, name in chosen], name_P)


def _hues(
    red_P: Doubles, green_P: Doubles, blue_P: Doubles, value_P: Doubles, range_P: Doubles
) -> Doubles:
    """Degrees, 0 is red; 0 where there is no hue."""
    wide_P = np.where(range_P > 0, range_P, 1.0)
    sixth_P = np.select(
        [value_P == red_P, value_P == green_P],
        [(green_P - blue_P) / wide_P % 6, 2 + (blue_P - red_P) / wide_P],
        4 + (red_P - green_P) / wide_P,
    )
    return np.where(range_P > 0, 60 * sixth_P, 0.0)


def _of(name: str) -> int:
    return COLOURS.index(name)
