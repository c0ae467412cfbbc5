"""The linear attacker: ridge regression from releases to windows, its penalty chosen on rows of
its own.

Sums over rows are kept, so that pairs of several kinds can be weighed without passing over them
again. Columns are standardised by the rows learned from.

Shapes: R rows, D released numbers, X values of a window.
"""

from dataclasses import dataclass

import numpy as np
import torch

from deepcity.audit.window.releases import Pairs
from deepcity.city.arrays import Doubles, Floats

PENALTIES = (1e-4, 1e-2, 1.0, 100.0)
"""Shares of the mean squared length of a column."""
LEARNED = 0.8
"""Share of the rows that an attacker knows that it learns from; the last ones choose."""
_LEAST_SPREAD = 1e-6
_JITTER = 1e-7  # of a row, for the intercept alone


@dataclass(frozen=True, eq=False)
class Standard:
    """Means and spreads of released numbers; one that does not vary is left at 0."""

    mean_D: Floats
    spread_D: Floats

    @staticmethod
    def of(released_RD: Floats) -> "Standard":
        """Those of some rows."""
        spread = released_RD.std(axis=0)
        floor = _LEAST_SPREAD * max(1.0, float(np.abs(released_RD).max(initial=0.0)))
        return Standard(released_RD.mean(axis=0), np.where(spread > floor, spread, np.inf))

    def apply(self, released_RD: Floats) -> Floats:
        """Rows in standard units."""
        return np.asarray((released_RD - self.mean_D) / self.spread_D, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class RidgeSums:
    """Sums from which a ridge regression with an intercept follows; they add up."""

    gram_EE: Doubles
    moment_EX: Doubles
    rows: float

    @staticmethod
    def of(standard_RD: Floats, window_RX: Floats) -> "RidgeSums":
        """Sums over rows in standard units."""
        with_one = np.concatenate([standard_RD, np.ones((len(standard_RD), 1), np.float32)], axis=1)
        gram, moment = with_one.T @ with_one, with_one.T @ window_RX
        return RidgeSums(gram.astype(np.float64), moment.astype(np.float64), len(window_RX))

    def plus(self, other: "RidgeSums", weight: float = 1.0) -> "RidgeSums":
        """Both, the other counted with a weight."""
        gram = self.gram_EE + weight * other.gram_EE
        moment = self.moment_EX + weight * other.moment_EX
        return RidgeSums(gram, moment, self.rows + weight * other.rows)

    def solve(self, penalty: float) -> Floats:
        """Coefficients (D + 1, X), the intercept last and without a penalty."""
        info = 1
        while info:  # sums of single precision bear no penalty far below their rounding
            ridge = np.full(len(self.gram_EE), penalty * self.rows)
            ridge[-1] = _JITTER * self.rows
            gram = torch.from_numpy(self.gram_EE + np.diag(ridge))
            factor, failed = torch.linalg.cholesky_ex(gram)
            info, penalty = int(failed), 10 * penalty
        found = torch.cholesky_solve(torch.from_numpy(self.moment_EX), factor)
        return np.asarray(found.numpy(), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class RidgeDecoder:
    """A fitted linear decoder."""

    standard: Standard
    coefficients_EX: Floats

    def rebuild(self, released_RD: Floats) -> Floats:
        """Windows, (R, X)."""
        rows = self.standard.apply(released_RD)
        return np.asarray(rows @ self.coefficients_EX[:-1] + self.coefficients_EX[-1])


@dataclass(frozen=True, eq=False)
class Learned:
    """Pairs from elsewhere with their sums, which every attack with further pairs uses again.

    Attributes:
        early, late: sums of the rows learned from, and of the last ones, which choose.
    """

    pairs: Pairs
    standard: Standard
    early: RidgeSums
    late: RidgeSums

    @staticmethod
    def of(pairs: Pairs) -> "Learned":
        """Those of some pairs."""
        standard = Standard.of(pairs.released_RD)
        return Learned(pairs, standard, *_two_sums(standard, pairs))

    @property
    def sums(self) -> RidgeSums:
        """Of all rows."""
        return self.early.plus(self.late)


@dataclass(frozen=True, eq=False)
class RidgeFit:
    """A ridge decoder, and the one before it that had not seen the validation rows.

    Attributes:
        whole: from all rows that the attacker knows.
        partial: with the same penalty and mixture, without the validation rows.
        validation: the last fifth of the rows that the attacker knows.
        error: mean squared error of `partial` on them.
    """

    whole: RidgeDecoder
    partial: RidgeDecoder
    validation: Pairs
    error: float


def fit_ridge(learned: Learned, known: Pairs | None = None) -> RidgeFit:
    """The best ridge of those tried, by the last fifth of the rows that the attacker knows.

    Args:
        known: pairs of the victim itself; where there are some, they count as much as all others,
            or alone, whichever is better on their last fifth.
    """
    validation = (learned.pairs if known is None else known).split(LEARNED)[1]
    best: tuple[float, RidgeDecoder, RidgeSums, float] | None = None
    for partial, whole in _mixtures(learned, known):
        for penalty in PENALTIES:
            tried = RidgeDecoder(learned.standard, partial.solve(penalty))
            off = tried.rebuild(validation.released_RD) - validation.window_RX
            error = float(np.square(off).mean())
            if best is None or error < best[0]:
                best = (error, tried, whole, penalty)
    assert best is not None
    error, tried, whole, penalty = best
    return RidgeFit(RidgeDecoder(learned.standard, whole.solve(penalty)), tried, validation, error)


def _mixtures(learned: Learned, known: Pairs | None) -> list[tuple[RidgeSums, RidgeSums]]:
    """Sums of each mixture of rows: without the validation rows, and of all."""
    others = learned.sums
    if known is None:
        return [(learned.early, others)]
    known_early, known_late = _two_sums(learned.standard, known)
    both = known_early.plus(known_late)
    return [
        (known_early, both),
        (
            others.plus(known_early, others.rows / max(known_early.rows, 1)),
            others.plus(both, others.rows / max(both.rows, 1)),
        ),
    ]


def _two_sums(standard: Standard, pairs: Pairs) -> tuple[RidgeSums, RidgeSums]:
    early, late = pairs.split(LEARNED)
    first = RidgeSums.of(standard.apply(early.released_RD), early.window_RX)
    return first, RidgeSums.of(standard.apply(late.released_RD), late.window_RX)
