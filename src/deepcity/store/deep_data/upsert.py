"""Which rows of a batch are new, which are stored already, which replace an older vector.

The same for every store. For a cell and a time the highest *revision* counts: a row of a
higher one replaces what is stored, a row of a lower one changes nothing, and within one
revision the first vector is kept: to send it again changes nothing, another one is refused.

Shapes: R rows of the batch, U rows with a cell and time of their own, F rows found stored,
W width of a vector.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Bools, Floats, Ints
from deepcity.city.errors import DeepDataError
from deepcity.city.problem import Problem
from deepcity.store.deep_data.batch import DeepData, moment, rows_text

Ids = NDArray[np.int32]


@dataclass(frozen=True)
class Appended:
    """Counts of a batch's rows by outcome; the four add up to all of them.

    Attributes:
        new: rows inserted.
        repeated: rows stored already in this revision; nothing was done.
        revised: rows that replaced those of an older revision.
        outdated: rows stored already in a newer revision; nothing was done.
    """

    new: int = 0
    repeated: int = 0
    revised: int = 0
    outdated: int = 0


@dataclass(frozen=True, eq=False)
class StoredRows:
    """The rows stored already for those of a batch.

    Attributes:
        row_F: which rows of the batch, each once, in any order.
        vectors_FW: the vectors stored for them.
        revision_F: of which revision they are.
        known_F: False where they were withdrawn.
    """

    row_F: Ints
    vectors_FW: Floats
    revision_F: Ints
    known_F: Bools

    @classmethod
    def nothing(cls, width: int) -> "StoredRows":
        """For a batch that is all new."""
        none = np.empty(0, np.int64)
        return cls(none, np.empty((0, width), np.float32), none, np.empty(0, bool))


@dataclass(frozen=True, eq=False)
class UpsertPlan:
    """The rows to write and to remove, and the counts to report.

    Attributes:
        insert_N: rows of the batch to write, by time and then by cell.
        remove_N: rows of the batch whose older vector goes first; all are in `insert_N`.
    """

    insert_N: Ints
    remove_N: Ints
    revision: int
    appended: Appended


def unique_rows(time_R: Ints, id_R: Ids) -> Ints:
    """Rows with a cell and time of their own, by time and then by cell's id; the first of each."""
    order_R = np.lexsort((id_R, time_R))
    again_R = (np.diff(time_R[order_R]) == 0) & (np.diff(id_R[order_R]) == 0)
    unique_U: Ints = order_R[np.concatenate([[True], ~again_R])[: len(order_R)]]
    return unique_U


def plan_upsert(
    batch: DeepData, unique_U: Ints, stored: StoredRows, *, revision: int
) -> UpsertPlan:
    """Compare a batch with the stored rows.

    Args:
        batch: checked, so that rows of one cell and time have one vector.
        unique_U: from `unique_rows`.
        stored: the rows stored for these.

    Raises:
        DeepDataError: if vectors differ within the revision.
    """
    row_F = stored.row_F
    differs_F = (batch.vectors_RW[row_F] != stored.vectors_FW).any(axis=1)
    differs_F |= batch.all_known_R[row_F] != stored.known_F
    wrong_F = row_F[differs_F & (stored.revision_F == revision)]
    if wrong_F.size:
        raise DeepDataError([_refusal(batch, np.sort(wrong_F), revision)])
    older_F = row_F[stored.revision_F < revision]
    is_stored_R = np.zeros(len(batch), bool)
    is_stored_R[row_F] = True
    is_stored_R[older_F] = False
    insert_N = unique_U[~is_stored_R[unique_U]]
    new, revised = len(insert_N) - len(older_F), len(older_F)
    outdated = int((stored.revision_F > revision).sum())
    repeated = len(batch) - new - revised - outdated
    counts = Appended(new=new, repeated=repeated, revised=revised, outdated=outdated)
    return UpsertPlan(insert_N, older_F, revision, counts)


def _refusal(batch: DeepData, wrong_F: Ints, revision: int) -> Problem:
    row = int(wrong_F[0])
    key = f"{batch.cell_R[row]} at {moment(batch.time_R[row])}"
    of = f"revision {revision} of this model version" if revision else "this model version"
    reason = f"{rows_text(wrong_F)}: the store holds another vector of {of}"
    right = "send what was sent first, or a higher revision if the records were corrected"
    return Problem(str(batch.space), "vectors_RW", key, reason, right)
