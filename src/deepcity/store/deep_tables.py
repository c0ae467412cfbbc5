"""What a database must do so that a `DeepDataStore` can keep deep data in it.

Everything happens inside a transaction: a store hands a database some work, and gets the
tables to do it with. Spaces and cells are numbers there. Shapes as in `deep_data`; U rows
with a cell and time of their own, K nearest rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from deepcity.city.arrays import Doubles, Floats, Ints, Texts
from deepcity.store.arrivals import Ids, Settled, Stored
from deepcity.store.deep_data import DeepData, Space

DAY = 86_400
DAYS = 90
"""How long a space keeps its vectors, unless told otherwise."""

Distance = Literal["l2", "cosine"]
Names = dict[int, str]
"""Number of a cell -> its name."""

Part = tuple[Ids, Ints, Floats]
"""Some rows, in any order: cells by number, times, vectors."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Shelf:
    """A space as a store keeps it.

    Attributes:
        space: which.
        width: numbers a vector.
        days: how long a vector is kept; None: for good.
    """

    space: Space
    width: int
    days: int | None


@dataclass(frozen=True)
class Table:
    """Where a space's rows are: the number of its table, and its width."""

    number: int
    width: int


@dataclass(frozen=True)
class Wanted:
    """Rows that are asked for: of some cells, in since <= time < until.

    Attributes:
        ids: numbers of the cells; None: all.
    """

    ids: Sequence[int] | None
    since: int
    until: int


@dataclass(frozen=True, eq=False)
class Near:
    """A search; as `DeepDataStore.nearest` has it."""

    vector_W: Floats
    k: int
    since: int
    until: int
    by: Distance
    exact: bool


@dataclass(frozen=True, eq=False)
class Neighbours:
    """The K nearest vectors of one space, nearest first.

    Attributes:
        space: which they belong to.
        time_K: int64, seconds since 1970 in UTC.
        cell_K: text.
        vectors_KW: float32.
        distance_K: float64; L2, or 1 - cosine of the angle.
    """

    space: Space
    time_K: Ints
    cell_K: Texts
    vectors_KW: Floats
    distance_K: Doubles


class DeepTables(Protocol):
    """The tables, within one transaction."""

    def find(self, space: Space) -> Table | None:
        """The table of a space; None if there is none."""

    def make_room(self, space: Space, width: int, days: int | None) -> Table:
        """The table of a space, made if there is none; nobody else writes to it now.

        Raises:
            DeepDataError: if it has another width.
        """

    def shelves(self) -> tuple[Shelf, ...]:
        """All spaces, in order."""

    def keep(self, table: Table, days: int | None) -> None:
        """Set how long its rows are kept."""

    def expire(self, now: int) -> int:
        """Delete rows older than their space keeps them, and say how many."""

    def ids(self, table: Table, cell_R: Texts) -> Ids:
        """The number of each row's cell; new cells get the next ones."""

    def names(self, table: Table, cells: Sequence[str] | None) -> Names:
        """Those of these cells that it knows; None: all."""

    def stored(self, table: Table, batch: DeepData, id_R: Ids, own_U: Ints) -> Stored:
        """What it holds for rows of a batch, also what was taken back."""

    def write(self, table: Table, batch: DeepData, id_R: Ids, settled: Settled) -> None:
        """Remove what is revised and insert what is new."""

    def counts(self, table: Table, wanted: Wanted) -> Sequence[tuple[int, int]]:
        """Each time that has such rows, in order, and how many."""

    def rows(self, table: Table, wanted: Wanted) -> Part:
        """Such rows."""

    def newest(self, table: Table, ids: Sequence[int], at: int) -> Part:
        """The newest row of each of these cells at or before a time."""

    def nearest(self, space: Space, table: Table, near: Near) -> Neighbours:
        """The nearest rows."""


class Database(Protocol):
    """What holds the tables. Each call is a transaction: all of it or nothing."""

    def reading(self, work: Callable[[DeepTables], Result]) -> Result:
        """Do some work that writes nothing, and sees the tables as they stood at one moment."""

    def writing(self, work: Callable[[DeepTables], Result]) -> Result:
        """Do some work; it may be begun twice, so it changes nothing but the tables."""

    def close(self) -> None:
        """Let go of it. Twice is fine."""
