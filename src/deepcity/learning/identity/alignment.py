"""Two cities' embeddings made comparable by pictures that both have embedded: public anchors.

Orthogonal Procrustes (Schönemann 1966): the turn and mirroring that carries one set of points
nearest to another, in closed form. Each city's embeddings are first centred on the mean of its own
pictures, as its cameras' light moves all of them; the turn is found from the anchors, centred on
their own mean. No embedding of a passer-by leaves a city: anchors are public, and the centre is
its own.

Shapes: A anchors, I pictures, E numbers of an embedding, the same for both.
"""

import numpy as np

from deepcity.city.arrays import Doubles, Floats
from deepcity.learning.identity.retrieval import unit


def centred(embedding_IE: Floats, centre_E: Doubles | None = None) -> Floats:
    """Unit embeddings less their mean, or another centre, and again of unit length."""
    found = unit(embedding_IE)
    centre = found.mean(axis=0) if centre_E is None else centre_E
    return unit(np.asarray(found - centre, np.float32))


def rotation(own_AE: Floats, other_AE: Floats) -> Doubles:
    """The orthogonal matrix R, (E, E), by which own @ R is nearest to other.

    Fewer anchors than numbers of an embedding leave directions open that no anchor shows; those are
    turned arbitrarily.

    Raises:
        ValueError: if the two are not embeddings of the same anchors.
    """
    if own_AE.shape != other_AE.shape:
        raise ValueError(
            f"anchors have shapes {own_AE.shape} and {other_AE.shape}: both cities must embed the "
            f"same pictures by embeddings of one size"
        )
    own, other = own_AE.astype(np.float64), other_AE.astype(np.float64)
    left_EE, _, right_EE = np.linalg.svd(own.T @ other)
    return np.asarray(left_EE @ right_EE)


def aligned(own_IE: Floats, own_AE: Floats, other_AE: Floats) -> Floats:
    """A city's embeddings, centred, in the other's directions, (I, E) of unit length."""
    turn_EE = rotation(centred(own_AE), centred(other_AE))
    return unit(np.asarray(centred(own_IE) @ turn_EE, np.float32))
