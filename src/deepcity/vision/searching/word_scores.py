"""How well the words of a witness fit tracks: height and colours of clothes.

Shapes: R tracks, C colours.
"""

import numpy as np

from deepcity.city.arrays import Bools, Doubles
from deepcity.vision.searching.person_query import PersonQuery

HEIGHT_DOUBT_M = 0.1
"""By which a measured height may be off: a band is widened by it on both sides."""
LEAST_SHARE = 0.5
"""Of a garment's pixels that must be of its colour before another colour contradicts a query."""


def contradicted(
    query: PersonQuery,
    height_m_R: Doubles,
    colour_R2: list[tuple[str, str]],
    share_R2: Doubles,
) -> Bools:
    """(R,) whether a height or a garment speaks against the query; what is unknown does not.

    Args:
        height_m_R: NaN where unknown.
        colour_R2: of upper and lower clothes; empty where unknown.
        share_R2: of their pixels, 0 to 1.
    """
    against_R = np.zeros(len(height_m_R), dtype=bool)
    if query.height_m is not None:
        low, high = query.height_m
        with np.errstate(invalid="ignore"):
            against_R |= (height_m_R < low - HEIGHT_DOUBT_M) | (height_m_R > high + HEIGHT_DOUBT_M)
    for part, wanted in enumerate((query.upper, query.lower)):
        if wanted:
            other_R = np.array([bool(row[part]) and row[part] not in wanted for row in colour_R2])
            against_R |= other_R.reshape(-1) & (share_R2[:, part] >= LEAST_SHARE)
    return against_R


def word_scores(
    query: PersonQuery,
    height_m_R: Doubles,
    colour_R2: list[tuple[str, str]],
    share_R2: Doubles,
) -> Doubles:
    """(R,) how well words fit, 0 to 1: the mean over what the query names; 0 where unknown."""
    parts: list[Doubles] = []
    if query.height_m is not None:
        low, high = query.height_m
        off_R = np.maximum(np.maximum(low - height_m_R, height_m_R - high), 0.0)
        parts.append(np.nan_to_num(np.exp(-((off_R / HEIGHT_DOUBT_M) ** 2) / 2), nan=0.0))
    for part, wanted in enumerate((query.upper, query.lower)):
        if wanted:
            fits_R = np.array([row[part] in wanted for row in colour_R2], dtype=bool).reshape(-1)
            parts.append(np.where(fits_R, share_R2[:, part], 0.0))
    return np.asarray(np.mean(parts, axis=0)) if parts else np.zeros(len(height_m_R))
