"""From a column of cells to numbers: what says "missing" becomes NaN, any other text is told."""

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import polars as pl
from numpy.typing import NDArray

OTHER_SIGN = {sign: rf"^[+-]?\d*[{sign}]\d+$" for sign in ",."}


@cache
def _number_among(missing: tuple[str, ...]) -> bool:
    """Whether a number means "missing" too."""

    def is_number(text: str) -> bool:
        try:
            return not math.isnan(float(text))
        except ValueError:
            return False

    return any(is_number(text) for text in missing)


@dataclass(frozen=True)
class Numbers:
    """A column's numbers.

    Attributes:
        values_R: NaN where missing, infinite or no number.
        bad: positions of cells that are neither a number nor a missing marker.
        infinite: positions of infinite values.
        other_sign: positions of cells with a decimal comma among points, or a point among
            commas; the former are bad too, the latter read as if points were right there.
    """

    values_R: NDArray[np.float64]
    bad: NDArray[np.intp]
    infinite: NDArray[np.intp]
    other_sign: NDArray[np.intp] = field(default_factory=lambda: np.empty(0, dtype=np.intp))


def read_numbers(column: pl.Series, missing: tuple[str, ...], decimal: str = ".") -> Numbers:
    """Numbers of one column, which may hold texts or numbers already.

    >>> read_numbers(pl.Series(["1.5", "NA", "two"]), ("NA",)).values_R.tolist()
    [1.5, nan, nan]
    """
    other_sign = np.empty(0, dtype=np.intp)
    if column.dtype == pl.String and decimal == "." and not _number_among(missing):
        numbers = column.cast(pl.Float64, strict=False)
        if numbers.null_count() == column.null_count():  # numbers only: no need to look closer
            column = numbers
    if column.dtype == pl.String:
        texts = column.str.strip_chars()
        absent = texts.is_null() | texts.is_in(list(missing))
        plain = texts if decimal == "." else texts.str.replace(decimal, ".", literal=True)
        numbers = plain.cast(pl.Float64, strict=False)
        bad = np.flatnonzero((numbers.is_null() & ~absent).to_numpy())
        other = texts.str.contains(OTHER_SIGN["," if decimal == "." else "."])
        other_sign = np.flatnonzero((other & ~absent).fill_null(value=False).to_numpy())
        numbers = pl.select(pl.when(absent).then(None).otherwise(numbers)).to_series()
    elif column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
        numbers, bad = column.cast(pl.Float64), np.empty(0, dtype=np.intp)
    else:
        numbers = pl.Series([None] * len(column), dtype=pl.Float64)
        bad = np.flatnonzero(column.is_not_null().to_numpy())
    values_R = numbers.fill_null(float("nan")).to_numpy().copy()
    infinite = np.flatnonzero(np.isinf(values_R))
    values_R[infinite] = np.nan
    return Numbers(values_R, bad, infinite, other_sign)
