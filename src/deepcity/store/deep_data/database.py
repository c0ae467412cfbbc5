"""The interface of a database that a `DeepDataStore` keeps deep data in.

Everything happens inside a transaction: a store passes a database a function, which is called
with the tables. Spaces and cells are numbers there. Shapes as in `deep_data`; U rows
with a cell and time of their own, K nearest rows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from deepcity.city.arrays import Doubles, Floats, Ints, Texts
from deepcity.store.deep_data.batch import DeepData, Space
from deepcity.store.deep_data.upsert import Ids, StoredRows, UpsertPlan

DAY = 86_400
DAYS = 90
"""How long a space keeps its vectors by default."""

Distance = Literal["l2", "cosine"]
Names = dict[int, str]
"""Number of a cell -> its name."""

Part = tuple[Ids, Ints, Floats]
"""Some rows, in any order: cells by number, times, vectors."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class ExpiredRows:
    """Rows of a space that are deleted, because they are older than it keeps them.

    Attributes:
        days: how long it keeps them.
        before_s: rows earlier than this are deleted, UTC seconds.
        first_s, last_s: times of the earliest and the latest of them.
    """

    space: Space
    days: int
    before_s: int
    rows: int
    first_s: int
    last_s: int


@dataclass(frozen=True)
class SpaceInfo:
    """A space as a store keeps it.

    Attributes:
        days: how long a vector is kept; None: forever.
    """

    space: Space
    width: int
    days: int | None


@dataclass(frozen=True)
class SpaceTable:
    """Where a space's rows are: the number of its table, and its width."""

    number: int
    width: int


@dataclass(frozen=True)
class ReadQuery:
    """A query for rows: of some cells, in since <= time < until.

    Attributes:
        ids: numbers of the cells; None: all.
    """

    ids: Sequence[int] | None
    since: int
    until: int


@dataclass(frozen=True, eq=False)
class NearestQuery:
    """A search; attributes as the arguments of `DeepDataStore.nearest`."""

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
        distance_K: float64; L2, or 1 - cosine of the angle.
    """

    space: Space
    time_K: Ints
    cell_K: Texts
    vectors_KW: Floats
    distance_K: Doubles


class DeepTables(Protocol):
    """The tables, within one transaction."""

    def find(self, space: Space) -> SpaceTable | None:
        """The table of a space; None if there is none."""

    def ensure_table(self, space: Space, width: int, days: int | None) -> SpaceTable:
        """The table of a space, made if there is none, locked against other writers.

        Raises:
            DeepDataError: if it has another width.
        """

    def list_spaces(self) -> tuple[SpaceInfo, ...]:
        """All spaces, in order."""

    def set_retention(self, table: SpaceTable, days: int | None) -> None:
        """Set how long its rows are kept."""

    def expire(self, now: int) -> tuple[ExpiredRows, ...]:
        """Delete rows older than their space keeps them; returns what, by space."""

    def ids(self, table: SpaceTable, cell_R: Texts) -> Ids:
        """The number of each row's cell; new cells get the next ones."""

    def names(self, table: SpaceTable, cells: Sequence[str] | None) -> Names:
        """Those of these cells that are stored; None: all."""

    def stored(self, table: SpaceTable, batch: DeepData, id_R: Ids, unique_U: Ints) -> StoredRows:
        """The rows stored for those of a batch, withdrawn ones included."""

    def write(self, table: SpaceTable, batch: DeepData, id_R: Ids, plan: UpsertPlan) -> None:
        """Remove what is revised and insert what is new."""

    def counts(self, table: SpaceTable, read_query: ReadQuery) -> Sequence[tuple[int, int]]:
        """Each time that has such rows, in order, and how many."""

    def rows(self, table: SpaceTable, read_query: ReadQuery) -> Part:
        """Such rows."""

    def newest(self, table: SpaceTable, ids: Sequence[int], at: int) -> Part:
        """The newest row of each of these cells at or before a time."""

    def nearest(self, space: Space, table: SpaceTable, search: NearestQuery) -> Neighbours:
        """The nearest rows."""


class Database(Protocol):
    """A database with the tables. Each call is a transaction: all of it or nothing."""

    def reading(self, work: Callable[[DeepTables], Result]) -> Result:
        """Run a function that only reads, on a snapshot of the tables."""

    def writing(self, work: Callable[[DeepTables], Result]) -> Result:
        """Run a function that writes; it may be called twice, so it changes the tables only."""

    def close(self) -> None:
        """Close it; closing twice is fine."""
