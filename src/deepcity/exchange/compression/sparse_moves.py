"""Sparse moves with error feedback: the greatest moves of a layer, and the rest in later rounds.

A layer's move is how far training carried it from the layer that was received. Of each layer the
greatest moves by size are sent (top-k: Aji & Heafield 2017, "Sparse communication for distributed
gradient descent"); what was not sent is added to the next round's move (error feedback: Stich et
al. 2018, "Sparsified SGD with memory"; Sattler et al. 2019 for federated averaging). The state is
passed in and out.

On the wire a sparse layer is one bit a value, which says whether its move was sent, and the moves
that were: at a tenth and half precision 0.33 bytes a value instead of 2.

Shapes: V values of a layer, K of them sent.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Floats
from deepcity.city.level import Tensors
from deepcity.exchange.layer_vectors import flat, shaped
from deepcity.exchange.precision import Precision

MARKS, VALUES = "sparse.marks", "sparse.values"
"""Names of a sparse layer's tensors: bits, and the moves that were sent."""


class SparseLayerError(ValueError):
    """A sparse layer that gives no layer."""


@dataclass(frozen=True)
class SparseMoves:
    """How moves are sparsified.

    Attributes:
        keep: share of each layer's moves that is sent, within 0..1; at least one.
        precision: of the moves sent.
    """

    keep: float
    precision: Precision = "float32"

    def sparsify(
        self, trained: Tensors, received: Tensors, residual_V: Floats | None
    ) -> tuple[Tensors, Floats]:
        """A layer as it is sent, and what is left for the next round.

        Args:
            residual_V: what was left the round before; None: nothing.

        Returns:
            Where a move is not finite the layer is returned whole, for its reader to refuse.
        """
        move_V = flat(trained, received, np.float32) - flat(received, received, np.float32)
        move_V = move_V if residual_V is None else move_V + residual_V
        count = min(len(move_V), max(1, math.ceil(self.keep * len(move_V))))
        chosen = np.sort(np.argpartition(np.abs(move_V), len(move_V) - count)[-count:])
        kind = np.float16 if self.precision == "float16" else np.float32
        with np.errstate(over="ignore"):
            sent_K = move_V[chosen].astype(kind)
        if not np.isfinite(sent_K).all():
            return trained, np.zeros_like(move_V)
        marks_V = np.zeros(len(move_V), np.bool_)
        marks_V[chosen] = True
        residual_V = move_V
        residual_V[chosen] -= sent_K.astype(np.float32)
        packed: dict[str, NDArray[Any]] = {MARKS: np.packbits(marks_V), VALUES: sent_K}
        return packed, residual_V


def is_sparse(tensors: Tensors) -> bool:
    """Whether a layer was sent as sparse moves."""
    return set(tensors) == {MARKS, VALUES}


def densified(sparse: Tensors, received: Tensors) -> Tensors:
    """The layer that sparse moves give, from the one that their sender received.

    Raises:
        SparseLayerError: if marks and values do not fit each other or the layer.
    """
    base_V = flat(received, received, np.float32)
    marks: NDArray[Any] = sparse[MARKS]
    values_K = sparse[VALUES]
    if marks.dtype != np.uint8 or marks.shape != ((len(base_V) + 7) // 8,):
        raise SparseLayerError(
            f"its marks are {marks.dtype} of shape {marks.shape}, not a bit for each of "
            f"{len(base_V)} values"
        )
    marks_V = np.unpackbits(marks).astype(np.bool_)
    if marks_V[len(base_V) :].any():
        raise SparseLayerError("marks are set beyond the last value")
    marked = int(marks_V.sum())
    if values_K.shape != (marked,) or values_K.dtype.kind != "f":
        raise SparseLayerError(
            f"{marked} moves are marked, and its values are {values_K.dtype} of shape "
            f"{values_K.shape}"
        )
    base_V[marks_V[: len(base_V)]] += values_K.astype(np.float32)
    return shaped(base_V, received)
