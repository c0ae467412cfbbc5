"""Windows: forecast origins with their history and horizon, and splits ordered in time.

An *origin* is a step index t: steps before t are known, step t is the first one forecast.
"""

from dataclasses import dataclass

import numpy as np

from deepcity.city.arrays import Ints


@dataclass(frozen=True)
class Span:
    """Steps [start, end) of a panel."""

    start: int
    end: int

    def __len__(self) -> int:
        return max(0, self.end - self.start)


@dataclass(frozen=True)
class Split:
    """Training, validation and test spans, in this order in time; never shuffled."""

    train: Span
    validation: Span
    test: Span

    def __post_init__(self) -> None:
        bounds = [self.train.start, self.train.end, self.validation.start]
        bounds += [self.validation.end, self.test.start, self.test.end]
        if bounds != sorted(bounds):
            msg = f"spans must follow one another in time, got {self}"
            raise ValueError(msg)


def origins(span: Span, horizon: int, *, history: int = 0, stride: int = 1, lead: int = 0) -> Ints:
    """Origins whose `horizon` targets, `lead` steps ahead, all lie inside the span.

    Args:
        history: steps before the origin that must lie inside the span too (0: they may
            reach back before it, as they do in daily use).
        stride: keep every stride-th origin, counted back from the last one.
        lead: steps between the origin and its first target.

    Returns:
        Sorted step indices, shape (B,).
    """
    first = span.start + max(history - lead, 0) if history else span.start
    last = span.end - horizon
    targets = np.arange(first, last + 1, dtype=np.int64)
    return targets[::-1][::stride][::-1] - lead
