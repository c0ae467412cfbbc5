"""Regression trees as plain arrays, which are checked before they are walked.

LightGBM ends the whole process where a text of its models is damaged, and walks for ever
where a child is its own parent. So trees are kept as arrays and asked here; LightGBM grows
them and is never shown what was stored.

Shapes: R rows, X columns, T trees, K nodes of all trees, L leaves of all trees.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints


@dataclass(frozen=True)
class Forest:
    """Trees whose answers are added. Row r goes left at a node if its column is at most the
    threshold.

    Attributes:
        leaves_T: leaves of each tree; it has one node less.
        column_K, threshold_K: what each node asks.
        left_K, right_K: where it leads: a node of the same tree, or -1 - leaf.
        value_L: what each leaf answers.
    """

    leaves_T: Ints
    column_K: Ints
    threshold_K: Doubles
    left_K: Ints
    right_K: Ints
    value_L: Doubles

    def fault(self, columns: int) -> str:
        """What is wrong with it over so many columns; empty if nothing."""
        if not len(self.leaves_T) or (self.leaves_T < 1).any():
            return "a tree has no leaf"
        if (self.leaves_T > len(self.value_L)).any():  # so that their sum cannot overflow
            return f"a tree announces more than the {len(self.value_L)} leaves there are"
        nodes = int(self.leaves_T.sum()) - len(self.leaves_T)
        lengths = {len(self.column_K), len(self.threshold_K), len(self.left_K), len(self.right_K)}
        if self.leaves_T.sum() != len(self.value_L) or lengths != {nodes}:
            return f"its trees announce {nodes} nodes, it holds {sorted(lengths)}"
        return self._node_fault(columns)

    def _node_fault(self, columns: int) -> str:
        if ((self.column_K < 0) | (self.column_K >= columns)).any():
            return f"it asks for a column that is not among the {columns} of a row"
        own_K = np.concatenate([np.arange(leaves - 1) for leaves in self.leaves_T])
        leaves_K = np.repeat(self.leaves_T, self.leaves_T - 1)
        for child_K in (self.left_K, self.right_K):
            forward_K = (child_K > own_K) & (child_K < leaves_K - 1)  # no way leads in a circle
            if not np.where(child_K >= 0, forward_K, child_K >= -leaves_K).all():
                return "a node leads to where no child can be"
        return ""

    def predict(self, rows_RX: Floats) -> Doubles:
        """The sum of all trees' answers, (R,)."""
        columns_XR = np.ascontiguousarray(rows_RX.T)
        row_R, said_R = np.arange(len(rows_RX)), np.zeros(len(rows_RX))
        for column, threshold, left, right, value in self._trees():
            at_R, nodes = np.zeros(len(rows_RX), np.int64), len(column) - len(value)
            while (at_R < nodes).any():
                goes_left_R = columns_XR[column[at_R], row_R] <= threshold[at_R]
                at_R = np.where(goes_left_R, left[at_R], right[at_R])
            said_R += value[at_R - nodes]
        return said_R

    def _trees(self) -> Iterator[tuple[Ints, Doubles, Ints, Ints, Doubles]]:
        """Each tree with its leaves as further nodes that lead to themselves."""
        leaf_ends = self.leaves_T.cumsum()
        node_ends = leaf_ends - np.arange(1, len(leaf_ends) + 1)
        for leaves, leaf_end, node_end in zip(self.leaves_T, leaf_ends, node_ends, strict=True):
            nodes = slice(int(node_end - leaves + 1), int(node_end))
            itself = np.arange(leaves - 1, 2 * leaves - 1)
            left, right = (
                np.concatenate([np.where(way >= 0, way, leaves - 2 - way), itself])
                for way in (self.left_K[nodes], self.right_K[nodes])
            )
            nothing = np.zeros(leaves, np.int64)
            column = np.concatenate([self.column_K[nodes], nothing])
            threshold = np.concatenate([self.threshold_K[nodes], nothing])
            yield column, threshold, left, right, self.value_L[leaf_end - leaves : leaf_end]


def read_text(text: str) -> Forest:
    """The trees in a text that LightGBM has just written."""
    found: dict[str, list[str]] = {}
    leaves = []
    for block in text.partition("end of trees")[0].split("\nTree=")[1:]:
        said = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        leaves.append(int(said["num_leaves"]))
        for key in ("split_feature", "threshold", "left_child", "right_child", "leaf_value"):
            found.setdefault(key, []).extend(said.get(key, "").split())

    def numbers(key: str) -> Ints:
        return np.array(found.get(key, []), dtype=np.int64)

    def doubles(key: str) -> Doubles:
        return np.array(found.get(key, []), dtype=np.float64)

    return Forest(
        leaves_T=np.array(leaves, dtype=np.int64),
        column_K=numbers("split_feature"),
        threshold_K=doubles("threshold"),
        left_K=numbers("left_child"),
        right_K=numbers("right_child"),
        value_L=doubles("leaf_value"),
    )
