"""Texts in columns of numbers, as evidence: what number remedies and `missing` are tried on."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl

from deepcity.city.units import UnitError, check_unit
from deepcity.data.config.number_style import NumberStyle
from deepcity.data.observations import ColumnTally
from deepcity.data.tables.numbers import GROUPED, read_numbers

_SLIP = re.compile(r"([+-]?)([0-9]+)([.,][0-9]+)?\s*([A-Za-z]?)")
_USUAL = 3  # cells with the same letter: no slip any more


@dataclass(frozen=True)
class UnreadNumbers:
    """Cells with digits in them that are no numbers in the style of their source.

    Attributes:
        columns: by name, the cells of every column of text of the source that is read.
        style: how the source's numbers are written, as far as is known.
        also: texts that were read, but may mean another number.
        decimal_stated: whether the city file itself states the decimal sign.
    """

    columns: Mapping[str, ColumnTally]
    style: NumberStyle
    also: tuple[str, ...] = ()
    decimal_stated: bool = True

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every such text."""
        return (
            *dict.fromkeys(text for text in texts_of(self.columns) if has_digit(text)),
            *self.also,
        )

    def values(self, style: NumberStyle) -> np.ndarray | None:
        """What the texts are in another style; None if one of them is no number in it."""
        read = read_numbers(pl.Series(self.texts, dtype=pl.String), style)
        return None if len(read.bad) or len(read.other_sign) else read.values_R

    def broken(self, style: NumberStyle) -> str | None:
        """A number that was read and that another style would change, or None."""
        for tally in self.columns.values():
            kept = {text: value for text, value in tally.separated.items() if text not in self.also}
            read = read_numbers(pl.Series(list(kept), dtype=pl.String), style)
            changed = np.flatnonzero(read.values_R != np.array(list(kept.values())))
            bad = [*changed.tolist(), *read.other_sign.tolist()]
            if bad:
                return str(list(kept)[bad[0]])
        return None

    def fractions_of_counts(self, decimal: str) -> bool:
        """Whether columns of counts hold such texts, and all have three digits after the sign."""
        texts = pl.Series(self.texts, dtype=pl.String)
        counts = any(tally.never_fraction for tally in self.columns.values())
        return counts and decimal in GROUPED and bool(texts.str.contains(GROUPED[decimal]).all())

    def effect(self, values: np.ndarray) -> str:
        """What a text is then, and how large the values get."""
        whole = max((tally.largest_whole for tally in self.columns.values()), default=0.0)
        largest = max(float(values.max()), whole)
        return f"{self.texts[0]!r} is {values[0]:.10g}, the largest value {largest:,.10g}"


@dataclass(frozen=True)
class UnknownTexts:
    """Cells without a digit that are not known to mean "not measured"; else as `UnreadNumbers`."""

    columns: Mapping[str, ColumnTally]
    style: NumberStyle

    @cached_property
    def texts(self) -> tuple[str, ...]:
        """Every such text."""
        return tuple(dict.fromkeys(text for text in texts_of(self.columns) if not has_digit(text)))


def is_stray(text: str, tally: ColumnTally) -> bool:
    """Whether a letter beside a number is a slip: no known unit, and not beside most numbers."""
    if not re.fullmatch("[A-Za-z]", text):
        return False
    with_it = sum(seen.count for cell, seen in tally.bad.items() if text in cell)
    if not with_it or with_it >= max(_USUAL, tally.numbers):
        return False
    try:
        check_unit(text)
    except UnitError:
        return True
    return False


def corrected(columns: Mapping[str, ColumnTally], style: NumberStyle) -> str:
    """How the first slip of a letter or of the decimal sign is to be written; else nothing.

    A text that can be read in two ways is not written for anyone.
    """
    other = "," if style.decimal == "." else "."
    for tally in columns.values():
        for text in tally.bad:
            found = _SLIP.fullmatch(text)
            if not found or (found[4] and not is_stray(found[4], tally)):
                continue
            if found[3] and found[3][0] == other and (len(found[3]) == 4 or style.thousands):
                continue
            fraction = f"{style.decimal}{found[3][1:]}" if found[3] else ""
            return f" (write {found[1]}{found[2]}{fraction} for {text!r})"
    return ""


def texts_of(columns: Mapping[str, ColumnTally]) -> Iterable[str]:
    """Every text of some columns that is no number."""
    return (text for tally in columns.values() for text in tally.bad)


def has_digit(text: str) -> bool:
    """Whether a text may be a number."""
    return any(sign.isdigit() for sign in text)
