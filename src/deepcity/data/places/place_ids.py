"""Names of places in a column: whole numbers stay whole, however the file stores them.

A Parquet or Excel column with a gap holds 353324721 as 353324721.0, and a spreadsheet may save it
as 3.53324721E+08: both are the place 353324721. Leading zeros stay. Digits that are lost (3.53E+08)
cannot be had back, and such ids are refused, as several places would become one.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

import polars as pl

from deepcity.city.arrays import Ints
from deepcity.data.errors import ReadError

SCIENTIFIC = r"^\d(?:[.,]\d+)?[eE]\+\d{1,3}$"
_POINT_ZERO = r"^(\d+)\.0+$"
_FROM_TEXT = "export the ids as text (in a spreadsheet: format the column as text, then save again)"
_EXACT = {"Float64": 2.0**53, "Float32": 2.0**24}
"""The least whole number that a type of number may not tell from its neighbours."""


def place_ids(column: pl.Series) -> pl.Series:
    """Each row's place as text; null where there is none.

    >>> place_ids(pl.Series([353324721.0, None])).to_list()
    ['353324721', None]
    >>> place_ids(pl.Series(["0012", "12.0", "3.53324721E+08"])).to_list()
    ['0012', '12', '353324721']

    Raises:
        ReadError: if digits of an id are lost.
    """
    if column.dtype.is_float():
        return _from_floats(column)
    texts = column.cast(pl.String)
    distinct = texts.drop_nulls().unique()  # far fewer than rows
    return texts.replace_strict(distinct, _whole(distinct), default=None, return_dtype=pl.String)


def _whole(texts: pl.Series) -> pl.Series:
    """Texts without blanks around them; whole numbers in their plain form."""
    texts = texts.str.strip_chars().str.replace(_POINT_ZERO, "$1")
    short = texts.filter(texts.str.contains(SCIENTIFIC)).unique()
    return texts.replace({text: _written_out(text, texts.name) for text in short})


@lru_cache(maxsize=100_000)
def place_id(name: str) -> str:
    """One name of a city file as `place_ids` would give it; unchanged where digits are lost."""
    try:
        return str(place_ids(pl.Series([name]))[0])
    except ReadError:
        return name


def _from_floats(column: pl.Series) -> pl.Series:
    known = column.drop_nulls().drop_nans()
    if not bool((known == known.floor()).all()) or bool(known.is_infinite().any()):
        return column.cast(pl.String)
    largest, limit = known.abs().max(), _EXACT.get(str(column.dtype), 2.0**11)
    if isinstance(largest, int | float) and largest >= limit:
        reason = f"ids of {int(largest):,} and more lose digits as {column.dtype} numbers"
        raise ReadError("place", int(largest), reason, _FROM_TEXT)
    return column.fill_nan(None).cast(pl.Int64).cast(pl.String)


def _written_out(text: str, name: str) -> str:
    """A number in scientific notation with all of its digits."""
    mantissa, _, power = text.upper().partition("E+")
    first, _, rest = mantissa.replace(",", ".").partition(".")
    missing = int(power) - len(rest)
    if missing > 0:
        reason = f"the last {missing} digits of this id are lost, so several places may be one"
        raise ReadError("place", f"{name} {text}", reason, _FROM_TEXT)
    digits = first + rest
    whole, fraction = digits[: int(power) + 1], digits[int(power) + 1 :]
    return whole if not re.search("[1-9]", fraction) else text


def place_numbers(names: pl.Series, number: Mapping[str, int]) -> Ints:
    """Number of each row's place, whose name may be in either form; -1 for other places.

    Args:
        names: as `place_ids` gives them.
        number: a place's name in the city file -> its number.
    """
    known = {place_id(name): n for name, n in number.items()}
    placed = names.replace_strict(known, default=-1, return_dtype=pl.Int64)
    return placed.fill_null(-1).to_numpy()
