"""Columns that add up to another one: parts of a count are counts of the same things.

Shapes: R rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from deepcity.city.arrays import Doubles

MIN_ROWS = 50
MAX_COLUMNS = 12  # of which pairs are tried
EQUAL = 0.99  # share of rows in which parts add up


def parts_of(
    totals: Sequence[str], others: Sequence[str], values: Mapping[str, Doubles]
) -> dict[str, tuple[str, ...]]:
    """Total -> the columns whose sum it is; only totals that are one.

    Args:
        totals: columns of counts.
        others: columns that may be parts.
        values: column -> its numbers, (R,); NaN where there is none.
    """
    whole = [name for name in others if _are_counts(values[name])]
    found = {}
    for total in totals:
        parts = next((some for some in _choices(whole) if _add_up(total, some, values)), None)
        if parts is not None:
            found[total] = parts
    return found


def _choices(names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if len(names) > 2:
        yield tuple(names)
    if len(names) <= MAX_COLUMNS:
        yield from combinations(names, 2)


def _are_counts(values_R: Doubles) -> bool:
    known_R = values_R[np.isfinite(values_R)]
    return bool((known_R >= 0).all() and (known_R == np.floor(known_R)).all())


def _add_up(total: str, parts: Sequence[str], values: Mapping[str, Doubles]) -> bool:
    """Whether rows add up, each of the parts having numbers other than 0 and a share of it."""
    parts_PR = np.stack([values[name] for name in parts])
    known_R = np.isfinite(values[total]) & np.isfinite(parts_PR).all(axis=0)
    counted_R = known_R & ((parts_PR > 0).sum(axis=0) > 1)
    same_R = parts_PR.sum(axis=0) == values[total]
    return bool(counted_R.sum() >= MIN_ROWS and same_R[known_R].mean() >= EQUAL)
