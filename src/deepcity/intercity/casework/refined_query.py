"""A query that learns from what persons said of sightings, for one search and no other.

Rocchio 1971 ("Relevance feedback in information retrieval"), with the weights of Salton & Buckley
1990: towards the mean of what was confirmed, away from that of what was rejected. The owner does it
with its own tracks, so that no embedding of anybody leaves for it.

Shapes: Q pictures, E numbers of an embedding, V judged sightings.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from deepcity.city.arrays import Doubles
from deepcity.intercity.casework.case_messages import SightingRef
from deepcity.vision.searching.person_query import PersonQuery
from deepcity.vision.searching.sighting import TrackSearch

TOWARDS, AWAY = 0.75, 0.15


def refined(
    query: PersonQuery, search: TrackSearch, verdicts: Sequence[SightingRef], least_score: float
) -> PersonQuery:
    """The query moved by verdicts whose tracks are still there; of words alone, unchanged.

    Args:
        least_score: tracks less like what was approved move nothing, or verdicts would steer an
            approved query to somebody else.
    """
    if not query.has_pictures:
        return query
    moved_QE = query.embedding_QE + np.zeros(query.embedding_QE.shape[1])
    for confirmed, weight in ((True, TOWARDS), (False, -AWAY)):
        rows = [
            row
            for one in verdicts
            if one.confirmed == confirmed
            and (row := search.embedding_of(one.camera, one.time_s)) is not None
            and row.shape == moved_QE.shape[1:]
            and float((query.embedding_QE @ row).max()) >= least_score
        ]
        if rows:
            moved_QE = moved_QE + weight * np.mean(rows, axis=0)
    return replace(query, embedding_QE=_unit(moved_QE, query.embedding_QE))


def _unit(row_QE: Doubles, otherwise_QE: Doubles) -> Doubles:
    """Rows of length 1; one that vanished stays as it was."""
    length_Q1 = np.linalg.norm(row_QE, axis=1, keepdims=True)
    return np.where(length_Q1 > 1e-6, row_QE / np.maximum(length_Q1, 1e-6), otherwise_QE)
