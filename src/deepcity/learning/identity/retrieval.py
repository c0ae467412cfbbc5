"""How well people are found again: rank-1 and mean average precision.

Market-1501's protocol (Zheng et al. 2015, "Scalable person re-identification: a benchmark", ICCV):
each query picture ranks the gallery by similarity; pictures of the same person by the query's own
camera are left out. Rank-1 is the share of queries whose first is the right person; average
precision is the mean of the precision at each right one. A query whose person the rest of the
gallery does not show counts nowhere.

Shapes: Q queries, G gallery pictures, E numbers of an embedding, I pictures.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Bools, Doubles, Floats, Indices, Ints


@dataclass(frozen=True)
class Sightings:
    """Pictures as embeddings, who is on them, and which camera saw them."""

    embedding_IE: Floats
    person_I: Ints
    camera_I: Ints

    def of(self, some: Bools | Indices) -> "Sightings":
        """Some of them."""
        return Sightings(self.embedding_IE[some], self.person_I[some], self.camera_I[some])


@dataclass(frozen=True)
class RetrievalScores:
    """Of each query that could be answered: its first hit, and its average precision."""

    first_Q: Bools
    precision_Q: Doubles

    @property
    def rank1(self) -> float:
        """Share of queries whose first hit is right, 0..1; NaN without a query."""
        return float(self.first_Q.mean()) if len(self.first_Q) else float("nan")

    @property
    def mean_precision(self) -> float:
        """Mean average precision, 0..1; NaN without a query."""
        return float(self.precision_Q.mean()) if len(self.precision_Q) else float("nan")


def find(query: Sightings, gallery: Sightings) -> RetrievalScores:
    """Rank the gallery for each query by cosine similarity.

    Embeddings that are not finite are similar to none.
    """
    similar_QG = unit(query.embedding_IE) @ unit(gallery.embedding_IE).T
    first, precision = [], []
    for row, (person, camera) in enumerate(zip(query.person_I, query.camera_I, strict=True)):
        own = (gallery.person_I == person) & (gallery.camera_I == camera)
        order_G = np.argsort(-similar_QG[row][~own], kind="stable")
        right_G = (gallery.person_I[~own] == person)[order_G]
        if right_G.any():
            first.append(bool(right_G[0]))
            precision.append(_average_precision(right_G))
    return RetrievalScores(np.array(first, bool), np.array(precision, np.float64))


def pooled(found: Sequence[RetrievalScores]) -> RetrievalScores:
    """The queries of several searches as one."""
    return RetrievalScores(
        np.concatenate([one.first_Q for one in found]),
        np.concatenate([one.precision_Q for one in found]),
    )


def one_query_each(person_I: Ints, camera_I: Ints) -> Indices:
    """The first picture of each person by each camera, as Market-1501 has one query of each."""
    _, first = np.unique(np.stack([person_I, camera_I]), axis=1, return_index=True)
    return np.sort(first)


def unit(embedding_IE: Floats) -> Floats:
    """Embeddings of unit length; zeros where one is not finite or has no length."""
    finite = np.where(np.isfinite(embedding_IE).all(axis=1, keepdims=True), embedding_IE, 0.0)
    length = np.linalg.norm(finite, axis=1, keepdims=True)
    return np.asarray(finite / np.where(length > 0, length, 1.0), np.float32)


def _average_precision(right_G: Bools) -> float:
    """Mean of the precision at each right one, of hits in order."""
    places = np.flatnonzero(right_G)
    return float(np.mean(np.arange(1, len(places) + 1) / (places + 1)))
