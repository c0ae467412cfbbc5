"""Boosted trees for a party's own rows: what no straight line says.

Gradient boosting (Friedman 2001) under absolute error: each tree follows the signs of what
is left, its leaves say the median of it. Trees are oblivious: all nodes of one depth ask the
same question (Kohavi & Li 1995), so a tree of depth L is L questions and 2^L answers, which
holds back where days are few. Inputs are cut into quantile bins once.

Shapes: R rows, F features, L depth, C bins.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Bools, Doubles, Floats, Ints

Bins = NDArray[np.uint8]
_LEAST_GAIN = 1e-9


@dataclass(frozen=True)
class TreeSettings:
    """How many trees, how deep, and how cautious.

    Attributes:
        trees: how many, one after the other.
        depth: questions a tree asks.
        rate: share of what a tree says that is believed.
        feature_share: share of the features that a tree may ask about.
        rows: share of the blocks of rows that a tree learns from.
        block: rows in a row that belong together, such as the hours of a day.
        least: rows without which a leaf says nothing new: its answer shrinks by n / (n + least).
        bins: quantile bins a feature is cut into, at most 256.
    """

    trees: int = 100
    depth: int = 4
    rate: float = 0.05
    feature_share: float = 0.5
    rows: float = 0.5
    block: int = 24
    least: float = 300.0
    bins: int = 32


@dataclass(frozen=True)
class Tree:
    """Questions (feature, bin: is it above?) and answers, (L,), (L,), (2^L,)."""

    feature_L: Ints
    above_L: Ints
    answers: Floats


@dataclass(frozen=True)
class Trees:
    """Fitted trees: the edges of the bins, one array a feature, and trees in order."""

    edges: tuple[Floats, ...]
    trees: tuple[Tree, ...]

    def predict(self, rows_RF: Floats) -> Floats:
        """What the trees expect, (R,)."""
        bins_FR = _binned(rows_RF, self.edges)
        output = np.zeros(len(rows_RF), np.float32)
        for tree in self.trees:
            output += tree.answers[_leaf(bins_FR, tree.feature_L, tree.above_L)]
        return output


def grow(
    rows_RF: Floats, truth_R: Floats, settings: TreeSettings | None = None, seed: int = 0
) -> Trees:
    """Trees with a small absolute error on the rows whose truth is known.

    Args:
        rows_RF: in order; each `settings.block` rows belong together.
        truth_R: NaN where not measured.

    Raises:
        ValueError: if no truth is known.
    """
    settings = settings or TreeSettings()
    known = np.isfinite(truth_R)
    if not known.any():
        msg = f"none of {len(truth_R)} rows has a measured value to learn from"
        raise ValueError(msg)
    block_R = (np.arange(len(truth_R)) // settings.block)[known]
    edges = _edges(rows_RF[known], settings.bins)
    bins_FR = _binned(rows_RF[known], edges)
    residual_R = truth_R[known].astype(np.float32)
    rng = np.random.default_rng(seed)
    trees = []
    for _ in range(settings.trees):
        sampled_R = (rng.random(int(block_R[-1]) + 1) < settings.rows)[block_R]
        features = rng.permutation(len(bins_FR))[
            : max(1, round(settings.feature_share * len(bins_FR)))
        ]
        tree = _tree(bins_FR, residual_R, sampled_R, features, settings)
        residual_R = residual_R - tree.answers[_leaf(bins_FR, tree.feature_L, tree.above_L)]
        trees.append(tree)
    return Trees(edges, tuple(trees))


def _tree(
    bins_FR: Bins,
    residual_R: Floats,
    sampled_R: Bools,
    features: Ints,
    settings: TreeSettings,
) -> Tree:
    """One tree: greedy questions by the signs of what is left, answers by its medians."""
    rows = np.flatnonzero(sampled_R)
    sign_R = np.sign(residual_R[rows])
    sampled_FR = bins_FR[features][:, rows]
    leaf_R = np.zeros(len(rows), np.int64)
    asked, above = [], []
    for depth in range(settings.depth):
        feature, cut = _question(sampled_FR, sign_R, leaf_R, 1 << depth, settings)
        asked.append(int(features[feature]))
        above.append(cut)
        leaf_R = 2 * leaf_R + (sampled_FR[feature] > cut)
    answers = _medians(residual_R[rows], leaf_R, 1 << settings.depth, settings)
    return Tree(np.array(asked), np.array(above), answers)


def _question(
    sampled_FR: Bins, sign_R: Floats, leaf_R: Ints, leaves: int, settings: TreeSettings
) -> tuple[int, int]:
    """The feature and bin that part the signs best, summed over all leaves."""
    best, found = _LEAST_GAIN, (0, settings.bins)
    shape = (leaves, settings.bins, 2)
    base_R = 2 * settings.bins * leaf_R + (sign_R > 0)
    for feature, bin_R in enumerate(sampled_FR):
        votes = np.bincount(base_R + 2 * bin_R.astype(np.int64), minlength=np.prod(shape))
        below = votes.reshape(shape).cumsum(axis=1)
        above = below[:, -1:] - below
        gain_C = _gain(below, settings.least) + _gain(above, settings.least)
        cut = int(np.argmax(gain_C))
        if gain_C[cut] > best:
            best, found = float(gain_C[cut]), (feature, cut)
    return found


def _gain(votes_LC2: Ints, least: float) -> Doubles:
    """How one-sided the votes (not above, above) of each side of a cut are, (C,)."""
    count = votes_LC2.sum(axis=-1)
    one_sided = (votes_LC2[..., 1] - votes_LC2[..., 0]) ** 2 / (count + least)
    return np.asarray(one_sided.sum(axis=0))


def _medians(residual_R: Floats, leaf_R: Ints, leaves: int, settings: TreeSettings) -> Floats:
    order = np.argsort(leaf_R, kind="stable")
    ends = np.searchsorted(leaf_R[order], np.arange(leaves + 1))
    answers = np.zeros(leaves, np.float32)
    for leaf in range(leaves):
        inside = residual_R[order[ends[leaf] : ends[leaf + 1]]]
        if len(inside):
            sure = len(inside) / (len(inside) + settings.least)
            answers[leaf] = settings.rate * sure * np.median(inside)
    return answers


def _leaf(bins_FR: Bins, feature_L: Ints, above_L: Ints) -> Ints:
    leaf_R = np.zeros(bins_FR.shape[1], np.int64)
    for feature, above in zip(feature_L, above_L, strict=True):
        leaf_R = 2 * leaf_R + (bins_FR[feature] > above)
    return leaf_R


def _edges(rows_RF: Floats, bins: int) -> tuple[Floats, ...]:
    """Quantiles between bins, for each feature."""
    at = np.linspace(0, 1, bins + 1)[1:-1]
    return tuple(np.unique(np.quantile(column, at)).astype(np.float32) for column in rows_RF.T)


def _binned(rows_RF: Floats, edges: tuple[Floats, ...]) -> Bins:
    """(F, R): how many edges lie below each value."""
    binned = [np.searchsorted(edge, rows_RF[:, f]) for f, edge in enumerate(edges)]
    return np.stack(binned).astype(np.uint8)
