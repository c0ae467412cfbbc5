"""Regression trees as plain arrays, validated before they are evaluated.

LightGBM aborts the whole process on a damaged model text, and loops for ever where a node is
its own child. So LightGBM only trains: trees are stored as arrays and evaluated here.

Shapes: R rows, X columns, T trees, K nodes of all trees, L leaves of all trees.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Doubles, Floats, Ints


@dataclass(frozen=True)
class Forest:
    """An additive ensemble of trees. A row goes left at a node if its value in the node's
    column is at most the threshold.

    Attributes:
        leaves_T: leaves of each tree; it has one node less.
        column_K, threshold_K: the split of each node.
        left_K, right_K: its children: a node of the same tree, or -1 - leaf.
        value_L: the value of each leaf.
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
            return f"a tree claims more than the {len(self.value_L)} leaves stored"
        nodes = int(self.leaves_T.sum()) - len(self.leaves_T)
        lengths = {len(self.column_K), len(self.threshold_K), len(self.left_K), len(self.right_K)}
        if self.leaves_T.sum() != len(self.value_L) or lengths != {nodes}:
            return f"its trees need {nodes} nodes, stored are {sorted(lengths)}"
        return self._node_fault(columns)

    def _node_fault(self, columns: int) -> str:
        if ((self.column_K < 0) | (self.column_K >= columns)).any():
            return f"a node splits on a column outside the {columns} of a row"
        own_K = np.concatenate([np.arange(leaves - 1) for leaves in self.leaves_T])
        leaves_K = np.repeat(self.leaves_T, self.leaves_T - 1)
        for child_K in (self.left_K, self.right_K):
            forward_K = (child_K > own_K) & (child_K < leaves_K - 1)  # so that there is no cycle
            if not np.where(child_K >= 0, forward_K, child_K >= -leaves_K).all():
                return "a node has a child out of range"
        return ""

    def predict(self, rows_RX: Floats) -> Doubles:
        """The sum of all trees' values, (R,)."""
        columns_XR = np.ascontiguousarray(rows_RX.T)
        row_R, forecast_R = np.arange(len(rows_RX)), np.zeros(len(rows_RX))
        for column, threshold, left, right, value in self._trees():
            at_R, nodes = np.zeros(len(rows_RX), np.int64), len(column) - len(value)
            while (at_R < nodes).any():
                goes_left_R = columns_XR[column[at_R], row_R] <= threshold[at_R]
                at_R = np.where(goes_left_R, left[at_R], right[at_R])
            forecast_R += value[at_R - nodes]
        return forecast_R

    def _trees(self) -> Iterator[tuple[Ints, Doubles, Ints, Ints, Doubles]]:
        """Each tree, with its leaves as further nodes whose children are themselves."""
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
        entries = dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
        leaves.append(int(entries["num_leaves"]))
        for key in ("split_feature", "threshold", "left_child", "right_child", "leaf_value"):
            found.setdefault(key, []).extend(entries.get(key, "").split())

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
