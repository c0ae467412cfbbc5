"""How well the words of a witness fit tracks: height and colours of clothes.

Shapes: R tracks.
"""

import numpy as np

from deepcity.city.arrays import Bools, Doubles
from deepcity.vision.searching.person_query import PersonQuery
from deepcity.vision.track_words import UNKNOWN, TrackWords

HEIGHT_DOUBT_M = 0.1
"""By which a measured height may be off: a band is widened by it on both sides."""
LEAST_SHARE = 0.5
"""Of a garment's pixels that must be of its colour before another colour contradicts a query."""


def contradicted(query: PersonQuery, words: TrackWords) -> Bools:
    """(R,) whether a height or a garment speaks against the query; what is unknown does not."""
    against_R = np.zeros(len(words.height_m_R), dtype=bool)
    if query.height_m is not None:
        low, high = query.height_m
        height_m_R = words.height_m_R
        with np.errstate(invalid="ignore"):
            against_R |= (height_m_R < low - HEIGHT_DOUBT_M) | (height_m_R > high + HEIGHT_DOUBT_M)
    for part, wanted in enumerate((query.upper, query.lower)):
        if wanted:
            other_R = (words.colour_R2[:, part] != UNKNOWN) & ~words.is_coloured(part, wanted)
            against_R |= other_R & (words.share_R2[:, part] >= LEAST_SHARE)
    return against_R


def word_scores(query: PersonQuery, words: TrackWords) -> Doubles:
    """(R,) how well words fit, 0 to 1: the mean over what the query names; 0 where unknown."""
    parts: list[Doubles] = []
    if query.height_m is not None:
        low, high = query.height_m
        height_m_R = words.height_m_R.astype(np.float64)
        off_R = np.maximum(np.maximum(low - height_m_R, height_m_R - high), 0.0)
        parts.append(np.nan_to_num(np.exp(-((off_R / HEIGHT_DOUBT_M) ** 2) / 2), nan=0.0))
    for part, wanted in enumerate((query.upper, query.lower)):
        if wanted:
            fits_R = words.is_coloured(part, wanted)
            parts.append(np.where(fits_R, words.share_R2[:, part], 0.0))
    return np.asarray(np.mean(parts, axis=0)) if parts else np.zeros(len(words.height_m_R))
