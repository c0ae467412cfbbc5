"""Days of deep data in PostgreSQL: a partition each, made with its first row.

Only closed days have a vector index (HNSW): it makes inserts some sixty times slower
(benchmarks, `deep-data-store`). An old day is dropped in one step, with its file. Days are
counted since 1970, in UTC.
"""

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection

from deepcity.store.deep_data.database import DAY

CLOSED_AFTER_SECONDS = 3600
"""How long a day must be over before it counts as closed: late rows are in by then."""

_INDEX = "_near"


def make_days(connection: Connection, table: int, wanted: Iterable[int]) -> None:
    """Partitions for days; attached, because making them in place would block readers."""
    existing = set(days(connection, table))
    for day in wanted:
        if day in existing:
            continue
        name, parent = partition(table, day), f"deep_data.space_{table}"
        connection.exec_driver_sql(f"create table {name} (like {parent} including all)")
        connection.exec_driver_sql(
            f"alter table {parent} attach partition {name} "
            f"for values from ({day * DAY}) to ({(day + 1) * DAY})"
        )


def expire(connection: Connection, table: int, before: int) -> tuple[int, int, int]:
    """Delete the rows of a space before a time (seconds since 1970).

    Returns:
        how many, and the earliest and latest time of them; zeros where there were none.
    """
    deleted, times = 0, []
    for day in days(connection, table):
        if day * DAY >= before:
            continue
        name = partition(table, day)
        old = f"from {name} where time < {int(before)}"
        counted = connection.exec_driver_sql(f"select count(*), min(time), max(time) {old}")
        rows, first, last = counted.one()
        deleted += rows
        times += [first, last] if rows else []
        whole = (day + 1) * DAY <= before
        connection.exec_driver_sql(f"drop table {name}" if whole else f"delete {old}")
    return deleted, min(times, default=0), max(times, default=0)


def unindexed(connection: Connection, before: int) -> list[str]:
    """Partitions of days before a day that have no vector index."""
    spaces = connection.exec_driver_sql("select id from deep_data.spaces order by id").scalars()
    names = [
        partition(table, day)
        for table in spaces.all()
        for day in days(connection, table)
        if day < before
    ]
    lacking = (
        "select name from unnest(%(names)s::text[]) as n (name) "
        "where to_regclass(name || %(index)s::text) is null"
    )
    return list(connection.exec_driver_sql(lacking, {"names": names, "index": _INDEX}).scalars())


def index(connection: Connection, name: str) -> None:
    """Build a partition's vector index, by L2 distance."""
    own = name.partition(".")[2] + _INDEX
    connection.exec_driver_sql(
        f"create index if not exists {own} on {name} using hnsw (vector vector_l2_ops)"
    )
    connection.exec_driver_sql(f"analyze {name}")  # statistics, so that the planner uses the index


def days(connection: Connection, table: int) -> list[int]:
    """Days (since 1970) that have a partition, in order."""
    parent = f"deep_data.space_{table}"
    query = (
        "select inhrelid::regclass::text from pg_inherits where inhparent = %(parent)s::regclass"
    )
    found = connection.exec_driver_sql(query, {"parent": parent}).scalars()
    return sorted(_day_of(str(name).rpartition("_")[2]) for name in found)


def partition(table: int, day: int) -> str:
    """Name of a day's partition.

    >>> partition(7, 19844)
    'deep_data.space_7_20240501'
    """
    date = datetime.fromtimestamp(day * DAY, UTC)
    return f"deep_data.space_{table}_{date:%Y%m%d}"


def _day_of(date: str) -> int:
    return int(datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC).timestamp()) // DAY
