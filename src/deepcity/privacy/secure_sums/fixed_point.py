"""Vectors as fixed-point integers modulo 2**32, in which masks cancel exactly.

A value x is sent as round(weight * x * 2**bits). The bits after the point are as many as let the
sum over all members stay within the ring: 20 for ten members, 14 for a thousand. A mean of ten
members of equal weight is off by at most 2**-21, a hundredth of what float16 rounds off 0.1.
"""

import math

import numpy as np
from numpy.typing import NDArray

from deepcity.city.arrays import Doubles, Floats
from deepcity.city.errors import SecureSumError

RING_BITS = 32
BOUND = 64.0
"""The greatest value that is summed; weights of a trained network are of the order of 0.1."""

Residues = NDArray[np.uint32]
"""Integers modulo 2**32."""


def fraction_bits(members: int) -> int:
    """Bits after the point, so that no sum of so many members leaves the ring."""
    return RING_BITS - 2 - math.ceil(math.log2(members * BOUND))


def to_residues(values_V: Floats, weight: float, members: int) -> Residues:
    """Weighted values in the ring.

    Args:
        weight: within 0..1.

    Raises:
        SecureSumError: if a value is not finite or beyond the bound; no sum could be trusted.
    """
    if bad := int(np.count_nonzero(~np.isfinite(values_V))):
        raise SecureSumError(
            f"{bad} of {values_V.size} values are not finite; nothing is sent. Train anew from the "
            f"layers received, with a lower training.learning_rate"
        )
    greatest = float(np.abs(values_V).max(initial=0.0))
    if greatest > BOUND:
        raise SecureSumError(
            f"values reach {greatest:.3g}, and a secure sum holds up to {BOUND:g}; nothing is "
            f'sent. Raise training.weight_decay, or write strategy.aggregation = "plain"'
        )
    scaled_V = np.rint(values_V.astype(np.float64) * (weight * 2.0 ** fraction_bits(members)))
    return scaled_V.astype(np.int64).astype(np.uint32)


def from_residues(sum_V: Residues, members: int) -> Doubles:
    """The weighted sum of values; `members` is that of `to_residues`."""
    return sum_V.astype(np.int32).astype(np.float64) / 2.0 ** fraction_bits(members)
