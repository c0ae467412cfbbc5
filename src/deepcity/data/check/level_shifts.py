"""Changes of a series' level from one day to the next: by how much, when, at all hours alike.

Shapes: D days, S hours of a day.
"""

import numpy as np

from deepcity.city.arrays import Doubles

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def middle_of_days(values_DS: Doubles) -> Doubles:
    """The median of each day's hours, (D,); NaN where none is known."""
    known = np.isfinite(values_DS).any(axis=1)
    middle_D = np.full(len(values_DS), np.nan)
    middle_D[known] = np.nanmedian(values_DS[known], axis=1)
    return middle_D


def all_moved(values_DS: Doubles, day: int, moved: float, exact: float, width: int) -> bool:
    """Whether quiet and busy hours changed by the same factor around that day.

    Args:
        day: the first day after the change.
        moved, exact: logarithm of the factor, and how far hours may lie from it.
        width: days compared on either side.
    """
    sides = [side[side > 0] for side in _both_sides(values_DS, day, width)]
    if min(map(len, sides)) < width:
        return False
    low, high = (np.quantile(side, QUANTILES) for side in sides)
    near = np.abs(np.log(high / low) - moved)
    earlier, later = values_DS[max(0, day - width) : day], values_DS[day : day + width]
    with np.errstate(divide="ignore", invalid="ignore"):
        hours_S = middle_of_days(later.T) / middle_of_days(earlier.T)
    hours_S = hours_S[np.isfinite(hours_S) & (hours_S > 0)]
    alike = np.abs(np.log(hours_S) - moved) < 3 * exact
    close = np.median(near) < exact and near.max() < 2 * exact
    return bool(close and len(hours_S) >= 8 and alike.mean() > 0.75)


def _both_sides(values_DS: Doubles, day: int, width: int) -> tuple[Doubles, Doubles]:
    sides = values_DS[max(0, day - width) : day], values_DS[day : day + width]
    return sides[0][np.isfinite(sides[0])], sides[1][np.isfinite(sides[1])]


def first_day(level_D: Doubles, day: int, moved: float, width: int) -> int:
    """The exact day of the change: the split whose correction leaves the least variation."""
    begin, end = max(0, day - 2 * width), day + 2 * width
    around = level_D[begin:end]

    def unrest(split: int) -> float:
        flat = around - moved * (np.arange(len(around)) >= split - begin)
        return float(np.nansum(np.abs(flat - np.nanmedian(flat))))

    return min(range(max(1, day - width), min(len(level_D), day + width)), key=unrest)
