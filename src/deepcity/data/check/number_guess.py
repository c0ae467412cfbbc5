"""Guesses for a draft how a table writes its numbers: thousands, decimal sign, units in cells.

What the table does not show is left out: the records are then refused with a question.
"""

import re
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import polars as pl

from deepcity.data.config.number_style import NumberStyle
from deepcity.data.config.toml_file import Raw
from deepcity.data.observations import ColumnTally
from deepcity.data.remedies.cell_texts import UnreadNumbers
from deepcity.data.remedies.number_signs import with_both, with_decimal, with_thousands
from deepcity.data.tables.cell_tally import tally_of
from deepcity.data.tables.numbers import GROUPED, read_numbers, without_units

UNITS = (
    *("명", "인", "대", "건", "원", "회", "개", "개소", "人", "台", "件", "回", "円", "元"),
    *("%", "㎍/㎥", "㎍/m³", "µg/m³", "μg/m³", "ug/m3", "mg/m3", "ppm", "ppb", "℃", "°C", "°F"),
    *("mm", "㎜", "cm", "m", "km", "m/s", "㎧", "km/h", "㎞/h", "mph", "hPa", "kWh", "MWh", "Wh"),
    *("kW", "MW", "W", "L", "ℓ", "㎥", "m³", "m3", "t", "kg", "dB", "€", "$", "£", "¥", "₩", "￦"),
)
MIN_SHARE = 0.9  # of a column's cells that are numbers in some style
MIN_CLEAR = 3  # numbers whose neighbours show what they are


def number_keys(frame: pl.DataFrame, skip: Collection[str], style: NumberStyle) -> Raw:
    """The keys of a source that its cells show, other than those that the style has already.

    Args:
        frame: the table.
        skip: columns that hold times.
        style: what is known already.
    """
    texts = [c for c in frame.iter_columns() if c.dtype == pl.String and c.name not in skip]
    units = _units(texts)
    known = replace(style, units=units)
    columns = {c.name: _tally(c, known) for c in texts if _may_be_numbers(c, known)}
    keys: Raw = {"unit_text": list(units)} if units else {}
    grouped = {name: one for name, one in columns.items() if one.grouped.count}
    if any(one.bad for one in columns.values()):
        return keys | _signs(columns, known, frame)
    clear = [_is_grouped(frame[name], known) for name in grouped if not columns[name].fractions]
    if style.decimal == "." and clear and all(clear):
        return keys | {"thousands": "."}
    return keys


def _signs(columns: dict[str, ColumnTally], style: NumberStyle, frame: pl.DataFrame) -> Raw:
    """The signs that read every number, if only one way does or the neighbours decide."""
    seen = UnreadNumbers(columns, style)
    if not seen.texts:
        return {}
    ways = [*with_thousands(style), *with_decimal(style)]
    fitting = [way for way in ways if _reads(seen, way[1])]
    fitting = fitting or [way for way in with_both(style) if _reads(seen, way[1])]
    if len(fitting) > 1:
        unread = [name for name, tally in columns.items() if tally.bad]
        clear = [_is_grouped(frame[name], style) for name in unread]
        fitting = [way for way in fitting if way[1].thousands] if all(clear) else []
    if not fitting:
        return {}
    found = fitting[0][1]
    keys: Raw = {} if found.decimal == style.decimal else {"decimal": found.decimal}
    return keys | ({"thousands": found.thousands} if found.thousands else {})


def _reads(seen: UnreadNumbers, style: NumberStyle) -> bool:
    return seen.values(style) is not None and seen.broken(style) is None


def _tally(column: pl.Series, style: NumberStyle) -> ColumnTally:
    numbers = read_numbers(column, style)
    return tally_of(column, numbers, np.arange(len(column)), style)


def _may_be_numbers(column: pl.Series, style: NumberStyle) -> bool:
    """Whether nearly all cells are numbers, or are in one of the ways of writing them."""
    texts = column.str.strip_chars()
    texts = texts.filter(~texts.is_in(list(style.missing)).fill_null(value=True))
    if not len(texts):
        return False
    ways = (style, *(way for _, way in (*with_thousands(style), *with_both(style))))
    bad = min(len(read_numbers(texts, way).bad) for way in (*ways, replace(style, decimal=",")))
    return bad <= (1 - MIN_SHARE) * len(texts)


def _units(columns: list[pl.Series]) -> tuple[str, ...]:
    """Units beside the numbers of a column, if it has one only."""
    either = "|".join(re.escape(unit) for unit in sorted(UNITS, key=len, reverse=True))
    number = r"[(+\u2212-]?[\d.,'\u2019\s]*\d"
    found: dict[str, None] = {}
    for column in columns:
        texts = column.str.strip_chars().drop_nulls()
        behind = texts.str.extract(rf"^{number}\s*({either})\)?$")
        before = texts.str.extract(rf"^({either})\s*{number}\)?$")
        unit = pl.select(pl.coalesce(behind, before)).to_series().drop_nulls()
        digits = int(texts.str.contains(r"\d").sum())
        if digits and unit.n_unique() == 1 and len(unit) >= MIN_SHARE * digits / 2:
            found[str(unit[0])] = None
    return tuple(found)


def _is_grouped(column: pl.Series, style: NumberStyle) -> bool:
    """Whether numbers such as 1,019 lie near whole numbers of hundreds: 960, 1,019, 984."""
    bare = replace(style, thousands="", decimal=".")
    texts = without_units(column.str.strip_chars(), style.units)
    grouped_R = np.zeros(len(texts), dtype=bool)
    for sign in ",.":
        found = texts.str.contains(GROUPED[sign]).fill_null(value=False)
        grouped_R |= found.to_numpy()
    digits = texts.str.replace_all("[.,]", "")
    thousands_R = read_numbers(digits, bare).values_R
    whole_R = np.where(grouped_R, np.nan, thousands_R)
    filled = pl.Series(whole_R, nan_to_null=True)
    near = [filled.forward_fill().to_numpy(), filled.backward_fill().to_numpy()]
    with np.errstate(all="ignore"):
        sizes = np.log10(np.abs(np.stack(near)))
        known = np.isfinite(sizes)
        close = np.where(known, sizes, 0.0).sum(axis=0) / known.sum(axis=0)
        distance = np.log10(thousands_R) - close
    clear = distance[grouped_R & np.isfinite(distance)]
    return len(clear) >= MIN_CLEAR and float(np.median(np.abs(clear))) < 1.5
