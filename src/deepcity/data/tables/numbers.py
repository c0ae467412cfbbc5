"""Parses a column of cells into numbers: missing markers become NaN, other text is reported."""

import math
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import polars as pl

from deepcity.city.arrays import Doubles, Indices

OTHER_SIGN = {sign: rf"^[+-]?\d*[{sign}]\d+$" for sign in ",."}


@cache
def _number_among(missing: tuple[str, ...]) -> bool:
    """Whether one of the missing markers is itself a number."""

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
        values_R: NaN where missing, infinite or not a number.
        bad: positions of cells that are neither a number nor a missing marker.
        infinite: positions of infinite values.
        other_sign: positions of cells with the other decimal sign: a comma where the sign is a
            point (also in `bad`), or a point where it is a comma (read as a decimal point).
    """

    values_R: Doubles
    bad: Indices
    infinite: Indices
    other_sign: Indices = field(default_factory=lambda: np.empty(0, dtype=np.intp))


def read_numbers(column: pl.Series, missing: tuple[str, ...], decimal: str = ".") -> Numbers:
    """Numbers of one column, which may hold text or numbers.

    >>> read_numbers(pl.Series(["1.5", "NA", "two"]), ("NA",)).values_R.tolist()
    [1.5, nan, nan]
    """
    other_sign = np.empty(0, dtype=np.intp)
    if column.dtype == pl.String and decimal == "." and not _number_among(missing):
        numbers = column.cast(pl.Float64, strict=False)
        if numbers.null_count() == column.null_count():  # all cells are numbers
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
