"""Rows of deep data, fetched in parts and put together in order.

A long span is fetched in parts of a few times each, so that memory holds no more than the
result and one part. Shapes as in `deep_data`; I numbers of cells.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.deep_data.database import DAY, DeepTables, Names, Part, ReadQuery, SpaceTable
from deepcity.store.deep_data.upsert import Ids

PART_ROWS = 65_536
"""So many rows at a time, or those of one time if they are more."""


@dataclass(frozen=True)
class Parts:
    """A result in parts: its number of rows, and the parts, each later than the one before."""

    rows: int
    parts: Iterable[Part]


def one_part(part: Part) -> Parts:
    """A result of one part."""
    return Parts(len(part[1]), [part])


def plan_parts(tables: DeepTables, table: SpaceTable, read_query: ReadQuery) -> Parts:
    """Rows of a span; a day or less is one part."""
    if read_query.until - read_query.since <= DAY:
        return one_part(tables.rows(table, read_query))
    counts = tables.counts(table, read_query)
    spans = (ReadQuery(read_query.ids, since, until) for since, until in _spans(counts))
    return Parts(sum(rows for _, rows in counts), (tables.rows(table, span) for span in spans))


def collect(space: Space, width: int, names: Names, found: Parts) -> DeepData:
    """Parts -> rows by time and then by cell."""
    ids = sorted(names, key=names.__getitem__)
    rank_I = np.zeros(max(ids, default=0) + 1, np.int32)  # rank of a cell by name
    rank_I[ids] = np.arange(len(ids))
    time_R, rank_R = np.empty(found.rows, np.int64), np.empty(found.rows, np.int32)
    vectors_RW, first = np.empty((found.rows, width), np.float32), 0
    for part in found.parts:
        rows = slice(first, first + len(part[1]))
        rank_R[rows], time_R[rows], vectors_RW[rows] = _sorted(rank_I, part)
        first = rows.stop
    texts = np.array([names[number] for number in ids] or [""], np.str_)
    return DeepData(space, time_R, texts[rank_R], vectors_RW)


def _sorted(rank_I: Ids, part: Part) -> Part:
    id_R, time_R, vectors_RW = part
    rank_R = rank_I[id_R]
    order_R = np.lexsort((rank_R, time_R))
    return rank_R[order_R], time_R[order_R], vectors_RW[order_R]


def _spans(counts: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Times with their numbers of rows -> spans of no more than a part's rows.

    >>> list(_spans([(10, 40_000), (20, 20_000), (30, 10_000)]))
    [(10, 21), (30, 31)]
    """
    first, last, held = 0, 0, 0
    for time, rows in counts:
        if held and held + rows > PART_ROWS:
            yield first, last + 1
            held = 0
        first, last, held = (first if held else time), time, held + rows
    if held:
        yield first, last + 1
