"""Parses a column of cells into numbers: missing markers become NaN, other text is reported."""

import math
import re
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import polars as pl

from deepcity.city.arrays import Doubles, Indices
from deepcity.data.config.number_style import NumberStyle

OTHER_SIGN = {sign: rf"^[+-]?\d*[{sign}]\d+$" for sign in ",."}
GROUPED = {sign: rf"^[+-]?[1-9]\d{{0,2}}(?:[{sign}]\d{{3}})+$" for sign in ",."}
MINUS = "[\u2212\ufe63\uff0d]"  # signs that mean what a hyphen means before a number


@cache
def _number_among(missing: tuple[str, ...]) -> bool:
    """Whether one of the missing markers is itself a number."""

    def is_number(text: str) -> bool:
        try:
            return not math.isnan(float(text))
        except ValueError:
            return False

    return any(is_number(text) for text in missing)


_MOST = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Numbers:
    """A column's numbers.

    Attributes:
        values_R: NaN where missing, infinite, too large for a panel (float32) or not a number.
        bad: positions of cells that are neither a number nor a missing marker.
        infinite: positions of infinite values, and of those too large.
        other_sign: positions of cells with the other decimal sign: a comma where the sign is a
            point (also in `bad`), or a point where it is a comma (read as a decimal point).
        negated: positions of cells read as negative for their brackets or the minus behind them.
    """

    values_R: Doubles
    bad: Indices
    infinite: Indices
    other_sign: Indices = field(default_factory=lambda: np.empty(0, dtype=np.intp))
    negated: Indices = field(default_factory=lambda: np.empty(0, dtype=np.intp))


def read_numbers(column: pl.Series, style: NumberStyle) -> Numbers:
    """Numbers of one column, which may hold text or numbers.

    >>> read_numbers(pl.Series(["1.5", "NA", "two"]), NumberStyle()).values_R.tolist()
    [1.5, nan, nan]
    >>> european = NumberStyle(decimal=",", thousands=".", units=("€",))
    >>> read_numbers(pl.Series(["1.019,5", "€ 3,20", "(7)"]), european).values_R.tolist()
    [1019.5, 3.2, -7.0]
    """
    none = np.empty(0, dtype=np.intp)
    if column.dtype == pl.String and style.decimal == "." and style.thousands != ".":
        numbers = None if _number_among(style.missing) else column.cast(pl.Float64, strict=False)
        if numbers is not None and numbers.null_count() == column.null_count():
            column = numbers  # all cells are numbers
    if column.dtype == pl.String:
        return _of_texts(column.str.strip_chars(), style)
    if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.Null):
        return _finished(column.cast(pl.Float64), none)
    bad = np.flatnonzero(column.is_not_null().to_numpy())
    return _finished(pl.Series([None] * len(column), dtype=pl.Float64), bad)


def _finished(
    numbers: pl.Series, bad: Indices, other: Indices | None = None, negated: Indices | None = None
) -> Numbers:
    filled = numbers.fill_null(float("nan")) if numbers.null_count() else numbers
    values_R = filled.to_numpy().copy()
    infinite = np.flatnonzero(np.abs(values_R) > _MOST)
    values_R[infinite] = np.nan
    none = np.empty(0, dtype=np.intp)
    others = none if other is None else other
    return Numbers(values_R, bad, infinite, others, none if negated is None else negated)


def _of_texts(texts: pl.Series, style: NumberStyle) -> Numbers:
    """Numbers of cells without space around them; only those that are not plain take long."""
    absent = texts.is_null() | texts.is_in(list(style.missing))
    plain = texts.cast(pl.Float64, strict=False)
    if style.decimal != "." or style.thousands == ".":
        pointed = texts.str.contains(".", literal=True).fill_null(value=False)
        plain = pl.select(pl.when(pointed).then(None).otherwise(plain)).to_series()
    rest = np.flatnonzero((plain.is_null() & ~absent).to_numpy())
    values_R = plain.fill_null(float("nan")).to_numpy().copy()
    values_R[absent.to_numpy()] = np.nan
    none = np.empty(0, dtype=np.intp)
    if not len(rest):
        return _finished(pl.Series(values_R), none)
    written = texts.gather(rest)
    distinct = pl.DataFrame({"text": written.unique()})
    read = distinct.with_columns(*_written(distinct["text"], style))
    each = written.to_frame("text").join(read, on="text", how="left", maintain_order="left")
    numbers, negated = each["number"], each["negated"]
    values_R[rest] = numbers.fill_null(float("nan")).to_numpy()
    other = written.str.contains(OTHER_SIGN["," if style.decimal == "." else "."])
    other_sign = rest[other.to_numpy()] if not style.thousands else none
    return _finished(
        pl.Series(values_R),
        rest[numbers.is_null().to_numpy()],
        other_sign,
        rest[negated.to_numpy()],
    )


def _written(texts: pl.Series, style: NumberStyle) -> tuple[pl.Series, pl.Series]:
    """Numbers of cells as people write them, null where they are none; and which are negated."""
    body = texts.str.replace_all(MINUS, "-")
    bracketed = body.str.contains(r"^\([^()]*\)$")
    body = body.str.replace(r"^\(([^()]*)\)$", "$1").str.strip_chars()
    behind = body.str.contains(r"^[^+-]*\d[^+-]*-$")
    negated = bracketed | behind
    body = pl.select(
        pl.when(behind).then(body.str.replace("-$", "").str.strip_chars()).otherwise(body)
    ).to_series()
    signed = body.str.contains("^[+-]")
    minus = body.str.starts_with("-")
    body = body.str.replace(r"^[+-]\s*", "")
    body = without_units(body, style.units)
    inner = body.str.contains("^[+-]") & ~signed
    minus = minus | (inner & body.str.starts_with("-"))
    doubled = body.str.contains("^[+-]") & signed
    body = body.str.replace(r"^[+-]\s*", "")
    numbers = _ungrouped(body, style).cast(pl.Float64, strict=False)
    wrong = doubled | (negated & minus)
    factor = pl.when(negated | minus).then(-1.0).otherwise(1.0)
    value = pl.when(wrong).then(None).otherwise(factor * numbers)
    negated = negated & ~wrong & numbers.is_not_null()
    return pl.select(value.alias("number")).to_series(), negated.alias("negated")


def without_units(body: pl.Series, units: tuple[str, ...]) -> pl.Series:
    """Texts without a unit before or after what remains."""
    if not units:
        return body
    either = "|".join(re.escape(text.strip()) for text in sorted(units, key=len, reverse=True))
    found = body.str.replace(rf"^(?:{either})\s*", "")
    return found.str.replace(rf"\s*(?:{either})$", "")


def _ungrouped(body: pl.Series, style: NumberStyle) -> pl.Series:
    """Digits with a decimal point; null where signs stand that the style does not allow there.

    Groups hold three digits, after the first; with commas also two before the last (India).
    """
    sign, fraction = re.escape(style.decimal), rf"(?:{re.escape(style.decimal)}\d+)?"
    plain = body.str.contains(rf"^(?:\d+{fraction}|{sign}\d+|\d+{sign})(?:[eE][+-]?\d+)?$")
    plain = plain | body.str.contains(r"^(?i:nan|inf|infinity)$")
    if style.decimal == "," and not style.thousands:  # a point that cannot part thousands
        plain = plain | (body.str.contains(OTHER_SIGN["."]) & ~body.str.contains(GROUPED["."]))
    allowed, ungrouped = plain, body
    if style.grouping:
        group = "[" + re.escape(style.grouping) + "]"
        allowed = allowed | body.str.contains(rf"^[1-9]\d{{0,2}}(?:{group}\d{{3}})+{fraction}$")
        if style.thousands == ",":
            allowed = allowed | body.str.contains(rf"^[1-9]\d?(?:,\d\d)+,\d{{3}}{fraction}$")
        ungrouped = body.str.replace_all(group, "")
    pointed = ungrouped.str.replace(style.decimal, ".", literal=True)
    return pl.select(pl.when(allowed).then(pointed).otherwise(None)).to_series()
