"""Distance correlation of two samples: 0 only where they are independent.

Székely, Rizzo and Bakirov 2007, Annals of Statistics 35. As a penalty between inputs and released
activations: Vepakomma et al. 2020, NoPeek.

Shapes: R rows, X inputs, D released numbers.
"""

import torch
from torch import Tensor

_LEAST = 1e-9


def distance_correlation(first_RX: Tensor, second_RD: Tensor) -> Tensor:
    """Squared sample distance correlation, 0 to 1; 0 where one of them does not vary."""
    first_RR, second_RR = _centred(first_RX), _centred(second_RD)
    covariance = (first_RR * second_RR).mean()
    variances = first_RR.square().mean() * second_RR.square().mean()
    return covariance / (variances + _LEAST).sqrt()


def _centred(rows_RX: Tensor) -> Tensor:
    """Distances between rows, less the means of row and column, plus the mean of all."""
    squares_R = rows_RX.square().sum(1)
    squared_RR = squares_R[:, None] + squares_R - 2 * rows_RX @ rows_RX.T
    distance_RR = squared_RR.clamp(min=_LEAST).sqrt()
    rows, columns = distance_RR.mean(0, keepdim=True), distance_RR.mean(1, keepdim=True)
    return distance_RR - rows - columns + distance_RR.mean()


def few_rows(rows: int, most: int) -> Tensor:
    """Indices of at most so many rows, evenly spread: distances cost their square."""
    return torch.arange(0, rows, max(1, -(-rows // most)))
