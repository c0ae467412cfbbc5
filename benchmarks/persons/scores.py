"""Rank-1 and mean average precision within cities, across them, and across by alignment.

Queries: the first picture of each person by each camera. Within a city the gallery is its other
camera; across, all pictures of another city. Means over cities, and over ordered pairs of them.

Shapes: I pictures, A anchors, E numbers of an embedding.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.learning.identity.alignment import aligned, centred
from deepcity.learning.identity.people import People
from deepcity.learning.identity.retrieval import (
    RetrievalScores,
    Sightings,
    find,
    one_query_each,
    pooled,
)

Pair = tuple[float, float]
"""Rank-1 and mean average precision, in %."""


@dataclass(frozen=True)
class Scores:
    """What a set of networks, one a city, reaches.

    Attributes:
        within: city -> rank-1 and mean average precision among its own two cameras.
        across: mean over pairs of cities; embeddings as they are.
        aligned: as `across`, after alignment by the anchors; None without anchors.
    """

    within: Mapping[str, Pair]
    across: Pair
    aligned: Pair | None = None


def scored(
    tested: Mapping[str, People],
    embedding_IE: Mapping[str, Floats],
    anchor_AE: Mapping[str, Floats] | None = None,
) -> Scores:
    """Scores of each city's embeddings of the test's people by its own cameras."""
    seen = {
        city: Sightings(embedding_IE[city], shown.person_I, shown.camera_I)
        for city, shown in tested.items()
    }
    across = [find(_queries(seen[one]), seen[other]) for one, other in permutations(seen, 2)]
    return Scores(
        {city: _pair([_within(own)]) for city, own in seen.items()},
        _pair(across),
        None if anchor_AE is None else _pair(_aligned(seen, anchor_AE)),
    )


def _aligned(
    seen: Mapping[str, Sightings], anchor_AE: Mapping[str, Floats]
) -> list[RetrievalScores]:
    """Queries of one city turned into the directions of another, both centred."""
    found = []
    for one, other in permutations(seen, 2):
        turned = aligned(seen[one].embedding_IE, anchor_AE[one], anchor_AE[other])
        query = Sightings(turned, seen[one].person_I, seen[one].camera_I)
        shown = seen[other]
        gallery = Sightings(centred(shown.embedding_IE), shown.person_I, shown.camera_I)
        found.append(find(_queries(query), gallery))
    return found


def _within(own: Sightings) -> RetrievalScores:
    """Each camera's queries among the pictures of the city's other cameras."""
    query = _queries(own)
    cameras = np.unique(own.camera_I)
    return pooled(
        [
            find(query.of(query.camera_I == camera), own.of(own.camera_I != camera))
            for camera in cameras
        ]
    )


def _queries(seen: Sightings) -> Sightings:
    return seen.of(one_query_each(seen.person_I, seen.camera_I))


def _pair(found: list[RetrievalScores]) -> Pair:
    """Means over searches, each counting once."""
    rank1 = float(np.mean([one.rank1 for one in found]))
    return 100 * rank1, 100 * float(np.mean([one.mean_precision for one in found]))
