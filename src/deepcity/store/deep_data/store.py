"""A store of deep data, whatever database holds the rows.

A stored vector cannot be read without a grant: a store gets a function that decides who may
read which space, and calls it before every read. Anything but True refuses.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Self

from deepcity.city.arrays import Floats
from deepcity.city.errors import GrantError, StoreError
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.deep_data.checks import check_batch, check_query, check_space_settings
from deepcity.store.deep_data.chunked_read import collect, one_part, plan_parts
from deepcity.store.deep_data.database import (
    DAY,
    DAYS,
    Database,
    DeepTables,
    Distance,
    ExpiredRows,
    NearestQuery,
    Neighbours,
    ReadQuery,
    Result,
    SpaceInfo,
    SpaceTable,
)
from deepcity.store.deep_data.upsert import Appended, plan_upsert, unique_rows

MayRead = Callable[[str, Space], bool]
"""(reader, space) -> True if a grant covers it."""

RecordExpired = Callable[[Sequence[ExpiredRows]], object]
"""Keeps what is about to be deleted."""

_ALWAYS = (0, 1 << 62)  # leaves no time out


class DeepDataStore:
    """Deep data of any number of spaces.

    Every method raises StoreError with the reason when the database fails; nothing is half
    done then. Every read raises GrantError without a grant, and StoreError for a space that
    the store does not hold.

    Args:
        may_read: decides who may read which space; called before every read.
    """

    def __init__(self, database: Database, may_read: MayRead) -> None:
        self._database, self._may_read = database, may_read

    def register(self, space: Space, width: int, days: int | None = DAYS) -> None:
        """Register a space; the first append does it too. Twice changes nothing.

        Raises:
            DeepDataError: if width or days are invalid, or it has another width already.
        """
        check_space_settings(space, width, days)
        self._database.writing(lambda tables: tables.ensure_table(space, width, days))

    def append(
        self,
        batch: DeepData,
        *,
        now: int,
        cells: Collection[str] | None = None,
        revision: int = 0,
    ) -> Appended:
        """Store all rows of a batch, or none; to send rows twice changes nothing.

        For a cell and a time the highest revision counts, in whatever order they arrive. Within
        one revision a stored vector is kept: another one is refused, because a model of one
        version gives one vector for the same records.

        Args:
            now: seconds since 1970 in UTC; rows later than that are refused.
            cells: the only cells allowed; None: any.
            revision: of the records it was encoded from; higher after a correction.

        Raises:
            DeepDataError: with every problem of the batch.
        """
        check_batch(batch, now, cells)

        def work(tables: DeepTables) -> Appended:
            table = tables.ensure_table(batch.space, batch.width, DAYS)
            id_R = tables.ids(table, batch.cell_R)
            unique_U = unique_rows(batch.time_R, id_R)
            held = tables.stored(table, batch, id_R, unique_U)
            plan = plan_upsert(batch, unique_U, held, revision=revision)
            tables.write(table, batch, id_R, plan)
            return plan.appended

        return self._database.writing(work)

    def read(
        self, space: Space, cells: Sequence[str] | None, since: int, until: int, *, reader: str
    ) -> DeepData:
        """Rows with since <= time < until, by time and then by cell; cells None: of all.

        They are fetched in parts, so that it takes little more memory than its result.
        """

        def work(tables: DeepTables, table: SpaceTable) -> DeepData:
            names = tables.names(table, cells)
            read_query = ReadQuery(None if cells is None else list(names), int(since), int(until))
            return collect(space, table.width, names, plan_parts(tables, table, read_query))

        return self._reading(space, reader, work)

    def latest(
        self, space: Space, cells: Sequence[str] | None, at: int, *, reader: str
    ) -> DeepData:
        """The newest row of each cell at or before a time; a cell without one is left out."""

        def work(tables: DeepTables, table: SpaceTable) -> DeepData:
            names = tables.names(table, cells)
            part = tables.newest(table, list(names), int(at))
            return collect(space, table.width, names, one_part(part))

        return self._reading(space, reader, work)

    def nearest(
        self,
        space: Space,
        vector_W: Floats,
        k: int,
        since: int | None = None,
        until: int | None = None,
        *,
        reader: str,
        by: Distance = "l2",
        exact: bool = True,
    ) -> Neighbours:
        """The k rows of a space whose vectors are nearest, fewer if there are not so many.

        Distances are those of float32 arithmetic. Ties are in order of time, then of
        cell. By cosine, a stored vector of zeros has distance 1 from everything.

        Args:
            space: only its vectors are compared, so versions never mix.
            since: earliest time; None: from the first row on.
            until: first time left out; None: to the last row.
            by: L2 distance, or 1 - cosine of the angle.
            exact: False lets a store use an index that may miss some of the nearest.

        Raises:
            DeepDataError: with every problem of the query.
        """
        first = _ALWAYS[0] if since is None else int(since)
        last = _ALWAYS[1] if until is None else int(until)
        search = NearestQuery(vector_W, k, first, last, by, exact)

        def work(tables: DeepTables, table: SpaceTable) -> Neighbours:
            check_query(space, vector_W, k, table.width, by)
            return tables.nearest(space, table, search)

        return self._reading(space, reader, work)

    def check_read(self, reader: str, space: Space) -> None:
        """Check that a reader may read a space now.

        Raises:
            GrantError: if it may not.
        """
        check_reader(self._may_read, reader, space)

    def retain(self, space: Space, days: int | None) -> None:
        """Set how long a space keeps its vectors; None: forever."""

        def work(tables: DeepTables) -> None:
            table = _table_of(tables, space)
            check_space_settings(space, table.width, days)
            tables.set_retention(table, days)

        self._database.writing(work)

    def retention_start(self, space: Space, now: int) -> int | None:
        """The time before which `tend` deletes rows of a space; None: none."""
        days = next((info.days for info in self.spaces() if info.space == space), DAYS)
        return None if days is None else int(now) - days * DAY

    def expire(self, now: int, record: RecordExpired | None = None) -> int:
        """Delete rows older than their space keeps them; returns how many.

        The database reuses the freed space; it does not wipe the disk.

        Args:
            record: called with what is deleted, if anything is, before that is final: nothing is
                deleted if it fails. A kill between the two leaves the rows, and a record that the
                next deletion repeats.
        """

        def work(tables: DeepTables) -> int:
            gone = tables.expire(int(now))
            if gone and record is not None:
                record(gone)
            return sum(one.rows for one in gone)

        return self._database.writing(work)

    def tend(self, now: int, record: RecordExpired | None = None) -> int:
        """Regular maintenance: delete rows that are too old; returns how many.

        A service that keeps a store open calls it about every hour.

        Args:
            record: as of `expire`.
        """
        return self.expire(now, record)

    def spaces(self) -> tuple[SpaceInfo, ...]:
        """All spaces of the store, in order; this needs no grant."""
        return self._database.reading(lambda tables: tables.list_spaces())

    def close(self) -> None:
        """Close the database; closing twice is fine."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reading(
        self, space: Space, reader: str, work: Callable[[DeepTables, SpaceTable], Result]
    ) -> Result:
        check_reader(self._may_read, reader, space)
        return self._database.reading(lambda tables: work(tables, _table_of(tables, space)))


def check_reader(may_read: MayRead, reader: str, space: Space) -> None:
    """Check that a reader has a grant.

    Raises:
        GrantError: naming the space, the reader and the next step.
    """
    # `is True`: a truthy value such as "deny" or an error's text must not grant access
    if may_read(reader, space) is not True:
        raise GrantError(
            f"{reader!r} may not read {space}: no grant covers it. "
            f"Ask {space.city}/{space.agency} to grant {space.layer} to {reader!r}"
        )


def _table_of(tables: DeepTables, space: Space) -> SpaceTable:
    table = tables.find(space)
    if table is None:
        raise _unknown_space(space, tables.list_spaces())
    return table


def _unknown_space(space: Space, infos: Sequence[SpaceInfo]) -> StoreError:
    """The error for a space that is not stored, with the versions that are."""
    known = [info.space for info in infos]
    others = [other.version for other in known if _but_version(other) == _but_version(space)]
    if others:
        hint = f"of this layer it holds version {', '.join(others)}; ask for one of them"
    elif known:
        hint = f"it holds {', '.join(map(str, known[:5]))}; ask for one of them, or append first"
    else:
        hint = "it is empty; append first"
    return StoreError(f"{space} is not in the store: {hint}")


def _but_version(space: Space) -> tuple[str, ...]:
    return (space.city, space.domain, space.agency, space.layer)
