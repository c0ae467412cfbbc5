"""Which rows of a batch are new, which were there already, which replace an older vector.

The one rule of every store: a stored vector stands, to send it again changes nothing, and
another one for the same cell and time is refused unless the sender says that it revises.

Shapes: R rows of the batch, U rows with a cell and time of their own, F rows found stored,
W width of a vector.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.errors import DeepDataError
from deepcity.city.problem import Problem
from deepcity.store.deep_data import DeepData, Seconds, Vectors, moment, rows_told
from deepcity.store.deep_data_store import Appended

Rows = NDArray[np.int64]
Ids = NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class Stored:
    """What the store holds already for rows of a batch.

    Attributes:
        row_F: which rows of the batch, each once, in any order.
        vectors_FW: the vectors stored for them.
    """

    row_F: Rows
    vectors_FW: Vectors


@dataclass(frozen=True, eq=False)
class Settled:
    """What to write, and how to report it.

    Attributes:
        insert_N: rows of the batch to write, by time and then by cell.
        remove_N: rows of the batch whose older vector goes first; all are in `insert_N`.
        appended: the counts.
    """

    insert_N: Rows
    remove_N: Rows
    appended: Appended


def own_rows(time_R: Seconds, id_R: Ids) -> Rows:
    """Rows with a cell and time of their own, by time and then by cell's id; the first of each."""
    order_R = np.lexsort((id_R, time_R))
    again_R = (np.diff(time_R[order_R]) == 0) & (np.diff(id_R[order_R]) == 0)
    own_U: Rows = order_R[np.concatenate([[True], ~again_R])[: len(order_R)]]
    return own_U


def settle(batch: DeepData, own_U: Rows, stored: Stored, *, revise: bool) -> Settled:
    """Compare a batch with what is stored.

    Args:
        batch: checked, so that rows of one cell and time have one vector.
        own_U: from `own_rows`.
        stored: what the store holds for these.
        revise: replace vectors that differ.

    Raises:
        DeepDataError: if vectors differ and may not be replaced.
    """
    sent_FW = batch.vectors_RW[stored.row_F]
    other_F = stored.row_F[(sent_FW != stored.vectors_FW).any(axis=1)]
    if other_F.size and not revise:
        raise DeepDataError([_refusal(batch, np.sort(other_F))])
    is_stored_R = np.zeros(len(batch), bool)
    is_stored_R[stored.row_F] = True
    is_stored_R[other_F] = False
    insert_N = own_U[~is_stored_R[own_U]]
    new, revised = len(insert_N) - len(other_F), len(other_F)
    counts = Appended(new=new, repeated=len(batch) - new - revised, revised=revised)
    return Settled(insert_N, other_F, counts)


def _refusal(batch: DeepData, other_F: Rows) -> Problem:
    row = int(other_F[0])
    key = f"{batch.cell_R[row]} at {moment(batch.time_R[row])}"
    reason = f"{rows_told(other_F)}: the store holds another vector of this model version"
    right = "send what was sent first, or append with revise=True if the records were corrected"
    return Problem(str(batch.space), "vectors_RW", key, reason, right)
