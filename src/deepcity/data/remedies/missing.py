"""`missing`: texts that mean "not measured", offered while most of the column is measured."""

from dataclasses import replace

import polars as pl

from deepcity.city.problem import Change, Trial
from deepcity.data.remedies import Remedy
from deepcity.data.remedies.cell_texts import UnknownTexts
from deepcity.data.tables.numbers import read_numbers

MAX_SHARE = 0.5  # of a column's cells that hold such a text: else it is no column of numbers
MAX_TEXTS = 20  # more are names or remarks


def _attempt(evidence: UnknownTexts) -> Trial | None:
    texts = evidence.texts
    if not texts:
        return None
    style = replace(evidence.style, missing=(*evidence.style.missing, *texts))
    if len(read_numbers(pl.Series(texts, dtype=pl.String), style).bad):
        return None
    for name, tally in evidence.columns.items():
        lost = sum(tally.bad[text].count for text in texts if text in tally.bad)
        cells = tally.numbers + tally.bad_cells
        if lost > MAX_SHARE * cells or len(texts) > MAX_TEXTS:
            effect = f"{lost:,} of {cells:,} cells of {name} would count as not measured"
            shown = list(texts[:MAX_TEXTS])
            return Trial(Change({"missing": (shown,)}), False, effect)
    count = sum(seen.count for tally in evidence.columns.values() for seen in tally.bad.values())
    effect = f"if that means not measured; {count:,} cell{'s' if count != 1 else ''}"
    return Trial(Change({"missing": (list(texts),)}), True, effect)


REMEDIES = (Remedy("missing", UnknownTexts, _attempt),)
