"""A store of deep data, whatever database holds the rows.

A stored vector cannot be read without a grant: a store is handed a function that says who
may read which space, and asks it before every read. Anything but True is no.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Self

from deepcity.city.arrays import Floats
from deepcity.city.errors import GrantError, StoreError
from deepcity.store.arrivals import Appended, own_rows, settle
from deepcity.store.deep_data import DeepData, Space
from deepcity.store.deep_data_check import check_batch, check_query, check_room
from deepcity.store.deep_tables import (
    DAY,
    DAYS,
    Database,
    DeepTables,
    Distance,
    Near,
    Neighbours,
    Result,
    Shelf,
    Table,
    Wanted,
)
from deepcity.store.gather import gathered, in_parts, one_part

MayRead = Callable[[str, Space], bool]
"""(reader, space) -> True if a grant covers it."""

_ALWAYS = (0, 1 << 62)  # leaves no time out


class DeepDataStore:
    """Deep data of any number of spaces.

    Every method raises StoreError when the database refuses, with its reason; nothing is half
    done then. Every read raises GrantError without a grant, and StoreError for a space that
    the store does not hold.

    Args:
        database: where the rows are.
        may_read: who may read which space; asked before every read.
    """

    def __init__(self, database: Database, may_read: MayRead) -> None:
        self._database, self._may_read = database, may_read

    def register(self, space: Space, width: int, days: int | None = DAYS) -> None:
        """Make room for a space; the first append does it too. Twice changes nothing.

        Raises:
            DeepDataError: if the width or the days cannot be, or it has another width already.
        """
        check_room(space, width, days)
        self._database.writing(lambda tables: tables.make_room(space, width, days))

    def append(
        self,
        batch: DeepData,
        *,
        now: int,
        cells: Collection[str] | None = None,
        revision: int = 0,
    ) -> Appended:
        """Store all rows of a batch, or none; to send rows twice changes nothing.

        For a cell and a time the highest revision counts, in whatever order they come. Within
        one revision a stored vector stands: another one is refused, because a model of one
        version gives one vector for the same records.

        Args:
            batch: rows of one space.
            now: seconds since 1970 in UTC; rows later than that are refused.
            cells: the only cells that are known; None: any.
            revision: of the records that it was made from; higher after a correction.

        Raises:
            DeepDataError: with everything that is wrong with the batch.
        """
        check_batch(batch, now, cells)

        def work(tables: DeepTables) -> Appended:
            table = tables.make_room(batch.space, batch.width, DAYS)
            id_R = tables.ids(table, batch.cell_R)
            own_U = own_rows(batch.time_R, id_R)
            held = tables.stored(table, batch, id_R, own_U)
            settled = settle(batch, own_U, held, revision=revision)
            tables.write(table, batch, id_R, settled)
            return settled.appended

        return self._database.writing(work)

    def read(
        self, space: Space, cells: Sequence[str] | None, since: int, until: int, *, reader: str
    ) -> DeepData:
        """Rows with since <= time < until, by time and then by cell; cells None: of all.

        They are fetched in parts, so that it takes little more memory than what it gives back.
        """

        def work(tables: DeepTables, table: Table) -> DeepData:
            names = tables.names(table, cells)
            wanted = Wanted(None if cells is None else list(names), int(since), int(until))
            return gathered(space, table.width, names, in_parts(tables, table, wanted))

        return self._reading(space, reader, work)

    def latest(
        self, space: Space, cells: Sequence[str] | None, at: int, *, reader: str
    ) -> DeepData:
        """The newest row of each cell at or before a time; a cell without one is left out."""

        def work(tables: DeepTables, table: Table) -> DeepData:
            names = tables.names(table, cells)
            part = tables.newest(table, list(names), int(at))
            return gathered(space, table.width, names, one_part(part))

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

        Distances are those of float32 arithmetic. Equally near ones stand by time, then by
        cell. By cosine, a stored vector of zeros stands at distance 1 from everything.

        Args:
            space: only its vectors are looked at, so versions never mix.
            vector_W: what to be near to.
            k: how many.
            since: earliest time; None: from the first row on.
            until: first time left out; None: to the last row.
            reader: who asks.
            by: L2 distance, or 1 - cosine of the angle.
            exact: False lets a store use an index that may miss some of the nearest.

        Raises:
            DeepDataError: with everything that is wrong with the question.
        """
        first = _ALWAYS[0] if since is None else int(since)
        last = _ALWAYS[1] if until is None else int(until)
        near = Near(vector_W, k, first, last, by, exact)

        def work(tables: DeepTables, table: Table) -> Neighbours:
            check_query(space, vector_W, k, table.width, by)
            return tables.nearest(space, table, near)

        return self._reading(space, reader, work)

    def retain(self, space: Space, days: int | None) -> None:
        """Set how long a space keeps its vectors; None: for good."""

        def work(tables: DeepTables) -> None:
            table = _found(tables, space)
            check_room(space, table.width, days)
            tables.keep(table, days)

        self._database.writing(work)

    def kept_from(self, space: Space, now: int) -> int | None:
        """The time before which rows of a space are deleted at the next tending; None: none."""
        days = next((shelf.days for shelf in self.spaces() if shelf.space == space), DAYS)
        return None if days is None else int(now) - days * DAY

    def expire(self, now: int) -> int:
        """Delete rows older than their space keeps them, and say how many.

        The database uses the freed room again; it does not wipe the disk.
        """
        return self._database.writing(lambda tables: tables.expire(int(now)))

    def tend(self, now: int) -> int:
        """What is due once in a while: delete what is too old, and say how many rows.

        Whoever keeps a store open day and night calls it every hour or so.
        """
        return self.expire(now)

    def spaces(self) -> tuple[Shelf, ...]:
        """What the store holds, in order; no grant is needed to know."""
        return self._database.reading(lambda tables: tables.shelves())

    def close(self) -> None:
        """Let go of the database. Twice is fine."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _reading(
        self, space: Space, reader: str, work: Callable[[DeepTables, Table], Result]
    ) -> Result:
        check_reader(self._may_read, reader, space)
        return self._database.reading(lambda tables: work(tables, _found(tables, space)))


def check_reader(may_read: MayRead, reader: str, space: Space) -> None:
    """Let a reader pass, or refuse.

    Raises:
        GrantError: naming the space, the reader and the next step.
    """
    # not just true: an answer such as "deny" or an error's text must not open the door
    if may_read(reader, space) is not True:
        msg = (
            f"{reader!r} may not read {space}: no grant covers it. "
            f"Ask {space.city}/{space.agency} to grant {space.layer} to {reader!r}"
        )
        raise GrantError(msg)


def _found(tables: DeepTables, space: Space) -> Table:
    table = tables.find(space)
    if table is None:
        raise _unknown_space(space, tables.shelves())
    return table


def _unknown_space(space: Space, shelves: Sequence[Shelf]) -> StoreError:
    """The error for a space that is not there, with the versions that are."""
    known = [shelf.space for shelf in shelves]
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
